"""What every call into the kernel raises when the kernel says no: one type, one plain line.

Used by the other modules of this room and by whoever calls them. It knows numbers and words of errors,
nothing of what was attempted: the caller passes that.
"""

from __future__ import annotations

import errno
import os

_PLAIN = {
    errno.EPERM: "not permitted: needs root, or CAP_NET_ADMIN",
    errno.EACCES: "not permitted: needs root, or CAP_NET_ADMIN",
    errno.ENODEV: "there is no such interface",
    errno.EADDRNOTAVAIL: "there is no such address",
    errno.ESRCH: "there is no such route",
    errno.EEXIST: "it exists already",
    errno.ENETDOWN: "the interface is down",
    errno.ENETUNREACH: "the interface is down, or has no path there",
    errno.EOPNOTSUPP: "this kernel does not support it",
    errno.EAFNOSUPPORT: "this kernel does not support it",
    errno.EPROTONOSUPPORT: "this kernel does not support it",
}


class KernelError(OSError):
    """The kernel refused something. ``str()`` is one line fit for an operator; ``errno`` is the kernel's
    number.
    """

    def __init__(self, number: int, message: str) -> None:
        super().__init__(number, message)

    def __str__(self) -> str:
        return str(self.strerror)


def refusal(doing: str, number: int) -> KernelError:
    """A :class:`KernelError` that says what was being done (``"add route 10.0.0.0/24 to ppp0"``) and why
    it failed.
    """
    return KernelError(number, f"cannot {doing}: {_PLAIN.get(number) or os.strerror(number).lower()}")

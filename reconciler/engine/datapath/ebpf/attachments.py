"""The programs where packets pass them: on access interfaces by XDP, on the pair's far end by tc.

By links with names, which hold them there when the engine is gone; where the kernel has no link for tc, by a
clsact queueing discipline, which stays with its device. Neighbours: ``path``. It must not know sessions.
"""

from __future__ import annotations

import errno
import logging
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from reconciler.engine.datapath.base import PathError
from reconciler.engine.datapath.ebpf import pins
from reconciler.linux import bpf, veth
from reconciler.linux.bpf import XDP_GENERIC, XDP_NATIVE, Attach, BpfError
from reconciler.linux.interface import is_bond

if TYPE_CHECKING:
    from reconciler.engine.datapath.ebpf.pins import Pins
    from reconciler.linux.rtnl import Rtnl

_TAKEN = (errno.EBUSY, errno.EEXIST)
_MODES = {XDP_NATIVE: "native", XDP_GENERIC: "generic"}

log = logging.getLogger("reconciler.engine")


def on_access_interface(names: Pins, program: int, interface: str, index: int, *, native: bool) -> None:
    """Have the program see what comes in on an interface: in its driver, if ``native`` and it can, else in
    the kernel. Raises ``PathError``.
    """
    if _renewed(names, pins.port(index), index, program):
        return
    # A bond's native program would run as of the interface below it that the frame came in on.
    modes = (XDP_NATIVE, XDP_GENERIC) if native and not is_bond(interface) else (XDP_GENERIC,)
    for mode in modes:
        try:
            link = bpf.link(program, index, Attach.XDP, mode)
        except BpfError as error:
            if error.errno in _TAKEN:
                raise PathError(
                    f"another XDP program is on {interface}: take it off, or run with --datapath tun"
                ) from None
            refused = error
        else:
            names.put(pins.port(index), link)
            os.close(link)
            log.info("interface %s: XDP, %s", interface, _MODES[mode])
            return
    raise PathError(f"{interface} takes no XDP program ({refused}): run with --datapath tun")


def off_access_interface(names: Pins, index: int) -> None:
    """Take the program off an interface."""
    _let_go(names, pins.port(index))


def off_everything(names: Pins) -> None:
    """Take the programs off wherever links hold them; without a link, they go with the pair."""
    for index in names.ports():
        off_access_interface(names, index)
    _let_go(names, pins.DOWNSTREAM)


def on_far_end(names: Pins, program: int, index: int, rtnl: Rtnl) -> None:
    """Have the program see what comes out of the pair. Raises ``OSError``."""
    if _renewed(names, pins.DOWNSTREAM, index, program):
        return
    try:
        link = bpf.link(program, index, Attach.TCX_INGRESS)
    except BpfError as error:
        if error.errno != errno.EINVAL:
            raise
        veth.classify(rtnl, index, program, pins.DOWNSTREAM)
        return
    names.put(pins.DOWNSTREAM, link)
    os.close(link)


def _renewed(names: Pins, name: str, index: int, program: int) -> bool:
    """Whether there was a link for this device, which now runs this program."""
    link = names.get(name)
    if link is None:
        return False
    try:
        with suppress(BpfError):
            if bpf.device_of(link) == index:
                bpf.relink(link, program)
                return True
    finally:
        os.close(link)
    _let_go(names, name)
    return False


def _let_go(names: Pins, name: str) -> None:
    """End a link now. Without its name alone the kernel would, in a while."""
    link = names.get(name)
    if link is not None:
        with suppress(BpfError):  # its device has gone
            bpf.unlink(link)
        os.close(link)
        names.remove(name)

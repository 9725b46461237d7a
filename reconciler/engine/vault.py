"""The key under which the journal keeps users: in the kernel's memory, so that it outlives both processes and
dies with the machine's boot, as the journal does.

Where the kernel keeps no keys for us, nothing is sealed and the journal does without the users. Neighbours:
``journal`` seals and opens by it, ``linux.keyring`` holds it. It must not know what is sealed.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from reconciler.engine.crypto.sealing import KEY, Sealer, SealError
from reconciler.linux import keyring
from reconciler.linux.errors import KernelError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

log = logging.getLogger("reconciler.engine")


class Vault:
    """Seals for the engines of one ``directory``, which must exist, one after the other. ``entropy(n)`` gives
    n random octets.
    """

    def __init__(self, directory: Path, entropy: Callable[[int], bytes]) -> None:
        place = directory.stat()
        # By identity: a name may mean another directory in another mount namespace, which shares the keys.
        self._name = f"reconciler:{place.st_dev:x}:{place.st_ino:x}"
        self._sealer: Sealer | None = None
        try:
            self._sealer = Sealer(_key(self._name, entropy), entropy)
        except KernelError as error:
            log.warning(
                "%s: passwords are not in the journal, and after a restart of the engine nobody can log in "
                "before the reconciler has told it the users",
                error,
            )

    def seal(self, name: str, message: bytes) -> bytes | None:
        """``message``, to be kept under ``name``; None when there is no key."""
        return None if self._sealer is None else self._sealer.seal(message, name.encode())

    def open(self, name: str, sealed: bytes) -> bytes | None:
        """What was sealed to be kept under ``name``; None when it was not, or the key is another."""
        try:
            return None if self._sealer is None else self._sealer.open(sealed, name.encode())
        except SealError:
            return None

    def forget(self) -> None:
        """Nothing that was sealed will be opened again."""
        self._sealer = None
        try:
            keyring.forget(self._name)
        except KernelError as error:
            log.warning("%s", error)


def _key(name: str, entropy: Callable[[int], bytes]) -> bytes:
    key = keyring.recall(name)
    if key is None or len(key) != KEY:
        key = entropy(KEY)
        keyring.keep(name, key)
    return key

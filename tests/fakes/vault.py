"""A vault whose key is the test's: the real sealing, without the kernel's keyring."""

from __future__ import annotations

import os

from reconciler.engine.crypto.sealing import KEY, Sealer, SealError


class FakeVault:
    """Vaults of one ``key`` open what each other sealed; one without a key seals nothing."""

    def __init__(self, key: bytes = bytes(KEY)) -> None:
        self._sealer = Sealer(key, os.urandom) if key else None
        self.forgotten = False

    def seal(self, name: str, message: bytes) -> bytes | None:
        return None if self._sealer is None else self._sealer.seal(message, name.encode())

    def open(self, name: str, sealed: bytes) -> bytes | None:
        try:
            return None if self._sealer is None else self._sealer.open(sealed, name.encode())
        except SealError:
            return None

    def forget(self) -> None:
        self.forgotten = True

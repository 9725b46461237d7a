"""Decrypts what stands encrypted in a site file: with the box's key, and with keys that are kept elsewhere.

The files of keys are read when something must be decrypted that was not decrypted last time, so a key that
comes later serves from the next look on. What was decrypted stays in memory only, for as long as the site
file has it. It must not know whose password it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pyrage

from reconciler.loop.reading.boxkey import KeyFileError, UnsealError, identities, unseal
from reconciler.site.values import UnfitError


class Unsealer:
    """``files``: where the keys are, or would be."""

    def __init__(self, files: Iterable[Path] = ()) -> None:
        self.files = tuple(files)
        self._known: dict[bytes, bytes] = {}

    def look(self) -> Look:
        """For one look at a site file."""
        look = Look(self.files, self._known)
        self._known = look.opened
        return look


class Look:
    """Decrypts the values of one look. ``failed``: at least one could not be."""

    def __init__(self, files: Sequence[Path], known: dict[bytes, bytes]) -> None:
        self.opened: dict[bytes, bytes] = {}
        self.failed = False
        self._files = files
        self._before = known
        self._keys: list[pyrage.x25519.Identity] | None = None
        self._trouble = ""

    def open(self, sealed: bytes) -> bytes:
        """What is in an age file. Raises ``UnfitError`` (E153)."""
        found = self._before.get(sealed)
        if found is None:
            found = self._decrypted(sealed)
        self.opened[sealed] = found
        return found

    def _decrypted(self, sealed: bytes) -> bytes:
        if self._keys is None:
            self._keys = self._read()
        try:
            return unseal(sealed, self._keys)
        except UnsealError as error:
            self.failed = True
            if self._trouble:
                raise UnfitError("E153", self._trouble) from None
            advice = "encrypt it for this box: `reconciler secret recipient` says whom that is"
            raise UnfitError("E153", str(error), advice) from None

    def _read(self) -> list[pyrage.x25519.Identity]:
        keys: list[pyrage.x25519.Identity] = []
        for file in self._files:
            try:
                keys += identities(file)
            except FileNotFoundError:
                continue
            except KeyFileError as error:
                self._trouble = str(error)
        if not keys and not self._trouble:
            where = ", ".join(map(str, self._files)) or "none is given"
            self._trouble = f"there is no key to decrypt it with ({where})"
        return keys

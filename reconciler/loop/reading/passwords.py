"""Gets the passwords of a site's users from where the site says they are: files, variables, age values.

Joins ``site.secrets``, which knows what is asked for, with what reads. Neighbours: ``reading.goal`` asks at
each look; ``reading.unseal`` decrypts. It must not know what the passwords are for, nor keep them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from reconciler.differing import difference
from reconciler.loop.reading import source
from reconciler.loop.reading.unseal import Unsealer
from reconciler.site.lint import judged
from reconciler.site.model import Site
from reconciler.site.place import Path as Where
from reconciler.site.place import Place
from reconciler.site.secrets import Resolved, UserSecret, exposed, resolve


class Passwords:
    """``getenv`` reads a variable of the environment."""

    def __init__(self, getenv: Callable[[str], str | None], unsealer: Unsealer) -> None:
        self._getenv = getenv
        self._unsealer = unsealer

    def of(
        self,
        site: Site,
        directory: Path,
        places: Mapping[Where, Place],
        known: Mapping[str, UserSecret] = MappingProxyType({}),
        again: Collection[str] = (),
    ) -> tuple[Resolved, frozenset[Path]]:
        """Every user's password, or findings; and the files whose change would change it. Relative names
        start at ``directory``. Those that are ``known`` already are taken as they are, but for those users'
        that are to be looked at ``again``.
        """
        if known:
            unknown = difference(site.users, known).gone
            others = {name: site.users[name] for name in (*unknown, *again)}
            site = site.model_copy(update={"users": others})
        flaws: dict[str, str] = {}

        def read(name: str) -> bytes:
            reading = source.read(directory / name)
            if reading.exposed:
                flaws[name] = reading.exposed
            return reading.text

        look = self._unsealer.look()
        resolved = resolve(site, read, self._getenv, places, look.open)
        warnings = exposed(site, flaws, places)
        findings = judged([*resolved.findings, *warnings], (), site.deny_warnings)
        files = {directory / user.password_file for user in site.users.values() if user.password_file}
        if look.failed:
            files.update(self._unsealer.files)
        secrets = {**known, **resolved.secrets}
        for name in site.users.keys() - resolved.secrets.keys():
            secrets.pop(name, None)
        return replace(resolved, secrets=secrets, findings=tuple(findings)), frozenset(files)


def encrypted(
    site: Site, unsealer: Unsealer, places: Mapping[Where, Place] = MappingProxyType({})
) -> Resolved:
    """The encrypted passwords alone, or findings about them."""
    users = {name: user for name, user in site.users.items() if user.password_age is not None}
    alone = site.model_copy(update={"users": users})
    return resolve(
        alone, lambda name: source.read(Path(name)).text, lambda _: None, places, unsealer.look().open
    )

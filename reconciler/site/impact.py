"""What becomes of live sessions when something in the site file changes: the words for it.

The model declares an :class:`OnChange` beside each field; the plan, the documentation and the tests read it
from there, so that it is said once. This module must not know the fields, the plan or a session.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum


class Impact(IntEnum):
    """How much a change costs the sessions that it touches. Ordered: the worst of several is their
    ``max``.
    """

    NONE = 0
    """Live sessions notice nothing, now or later."""
    LATER = 1
    """A live session goes on as it is; its next login gets what is new."""
    DROP = 2
    """The session ends at once: LCP Terminate-Request, then PADT."""


class Touch(Enum):
    """Which live sessions an effect falls on."""

    NOBODY = "no session"
    USER = "the user's sessions"
    OTHER_ADDRESS = "the user's sessions that hold another address"
    SURPLUS = "the user's oldest sessions beyond the new limit"
    INTERFACE = "the interface's sessions"
    OUTSIDE_POOL = "sessions whose pool address is no longer in the pool"
    ALL = "every session"


@dataclass(frozen=True, slots=True)
class Effect:
    """What one kind of change does.

    ``keeps`` names what a LATER session goes on with ("DNS servers"). ``policy`` is the site key by which the
    operator chooses another impact, and ``choices`` what each of its values makes of it.
    """

    impact: Impact
    touches: Touch
    keeps: str = ""
    policy: str = ""
    choices: Mapping[str, Impact] | None = None

    def under(self, policies: object) -> Impact:
        """The impact that holds under ``policies``: an object (the site) with the policy as an attribute."""
        if not self.policy or self.choices is None:
            return self.impact
        return self.choices.get(str(getattr(policies, self.policy)), self.impact)


HARMLESS = Effect(Impact.NONE, Touch.NOBODY)


@dataclass(frozen=True, slots=True)
class OnChange:
    """Declared beside a field: what adding, removing and changing its value does. A truth value counts as
    added when it becomes true, and as removed when it becomes false.

    ``borrowed``: the value belongs to the machine. Unset means that it is left as it is; what was found
    before the first write is put back when the key is removed.
    """

    changed: Effect = HARMLESS
    added: Effect = HARMLESS
    removed: Effect = HARMLESS
    borrowed: bool = False

    def between(self, before: object, after: object) -> Effect:
        """The effect of a change of value. None and False count as nothing."""
        if before is None or before is False:
            return self.added
        return self.removed if after is None or after is False else self.changed

    @classmethod
    def always(cls, effect: Effect) -> OnChange:
        """The same effect however the value changes."""
        return cls(changed=effect, added=effect, removed=effect)


def later(touches: Touch, keeps: str) -> OnChange:
    """Live sessions keep the old ``keeps`` until they reconnect."""
    return OnChange.always(Effect(Impact.LATER, touches, keeps))


def unnoticed(*, borrowed: bool = False) -> OnChange:
    """No live session notices."""
    return OnChange(borrowed=borrowed)

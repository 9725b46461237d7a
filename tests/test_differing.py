"""What is new in a mapping is found whatever the order, and what stays is not looked into."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from reconciler.differing import difference

VALUES = [object() for _ in range(4)]
mappings = st.dictionaries(st.text("abcd", max_size=2), st.sampled_from(VALUES), max_size=6)


@given(mappings, mappings, st.randoms())
def test_all_that_differs_is_named_and_nothing_else(
    before: dict[str, object], after: dict[str, object], chance: Random
) -> None:
    shuffled = dict(chance.sample(list(after.items()), len(after)))
    for one in (after, shuffled):
        new, gone = difference(before, one)
        assert new == [key for key in one if before.get(key) is not one[key]]
        assert gone == [key for key in before if key not in one]
        assert {
            **{key: before[key] for key in before if key not in gone},
            **{key: one[key] for key in new},
        } == one


class Untouchable:
    """Whoever compares it has looked."""

    def __eq__(self, _: object) -> bool:
        raise AssertionError

    __hash__ = None  # type: ignore[assignment]


def test_what_stays_is_not_looked_into() -> None:
    stays = Untouchable()
    assert difference({"a": stays, "b": 1}, {"a": stays, "b": 2}) == (["b"], [])
    assert difference({"b": 1, "a": stays}, {"a": stays}) == ([], ["b"])

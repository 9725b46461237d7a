"""Every conformance item is shown by a test, or it is said why not."""

from __future__ import annotations

from tests import conformance


def test_every_item_has_a_test_or_a_reason() -> None:
    shown = conformance.shown()
    bare = [i.id for i in conformance.items().values() if i.id not in shown and not i.deviation + i.waits]
    assert not bare, "no test carries these ids in its name, and conformance.toml gives no reason"


def test_every_id_in_a_tests_name_is_an_item() -> None:
    assert not conformance.shown().keys() - conformance.items().keys(), "not in conformance.toml"


def test_items_stand_in_order_and_belong_to_a_group() -> None:
    letters = list(conformance.groups())
    order = [(letters.index(item[0]), int(item[1:] or 0)) for item in conformance.items()]
    assert order == sorted(order)

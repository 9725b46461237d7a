"""Which address a user gets: what subscribers see after every dial."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.access.config import Pool
from reconciler.engine.access.leases import Leases

POOL = Pool("default", 101, 4)


def leases(*pools: Pool, excluded: frozenset[int] = frozenset()) -> Leases:
    made = Leases()
    made.configure(pools or (POOL,), excluded)
    return made


def test_new_users_get_addresses_in_order_from_the_start_of_the_pool() -> None:
    pool = leases()
    assert [pool.take(name, None) for name in (b"theo", b"pablo", b"yunhan")] == [101, 102, 103]


def test_a_user_gets_its_own_address_again_while_others_come_and_go() -> None:
    pool = leases()
    pool.take(b"theo", None)
    pool.take(b"pablo", None)
    pool.give_back(101)
    assert pool.take(b"yunhan", None) == 103, "a free address that somebody had is not the next choice"
    assert pool.take(b"theo", None) == 101


def test_the_longest_idle_address_changes_hands_when_the_pool_is_used_up() -> None:
    pool = leases()
    for name in (b"a", b"b", b"c", b"d"):
        pool.take(name, None)
    for address in (103, 101, 102):
        pool.give_back(address)
    assert pool.take(b"e", None) == 103
    assert pool.take(b"c", None) == 101, "who lost its address gets the next idle one"


def test_nothing_is_given_twice_and_a_full_pool_says_so() -> None:
    pool = leases()
    assert [pool.take(bytes([n]), None) for n in range(5)] == [101, 102, 103, 104, None]


def test_our_own_address_and_other_users_fixed_ones_are_left_out() -> None:
    pool = leases(excluded=frozenset({101}))
    pool.reserve(102, b"yunhan")
    assert pool.take(b"theo", None) == 103
    assert pool.take(b"yunhan", 102) == 102


def test_I13_a_fixed_address_in_use_is_refused() -> None:
    pool = leases()
    assert pool.take(b"theo", None) == 101
    assert pool.take(b"yunhan", 101) is None


def test_a_fixed_address_that_is_given_up_returns_to_the_pool() -> None:
    pool = leases(Pool("default", 101, 1))
    pool.reserve(101, b"yunhan")
    assert pool.take(b"theo", None) is None
    pool.unreserve(101, b"yunhan")
    assert pool.take(b"theo", None) == 101


def test_a_fixed_address_that_passed_to_another_stays_reserved_for_them() -> None:
    pool = leases(Pool("default", 101, 1))
    pool.reserve(101, b"yunhan")
    pool.reserve(101, b"pablo")
    pool.unreserve(101, b"yunhan")
    assert pool.take(b"theo", None) is None
    assert pool.take(b"pablo", 101) == 101


def test_moving_the_pool_leaves_live_leases_and_gives_new_ones_from_the_new_place() -> None:
    pool = leases()
    pool.take(b"theo", None)
    pool.configure((Pool("default", 201, 4),), frozenset())
    assert not pool.in_pools(101)
    assert pool.take(b"pablo", None) == 201
    pool.give_back(101)
    assert pool.take(b"theo", None) == 202


Step = tuple[str, int]


@given(
    st.lists(
        st.tuples(st.sampled_from(["take", "give", "move", "fix", "unfix"]), st.integers(0, 7)), max_size=60
    )
)
def test_two_users_never_hold_one_address(steps: list[Step]) -> None:
    pool, held, fixed = leases(), dict[int, int](), dict[int, int]()
    for action, n in steps:
        if action == "take" and n not in held:
            address = pool.take(bytes([n]), fixed.get(n))
            if address is not None:
                assert address not in held.values()
                held[n] = address
        elif action == "give" and n in held:
            pool.give_back(held.pop(n))
        elif action == "move":
            pool.configure((Pool("default", 101 + n, 4),), frozenset({103}))
        elif action == "fix" and n not in fixed and 100 + n not in fixed.values():
            fixed[n] = 100 + n
            pool.reserve(100 + n, bytes([n]))
        elif action == "unfix" and n in fixed:
            pool.unreserve(fixed.pop(n), bytes([n]))


def test_what_would_be_leased_once_others_have_given_back_is_known_before() -> None:
    pool = leases(Pool("default", 101, 1))
    assert pool.take(b"theo", None) == 101
    assert not pool.would_take(b"theo", None, ())
    assert pool.would_take(b"theo", None, (101,))
    assert not pool.would_take(b"yunhan", 101, ())
    assert pool.would_take(b"yunhan", 101, (101,))
    assert pool.would_take(b"yunhan", 200, ())
    pool.configure((Pool("moved", 201, 1),), ())
    assert pool.would_take(b"theo", None, ())
    pool.take(b"pablo", None)
    assert not pool.would_take(b"theo", None, (101,)), "what is given back is in no pool any more"

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from plainview.accounts.errors import UsernameError
from plainview.accounts.rules import (
    LIMITS,
    Failures,
    SessionLimits,
    check_username,
    is_session_over,
    lock_of,
)

NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)
SHIFT = SessionLimits(whole=timedelta(hours=12), idle=timedelta(minutes=30))


# --- locks


@pytest.mark.parametrize(
    ("failures", "locked"),
    [
        (Failures(0, 0, 0), None),
        (Failures(LIMITS.pair - 1, LIMITS.address - 1, LIMITS.name - 1), None),
        (Failures(LIMITS.pair, 0, 0), "pair"),
        (Failures(0, LIMITS.address, 0), "address"),
        (Failures(0, 0, LIMITS.name), "name"),
    ],
)
def test_what_is_locked_is_what_reached_its_limit(failures, locked):
    assert lock_of(failures) == locked


def test_a_lock_of_somebody_is_said_before_one_of_an_address():
    for pair, address, name in product((0, LIMITS.pair), (0, LIMITS.address), (0, LIMITS.name)):
        locked = lock_of(Failures(pair, address, name))
        assert (locked is None) == (pair == address == name == 0)
        assert locked != "address" or (pair == 0 and name == 0)


def test_more_failures_never_unlock():
    counts = [Failures(a, b, c) for a, b, c in product((0, 5, 9), (0, 30, 99), (0, 50, 99))]
    for one in counts:
        for more in counts:
            is_more = more.pair >= one.pair and more.address >= one.address and more.name >= one.name
            assert not (is_more and lock_of(one) and not lock_of(more))


def test_one_address_runs_into_its_own_limit_before_it_locks_a_name_everywhere():
    assert LIMITS.pair < LIMITS.address < LIMITS.name


# --- sessions


@pytest.mark.parametrize(
    ("began", "seen", "is_over"),
    [
        (timedelta(0), timedelta(0), False),
        (timedelta(hours=11, minutes=59), timedelta(minutes=29), False),
        (timedelta(hours=12), timedelta(0), True),
        (timedelta(hours=1), timedelta(minutes=30), True),
        (timedelta(hours=12), timedelta(minutes=30), True),
    ],
)
def test_a_session_ends_with_the_shift_or_when_nobody_is_there(began, seen, is_over):
    assert is_session_over(began_at=NOON - began, seen_at=NOON - seen, now=NOON, limits=SHIFT) is is_over


# --- names


@pytest.mark.parametrize("name", ["a", "a.clerk", "4417", "a_b-c", "z" * 64])
def test_a_plain_name_can_be_a_user_name(name):
    assert check_username(name) is None


@pytest.mark.parametrize("name", ["", "A", "a b", "-a", ".a", "_a", "a" * 65, "a\n", "\n", "é", "a@b"])
def test_any_other_name_cannot(name):
    with pytest.raises(UsernameError, match=r"Expected small letters.*a\.clerk"):
        check_username(name)

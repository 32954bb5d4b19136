from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.evidence.camera_rules import (
    CAPTURE_VERDICTS,
    CLOCK_LIMIT_MS,
    MISSING_LIMIT,
    is_clock_off,
    is_doubtful,
    is_graver,
    is_overdue,
    may_replace,
    missing_counters,
)
from plainview.evidence.rules import CaptureTimes, filed_at, identifier_year
from plainview.pipeline.capture_facts import verdict_word
from plainview.verify.verdicts import ALTERED, MISSING, NOT_CLOSED, OK, SIGNER_UNKNOWN, UNPROVEN

NOW = datetime(2026, 3, 15, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("error_ms", "doubt_ms", "is_off"),
    [
        (None, None, False),
        (0, None, False),
        (CLOCK_LIMIT_MS, None, False),
        (CLOCK_LIMIT_MS + 1, None, True),
        (-CLOCK_LIMIT_MS - 1, 0, True),
        (CLOCK_LIMIT_MS + 500, 500, False),
        (CLOCK_LIMIT_MS + 501, 500, True),
    ],
)
def test_a_clock_is_off_only_where_measuring_it_cannot_be_what_is(error_ms, doubt_ms, is_off):
    assert is_clock_off(error_ms, doubt_ms) == is_off


@pytest.mark.parametrize(
    ("assigned_at", "seen_at", "is_docked", "expected"),
    [
        (None, None, False, False),
        (NOW - DAY, None, False, False),
        (NOW - DAY - HOUR, None, False, True),
        (NOW - DAY - HOUR, None, True, False),
        (NOW - 9 * DAY, NOW - HOUR, False, False),
        (NOW - 9 * DAY, NOW - 2 * DAY, False, True),
        (NOW - HOUR, NOW - 9 * DAY, False, False),
    ],
)
def test_overdue_is_somebodys_camera_that_was_away_too_long(assigned_at, seen_at, is_docked, expected):
    said = is_overdue(assigned_at=assigned_at, seen_at=seen_at, is_docked=is_docked, now=NOW, after=DAY)
    assert said == expected


@given(st.sets(st.integers(1, 120), max_size=60))
def test_missing_is_what_is_left_out_below_the_highest(counters):
    expected = [n for n in range(1, max(counters, default=0)) if n not in counters]
    assert missing_counters(counters) == expected[:MISSING_LIMIT]


def test_a_camera_that_counts_wildly_does_not_fill_the_list():
    assert missing_counters([5, 10**9, 5]) == [1, 2, 3, 4, *range(6, 6 + MISSING_LIMIT - 4)]


def test_every_verdict_of_the_checker_has_its_spelling_and_its_place():
    words = [verdict_word(word) for word in (OK, ALTERED, MISSING, UNPROVEN, NOT_CLOSED, SIGNER_UNKNOWN)]
    assert set(words) == set(CAPTURE_VERDICTS)
    assert all(is_graver("altered", word) for word in words if word != "altered")
    assert not any(is_graver("ok", word) for word in words)


@pytest.mark.parametrize(
    ("verdict", "before", "expected"),
    [
        ("ok", "not_closed", True),
        ("ok", "ok", True),
        ("unproven", "ok", False),
        ("signer_unknown", "not_closed", False),
        ("altered", "ok", True),
        ("missing", "ok", True),
    ],
)
def test_what_is_signed_and_contradicts_counts_and_garbage_does_not(verdict, before, expected):
    assert may_replace(verdict, before) == expected


@pytest.mark.parametrize(
    ("verdict", "is_closed", "expected"),
    [
        ("ok", True, False),
        ("not_closed", False, False),
        ("unproven", False, False),
        ("unproven", True, True),
        ("altered", True, True),
        ("missing", False, True),
        ("signer_unknown", True, True),
    ],
)
def test_a_loss_of_power_is_nothing_to_ask_about_and_the_rest_is(verdict, is_closed, expected):
    assert is_doubtful(verdict, is_closed=is_closed) == expected


@pytest.mark.parametrize(
    ("started_at", "filed"),
    [
        (None, NOW),
        (datetime(1970, 1, 1, tzinfo=UTC), NOW),
        (datetime(1990, 1, 1, tzinfo=UTC), datetime(1990, 1, 1, tzinfo=UTC)),
        (NOW - DAY, NOW - DAY),
        (NOW + 2 * DAY, NOW + 2 * DAY),
        (NOW + 2 * DAY + HOUR, NOW),
        (datetime(2040, 1, 1, tzinfo=UTC), NOW),
    ],
)
def test_what_no_clock_can_mean_is_filed_under_its_receipt(started_at, filed):
    assert filed_at(started_at, received_at=NOW) == filed


def test_an_identifier_bears_no_year_that_has_not_come():
    times = CaptureTimes(datetime(2040, 1, 1, tzinfo=UTC), None, "UTC", "camera")
    assert identifier_year(times, received_at=NOW) == 2026

"""What goes first, how fast, what may be erased, and when a camera is safe to take."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.dock.rules import (
    FILE_STATES,
    KINDS,
    LONGEST_WAIT_S,
    MIB,
    DockFile,
    FileState,
    best_reading,
    clock_error,
    groups_to_erase,
    in_order,
    is_safe_to_take,
    may_erase,
    new_bucket,
    piece_bytes,
    poll_wait_s,
    read_clock,
    retry_wait_s,
    take_bytes,
    time_left_s,
)

NOON = datetime(2026, 3, 15, 12, 0, tzinfo=UTC)


def file(group="000001-aaaaaaaa", kind="footage", counter=1, **changes):
    return DockFile(group, kind, f"{group}/{kind}.sealed", 1000, 0, counter, is_critical=False, **changes)


def checked(of, **changes):
    return FileState(of, state="checked", receipt=b"{}", **changes)


# Pools to draw from: building each afresh takes most of a test's time.
FILES = [
    DockFile(group, kind, f"{group}/{kind}", 1000, 0, counter, is_critical=critical, may_erase=erase)
    for group, kind, counter, critical, erase in product("abc", KINDS, (1, 2, 3), (0, 1), (True, True, False))
]
STATES = [
    FileState(each, state, receipt=receipt, why=why, is_erased=erased)
    for each in FILES[::5]
    for state in ("checked", *FILE_STATES)
    for receipt, why, erased in ((b"{}", "", False), (None, "", False), (b"{}", "a reason", True))
]
files, states = st.sampled_from(FILES), st.sampled_from(STATES)


def test_critical_recordings_go_first_then_journals_then_the_oldest():
    given = [
        file("000003-aaaaaaaa", counter=3),
        file("000002-aaaaaaaa", counter=2),
        file("000009-aaaaaaaa", kind="journal", counter=9),
        replace(file("000008-aaaaaaaa", counter=8), is_critical=True),
        replace(file("000008-aaaaaaaa", kind="journal", counter=8), is_critical=True),
    ]
    assert [(each.counter, each.kind) for each in in_order(given)] == [
        (8, "journal"),
        (8, "footage"),
        (9, "journal"),
        (2, "footage"),
        (3, "footage"),
    ]


def test_what_the_server_wants_first_goes_first():
    first, second = file("000001-aaaaaaaa"), file("000002-aaaaaaaa", counter=2)
    assert [each.group for each in in_order([first, second], [second.group])] == [second.group, first.group]


@given(st.lists(files), st.sets(st.sampled_from(["a", "b", "c"])))
def test_putting_in_order_loses_no_file(given_files, critical):
    ordered = in_order(given_files, critical)
    assert sorted(each.path for each in ordered) == sorted(each.path for each in given_files)
    ranks = [each.is_critical for each in ordered]
    assert ranks == sorted(ranks, reverse=True)


def test_the_name_of_a_file_is_what_stands_behind_the_last_slash():
    assert file().name == "footage.sealed"


# --- clocks


def test_a_clock_that_is_ahead_is_found_within_the_doubt():
    camera = read_clock(NOON + timedelta(seconds=12.3), asked_mono_s=109.9, heard_mono_s=110.1)
    server = read_clock(NOON, asked_mono_s=99.95, heard_mono_s=100.05)
    error_ms, doubt_ms = clock_error(camera, server)
    assert (error_ms, doubt_ms) == (2300, 152)


@given(
    error_ms=st.integers(-(10**12), 10**12),
    there_s=st.floats(0, 5),
    back_s=st.floats(0, 5),
    between_s=st.floats(0, 1000),
)
def test_the_true_error_always_lies_within_the_doubt(error_ms, there_s, back_s, between_s):
    server = read_clock(NOON, asked_mono_s=0.0, heard_mono_s=0.0)
    truth = NOON + timedelta(seconds=between_s + there_s, milliseconds=error_ms)
    camera = read_clock(truth, asked_mono_s=between_s, heard_mono_s=between_s + there_s + back_s)
    found_ms, doubt_ms = clock_error(camera, server)
    assert abs(found_ms - error_ms) <= doubt_ms


def test_the_quickest_answer_is_the_best_reading():
    slow = read_clock(NOON, asked_mono_s=0, heard_mono_s=1)
    quick = read_clock(NOON, asked_mono_s=2, heard_mono_s=2.1)
    assert best_reading([slow, quick, slow]) == quick


def test_a_monotonic_clock_that_seems_to_go_back_gives_no_negative_doubt():
    assert read_clock(NOON, asked_mono_s=2, heard_mono_s=1).doubt_ms > 0


# --- speed


@given(st.floats(1e3, 1e9), st.lists(st.tuples(st.integers(1, 8 * MIB), st.floats(0, 3)), max_size=40))
def test_no_more_than_the_cap_goes_over_any_time(rate, sends):
    bucket, now_s, sent = new_bucket(rate, now_s=0.0), 0.0, 0
    for size_bytes, pause_s in sends:
        bucket, wait_s = take_bytes(bucket, size_bytes, now_s=now_s)
        now_s += wait_s
        sent += size_bytes
        assert sent <= rate * now_s + MIB + 1
        now_s += pause_s


def test_without_a_cap_nobody_waits():
    bucket = new_bucket(0, now_s=0.0)
    assert take_bytes(bucket, 1 << 40, now_s=0.0) == (bucket, 0.0)


@pytest.mark.parametrize(
    ("limit", "rate", "expected"),
    [
        (8 * MIB, 0, 8 * MIB),
        (8 * MIB + 5, 0, 8 * MIB),
        (10, 0, MIB),
        (8 * MIB, MIB, 2 * MIB),
        (8 * MIB, 1000, MIB),
        (8 * MIB, 1e9, 8 * MIB),
    ],
)
def test_pieces_are_whole_mib(limit, rate, expected):
    assert piece_bytes(limit, rate) == expected


@given(st.integers(1, 1000), st.floats(0, 30), st.floats(0, 1))
def test_waiting_after_failures_grows_and_has_an_end(failures, asked_s, luck):
    wait_s = retry_wait_s(failures, asked_s=asked_s, luck=luck)
    assert asked_s <= wait_s <= max(LONGEST_WAIT_S, asked_s * 1.5)
    assert wait_s >= 0.25
    assert retry_wait_s(failures + 1, asked_s=asked_s, luck=luck) >= wait_s


def test_receipts_are_asked_for_soon_and_then_more_rarely():
    waits = [poll_wait_s(polls) for polls in range(100)]
    assert waits[0] == 0.1
    assert waits == sorted(waits)
    assert waits[-1] == 5.0


@pytest.mark.parametrize(
    ("left", "sent", "elapsed", "expected"),
    [(0, 0, 0.0, 0.0), (100, 0, 5.0, None), (100, 50, 0.5, None), (100, 50, 10.0, 20.0)],
)
def test_the_time_left_is_said_only_when_there_is_something_to_go_by(left, sent, elapsed, expected):
    assert time_left_s(left_bytes=left, sent_bytes=sent, elapsed_s=elapsed) == expected


# --- erasing, and taking


@given(st.lists(states, max_size=6))
def test_only_what_has_a_checked_receipt_and_may_go_is_ever_erased(given_states):
    for group in groups_to_erase(given_states):
        whole = [each for each in given_states if each.file.group == group[0].file.group]
        assert group == whole
        assert all(each.state == "checked" and each.receipt and each.file.may_erase for each in group)


def test_footage_stays_as_long_as_its_journal_has_no_receipt():
    footage, journal = checked(file()), FileState(file(kind="journal"), state="sent")
    assert groups_to_erase([footage, journal]) == []
    both = [footage, checked(journal.file)]
    assert groups_to_erase(both) == [both]


def test_what_is_erased_or_was_kept_for_a_reason_is_not_erased_again():
    assert groups_to_erase([checked(file(), is_erased=True)]) == []
    assert groups_to_erase([checked(file(), why="the camera kept it")]) == []


def test_a_file_that_says_checked_without_a_receipt_is_not():
    assert not may_erase([FileState(file(), state="checked")])
    assert not may_erase([])


@given(st.lists(states, max_size=6))
def test_a_camera_is_safe_to_take_only_when_every_file_is_checked(given_states):
    is_safe = is_safe_to_take(given_states, is_listed=True, is_recording=False)
    assert is_safe == all(each.is_checked for each in given_states)


def test_a_camera_that_was_not_listed_or_records_is_not_safe_to_take():
    assert is_safe_to_take([], is_listed=True, is_recording=False)
    assert not is_safe_to_take([], is_listed=False, is_recording=False)
    assert not is_safe_to_take([], is_listed=True, is_recording=True)

import re
import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.evidence.errors import EvidenceError, TimesError
from plainview.evidence.rules import (
    CLOCK_SOURCES,
    NAME_LIMIT,
    STEPS,
    CaptureTimes,
    check_times,
    identifier_year,
    is_worth_another,
    original_file_name,
    printable_name,
    retry_after,
    step_after,
    wait_after,
)

START = datetime(2026, 3, 15, 6, 52, 7, tzinfo=UTC)
LATER = START + timedelta(minutes=9)


def times(started_at=START, ended_at=LATER, zone="America/New_York", clock_source="file"):
    return CaptureTimes(started_at, ended_at, zone, clock_source)


# --- capture times


@pytest.mark.parametrize(
    "good",
    [
        times(),
        times(ended_at=None),
        times(ended_at=START),
        times(started_at=None, ended_at=None, clock_source="unknown"),
        *(times(clock_source=source) for source in CLOCK_SOURCES if source != "unknown"),
    ],
)
def test_times_that_make_sense_together_are_taken(good):
    assert check_times(good) is None


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (times(clock_source="wall"), "expected one of file, camera, person, unknown"),
        (times(clock_source="unknown"), "an unknown start has none"),
        (times(started_at=None, ended_at=None), "A start needs the clock it came from"),
        (times(started_at=None, clock_source="unknown"), "end without a start"),
        (times(ended_at=START - timedelta(microseconds=1)), "cannot end before it starts"),
    ],
)
def test_times_that_contradict_each_other_are_refused(wrong, problem):
    with pytest.raises(TimesError, match=problem) as refused:
        check_times(wrong)
    assert isinstance(refused.value, EvidenceError)


# --- the year in an identifier


@pytest.mark.parametrize(
    ("started_at", "zone", "year"),
    [
        (datetime(2026, 1, 1, 4, 59, tzinfo=UTC), "America/New_York", 2025),
        (datetime(2026, 1, 1, 5, 0, tzinfo=UTC), "America/New_York", 2026),
        (datetime(2025, 12, 31, 14, 59, tzinfo=UTC), "Asia/Tokyo", 2025),
        (datetime(2025, 12, 31, 15, 0, tzinfo=UTC), "Asia/Tokyo", 2026),
        (None, "UTC", 2027),
        (None, "America/New_York", 2026),
    ],
)
def test_an_identifier_carries_the_year_at_the_place_of_capture_or_else_of_receipt(started_at, zone, year):
    received_at = datetime(2027, 1, 1, 0, 30, tzinfo=UTC)
    made = times(started_at=started_at, ended_at=None, zone=zone)
    assert identifier_year(made, received_at=received_at) == year


# --- names of files


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("clip.mp4", "clip.mp4"),
        ("Übergabe 12.mp4", "Übergabe 12.mp4"),
        ("U\u0308bergabe.mp4", "Übergabe.mp4"),
        ("", "unnamed"),
        ("a\nb\tc.mp4", "a<U+000A>b<U+0009>c.mp4"),
        ("a\0b", "a<U+0000>b"),
        ("\x1b[31mred", "<U+001B>[31mred"),
        ("\u202e4pm.exe", "<U+202E>4pm.exe"),
        ("a\u200bb\u2066c\ufeff", "a<U+200B>b<U+2066>c<U+FEFF>"),
        ("a\u2028b\u2029c", "a<U+2028>b<U+2029>c"),
        ("a\udcffb", "a<U+DCFF>b"),
        ("\ue000\U0010ffff", "<U+E000><U+10FFFF>"),
        ("../../etc/passwd", "../../etc/passwd"),
        ("警察.mp4", "警察.mp4"),
    ],
)
def test_a_name_is_shown_with_what_would_hide_or_reorder_spelled_out(name, shown):
    assert printable_name(name) == shown


def test_a_long_name_is_cut_to_what_its_column_holds():
    assert printable_name("x" * 300) == "x" * NAME_LIMIT
    assert len(printable_name("\n" * 300)) == NAME_LIMIT


@given(name=st.text(max_size=80))
@settings(max_examples=200)
def test_no_name_whatever_shows_a_character_that_hides_or_breaks(name):
    shown = printable_name(name)
    assert 1 <= len(shown) <= NAME_LIMIT
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert shown.encode("utf-8")


@pytest.mark.parametrize(
    ("extension", "part", "started_at", "expected"),
    [
        (".mp4", 1, START, "2026-03-15_0252_R-26-00004217-I.mp4"),
        (".MP4", 2, START, "2026-03-15_0252_R-26-00004217-I_2.mp4"),
        (".mkv", 1, None, "R-26-00004217-I.mkv"),
        ("", 1, None, "R-26-00004217-I.bin"),
        (".tar.gz", 3, None, "R-26-00004217-I_3.bin"),
        ("./../x", 1, None, "R-26-00004217-I.bin"),
        (".mp4\n", 1, None, "R-26-00004217-I.bin"),
        (".toolongtobe", 1, None, "R-26-00004217-I.bin"),
        (".mp٤", 1, None, "R-26-00004217-I.bin"),
    ],
)
def test_an_original_is_named_by_local_time_and_identifier_and_keeps_a_plain_extension(
    extension, part, started_at, expected
):
    name = original_file_name(
        identifier="R-26-00004217-I",
        started_at=started_at,
        zone="America/New_York",
        extension=extension,
        part=part,
    )
    assert name == expected


@given(extension=st.text(max_size=12), part=st.integers(1, 999))
@settings(max_examples=100)
def test_no_extension_whatever_makes_a_name_that_is_a_path_or_hides(extension, part):
    name = original_file_name(
        identifier="R-26-00004217-I", started_at=START, zone="UTC", extension=extension, part=part
    )
    assert re.fullmatch(r"2026-03-15_0652_R-26-00004217-I(_[0-9]+)?\.[a-z0-9]{1,8}", name)


# --- steps


def test_steps_follow_one_another():
    assert [step_after(name) for name in STEPS] == [*STEPS[1:], None]


@pytest.mark.parametrize(
    ("attempt", "is_final", "again"),
    [(1, False, True), (2, False, True), (3, False, False), (1, True, False)],
)
def test_a_failed_step_is_tried_again_twice_unless_trying_will_not_help(attempt, is_final, again):
    assert is_worth_another(attempt, is_final=is_final) is again


def test_each_attempt_waits_longer_and_a_sick_machine_up_to_an_hour():
    assert [retry_after(attempt).total_seconds() for attempt in (1, 2, 3)] == [30, 300, 300]
    assert [wait_after(times).total_seconds() for times in (0, 1, 6, 7, 1000)] == [30, 60, 1920, 3600, 3600]

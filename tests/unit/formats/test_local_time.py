"""Times as other makers write them become instants, or a reason why they cannot."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from plainview.formats.errors import FormatError
from plainview.formats.local_time import TimeWriting, check_zone, parse_time_writing, read_time

PLACE = "America/Los_Angeles"
PLAIN = "%Y-%m-%d %H:%M:%S"


def read(text: str, written: str = "iso", zone: str = "", ambiguous: str = "refuse") -> datetime:
    return read_time(text, TimeWriting(written, zone, ambiguous), place=PLACE, what="row 2")


def test_a_time_that_carries_its_zone_needs_no_other() -> None:
    wanted = datetime(2026, 3, 15, 6, 52, 7, 300_000, UTC)
    assert read("2026-03-15T06:52:07.300Z") == wanted
    assert read(" 2026-03-14 23:52:07,3004 -0700 ", zone="Europe/Berlin") == wanted
    assert read("2026-03-14 23:52:07 -0700", PLAIN + " %z") == wanted.replace(microsecond=0)


def test_a_time_without_seconds_is_at_their_beginning() -> None:
    assert read("2026-03-15T06:52Z") == datetime(2026, 3, 15, 6, 52, tzinfo=UTC)


def test_a_local_time_is_read_in_the_zone_that_is_named_or_the_departments_own() -> None:
    assert read("2026-03-14T23:52:07", zone="place") == datetime(2026, 3, 15, 6, 52, 7, tzinfo=UTC)
    assert read("2026-03-14 23:52:07", PLAIN, "-08:00") == datetime(2026, 3, 15, 7, 52, 7, tzinfo=UTC)
    assert read("2026-03-14 23:52:07", PLAIN, "+0530") == datetime(2026, 3, 14, 18, 22, 7, tzinfo=UTC)


def test_a_time_without_any_zone_is_refused() -> None:
    with pytest.raises(FormatError, match="row 2: '2026-03-14T23:52:07' carries no zone"):
        read("2026-03-14T23:52:07")
    with pytest.raises(FormatError, match="writes no zone"):
        parse_time_writing({"format": PLAIN}, what="folder pattern", field="started_at", zone="")
    assert parse_time_writing(PLAIN, what="p", field="f", zone="place") == TimeWriting(PLAIN, "place")
    assert parse_time_writing({"format": PLAIN + "%z"}, what="p", field="f", zone="").zone == ""


def test_the_hour_that_comes_twice_is_refused_or_resolved_as_said() -> None:
    with pytest.raises(FormatError, match="was twice in place"):
        read("2026-11-01T01:30:00", zone="place")
    assert read("2026-11-01T01:30:00", zone="place", ambiguous="earlier").hour == 8
    assert read("2026-11-01T01:30:00", zone="place", ambiguous="later").hour == 9


def test_the_hour_that_never_was_is_refused_whatever_is_said() -> None:
    for ambiguous in ("refuse", "earlier", "later"):
        with pytest.raises(FormatError, match="never was in America/Los_Angeles"):
            read("2026-03-08T02:30:00", zone=PLACE, ambiguous=ambiguous)


def test_counts_since_1970_are_read_exactly() -> None:
    assert read("1773557527.3009", "unix_s") == datetime(2026, 3, 15, 6, 52, 7, 300_000, UTC)
    assert read("1773557527300", "unix_ms") == datetime(2026, 3, 15, 6, 52, 7, 300_000, UTC)
    assert read("-1", "unix_s") == datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "written", "problem"),
    [
        ("14/03/2026", "iso", "expected a time such as"),
        ("2026-02-30T10:00:00Z", "iso", "no such time"),
        ("2026-02-30 10:00:00", PLAIN, "expected a time written"),
        ("soon", "unix_s", "expected a number of s since 1970"),
        ("9" * 17, "unix_s", "no such time"),
        ("0001-01-01T00:00:00", "iso", "no such time"),
        ("2026-02-01T10:00:00+14:30", "iso", "no place on earth"),
        ("2026-02-01T10:00:00+03:75", "iso", "no place on earth"),
    ],
)
def test_what_is_no_time_is_refused_with_what_was_expected(text: str, written: str, problem: str) -> None:
    with pytest.raises(FormatError, match=problem):
        read(text, written, "+01:00")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "America", "+15:00", "x" * 300, "a\0b"])
def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(FormatError):
        check_zone(zone, what="folder pattern", field="zone")


def test_no_zone_and_that_of_the_department_can_be_said() -> None:
    assert [check_zone(zone, what="p", field="f") for zone in ("", "place", "UTC")] == ["", "place", "UTC"]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"format": PLAIN, "zone": "UTC", "tz": 1}, "unknown keys"),
        ({"format": PLAIN, "zone": "UTC", "ambiguous": "guess"}, "expected one of refuse, earlier, later"),
        ({"format": "%Y-%q", "zone": "UTC"}, "'%q' is not one of"),
        ({"format": "%Y-%", "zone": "UTC"}, "'%' is not one of"),
        ({"format": "%H:%M", "zone": "UTC"}, "that make a day and an hour"),
        ({"format": "%Y-%m-%d %I:%M", "zone": "UTC"}, "that make a day and an hour"),
        ({"format": "%Y%Y-%m-%d %H", "zone": "UTC"}, "each once"),
        ({"format": "rfc3339", "zone": "UTC"}, "expected iso, unix_s, unix_ms"),
        ({"format": 3}, "expected text"),
    ],
)
def test_a_writing_that_makes_no_sense_is_refused(value: object, problem: str) -> None:
    with pytest.raises(FormatError, match=problem):
        parse_time_writing(value, what="folder pattern", field="started_at", zone="")


def test_days_of_the_year_and_halves_of_the_day_can_be_said() -> None:
    writing = parse_time_writing("%y%j %I:%M %p", what="p", field="f", zone="UTC")
    assert read_time("26074 06:52 PM", writing, place=PLACE, what="x") == datetime(
        2026, 3, 15, 18, 52, tzinfo=UTC
    )

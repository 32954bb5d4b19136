"""One way to write a time, a length, a size and a count."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.template import Context, Template
from hypothesis import given
from hypothesis import strategies as st

from plainview.web import words

STOP = datetime(2026, 3, 15, 6, 52, 7, 390_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("America/Los_Angeles", "14 Mar 2026 23:52:07.3 PDT (UTC-7)"),
        ("UTC", "15 Mar 2026 06:52:07.3 UTC"),
        ("Asia/Kolkata", "15 Mar 2026 12:22:07.3 IST (UTC+5:30)"),
        ("America/Sao_Paulo", "15 Mar 2026 03:52:07.3 UTC-3 (UTC-3)"),
        ("Europe/London", "15 Mar 2026 06:52:07.3 GMT"),
        ("No/Such_Zone", "15 Mar 2026 06:52:07.3 UTC"),
        ("../etc/passwd", "15 Mar 2026 06:52:07.3 UTC"),
    ],
)
def test_a_time_is_written_in_its_places_zone_with_its_offset(zone, shown):
    assert words.format_time(STOP, zone) == shown


def test_the_two_half_past_ones_of_a_night_the_clocks_go_back_differ():
    first = datetime(2025, 11, 2, 6, 30, tzinfo=UTC)
    written = [words.format_time(first + timedelta(hours=n), "America/Chicago") for n in (0, 1)]
    assert written == ["2 Nov 2025 01:30:00.0 CDT (UTC-5)", "2 Nov 2025 01:30:00.0 CST (UTC-6)"]


def test_how_well_a_time_is_known_stands_after_it():
    assert words.format_time(STOP, "UTC", uncertainty_s=0.02).endswith("UTC +/-0.02 s")


def test_tenths_are_cut_and_never_rounded_into_the_next_second():
    assert words.format_clock(STOP.replace(microsecond=999_999), "UTC") == "06:52:07.9 UTC"


def test_a_day_is_the_places_day():
    assert words.day_at(STOP, "America/Los_Angeles") == date(2026, 3, 14)
    assert words.format_day(date(2026, 3, 14)) == "Saturday 14 March 2026"


@pytest.mark.parametrize(
    ("duration_ms", "shown"),
    [
        (0, "0.0 s"),
        (499, "0.4 s"),
        (9_999, "9.9 s"),
        (10_000, "10 s"),
        (48_999, "48 s"),
        (108_000, "1 min 48 s"),
        (360_000, "6 min 0 s"),
        (3_725_000, "1 h 2 min 5 s"),
    ],
)
def test_a_length_is_written_in_its_units(duration_ms, shown):
    assert words.format_duration(duration_ms) == shown


@pytest.mark.parametrize(
    ("position_ms", "shown"),
    [(0, "0:00.0"), (52_390, "0:52.3"), (600_000, "10:00.0"), (3_725_000, "1:02:05.0")],
)
def test_a_position_counts_from_the_start(position_ms, shown):
    assert words.format_position(position_ms) == shown


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.00 kB"),
        (9_994, "9.99 kB"),
        (9_995, "10.0 kB"),
        (34_200_000, "34.2 MB"),
        (999_600, "1.00 MB"),
        (1_040_000_000, "1.04 GB"),
        (5 * 10**18, "5000 PB"),
    ],
)
def test_a_size_has_three_figures(size_bytes, shown):
    assert words.format_size(size_bytes) == shown


@pytest.mark.parametrize(
    ("fraction", "shown"),
    [(-1, "0%"), (0, "0%"), (0.439, "43%"), (0.9999, "99%"), (1, "100%"), (1.5, "100%")],
)
def test_what_is_not_finished_never_reads_as_whole(fraction, shown):
    assert words.format_percent(fraction) == shown


@given(st.integers(min_value=0, max_value=10**9))
def test_a_longer_thing_never_reads_shorter(duration_ms):
    shown = words.format_duration(duration_ms)
    total = 0.0
    for figure, unit in zip(shown.split()[::2], shown.split()[1::2], strict=True):
        total += float(figure) * {"h": 3600, "min": 60, "s": 1}[unit]
    assert 0 <= duration_ms / 1000 - total < 1


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 recordings"), (1, "1 recording"), (2, "2 recordings"), (12345, "12,345 recordings")],
)
def test_a_count_carries_its_word(count, shown):
    assert words.plural(count, "recording") == shown


def test_a_word_with_a_plural_of_its_own_keeps_it():
    assert words.plural(2, "person", "people") == "2 people"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (59, "just now"),
        (60, "1 minute ago"),
        (7200, "2 hours ago"),
        (259_200, "3 days ago"),
        (-5, "just now"),
    ],
)
def test_how_long_ago_is_rough(seconds, shown):
    assert words.format_ago(timedelta(seconds=seconds)) == shown


def rendered(text, **given):
    return Template("{% load plainview_words %}" + text).render(Context(given))


def test_a_page_carries_the_machines_time_beside_the_persons():
    assert rendered("{{ at|moment:zone }}", at=STOP, zone="America/Los_Angeles") == (
        '<time datetime="2026-03-14T23:52:07.390-07:00">14 Mar 2026 23:52:07.3 PDT (UTC-7)</time>'
    )
    assert "title=" in rendered("{{ at|clock:zone }}", at=STOP, zone="UTC")


def test_what_nobody_knows_is_said():
    assert "length unknown" in rendered("{{ nothing|duration }}", nothing=None)
    assert "6 min 0 s" in rendered("{{ given|duration }}", given=360_000)


def test_an_identifier_is_kept_on_one_line_and_is_only_text():
    assert rendered("{{ given|identifier }}", given="<b>") == '<span class="identifier">&lt;b&gt;</span>'


def test_sizes_and_counts_of_a_page_are_the_same_words():
    assert rendered("{{ 1000|size }}, {{ 2|plural:'file' }}") == (
        '<span class="nowrap">1.00 kB</span>, 2 files'
    )

"""How times, durations, sizes and counts are written: one way each, everywhere."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from datetime import date, datetime, timedelta, tzinfo

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FULL_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SIZES = ("bytes", "kB", "MB", "GB", "TB", "PB")
# What a count that was cut off reads like is the asker's; digits are grouped from here on.
GROUPED_FROM = 1000


def format_time(at: datetime, zone: str, *, uncertainty_s: float | None = None) -> str:
    """Write a moment in the zone of its place: 14 Mar 2026 23:52:07.3 PDT (UTC-7) +/-0.02 s.

    Args:
        at: aware; cut, not rounded, to a tenth of a second.
        zone: IANA name of the place's zone.
        uncertainty_s: half the width of what is known; None is not known, and left out.
    """
    local = at.astimezone(zone_named(zone))
    shown = f"{local.day} {MONTHS[local.month - 1]} {local.year} {format_clock(at, zone)}"
    offset = format_offset(local)
    if offset != "UTC":
        shown += f" ({offset})"
    return shown if uncertainty_s is None else f"{shown} +/-{uncertainty_s:.2g} s"


def format_clock(at: datetime, zone: str) -> str:
    """Write the time of day of a moment, for use under its date: 23:52:07.3 PDT."""
    local = at.astimezone(zone_named(zone))
    return f"{local:%H:%M:%S}.{local.microsecond // 100_000} {_zone_word(local)}"


def format_offset(local: datetime) -> str:
    """Write how far a local time is from UTC: UTC-7, UTC+5:30, and UTC where they are the same."""
    seconds = _offset_s(local)
    hours, minutes = divmod(abs(seconds) // 60, 60)
    if not hours and not minutes:
        return "UTC"
    sign = "-" if seconds < 0 else "+"
    return f"UTC{sign}{hours}" + (f":{minutes:02d}" if minutes else "")


def format_day(day: date) -> str:
    """Write a day: Saturday 14 March 2026."""
    return f"{DAYS[day.weekday()]} {format_date(day)}"


def format_date(day: date) -> str:
    """Write a date: 14 March 2026."""
    return f"{day.day} {FULL_MONTHS[day.month - 1]} {day.year}"


def day_at(at: datetime, zone: str) -> date:
    """Return the day of a moment at its place."""
    return at.astimezone(zone_named(zone)).date()


def iso_time(at: datetime, zone: str) -> str:
    """Write a moment for machines, with its place's offset."""
    return at.astimezone(zone_named(zone)).isoformat(timespec="milliseconds")


def format_duration(duration_ms: int) -> str:
    """Write how long something lasts: 0.4 s, 48 s, 6 min 12 s, 1 h 2 min 5 s.

    Whole seconds are cut, not rounded: nothing lasts longer than it did.
    """
    if duration_ms < 10_000:
        return f"{duration_ms // 100 / 10:.1f} s"
    minutes, seconds = divmod(duration_ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min {seconds} s"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def format_position(position_ms: int) -> str:
    """Write a place in a recording, counted from its start: 0:52.3, 1:02:05.0."""
    seconds, rest_ms = divmod(position_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    tail = f"{seconds:02d}.{rest_ms // 100}"
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"


def format_size(size_bytes: int) -> str:
    """Write a size in thousands: 812 bytes, 34.2 MB, 1.04 GB."""
    if size_bytes < 1000:
        return plural(size_bytes, "byte")
    size, unit = float(size_bytes), 0
    while size >= 999.5 and unit < len(SIZES) - 1:
        size, unit = size / 1000, unit + 1
    decimals = 2 if size < 9.995 else 1 if size < 99.95 else 0
    return f"{size:.{decimals}f} {SIZES[unit]}"


def format_percent(fraction: float) -> str:
    """Write a part of the whole, 0 to 1, as whole percent; what is not finished never reads 100%."""
    if fraction >= 1:
        return "100%"
    return f"{min(99, max(0, int(fraction * 100)))}%"


def format_count(count: int) -> str:
    """Write a count with its thousands apart: 12,345."""
    return f"{count:,}" if count >= GROUPED_FROM else str(count)


def plural(count: int, one: str, many: str | None = None) -> str:
    """Write a count with its word: 1 recording, 2 recordings."""
    return f"{format_count(count)} {one if count == 1 else many or one + 's'}"


def format_ago(passed: timedelta) -> str:
    """Write how long ago something was, roughly: just now, 5 minutes ago, 3 days ago."""
    seconds = int(passed.total_seconds())
    for length_s, word in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length_s:
            return f"{plural(seconds // length_s, word)} ago"
    return "just now"


def zone_named(zone: str) -> tzinfo:
    """Return a zone by its name, and UTC for a name this machine does not know."""
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def _zone_word(local: datetime) -> str:
    """Return PDT and the like, and the offset where a zone has no letters of its own."""
    word = local.tzname() or ""
    return word if word.isalpha() else format_offset(local)


def _offset_s(local: datetime) -> int:
    offset = local.utcoffset()
    return 0 if offset is None else int(offset.total_seconds())

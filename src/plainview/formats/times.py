"""Instants as every format writes them: 2026-03-15T06:52:07.300Z."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from plainview.formats.errors import FormatError

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z", re.ASCII)


def format_at(at: datetime) -> str:
    """Write an aware time in UTC, cut to the millisecond.

    Raises:
        FormatError: the time carries no zone.

    Source: RFC 3339; CJIS AU-8 asks for hundredths of a second, we keep thousandths.
    """
    if at.utcoffset() is None:
        raise FormatError("time", "expected a time with a zone, got a naive one")
    at = at.astimezone(timezone.utc)
    # isoformat drops the zeros of years before 1000, strftime may too: spell it out.
    return (
        f"{at.year:04d}-{at.month:02d}-{at.day:02d}"
        f"T{at.hour:02d}:{at.minute:02d}:{at.second:02d}.{at.microsecond // 1000:03d}Z"
    )


def parse_at(text: str, *, what: str = "time") -> datetime:
    """Read an instant written by format_at.

    Returns:
        An aware datetime in UTC.

    Raises:
        FormatError: another spelling, or no such day or hour.
    """
    if type(text) is not str or INSTANT.match(text) is None:
        raise FormatError(what, f"expected a time such as 2026-03-15T06:52:07.300Z, got {text!r:.60}")
    year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
    hour, minute, second, microsecond = (
        int(text[11:13]),
        int(text[14:16]),
        int(text[17:19]),
        int(text[20:23]) * 1000,
    )
    try:
        return datetime(year, month, day, hour, minute, second, microsecond, tzinfo=timezone.utc)
    except ValueError as error:
        raise FormatError(what, f"no such time: {text}") from error

"""Times as other makers write them, in file names and lists: what they look like, and which zone they are in.

A time without a zone is no instant. Whoever describes such times must say which zone they are in, and the hour that a
clock shows twice when summer time ends is refused unless the description says which of the two is meant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from plainview.formats.errors import FormatError
from plainview.formats.fields import check_text

if TYPE_CHECKING:
    from datetime import tzinfo

# How a whole value may be written where no directives say so.
NAMED_FORMATS = ("iso", "unix_s", "unix_ms")
# In a zone's place: that of the department.
PLACE = "place"
AMBIGUOUS = ("refuse", "earlier", "later")
_DIRECTIVES = {
    "%Y": "[0-9]{4}",
    "%y": "[0-9]{2}",
    "%m": "[0-9]{1,2}",
    "%d": "[0-9]{1,2}",
    "%H": "[0-9]{1,2}",
    "%I": "[0-9]{1,2}",
    "%M": "[0-9]{2}",
    "%S": "[0-9]{2}",
    "%f": "[0-9]{1,6}",
    "%p": "[AaPp][Mm]",
    "%b": "[A-Za-z]{3}",
    "%z": r"(?:Z|[+-][0-9]{2}:?[0-9]{2})",
    "%j": "[0-9]{3}",
}
# In a file's name every number has its full width: what follows may be a number too.
_FULL_WIDTH = {"%m": "[0-9]{2}", "%d": "[0-9]{2}", "%H": "[0-9]{2}", "%I": "[0-9]{2}"}
_PIECES = re.compile(r"%.?|[^%]+", re.DOTALL)
_ISO = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?"
    r"\s?(Z|z|[+-][0-9]{2}:?[0-9]{2})?\Z",
    re.ASCII,
)
_OFFSET = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})\Z", re.ASCII)
_UNIX = re.compile(r"-?[0-9]{1,17}(?:\.[0-9]{1,9})?\Z", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class TimeWriting:
    """How times are written somewhere.

    Attributes:
        format: one of NAMED_FORMATS, or directives of strftime.
        zone: IANA name, an offset such as -08:00, PLACE, or empty where every value carries its own.
        ambiguous: one of AMBIGUOUS: what an hour means that the clock shows twice.
    """

    format: str
    zone: str
    ambiguous: str = "refuse"


def parse_time_writing(value: Any, *, what: str, field: str, zone: str) -> TimeWriting:
    """Read how times are written from a record of JSON: {"format", "zone", "ambiguous"}, the last two optional.

    Args:
        value: the record.
        what: the thing being read, for the error.
        field: where in it, for the error.
        zone: what holds where the record names none; empty where nothing does.

    Raises:
        FormatError: a directive or zone that is not known, or times without any zone.
    """
    record = value if type(value) is dict else {"format": value}
    extra = sorted(record.keys() - {"format", "zone", "ambiguous"})
    if extra:
        raise FormatError(what, f"{field}: unknown keys {extra!s:.200}")
    written = check_text(record.get("format", "iso"), what=what, field=f"{field}: format")
    writing = TimeWriting(
        format=written,
        zone=check_zone(record.get("zone", zone), what=what, field=f"{field}: zone"),
        ambiguous=check_text(record.get("ambiguous", "refuse"), what=what, field=f"{field}: ambiguous"),
    )
    if writing.ambiguous not in AMBIGUOUS:
        raise FormatError(
            what, f"{field}: ambiguous: expected one of {', '.join(AMBIGUOUS)}, got {writing.ambiguous!a:.40}"
        )
    if written not in NAMED_FORMATS:
        time_expression(written, what=what, field=field)
        if "%z" not in written and not writing.zone:
            raise FormatError(
                what,
                f"{field}: {written!a:.60} writes no zone: say which it is in, such as "
                '"zone": "America/Los_Angeles", or "place" for the department\'s own',
            )
    return writing


def check_zone(value: Any, *, what: str, field: str) -> str:
    """Return value if it names a zone: IANA, an offset, PLACE or nothing.

    Raises:
        FormatError: it does not.
    """
    zone = check_text(value, what=what, field=field)
    if zone not in ("", PLACE):
        find_zone(zone, place="UTC", what=what, field=field)
    return zone


def find_zone(zone: str, *, place: str, what: str, field: str = "zone") -> tzinfo:
    """Return a zone by its name.

    Args:
        zone: IANA name, an offset, or PLACE.
        place: IANA name of the department's own.
        what: the thing being read, for the error.
        field: where in it, for the error.

    Raises:
        FormatError: there is no such zone.
    """
    offset = _OFFSET.match(zone)
    if offset is not None:
        return _fixed(offset, what)
    # Python 3.8, which may run the checker, has none; nothing there asks for one.
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    name = place if zone == PLACE else zone
    try:
        return ZoneInfo(name)
    # A folder of the zones' files, a path that leads out of them, and a name that is none.
    except (OSError, ValueError, LookupError) as error:
        raise FormatError(
            what, f"{field}: expected a zone such as America/Los_Angeles or -08:00, got {name!a:.60}"
        ) from error


def time_expression(written: str, *, what: str, field: str) -> str:
    """Return the regular expression that a time matches inside a file's name, every number in full width.

    Raises:
        FormatError: a directive that is not known.
    """
    pieces = []
    for piece in _PIECES.findall(written):
        if not piece.startswith("%"):
            pieces.append(re.escape(piece))
        elif piece in _DIRECTIVES:
            pieces.append(_FULL_WIDTH.get(piece, _DIRECTIVES[piece]))
        else:
            raise FormatError(what, f"{field}: {piece!a} is not one of {' '.join(_DIRECTIVES)}")
    _check_whole(written, what, field)
    return "".join(pieces)


def _check_whole(written: str, what: str, field: str) -> None:
    """Raise unless the directives make a day and an hour, each once."""
    names = re.findall("%.", written)
    has_day = "%j" in names or ("%d" in names and bool({"%m", "%b"} & set(names)))
    has_hour = "%H" in names or {"%I", "%p"} <= set(names)
    if len(set(names)) < len(names) or not ({"%Y", "%y"} & set(names) and has_day and has_hour):
        raise FormatError(
            what,
            f"{field}: expected {', '.join(NAMED_FORMATS)}, or directives that make a day and an hour, each once, "
            f"such as %Y-%m-%d %H:%M:%S; got {written!a:.60}",
        )


def read_time(text: str, writing: TimeWriting, *, place: str, what: str) -> datetime:
    """Read a time.

    Args:
        text: as it stands there.
        writing: how it is written.
        place: IANA zone of the department.
        what: the thing being read, for the error.

    Returns:
        Aware, UTC, cut to the millisecond.

    Raises:
        FormatError: another spelling, no such time, no zone, or an hour that the clock skips or shows twice.
    """
    text = text.strip()
    try:
        if writing.format in ("unix_s", "unix_ms"):
            return _cut(_from_unix(text, writing.format, what))
        read = (
            _from_iso(text, what) if writing.format == "iso" else _from_directives(text, writing.format, what)
        )
        if read.tzinfo is None:
            if not writing.zone:
                raise FormatError(what, f"{text[:60]!a} carries no zone, and the pattern names none")
            read = _in_zone(
                read, find_zone(writing.zone, place=place, what=what), writing.ambiguous, what, writing.zone
            )
        return _cut(read.astimezone(timezone.utc))
    except OverflowError as error:
        raise FormatError(what, f"no such time: {text[:60]!a}") from error


def _cut(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _from_unix(text: str, written: str, what: str) -> datetime:
    if _UNIX.match(text) is None:
        raise FormatError(what, f"expected a number of {written[5:]} since 1970, got {text[:60]!a}")
    whole, _, part = text.partition(".")
    sign = -1 if whole.startswith("-") else 1
    nanoseconds = (abs(int(whole)) * 10**9 + int((part + "0" * 9)[:9])) * sign
    microseconds = nanoseconds // (1000 if written == "unix_s" else 1_000_000)
    return _EPOCH + timedelta(microseconds=microseconds)


def _from_iso(text: str, what: str) -> datetime:
    match = _ISO.match(text)
    if match is None:
        raise FormatError(what, f"expected a time such as 2026-03-14T22:31:05-07:00, got {text[:60]!a}")
    year, month, day, hour, minute = (int(group) for group in match.groups()[:5])
    second, part, zone = match.group(6) or "0", match.group(7) or "", match.group(8)
    try:
        read = datetime(year, month, day, hour, minute, int(second), int((part + "0" * 6)[:6]))  # noqa: DTZ001 - a zone follows
    except ValueError as error:
        raise FormatError(what, f"no such time: {text[:60]!a}") from error
    return read if zone is None else read.replace(tzinfo=_offset(zone, what))


def _from_directives(text: str, written: str, what: str) -> datetime:
    try:
        return datetime.strptime(text, written)  # noqa: DTZ007 - a zone follows where the format has none
    except ValueError as error:
        raise FormatError(what, f"expected a time written {written!a}, got {text[:60]!a}") from error


def _offset(zone: str, what: str) -> tzinfo:
    match = _OFFSET.match(zone)
    return timezone.utc if match is None else _fixed(match, what)


def _fixed(match: re.Match[str], what: str) -> tzinfo:
    minutes = int(match.group(2)) * 60 + int(match.group(3))
    if minutes > 14 * 60 or int(match.group(3)) > 59:
        raise FormatError(what, f"no place on earth is {match.group()!a} from UTC")
    return timezone((1 if match.group(1) == "+" else -1) * timedelta(minutes=minutes))


def _in_zone(read: datetime, zone: tzinfo, ambiguous: str, what: str, name: str) -> datetime:
    earlier, later = read.replace(tzinfo=zone, fold=0), read.replace(tzinfo=zone, fold=1)
    if earlier.utcoffset() == later.utcoffset():
        return earlier
    if earlier.astimezone(timezone.utc).astimezone(zone).replace(tzinfo=None) != read:
        raise FormatError(what, f"{read} never was in {name}: clocks were put forward over it")
    if ambiguous == "refuse":
        raise FormatError(
            what,
            f'{read} was twice in {name}: clocks were put back. Say "ambiguous": "earlier" or "later"',
        )
    return earlier if ambiguous == "earlier" else later

"""What a file's path or a list beside it says of a recording: who, when, where, why. A claim, not a finding.

Example (JSON, as a dock sends it with a file):
    {"badge":"4417","category":"Traffic stop","ended_at":null,"location":"","reference":"","serial":"BC-0042",
    "started_at":"2026-03-15T06:52:07.000Z","title":"","trigger":"light_bar"}
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from plainview.formats.errors import FormatError
from plainview.formats.fields import LINE, check_record, check_text
from plainview.formats.times import format_at, parse_at

if TYPE_CHECKING:
    from datetime import datetime

TIME_FIELDS = ("started_at", "ended_at")
# The longest of each text; what the records can hold.
TEXT_LIMITS = {
    "serial": 64,
    "badge": 64,
    "reference": 128,
    "trigger": 64,
    "category": 255,
    "title": 500,
    "location": 500,
}


@dataclass(frozen=True)
class Particulars:
    """What is said of a recording; empty where nothing is.

    Attributes:
        serial: of the camera.
        badge: of whoever wore it.
        reference: what the system it came from calls it.
        started_at: first frame, aware UTC. ended_at: the last.
        trigger: why it was started, in the words of whoever says so.
        category: what it was filed under. title: how it was called. location: where it was, in words.
    """

    serial: str = ""
    badge: str = ""
    reference: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    trigger: str = ""
    category: str = ""
    title: str = ""
    location: str = ""


FIELDS = tuple(each.name for each in fields(Particulars))
NOTHING_SAID = Particulars()


def particulars_record(particulars: Particulars) -> dict[str, Any]:
    """Return particulars as a record of JSON."""
    record: dict[str, Any] = {name: getattr(particulars, name) for name in FIELDS}
    for name in TIME_FIELDS:
        record[name] = None if record[name] is None else format_at(record[name])
    return record


def parse_particulars(value: Any) -> Particulars:
    """Read particulars from a record of JSON.

    Raises:
        FormatError: a field missing, unknown, too long, or no time.
    """
    what = "particulars"
    record = dict(check_record(value, what=what, keys=frozenset(FIELDS)))
    for name in TIME_FIELDS:
        record[name] = None if record[name] is None else parse_at(record[name], what=what)
    for name in TEXT_LIMITS:
        check_words(record[name], what=what, field=name)
    return Particulars(**record)


def check_words(value: Any, *, what: str, field: str) -> str:
    """Return value if it is one line of text that this field can hold.

    Raises:
        FormatError: it is not.
    """
    text = check_text(value, what=what, field=field)
    if LINE.match(text) is None:
        raise FormatError(what, f"{field}: expected one line of at most 500 characters, got {text[:80]!a}")
    if len(text) > TEXT_LIMITS[field]:
        raise FormatError(what, f"{field}: expected at most {TEXT_LIMITS[field]} characters, got {len(text)}")
    return text


def fill_in(first: Particulars, then: Particulars) -> Particulars:
    """Return what the first says and, where it is silent, what the other does."""
    missing = {name: getattr(then, name) for name in FIELDS if not getattr(first, name)}
    return replace(first, **missing)


def contradictions(one: Particulars, other: Particulars) -> tuple[str, ...]:
    """Return the names of the fields of which the two say different things."""
    return tuple(
        name
        for name in FIELDS
        if getattr(one, name) and getattr(other, name) and getattr(one, name) != getattr(other, name)
    )

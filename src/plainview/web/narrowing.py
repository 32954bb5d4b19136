"""What a list of recordings is narrowed to, read from an address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from plainview.evidence.listing import STATES, Filters
from plainview.web.words import zone_named

if TYPE_CHECKING:
    from collections.abc import Mapping

STATE_WORDS = {
    "ready": "Ready",
    "processing": "Processing",
    "attention": "Needs attention",
    "restricted": "Recorded, restricted",
}
FIELDS = ("from", "to", "unit", "wearer", "device", "state")
LONGEST = 100
DAY = timedelta(days=1)
# What can be turned into a moment in any zone, with a day to spare.
YEARS = range(1900, 9999)


@dataclass(frozen=True)
class Narrowing:
    """Filters as they were asked for.

    Attributes:
        filters: what a query takes.
        asked: field -> as it stands in the form, only what is set and understood.
        refused: what could not be understood, in sentences.
        only_day: the one day that is asked for and nothing else; None otherwise.
    """

    filters: Filters
    asked: Mapping[str, str]
    refused: tuple[str, ...]
    only_day: date | None


def read_narrowing(given: Mapping[str, str], *, zone: str) -> Narrowing:
    """Return the filters that an address asks for; what is not understood is left out, and said.

    Args:
        given: the address's fields.
        zone: IANA zone whose days "from" and "to" are.
    """
    asked = {name: given.get(name, "").strip()[:LONGEST] for name in FIELDS}
    refused = [
        f"{asked[name]!r} is not a date such as 2026-03-14; it was left out."
        for name in ("from", "to")
        if asked[name] and _date(asked[name]) is None
    ]
    if asked["state"] and asked["state"] not in STATES:
        refused.append(f"{asked['state']!r} is not a state; it was left out.")
        asked["state"] = ""
    begin, end = _date(asked["from"]), _date(asked["to"])
    if begin and end and end < begin:
        refused.append("The last day lies before the first, so nothing can fit.")
    filters = Filters(
        from_at=None if begin is None else _midnight(begin, zone),
        to_at=None if end is None else _midnight(end + DAY, zone),
        unit=_storable(asked["unit"]),
        wearer=_storable(asked["wearer"]),
        device=_storable(asked["device"]),
        state=asked["state"],
    )
    kept = {"from": begin and begin.isoformat(), "to": end and end.isoformat()}
    shown = {name: kept[name] or "" if name in kept else asked[name] for name in FIELDS}
    set_ = {name: value for name, value in shown.items() if value}
    is_one_day = begin is not None and begin == end and set(set_) == {"from", "to"}
    return Narrowing(filters, set_, tuple(refused), begin if is_one_day else None)


def _date(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if found.year in YEARS else None


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone_named(zone))


def _storable(text: str) -> str:
    """Return a text as the database can be asked for it."""
    return text.replace("\0", "")

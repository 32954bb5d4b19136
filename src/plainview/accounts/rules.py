"""Pure rules about roles, and about facts that hold for a span of time and are later corrected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview.accounts.errors import SpanError, UnknownRoleError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

# Each role with what its holder comes for (product.md, "The people").
ROLES = {
    "officer": "records; sees their own recordings",
    "supervisor": "sees a unit's recordings and its gaps",
    "investigator": "gathers everything that shows one incident",
    "custodian": "keeps what is received and corrects who wore the camera",
    "records": "prepares copies for requests",
    "approver": "signs a release",
    "prosecutor": "sees granted cases",
    "defence": "sees one delivery",
    "oversight": "draws samples and reads figures",
    "administrator": "installs, backs up and restores; sees no footage by that role",
}


@dataclass(frozen=True)
class OfficerKey:
    """An officer as other apps refer to them: the row's key, and the name the custody log knows."""

    pk: int
    pseudonym: str


@dataclass(frozen=True)
class Span:
    """Something that holds from one moment until another.

    Attributes:
        value: what holds: a row id, or None for "nobody" or "none".
        valid_from: aware; included.
        valid_to: aware; not included; None is "until further notice".
        row: the row that says so; None for a span not written yet.
    """

    value: int | None
    valid_from: datetime
    valid_to: datetime | None
    row: int | None = None


@dataclass(frozen=True)
class Correction:
    """What to write so that a new span holds: rows that are superseded, and spans to insert."""

    supersede: tuple[int, ...]
    insert: tuple[Span, ...]


def check_role(role: str) -> None:
    """Raise unless this role exists.

    Raises:
        UnknownRoleError: it does not.
    """
    if role not in ROLES:
        raise UnknownRoleError(role, tuple(ROLES))


def correct_spans(current: Iterable[Span], new: Span) -> Correction:
    """Decide how a new span replaces what was believed for its time.

    Nothing is overwritten: a row that says otherwise is superseded as a whole, and what it said outside the new
    span's time is written again. A row that already says the same thing over the whole time changes nothing.

    Args:
        current: the spans believed now for one subject; they do not overlap.
        new: what holds from now on.

    Returns:
        Rows to mark superseded and spans to insert; applied together, the believed spans again do not overlap.

    Raises:
        SpanError: new ends before it begins.
    """
    if new.valid_to is not None and new.valid_to <= new.valid_from:
        raise SpanError(f"The span from {new.valid_from.isoformat()} ends at {new.valid_to.isoformat()}")
    touched = [span for span in current if _overlap(span, new)]
    if any(span.value == new.value and _covers(span, new) for span in touched):
        return Correction((), ())
    insert = [new]
    for span in touched:
        insert += _remains(span, new)
    superseded = tuple(span.row for span in touched if span.row is not None)
    return Correction(superseded, tuple(sorted(insert, key=lambda span: span.valid_from)))


def value_at(spans: Iterable[Span], at: datetime) -> Span | None:
    """Return the span that holds at this moment, or None where nothing is known."""
    return next((s for s in spans if s.valid_from <= at and (s.valid_to is None or at < s.valid_to)), None)


def _overlap(one: Span, other: Span) -> bool:
    starts_before_end = other.valid_to is None or one.valid_from < other.valid_to
    ends_after_start = one.valid_to is None or other.valid_from < one.valid_to
    return starts_before_end and ends_after_start


def _covers(outer: Span, inner: Span) -> bool:
    ends_later = outer.valid_to is None or (inner.valid_to is not None and inner.valid_to <= outer.valid_to)
    return outer.valid_from <= inner.valid_from and ends_later


def _remains(old: Span, new: Span) -> list[Span]:
    remains = []
    if old.valid_from < new.valid_from:
        remains.append(Span(old.value, old.valid_from, new.valid_from))
    if new.valid_to is not None and (old.valid_to is None or new.valid_to < old.valid_to):
        remains.append(Span(old.value, new.valid_to, old.valid_to))
    return remains

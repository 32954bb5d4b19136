"""Pure rules about roles, and about facts that hold for a span of time and are later corrected."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from plainview.accounts.errors import SpanError, UnknownRoleError, UsernameError

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


# One spelling for each name: two that differ in capitals would be two people to the database and one to a reader.
USERNAME = r"^[a-z0-9][a-z0-9._-]{0,63}$"

# How long failed attempts to sign in count, and so how long a lock lasts.
COOL_OFF = timedelta(minutes=15)

# What can be asked for, and the roles whose holders may; a role held for a unit reaches that unit's recordings only.
# An officer reaches their own recordings by having worn the camera, whatever the tables say of roles.
PLACES = {
    "tasks.read": frozenset(ROLES),
    "recordings.list": frozenset(
        {"officer", "supervisor", "investigator", "custodian", "records", "approver", "oversight"}
    ),
    "uploads.make": frozenset({"officer", "supervisor", "investigator", "custodian", "records"}),
    "quarantine.read": frozenset({"custodian"}),
    "cameras.read": frozenset({"supervisor", "custodian", "administrator"}),
    "cameras.mend": frozenset({"custodian", "administrator"}),
    "imports.make": frozenset({"investigator", "custodian", "records"}),
}
DEEDS = {
    "recording.know": frozenset(
        {"supervisor", "investigator", "custodian", "records", "approver", "oversight"}
    ),
    "recording.see": frozenset(
        {"supervisor", "investigator", "custodian", "records", "approver", "oversight"}
    ),
    "recording.export": frozenset({"investigator", "custodian", "records"}),
    "recording.mend": frozenset({"custodian"}),
    "recording.restrict": frozenset({"custodian"}),
}
# What a wearer may do with their own recording.
OWN_DEEDS = frozenset({"recording.know", "recording.see"})
# What a restriction leaves to everyone who may know, and to whom it leaves the rest.
OPEN_DEEDS = frozenset({"recording.know"})
RESTRICTED_ROLES = frozenset({"custodian"})


@dataclass(frozen=True)
class Viewer:
    """Who asks.

    Attributes:
        is_operator: somebody at the command line of the machine that holds the data; they may see everything
            there is, and everything they do is an act.
        user: the key of the row of who is signed in; None for the operator, and for nobody.
        pseudonym: the name the custody log knows them by; empty for nobody.
        officer: the key of their place on the roster, if they have one.
        roles: held everywhere.
        unit_roles: (role, key of the unit) held for one unit.
    """

    is_operator: bool = False
    user: int | None = None
    pseudonym: str = ""
    officer: int | None = None
    roles: frozenset[str] = frozenset()
    unit_roles: frozenset[tuple[str, int]] = frozenset()

    @property
    def all_roles(self) -> frozenset[str]:
        """Return every role held, wherever."""
        return self.roles | {role for role, _ in self.unit_roles}


NOBODY = Viewer()


@dataclass(frozen=True)
class Footage:
    """What of a recording decides who may know of it and who may see it.

    Attributes:
        wearer: key of the officer believed to have worn the camera; None is unknown.
        unit: key of the wearer's unit at the time; None is unknown.
        is_restricted: its existence is shown and its content is not.
    """

    wearer: int | None
    unit: int | None
    is_restricted: bool


def decide_place(viewer: Viewer, action: str) -> bool:
    """Say whether a viewer may go where no one recording is concerned.

    Raises:
        KeyError: there is no such action; nothing is allowed by a misspelling.
    """
    return viewer.is_operator or bool(PLACES[action] & viewer.all_roles)


def decide(viewer: Viewer, action: str, footage: Footage) -> bool:
    """Say whether a viewer may do something with a recording.

    Knowing that it exists and seeing it are two actions: a restricted recording is known to whoever would see it
    otherwise, so that it is never taken for a gap.

    Raises:
        KeyError: there is no such action; nothing is allowed by a misspelling.
    """
    allowed = DEEDS[action]
    if viewer.is_operator:
        return True
    if footage.is_restricted and action not in OPEN_DEEDS:
        return bool(allowed & RESTRICTED_ROLES & roles_over(viewer, footage.unit))
    if allowed & roles_over(viewer, footage.unit):
        return True
    is_own = footage.wearer is not None and footage.wearer == viewer.officer
    return is_own and action in OWN_DEEDS and "officer" in viewer.all_roles


def roles_over(viewer: Viewer, unit: int | None) -> frozenset[str]:
    """Return the roles a viewer holds over a unit's recordings: those held everywhere, and those held for it."""
    return viewer.roles | {role for role, of in viewer.unit_roles if of == unit}


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


@dataclass(frozen=True)
class KnownUser:
    """Somebody who logs in, as other packages see them.

    Attributes:
        key: of the row.
        username: what they type.
        name: in full.
        roles: held now: (role, code of the unit it is held for, or empty).
        badge: of their place on the roster, or empty.
        has_password: whether they can sign in by one.
    """

    key: int
    username: str
    name: str
    roles: tuple[tuple[str, str], ...]
    badge: str
    has_password: bool


@dataclass(frozen=True)
class Failures:
    """Failed attempts to sign in within COOL_OFF, or how many there may be.

    Attributes:
        pair: for this name from this address, or from this browser where that name has signed in with it before.
        address: for any name from this address.
        name: for this name from any address.
    """

    pair: int
    address: int
    name: int


# A name alone would let anyone lock out everyone, an address alone a station that shares one: so a browser that somebody
# has signed in with before is counted by itself, and what others do elsewhere does not lock it.
LIMITS = Failures(pair=5, address=30, name=50)


def lock_of(failures: Failures) -> str | None:
    """Return what is locked after these failures: pair, name, address; or None."""
    if failures.pair >= LIMITS.pair:
        return "pair"
    if failures.name >= LIMITS.name:
        return "name"
    return "address" if failures.address >= LIMITS.address else None


@dataclass(frozen=True)
class SessionLimits:
    """How long somebody stays signed in.

    Attributes:
        whole: from signing in, whatever they do.
        idle: without asking for anything.
    """

    whole: timedelta
    idle: timedelta


def is_session_over(*, began_at: datetime, seen_at: datetime, now: datetime, limits: SessionLimits) -> bool:
    """Say whether somebody has to sign in again."""
    return now - began_at >= limits.whole or now - seen_at >= limits.idle


def check_username(username: str) -> None:
    """Raise unless this can be a user name.

    Raises:
        UsernameError: it cannot.
    """
    if re.fullmatch(USERNAME, username) is None:
        raise UsernameError(username)


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

"""Enter the invented department: units, officers, cameras, who wore which, and ten people who sign in."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from django.db import transaction

from plainview.accounts.actions import add_officer, add_unit, add_user, assign_unit, grant_role
from plainview.accounts.queries import officer_key
from plainview.demo.roster import CREWS, DEVICES, OFFICERS, UNITS
from plainview.evidence.actions import add_device, assign_device

if TYPE_CHECKING:
    from plainview.accounts.rules import OfficerKey
    from plainview.custody.record import Actor
    from plainview.demo import roster

# A row that accounts made, handed back to it as it came.
Row: TypeAlias = Any
MAKE: Final = "Sample"
# Long before the night of the story, so that every issue and assignment of the roster was known by then.
ENTERED_AT: Final = dt.datetime(2026, 1, 5, 16, 0, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Seat:
    """Somebody who signs in to look around.

    Attributes:
        role: which is also their user name.
        name: in full.
        unit: key of the unit whose recordings they reach, or empty for all.
        badge: of the officer they are, or empty.
    """

    role: str
    name: str
    unit: str = ""
    badge: str = ""


SEATS: Final = (
    Seat("officer", "Ada Okafor", badge="5120"),
    Seat("supervisor", "Joan Whitcomb", unit="p12", badge="2914"),
    Seat("investigator", "Rosa Lindgren"),
    Seat("custodian", "Tariq Haddad"),
    Seat("records", "Ines Fontaine"),
    Seat("approver", "Martin Iwu", badge="1502"),
    Seat("prosecutor", "Helen Strand"),
    Seat("defence", "Jonas Abara"),
    Seat("oversight", "Miriam Castellanos"),
    Seat("administrator", "Lou Petrie"),
)


@dataclass(frozen=True)
class _Desk:
    """Who enters everything, and when."""

    actor: Actor
    now: dt.datetime


@transaction.atomic
def enter_department(*, actor: Actor, now: dt.datetime) -> None:
    """Enter everybody and everything; on a data directory that knows nobody yet.

    Raises:
        NameTakenError, DeviceTakenError: somebody or something of it is there already.
    """
    desk = _Desk(actor, now)
    units = {
        each.key: add_unit(code=each.key.upper(), name=each.name, actor=actor, now=now) for each in UNITS
    }
    users = {seat.role: _seat(desk, seat, units) for seat in SEATS}
    by_badge = {seat.badge: users[seat.role] for seat in SEATS if seat.badge}
    officers = {each.badge: _officer(desk, each, units, by_badge.get(each.badge)) for each in OFFICERS}
    for device in DEVICES:
        _device(desk, device, officers)


def _seat(desk: _Desk, seat: Seat, units: dict[str, Row]) -> Row:
    # Without a password nobody can sign in by typing one: these seats are entered from the demo's own page.
    user = add_user(username=seat.role, name=seat.name, password=None, actor=desk.actor, now=desk.now)
    unit = units[seat.unit] if seat.unit else None
    grant_role(user=user, role=seat.role, unit=unit, actor=desk.actor, now=desk.now)
    return user


def _officer(desk: _Desk, each: roster.Officer, units: dict[str, Row], user: Row | None) -> OfficerKey:
    kind = "reserve" if each.rank.startswith("reserve") else "sworn"
    officer = add_officer(
        badge=each.badge, name=each.name, kind=kind, user=user, actor=desk.actor, now=desk.now
    )
    assign_unit(
        officer=officer,
        unit=units[each.unit],
        valid_from=ENTERED_AT,
        valid_to=None,
        actor=desk.actor,
        now=desk.now,
    )
    return officer_key(officer)


def _device(desk: _Desk, each: roster.Device, officers: dict[str, OfficerKey]) -> None:
    device = add_device(
        make=MAKE, model="camera", serial=each.serial, kind=each.kind, actor=desk.actor, now=desk.now
    )
    # A car's camera counts as worn by whoever drives: the crew's second name.
    badge = each.issued_to if each.issued_to in officers else CREWS.get(each.issued_to, ("", ""))[1]
    if badge:
        assign_device(
            device=device,
            officer=officers[badge],
            valid_from=ENTERED_AT,
            valid_to=None,
            actor=desk.actor,
            now=desk.now,
        )

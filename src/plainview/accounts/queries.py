"""Read people, units and roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plainview.accounts.models import Officer, RoleGrant, Unit, UnitAssignment, User
from plainview.accounts.rules import OfficerKey, Span, Viewer
from plainview.accounts.spans import believed_at, valid_at

if TYPE_CHECKING:
    from datetime import datetime


def roles_at(user: User, *, at: datetime, known_at: datetime | None = None) -> set[str]:
    """Return the roles a user held at a moment, as believed then or, given known_at, at that later moment."""
    grants = RoleGrant.objects.filter(valid_at(at), believed_at(known_at), user=user)
    return set(grants.values_list("role", flat=True))


def unit_at(officer: Officer, *, at: datetime, known_at: datetime | None = None) -> Unit | None:
    """Return an officer's unit at a moment; None is "none known"."""
    rows = UnitAssignment.objects.filter(valid_at(at), believed_at(known_at), officer=officer)
    assignment = rows.select_related("unit").first()
    return None if assignment is None else assignment.unit


def unit_spans(officer: Officer) -> list[Span]:
    """Return what is believed now about an officer's units."""
    rows = UnitAssignment.objects.filter(officer=officer, superseded_at__isnull=True)
    return [Span(row.unit_id, row.valid_from, row.valid_to, row.pk) for row in rows]


def officer_key(officer: Officer) -> OfficerKey:
    """Return what other apps refer to an officer by."""
    return OfficerKey(pk=officer.pk, pseudonym=officer.pseudonym)


def viewer_of(user: User, *, at: datetime) -> Viewer:
    """Return what decides what somebody may do at a moment: the roles and the place on the roster they have then."""
    grants = RoleGrant.objects.filter(valid_at(at), believed_at(None), user=user).values_list(
        "role", "unit_id"
    )
    officer = Officer.objects.filter(user=user).values_list("pk", flat=True).first()
    return Viewer(
        user=user.pk,
        pseudonym=f"user:{user.pseudonym}",
        officer=officer,
        roles=frozenset(role for role, unit in grants if unit is None),
        unit_roles=frozenset((role, unit) for role, unit in grants if unit is not None),
    )

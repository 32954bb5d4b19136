"""Read people, units and roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plainview.accounts.errors import NoSuchNameError, NotHeldError
from plainview.accounts.models import Officer, RoleGrant, Unit, UnitAssignment, User
from plainview.accounts.rules import KnownUser, OfficerKey, Span, Viewer
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


def user_named(username: str) -> User:
    """Return somebody who logs in.

    Raises:
        NoSuchNameError: nobody has this user name.
    """
    user = User.objects.filter(username=username).first()
    if user is None:
        raise NoSuchNameError("user", username)
    return user


def unit_with_code(code: str) -> Unit:
    """Return a unit.

    Raises:
        NoSuchNameError: there is none with this code.
    """
    unit = Unit.objects.filter(code=code).first()
    if unit is None:
        raise NoSuchNameError("unit", code)
    return unit


def officer_with_badge(badge: str) -> Officer | None:
    """Return whoever on the roster has this badge number, or None."""
    return Officer.objects.filter(badge=badge).first()


def held_grant(user: User, *, role: str, unit: Unit | None) -> RoleGrant:
    """Return the row by which somebody holds a role now.

    Raises:
        NotHeldError: they do not hold it, or not over this unit.
    """
    rows = RoleGrant.objects.filter(user=user, role=role, unit=unit)
    grant = rows.filter(superseded_at__isnull=True, valid_to__isnull=True).first()
    if grant is None:
        raise NotHeldError(user.username, role, None if unit is None else unit.code)
    return grant


def known_users(*, at: datetime) -> list[KnownUser]:
    """Return everybody who logs in, first added first, with the roles they hold at a moment."""
    held: dict[int, list[tuple[str, str]]] = {}
    grants = RoleGrant.objects.filter(valid_at(at), believed_at(None)).select_related("unit")
    for grant in grants.order_by("role", "unit__code"):
        held.setdefault(grant.user_id, []).append((grant.role, "" if grant.unit is None else grant.unit.code))
    return [
        KnownUser(
            key=user.pk,
            username=user.username,
            name=user.name,
            roles=tuple(held.get(user.pk, [])),
            badge=user.officer.badge if hasattr(user, "officer") else "",
            has_password=user.has_usable_password(),
        )
        for user in User.objects.select_related("officer").order_by("pk")
    ]


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

"""Change people, units and roles; each change is one transaction with its act in it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from plainview.accounts import rules
from plainview.accounts.errors import NameTakenError
from plainview.accounts.models import Officer, RoleGrant, Unit, UnitAssignment, User
from plainview.accounts.queries import unit_spans
from plainview.accounts.spans import broken_constraint
from plainview.custody.record import Actor, record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

PSEUDONYM_BYTES = 8


def new_pseudonym() -> str:
    """Return 16 random hexadecimal digits, the name the custody log knows somebody or something by."""
    return os.urandom(PSEUDONYM_BYTES).hex()


@contextmanager
def _once(what: str, name: str, constraint: str) -> Iterator[None]:
    """Say of a name that it is taken; of two at once, to the second."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if broken_constraint(error) != constraint:
            raise
        raise NameTakenError(what, name) from error


@transaction.atomic
def add_user(*, username: str, name: str, password: str | None, actor: Actor, now: datetime) -> User:
    """Add somebody who logs in; without a password they cannot until one is set.

    Raises:
        UsernameError: this can be no user name.
        NameTakenError: the user name exists.
    """
    rules.check_username(username)
    with _once("user", username, "accounts_user_username_key"):
        user = User.objects.create(
            username=username,
            name=name,
            password=make_password(password),
            pseudonym=new_pseudonym(),
            added_at=now,
        )
    record(
        "user.added",
        object=f"user:{user.pseudonym}",
        actor=actor,
        now=now,
        detail={"username": username, "name": name},
    )
    return user


@transaction.atomic
def grant_role(*, user: User, role: str, unit: Unit | None, actor: Actor, now: datetime) -> RoleGrant:
    """Give a role until it is ended; granting one that is held already changes nothing.

    Raises:
        UnknownRoleError: there is no such role.
    """
    rules.check_role(role)
    # Of two who grant the same at once, the second finds it held.
    User.objects.select_for_update().get(pk=user.pk)
    held = RoleGrant.objects.filter(
        user=user, role=role, unit=unit, superseded_at__isnull=True, valid_to__isnull=True
    ).first()
    if held is not None:
        return held
    grant = RoleGrant.objects.create(user=user, role=role, unit=unit, valid_from=now, recorded_at=now)
    record("role.granted", object=f"user:{user.pseudonym}", actor=actor, now=now, facts={"role": role})
    return grant


@transaction.atomic
def end_role(*, grant: RoleGrant, actor: Actor, now: datetime) -> None:
    """End a role now; one that has ended already stays as it is."""
    current = RoleGrant.objects.select_for_update().get(pk=grant.pk)
    if current.superseded_at is not None or current.valid_to is not None:
        return
    current.superseded_at = now
    current.save(update_fields=["superseded_at"])
    if current.valid_from < now:
        RoleGrant.objects.create(
            user_id=current.user_id,
            role=current.role,
            unit_id=current.unit_id,
            valid_from=current.valid_from,
            valid_to=now,
            recorded_at=now,
        )
    record(
        "role.ended",
        object=f"user:{current.user.pseudonym}",
        actor=actor,
        now=now,
        facts={"role": current.role},
    )


@transaction.atomic
def set_password(*, user: User, password: str, actor: Actor, now: datetime) -> None:
    """Set a password; whoever is signed in with the old one has to sign in again."""
    user.password = make_password(password)
    user.save(update_fields=["password"])
    note_password(user=user, actor=actor, now=now)


@transaction.atomic
def note_password(*, user: User, actor: Actor, now: datetime) -> None:
    """Note that a password was set; nothing else changes."""
    record("user.password_set", object=f"user:{user.pseudonym}", actor=actor, now=now)


@transaction.atomic
def set_open(*, user: User, is_open: bool, actor: Actor, now: datetime) -> None:
    """Let somebody sign in, or no longer; closed, they are signed out at once wherever they are. Their rows stay."""
    current = User.objects.select_for_update().get(pk=user.pk)
    if current.is_active == is_open:
        return
    current.is_active = is_open
    current.save(update_fields=["is_active"])
    act = "user.reopened" if is_open else "user.closed"
    record(act, object=f"user:{user.pseudonym}", actor=actor, now=now)


@transaction.atomic
def note_signed_in(*, user: User, actor: Actor, now: datetime) -> None:
    """Note that somebody signed in; how and from where is the actor's session."""
    record("user.signed_in", object=f"user:{user.pseudonym}", actor=actor, now=now)


@transaction.atomic
def note_factor(*, user: User, factor: str, is_added: bool, actor: Actor, now: datetime) -> None:
    """Note that somebody added or removed a second factor; nothing else changes."""
    act = "user.factor_added" if is_added else "user.factor_removed"
    record(act, object=f"user:{user.pseudonym}", actor=actor, now=now, facts={"factor": factor})


@transaction.atomic
def remove_factors(*, user: User, actor: Actor, now: datetime) -> int:
    """Take every second factor from somebody who lost theirs; their password alone signs in again.

    Returns:
        How many there were.
    """
    factors = list(Authenticator.objects.select_for_update().filter(user=user).order_by("pk"))
    for factor in factors:
        note_factor(user=user, factor=str(factor.type), is_added=False, actor=actor, now=now)
        factor.delete()
    return len(factors)


@transaction.atomic
def note_locked_out(*, username: str, actor: Actor, now: datetime) -> bool:
    """Note that somebody was locked out: once a lock, so that nobody can make the log grow by trying.

    A name that nobody has is nobody's lock, and is not noted.

    Returns:
        Whether an act was written.
    """
    user = User.objects.select_for_update().filter(username=username).first()
    if user is None or (user.lock_noted_at is not None and now - user.lock_noted_at < rules.COOL_OFF):
        return False
    user.lock_noted_at = now
    user.save(update_fields=["lock_noted_at"])
    record("user.locked_out", object=f"user:{user.pseudonym}", actor=actor, now=now, outcome="denied")
    return True


@transaction.atomic
def add_unit(*, code: str, name: str, actor: Actor, now: datetime) -> Unit:
    """Add a unit.

    Raises:
        NameTakenError: the code exists.
    """
    with _once("unit", code, "accounts_unit_code_key"):
        unit = Unit.objects.create(code=code, name=name, added_at=now)
    record("unit.added", object=f"unit:{unit.pk}", actor=actor, now=now, detail={"code": code, "name": name})
    return unit


@transaction.atomic
def add_officer(
    *, badge: str, name: str, kind: str = "sworn", user: User | None = None, actor: Actor, now: datetime
) -> Officer:
    """Add somebody to the roster; with a user, that is who they log in as.

    Raises:
        NameTakenError: the badge number exists.
    """
    with _once("badge", badge, "accounts_officer_badge_key"):
        officer = Officer.objects.create(
            badge=badge, name=name, kind=kind, user=user, pseudonym=new_pseudonym(), added_at=now
        )
    record(
        "officer.added",
        object=f"officer:{officer.pseudonym}",
        actor=actor,
        now=now,
        detail={"badge": badge, "name": name, "kind": kind},
    )
    return officer


@transaction.atomic
def set_officer_user(*, officer: Officer, user: User, actor: Actor, now: datetime) -> None:
    """Say which person who logs in an officer is: what the officer wore is theirs to see.

    Raises:
        NameTakenError: the person is another officer already.
    """
    if officer.user_id == user.pk:
        return
    with _once("officer who logs in as", user.username, "accounts_officer_user_id_key"):
        officer.user = user
        officer.save(update_fields=["user"])
    record(
        "officer.user_set",
        object=f"officer:{officer.pseudonym}",
        actor=actor,
        now=now,
        facts={"user": user.pseudonym},
    )


@transaction.atomic
def assign_unit(
    *,
    officer: Officer,
    unit: Unit | None,
    valid_from: datetime,
    valid_to: datetime | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Set an officer's unit for a span of time; what was believed for that time is superseded, not overwritten.

    Raises:
        SpanError: the span ends before it begins.
    """
    Officer.objects.select_for_update().get(pk=officer.pk)
    new = rules.Span(None if unit is None else unit.pk, valid_from, valid_to)
    correction = rules.correct_spans(unit_spans(officer), new)
    UnitAssignment.objects.filter(pk__in=correction.supersede).update(superseded_at=now)
    for span in correction.insert:
        UnitAssignment.objects.create(
            officer=officer,
            unit_id=span.value,
            valid_from=span.valid_from,
            valid_to=span.valid_to,
            recorded_at=now,
        )
    if correction.insert:
        record(
            "unit.assigned",
            object=f"officer:{officer.pseudonym}",
            actor=actor,
            now=now,
            facts={"unit": 0 if unit is None else unit.pk},
            detail={"from": valid_from.isoformat(), "to": None if valid_to is None else valid_to.isoformat()},
        )

"""plainview users: people who log in, their roles, their passwords."""

from __future__ import annotations

import getpass
import secrets
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from plainview.accounts import actions, queries
from plainview.cli.start import opened, utc_now
from plainview.cli.talk import answer, answer_json, say
from plainview.pipeline.installation import publish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plainview.accounts.rules import KnownUser

# No letter or digit that is read as another: 99 bits in four groups of five.
READABLE = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP_LENGTH = 4, 5


class PasswordError(Exception):
    """A password that was typed cannot be taken."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem} Nothing was changed. Run the command again.")


@dataclass(frozen=True)
class NewPerson:
    """Somebody to add.

    Attributes:
        username: what they type.
        name: in full.
        roles: to hold from now on.
        unit: code of the unit that the roles are for; None is everywhere.
        badge: of the officer they are; None where they are none.
    """

    username: str
    name: str
    roles: tuple[str, ...]
    unit: str | None
    badge: str | None


def add(data: Path, person: NewPerson, *, is_prompted: bool, as_json: bool) -> None:
    """Add somebody with their roles and their place on the roster: all of it or nothing."""
    password = _asked(person.username) if is_prompted else made_password()
    with _changing(data, "plainview users add") as by:
        user = actions.add_user(username=person.username, name=person.name, password=password, **by)
        unit = None if person.unit is None else queries.unit_with_code(person.unit)
        for role in person.roles:
            actions.grant_role(user=user, role=role, unit=unit, **by)
        if person.badge is not None:
            officer = queries.officer_with_badge(person.badge)
            if officer is None:
                actions.add_officer(badge=person.badge, name=person.name, user=user, **by)
            else:
                actions.set_officer_user(officer=officer, user=user, **by)
    _say_password(person.username, None if is_prompted else password, as_json=as_json)


def show(data: Path, *, as_json: bool) -> None:
    """List everybody who logs in."""
    with opened(data, command="plainview users list", say=say):
        for user in queries.known_users(at=utc_now()):
            if as_json:
                answer_json(_record(user))
            else:
                roles = ", ".join(role if not unit else f"{role} for {unit}" for role, unit in user.roles)
                badge = f"  badge {user.badge}" if user.badge else ""
                without = "" if user.has_password else "  no password"
                answer(f"{user.username}  {user.name}  {roles or 'no role'}{badge}{without}")


def set_role(data: Path, username: str, *, role: str, unit: str | None, is_ended: bool) -> None:
    """Give a role from now on, or end it."""
    with _changing(data, "plainview users role") as by:
        user = queries.user_named(username)
        where = None if unit is None else queries.unit_with_code(unit)
        if is_ended:
            actions.end_role(grant=queries.held_grant(user, role=role, unit=where), **by)
        else:
            actions.grant_role(user=user, role=role, unit=where, **by)
    over = "" if unit is None else f" for {unit}"
    answer(f"{username} {'no longer holds' if is_ended else 'holds'} {role}{over}")


def set_password(
    data: Path, username: str, *, is_prompted: bool, without_factors: bool, as_json: bool
) -> None:
    """Set a password anew, and take lost second factors away."""
    password = _asked(username) if is_prompted else made_password()
    with _changing(data, "plainview users password") as by:
        user = queries.user_named(username)
        actions.set_password(user=user, password=password, **by)
        if without_factors:
            actions.remove_factors(user=user, **by)
    _say_password(username, None if is_prompted else password, as_json=as_json)


def set_open(data: Path, username: str, *, is_open: bool) -> None:
    """Let somebody sign in, or no longer."""
    with _changing(data, "plainview users close") as by:
        actions.set_open(user=queries.user_named(username), is_open=is_open, **by)
    answer(f"{username} can sign in" if is_open else f"{username} can no longer sign in")


def add_unit(data: Path, code: str, *, name: str) -> None:
    """Add a unit."""
    with _changing(data, "plainview users unit") as by:
        actions.add_unit(code=code, name=name, **by)
    answer(f"{code}  {name}")


def made_password() -> str:
    """Return a password that nobody guesses and anybody can type."""
    return "-".join("".join(secrets.choice(READABLE) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))


@contextmanager
def _changing(data: Path, command: str) -> Iterator[dict[str, Any]]:
    """Open the data directory and hold one transaction; yield who acts and when."""
    with opened(data, command=command, say=say) as here:
        with transaction.atomic():
            yield {"actor": here.actor, "now": utc_now()}
        publish(here.installation)


def _asked(username: str) -> str:
    if not sys.stdin.isatty():
        raise PasswordError("--prompt asks at a terminal, and there is none.")
    password = getpass.getpass(f"Password for {username}: ")
    if getpass.getpass("The same again: ") != password:
        raise PasswordError("The two passwords differ.")
    try:
        validate_password(password)
    except ValidationError as error:
        raise PasswordError(" ".join(error.messages)) from None
    return password


def _say_password(username: str, password: str | None, *, as_json: bool) -> None:
    if as_json:
        answer_json({"username": username} | ({} if password is None else {"password": password}))
    elif password is None:
        answer(f"{username} signs in with the password you typed")
    else:
        answer(f"{username} signs in with: {password}")
        say("It is shown this once. They can change it under Your account.")


def _record(user: KnownUser) -> dict[str, Any]:
    return {
        "username": user.username,
        "name": user.name,
        "roles": [{"role": role, "unit": unit or None} for role, unit in user.roles],
        "badge": user.badge or None,
        "has_password": user.has_password,
    }

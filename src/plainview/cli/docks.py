"""plainview docks: the places where cameras are docked, each with a token of its own."""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import TYPE_CHECKING

from django.db import transaction

from plainview.cli.start import opened, utc_now
from plainview.cli.talk import answer, answer_json, say
from plainview.evidence import camera_actions as actions
from plainview.evidence import camera_queries as queries
from plainview.formats.fields import LINE
from plainview.formats.times import format_at
from plainview.pipeline.installation import publish
from plainview.pipeline.orders import department_vkey
from plainview.vault.intake_keys import intake_public

if TYPE_CHECKING:
    from pathlib import Path

TOKEN_BYTES = 32
NAME_LIMIT = 64


class DockNameError(Exception):
    """A dock cannot be called so."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"A dock's name is one line of 1 to {NAME_LIMIT} characters, got {name!a:.80}. Nothing was changed."
        )


def add(data: Path, name: str, *, as_json: bool) -> None:
    """Add a dock, and print its token once."""
    if not name.strip() or len(name) > NAME_LIMIT or LINE.match(name) is None:
        raise DockNameError(name)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with opened(data, command="plainview docks add", say=say) as here:
        with transaction.atomic():
            actions.add_dock(
                name=name,
                token_sha256=sha256(token.encode()).hexdigest(),
                actor=here.actor,
                now=utc_now(),
            )
        # From here on cameras may be told to seal to it: made while somebody is there to make a backup.
        intake_public(here.installation.keys)
        department = department_vkey(here.installation)
        publish(here.installation)
    if as_json:
        answer_json({"name": name, "token": token, "department_key": department})
    else:
        answer(f"{name} shows this token: {token}")
        say(
            f"It is shown this once. On the dock: plainview dock init --server URL --token TOKEN\n"
            f"The dock will show this key; compare it: {department}"
        )


def show(data: Path, *, as_json: bool) -> None:
    """List the docks."""
    with opened(data, command="plainview docks list", say=say):
        for dock in queries.known_docks():
            seen = None if dock.seen_at is None else format_at(dock.seen_at)
            if as_json:
                answer_json({"name": dock.name, "is_open": dock.closed_at is None, "seen_at": seen})
            else:
                state = "closed" if dock.closed_at is not None else f"last heard of {seen or 'never'}"
                answer(f"{dock.name}  {state}")


def close(data: Path, name: str) -> None:
    """Let a dock hand in nothing any more."""
    with opened(data, command="plainview docks close", say=say) as here:
        actions.close_dock(name=name, actor=here.actor, now=utc_now())
        publish(here.installation)
    answer(f"{name} is closed")

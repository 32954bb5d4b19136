"""Read people's names: of who acted, and of who may have worn a camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview.accounts.models import Officer, User
from plainview.accounts.rules import OfficerKey

if TYPE_CHECKING:
    from collections.abc import Iterable

PREFIX = "user:"


@dataclass(frozen=True)
class KnownOfficer:
    """Somebody on the roster."""

    badge: str
    name: str


def names_of(actors: Iterable[str]) -> dict[str, str]:
    """Return the names of those among these actors of the custody log who are people that sign in."""
    pseudonyms = {actor.removeprefix(PREFIX) for actor in actors if actor.startswith(PREFIX)}
    rows = User.objects.filter(pseudonym__in=pseudonyms).values_list("pseudonym", "name", "username")
    return {f"{PREFIX}{pseudonym}": name or username for pseudonym, name, username in rows}


def officers(*, limit: int) -> list[KnownOfficer]:
    """Return the first of the roster, by badge number."""
    rows = Officer.objects.order_by("badge").values_list("badge", "name")[:limit]
    return [KnownOfficer(badge, name) for badge, name in rows]


def officer_key_with_badge(badge: str) -> OfficerKey | None:
    """Return who has this badge number, or None."""
    row = Officer.objects.filter(badge=badge).first()
    return None if row is None else OfficerKey(pk=row.pk, pseudonym=row.pseudonym)

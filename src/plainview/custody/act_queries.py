"""Read what was done to one thing, for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from plainview.custody.models import Act

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

# The one act that concerns recordings and is done to something else; its words say which. See migration 0003.
PACKAGED = "package.exported"


@dataclass(frozen=True)
class ShownAct:
    """An act, whether or not it has its place in the log yet.

    Attributes:
        act_id: of its row.
        at: when; aware UTC.
        act: what was done, a key of formats.leaf.ACTS.
        object: what it was done to.
        actor: pseudonym of who did it.
        outcome: ok, denied or error.
        why: a reason code, or None.
        facts: what anyone may read.
        detail: the words behind its commitment; None where it has none or they were destroyed.
        has_detail: whether it has a commitment to some.
        epoch: of the log it is in. index: its place there. Both None while it waits for the sequencer.
    """

    act_id: int
    at: datetime
    act: str
    object: str
    actor: str
    outcome: str
    why: str | None
    facts: Mapping[str, Any]
    detail: Mapping[str, Any] | None
    has_detail: bool
    epoch: int | None
    index: int | None


def acts_on_recording(identifier: str, *, objects: Sequence[str] = ()) -> list[ShownAct]:
    """Return every act on a recording, oldest first: on it, on these objects, and the packages it went into."""
    packaged = Q(act=PACKAGED, words__detail__recordings__contains=identifier)
    rows = Act.objects.filter(Q(object__in=[identifier, *objects]) | Q(pk__in=_packages(packaged)))
    return [_shown(row) for row in rows.select_related("leaf", "words").order_by("pk")]


def newest_act(object: str, act: str) -> int | None:  # noqa: A002 - the leaf's own word
    """Return the row id of the newest act of a kind on one thing, or None."""
    rows = Act.objects.filter(object=object, act=act).order_by("-pk")
    return rows.values_list("pk", flat=True).first()


def place_of(act_id: int) -> tuple[int, int] | None:
    """Return the epoch and the index of an act in the log, or None while it waits for the sequencer."""
    row = Act.objects.filter(pk=act_id, leaf__isnull=False).select_related("leaf").first()
    return None if row is None else (row.leaf.epoch_id, row.leaf.index)


def _packages(packaged: Q) -> list[int]:
    # A query of its own: together, the database would read every act there is.
    return list(Act.objects.filter(packaged).values_list("pk", flat=True))


def _shown(row: Act) -> ShownAct:
    leaf, words = getattr(row, "leaf", None), getattr(row, "words", None)
    return ShownAct(
        act_id=row.pk,
        at=row.at,
        act=row.act,
        object=row.object,
        actor=row.actor,
        outcome=row.outcome,
        why=row.why,
        facts=row.facts,
        detail=None if words is None else words.detail,
        has_detail=row.detail is not None,
        epoch=None if leaf is None else leaf.epoch_id,
        index=None if leaf is None else leaf.index,
    )

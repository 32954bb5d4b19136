"""Read the custody log's rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plainview.custody.models import Act, Leaf

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class LoggedAct:
    """An act that has its place in the log, with the words behind its detail where they still exist.

    Attributes:
        epoch: the log it is in.
        index: its place there.
        act: what was done, a key of formats.leaf.ACTS.
        object: what it was done to.
        salt: 32 bytes, or None where there is no detail or its words were destroyed.
        detail: the words, or None.
    """

    epoch: int
    index: int
    act: str
    object: str
    salt: bytes | None
    detail: dict[str, Any] | None


def logged_acts(objects: Iterable[str]) -> list[LoggedAct]:
    """Return every act on these objects that is in the log, in log order."""
    leaves = (
        Leaf.objects.filter(act__object__in=list(objects))
        .select_related("act", "act__words")
        .order_by("epoch", "index")
    )
    return [_logged(leaf) for leaf in leaves]


def logged_act(act_id: int) -> LoggedAct:
    """Return the act with this row id, which has been published.

    Raises:
        Leaf.DoesNotExist: it has no place in the log yet.
    """
    return _logged(Leaf.objects.select_related("act", "act__words").get(act_id=act_id))


def count_unsequenced() -> int:
    """Return how many acts have no place in the log yet."""
    return Act.objects.filter(leaf__isnull=True).count()


def _logged(leaf: Leaf) -> LoggedAct:
    words = getattr(leaf.act, "words", None)
    return LoggedAct(
        epoch=leaf.epoch_id,
        index=leaf.index,
        act=leaf.act.act,
        object=leaf.act.object,
        salt=None if words is None or words.detail_salt is None else bytes(words.detail_salt),
        detail=None if words is None else words.detail,
    )

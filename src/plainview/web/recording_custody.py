"""The acts on a recording as its custody page lists them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview.formats.leaf import ACTS
from plainview.web.recording_words import told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plainview.custody.act_queries import ShownAct
    from plainview.formats.checkpoint import Checkpoint
    from plainview.pipeline.installation import Installation

# Who acts without an account.
PARTS = {
    "system:cli": "the command line",
    "system:pipeline": "Plainview, processing",
    "system:demo": "the demonstration's set-up",
    "system:dock": "a dock",
    "system:docks": "Plainview, taking in what docks handed in",
    "system:destinations": "a connected system",
    "system:cameras": "Plainview, looking after cameras",
    "system:uploads": "Plainview, taking in uploads",
}


@dataclass(frozen=True)
class Row:
    """An act as the page shows it.

    Attributes:
        act: the act.
        words: what was done, as a sentence.
        by: who did it, by name where there is one.
        told: names and values of what a person reads beside it.
        is_covered: whether the newest signed checkpoint covers it.
        is_destroyed: whether it had words that no longer exist.
    """

    act: ShownAct
    words: str
    by: str
    told: list[tuple[str, str]]
    is_covered: bool
    is_destroyed: bool


def rows(acts: Sequence[ShownAct], *, installation: Installation, names: Mapping[str, str]) -> list[Row]:
    """Return acts with their words, oldest first."""
    epochs = {act.epoch for act in acts if act.epoch is not None}
    sizes = {epoch: installation.log_of(epoch).size() for epoch in epochs}
    return [
        Row(
            act=act,
            words=ACTS[act.act],
            by=names.get(act.actor) or PARTS.get(act.actor, act.actor.removeprefix("system:")),
            told=told(act.facts, act.detail),
            is_covered=act.epoch is not None and act.index is not None and act.index < sizes[act.epoch],
            is_destroyed=act.has_detail and act.detail is None,
        )
        for act in acts
    ]


def newest_checkpoint(installation: Installation) -> Checkpoint | None:
    """Return the newest signed checkpoint of the running log."""
    published = installation.signer.log.published()
    return None if published is None else published[0]


def received(acts: Sequence[ShownAct], *, sha256: str) -> ShownAct | None:
    """Return the act of receiving this original, or None."""
    return next(
        (act for act in acts if act.act == "recording.received" and act.facts.get("sha256") == sha256), None
    )

"""Read what is done with originals, and what was made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview.evidence.models import Derivative, Original, Part, Probe, Step
from plainview.evidence.rules import STEPS

if TYPE_CHECKING:
    from plainview.evidence.rules import KnownRecording


@dataclass(frozen=True)
class StepProgress:
    """How far a step of a recording is.

    Attributes:
        part: of the recording, counted from 1.
        name: one of rules.STEPS.
        state: one of rules.STEP_STATES.
        fraction: 0 to 1.
        reason: why it is parked, or what it waits for after a failure, as a code; empty otherwise.
        reason_text: the same for people.
    """

    part: int
    name: str
    state: str
    fraction: float
    reason: str
    reason_text: str


def progress_of(recording: KnownRecording) -> list[StepProgress]:
    """Return the steps of every part of a recording, in the order in which they are done."""
    rows = Part.objects.filter(recording_id=recording.key, original__steps__isnull=False).values_list(
        "number",
        "original__steps__name",
        "original__steps__state",
        "original__steps__fraction",
        "original__steps__reason",
        "original__steps__reason_text",
    )
    found = [StepProgress(*row) for row in rows]
    return sorted(found, key=lambda step: (step.part, STEPS.index(step.name)))


def derivative_object_ids() -> set[str]:
    """Return the object ids that some derivative names."""
    return set(Derivative.objects.values_list("object_id", flat=True))


def is_any_step_doing(name: str) -> bool:
    """Say whether some worker is at a step of this name."""
    return Step.objects.filter(name=name, state="doing").exists()


def newest_objects() -> dict[int, dict[str, str]]:
    """Return, for each original of which something was made, kind and object id of the newest of each kind."""
    newest: dict[int, dict[str, str]] = {}
    rows = Derivative.objects.order_by("made_at", "pk").values_list("original_id", "kind", "object_id")
    for original, kind, object_id in rows.iterator():
        newest.setdefault(original, {})[kind] = object_id
    return newest


def duration_ms_of(original: Original) -> int:
    """Return how long an original plays, as its newest examination says; 0 where that says nothing."""
    probe = Probe.objects.filter(original=original).order_by("-made_at", "-pk").first()
    found = None if probe is None else probe.found.get("duration_ms")
    return found if isinstance(found, int) else 0

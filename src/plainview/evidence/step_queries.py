"""Read what is done with originals, and what was made of them."""

from __future__ import annotations

from plainview.evidence.models import Derivative, Original, Probe, Step


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

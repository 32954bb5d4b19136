"""Read what an import asks: what is here already, and what is believed of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview.evidence.camera_models import Attachment
from plainview.evidence.models import Part, Recording, SearchRow
from plainview.evidence.queries import known_recording, may_know, may_see, wearer_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from plainview.accounts.rules import Viewer
    from plainview.evidence.rules import CaptureTimes, KnownRecording


@dataclass(frozen=True)
class KnownFacts:
    """What is believed of a recording that is here.

    Attributes:
        identifier: of it.
        started_at: None is not known.
        serial: of its camera; empty is not known.
        badge: of whoever wore it; empty is not known.
        parts: SHA-256 of each part, in order.
    """

    identifier: str
    started_at: datetime | None
    serial: str
    badge: str
    parts: tuple[str, ...]


def facts_of_recording(recording: KnownRecording) -> KnownFacts:
    """Return what is believed of a recording."""
    row = Recording.objects.select_related("device").get(pk=recording.key)
    wearer = wearer_of(recording)
    parts = Part.objects.filter(recording=row).order_by("number").values_list("original__sha256", flat=True)
    return KnownFacts(
        identifier=row.identifier,
        started_at=row.started_at,
        serial="" if row.device is None else row.device.serial,
        badge="" if wearer is None or wearer.officer is None else wearer.officer.badge,
        parts=tuple(parts),
    )


def is_attached(*, sha256: str, recording: KnownRecording | None) -> bool:
    """Say whether a file of this digest is kept beside a recording, or beside none."""
    rows = Attachment.objects.filter(original__sha256=sha256)
    if recording is None:
        return rows.filter(recording__isnull=True).exists()
    return rows.filter(recording_id=recording.key).exists()


def open_to(viewer: Viewer, identifiers: Iterable[str]) -> tuple[set[str], set[str]]:
    """Return which of these recordings a viewer may know of, and which of them they may see."""
    rows = SearchRow.objects.filter(recording__identifier__in=set(identifiers))
    known = set(rows.filter(may_know(viewer)).values_list("recording__identifier", flat=True))
    seen = set(rows.filter(may_know(viewer), may_see(viewer)).values_list("recording__identifier", flat=True))
    return known, seen


def times_of(recording: KnownRecording) -> CaptureTimes:
    """Return when a recording was made, as it is known now that its parts have come."""
    return known_recording(Recording.objects.get(pk=recording.key)).times

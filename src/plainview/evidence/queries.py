"""Read recordings and originals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview.accounts.rules import Span
from plainview.accounts.spans import believed_at, valid_at
from plainview.evidence.errors import NoSuchRecordingError
from plainview.evidence.models import Device, DeviceAssignment, Original, Part, Probe, Recording, Wearer
from plainview.formats.errors import FormatError
from plainview.formats.ids import check_identifier

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


@dataclass(frozen=True)
class Viewer:
    """Who asks.

    Attributes:
        is_operator: somebody at the command line of the machine that holds the data; they may see everything
            there is, and everything they do is an act.
    """

    is_operator: bool


def access_recording(*, viewer: Viewer, identifier: str) -> Recording:
    """Return the recording with this identifier, as a person may have typed it.

    Raises:
        NoSuchRecordingError: mistyped, absent, or not this viewer's to know.
    """
    try:
        spelled = check_identifier(identifier)
    except FormatError:
        raise NoSuchRecordingError(identifier) from None
    recording = Recording.objects.filter(identifier=spelled).first() if viewer.is_operator else None
    if recording is None:
        raise NoSuchRecordingError(identifier)
    return recording


def recordings_of(*, viewer: Viewer) -> Iterator[Recording]:
    """Yield every recording this viewer may know of, newest received first."""
    if viewer.is_operator:
        yield from Recording.objects.order_by("-received_at", "-pk").iterator()


def parts_of(recording: Recording) -> list[Part]:
    """Return a recording's parts in order, each with its original."""
    return list(Part.objects.filter(recording=recording).select_related("original").order_by("number"))


def original_by_sha256(sha256: str) -> Original | None:
    """Return the original with this digest, 64 hex digits, or None."""
    return Original.objects.filter(sha256=sha256).first()


def has_original_of_size(size_bytes: int) -> bool:
    """Say whether any original has exactly this size; only then can a file of this size be one again."""
    return Original.objects.filter(size_bytes=size_bytes).exists()


def first_recording_of(original: Original) -> Recording | None:
    """Return the first recording that uses an original, or None where it is quarantined or adopted."""
    part = Part.objects.filter(original=original).select_related("recording").order_by("pk").first()
    return None if part is None else part.recording


def reference_count(original: Original) -> int:
    """Return how many recordings use an original; its bytes stay while one does."""
    return Part.objects.filter(original=original).count()


def all_originals() -> Iterator[Original]:
    """Yield every original, whatever its state."""
    return Original.objects.order_by("pk").iterator()


def known_object_ids() -> set[str]:
    """Return the object ids that some original names."""
    return set(Original.objects.values_list("object_id", flat=True))


def latest_probe(original: Original) -> Probe | None:
    """Return what the newest examination of an original found, or None."""
    return Probe.objects.filter(original=original).order_by("-made_at", "-pk").first()


def wearer_of(recording: Recording, *, known_at: datetime | None = None) -> Wearer | None:
    """Return who wore the camera, as believed at a moment or now; None is "nobody said"."""
    return Wearer.objects.filter(believed_at(known_at), recording=recording).select_related("officer").first()


def device_wearer_at(
    device: Device, *, at: datetime, known_at: datetime | None = None
) -> DeviceAssignment | None:
    """Return who a device was assigned to at a moment; None is "not known"."""
    rows = DeviceAssignment.objects.filter(valid_at(at), believed_at(known_at), device=device)
    return rows.select_related("officer").first()


def device_spans(device: Device) -> list[Span]:
    """Return what is believed now about who wears a device."""
    rows = DeviceAssignment.objects.filter(device=device, superseded_at__isnull=True)
    return [Span(row.officer_id, row.valid_from, row.valid_to, row.pk) for row in rows]

"""Read recordings and originals."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256 as hash_of
from typing import TYPE_CHECKING

from plainview.accounts.rules import Span
from plainview.accounts.spans import believed_at, valid_at
from plainview.evidence.errors import NoSuchRecordingError
from plainview.evidence.models import Device, DeviceAssignment, Original, Part, Probe, Recording, Wearer
from plainview.evidence.rules import CaptureTimes, KnownOriginal, KnownRecording, OriginalFacts
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


def access_recording(*, viewer: Viewer, identifier: str) -> KnownRecording:
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
    return _known_recording(recording)


def access_recordings(*, viewer: Viewer) -> Iterator[KnownRecording]:
    """Yield every recording this viewer may know of, newest received first."""
    if viewer.is_operator:
        for recording in Recording.objects.order_by("-received_at", "-pk").iterator():
            yield _known_recording(recording)


def originals_of(recording: KnownRecording) -> list[KnownOriginal]:
    """Return the originals of a recording's parts, in the parts' order."""
    parts = Part.objects.filter(recording_id=recording.key).select_related("original").order_by("number")
    return [_known_original(part.original) for part in parts]


def original_by_sha256(sha256: str) -> KnownOriginal | None:
    """Return the original with this digest, 64 hex digits, or None."""
    row = Original.objects.filter(sha256=sha256).first()
    return None if row is None else _known_original(row)


def original_by_object(object_id: str) -> KnownOriginal | None:
    """Return the original that names this object, 32 hex digits, or None."""
    row = Original.objects.filter(object_id=object_id).first()
    return None if row is None else _known_original(row)


def has_original_of_size(size_bytes: int) -> bool:
    """Say whether any original has exactly this size; only then can a file of this size be one again."""
    return Original.objects.filter(size_bytes=size_bytes).exists()


def first_recording_of(original: KnownOriginal) -> KnownRecording | None:
    """Return the first recording that uses an original, or None where it is quarantined or adopted."""
    part = Part.objects.filter(original_id=original.key).select_related("recording").order_by("pk").first()
    return None if part is None else _known_recording(part.recording)


def reference_count(original: KnownOriginal) -> int:
    """Return how many recordings use an original; its bytes stay while one does."""
    return Part.objects.filter(original_id=original.key).count()


def all_originals() -> Iterator[KnownOriginal]:
    """Yield every original, whatever its state."""
    for row in Original.objects.order_by("pk").iterator():
        yield _known_original(row)


def known_object_ids() -> set[str]:
    """Return the object ids that some original names."""
    return set(Original.objects.values_list("object_id", flat=True))


@dataclass(frozen=True)
class KeptProbe:
    """What an examination found, as far as the custody log vouches for it.

    Attributes:
        act_id: the row of its act.
        chunk_times_sha256: of its table from chunk to seconds, 64 hex digits.
    """

    act_id: int
    chunk_times_sha256: str


def kept_probes() -> Iterator[KeptProbe]:
    """Yield every examination."""
    rows = Probe.objects.order_by("pk").values_list("act_id", "chunk_times")
    for act_id, chunk_times in rows.iterator(chunk_size=100):
        yield KeptProbe(act_id, hash_of(bytes(chunk_times)).hexdigest())


def recorded_objects() -> Iterator[tuple[str, str]]:
    """Yield identifier and object id of every part of every recording, by identifier; of no part, an empty id."""
    rows = Recording.objects.order_by("identifier", "parts__number").values_list(
        "identifier", "parts__original__object_id"
    )
    for identifier, object_id in rows.iterator():
        yield identifier, object_id or ""


def chunk_times_of(original: KnownOriginal) -> bytes | None:
    """Return the newest table from chunk to seconds, as its digest stands in the log, or None."""
    probe = Probe.objects.filter(original_id=original.key).order_by("-made_at", "-pk").first()
    return None if probe is None else bytes(probe.chunk_times)


def wearer_of(recording: KnownRecording, *, known_at: datetime | None = None) -> Wearer | None:
    """Return who wore the camera, as believed at a moment or now; None is "nobody said"."""
    rows = Wearer.objects.filter(believed_at(known_at), recording_id=recording.key)
    return rows.select_related("officer").first()


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


def _known_original(row: Original) -> KnownOriginal:
    facts = OriginalFacts(**{name: getattr(row, name) for name in OriginalFacts.__dataclass_fields__})
    return KnownOriginal(row.pk, facts, row.state, row.reason, row.reason_text, row.offered_name)


def _known_recording(row: Recording) -> KnownRecording:
    times = CaptureTimes(row.started_at, row.ended_at, row.zone, row.clock_source)
    return KnownRecording(key=row.pk, identifier=row.identifier, received_at=row.received_at, times=times)

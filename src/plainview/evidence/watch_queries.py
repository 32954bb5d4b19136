"""Read what one recording's page shows: what it was made of, what was made of it, who wore the camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import OuterRef, Subquery

from plainview.evidence.errors import NoSuchPartError
from plainview.evidence.models import (
    Cue,
    Derivative,
    Original,
    Part,
    Probe,
    Restriction,
    SearchRow,
    Step,
    Transcript,
    Wearer,
)
from plainview.evidence.queries import footage_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from plainview.accounts.rules import Footage
    from plainview.evidence.rules import KnownRecording


@dataclass(frozen=True)
class Heading:
    """What stands above every page of a recording; None is not known.

    Attributes:
        device: make, model and serial number.
        unit: the code of the wearer's unit at the time.
        footage: what decides who may do what with it.
    """

    wearer: str | None
    badge: str | None
    unit: str | None
    device: str | None
    duration_ms: int | None
    footage: Footage


@dataclass(frozen=True)
class KnownDerivative:
    """Something made of an original.

    Attributes:
        object_id: its object in the store of derivatives.
        original_id: the object of the original it was made of.
        sha256: of its bytes.
        facts: what is in it, as media.derived says.
    """

    kind: str
    object_id: str
    original_id: str
    sha256: str
    size_bytes: int
    facts: Mapping[str, Any]
    made_at: datetime
    tool: str


@dataclass(frozen=True)
class StepState:
    """How far a step of processing is; see evidence.models.Step."""

    name: str
    state: str
    fraction: float
    reason_text: str


@dataclass(frozen=True)
class KnownTranscript:
    """Which machine wrote down the speech, and how far it can be trusted.

    Attributes:
        key: of its row.
        notice: a key of media.transcript.NOTICES.
        settings: what the engine was told, and whatever else is kept of its work.
    """

    key: int
    engine: str
    model: str
    version: str
    settings: Mapping[str, Any]
    language: str
    notice: str
    made_at: datetime


@dataclass(frozen=True)
class KnownCue:
    """A piece of transcript; words are [start_ms, end_ms, word, confidence 0 to 1 or None]."""

    start_ms: int
    end_ms: int
    text: str
    words: list[list[Any]]


@dataclass(frozen=True)
class Watched:
    """One part of a recording, with everything that was made of it.

    Attributes:
        object_id: of its original in the vault. sha256: of the original. size_bytes: the same.
        offered_name: the name the file came with, made printable.
        found: what the newest examination found, as media.facts writes it without chunk spans; empty without one.
        probe_tool: which program examined it.
        steps: by name.
        derivatives: the newest of each kind.
        transcript: the newest, or None.
        number: of the part, counted from 1.
        part_count: of the recording.
    """

    object_id: str
    sha256: str
    size_bytes: int
    received_at: datetime
    offered_name: str
    found: Mapping[str, Any]
    probe_tool: str
    steps: Mapping[str, StepState]
    derivatives: Mapping[str, KnownDerivative]
    transcript: KnownTranscript | None
    number: int
    part_count: int


@dataclass(frozen=True)
class PlayablePart:
    """As much of a part as decides what is played of it; the same names as in Watched."""

    object_id: str
    sha256: str
    size_bytes: int
    found: Mapping[str, Any]
    derivatives: Mapping[str, KnownDerivative]


@dataclass(frozen=True)
class KnownPart:
    """A file of a recording; parts follow each other without a gap.

    Attributes:
        number: counted from 1.
        object_id: of its original in the vault. sha256, size_bytes: of the same.
        start_ms: where it begins in the recording; None where nobody knows how long those before it last.
        duration_ms: as its examination found; None is not known.
    """

    number: int
    object_id: str
    sha256: str
    size_bytes: int
    offered_name: str
    start_ms: int | None
    duration_ms: int | None


@dataclass(frozen=True)
class BelievedWearer:
    """Who is or was believed to have worn the camera; no name is "nobody known".

    Attributes:
        basis: assignment, camera or person.
        superseded_at: None for what is believed now.
    """

    name: str | None
    badge: str | None
    basis: str
    recorded_at: datetime
    superseded_at: datetime | None


def heading_of(recording: KnownRecording) -> Heading:
    """Return what stands above every page of a recording."""
    row = SearchRow.objects.select_related("wearer", "unit", "device").get(pk=recording.key)
    device = row.device
    words = "" if device is None else " ".join(filter(None, (device.make, device.model, device.serial)))
    return Heading(
        wearer=None if row.wearer is None else row.wearer.name,
        badge=None if row.wearer is None else row.wearer.badge,
        unit=None if row.unit is None else row.unit.code,
        device=words or None,
        duration_ms=row.duration_ms,
        footage=footage_of(row),
    )


def parts_of(recording: KnownRecording) -> list[KnownPart]:
    """Return the files of a recording, in order."""
    newest = Probe.objects.filter(original=OuterRef("original")).order_by("-made_at", "-pk")
    rows = Part.objects.filter(recording_id=recording.key).select_related("original").order_by("number")
    found: list[KnownPart] = []
    start_ms: int | None = 0
    for row in rows.annotate(probed_ms=Subquery(newest.values("found__duration_ms")[:1])):
        duration_ms = row.probed_ms if isinstance(row.probed_ms, int) else None
        original = row.original
        digest, size_bytes = original.sha256, original.size_bytes
        known = (row.number, original.object_id, digest, size_bytes, row.offered_name, start_ms, duration_ms)
        found.append(KnownPart(*known))
        start_ms = None if start_ms is None or duration_ms is None else start_ms + duration_ms
    return found


def watched(recording: KnownRecording, *, number: int = 1) -> Watched:
    """Return a part of a recording and what was made of it.

    Raises:
        NoSuchPartError: it has no part of this number.
    """
    part = Part.objects.select_related("original").filter(recording_id=recording.key, number=number).first()
    if part is None:
        raise NoSuchPartError(recording.identifier, number)
    original = part.original
    probe = Probe.objects.filter(original=original).order_by("-made_at", "-pk").defer("chunk_times").first()
    return Watched(
        object_id=original.object_id,
        sha256=original.sha256,
        size_bytes=original.size_bytes,
        received_at=original.received_at,
        offered_name=part.offered_name,
        found={} if probe is None else probe.found,
        probe_tool="" if probe is None else probe.tool,
        steps=_steps(original),
        derivatives={row.kind: _derivative(row) for row in _derivatives().filter(original=original)},
        transcript=_transcript(original),
        number=number,
        part_count=Part.objects.filter(recording_id=recording.key).count(),
    )


def playable_part(recording: KnownRecording, *, number: int = 1) -> PlayablePart:
    """Return what decides what is played of a recording's part: asked for each of its pieces, so in few queries.

    Raises:
        NoSuchPartError: it has no part of this number.
    """
    original = Original.objects.filter(parts__recording_id=recording.key, parts__number=number).first()
    if original is None:
        raise NoSuchPartError(recording.identifier, number)
    copy = _derivatives().filter(original=original, kind="viewing_copy").last()
    newest = Probe.objects.filter(original=original).order_by("-made_at", "-pk")
    return PlayablePart(
        object_id=original.object_id,
        sha256=original.sha256,
        size_bytes=original.size_bytes,
        # A viewing copy plays whatever examining the original found.
        found={} if copy is not None else newest.values_list("found", flat=True).first() or {},
        derivatives={} if copy is None else {"viewing_copy": _derivative(copy)},
    )


def derivative_of(recording: KnownRecording, kind: str, *, number: int = 1) -> KnownDerivative | None:
    """Return the newest derivative of a kind of a recording's part, or None."""
    row = _derivatives().filter(
        kind=kind, original__parts__recording_id=recording.key, original__parts__number=number
    )
    newest = row.last()
    return None if newest is None else _derivative(newest)


def cues_of(transcript: KnownTranscript) -> Iterator[KnownCue]:
    """Yield a transcript's cues in order."""
    rows = Cue.objects.filter(transcript_id=transcript.key).order_by("number")
    for start_ms, end_ms, text, words in rows.values_list("start_ms", "end_ms", "text", "words"):
        yield KnownCue(start_ms, end_ms, text, words)


def wearers_of(recording: KnownRecording) -> list[BelievedWearer]:
    """Return who is believed to have worn the camera, then who was believed before, newest first."""
    rows = Wearer.objects.filter(recording_id=recording.key).select_related("officer")
    return [
        BelievedWearer(
            name=None if row.officer is None else row.officer.name,
            badge=None if row.officer is None else row.officer.badge,
            basis=row.basis,
            recorded_at=row.recorded_at,
            superseded_at=row.superseded_at,
        )
        for row in rows.order_by("-recorded_at", "-pk")
    ]


def restriction_of(recording: KnownRecording) -> tuple[datetime, str] | None:
    """Return since when and why a recording is restricted; None where it is not."""
    row = Restriction.objects.filter(recording_id=recording.key, lifted_at__isnull=True).first()
    return None if row is None else (row.placed_at, row.reason)


def _derivatives() -> Any:
    return Derivative.objects.select_related("original").order_by("made_at", "pk")


def _derivative(row: Derivative) -> KnownDerivative:
    return KnownDerivative(
        kind=row.kind,
        object_id=row.object_id,
        original_id=row.original.object_id,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        facts=row.facts,
        made_at=row.made_at,
        tool=row.tool,
    )


def _steps(original: Original) -> dict[str, StepState]:
    rows = Step.objects.filter(original=original).order_by("name")
    return {row.name: StepState(row.name, row.state, row.fraction, row.reason_text) for row in rows}


def _transcript(original: Original) -> KnownTranscript | None:
    row = Transcript.objects.filter(original=original).order_by("-made_at", "-pk").first()
    if row is None:
        return None
    return KnownTranscript(
        key=row.pk,
        engine=row.engine,
        model=row.model,
        version=row.version,
        settings=row.settings,
        language=row.language,
        notice=row.notice,
        made_at=row.made_at,
    )

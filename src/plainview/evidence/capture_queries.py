"""Read what came with a recording: what its camera signed and says happened, markers, tracks, attachments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from plainview.evidence.camera_models import (
    Attachment,
    CameraEvent,
    CameraJournal,
    CameraKey,
    Marker,
    Track,
)
from plainview.evidence.camera_rules import missing_counters
from plainview.evidence.models import Derivative, Device, Recording
from plainview.evidence.rules import Trigger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from plainview.evidence.rules import KnownRecording


@dataclass(frozen=True)
class JournalKey:
    """The key that a journal was checked with.

    Attributes:
        name: of the camera, as it signs.
        public_key: 64 hex digits.
        state: one of camera_rules.ADMISSIONS.
        admitted_at: None where nobody has admitted it.
        ended_at: from when on it counts no longer; None while it does.
    """

    name: str
    public_key: str
    state: str
    admitted_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class KnownJournal:
    """What a camera's own journal says, and what comparing it with the footage found.

    Attributes:
        key: of its row.
        device: key of the camera's row.
        stream: its id.
        previous_stream: the journal before it; empty for a camera's first.
        purpose: one of formats.capture.PURPOSES.
        verdict: one of camera_rules.CAPTURE_VERDICTS.
        is_closed: whether its last leaf was there.
        fragments: how many it speaks of. proven_fragments: how many of them are as signed.
        start: the first leaf, as formats.capture writes it.
        findings: what is not OK: records with verdict, start_ms, end_ms (None is not known) and why.
        camera_key: None where it was not signed with a key that anybody knows.
    """

    key: int
    device: int
    stream: str
    previous_stream: str
    purpose: str
    boot: int
    counter: int
    started_at: datetime
    ended_at: datetime | None
    verdict: str
    is_closed: bool
    fragments: int
    proven_fragments: int
    start: Mapping[str, Any]
    findings: Sequence[Mapping[str, Any]]
    checked_at: datetime
    camera_key: JournalKey | None


@dataclass(frozen=True)
class KnownEvent:
    """One thing that a journal says happened.

    Attributes:
        at: by the camera's clock; aware UTC.
        mono_ms: since the camera was switched on.
        position_ms: in the recording; None in a shift's journal.
        event: a key of formats.capture.EVENTS.
        facts: more of it.
    """

    at: datetime
    mono_ms: int
    position_ms: int | None
    event: str
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class KnownMarker:
    """A moment or span that came marked, in milliseconds of the recording; None is not known."""

    source: str
    start_ms: int | None
    end_ms: int | None
    category: str
    text: str


@dataclass(frozen=True)
class KnownTrack:
    """Where a camera was: points are (position_ms, latitude, longitude, metres of doubt or None), WGS 84."""

    source: str
    points: Sequence[tuple[int, float, float, float | None]]


@dataclass(frozen=True)
class KnownAttachment:
    """A file that came along, as received.

    Attributes:
        key: of its row.
        kind: one of camera_rules.ATTACHMENT_KINDS.
        object_id: of its bytes in the vault.
    """

    key: int
    kind: str
    offered_name: str
    object_id: str
    sha256: str
    size_bytes: int
    received_at: datetime


@dataclass(frozen=True)
class JournalsSummary:
    """What is known of a camera by its own journals.

    Attributes:
        last_at: when the newest of them began, by the camera's clock.
        last_verdict: on that; one of camera_rules.CAPTURE_VERDICTS.
        missing: which numbers its own count leaves out, the first of them.
    """

    last_at: datetime
    last_verdict: str
    missing: Sequence[int]


@dataclass(frozen=True)
class FunctionCheck:
    """The check at the start of a shift.

    Attributes:
        started_at: by the camera's clock.
        events: of its journal, in its order.
        lens: what its small pictures say of the lens, as media.derived writes it; None where nothing does.
    """

    started_at: datetime
    events: Sequence[KnownEvent]
    lens: Mapping[str, Any] | None


@dataclass(frozen=True)
class KnownDevice:
    """A device by the name that the custody log has for it."""

    key: int
    pseudonym: str
    make: str
    model: str
    serial: str


def device_named(pseudonym: str) -> KnownDevice | None:
    """Return the device that the custody log and tasks call device:<pseudonym>, or None."""
    return next(iter(devices_named([pseudonym]).values()), None)


def devices_named(pseudonyms: Iterable[str]) -> dict[str, KnownDevice]:
    """Return devices by the names that the custody log has for them; those that exist."""
    rows = Device.objects.filter(pseudonym__in=set(pseudonyms))
    found = [KnownDevice(row.pk, row.pseudonym, row.make, row.model, row.serial) for row in rows]
    return {device.pseudonym: device for device in found}


def journals_of_devices(*, device: int | None = None) -> dict[int, JournalsSummary]:
    """Return what is known by their own journals of every camera that has any, or of one."""
    rows = CameraJournal.objects.filter(Q() if device is None else Q(device_id=device))
    counters: dict[tuple[int, int], list[int]] = {}
    for owner, key, counter in rows.filter(camera_key__isnull=False).values_list(
        "device_id", "camera_key_id", "counter"
    ):
        counters.setdefault((owner, key), []).append(counter)
    missing: dict[int, list[int]] = {}
    for (owner, _), found in counters.items():
        missing.setdefault(owner, []).extend(missing_counters(found))
    newest = rows.order_by("device_id", "-started_at", "-pk").distinct("device_id")
    return {
        row.device_id: JournalsSummary(row.started_at, row.verdict, missing.get(row.device_id, []))
        for row in newest
    }


def trigger_of(recording: KnownRecording) -> Trigger:
    """Return what started and ended a recording, as far as anything says so."""
    return Trigger(
        *Recording.objects.values_list(
            "trigger_on_at", "trigger_on_reason", "trigger_off_at", "trigger_off_reason"
        ).get(pk=recording.key)
    )


def journal_of(recording: KnownRecording) -> KnownJournal | None:
    """Return the journal of a recording; None where its camera wrote none, or none has come yet."""
    return next(_known(CameraJournal.objects.filter(recording_id=recording.key)), None)


def shift_journals_of(*, device: int, limit: int) -> list[KnownJournal]:
    """Return a camera's journals of shifts, the newest by its own clock first."""
    rows = CameraJournal.objects.filter(device_id=device, purpose="shift")
    return list(_known(rows.order_by("-started_at", "-pk")[:limit]))


def newest_journals_of(*, device: int, limit: int) -> list[KnownJournal]:
    """Return the journals a camera began last, by its own count."""
    return list(_known(CameraJournal.objects.filter(device_id=device).order_by("-counter", "-pk")[:limit]))


def last_check_of(*, device: int) -> FunctionCheck | None:
    """Return a camera's newest check at the start of a shift, by its own clock; None where it handed none in."""
    row = (
        CameraJournal.objects.filter(device_id=device, purpose="function_check")
        .order_by("-started_at", "-pk")
        .first()
    )
    if row is None:
        return None
    events = _events(CameraEvent.objects.filter(journal_id=row.pk).order_by("seq"))
    return FunctionCheck(
        row.started_at, events, None if row.recording_id is None else _lens(row.recording_id)
    )


def events_of(journal: KnownJournal) -> list[KnownEvent]:
    """Return what a journal says happened, in its order."""
    return _events(CameraEvent.objects.filter(journal_id=journal.key).order_by("seq"))


def events_of_each(journals: Iterable[KnownJournal], *, kinds: Sequence[str]) -> dict[int, list[KnownEvent]]:
    """Return the events of some kinds of several journals, by the journal's key, each in its order."""
    found: dict[int, list[KnownEvent]] = {journal.key: [] for journal in journals}
    rows = CameraEvent.objects.filter(journal_id__in=found, event__in=kinds).order_by("journal_id", "seq")
    for row in rows:
        found[row.journal_id] += _events([row])
    return found


def lights_before(journal: KnownJournal) -> list[KnownEvent]:
    """Return what the shift's journal says the light showed up to the start of a recording.

    What was kept of the time before the button stands in no recording's own journal. Positions are the recording's,
    counted by the camera's clock that never jumps; the first lies before its first picture.
    """
    begun_ms = journal.start.get("mono_ms")
    if not isinstance(begun_ms, int):
        return []
    # A journal begins with the trigger; what was buffered by then lies before it.
    first_ms = begun_ms - int(journal.start.get("buffer_ms") or 0)
    rows = CameraEvent.objects.filter(
        journal__device_id=journal.device,
        journal__purpose="shift",
        journal__boot=journal.boot,
        event="light",
        mono_ms__lt=begun_ms,
    )
    last_first = rows.order_by("-mono_ms", "-seq")[:100]
    return [
        KnownEvent(each.at, each.mono_ms, each.mono_ms - first_ms, each.event, each.facts)
        for each in reversed(_events(last_first))
    ]


def markers_of(recording: KnownRecording) -> list[KnownMarker]:
    """Return what came marked of a recording, in its order; what has no place comes last."""
    rows = Marker.objects.filter(recording_id=recording.key)
    found = [
        KnownMarker(row.source, row.start_ms, row.end_ms, row.category, row.text)
        for row in rows.order_by("start_ms", "pk")
    ]
    return sorted(found, key=lambda marker: (marker.start_ms is None, marker.start_ms or 0))


def tracks_of(recording: KnownRecording) -> list[KnownTrack]:
    """Return where the camera was while it recorded, as whatever came along says."""
    rows = Track.objects.filter(recording_id=recording.key).order_by("pk")
    return [KnownTrack(row.source, [tuple(point) for point in row.points]) for row in rows]


def attachments_of(recording: KnownRecording) -> list[KnownAttachment]:
    """Return the files that came along with a recording, in the order in which they came."""
    rows = Attachment.objects.filter(recording_id=recording.key).select_related("original")
    return [_attachment(row) for row in rows.order_by("received_at", "pk")]


def attachment_of(recording: KnownRecording, *, key: int) -> KnownAttachment | None:
    """Return one file that came along with this recording, or None."""
    row = Attachment.objects.filter(pk=key, recording_id=recording.key).select_related("original").first()
    return None if row is None else _attachment(row)


def _attachment(row: Attachment) -> KnownAttachment:
    return KnownAttachment(
        key=row.pk,
        kind=row.kind,
        offered_name=row.offered_name,
        object_id=row.original.object_id,
        sha256=row.original.sha256,
        size_bytes=row.original.size_bytes,
        received_at=row.received_at,
    )


def _lens(recording: int) -> Mapping[str, Any] | None:
    """Return what the newest storyboard says of the lens; those made before that was looked at do not."""
    boards = Derivative.objects.filter(original__parts__recording_id=recording, kind="storyboard")
    facts = boards.order_by("-made_at", "-pk").values_list("facts", flat=True).first()
    lens: Mapping[str, Any] | None = None if facts is None else facts.get("lens")
    return lens


def _events(rows: Iterable[CameraEvent]) -> list[KnownEvent]:
    return [KnownEvent(row.at, row.mono_ms, row.position_ms, row.event, row.facts) for row in rows]


def _known(rows: QuerySet[CameraJournal]) -> Iterator[KnownJournal]:
    names = [
        name for name in KnownJournal.__dataclass_fields__ if name not in {"key", "device", "camera_key"}
    ]
    for row in rows.select_related("camera_key"):
        yield KnownJournal(
            key=row.pk,
            device=row.device_id,
            camera_key=_journal_key(row.camera_key),
            **{name: getattr(row, name) for name in names},
        )


def _journal_key(row: CameraKey | None) -> JournalKey | None:
    if row is None:
        return None
    return JournalKey(row.name, row.public_key, row.state, row.admitted_at, row.ended_at)

"""Keep what cameras' own journals say, and what comparing them with the footage found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction

from plainview.custody.act_queries import newest_act
from plainview.custody.record import record
from plainview.evidence.actions import receive_recording
from plainview.evidence.attachment_actions import attach_file
from plainview.evidence.camera_actions import about_device
from plainview.evidence.camera_models import Attachment, CameraEvent, CameraJournal, Marker
from plainview.evidence.camera_rules import is_doubtful, is_graver, may_replace
from plainview.evidence.offload_actions import end_offload
from plainview.evidence.offload_queries import journal_file_name
from plainview.tasks.actions import open_task, settle_task
from plainview.tasks.queries import was_asked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from plainview.custody.record import Actor
    from plainview.evidence.actions import ProbeFacts
    from plainview.evidence.attachment_actions import Attached
    from plainview.evidence.offload_queries import KnownOffload
    from plainview.evidence.rules import CaptureTimes, DeviceKey, KnownRecording, OriginalFacts, Trigger
    from plainview.formats.leaf import Fact

MARKER = "marker"
CATEGORY_LIMIT = 255


@dataclass(frozen=True)
class EventFacts:
    """One thing that a journal says happened; see formats.capture.CaptureEvent."""

    seq: int
    at: datetime
    mono_ms: int
    position_ms: int | None
    event: str
    facts: Mapping[str, Fact]


@dataclass(frozen=True)
class JournalFacts:
    """What a journal says, and what comparing it with the footage found.

    Attributes:
        device: the camera.
        camera_key: key of the row of the key it was checked with; None where no key of it is admitted.
        stream: its id.
        purpose: one of formats.capture.PURPOSES.
        boot: how often the camera had been switched on.
        counter: how many journals it had begun.
        previous_stream: id of the journal before; empty for the first.
        started_at: by the camera's clock.
        ended_at: by the camera's clock; None where it was not closed.
        verdict: one of camera_rules.CAPTURE_VERDICTS.
        is_closed: whether the camera said that this is all.
        fragments: how many there were.
        proven_fragments: how many are as signed.
        start: the first leaf, as formats.capture writes it; empty where none checks.
        findings: what is not OK: records with verdict, start_ms, end_ms (None is not known) and why.
        events: what it says happened.
        root: of its tree, 64 hex digits; empty where nothing is signed.
    """

    device: DeviceKey
    camera_key: int | None
    stream: str
    purpose: str
    boot: int
    counter: int
    previous_stream: str
    started_at: datetime
    ended_at: datetime | None
    verdict: str
    is_closed: bool
    fragments: int
    proven_fragments: int
    start: Mapping[str, Any]
    findings: Sequence[Mapping[str, Any]]
    events: Sequence[EventFacts]
    root: str


@transaction.atomic
def receive_capture(
    *,
    offload: KnownOffload,
    original: OriginalFacts,
    probe: ProbeFacts,
    times: CaptureTimes,
    trigger: Trigger,
    worn_at: datetime | None,
    journal: JournalFacts,
    actor: Actor,
    now: datetime,
) -> KnownRecording:
    """Make a recording of footage that a camera sealed, with what its journal says; and end its offload.

    Args:
        offload: how it came.
        original: the footage, opened.
        probe: what examining it found.
        times: when it was made, by the camera's clock.
        trigger: what started and ended it.
        worn_at: when it was made by our clock, as far as that is known: for who wore the camera.
        journal: what its journal says.
        actor: the dock.
        now: when.

    Raises:
        AlreadyReceivedError: these bytes have been received, perhaps a moment ago by somebody else.
        TimesError: the capture times contradict each other.
    """
    recording = receive_recording(
        original=original,
        probe=probe,
        times=times,
        offered_name=f"{journal.stream}.mp4",
        source="camera",
        device=journal.device,
        worn_at=worn_at,
        trigger=trigger,
        facts=sent_facts(offload),
        actor=actor,
        now=now,
    )
    _adopt_journals(journal, recording)
    _write_journal(journal, recording, now)
    _write_markers(journal, recording, now)
    _say_checked(journal, recording.identifier, actor, now)
    _doubt(journal, recording.identifier, actor, now)
    _no_longer_missing(journal, actor, now)
    end_offload(
        name=offload.name,
        state="received",
        recording=recording.identifier,
        act_id=newest_act(recording.identifier, "recording.received"),
        now=now,
    )
    return recording


@transaction.atomic
def receive_journal(
    *,
    offload: KnownOffload,
    original: OriginalFacts,
    stream: str,
    device: DeviceKey,
    recording: KnownRecording | None,
    journal: JournalFacts | None,
    actor: Actor,
    now: datetime,
) -> Attached:
    """Keep a journal that came as a file of its own, and end its offload.

    Args:
        offload: how it came.
        original: the journal, opened: one line a piece.
        stream: its id.
        device: the camera.
        recording: the recording it belongs to, if that is here.
        journal: what it says: of a shift, or checked anew with the footage; None where the footage is not here yet.
        actor: the dock.
        now: when.

    Returns:
        What it is now; where the same bytes were attached before, the caller notes that they were offered again.

    Raises:
        AlreadyReceivedError: somebody else received the same bytes a moment ago; try again.
    """
    is_shift = journal is not None and journal.purpose == "shift"
    attached = attach_file(
        original=original,
        kind="journal",
        recording=recording,
        device=device,
        offered_name=journal_file_name(stream),
        act="journal.received" if is_shift else "attachment.received",
        facts=sent_facts(offload) | {"stream": stream},
        actor=actor,
        now=now,
    )
    if journal is not None:
        about = _about(journal) if recording is None else recording.identifier
        _write_journal(journal, recording, now)
        if recording is not None:
            _write_markers(journal, recording, now)
        _say_checked(journal, about, actor, now)
        _doubt(journal, about, actor, now)
        _no_longer_missing(journal, actor, now)
    if attached.act_id is not None:
        end_offload(
            name=offload.name,
            state="received",
            recording=None if recording is None else recording.identifier,
            act_id=attached.act_id,
            now=now,
        )
    return attached


@transaction.atomic
def keep_journal_facts(*, journal: JournalFacts, actor: Actor, now: datetime) -> None:
    """Keep what a journal says of footage that is no recording, so that its number does not count as missing."""
    _write_journal(journal, None, now)
    _say_checked(journal, _about(journal), actor, now)
    _no_longer_missing(journal, actor, now)


@transaction.atomic
def note_missing(*, device: DeviceKey, counters: Sequence[int], actor: Actor, now: datetime) -> int:
    """Note which journals a camera counted and did not hand in, and ask; each is noted and asked about once.

    Returns:
        How many were new.
    """
    noted = 0
    for counter in counters:
        about = _about_missing(device, counter)
        if was_asked(kind="missing_recording", about=about):
            continue
        noted += 1
        record("capture.missing", object=about, actor=actor, now=now, facts={"counter": counter})
        why = f"It counted number {counter}, and handed in later ones."
        open_task(kind="missing_recording", about=about, why=why, actor=actor, now=now)
    return noted


def sent_facts(offload: KnownOffload) -> dict[str, Fact]:
    """Return what a leaf says of the bytes as they lie on the camera: by it the camera knows what it may forget."""
    return {"sent_sha256": offload.sent_sha256, "sent_bytes": offload.size_bytes}


def _adopt_journals(journal: JournalFacts, recording: KnownRecording) -> None:
    rows = Attachment.objects.filter(
        device_id=journal.device.pk, kind="journal", offered_name=journal_file_name(journal.stream)
    )
    rows.filter(recording__isnull=True).update(recording_id=recording.key)


def _write_journal(journal: JournalFacts, recording: KnownRecording | None, now: datetime) -> None:
    rows = CameraJournal.objects.select_for_update().filter(
        device_id=journal.device.pk, stream=journal.stream
    )
    before = rows.first()
    key = None if recording is None else recording.key
    # Two recordings may call themselves one stream: the journal stays with the one it fits better.
    is_anothers = before is not None and before.recording_id not in {None, key}
    if before is not None and is_anothers and not is_graver(before.verdict, journal.verdict):
        return
    if before is not None and not is_anothers and not may_replace(journal.verdict, before.verdict):
        return
    columns = {
        name: getattr(journal, name)
        for name in JournalFacts.__dataclass_fields__
        if name not in {"device", "camera_key", "events", "root", "start", "findings"}
    }
    row, _ = CameraJournal.objects.update_or_create(
        device_id=journal.device.pk,
        stream=journal.stream,
        defaults=columns
        | {
            "camera_key_id": journal.camera_key,
            "recording_id": key,
            "start": dict(journal.start),
            "findings": [dict(finding) for finding in journal.findings],
            "checked_at": now,
        },
    )
    CameraEvent.objects.filter(journal=row).delete()
    CameraEvent.objects.bulk_create(
        [
            CameraEvent(
                journal=row,
                seq=each.seq,
                at=each.at,
                mono_ms=each.mono_ms,
                position_ms=each.position_ms,
                event=each.event,
                facts=dict(each.facts),
            )
            for each in journal.events
        ],
        batch_size=1000,
    )


def _write_markers(journal: JournalFacts, recording: KnownRecording, now: datetime) -> None:
    Marker.objects.filter(recording_id=recording.key, source="camera").delete()
    for each in journal.events:
        if each.event == MARKER:
            Marker.objects.create(
                recording_id=recording.key,
                source="camera",
                start_ms=each.position_ms,
                category=str(each.facts.get("category", ""))[:CATEGORY_LIMIT],
                text=str(each.facts.get("text", "")),
                particulars={"seq": each.seq},
                recorded_at=now,
            )


def _say_checked(journal: JournalFacts, about: str, actor: Actor, now: datetime) -> None:
    facts: dict[str, Fact] = {
        "stream": journal.stream,
        "verdict": journal.verdict,
        "is_closed": int(journal.is_closed),
        "fragments": journal.fragments,
        "proven": journal.proven_fragments,
    }
    if journal.root:
        facts["root"] = journal.root
    record("capture.checked", object=about, actor=actor, now=now, facts=facts)


def _doubt(journal: JournalFacts, about: str, actor: Actor, now: datetime) -> None:
    if not is_doubtful(journal.verdict, is_closed=journal.is_closed):
        settle_task(kind="footage_doubted", about=about, actor=actor, now=now)
        return
    first = next((str(finding["why"]) for finding in journal.findings if finding.get("why")), "")
    why = first or "Its camera is not one that was admitted."
    open_task(kind="footage_doubted", about=about, why=why[:500], actor=actor, now=now)


def _no_longer_missing(journal: JournalFacts, actor: Actor, now: datetime) -> None:
    if journal.camera_key is None:
        # Only what the camera's own key signed can be the one that it counted.
        return
    about = _about_missing(journal.device, journal.counter)
    settle_task(kind="missing_recording", about=about, actor=actor, now=now)


def _about(journal: JournalFacts) -> str:
    return f"{about_device(journal.device)}/{journal.stream}"


def _about_missing(device: DeviceKey, counter: int) -> str:
    return f"{about_device(device)}/{counter:06d}"

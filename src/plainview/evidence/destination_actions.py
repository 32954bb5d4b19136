"""Connect systems of other makers, and note what they hand in until it is a recording."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from plainview.accounts.actions import new_pseudonym
from plainview.accounts.spans import broken_constraint
from plainview.custody.record import record
from plainview.evidence import actions, destination_rules
from plainview.evidence.attachment_actions import attach_file
from plainview.evidence.camera_models import (
    Attachment,
    Destination,
    DestinationContainer,
    DestinationObject,
    Marker,
    Track,
)
from plainview.evidence.destination_errors import DestinationTakenError, NoSuchDestinationError
from plainview.evidence.errors import DeviceTakenError
from plainview.evidence.models import Original, Recording
from plainview.evidence.queries import device_key, known_recording
from plainview.evidence.rules import printable_name
from plainview.tasks.actions import open_task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from plainview.accounts.rules import OfficerKey
    from plainview.custody.record import Actor
    from plainview.evidence.actions import ProbeFacts
    from plainview.evidence.destination_queries import KnownContainer, KnownDestination, KnownObject
    from plainview.evidence.rules import (
        CaptureTimes,
        DeviceKey,
        KnownOriginal,
        KnownRecording,
        OriginalFacts,
        Trigger,
    )
    from plainview.formats.leaf import Fact

# The job, as pipeline.jobs knows it.
JOB = "plainview.take_in_container"
QUEUE = "uploads"
PRIORITY = 15
NAME_ONCE = ("evidence_destination_name_key", "evidence_destination_account_key")
SOURCE = "axis"


@dataclass(frozen=True)
class NewDestination:
    """A system to connect.

    Attributes:
        name: what the department calls it.
        account: what it signs in as.
        password: the hash of its password, as Django keeps it.
        key_name: which content key it encrypts to; empty where it sends footage in the clear.
        settings: what else its connection says; no secret but a sealed one.
    """

    name: str
    account: str
    password: str
    key_name: str
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class SentObject:
    """What came as one object.

    Attributes:
        name: as it came.
        metadata: keys in lower case.
        size_bytes: of what came.
        md5: of it, 32 hex digits.
        sha256: of it, 64 hex digits.
        object_id: the object in the vault that holds it; empty where nothing came.
    """

    name: str
    metadata: Mapping[str, str]
    size_bytes: int
    md5: str
    sha256: str
    object_id: str


# --- connections


@transaction.atomic
def make_destination(*, new: NewDestination, actor: Actor, now: datetime) -> None:
    """Connect a system of another maker.

    Raises:
        DestinationTakenError: one of this name or account is there, or was.
    """
    pseudonym = new_pseudonym()
    try:
        with transaction.atomic():
            Destination.objects.create(
                name=new.name,
                account=new.account,
                password=new.password,
                pseudonym=pseudonym,
                key_name=new.key_name,
                settings=dict(new.settings),
                made_at=now,
            )
    except IntegrityError as error:
        if broken_constraint(error) not in NAME_ONCE:
            raise
        raise DestinationTakenError(new.name) from error
    record(
        "destination.made",
        object=f"destination:{pseudonym}",
        actor=actor,
        now=now,
        facts={"encrypted": "yes" if new.key_name else "no"},
        detail={"name": new.name, "account": new.account},
    )


@transaction.atomic
def close_destination(*, name: str, actor: Actor, now: datetime) -> None:
    """Let a connected system hand in nothing more; what it has handed in stays.

    Raises:
        NoSuchDestinationError: there is none of this name, or it is closed.
    """
    row = Destination.objects.select_for_update().filter(name=name, closed_at=None).first()
    if row is None:
        raise NoSuchDestinationError(name)
    row.closed_at = now
    row.save(update_fields=["closed_at"])
    record("destination.closed", object=f"destination:{row.pseudonym}", actor=actor, now=now)


@transaction.atomic
def note_refused(
    *, destination: KnownDestination, reason: str, text: str, actor: Actor, now: datetime
) -> None:
    """Note that something a connected system offered was refused; how often it says so is for the caller."""
    record(
        "destination.refused",
        object=f"destination:{destination.pseudonym}",
        actor=actor,
        now=now,
        outcome="denied",
        why=reason,
        detail={"text": actions.printable_words(text)},
    )


# --- what comes


@transaction.atomic
def put_container(
    *, destination: KnownDestination, name: str, metadata: Mapping[str, str], now: datetime
) -> bool:
    """Make a container, or bring its metadata up to date.

    Returns:
        Whether it was made.
    """
    is_rejected = destination_rules.is_rejected(name)
    row, is_made = DestinationContainer.objects.select_for_update().get_or_create(
        destination_id=destination.key,
        name=name,
        defaults={
            "state": "rejected" if is_rejected else "receiving",
            "begun_at": now,
            "metadata": destination_rules.merge_metadata({}, metadata),
        },
    )
    _update(row, {} if is_made else metadata, now=now)
    return is_made


@transaction.atomic
def post_container(*, container: KnownContainer, metadata: Mapping[str, str], now: datetime) -> None:
    """Bring a container's metadata up to date; the first that says Complete has it taken in."""
    row = DestinationContainer.objects.select_for_update().get(pk=container.key)
    _update(row, metadata, now=now)


@transaction.atomic
def put_object(*, container: KnownContainer, sent: SentObject, actor: Actor, now: datetime) -> str:
    """Note an object that came whole; the same again changes nothing but its metadata.

    Other bytes under the same name stand in its place, as the protocol has it; what was there before is kept under
    another name.

    Returns:
        Which object in the vault is named now; where that is another than the one sent, the caller discards its own.
    """
    row = DestinationContainer.objects.select_for_update().get(pk=container.key)
    known = DestinationObject.objects.filter(container=row, name=sent.name).first()
    if known is not None and (known.sha256, known.size_bytes) != (sent.sha256, sent.size_bytes):
        _set_aside(known)
        known = None
    is_new = known is None
    if known is None:
        known = DestinationObject(
            container=row,
            name=sent.name,
            kind=destination_rules.object_kind(row.name, sent.name),
            size_bytes=sent.size_bytes,
            md5=sent.md5,
            sha256=sent.sha256,
            object_id=sent.object_id,
            received_at=now,
        )
    known.metadata = destination_rules.merge_metadata({}, sent.metadata)
    known.save()
    _follow_list(known, actor=actor, now=now)
    if is_new:
        _have_taken_in(row)
    return known.object_id


@transaction.atomic
def post_object(*, found: KnownObject, metadata: Mapping[str, str], actor: Actor, now: datetime) -> None:
    """Replace an object's metadata."""
    row = DestinationObject.objects.select_for_update().get(pk=found.key)
    row.metadata = destination_rules.merge_metadata({}, metadata)
    row.save(update_fields=["metadata"])
    _follow_list(row, actor=actor, now=now)


@transaction.atomic
def complete_container(*, container: KnownContainer, reason: str, reason_text: str, now: datetime) -> None:
    """Take a container for complete though its system never said so."""
    row = DestinationContainer.objects.select_for_update().get(pk=container.key)
    if row.state == "receiving":
        row.state, row.reason, row.reason_text, row.ended_at = "complete", reason, reason_text, now
        row.save(update_fields=["state", "reason", "reason_text", "ended_at"])
        defer_container(row.pk)


def defer_container(key: int) -> None:
    """Have somebody take a container in, where nobody is to already; within the caller's transaction, if any."""
    lock = f"container:{key}"
    job = app.configure_task(JOB, queue=QUEUE, priority=PRIORITY, queueing_lock=lock, lock=lock)
    # Inside a savepoint: where the job waits already, the lock's error must not end the transaction.
    with contextlib.suppress(AlreadyEnqueued), transaction.atomic():
        job.defer(key=key)


def _update(row: DestinationContainer, metadata: Mapping[str, str], *, now: datetime) -> None:
    row.metadata = destination_rules.merge_metadata(row.metadata, metadata)
    if row.state == "receiving" and destination_rules.is_complete(row.metadata):
        row.state, row.ended_at = "complete", now
        defer_container(row.pk)
    row.save(update_fields=["metadata", "state", "ended_at"])


def _have_taken_in(row: DestinationContainer) -> None:
    """Have what came late, or was refused before, taken in."""
    if row.state == "received":
        row.state = "complete"
        row.save(update_fields=["state"])
    if row.state in {"complete", "rejected"}:
        defer_container(row.pk)


def _set_aside(known: DestinationObject) -> None:
    number = 1
    while DestinationObject.objects.filter(
        container=known.container, name=(name := destination_rules.set_aside_name(known.name, number))
    ).exists():
        number += 1
    known.name = name
    if known.original is None:
        known.kind = "other"
    known.save(update_fields=["name", "kind"])


def _follow_list(known: DestinationObject, *, actor: Actor, now: datetime) -> None:
    """Know a camera that a system has registered."""
    if known.kind == "device":
        register_camera(serial=known.name, model=known.metadata.get("model", ""), actor=actor, now=now)


def register_camera(*, serial: str, model: str, actor: Actor, now: datetime) -> DeviceKey:
    """Return the camera with this serial number, added if it is new."""
    serial = destination_rules.plain_serial(serial)
    found = device_key(make=destination_rules.MAKE, serial=serial)
    if found is None:
        # In this moment by somebody else, perhaps: then theirs is meant.
        with contextlib.suppress(DeviceTakenError), transaction.atomic():
            actions.add_device(
                make=destination_rules.MAKE,
                model=model[: destination_rules.SERIAL_LIMIT],
                serial=serial,
                kind="body",
                actor=actor,
                now=now,
            )
        found = device_key(make=destination_rules.MAKE, serial=serial)
    assert found is not None, "it was added just now"
    return found


# --- what becomes of it


@dataclass(frozen=True)
class Clip:
    """A clip that can be played.

    Attributes:
        original: its bytes.
        probe: what examining them found.
        times: of the recording it begins, where it is the first.
        trigger: of that recording.
        device: the camera.
        wearer: who the system says wore it, where the roster knows them.
        facts: what else its leaf says.
    """

    original: OriginalFacts
    probe: ProbeFacts
    times: CaptureTimes
    trigger: Trigger
    device: DeviceKey | None
    wearer: OfficerKey | None
    facts: Mapping[str, Fact]


@transaction.atomic
def receive_clip(*, found: KnownObject, clip: Clip, actor: Actor, now: datetime) -> KnownRecording:
    """Make a clip the first part of its container's recording, or the next.

    Raises:
        AlreadyReceivedError: these bytes have been received.
        TimesError: the capture times contradict each other.
    """
    row = _lock(found)
    container = row.container
    if container.recording is None:
        recording = actions.receive_recording(
            original=clip.original,
            probe=clip.probe,
            times=clip.times,
            offered_name=found.name,
            source="camera",
            device=clip.device,
            trigger=clip.trigger,
            wearer=clip.wearer,
            facts=clip.facts,
            actor=actor,
            now=now,
        )
        _set_recording(container, recording)
    else:
        recording = known_recording(container.recording)
        actions.add_part(
            recording=recording,
            original=clip.original,
            probe=clip.probe,
            offered_name=found.name,
            facts=clip.facts,
            actor=actor,
            now=now,
        )
    _name_original(row, Original.objects.get(sha256=clip.original.sha256))
    return recording


@transaction.atomic
def offer_object_again(
    *,
    found: KnownObject,
    original: KnownOriginal,
    recording: KnownRecording | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Note that an object's bytes were received before; a container without a recording is that one's."""
    row = _lock(found)
    actions.offer_again(original=original, recording=recording, offered_name=found.name, actor=actor, now=now)
    if row.container.recording is None and recording is not None:
        _set_recording(row.container, recording)
    _name_original(row, Original.objects.get(pk=original.key))


@transaction.atomic
def quarantine_object(
    *, found: KnownObject, original: OriginalFacts, reason: str, text: str, actor: Actor, now: datetime
) -> None:
    """Keep an object that nothing can be made of, as it came.

    Raises:
        AlreadyReceivedError: these bytes have been received.
    """
    row = _lock(found)
    actions.quarantine_file(
        original=original, reason=reason, reason_text=text, offered_name=found.name, actor=actor, now=now
    )
    _name_original(row, Original.objects.get(sha256=original.sha256))


@dataclass(frozen=True)
class Mark:
    """A moment or span that came marked.

    Attributes:
        name: of the object that says so.
        start_ms: of the recording; None is unknown, or before it.
        end_ms: None where it is a moment.
        category: empty where it has none.
        text: empty where it has none.
        particulars: what else it says.
    """

    name: str
    start_ms: int | None
    end_ms: int | None
    category: str
    text: str
    particulars: Mapping[str, str]


@transaction.atomic
def attach_object(
    *,
    found: KnownObject,
    original: OriginalFacts,
    recording: KnownRecording | None,
    device: DeviceKey | None,
    mark: Mark | None,
    points: list[list[float | None]] | None,
    facts: Mapping[str, Fact],
    actor: Actor,
    now: datetime,
) -> None:
    """Keep an object beside its recording, and what it says of it.

    Args:
        found: the object.
        original: its bytes, or what they decrypt to.
        recording: None where nothing of its container can be played.
        device: the camera.
        mark: what it marks, if it is a bookmark.
        points: where the camera was, if it is a track.
        facts: what else the leaf says.
        actor: who takes it in.
        now: when.

    Raises:
        AlreadyReceivedError: these bytes have been received a moment ago; try again.
    """
    row = _lock(found)
    made = attach_file(
        original=original,
        kind=found.kind,
        recording=recording,
        device=device,
        offered_name=found.name,
        facts=facts,
        actor=actor,
        now=now,
    )
    _name_original(row, Original.objects.get(pk=made.original.key))
    if recording is not None and mark is not None:
        add_markers(recording=recording, marks=[mark], now=now)
    if recording is not None and points is not None:
        Track.objects.get_or_create(
            recording_id=recording.key,
            attachment=Attachment.objects.get(pk=made.key),
            defaults={"source": SOURCE, "points": points, "made_at": now},
        )


@transaction.atomic
def add_markers(*, recording: KnownRecording, marks: Sequence[Mark], now: datetime) -> None:
    """Mark moments of a recording as its system did; the same object marks once."""
    Recording.objects.select_for_update().get(pk=recording.key)
    ours = Marker.objects.filter(recording_id=recording.key, source=SOURCE)
    known = set(ours.values_list("particulars__object", flat=True)) if marks else set()
    Marker.objects.bulk_create(
        Marker(
            recording_id=recording.key,
            source=SOURCE,
            start_ms=mark.start_ms,
            end_ms=mark.end_ms,
            category=mark.category,
            text=mark.text.replace("\0", "\ufffd"),
            particulars={**mark.particulars, "object": printable_name(mark.name)},
            recorded_at=now,
        )
        for mark in marks
        if printable_name(mark.name) not in known
    )


@transaction.atomic
def forget_sent_object(*, found: KnownObject) -> None:
    """Note that the vault no longer holds what came, because something else holds the same; its digests stay."""
    DestinationObject.objects.filter(pk=found.key, object_id=found.object_id).update(object_id="")


@transaction.atomic
def end_container(
    *, container: KnownContainer, reason: str, reason_text: str, actor: Actor, now: datetime
) -> None:
    """Note that everything in a container was taken in, and ask a person where something is to be said of it.

    Args:
        container: which; one to which something came meanwhile stays as it is.
        reason: a code; empty where nothing is to be said.
        reason_text: the same for people.
        actor: who took it in.
        now: when.
    """
    row = DestinationContainer.objects.select_for_update().get(pk=container.key)
    waits = DestinationObject.objects.filter(container=row, original=None, size_bytes__gt=0).exists()
    if row.state != "complete" or waits:
        return
    row.state, row.reason, row.reason_text = "received", reason, reason_text
    row.save(update_fields=["state", "reason", "reason_text"])
    if reason:
        about = _about(row.pk) if row.recording is None else row.recording.identifier
        why = reason_text if row.recording is not None else f"{reason_text} {_named(container)}"
        open_task(kind="import_unclear", about=about, why=why, actor=actor, now=now)


@transaction.atomic
def ask_about_container(*, container: KnownContainer, text: str, actor: Actor, now: datetime) -> None:
    """Ask a person about a container of which something cannot be taken in."""
    open_task(
        kind="import_unclear",
        about=_about(container.key),
        why=f"Something that a connected system handed in cannot be read: {text} {_named(container)}",
        actor=actor,
        now=now,
    )


def _about(container: int) -> str:
    return f"container:{container}"


def _named(container: KnownContainer) -> str:
    """Return in words which container is meant; nothing else leads to one that became no recording."""
    return f"It came as {printable_name(container.name)} from {container.destination.name}."


def _lock(found: KnownObject) -> DestinationObject:
    """Return an object's row with its container's, both held."""
    row = DestinationObject.objects.get(pk=found.key)
    row.container = DestinationContainer.objects.select_for_update().get(pk=row.container_id)
    return row


def _set_recording(container: DestinationContainer, recording: KnownRecording) -> None:
    container.recording = Recording.objects.get(pk=recording.key)
    container.save(update_fields=["recording"])


def _name_original(row: DestinationObject, original: Original) -> None:
    row.original = original
    row.save(update_fields=["original"])

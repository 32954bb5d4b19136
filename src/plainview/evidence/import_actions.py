"""Make recordings of what other makers' folders hold; each change is one transaction with its acts in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F

from plainview.evidence.actions import ProbeFacts, add_device, add_part, receive_recording
from plainview.evidence.attachment_actions import Attached, attach_file
from plainview.evidence.camera_models import Marker, Track
from plainview.evidence.models import Recording
from plainview.evidence.queries import device_key
from plainview.evidence.rules import NO_TRIGGER, DeviceKey, Trigger
from plainview.tasks.actions import open_task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from plainview.accounts.rules import OfficerKey
    from plainview.custody.record import Actor
    from plainview.evidence.rules import CaptureTimes, KnownRecording, OriginalFacts

# Where a marker or a track came from, as their rows say.
SOURCE = "import"


@dataclass(frozen=True)
class ImportedDevice:
    """A camera as a folder names it.

    Attributes:
        kind: one of the kinds that devices have.
    """

    make: str
    model: str
    serial: str
    kind: str


@dataclass(frozen=True)
class SaidOfRecording:
    """What is said of a recording beside its footage.

    Attributes:
        times: when it was made.
        device: by what, as a folder names it or as it is known; None is not said.
        wearer: by whom, where the roster knows them.
        trigger: why it was started; empty is not said.
        category, title: how it was filed and called.
        particulars: whatever else is said, and where each came from; texts.
        unclear: what a person has to look at; empty where nothing is.
    """

    times: CaptureTimes
    device: ImportedDevice | DeviceKey | None
    wearer: OfficerKey | None
    trigger: str
    category: str
    title: str
    particulars: Mapping[str, str]
    unclear: str


@transaction.atomic
def receive_imported(
    *,
    original: OriginalFacts,
    probe: ProbeFacts,
    said: SaidOfRecording,
    offered_name: str,
    actor: Actor,
    now: datetime,
) -> KnownRecording:
    """Make a recording of its first part, with what is said of it.

    Raises:
        AlreadyReceivedError: these bytes have been received.
        TimesError: the capture times contradict each other.
    """
    recording = receive_recording(
        original=original,
        probe=probe,
        times=said.times,
        offered_name=offered_name,
        source=SOURCE,
        device=_device(said.device, actor, now),
        trigger=Trigger(on_reason=said.trigger) if said.trigger else NO_TRIGGER,
        wearer=said.wearer,
        actor=actor,
        now=now,
    )
    if said.category or said.title or said.particulars:
        Marker.objects.create(
            recording_id=recording.key,
            source=SOURCE,
            category=said.category,
            text=said.title,
            particulars=dict(said.particulars),
            recorded_at=now,
        )
    if said.unclear:
        open_task(kind="import_unclear", about=recording.identifier, why=said.unclear, actor=actor, now=now)
    return recording


@transaction.atomic
def add_imported_part(
    *,
    recording: KnownRecording,
    original: OriginalFacts,
    probe: ProbeFacts,
    lasts: timedelta | None,
    offered_name: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Add the next part of a recording; where nothing says when it ended, it ends later by that.

    Args:
        recording: whose part it is.
        original: its bytes.
        probe: what examining them found.
        lasts: by how much later the recording ends with this part; None leaves what is known.
        offered_name: the file's name.
        actor: who imports it.
        now: when.

    Raises:
        AlreadyReceivedError: these bytes have been received.
    """
    add_part(
        recording=recording, original=original, probe=probe, offered_name=offered_name, actor=actor, now=now
    )
    if lasts is not None:
        Recording.objects.filter(pk=recording.key, ended_at__isnull=False).update(
            ended_at=F("ended_at") + lasts
        )


@transaction.atomic
def attach_imported(
    *,
    original: OriginalFacts,
    kind: str,
    recording: KnownRecording | None,
    points: Sequence[Sequence[float | None]],
    offered_name: str,
    actor: Actor,
    now: datetime,
) -> Attached:
    """Keep a file that came along, and where it says the camera was.

    Args:
        original: its bytes.
        kind: one of camera_rules.ATTACHMENT_KINDS.
        recording: what it belongs to; None where its footage is not here.
        points: [position_ms, latitude, longitude, metres of doubt or None] each; empty where it is no track.
        offered_name: the file's name.
        actor: who imports it.
        now: when.

    Raises:
        AlreadyReceivedError: somebody else received the same bytes a moment ago; try again.
    """
    attached = attach_file(
        original=original, kind=kind, recording=recording, offered_name=offered_name, actor=actor, now=now
    )
    if points and recording is not None:
        Track.objects.get_or_create(
            recording_id=recording.key,
            attachment_id=attached.key,
            defaults={"source": SOURCE, "points": [list(point) for point in points], "made_at": now},
        )
    return attached


def _device(named: ImportedDevice | DeviceKey | None, actor: Actor, now: datetime) -> DeviceKey | None:
    if named is None or isinstance(named, DeviceKey):
        return named
    known = device_key(make=named.make, serial=named.serial)
    if known is not None:
        return known
    made: Any = add_device(
        make=named.make, model=named.model, serial=named.serial, kind=named.kind, actor=actor, now=now
    )
    return DeviceKey(made.pk, made.pseudonym)

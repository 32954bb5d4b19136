"""Read what docks hand in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from plainview.evidence.camera_models import Attachment, Offload
from plainview.evidence.errors import NoSuchOffloadError
from plainview.evidence.models import Device, Part, Recording
from plainview.evidence.queries import known_original
from plainview.evidence.rules import CaptureTimes, DeviceKey, KnownRecording

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from django.db.models import QuerySet

    from plainview.evidence.rules import KnownOriginal

# How long what was sent is kept for whoever means to send the rest.
KEPT_FOR = timedelta(days=7)
# Bytes of these lie in the vault and are nothing yet.
OPEN_STATES = ("receiving", "stored")
GIVEN_UP = ("refused", "dropped")


@dataclass(frozen=True)
class KnownOffload:
    """A file that a dock hands in, as other packages see it.

    Attributes:
        name: 32 hex digits: in the address, and of the object its bytes will be.
        dock: key of the dock's row.
        dock_pseudonym: as the custody log knows it.
        device: the camera it came from; None where nobody said.
        kind: footage, journal or file.
        stream: id of the journal it belongs to; empty for files of other makers.
        offered_name: the file's name, made printable.
        size_bytes: how much was announced.
        sent_sha256: of the bytes that are sent, as the dock says, 64 hex digits.
        particulars: what else the dock knows.
        state: one of camera_rules.OFFLOAD_STATES.
        begun_at: when.
        recording: identifier of the recording it became or belongs to, or None.
        act_id: of the act whose leaf is the receipt, or None.
        reason: why it is not received, as a code.
        reason_text: the same for people.
    """

    name: str
    dock: int
    dock_pseudonym: str
    device: DeviceKey | None
    kind: str
    stream: str
    offered_name: str
    size_bytes: int
    sent_sha256: str
    particulars: Mapping[str, Any]
    state: str
    begun_at: datetime
    recording: str | None
    act_id: int | None
    reason: str
    reason_text: str

    @property
    def expires_at(self) -> datetime:
        """Until when what was sent is kept."""
        return self.begun_at + KEPT_FOR

    @property
    def is_gone(self) -> bool:
        """Whether what was sent is kept no longer, and became nothing."""
        return self.state in GIVEN_UP


def access_offload(name: str) -> KnownOffload:
    """Return an offload for any dock: a camera that is moved from one to another goes on where it was.

    Raises:
        NoSuchOffloadError: there is none of this name.
    """
    found = get_offload(name)
    if found is None:
        raise NoSuchOffloadError(name)
    return found


def get_offload(name: str) -> KnownOffload | None:
    """Return an offload, for the system's own work, or None."""
    row = _rows().filter(name=name).first()
    return None if row is None else _known(row)


def offload_of_bytes(*, device: DeviceKey | None, sha256: str, size_bytes: int) -> KnownOffload | None:
    """Return the newest offload of these bytes from this camera that was not given up, or None."""
    whose = Q(device__isnull=True) if device is None else Q(device_id=device.pk)
    rows = _rows().filter(whose, sent_sha256=sha256, size_bytes=size_bytes)
    row = rows.exclude(state__in=GIVEN_UP).order_by("-begun_at", "-name").first()
    return None if row is None else _known(row)


def open_offload_names() -> set[str]:
    """Return the names of all offloads whose bytes lie in the vault and are nothing yet."""
    return set(Offload.objects.filter(state__in=OPEN_STATES).values_list("name", flat=True))


def ended_offloads_among(names: Iterable[str]) -> set[str]:
    """Return which of these names are offloads that are over: what bears them in the vault is no original."""
    rows = Offload.objects.filter(name__in=list(names)).exclude(state__in=OPEN_STATES)
    return set(rows.values_list("name", flat=True))


def open_offloads(state: str, *, begun_before: datetime) -> Iterator[KnownOffload]:
    """Yield offloads in a state, receiving or stored, that were begun before a moment, oldest first."""
    for row in _rows().filter(state=state, begun_at__lt=begun_before).order_by("begun_at").iterator():
        yield _known(row)


@dataclass(frozen=True)
class KeptFootage:
    """Footage of a stream that is here, with the recording it became."""

    original: KnownOriginal
    recording: KnownRecording


def footage_of_stream(device: DeviceKey, stream: str) -> KeptFootage | None:
    """Return the footage that a stream's journal speaks for, where it is here as a recording."""
    rows = Part.objects.filter(recording__journal__device_id=device.pk, recording__journal__stream=stream)
    part = rows.select_related("original", "recording").order_by("number").first()
    return None if part is None else KeptFootage(known_original(part.original), _recording(part.recording))


def journals_beside(device: DeviceKey, stream: str) -> list[KnownOriginal]:
    """Return the journals of a stream that came as files of their own, oldest first."""
    rows = Attachment.objects.filter(
        device_id=device.pk, kind="journal", offered_name=journal_file_name(stream)
    )
    return [known_original(row.original) for row in rows.select_related("original").order_by("pk")]


def journal_file_name(stream: str) -> str:
    """Return the name under which a stream's journal is kept."""
    return f"{stream}.journal"


def device_named(device: DeviceKey) -> tuple[str, str]:
    """Return a camera's make and serial number."""
    make, serial = Device.objects.values_list("make", "serial").get(pk=device.pk)
    return make, serial


def _recording(row: Recording) -> KnownRecording:
    times = CaptureTimes(row.started_at, row.ended_at, row.zone, row.clock_source)
    return KnownRecording(row.pk, row.identifier, row.received_at, times)


def _rows() -> QuerySet[Offload]:
    return Offload.objects.select_related("dock", "device", "recording")


def _known(row: Offload) -> KnownOffload:
    return KnownOffload(
        name=row.name,
        dock=row.dock_id,
        dock_pseudonym=row.dock.pseudonym,
        device=None if row.device is None else DeviceKey(row.device.pk, row.device.pseudonym),
        kind=row.kind,
        stream=row.stream,
        offered_name=row.offered_name,
        size_bytes=row.size_bytes,
        sent_sha256=row.sent_sha256,
        particulars=row.particulars,
        state=row.state,
        begun_at=row.begun_at,
        recording=None if row.recording is None else row.recording.identifier,
        act_id=row.act_id,
        reason=row.reason,
        reason_text=row.reason_text,
    )

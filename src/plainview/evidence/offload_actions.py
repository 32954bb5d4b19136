"""Note what docks hand in, from the first byte to what became of it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from plainview.custody.record import Actor, record
from plainview.evidence import rules
from plainview.evidence.camera_models import Offload
from plainview.evidence.errors import TooManyOffloadsError
from plainview.evidence.models import Recording
from plainview.evidence.offload_queries import OPEN_STATES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from plainview.evidence.rules import DeviceKey

# The job, as pipeline.jobs knows it; after what a person waits for at a browser, before all that can wait.
JOB = "plainview.take_in_offload"
QUEUE = "uploads"
PRIORITY = 15
# Two hundred cameras in one dock, each with a file on its way and more announced.
OPEN_LIMIT = 4000
ENDS = frozenset({"received", "duplicate", "quarantined", "refused"})


@dataclass(frozen=True)
class OfferedFile:
    """What a dock says of a file before it sends it.

    Attributes:
        kind: one of camera_rules.OFFLOAD_KINDS.
        stream: id of the journal it belongs to; empty for files of other makers.
        offered_name: as it came.
        size_bytes: how much will be sent.
        sent_sha256: of that, 64 hex digits.
        particulars: what else the dock knows; any JSON.
    """

    kind: str
    stream: str
    offered_name: str
    size_bytes: int
    sent_sha256: str
    particulars: Mapping[str, Any]


@transaction.atomic
def begin_offload(
    *, name: str, dock: int, device: DeviceKey | None, file: OfferedFile, actor: Actor, now: datetime
) -> None:
    """Note that a dock begins to hand in a file.

    Args:
        name: of the place that the vault has made for it, 32 hex digits.
        dock: key of the dock's row.
        device: the camera it comes from, where that is known.
        file: what the dock says of it.
        actor: the dock.
        now: when.

    Raises:
        TooManyOffloadsError: it has begun too many that it did not send.
    """
    if Offload.objects.filter(dock_id=dock, state__in=OPEN_STATES).count() >= OPEN_LIMIT:
        raise TooManyOffloadsError(OPEN_LIMIT)
    shown = rules.printable_name(file.offered_name)
    Offload.objects.create(
        name=name,
        dock_id=dock,
        device_id=None if device is None else device.pk,
        kind=file.kind,
        stream=file.stream,
        offered_name=shown,
        size_bytes=file.size_bytes,
        sent_sha256=file.sent_sha256,
        particulars=dict(file.particulars),
        begun_at=now,
    )
    record(
        "offload.begun",
        object=f"offload:{name}",
        actor=actor,
        now=now,
        facts={
            "kind": file.kind,
            "size_bytes": file.size_bytes,
            "sent_sha256": file.sent_sha256,
            "device": "none" if device is None else device.pseudonym,
        },
        detail={"offered_name": shown},
    )


@transaction.atomic
def store_offload(*, name: str) -> None:
    """Note that every byte has come, and have somebody look what it is; noting it again changes nothing."""
    row = Offload.objects.select_for_update().filter(name=name, state="receiving").first()
    if row is not None:
        row.state = "stored"
        row.save(update_fields=["state"])
        _defer(row)


@transaction.atomic
def look_at_offload(*, name: str) -> None:
    """Have somebody look at an offload that is stored, where nobody is to already."""
    row = Offload.objects.select_for_update().filter(name=name, state="stored").first()
    if row is not None:
        _defer(row)


@transaction.atomic
def end_offload(
    *,
    name: str,
    state: str,
    recording: str | None = None,
    act_id: int | None = None,
    reason: str = "",
    reason_text: str = "",
    now: datetime,
) -> None:
    """Note what became of an offload that was stored; in the transaction of the act that made it so, where one did.

    Args:
        name: of the offload.
        state: received, duplicate, quarantined or refused.
        recording: identifier of the recording it is or belongs to, or None.
        act_id: of the act whose leaf is the dock's receipt; None for what was refused.
        reason: why it is none, as a code; or empty.
        reason_text: the same for people.
        now: when.
    """
    if state not in ENDS:
        raise ValueError(f"state of an offload that ended: expected one of {sorted(ENDS)}, got {state!r}")
    row = Offload.objects.select_for_update().filter(name=name, state="stored").first()
    if row is not None:
        row.state, row.ended_at, row.act_id = state, now, act_id
        row.reason, row.reason_text = reason, reason_text
        row.recording = None if recording is None else Recording.objects.get(identifier=recording)
        row.save(update_fields=["state", "ended_at", "act_id", "reason", "reason_text", "recording"])


@transaction.atomic
def drop_offload(*, name: str, reason: str, reason_text: str, actor: Actor, now: datetime) -> bool:
    """Note that an offload is given up before it was whole; the camera still has the file.

    Args:
        name: of the offload.
        reason: why, as a code: cancelled, expired, lost.
        reason_text: the same for people.
        actor: who gives it up.
        now: when.

    Returns:
        Whether it was still being received; otherwise nothing was changed.
    """
    row = Offload.objects.select_for_update().filter(name=name, state="receiving").first()
    if row is None:
        return False
    row.state, row.ended_at, row.reason, row.reason_text = "dropped", now, reason, reason_text
    row.save(update_fields=["state", "ended_at", "reason", "reason_text"])
    record("offload.dropped", object=f"offload:{name}", actor=actor, now=now, why=reason)
    return True


def _defer(row: Offload) -> None:
    # Footage and journal of one press one after the other: each looks whether the other is there.
    together = f"stream:{row.device_id}/{row.stream}" if row.stream else f"offload:{row.name}"
    job = app.configure_task(
        JOB, queue=QUEUE, priority=PRIORITY, queueing_lock=f"offload:{row.name}", lock=together
    )
    # Inside a savepoint: where the job waits already, the lock's error must not end the transaction.
    with contextlib.suppress(AlreadyEnqueued), transaction.atomic():
        job.defer(name=row.name)

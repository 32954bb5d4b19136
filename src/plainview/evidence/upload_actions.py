"""Note what people hand in through a browser, from the first byte to what became of it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from plainview.custody.record import Actor, record
from plainview.evidence import rules
from plainview.evidence.errors import TooManyUploadsError
from plainview.evidence.models import Recording, Upload
from plainview.evidence.upload_queries import OPEN_STATES

if TYPE_CHECKING:
    from datetime import datetime

# The job, as pipeline.jobs knows it, and before what it comes: somebody waits for the answer.
JOB = "plainview.take_in_upload"
QUEUE = "uploads"
PRIORITY = 20
OPEN_LIMIT = 100
ENDS = frozenset({"received", "duplicate", "quarantined", "refused"})


@transaction.atomic
def begin_upload(
    *, name: str, user: int, offered_name: str, size_bytes: int, actor: Actor, now: datetime
) -> None:
    """Note that somebody begins to hand in a file.

    Args:
        name: of the place that the vault has made for it, 32 hex digits.
        user: key of the row of who begins.
        offered_name: the file's name, as it came.
        size_bytes: how much they announce.
        actor: the same person, as the custody log names them.
        now: when.

    Raises:
        TooManyUploadsError: they have begun too many that they did not send.
    """
    if Upload.objects.filter(user_id=user, state__in=OPEN_STATES).count() >= OPEN_LIMIT:
        raise TooManyUploadsError(OPEN_LIMIT)
    Upload.objects.create(
        name=name,
        user_id=user,
        offered_name=rules.printable_name(offered_name),
        size_bytes=size_bytes,
        begun_at=now,
    )
    record(
        "upload.begun",
        object=f"upload:{name}",
        actor=actor,
        now=now,
        facts={"size_bytes": size_bytes},
        detail={"offered_name": rules.printable_name(offered_name)},
    )


@transaction.atomic
def store_upload(*, name: str) -> None:
    """Note that every byte has come, and have somebody look what it is; noting it again changes nothing."""
    row = Upload.objects.select_for_update().filter(name=name, state="receiving").first()
    if row is not None:
        row.state = "stored"
        row.save(update_fields=["state"])
        _defer(name)


@transaction.atomic
def look_at_upload(*, name: str) -> None:
    """Have somebody look at an upload that is stored, where nobody is to already."""
    if Upload.objects.select_for_update().filter(name=name, state="stored").exists():
        _defer(name)


@transaction.atomic
def end_upload(
    *, name: str, state: str, recording: str | None, reason: str, reason_text: str, now: datetime
) -> None:
    """Note what became of an upload that was stored; the acts that made it so are in the log by themselves.

    Args:
        name: of the upload.
        state: received, duplicate, quarantined or refused.
        recording: identifier of the recording it is, or None.
        reason: why it is none, as a code; or empty.
        reason_text: the same for people.
        now: when.
    """
    if state not in ENDS:
        raise ValueError(f"state of an upload that ended: expected one of {sorted(ENDS)}, got {state!r}")
    row = Upload.objects.select_for_update().filter(name=name, state="stored").first()
    if row is not None:
        row.state, row.ended_at, row.reason, row.reason_text = state, now, reason, reason_text
        row.recording = None if recording is None else Recording.objects.get(identifier=recording)
        row.save(update_fields=["state", "ended_at", "reason", "reason_text", "recording"])


@transaction.atomic
def drop_upload(*, name: str, reason: str, reason_text: str, actor: Actor, now: datetime) -> bool:
    """Note that an upload is given up before it was whole.

    Args:
        name: of the upload.
        reason: why, as a code: cancelled, expired, lost.
        reason_text: the same for people.
        actor: who gives it up.
        now: when.

    Returns:
        Whether it was still being received; otherwise nothing was changed.
    """
    row = Upload.objects.select_for_update().filter(name=name, state="receiving").first()
    if row is None:
        return False
    row.state, row.ended_at, row.reason, row.reason_text = "dropped", now, reason, reason_text
    row.save(update_fields=["state", "ended_at", "reason", "reason_text"])
    record("upload.dropped", object=f"upload:{name}", actor=actor, now=now, why=reason)
    return True


def _defer(name: str) -> None:
    job = app.configure_task(
        JOB, queue=QUEUE, priority=PRIORITY, queueing_lock=f"upload:{name}", lock=f"upload:{name}"
    )
    # Inside a savepoint: where the job waits already, the lock's error must not end the transaction.
    with contextlib.suppress(AlreadyEnqueued), transaction.atomic():
        job.defer(name=name)

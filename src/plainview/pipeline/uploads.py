"""Take in what people handed in through a browser, once every byte has come, and give up what never came whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from plainview.custody.record import Actor
from plainview.evidence import queries
from plainview.evidence.upload_actions import drop_upload, end_upload, look_at_upload, store_upload
from plainview.evidence.upload_queries import get_upload, open_uploads
from plainview.pipeline.installation import publish
from plainview.pipeline.intake import discard, facts_of, take_stored
from plainview.service.errors import JailError
from plainview.vault.errors import KeyMissingError, ReadBackError
from plainview.vault.incoming import drop_incoming, finish_incoming, incoming_offset
from plainview.vault.incoming_errors import IncomingDamagedError, IncomingError, IncomingMissingError

if TYPE_CHECKING:
    from datetime import datetime

    from plainview.evidence.upload_queries import KnownUpload
    from plainview.pipeline.installation import Installation
    from plainview.pipeline.intake import Intake, Outcome

KEEPER = Actor("system:uploads")
# A job begins within seconds; where none has after this long, its own was lost.
JOB_LOST_AFTER = timedelta(minutes=10)
# What no second try mends, each with a sentence for whoever handed the file in.
LOST = ("lost", "What had been sent is gone. Send the file again.")
REFUSALS: dict[type[Exception], tuple[str, str]] = {
    IncomingMissingError: LOST,
    KeyMissingError: LOST,
    IncomingDamagedError: LOST,
    ReadBackError: (
        "read_back_differs",
        "The disk gave back something else than was sent, so nothing was kept. Tell whoever keeps the server.",
    ),
}
NOT_EXAMINED = ("not_examined", "It could not be examined, so nothing was kept. Report this.")


def take_in_upload(intake: Intake, name: str, *, is_last_try: bool = False) -> None:
    """Make what it is of an upload whose every byte has come: a recording, a duplicate, a file in quarantine.

    Interrupted anywhere, doing it again ends it, with one recording. Its state says so only when a published
    checkpoint covers it.

    Args:
        intake: what taking in needs; the actor is who handed it in.
        name: of the upload; one that is not waiting for this is left alone.
        is_last_try: whether to refuse what cannot be examined, since nobody will try again.

    Raises:
        JailError: the jail failed; try again.
        IncomingBusyError: somebody is still at it; try again.
        StoreError, KeyStoreError: the disk is full or broken; nothing is lost; try again.
        LogError: the log cannot be published; try again.
    """
    upload = get_upload(name)
    if upload is None or upload.state != "stored":
        return
    installation = intake.installation
    try:
        received = finish_incoming(installation.store, installation.keys, name)
        outcome = take_stored(
            replace(intake, actor=Actor(upload.pseudonym)), upload.offered_name, facts_of(received)
        )
    except tuple(REFUSALS) as error:
        _refuse(intake, name, next(said for kind, said in REFUSALS.items() if isinstance(error, kind)))
        drop_incoming(installation.store, installation.keys, name)
    except JailError:
        if not is_last_try:
            raise
        _refuse(intake, name, NOT_EXAMINED)
        _discard_unnamed(installation, name)
    else:
        publish(installation)
        _end(intake, name, outcome)
        _discard_unnamed(installation, name)


def keep_uploads(installation: Installation, *, now: datetime) -> int:
    """Give up what nobody sent the rest of, and see to what an interruption left lying; from time to time.

    Returns:
        How many were given up.
    """
    dropped = 0
    for upload in open_uploads("receiving", begun_before=now):
        if upload.expires_at <= now:
            dropped += give_up(
                installation, upload, "expired", "The rest did not come in time.", KEEPER, now=now
            )
        elif _is_whole(installation, upload):
            # Who sent the last piece was stopped before that could be noted.
            store_upload(name=upload.name)
    for upload in open_uploads("stored", begun_before=now - JOB_LOST_AFTER):
        look_at_upload(name=upload.name)
    return dropped


def give_up(
    installation: Installation, upload: KnownUpload, reason: str, text: str, actor: Actor, *, now: datetime
) -> bool:
    """Forget an upload that is not whole, its key first.

    Returns:
        Whether it was still being received; otherwise nothing was changed.
    """
    is_dropped = drop_upload(name=upload.name, reason=reason, reason_text=text, actor=actor, now=now)
    if is_dropped:
        # What an interruption keeps from this, the next start sweeps.
        drop_incoming(installation.store, installation.keys, upload.name)
    return is_dropped


def _is_whole(installation: Installation, upload: KnownUpload) -> bool:
    try:
        return incoming_offset(installation.store, upload.name) == upload.size_bytes
    except IncomingError:
        return False


def _end(intake: Intake, name: str, outcome: Outcome) -> None:
    end_upload(
        name=name,
        state=outcome.status,
        recording=outcome.recording,
        reason=outcome.reason or "",
        reason_text=outcome.text if outcome.status == "quarantined" else "",
        now=intake.now(),
    )


def _refuse(intake: Intake, name: str, said: tuple[str, str]) -> None:
    reason, text = said
    end_upload(name=name, state="refused", recording=None, reason=reason, reason_text=text, now=intake.now())


def _discard_unnamed(installation: Installation, object_id: str) -> None:
    """Remove the object where the same bytes were there already, or nothing was made of them."""
    if queries.original_by_object(object_id) is None:
        discard(installation, object_id)

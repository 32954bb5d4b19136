"""Take in what docks handed in, once every byte has come, and give up what never came whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from plainview.custody.act_queries import newest_act
from plainview.custody.record import Actor
from plainview.evidence import queries
from plainview.evidence.offload_actions import drop_offload, end_offload, look_at_offload, store_offload
from plainview.evidence.offload_queries import get_offload, open_offloads
from plainview.formats.errors import FormatError
from plainview.formats.particulars import parse_particulars
from plainview.pipeline.camera_intake import take_in_sealed
from plainview.pipeline.imports import receive_as_said
from plainview.pipeline.intake import discard, facts_of, take_stored
from plainview.service.errors import JailError
from plainview.vault.errors import KeyMissingError, ReadBackError
from plainview.vault.incoming import drop_incoming, finish_incoming, incoming_offset
from plainview.vault.incoming_errors import IncomingDamagedError, IncomingError, IncomingMissingError

if TYPE_CHECKING:
    from datetime import datetime

    from plainview.evidence.offload_queries import KnownOffload
    from plainview.evidence.rules import OriginalFacts
    from plainview.pipeline.installation import Installation
    from plainview.pipeline.intake import Intake, Outcome

KEEPER = Actor("system:docks")
# A job begins within seconds; where none has after this long, its own was lost.
JOB_LOST_AFTER = timedelta(minutes=10)
# What no second try mends, each with a sentence for whoever looks at the dock; the camera keeps the file.
LOST = ("lost", "What had been sent is gone. The camera still has it, and it is sent again.")
REFUSALS: dict[type[Exception], tuple[str, str]] = {
    IncomingMissingError: LOST,
    KeyMissingError: LOST,
    IncomingDamagedError: LOST,
    ReadBackError: (
        "read_back_differs",
        "The disk gave back something else than was sent, so nothing was kept. Tell whoever keeps the server.",
    ),
}
DIFFERS = (
    "differs",
    "What came has the SHA-256 {found}, and {said} was announced. Nothing was kept; the camera still has it.",
)
NOT_EXAMINED = ("not_examined", "It could not be examined, so nothing was kept. The camera still has it.")


def actor_of_dock(pseudonym: str) -> Actor:
    """Return a dock as the custody log may know it: which one it was stands behind the commitment."""
    return Actor("system:dock", session={"dock": pseudonym})


def take_in_offload(intake: Intake, name: str, *, is_last_try: bool = False) -> None:
    """Make what it is of an offload whose every byte has come.

    Interrupted anywhere, doing it again ends it, with one recording. The dock gets its receipt once a published
    checkpoint covers the act.

    Args:
        intake: what taking in needs; the actor is the dock.
        name: of the offload; one that is not waiting for this is left alone.
        is_last_try: whether to refuse what cannot be examined, since nobody will try again.

    Raises:
        JailError: the jail failed; try again.
        IncomingBusyError: somebody is still at it; try again.
        StoreError, KeyStoreError: the disk is full or broken; nothing is lost; try again.
    """
    offload = get_offload(name)
    if offload is None or offload.state != "stored":
        return
    installation = intake.installation
    intake = replace(intake, actor=actor_of_dock(offload.dock_pseudonym), device=offload.device)
    try:
        received = finish_incoming(installation.store, installation.keys, name)
        _take(intake, offload, facts_of(received))
    except tuple(REFUSALS) as error:
        said = next(said for kind, said in REFUSALS.items() if isinstance(error, kind))
        _refuse(intake, name, said)
        drop_incoming(installation.store, installation.keys, name)
    except JailError:
        if not is_last_try:
            raise
        _refuse(intake, name, NOT_EXAMINED)
    _discard_unnamed(installation, name)


def keep_offloads(installation: Installation, *, now: datetime) -> int:
    """Give up what no dock sent the rest of, and see to what an interruption left lying; from time to time.

    Returns:
        How many were given up.
    """
    dropped = 0
    for offload in open_offloads("receiving", begun_before=now):
        if offload.expires_at <= now:
            text = "The rest did not come in time. The camera still has it."
            dropped += give_up(installation, offload, ("expired", text), KEEPER, now=now)
        elif _is_whole(installation, offload):
            # Who sent the last piece was stopped before that could be noted.
            store_offload(name=offload.name)
    for offload in open_offloads("stored", begun_before=now - JOB_LOST_AFTER):
        look_at_offload(name=offload.name)
    return dropped


def give_up(
    installation: Installation, offload: KnownOffload, said: tuple[str, str], actor: Actor, *, now: datetime
) -> bool:
    """Forget an offload that is not whole, its key first.

    Returns:
        Whether it was still being received; otherwise nothing was changed.
    """
    reason, text = said
    is_dropped = drop_offload(name=offload.name, reason=reason, reason_text=text, actor=actor, now=now)
    if is_dropped:
        # What an interruption keeps from this, the next start sweeps.
        drop_incoming(installation.store, installation.keys, offload.name)
    return is_dropped


def _take(intake: Intake, offload: KnownOffload, came: OriginalFacts) -> None:
    if came.sha256 != offload.sent_sha256:
        reason, text = DIFFERS
        said = text.format(found=came.sha256, said=offload.sent_sha256)
        _refuse(intake, offload.name, (reason, said))
    elif offload.kind == "file":
        _end_file(intake, offload, take_stored(_with_said(intake, offload), offload.offered_name, came))
    else:
        take_in_sealed(intake, offload, came)


def _with_said(intake: Intake, offload: KnownOffload) -> Intake:
    """Return the same with what the dock says of a file, as far as it says it in the way that docks do."""
    try:
        said = parse_particulars(dict(offload.particulars))
    except FormatError:
        return intake
    return replace(intake, receive=receive_as_said(said))


def _end_file(intake: Intake, offload: KnownOffload, outcome: Outcome) -> None:
    """End the offload of another maker's file; its leaf says the digest of the file itself."""
    original = None if outcome.sha256 is None else queries.original_by_sha256(outcome.sha256)
    kept = "" if original is None else f"original:{original.facts.object_id}"
    act = {
        "received": "recording.received",
        "duplicate": "recording.offered_again",
        "quarantined": "file.quarantined",
    }
    end_offload(
        name=offload.name,
        state=outcome.status,
        recording=outcome.recording,
        act_id=newest_act(outcome.recording or kept, act[outcome.status]),
        reason=outcome.reason or "",
        reason_text=outcome.text if outcome.status == "quarantined" else "",
        now=intake.now(),
    )


def _is_whole(installation: Installation, offload: KnownOffload) -> bool:
    try:
        return incoming_offset(installation.store, offload.name) == offload.size_bytes
    except IncomingError:
        return False


def _refuse(intake: Intake, name: str, said: tuple[str, str]) -> None:
    reason, text = said
    end_offload(name=name, state="refused", reason=reason, reason_text=text, now=intake.now())


def _discard_unnamed(installation: Installation, object_id: str) -> None:
    """Remove the bytes as they came where they became something else: what was sealed is kept opened."""
    if queries.original_by_object(object_id) is None:
        discard(installation, object_id)

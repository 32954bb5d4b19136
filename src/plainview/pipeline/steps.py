"""Do one step of one original: claim it, work outside any transaction, and keep the result in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from django.db import DatabaseError

from plainview.custody.record import Actor
from plainview.evidence.step_actions import (
    Failure,
    claim_step,
    fail_step,
    finish_derive,
    finish_transcript,
    put_back_step,
)
from plainview.pipeline.derivatives import make_derivatives
from plainview.pipeline.derived_store import discard
from plainview.pipeline.hearing import make_transcript
from plainview.pipeline.workplace import (
    Attempt,
    LostStepError,
    ModelTroubleError,
    StepFailedError,
    StoppedError,
)
from plainview.service.errors import JailError
from plainview.vault.errors import (
    KeyMissingError,
    KeyStoreError,
    ObjectMissingError,
    ReadBackError,
    StoreError,
    StoreFullError,
)

if TYPE_CHECKING:
    from plainview.evidence.rules import ClaimedStep
    from plainview.pipeline.workplace import Workplace

WORKER = Actor("system:pipeline")
# What is this machine's fault and not the recording's: the step waits, however often it happens.
OUR_TROUBLE: tuple[tuple[type[Exception], Failure], ...] = (
    (StoreFullError, Failure("disk_full", "The disk is full. Processing goes on when there is space again.")),
    (
        ObjectMissingError,
        Failure(
            "original_missing",
            "The original is not in its store. Check that its disk is mounted, then run fsck.",
        ),
    ),
    (
        StoreError,
        Failure("disk_fault", "The disk failed. Processing goes on when it can be read and written."),
    ),
    (ReadBackError, Failure("disk_fault", "The disk gave back other bytes than were written. Test it.")),
    (KeyStoreError, Failure("keys", "The key store cannot be read. Processing goes on when it can.")),
    (
        JailError,
        Failure("decoder_unavailable", "The decoder could not be started. Processing is tried again."),
    ),
    (ModelTroubleError, Failure("model", "The installed speech model cannot be used. Install it again.")),
    (MemoryError, Failure("memory", "This machine is short of memory. Processing is tried again.")),
    (
        OSError,
        Failure("machine", "This machine refused something that was needed. Processing is tried again."),
    ),
)
log: structlog.stdlib.BoundLogger = structlog.get_logger("plainview")


def run_step(workplace: Workplace, *, original: int, name: str, times: int) -> None:
    """Do a step, if it is still to be done.

    Args:
        workplace: what there is to work with.
        original: key of its row.
        name: derive or transcript.
        times: how often in a row it has waited for this machine already.

    Raises:
        DatabaseError: the database went away; whoever looks after lost steps has it done again.
    """
    claim = claim_step(original=original, name=name, actor=WORKER, now=workplace.now())
    if claim is None:
        return
    with structlog.contextvars.bound_contextvars(step=name, object=claim.original.facts.object_id):
        log.info("step began", attempt=claim.attempt)
        try:
            is_kept = STEPS[name](workplace, claim, Attempt(workplace, claim))
            log.info("step done" if is_kept else "step was taken over, its result is dropped")
        except StoppedError:
            put_back_step(claim, failure=None, times=times, now=workplace.now())
            log.info("step given back, the worker is stopping")
        except LostStepError:
            log.info("step was taken over")
        except DatabaseError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the step must not stay claimed
            _note_trouble(workplace, claim, error, times)


def _derive(workplace: Workplace, claim: ClaimedStep, attempt: Attempt) -> bool:
    made = make_derivatives(workplace, claim, attempt)
    # Where the database goes away here, perhaps it was committed all the same: a sweep looks at the rows and decides.
    is_kept = finish_derive(claim, made=made, actor=WORKER, now=workplace.now())
    if not is_kept:
        discard(workplace.derived, [each.object_id for each in made])
    return is_kept


def _transcribe(workplace: Workplace, claim: ClaimedStep, attempt: Attempt) -> bool:
    found = make_transcript(workplace, claim, attempt)
    return finish_transcript(claim, found=found, actor=WORKER, now=workplace.now())


STEPS = {"derive": _derive, "transcript": _transcribe}


def _note_trouble(workplace: Workplace, claim: ClaimedStep, error: Exception, times: int) -> None:
    """Write down why a step did not come to its end, and when or whether it is tried again."""
    ours = next((failure for kind, failure in OUR_TROUBLE if isinstance(error, kind)), None)
    if ours is not None and not isinstance(error, KeyMissingError):
        delay = put_back_step(claim, failure=ours, times=times, now=workplace.now())
        log.warning("step waits", reason=ours.reason, error=str(error), delay=str(delay))
        return
    failure, is_final = _failure(error)
    state = fail_step(claim, failure=failure, is_final=is_final, actor=WORKER, now=workplace.now())
    is_foreseen = isinstance(error, (StepFailedError, KeyMissingError))
    log.warning(
        "step failed",
        reason=failure.reason,
        error=str(error),
        state=state,
        exc_info=None if is_foreseen else error,
    )


def _failure(error: Exception) -> tuple[Failure, bool]:
    if isinstance(error, StepFailedError):
        return Failure(error.reason[:64], error.text), error.is_final
    if isinstance(error, KeyMissingError):
        return Failure(
            "key_destroyed", "The original's key was destroyed, so nothing can be made of it."
        ), True
    text = f"Processing ended with an error of the program ({type(error).__name__}). Report it."
    return Failure("unexpected", text), False

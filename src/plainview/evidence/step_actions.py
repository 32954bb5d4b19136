"""What is done with every original once it is received: who is at it, how it went, and what comes next.

A step's row says where it stands, a job in the queue makes somebody look at it. The two change in one transaction. A job
that finds nothing to do ends; a step whose job was lost is found by requeue_steps(). So a job may run twice and a step's
result still counts once: whoever comes back from a claim that somebody else has taken over is told so.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Value
from django.db.models.fields import TextField
from django.db.models.functions import Cast, Concat
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import AlreadyEnqueued

from plainview.custody.record import record
from plainview.evidence import rules
from plainview.evidence.models import Cue, Derivative, Original, Recording, Step, Transcript
from plainview.evidence.queries import known_original
from plainview.evidence.rules import STEPS, ClaimedStep
from plainview.evidence.search_actions import refresh_search_row
from plainview.evidence.step_queries import duration_ms_of
from plainview.tasks.actions import close_task, open_task
from plainview.tasks.queries import access_task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from plainview.accounts.rules import Viewer
    from plainview.custody.record import Actor
    from plainview.formats.leaf import Fact

# The job, as pipeline.jobs knows it.
JOB = "plainview.run_step"
QUEUE = "steps"
# A page wants its pictures first; words come when nothing else waits.
PRIORITIES = {"derive": 10, "transcript": -10}
NO_DELAY = timedelta(0)
DIED = ("worker_died", "The program that worked on it ended in the middle, three times.")


@dataclass(frozen=True)
class DerivativeFacts:
    """What was made of an original; see evidence.models.Derivative."""

    kind: str
    object_id: str
    object_bytes: int
    object_sha256: str
    sha256: str
    size_bytes: int
    tool: str
    settings: Mapping[str, Any]
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class CueFacts:
    """A piece of transcript; words are [start_ms, end_ms, word, confidence or None]."""

    start_ms: int
    end_ms: int
    text: str
    words: Sequence[Sequence[Any]]


@dataclass(frozen=True)
class TranscriptFacts:
    """What a machine took the speech of an original to be; see evidence.models.Transcript."""

    engine: str
    model: str
    version: str
    settings: Mapping[str, Any]
    language: str
    notice: str
    cues: Sequence[CueFacts]


@dataclass(frozen=True)
class Failure:
    """Why a step did not come to its end, as a code and a sentence for people."""

    reason: str
    text: str


def begin_steps(original: Original, *, now: datetime) -> None:
    """Note what is to be done with an original, and have the first of it done."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("begin_steps belongs into the transaction that receives the original")
    for name in STEPS:
        Step.objects.get_or_create(original=original, name=name, defaults={"queued_at": now})
    _defer(original.pk, STEPS[0], at=now)


@transaction.atomic
def claim_step(*, original: int, name: str, actor: Actor, now: datetime) -> ClaimedStep | None:
    """Take a step for oneself.

    One that somebody died at is taken over; after the third such death it is parked.

    Args:
        original: key of its row.
        name: one of rules.STEPS.
        actor: who takes it.
        now: when.

    Returns:
        The claim; None where there is nothing to do.
    """
    step = Step.objects.select_for_update().filter(original_id=original, name=name).first()
    if step is None or step.state not in {"waiting", "doing"}:
        return None
    if step.attempts >= rules.MOST_ATTEMPTS:
        _park(step, Failure(*DIED), actor, now)
        return None
    step.state, step.attempts, step.fraction = "doing", step.attempts + 1, 0.0
    step.started_at, step.ended_at = now, None
    step.save()
    row = step.original
    return ClaimedStep(
        key=step.pk,
        name=name,
        attempt=step.attempts,
        original=known_original(row),
        duration_ms=duration_ms_of(row),
    )


def note_progress(claim: ClaimedStep, fraction: float) -> bool:
    """Write down how far a step is, 0 to 1; one short statement of its own.

    Returns:
        Whether the claim still holds.
    """
    rows = Step.objects.filter(pk=claim.key, state="doing", attempts=claim.attempt)
    return bool(rows.update(fraction=max(0.0, min(1.0, fraction))))


@transaction.atomic
def finish_derive(
    claim: ClaimedStep, *, made: Sequence[DerivativeFacts], actor: Actor, now: datetime
) -> bool:
    """Keep what was made of an original, and have the next step done.

    Returns:
        Whether the claim still held; if not, nothing was kept and what was made is to be thrown away.
    """
    step = _held(claim)
    if step is None:
        return False
    for each in made:
        columns = {name: getattr(each, name) for name in DerivativeFacts.__dataclass_fields__}
        Derivative.objects.create(original_id=claim.original.key, made_at=now, **columns)
    if made:
        digests: dict[str, Fact] = {f"{each.kind}_sha256": each.sha256 for each in made}
        facts = {"of": claim.original.facts.sha256, **digests, "tool": made[0].tool}
        record("derivative.made", object=_shown(step), actor=actor, now=now, facts=facts)
    _done(step, now)
    return True


@transaction.atomic
def finish_transcript(claim: ClaimedStep, *, found: TranscriptFacts, actor: Actor, now: datetime) -> bool:
    """Keep a transcript, and make its words findable.

    Returns:
        As finish_derive().
    """
    step = _held(claim)
    if step is None:
        return False
    names = ("engine", "model", "version", "settings", "language", "notice")
    transcript = Transcript.objects.create(
        original_id=claim.original.key,
        input_sha256=claim.original.facts.sha256,
        made_at=now,
        **{name: getattr(found, name) for name in names},
    )
    Cue.objects.bulk_create(
        [
            Cue(
                transcript=transcript,
                number=number,
                start_ms=cue.start_ms,
                end_ms=cue.end_ms,
                text=cue.text,
                words=[list(word) for word in cue.words],
            )
            for number, cue in enumerate(found.cues, start=1)
        ],
        batch_size=1000,
    )
    for recording in Recording.objects.filter(parts__original_id=claim.original.key).order_by("pk"):
        refresh_search_row(recording.pk)
    facts: dict[str, Fact] = {
        "of": claim.original.facts.sha256,
        "engine": found.engine,
        "model": found.model or "none",
        "cues": len(found.cues),
    }
    record("transcript.made", object=_shown(step), actor=actor, now=now, facts=facts)
    _done(step, now)
    return True


@transaction.atomic
def fail_step(
    claim: ClaimedStep, *, failure: Failure, is_final: bool, actor: Actor, now: datetime
) -> str | None:
    """Note that an attempt failed: try again later, or park the step and ask a person.

    Args:
        claim: whose attempt.
        failure: why.
        is_final: the reason will not go away by trying.
        actor: who tried.
        now: when.

    Returns:
        The step's new state; None where the claim did not hold any more.
    """
    step = _held(claim)
    if step is None:
        return None
    if rules.is_worth_another(claim.attempt, is_final=is_final):
        _wait(step, failure, now)
        _defer(step.original_id, step.name, at=now + rules.retry_after(claim.attempt))
    else:
        _park(step, failure, actor, now)
    return step.state


@transaction.atomic
def put_back_step(
    claim: ClaimedStep, *, failure: Failure | None, times: int, now: datetime
) -> timedelta | None:
    """Give a step back that could not be worked on, for no fault of the recording; the attempt does not count.

    Args:
        claim: what is given back.
        failure: what stood in the way; None where the worker was only asked to stop.
        times: how often in a row this has happened to it before.
        now: when.

    Returns:
        How long it waits; None where the claim did not hold any more.
    """
    step = _held(claim)
    if step is None:
        return None
    step.attempts -= 1
    delay = NO_DELAY if failure is None else rules.wait_after(times)
    _wait(step, failure or Failure("", ""), now)
    _defer(step.original_id, step.name, at=now + delay, times=0 if failure is None else times + 1)
    return delay


@transaction.atomic
def answer_parked_step(*, task: int, answer: str, viewer: Viewer, actor: Actor, now: datetime) -> int:
    """Answer what a parked step asked; "again" has every parked step of that recording done again.

    Args:
        task: key of the task.
        answer: "again" or "left".
        viewer: who answers.
        actor: the same, for the custody log.
        now: when.

    Returns:
        How many steps are tried again.

    Raises:
        NoSuchTaskError, TaskClosedError, UnknownAnswerError: as tasks.actions.close_task.
    """
    about = access_task(viewer=viewer, key=task).about
    close_task(key=task, answer=answer, viewer=viewer, actor=actor, now=now)
    if answer != "again":
        return 0
    parked = Step.objects.select_for_update(of=("self",)).filter(
        state="parked", original__parts__recording__identifier=about
    )
    steps = list(parked.order_by("pk"))
    for step in steps:
        _begin_again(step, now)
    return len(steps)


@transaction.atomic
def remake_derivatives(*, original: int, now: datetime) -> bool:
    """Have an original's derivatives made anew, because they are gone from their store.

    Returns:
        Whether that was begun; not where the step waits or is under way already.
    """
    step = Step.objects.select_for_update().filter(original_id=original, name="derive", state="done").first()
    if step is not None:
        _begin_again(step, now)
    return step is not None


def requeue_steps(*, now: datetime) -> int:
    """Have every unfinished step looked at that no job in the queue is about.

    Steps of originals that were received by an older Plainview have none yet, and a job can be lost with its worker.

    Returns:
        How many jobs were queued.
    """
    lock = Concat(
        Value("step:"),
        Cast(OuterRef("original_id"), TextField()),
        Value(":"),
        OuterRef("name"),
        output_field=TextField(),
    )
    jobs = ProcrastinateJob.objects.filter(status__in=("todo", "doing"), task_name=JOB, lock=lock)
    unfinished = Step.objects.filter(state__in=("waiting", "doing"))
    lost = unfinished.exclude(Exists(jobs)).order_by("pk").values_list("original_id", "name")
    count = 0
    for original, name in lost:
        before = STEPS[: STEPS.index(name)]
        if not unfinished.filter(original_id=original, name__in=before).exists():
            with transaction.atomic():
                count += _defer(original, name, at=now)
    return count


def _held(claim: ClaimedStep) -> Step | None:
    """Return the step of a claim, locked, if the claim still holds."""
    rows = Step.objects.select_for_update(of=("self",)).select_related("original")
    return rows.filter(pk=claim.key, state="doing", attempts=claim.attempt).first()


def _done(step: Step, now: datetime) -> None:
    step.state, step.fraction, step.ended_at = "done", 1.0, now
    step.reason = step.reason_text = ""
    step.save()
    _defer_next(step, now)


def _wait(step: Step, failure: Failure, now: datetime) -> None:
    step.state, step.fraction, step.ended_at = "waiting", 0.0, now
    step.reason, step.reason_text = failure.reason, failure.text
    step.save()


def _park(step: Step, failure: Failure, actor: Actor, now: datetime) -> None:
    """Give a step up and ask a person; the others of its original go on."""
    step.state, step.ended_at = "parked", now
    step.reason, step.reason_text = failure.reason, failure.text
    step.save()
    open_task(kind="parked_step", about=_shown(step), why=failure.text, actor=actor, now=now)
    _defer_next(step, now)


def _begin_again(step: Step, now: datetime) -> None:
    step.state, step.attempts, step.fraction, step.queued_at = "waiting", 0, 0.0, now
    step.reason = step.reason_text = ""
    step.save()
    _defer(step.original_id, step.name, at=now)


def _defer_next(step: Step, now: datetime) -> None:
    following = rules.step_after(step.name)
    if following is not None:
        _defer(step.original_id, following, at=now)


def _defer(original: int, name: str, *, at: datetime, times: int = 0) -> bool:
    """Queue a job in the caller's transaction; one that waits already is enough."""
    lock = f"step:{original}:{name}"
    job = app.configure_task(
        JOB, queue=QUEUE, priority=PRIORITIES[name], lock=lock, queueing_lock=lock, schedule_at=at
    )
    # The savepoint keeps the caller's transaction usable.
    with contextlib.suppress(AlreadyEnqueued), transaction.atomic():
        job.defer(original=original, name=name, times=times)
        return True
    return False


def _shown(step: Step) -> str:
    """Return what the custody log and a task call a step's original: its first recording."""
    part = step.original.parts.select_related("recording").order_by("pk").first()
    return f"original:{step.original.object_id}" if part is None else part.recording.identifier

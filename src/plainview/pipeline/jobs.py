"""The jobs that workers do. What defers one knows its name only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.sessions.backends.db import SessionStore
from procrastinate import Blueprint, RetryStrategy
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status

from plainview.custody.record import Actor
from plainview.evidence import step_actions, upload_actions
from plainview.pipeline import steps, uploads
from plainview.pipeline.derived_store import sweep_derived
from plainview.pipeline.intake import Intake

if TYPE_CHECKING:
    from procrastinate import JobContext

    from plainview.pipeline.workplace import Workplace

JOBS = Blueprint()
WORKPLACE = "workplace"
# Work on the queue itself goes before all other work.
UPKEEP = "upkeep"
FIRST = 100
SILENT_S = 30
UPLOADS = Actor("system:uploads")
# After 3, 9, 27, 81 and 243 seconds: somebody waits. Then it is refused with its reason.
UPLOAD_TRIES = 5
KEPT_H = 7 * 24


def workplace_of(context: JobContext) -> Workplace:
    """Return what the worker that runs a job has at hand."""
    workplace: Workplace = context.additional_context[WORKPLACE]
    return workplace


@JOBS.task(name=step_actions.JOB, queue=step_actions.QUEUE, pass_context=True)
def run_step(context: JobContext, *, original: int, name: str, times: int = 0) -> None:
    """Do one step of one original."""
    steps.run_step(workplace_of(context), original=original, name=name, times=times)


@JOBS.task(
    name=upload_actions.JOB,
    queue=upload_actions.QUEUE,
    retry=RetryStrategy(max_attempts=UPLOAD_TRIES, exponential_wait=3),
    pass_context=True,
)
def take_in_upload(context: JobContext, *, name: str) -> None:
    """Take in what somebody handed in through a browser."""
    is_last_try = context.job.attempts >= UPLOAD_TRIES
    uploads.take_in_upload(_intake(workplace_of(context)), name, is_last_try=is_last_try)


def _intake(workplace: Workplace) -> Intake:
    return Intake(
        installation=workplace.installation,
        jail=workplace.jail,
        actor=UPLOADS,
        now=workplace.now,
        monotonic=workplace.monotonic,
    )


# A queueing lock and no lock: with one, a job that stalled would keep the job that looks for stalled ones from running.
@JOBS.periodic(cron="* * * * *", periodic_id="retry_stalled")
@JOBS.task(
    name="plainview.retry_stalled",
    queueing_lock="plainview.retry_stalled",
    queue=UPKEEP,
    priority=FIRST,
    pass_context=True,
)
async def retry_stalled(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - every periodic job is told when
    """Put back the jobs of workers that have fallen silent."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=SILENT_S):
        try:
            await manager.retry_job(job)
        except UniqueViolation:
            # The same work waits already.
            await manager.finish_job(job, Status.FAILED, delete_job=False)


@JOBS.periodic(cron="*/5 * * * *", periodic_id="tend_steps")
@JOBS.task(
    name="plainview.tend_steps",
    queueing_lock="plainview.tend_steps",
    queue=UPKEEP,
    priority=FIRST,
    pass_context=True,
)
def tend_steps(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - as above
    """Look for steps that no job is about, and for derivatives that no row names or no store has."""
    workplace = workplace_of(context)
    step_actions.requeue_steps(now=workplace.now())
    sweep_derived(workplace.derived, now=workplace.now())


@JOBS.periodic(cron="*/10 * * * *", periodic_id="keep_uploads")
@JOBS.task(
    name="plainview.keep_uploads",
    queueing_lock="plainview.keep_uploads",
    queue=UPKEEP,
    priority=FIRST,
    pass_context=True,
)
def keep_uploads(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - as above
    """Give up uploads that never came whole, and look for those that no job is about."""
    workplace = workplace_of(context)
    uploads.keep_uploads(workplace.installation, now=workplace.now())


@JOBS.periodic(cron="17 * * * *", periodic_id="forget_jobs")
@JOBS.task(
    name="plainview.forget_jobs",
    queueing_lock="plainview.forget_jobs",
    queue=UPKEEP,
    priority=FIRST,
    pass_context=True,
)
async def forget_jobs(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - as above
    """Forget jobs that failed a week ago; what they were about has its own rows."""
    await context.app.job_manager.delete_old_jobs(
        nb_hours=KEPT_H, include_failed=True, include_cancelled=True, include_aborted=True
    )


@JOBS.periodic(cron="41 3 * * *", periodic_id="forget_sessions")
@JOBS.task(
    name="plainview.forget_sessions",
    queueing_lock="plainview.forget_sessions",
    queue=UPKEEP,
    priority=FIRST,
)
def forget_sessions(timestamp: int) -> None:  # noqa: ARG001 - as above
    """Forget the sessions of people who are no longer signed in."""
    SessionStore.clear_expired()

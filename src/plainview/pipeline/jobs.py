"""The jobs that workers do. What defers one knows its name only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.sessions.backends.db import SessionStore
from procrastinate import Blueprint, RetryStrategy
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status

from plainview.custody.record import Actor
from plainview.evidence import destination_actions, offload_actions, step_actions, upload_actions
from plainview.pipeline import camera_watch, destination_intake, import_runs, offloads, steps, uploads
from plainview.pipeline.derived_store import sweep_derived
from plainview.pipeline.intake import Intake

if TYPE_CHECKING:
    from collections.abc import Callable

    from procrastinate import JobContext
    from procrastinate.tasks import Task

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


@JOBS.task(
    name=destination_actions.JOB,
    queue=destination_actions.QUEUE,
    retry=RetryStrategy(max_attempts=UPLOAD_TRIES, exponential_wait=3),
    pass_context=True,
)
def take_in_container(context: JobContext, *, key: int) -> None:
    """Take in what a connected system handed in."""
    destination_intake.take_in_container(_intake(workplace_of(context)), key)


@JOBS.task(
    name=offload_actions.JOB,
    queue=offload_actions.QUEUE,
    retry=RetryStrategy(max_attempts=UPLOAD_TRIES, exponential_wait=3),
    pass_context=True,
)
def take_in_offload(context: JobContext, *, name: str) -> None:
    """Take in what a dock handed in."""
    is_last_try = context.job.attempts >= UPLOAD_TRIES
    offloads.take_in_offload(_intake(workplace_of(context)), name, is_last_try=is_last_try)


@JOBS.task(name=import_runs.JOB, queue=import_runs.QUEUE, pass_context=True)
def import_folder(context: JobContext, *, name: str) -> None:
    """Import a folder that somebody chose on a page."""
    workplace = workplace_of(context)
    import_runs.do_run(_intake(workplace), name, is_stopping=workplace.is_stopping)


def _intake(workplace: Workplace) -> Intake:
    return Intake(
        installation=workplace.installation,
        jail=workplace.jail,
        actor=UPLOADS,
        now=workplace.now,
        monotonic=workplace.monotonic,
    )


def _by_itself(name: str, *, cron: str) -> Callable[[Callable[..., Any]], Task[Any, Any, Any]]:
    """Have workers do something on the queue itself, or on what it leaves behind, whenever the clock says so."""

    def periodic(job: Callable[..., Any]) -> Task[Any, Any, Any]:
        # A queueing lock and no lock: a job that stalled would keep the one that looks for stalled jobs from running.
        known = f"plainview.{name}"
        task = JOBS.task(name=known, queueing_lock=known, queue=UPKEEP, priority=FIRST, pass_context=True)(
            job
        )
        return JOBS.periodic(cron=cron, periodic_id=name)(task)

    return periodic


@_by_itself("retry_stalled", cron="* * * * *")
async def retry_stalled(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - every periodic job is told when
    """Put back the jobs of workers that have fallen silent."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=SILENT_S):
        try:
            await manager.retry_job(job)
        except UniqueViolation:
            # The same work waits already.
            await manager.finish_job(job, Status.FAILED, delete_job=False)


@_by_itself("tend_steps", cron="*/5 * * * *")
def tend_steps(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - as above
    """Look for steps that no job is about, and for derivatives that no row names or no store has."""
    workplace = workplace_of(context)
    step_actions.requeue_steps(now=workplace.now())
    sweep_derived(workplace.derived, now=workplace.now())


@_by_itself("keep_uploads", cron="*/10 * * * *")
def keep_uploads(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - as above
    """Give up uploads that never came whole, and look for those that no job is about."""
    workplace = workplace_of(context)
    uploads.keep_uploads(workplace.installation, now=workplace.now())


@_by_itself("keep_destinations", cron="*/10 * * * *")
def keep_destinations(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - as above
    """Take in what connected systems never said was complete, and look for what no job is about."""
    destination_intake.keep_destinations(now=workplace_of(context).now())


@_by_itself("keep_offloads", cron="*/10 * * * *")
def keep_offloads(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - as above
    """Give up what docks never sent whole, and look for what no job is about."""
    workplace = workplace_of(context)
    offloads.keep_offloads(workplace.installation, now=workplace.now())


@_by_itself("watch_cameras", cron="*/15 * * * *")
def watch_cameras(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - as above
    """Ask about cameras that stay away, and about recordings that they counted and did not hand in."""
    workplace = workplace_of(context)
    camera_watch.watch_cameras(now=workplace.now(), overdue_after=workplace.overdue_after)


@_by_itself("forget_jobs", cron="17 * * * *")
async def forget_jobs(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - as above
    """Forget jobs that failed a week ago; what they were about has its own rows."""
    await context.app.job_manager.delete_old_jobs(
        nb_hours=KEPT_H, include_failed=True, include_cancelled=True, include_aborted=True
    )


@_by_itself("forget_sessions", cron="41 3 * * *")
def forget_sessions(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - as above
    """Forget the sessions of people who are no longer signed in."""
    SessionStore.clear_expired()

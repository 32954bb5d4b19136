"""The jobs that workers do. What defers one knows its name only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from procrastinate import Blueprint
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status

from plainview.evidence.step_actions import JOB, QUEUE, requeue_steps
from plainview.pipeline import steps
from plainview.pipeline.derivatives import sweep_derived

if TYPE_CHECKING:
    from procrastinate import JobContext

    from plainview.pipeline.workplace import Workplace

JOBS = Blueprint()
WORKPLACE = "workplace"
# Work on the queue itself goes before all other work.
UPKEEP = "upkeep"
FIRST = 100
SILENT_S = 30
KEPT_H = 7 * 24


def workplace_of(context: JobContext) -> Workplace:
    """Return what the worker that runs a job has at hand."""
    workplace: Workplace = context.additional_context[WORKPLACE]
    return workplace


@JOBS.task(name=JOB, queue=QUEUE, pass_context=True)
def run_step(context: JobContext, *, original: int, name: str, times: int = 0) -> None:
    """Do one step of one original."""
    steps.run_step(workplace_of(context), original=original, name=name, times=times)


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
    requeue_steps(now=workplace.now())
    sweep_derived(workplace.derived, now=workplace.now())


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

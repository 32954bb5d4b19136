"""One process that does the queue's jobs, one at a time."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.db import connection
from procrastinate import PsycopgConnector
from procrastinate.contrib.django.db_cleanup import DjangoApp

from plainview.evidence.camera_rules import OVERDUE_AFTER
from plainview.evidence.step_actions import requeue_steps
from plainview.pipeline.installation import open_derived, open_installation
from plainview.pipeline.jobs import JOBS, WORKPLACE
from plainview.pipeline.model_install import MODELS
from plainview.pipeline.workplace import Workplace
from plainview.service.jail import DecoderJail

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from plainview.service.cluster import Cluster

ENGINE = "plainview.media.engines:find_engine"
SAMPLES = "sample-transcripts"
# PyAV imports its parts when it meets them, and a confined child has no files left to import from.
PRELOAD = ("plainview.pipeline.jailed", "plainview.pipeline.jailed_steps", "av.*")
STOPS = (signal.SIGTERM, signal.SIGINT)
# The job at hand, its heartbeat and the wait for news of the next one.
CONNECTIONS = 3


def run_worker(
    *,
    data: Path,
    cluster: Cluster,
    name: str,
    zone: str,
    overdue_after: timedelta = OVERDUE_AFTER,
    is_waiting: bool = True,
) -> None:
    """Do jobs until asked to stop; Django's database is connected already. Call it from the main thread.

    Asked by SIGTERM or SIGINT, the step at hand is given back within about a second and does not count as an attempt.

    Args:
        data: the data directory.
        cluster: its database.
        name: of this worker, for the log.
        zone: IANA zone of the place.
        overdue_after: how long an assigned camera may stay away from every dock.
        is_waiting: whether to wait for jobs when there are none; else the worker ends.

    Raises:
        VaultError, PipelineError, JailError: the installation cannot be opened.
    """
    stopping = threading.Event()
    installation = open_installation(data, zone=zone)
    try:
        with DecoderJail(preload=PRELOAD) as jail:
            workplace = Workplace(
                installation=installation,
                derived=open_derived(data),
                jail=jail,
                engine=ENGINE,
                models=data / MODELS,
                samples=data / SAMPLES,
                now=_now,
                monotonic=time.monotonic,
                is_stopping=stopping.is_set,
                overdue_after=overdue_after,
            )
            requeue_steps(now=_now())
            connection.close()
            asyncio.run(_work(workplace, cluster.dsn("app"), stopping, name=name, is_waiting=is_waiting))
    finally:
        installation.keys.close()


async def _work(
    workplace: Workplace, dsn: str, stopping: threading.Event, *, name: str, is_waiting: bool
) -> None:
    # An app of its own: Django's defers in Django's transactions and must go on doing so in this process.
    app = DjangoApp(connector=PsycopgConnector(conninfo=dsn, min_size=1, max_size=CONNECTIONS))
    app.add_tasks_from(JOBS, namespace="")
    async with app.open_async():
        working = asyncio.ensure_future(
            app.run_worker_async(
                name=name,
                concurrency=1,
                wait=is_waiting,
                delete_jobs="successful",
                install_signal_handlers=False,
                additional_context={WORKPLACE: workplace},
            )
        )
        loop = asyncio.get_running_loop()
        for number in STOPS:
            loop.add_signal_handler(number, _stop, working, stopping)
        try:
            await working
        except asyncio.CancelledError:
            if not stopping.is_set():
                raise


def _stop(working: asyncio.Future[None], stopping: threading.Event) -> None:
    """Take no more jobs, and tell the one at hand; a second signal changes nothing."""
    if not stopping.is_set():
        stopping.set()
        working.cancel()


def _now() -> datetime:
    return datetime.now(UTC)

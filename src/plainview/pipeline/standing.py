"""How the queue of work stands: what was abandoned, and whether anybody works."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import connection, transaction

if TYPE_CHECKING:
    from datetime import datetime

# A worker says every 10 s that it lives.
SILENT_AFTER = timedelta(seconds=60)

# Only one job of a queueing lock may wait: where another does, the abandoned one has its successor already.
_DROP_REPEATED = """
UPDATE procrastinate_jobs AS job SET status = 'failed', worker_id = NULL, abort_requested = false
WHERE status = 'doing' AND queueing_lock IS NOT NULL AND EXISTS (
  SELECT FROM procrastinate_jobs AS other
  WHERE other.queueing_lock = job.queueing_lock
    AND (other.status = 'todo' OR (other.status = 'doing' AND other.id < job.id)))
"""
_REQUEUE = """
UPDATE procrastinate_jobs SET status = 'todo', worker_id = NULL, abort_requested = false, scheduled_at = NULL
WHERE status = 'doing'
"""
_FORGET_WORKERS = "DELETE FROM procrastinate_workers"

_IS_STALLED = """
SELECT EXISTS (SELECT FROM procrastinate_jobs j WHERE j.status = 'todo'
               AND coalesce(j.scheduled_at, (SELECT max(e.at) FROM procrastinate_events e WHERE e.job_id = j.id))
                   < %(since)s)
   AND NOT EXISTS (SELECT FROM procrastinate_workers WHERE last_heartbeat >= %(since)s)
"""


def requeue_abandoned_jobs() -> int:
    """Put every job that was being done back into the queue; only under the data directory's lock.

    The lock proves that no worker is left, so nobody has to wait until its silence is long enough.

    Returns:
        How many jobs were put back.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_DROP_REPEATED)
        cursor.execute(_REQUEUE)
        count = int(cursor.rowcount)
        cursor.execute(_FORGET_WORKERS)
    return count


def is_queue_stalled(*, now: datetime) -> bool:
    """Say whether work has been waiting for a while and no worker has been heard of."""
    with connection.cursor() as cursor:
        cursor.execute(_IS_STALLED, {"since": now - SILENT_AFTER})
        return bool(cursor.fetchone()[0])

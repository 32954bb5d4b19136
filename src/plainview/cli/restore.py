"""plainview restore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plainview.cli.backup import CopyMeter
from plainview.cli.database import migrate, restrict_again, running_database
from plainview.cli.start import operator, utc_now, wait_s
from plainview.cli.talk import answer, answer_json, progress, say
from plainview.pipeline.backup import DUMP
from plainview.pipeline.installation import has_log
from plainview.pipeline.restore import (
    Restored,
    begin_restore,
    check_database,
    finish_restore,
    undo_restore,
)
from plainview.pipeline.restore_plan import Plan, RestoreOrder, plan_restore
from plainview.service.dump import restore_database
from plainview.service.lock import hold_data_lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plainview.service.cluster import Cluster
    from plainview.service.lock import DataLock

WHOLE = 0
SOMETHING_LEFT_OUT = 1


def run(
    data: Path,
    backup: Path | None,
    *,
    recovery_file: Path | None,
    escrow_file: Path | None,
    reason: str | None,
    as_json: bool,
) -> int:
    """Restore a backup, or let the database that is there go on under a new log.

    Returns:
        0 when everything came back, 1 when an object or a key is missing.
    """
    with hold_data_lock(data, command="plainview restore", wait_s=wait_s(), on_wait=say) as lock:
        order = RestoreOrder(
            data=lock.data,
            backup=None if backup is None else backup.absolute(),
            recovery_file=recovery_file,
            escrow_file=escrow_file,
            reason=reason,
        )
        plan = plan_restore(order, now=utc_now())
        done, copied = _restore(plan, lock, as_json=as_json)
    if as_json:
        answer_json(_record(done))
    else:
        for line in _lines(lock.data, done, copied):
            answer(line)
    return SOMETHING_LEFT_OUT if done.damaged or done.keyless else WHOLE


def _restore(plan: Plan, lock: DataLock, *, as_json: bool) -> tuple[Restored, str]:
    """Do it, and say how much was copied; what is refused before the log is touched leaves the directory as it was."""
    is_checked = False
    try:
        begin_restore(plan)
        with running_database(lock.data, lock, on_wait=say) as cluster, progress(is_quiet=as_json) as bar:
            _fill(plan, cluster)
            is_checked = True
            meter = CopyMeter(bar)
            done = finish_restore(
                plan, actor=operator(), now=utc_now(), on_total=meter.begin, on_bytes=meter.add
            )
            return done, meter.told(done.copied)
    except BaseException:
        if not is_checked:
            undo_restore(plan)
        raise


def _fill(plan: Plan, cluster: Cluster) -> None:
    """Bring the rows, unless a try that was interrupted did: the dump comes in one transaction."""
    if plan.backup is not None and not _has_tables():
        restore_database(cluster.dsn("owner"), plan.backup / DUMP)
    migrate(cluster)
    restrict_again(cluster)
    check_database(plan)


def _has_tables() -> bool:
    from django.db import connection

    return "custody_epoch" in connection.introspection.table_names() and has_log()


def _record(done: Restored) -> dict[str, object]:
    return {
        "origin": done.origin,
        "key": done.vkey,
        "new_epoch": done.is_new_epoch,
        "copied": done.copied,
        "copied_bytes": done.copied_bytes,
        "damaged": [{"object": name, "problem": problem} for name, problem in done.damaged],
        "without_key": done.keyless,
        "replaced_database": done.aside or None,
    }


def _lines(data: Path, done: Restored, copied: str) -> Iterator[str]:
    yield f"Restored {data}: {copied}."
    if done.is_new_epoch:
        yield f"A new log goes on, {done.origin}. Publish its key beside the old one, which stays good for what it signed:"
        yield f"  {done.vkey}"
    else:
        yield f"The log {done.origin} goes on where it stopped."
    if done.aside:
        yield f"The database that was here lies in {data / done.aside}. Remove it when you are sure."
    for name, problem in done.damaged:
        yield f"NOT RESTORED  object {name}: {problem}"
    for name in done.keyless:
        yield f"NO KEY  object {name} cannot be read: the escrow is older than it, or its key was destroyed"
    yield "Now run: plainview fsck --deep"

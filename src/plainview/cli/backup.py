"""plainview backup."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from plainview.cli.start import opened, utc_now
from plainview.cli.talk import answer, answer_json, progress, say
from plainview.formats.times import format_at
from plainview.pipeline.backup import Backup, BackupJob, make_backup
from plainview.pipeline.examine import new_jail
from plainview.pipeline.intake import Intake, settle

if TYPE_CHECKING:
    from pathlib import Path

    from plainview.cli.start import Opened

WHOLE = 0
SOMETHING_LEFT_OUT = 1


def run(data: Path, folder: Path, *, as_json: bool) -> int:
    """Make a backup and say what is in it, what is beside it, and what is in neither.

    Returns:
        0 when everything was copied, 1 when an object could not be.
    """
    start_s = time.monotonic()
    with opened(data, command="plainview backup", say=say) as here, progress(is_quiet=as_json) as bar:
        _settle(here)
        task = bar.add_task("Copying objects", total=None)
        done = make_backup(
            BackupJob(
                installation=here.installation,
                owner_dsn=here.cluster.dsn("owner"),
                folder=folder.absolute(),
                actor=here.actor,
                now=utc_now(),
                on_total=lambda total: bar.update(task, total=total),
                on_bytes=lambda count: bar.advance(task, count),
            )
        )
    if as_json:
        answer_json(_record(folder, done))
    else:
        _tell(folder, done, time.monotonic() - start_s)
    return SOMETHING_LEFT_OUT if done.damaged else WHOLE


def _settle(here: Opened) -> None:
    # Nothing is examined in settling, so the jail is never entered.
    settle(Intake(here.installation, new_jail(), here.actor, now=utc_now, monotonic=time.monotonic))


def _record(folder: Path, done: Backup) -> dict[str, object]:
    return {
        "backup": str(folder),
        "keys": str(done.escrow),
        "at": format_at(done.facts.at),
        "origin": done.facts.origin,
        "log_size": done.facts.log_size,
        "copied": done.copied,
        "copied_bytes": done.copied_bytes,
        "kept": done.kept,
        "removed": done.removed,
        "damaged": [{"object": name, "problem": problem} for name, problem in done.damaged],
    }


def _tell(folder: Path, done: Backup, took_s: float) -> None:
    rate = done.copied_bytes / 1e6 / took_s
    answer(
        f"Made {folder}: {done.copied} objects copied ({done.copied_bytes / 1e6:.1f} MB, {rate:.0f} MB/s), "
        f"{done.kept} there already, {done.removed} removed; {done.facts.log_size} acts in the log."
    )
    answer(f"Their keys, sealed to the recovery key: {done.escrow}. Keep only the newest.")
    for name, problem in done.damaged:
        answer(f"NOT COPIED  object {name}: {problem}. Run: plainview fsck")

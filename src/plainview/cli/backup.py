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

    from rich.progress import Progress

    from plainview.cli.start import Opened

WHOLE = 0
SOMETHING_LEFT_OUT = 1


def run(data: Path, folder: Path, *, as_json: bool) -> int:
    """Make a backup and say what is in it, what is beside it, and what is in neither.

    Returns:
        0 when everything was copied, 1 when an object could not be.
    """
    with opened(data, command="plainview backup", say=say) as here, progress(is_quiet=as_json) as bar:
        if here.is_alone:
            _settle(here)
        meter = CopyMeter(bar)
        done = make_backup(
            BackupJob(
                installation=here.installation,
                owner_dsn=here.cluster.dsn("owner"),
                folder=folder.absolute(),
                actor=here.actor,
                now=utc_now(),
                on_total=meter.begin,
                on_bytes=meter.add,
            )
        )
    if as_json:
        answer_json(_record(folder, done))
    else:
        _tell(folder, done, meter)
    return SOMETHING_LEFT_OUT if done.damaged else WHOLE


class CopyMeter:
    """Shows how far the copying of objects is, and knows how fast it was."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("Copying objects", total=None)
        self._bytes, self._start_s, self._last_s = 0, 0.0, 0.0

    def begin(self, total_bytes: int) -> None:
        """Take note of how much there is to copy, and that it begins."""
        self._start_s = time.monotonic()
        self._bar.update(self._task, total=total_bytes)

    def add(self, count_bytes: int) -> None:
        """Take note of bytes that were copied."""
        self._bytes, self._last_s = self._bytes + count_bytes, time.monotonic()
        self._bar.advance(self._task, count_bytes)

    def told(self, count: int) -> str:
        """Say how many objects were copied, how large, and how fast."""
        took_s = self._last_s - self._start_s
        rate = f", {self._bytes / 1e6 / took_s:.0f} MB/s" if took_s > 0 else ""
        return f"{count} objects copied ({self._bytes / 1e6:.1f} MB{rate})"


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


def _tell(folder: Path, done: Backup, meter: CopyMeter) -> None:
    answer(
        f"Made {folder}: {meter.told(done.copied)}, {done.kept} there already, {done.removed} removed; {done.facts.log_size} acts in the log."
    )
    answer(f"Their keys, sealed to the recovery key: {done.escrow}. Keep only the newest.")
    for name, problem in done.damaged:
        answer(f"NOT COPIED  object {name}: {problem}. Run: plainview fsck")

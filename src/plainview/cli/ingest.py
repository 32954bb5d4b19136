"""plainview ingest."""

from __future__ import annotations

import os
import time
from collections import Counter
from typing import TYPE_CHECKING

from plainview.cli.logs import get_log
from plainview.cli.refusals import plain
from plainview.cli.start import opened, utc_now
from plainview.cli.talk import answer, answer_json, progress, say
from plainview.pipeline.examine import new_jail
from plainview.pipeline.intake import Intake, Outcome, files_below, settle, take_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.progress import Progress

NOTHING_KEPT_OUT = 0
SOMETHING_KEPT_OUT = 1
WIDTH = max(len(status) for status in ("received", "duplicate", "quarantined", "refused"))


def run(data: Path, paths: list[Path], *, recovery_file: Path | None, as_json: bool) -> int:
    """Take files in.

    Returns:
        0 when every file is received or a duplicate, 1 when one was quarantined or refused.
    """
    counts: Counter[str] = Counter()
    with (
        opened(data, command="plainview ingest", say=say, recovery_file=recovery_file) as here,
        new_jail() as jail,
        progress(is_quiet=as_json) as bar,
    ):
        files = [file for path in paths for file in files_below(path, data=here.installation.data)]
        meter = _Meter(bar, files)
        intake = Intake(
            installation=here.installation,
            jail=jail,
            actor=here.actor,
            now=utc_now,
            monotonic=time.monotonic,
            on_bytes=meter.at,
        )
        # A server has settled what an interruption left; and while it runs, what has no record yet is its own work.
        adopted = settle(intake) if here.is_alone else 0
        if adopted:
            say(
                f"Stored originals that an interruption had left without a record, now in the records: {adopted}"
            )
        for outcome in take_in(intake, meter.each()):
            counts[outcome.status] += 1
            get_log().info(
                "file taken in", status=outcome.status, reason=outcome.reason, recording=outcome.recording
            )
            _tell(outcome, bar, as_json=as_json)
    if not as_json:
        answer(_sum(counts))
    return SOMETHING_KEPT_OUT if counts["quarantined"] or counts["refused"] else NOTHING_KEPT_OUT


class _Meter:
    """Moves the bar: the files before the one at hand, and how far that one is."""

    def __init__(self, bar: Progress, files: list[Path]) -> None:
        self._bar, self._files, self._done = bar, files, 0
        self._sizes = {file: _size_of(file) for file in files}
        self._task = bar.add_task("Receiving", total=sum(self._sizes.values()))

    def each(self) -> Iterator[Path]:
        for place, file in enumerate(self._files, 1):
            self._bar.update(self._task, description=f"Receiving {place} of {len(self._files)}")
            yield file
            self._done += self._sizes[file]
            self._bar.update(self._task, completed=self._done)

    def at(self, read_bytes: int) -> None:
        self._bar.update(self._task, completed=self._done + read_bytes)


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _tell(outcome: Outcome, bar: Progress, *, as_json: bool) -> None:
    if as_json:
        answer_json(
            {
                "path": outcome.path,
                "status": outcome.status,
                "recording": outcome.recording,
                "sha256": outcome.sha256,
                "reason": outcome.reason,
                "text": outcome.text,
            }
        )
        return
    bar.stop()
    name = os.fsencode(outcome.path).decode("utf-8", "backslashreplace")
    answer(
        f"{outcome.status:<{WIDTH}}  {outcome.recording or '-':<15}  {plain(name)}\n{'':<{WIDTH}}  {plain(outcome.text)}"
    )
    bar.start()


def _sum(counts: Counter[str]) -> str:
    return ", ".join(
        f"{counts[status]} {status}" for status in ("received", "duplicate", "quarantined", "refused")
    )

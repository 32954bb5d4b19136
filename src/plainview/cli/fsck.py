"""plainview fsck."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from plainview.cli.refusals import plain
from plainview.cli.start import opened_to_check
from plainview.cli.talk import answer, answer_json, progress, say
from plainview.pipeline.findings import Finding, Tally
from plainview.pipeline.integrity import Fsck, check_installation

if TYPE_CHECKING:
    from pathlib import Path

    from rich.progress import Progress

SOUND = 0
SOMETHING_FOUND = 1


def run(data: Path, *, is_deep: bool, with_keys: bool, as_json: bool) -> int:
    """Check everything and say what is wrong, a line each.

    Returns:
        0 when the installation is sound, 1 when something is wrong.
    """
    tally, found = Tally(), []
    with opened_to_check(data, command="plainview fsck", say=say) as place, progress(is_quiet=as_json) as bar:
        job = Fsck(
            data=place,
            is_deep=is_deep,
            with_keys=with_keys,
            monotonic=time.monotonic,
            on_progress=_Meter(bar),
        )
        for finding in check_installation(job, tally):
            found.append(finding)
            if not as_json:
                bar.stop()
                answer(_line(finding))
                bar.start()
    wrong = sum(not finding.is_notice for finding in found)
    if as_json:
        answer_json(_record(found, tally))
    else:
        answer(_sum(wrong, len(found) - wrong, tally))
    return SOMETHING_FOUND if wrong else SOUND


class _Meter:
    """Shows a bar for each part of the check."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._tasks: dict[str, Any] = {}

    def __call__(self, part: str, done: int, total: int) -> None:
        if part not in self._tasks:
            self._tasks[part] = self._bar.add_task(part)
        self._bar.update(self._tasks[part], completed=done, total=total)


def _line(finding: Finding) -> str:
    kind = "notice " if finding.is_notice else "FOUND  "
    whose = f" [{finding.recording}]" if finding.recording else ""
    return plain(f"{kind}  {finding.where}: {finding.problem}{whose}")


def _record(found: list[Finding], tally: Tally) -> dict[str, object]:
    told = [
        {"where": each.where, "problem": each.problem, "recording": each.recording, "notice": each.is_notice}
        for each in found
    ]
    return {
        "sound": all(each.is_notice for each in found),
        "findings": [each for each in told if not each["notice"]],
        "notices": [each for each in told if each["notice"]],
        "checked": vars(tally),
    }


def _sum(wrong: int, notices: int, tally: Tally) -> str:
    result = f"{wrong} found" if wrong else "Sound"
    return (
        f"{result}{f', {notices} notices' if notices else ''}. "
        f"Log: {tally.leaves} leaves ({_rate(tally.leaves, tally.leaves_s)}/s). "
        f"Database: {tally.acts} acts ({_rate(tally.acts, tally.acts_s)}/s). "
        f"Objects: {tally.objects}, {tally.object_bytes / 1e6:.1f} MB "
        f"({_rate(tally.object_bytes / 1e6, tally.objects_s)} MB/s)."
    )


def _rate(count: float, took_s: float) -> str:
    return f"{count / took_s:.0f}" if took_s else "-"

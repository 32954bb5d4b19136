"""plainview import."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from plainview.cli.ingest import NOTHING_KEPT_OUT, SOMETHING_KEPT_OUT
from plainview.cli.logs import get_log
from plainview.cli.refusals import plain
from plainview.cli.start import opened, utc_now
from plainview.cli.talk import answer, answer_json, say
from plainview.formats.particulars import particulars_record
from plainview.pipeline.examine import new_jail
from plainview.pipeline.import_patterns import pattern_named, read_pattern
from plainview.pipeline.import_plan import make_plan
from plainview.pipeline.imports import import_recordings, preview
from plainview.pipeline.intake import Intake, settle
from plainview.web.words import format_time

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from plainview.formats.folder_pattern import FolderPattern
    from plainview.pipeline.import_plan import ImportPlan
    from plainview.pipeline.imports import Imported, Preview

STATUSES = ("received", "here", "attached", "quarantined", "held back", "refused")
KEPT_OUT = frozenset({"quarantined", "held back", "refused"})
WIDTH = 12


def run(
    data: Path, folder: Path, *, pattern: Path, is_preview: bool, keeps_others: bool, as_json: bool
) -> int:
    """Import a folder, or say what importing it would do.

    Returns:
        0 when everything is here, or would be; 1 when something is not, or would not be.
    """
    with opened(data, command="plainview import", say=say) as here:
        installation = here.installation
        plan = make_plan(
            _pattern(installation.data, pattern),
            folder.absolute(),
            data=installation.data,
            place=installation.zone,
        )
        if is_preview:
            return _show(plan, zone=installation.zone, as_json=as_json)
        counts: Counter[str] = Counter()
        with new_jail() as jail:
            intake = Intake(
                installation=installation,
                jail=jail,
                actor=here.actor,
                now=utc_now,
                monotonic=time.monotonic,
            )
            if here.is_alone:
                settle(intake)
            for imported in import_recordings(intake, plan, keeps_others=keeps_others):
                counts[imported.status] += 1
                get_log().info("imported", status=imported.status, recording=imported.recording or None)
                _tell(imported, as_json=as_json)
    if not as_json:
        _tell_odd(plan)
        answer(", ".join(f"{counts[status]} {status}" for status in STATUSES))
    return SOMETHING_KEPT_OUT if KEPT_OUT & counts.keys() else NOTHING_KEPT_OUT


def _pattern(data: Path, given: Path) -> FolderPattern:
    """Read a pattern by its path or, where it is a plain name, from the department's own."""
    return pattern_named(data, str(given)) if not given.suffix and not given.exists() else read_pattern(given)


# Before.


def _show(plan: ImportPlan, *, zone: str, as_json: bool) -> int:
    counts: Counter[str] = Counter()
    for seen in preview(plan):
        counts[seen.status] += 1
        if as_json:
            answer_json(_preview_record(seen))
        else:
            _show_one(seen, zone)
    if as_json:
        answer_json(_odd_record(plan))
    else:
        _tell_odd(plan)
        answer(
            ", ".join(f"{counts[status]} {status}" for status in ("new", "here", "partly here", "held back"))
        )
        answer("Nothing was changed. Without --preview it is imported.")
    return SOMETHING_KEPT_OUT if counts["held back"] else NOTHING_KEPT_OUT


def _show_one(seen: Preview, zone: str) -> None:
    planned, said = seen.planned, seen.planned.said
    parts = "1 part" if len(planned.files) == 1 else f"{len(planned.files)} parts"
    answer(f"{seen.status:<{WIDTH}}{plain(planned.files[0].path)}  ({parts})")
    for words in (
        f"start {_time(said.started_at, zone)}, {_source(seen, 'started_at')}",
        f"end {_time(said.ended_at, zone)}, {_source(seen, 'ended_at')}" if said.ended_at else "",
        f"camera {seen.camera}{', which would be added' if seen.is_new_camera else ''}"
        if seen.camera
        else "",
        f"wearer {seen.wearer}" if seen.wearer else "",
        f"started by {said.trigger}" if said.trigger else "",
        f"category {said.category}" if said.category else "",
        *(f"with {each.path}: {each.words}" for each in planned.sidecars),
        f"in {', '.join(seen.recordings)}" if seen.recordings else "",
        *planned.notes,
        *seen.differences,
        planned.problem,
    ):
        if words:
            answer(f"{'':<{WIDTH}}{plain(words)}")


def _time(at: datetime | None, zone: str) -> str:
    return "not said" if at is None else format_time(at, zone)


def _source(seen: Preview, field: str) -> str:
    return (
        f"by {seen.planned.said_by[field]}" if field in seen.planned.said_by else "taken from the file itself"
    )


def _preview_record(seen: Preview) -> dict[str, Any]:
    planned = seen.planned
    return {
        "status": seen.status,
        "parts": [file.path for file in planned.files],
        "said": particulars_record(planned.said),
        "said_by": planned.said_by,
        "camera": seen.camera,
        "is_new_camera": seen.is_new_camera,
        "wearer": seen.wearer,
        "beside": [{"path": each.path, "kind": each.kind, "text": each.words} for each in planned.sidecars],
        "recordings": list(seen.recordings),
        "notes": list(planned.notes),
        "differences": list(seen.differences),
        "problem": planned.problem,
    }


def _odd_record(plan: ImportPlan) -> dict[str, Any]:
    return {
        "rejected": [list(pair) for pair in plan.rejected],
        "without_footage": [list(pair) for pair in plan.without_footage],
        "lone": [each.path for each in plan.lone],
        "others": [each.path for each in plan.others],
        "left_out": [list(pair) for pair in plan.left_out],
    }


def _tell_odd(plan: ImportPlan) -> None:
    for title, pairs in (
        ("Rows that cannot be used", plan.rejected),
        ("Rows whose footage is not there", plan.without_footage),
        ("Not looked at", plan.left_out),
    ):
        if pairs:
            answer(f"{title}: {len(pairs)}")
            for where, why in pairs:
                answer(f"{'':<{WIDTH}}{plain(where)}: {plain(why)}")
    if plan.lone:
        answer(
            f"Came along with footage that is not there: {plain(', '.join(each.path for each in plan.lone))}"
        )
    if plan.others:
        answer(f"Files that the pattern says nothing of: {len(plan.others)}")


# After.


def _tell(imported: Imported, *, as_json: bool) -> None:
    if as_json:
        answer_json(
            {
                "status": imported.status,
                "recording": imported.recording or None,
                "parts": [
                    {"path": path, "status": None, "sha256": None, "reason": None, "text": ""}
                    if outcome is None
                    else {
                        "path": path,
                        "status": outcome.status,
                        "sha256": outcome.sha256,
                        "reason": outcome.reason,
                        "text": outcome.text,
                    }
                    for path, outcome in _paired(imported)
                ],
                "beside": [vars(each) for each in imported.beside],
                "notes": list(imported.notes),
            }
        )
        return
    answer(f"{imported.status:<{WIDTH}}{imported.recording or '-':<17}{plain(imported.paths[0])}")
    for words in (
        *(f"{path}: {outcome.text}" for path, outcome in _paired(imported) if outcome is not None),
        *(f"with {each.path}: {each.status}, {each.text}" for each in imported.beside),
        *imported.notes,
    ):
        answer(f"{'':<{WIDTH}}{plain(words)}")


def _paired(imported: Imported) -> list[tuple[str, Any]]:
    """Return each part with what became of it; None for those that were not tried."""
    tried = len(imported.files)
    return list(zip(imported.paths, (*imported.files, *[None] * (len(imported.paths) - tried)), strict=False))

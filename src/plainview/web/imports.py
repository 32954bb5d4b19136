"""Recordings: import with preview. What lies in a folder of another maker's, and then taking it in."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from plainview.evidence.import_queries import open_to
from plainview.pipeline.errors import ImportRefusedError
from plainview.pipeline.import_patterns import known_patterns, pattern_named
from plainview.pipeline.import_plan import make_plan
from plainview.pipeline.import_runs import begin_run, get_run, newest_runs
from plainview.pipeline.imports import preview
from plainview.web.acting import actor_of
from plainview.web.guard import guarded

if TYPE_CHECKING:
    from pathlib import Path

    from plainview.pipeline.import_plan import ImportPlan
    from plainview.pipeline.import_runs import ImportRun, RunResult
    from plainview.pipeline.imports import Preview
    from plainview.web.viewer import Request

# More than a person looks through before importing; the rest is counted.
SHOWN: Final = 100
MOST_FOLDERS: Final = 300
# The root's own folders, and those in them.
DEPTH: Final = 2
STATES: Final = {
    "waiting": "Waiting for its turn",
    "doing": "Importing",
    "done": "Done",
    "stopped": "Stopped",
}
# Status of a recording, in words.
STATUSES: Final = {
    "new": "new",
    "here": "here already",
    "partly here": "partly here already",
    "held back": "held back",
    "received": "received",
    "attached": "kept beside",
    "quarantined": "in quarantine",
    "refused": "refused",
}


@dataclass(frozen=True)
class Asked:
    """What somebody chose.

    Attributes:
        pattern: name of a pattern; empty before one was chosen.
        folder: below the root; empty before one was chosen.
    """

    pattern: str
    folder: str


@require_http_methods(["GET", "HEAD", "POST"])
@guarded("imports.make")
def imports(request: Request) -> HttpResponse:
    """Show what a folder holds by a pattern, and import it when asked to."""
    root: Path | None = settings.PLAINVIEW_IMPORTS
    data: Path = settings.PLAINVIEW_DATA
    given = request.POST if request.method == "POST" else request.GET
    asked = Asked(given.get("pattern", ""), given.get("folder", ""))
    facts: dict[str, Any] = {
        "asked": asked,
        "has_root": root is not None and root.is_dir(),
        "root": root,
        "patterns": known_patterns(data),
        "patterns_folder": data / "imports",
        "folders": [] if root is None else folders_below(root),
        "runs": [(run, STATES[run.state]) for run in newest_runs(data)],
    }
    if root is not None and asked.pattern and asked.folder:
        try:
            path = folder_below(root, asked.folder)
            if request.method == "POST":
                actor = actor_of(request)
                run = begin_run(
                    data,
                    pattern=asked.pattern,
                    folder=asked.folder,
                    path=path,
                    actor=actor,
                    now=request.now,
                )
                return redirect("recordings_import_run", run.name)
            plan = make_plan(
                pattern_named(data, asked.pattern), path, data=data, place=settings.PLAINVIEW_ZONE
            )
            facts |= _plan_facts(request, plan)
        except ImportRefusedError as error:
            facts["problem"] = str(error)
    return render(request, "web/imports.html", facts, status=400 if "problem" in facts else 200)


def _plan_facts(request: Request, plan: ImportPlan) -> dict[str, Any]:
    rows = list(islice(preview(plan), SHOWN))
    return {
        "plan": plan,
        "rows": [(each, STATUSES[each.status]) for each in _as_known(request, rows)],
        "count": len(plan.recordings),
        "held_back": sum(bool(each.problem) for each in plan.recordings),
        "odd": [
            (title, pairs[:SHOWN], len(pairs))
            for title, pairs in (
                ("Rows that cannot be used", plan.rejected),
                ("Rows whose footage is not there", plan.without_footage),
                (
                    "Came along with footage that is not there",
                    tuple((each.path, each.words) for each in plan.lone),
                ),
                (
                    "Files that the pattern says nothing of; they are kept as what they are",
                    tuple((each.path, "") for each in plan.others),
                ),
                ("Not looked at", plan.left_out),
            )
            if pairs
        ],
    }


def _as_known(request: Request, rows: list[Preview]) -> list[Preview]:
    """Return the rows without what this viewer may not know of the recordings that are here."""
    known, seen = open_to(request.viewer, (name for row in rows for name in row.recordings))
    return [
        replace(
            row,
            recordings=tuple(name for name in row.recordings if name in known),
            differences=row.differences if seen.issuperset(row.recordings) else (),
        )
        for row in rows
    ]


@guarded("imports.make")
@require_safe
def import_run(request: Request, name: str) -> HttpResponse:
    """Show how far an import is, and what became of what it found."""
    run = get_run(settings.PLAINVIEW_DATA, name)
    if run is None:
        raise Http404
    facts = {
        "run": run,
        "state": STATES[run.state],
        "is_over": run.state in ("done", "stopped"),
        "counts": [(STATUSES[status], count) for status, count in run.counts],
        "results": [(STATUSES[each.status], each) for each in _results_as_known(request, run)],
        "more": run.done - len(run.results),
    }
    return render(request, "web/import_run.html", facts)


def _results_as_known(request: Request, run: ImportRun) -> list[RunResult]:
    """Return the results without what this viewer may not know of the recordings that were here before."""
    known, seen = open_to(request.viewer, (each.recording for each in run.results))
    return [
        each
        if each.recording in seen or not each.recording
        else replace(each, recording=each.recording if each.recording in known else "", notes=())
        for each in run.results
    ]


def folders_below(root: Path) -> list[str]:
    """Return the folders below the root that can be chosen, as paths from there; links are left out."""
    found: list[str] = []
    for folder, folders, _ in os.walk(root):
        here = os.path.relpath(folder, root)
        depth = 0 if here == "." else here.count(os.sep) + 1
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if depth < DEPTH else []
        if here != ".":
            found.append(here)
        if len(found) >= MOST_FOLDERS:
            break
    return found


def folder_below(root: Path, folder: str) -> Path:
    """Return where a folder is.

    Raises:
        ImportRefusedError: it is none below the root.
    """
    if "\0" not in folder:
        path = (root / folder).resolve()
        if path.is_dir() and path != root.resolve() and path.is_relative_to(root.resolve()):
            return path
    raise ImportRefusedError(f"There is no folder {folder!a:.80} below the folder of imports.")

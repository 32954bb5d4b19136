"""Imports that were started from a page: asked for, done by a worker, and what became of them. DATA/imports/runs/.

Nothing here is a record of evidence: what an import did stands in the recordings and in the custody log. It is for
whoever waits, so a run that is lost is started again, and finds what is here already.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import transaction
from procrastinate.contrib.django import app

from plainview.custody.record import Actor
from plainview.formats.times import format_at, parse_at
from plainview.pipeline.errors import ImportRefusedError
from plainview.pipeline.import_patterns import FOLDER, pattern_named
from plainview.pipeline.import_plan import make_plan
from plainview.pipeline.imports import import_recordings

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from plainview.pipeline.imports import Imported
    from plainview.pipeline.intake import Intake

JOB = "plainview.import_folder"
QUEUE = "imports"
# What people hand in themselves goes first.
PRIORITY = 10
RUNS = "runs"
RUN_NAME = re.compile(r"[0-9a-f]{16}\Z", re.ASCII)
# What a page can show; the rest is counted.
MOST_RESULTS = 500
MOST_RUNS_SHOWN = 20
# How often whoever waits is told, at most.
TOLD_S = 1.0


@dataclass(frozen=True)
class RunResult:
    """What became of one recording or file.

    Attributes:
        status: as imports.Imported has it. recording: identifier, or empty. path: of its first file.
        parts: how many files it is made of. notes: what a person should know.
    """

    status: str
    recording: str
    path: str
    parts: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class ImportRun:
    """One import.

    Attributes:
        name: 16 hex digits.
        pattern: its name. folder: as the page showed it. path: where it is.
        by: who asked for it, as the custody log knows them.
        begun_at: when it was asked for. ended_at: when it was done; None while it is not.
        state: waiting, doing, done, or stopped (it could not go on).
        total: how many recordings and files there are; 0 before anybody looked.
        counts: how many became what.
        results: the first of them, and all that are odd, as far as they fit.
        problem: why it stopped; empty otherwise.
    """

    name: str
    pattern: str
    folder: str
    path: str
    by: str
    begun_at: datetime
    ended_at: datetime | None = None
    state: str = "waiting"
    total: int = 0
    counts: tuple[tuple[str, int], ...] = ()
    results: tuple[RunResult, ...] = ()
    problem: str = ""

    @property
    def done(self) -> int:
        """Return how many recordings and files have become something."""
        return sum(count for _, count in self.counts)


def begin_run(data: Path, *, pattern: str, folder: str, path: Path, actor: Actor, now: datetime) -> ImportRun:
    """Have a worker import a folder.

    Args:
        data: the data directory.
        pattern: name of a department's pattern.
        folder: the folder as the page shows it.
        path: where it is.
        actor: who asks; what is made is made by them.
        now: when.

    Raises:
        ImportRefusedError: there is no such pattern, or it cannot be read.
    """
    pattern_named(data, pattern)
    run = ImportRun(secrets.token_hex(8), pattern, folder, str(path), actor.pseudonym, now)
    _write(data, run)
    _defer(run.name)
    return run


def get_run(data: Path, name: str) -> ImportRun | None:
    """Return an import, or None where there is none of this name."""
    if RUN_NAME.match(name) is None:
        return None
    try:
        record = json.loads((data / FOLDER / RUNS / f"{name}.json").read_text("utf-8"))
        ended = record["ended_at"]
        return ImportRun(
            **record
            | {
                "begun_at": parse_at(record["begun_at"]),
                "ended_at": None if ended is None else parse_at(ended),
                "counts": tuple((status, count) for status, count in record["counts"]),
                "results": tuple(
                    RunResult(**each | {"notes": tuple(each["notes"])}) for each in record["results"]
                ),
            }
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


def newest_runs(data: Path) -> list[ImportRun]:
    """Return the newest imports, newest first."""
    found = [get_run(data, path.stem) for path in (data / FOLDER / RUNS).glob("*.json")]
    known = sorted((run for run in found if run is not None), key=lambda run: run.begun_at, reverse=True)
    return known[:MOST_RUNS_SHOWN]


def do_run(intake: Intake, name: str, *, is_stopping: Callable[[], bool]) -> None:
    """Do an import; done again after an interruption it goes on.

    Args:
        intake: what taking in needs; who asked for the import is the actor.
        name: of the import; one that is done, or not there, is left alone.
        is_stopping: whether this worker was asked to end: then another goes on.
    """
    data = intake.installation.data
    run = get_run(data, name)
    if run is None or run.state in ("done", "stopped"):
        return
    intake = replace(intake, actor=Actor(run.by))
    try:
        plan = make_plan(
            pattern_named(data, run.pattern), Path(run.path), data=data, place=intake.installation.zone
        )
    except ImportRefusedError as error:
        _write(data, replace(run, state="stopped", ended_at=intake.now(), problem=str(error)))
        return
    total = len(plan.recordings) + len(plan.lone) + len(plan.others)
    run = replace(run, state="doing", total=total, counts=(), results=())
    _write(data, run)
    told_s = intake.monotonic()
    for imported in import_recordings(intake, plan):
        run = _with(run, imported)
        if intake.monotonic() - told_s >= TOLD_S:
            _write(data, run)
            told_s = intake.monotonic()
        if is_stopping() and run.done < total:
            _write(data, replace(run, state="waiting"))
            _defer(name)
            return
    _write(data, replace(run, state="done", ended_at=intake.now()))


def _with(run: ImportRun, imported: Imported) -> ImportRun:
    counts = dict(run.counts)
    counts[imported.status] = counts.get(imported.status, 0) + 1
    kept_out = ("refused", "quarantined")
    said = [each.text for each in imported.files if each.status in kept_out]
    said += [f"{each.path}: {each.text}" for each in imported.beside if each.status in kept_out]
    result = RunResult(
        imported.status,
        imported.recording,
        imported.paths[0],
        len(imported.paths),
        (*said, *imported.notes),
    )
    kept = (*run.results, result) if len(run.results) < MOST_RESULTS else run.results
    return replace(run, counts=tuple(counts.items()), results=kept)


def _defer(name: str) -> None:
    with transaction.atomic():
        app.configure_task(JOB, queue=QUEUE, priority=PRIORITY, lock=f"import:{name}").defer(name=name)


def _write(data: Path, run: ImportRun) -> None:
    folder = data / FOLDER / RUNS
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    record = asdict(run) | {
        "begun_at": format_at(run.begun_at),
        "ended_at": None if run.ended_at is None else format_at(run.ended_at),
    }
    draft = folder / f"{run.name}.draft"
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        # A name on a card may hold bytes that are no text; they come out as they went in.
        json.dump(record, file)
    draft.replace(folder / f"{run.name}.json")

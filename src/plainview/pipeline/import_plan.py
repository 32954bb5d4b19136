"""Plan an import: what recordings a folder of another maker's holds, and what is said of each. Nothing is changed.

Footage whose list or name says something that cannot be right is held back: a recording's times and wearer are not
changed by importing it again, so the pattern or the list is mended first. What came along and cannot be read is kept as
it came, and said.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from plainview.formats.errors import FormatError
from plainview.formats.folder_match import is_about, match_folder, name_of, path_particulars
from plainview.formats.particulars import NOTHING_SAID, Particulars, contradictions, fill_in
from plainview.formats.sidecar import SIDECAR_LIMIT_BYTES, read_sidecar, rows_about
from plainview.media.gpx import GPX_LIMIT_BYTES, read_gpx
from plainview.media.subtitles import SUBTITLES_LIMIT_BYTES, read_subtitles
from plainview.pipeline.errors import ImportRefusedError
from plainview.pipeline.intake import files_below

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from plainview.formats.folder_match import MatchedFolder, MatchedRecording, SidecarFile
    from plainview.formats.folder_pattern import FolderPattern
    from plainview.formats.sidecar import SidecarRow

# A season of a small department; more is imported folder by folder.
MOST_FILES = 200_000
LISTS = ("csv", "json", "xml")
LINK = "It is a link, which is not followed."
NO_FILE = "It is no file."
NO_FOLDER = "It cannot be read, or is Plainview's own."
ITS_NAME = "its name"


@dataclass(frozen=True)
class PlannedFile:
    """A file that an import would take.

    Attributes:
        path: from the folder down. size_bytes: of it.
    """

    path: str
    size_bytes: int


@dataclass(frozen=True)
class PlannedSidecar:
    """A file that would be kept beside a recording, or beside none.

    Attributes:
        path: from the folder down.
        kind: one of folder_pattern.SIDECAR_KINDS.
        is_track: whether it is a track that can be read.
        words: what was found in it, or why it could not be read.
    """

    path: str
    kind: str
    is_track: bool
    words: str


@dataclass(frozen=True)
class PlannedRecording:
    """A recording that an import would make.

    Attributes:
        files: its parts, in order.
        sidecars: what would be kept beside it.
        said: what names and lists say of it.
        said_by: of each field that is said, where: "name", or "index.csv, line 3".
        notes: what a person should know.
        unclear: of those, what a person has to look at once it is here.
        problem: why it would be held back; empty where it would be made.
    """

    files: tuple[PlannedFile, ...]
    sidecars: tuple[PlannedSidecar, ...]
    said: Particulars
    said_by: dict[str, str]
    notes: tuple[str, ...]
    unclear: tuple[str, ...]
    problem: str


@dataclass(frozen=True)
class ImportPlan:
    """What an import would do.

    Attributes:
        root: the folder.
        pattern: by which it is read.
        recordings: that would be made.
        lone: sidecars whose footage is not there.
        others: files that the pattern says nothing of.
        rejected: rows and lists that cannot be used: where, and why.
        without_footage: rows that name no file that is there: where, and what they name.
        left_out: what is not looked at: a path, and why.
    """

    root: Path
    pattern: FolderPattern
    recordings: tuple[PlannedRecording, ...]
    lone: tuple[PlannedSidecar, ...]
    others: tuple[PlannedFile, ...]
    rejected: tuple[tuple[str, str], ...]
    without_footage: tuple[tuple[str, str], ...]
    left_out: tuple[tuple[str, str], ...]


@dataclass
class _Lists:
    """Rows of every list that could be read, by what they name, and what was wrong with the others."""

    rows: dict[str, dict[str, tuple[SidecarRow, ...]]]
    problems: dict[str, str]


@dataclass(frozen=True)
class _Folder:
    """A folder as far as it has been read."""

    pattern: FolderPattern
    root: Path
    matched: MatchedFolder
    lists: _Lists
    place: str


def make_plan(pattern: FolderPattern, root: Path, *, data: Path, place: str) -> ImportPlan:
    """Look at a folder and say what importing it would do.

    Args:
        pattern: what the folder looks like.
        root: the folder.
        data: the data directory, which is never looked into.
        place: IANA zone of the department.

    Raises:
        ImportRefusedError: it is no folder, or holds more files than one import takes.
    """
    if not root.is_dir():
        raise ImportRefusedError(f"{root} is no folder. Name the folder that the footage lies in.")
    sizes, left_out = _files(root, data)
    matched = match_folder(pattern, sizes)
    lists = _read_lists(root, matched, place)
    folder = _Folder(pattern, root, matched, lists, place)
    recordings = tuple(_planned(folder, each, sizes) for each in matched.recordings)
    return ImportPlan(
        root=root,
        pattern=pattern,
        recordings=recordings,
        lone=tuple(_beside(root, each) for each in matched.lone),
        others=tuple(PlannedFile(path, sizes[path]) for path in matched.others),
        rejected=_rejected(lists),
        without_footage=_without_footage(matched, lists),
        left_out=tuple(left_out),
    )


def _files(root: Path, data: Path) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Return each file's size by its path from the folder down, and what is no file."""
    sizes: dict[str, int] = {}
    left_out: list[tuple[str, str]] = []
    for path in files_below(root, data=data):
        name = path.relative_to(root).as_posix()
        try:
            found = path.lstat()
        except OSError as error:
            left_out.append((name, f"It cannot be read: {error.strerror}."))
            continue
        if stat.S_ISREG(found.st_mode):
            sizes[name] = found.st_size
        elif name != ".":
            left_out.append((name, _why_left_out(found.st_mode)))
        if len(sizes) > MOST_FILES:
            raise ImportRefusedError(
                f"{root} holds more than {MOST_FILES} files. Import the folders in it one by one."
            )
    return sizes, left_out


def _why_left_out(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return LINK
    return NO_FOLDER if stat.S_ISDIR(mode) else NO_FILE


# Lists.


def _read_lists(root: Path, matched: MatchedFolder, place: str) -> _Lists:
    lists = _Lists({}, {})
    for listed in matched.lists:
        if listed.sidecar.read not in LISTS:
            continue
        try:
            by_name: dict[str, list[SidecarRow]] = {}
            for row in _rows(root, listed, place):
                by_name.setdefault(row.names, []).append(row)
            lists.rows[listed.path] = {name: tuple(rows) for name, rows in by_name.items()}
        except FormatError as error:
            lists.problems[listed.path] = str(error)
    return lists


def _rows(root: Path, sidecar: SidecarFile, place: str) -> tuple[SidecarRow, ...]:
    data = read_beside(root, sidecar.path, limit_bytes=SIDECAR_LIMIT_BYTES)
    return read_sidecar(sidecar.sidecar, data, place=place, what=name_of(sidecar.path))


def read_beside(root: Path, path: str, *, limit_bytes: int) -> bytes:
    """Return a small file's bytes, without following a link.

    Raises:
        FormatError: it is larger, or cannot be read.
    """
    try:
        fd = os.open(root / path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
        with os.fdopen(fd, "rb") as file:
            data = file.read(limit_bytes + 1)
    except OSError as error:
        raise FormatError(name_of(path), f"it cannot be read: {error.strerror}") from error
    if len(data) > limit_bytes:
        raise FormatError(name_of(path), f"expected at most {limit_bytes} bytes")
    return data


def _rejected(lists: _Lists) -> tuple[tuple[str, str], ...]:
    bad = [
        (f"{path}, line {row.number}", row.problem)
        for path, by_name in lists.rows.items()
        for rows in by_name.values()
        for row in rows
        if row.problem
    ]
    return (*lists.problems.items(), *bad)


def _without_footage(matched: MatchedFolder, lists: _Lists) -> tuple[tuple[str, str], ...]:
    missing = []
    for listed in matched.lists:
        rows = lists.rows.get(listed.path)
        if rows is None or listed.sidecar.row is None:
            continue
        kind = listed.sidecar.row[1]
        used = {
            row.names
            for recording in matched.recordings
            if is_about(listed, recording)
            for row in rows_about(rows, recording, kind=kind)
        }
        missing += [
            (f"{listed.path}, line {row.number}", name)
            for name, named in rows.items()
            if name and name not in used
            for row in named
        ]
    return tuple(missing)


# Recordings.


def _planned(folder: _Folder, recording: MatchedRecording, sizes: dict[str, int]) -> PlannedRecording:
    sources, problems, notes = _sources(folder, recording)
    try:
        sources.append((ITS_NAME, path_particulars(folder.pattern, recording, place=folder.place)))
    except FormatError as error:
        problems.append(str(error))
    said, said_by, doubts = _merged(sources)
    if said.started_at and said.ended_at and said.ended_at < said.started_at:
        problems.append("It is said to end before it begins.")
    elif said.ended_at and not said.started_at:
        notes.append("An end is said and no start: the end is left out.")
        said = replace(said, ended_at=None)
    beside = [*recording.sidecars, *_lists_about(folder, recording)]
    return PlannedRecording(
        files=tuple(PlannedFile(file.path, sizes[file.path]) for file in recording.files),
        sidecars=tuple(_beside(folder.root, each) for each in beside),
        said=said,
        said_by=said_by,
        notes=(*recording.notes, *notes, *doubts),
        unclear=(*recording.notes, *doubts),
        problem=" ".join(problems),
    )


def _sources(
    folder: _Folder, recording: MatchedRecording
) -> tuple[list[tuple[str, Particulars]], list[str], list[str]]:
    """Return who says what of a recording, why it is held back, and what a person should know."""
    lists = folder.lists
    rows: list[tuple[str, SidecarRow]] = []
    problems: list[str] = []
    notes: list[str] = []
    for own in recording.sidecars:
        if own.sidecar.read in LISTS:
            try:
                rows += [(name_of(own.path), row) for row in _rows(folder.root, own, folder.place)]
            except FormatError as error:
                problems.append(str(error))
    for listed in folder.matched.lists:
        if listed.sidecar.read not in LISTS or not is_about(listed, recording):
            continue
        if listed.path in lists.problems:
            problems.append(lists.problems[listed.path])
            continue
        assert listed.sidecar.row is not None
        found = rows_about(lists.rows[listed.path], recording, kind=listed.sidecar.row[1])
        rows += [(f"{name_of(listed.path)}, line {row.number}", row) for row in found]
        if not found:
            notes.append(f"{name_of(listed.path)} says nothing of it.")
    problems += [f"{where}: {row.problem}" for where, row in rows if row.problem]
    return [(where, row.particulars) for where, row in rows if not row.problem], problems, notes


def _merged(sources: Iterable[tuple[str, Particulars]]) -> tuple[Particulars, dict[str, str], list[str]]:
    """Put together what several say: the first counts, and what contradicts it is told."""
    said, doubts = NOTHING_SAID, []
    said_by: dict[str, str] = {}
    for where, particulars in sources:
        doubts += [
            f"{name}: {said_by[name]} says {_shown(said, name)}, {where} says {_shown(particulars, name)}."
            for name in contradictions(said, particulars)
        ]
        for name, value in vars(particulars).items():
            if value and name not in said_by:
                said_by[name] = where
        said = fill_in(said, particulars)
    return said, said_by, doubts


def _shown(particulars: Particulars, name: str) -> str:
    value = getattr(particulars, name)
    return value if isinstance(value, str) else f"{value:%Y-%m-%d %H:%M:%S} UTC"


def _lists_about(folder: _Folder, recording: MatchedRecording) -> list[SidecarFile]:
    """Return the lists that are kept beside a recording: those that say something of it, and those nobody can read."""
    found = []
    for listed in folder.matched.lists:
        if not is_about(listed, recording):
            continue
        rows, row = folder.lists.rows.get(listed.path), listed.sidecar.row
        if rows is None or row is None or rows_about(rows, recording, kind=row[1]):
            found.append(listed)
    return found


def _beside(root: Path, file: SidecarFile) -> PlannedSidecar:
    """Say what is in a file that comes along; what cannot be read is kept as it came."""
    kind, is_track, words = file.sidecar.kind, False, "kept as it came"
    try:
        if file.sidecar.read == "gpx":
            track = read_gpx(read_beside(root, file.path, limit_bytes=GPX_LIMIT_BYTES))
            is_track = bool(track.points)
            words = f"points with a time: {len(track.points)}, without: {track.untimed}"
        elif file.sidecar.read in ("srt", "vtt"):
            data = read_beside(root, file.path, limit_bytes=SUBTITLES_LIMIT_BYTES)
            words = f"subtitles: {len(read_subtitles(data, kind=file.sidecar.read))}"
    except FormatError as error:
        kind, words = "sidecar", f"kept as it came, for it cannot be read: {error}"
    return PlannedSidecar(file.path, kind, is_track, words)

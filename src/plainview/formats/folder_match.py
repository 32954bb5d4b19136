"""Find the recordings in a folder of another maker's, by its pattern: which files make one, and what comes along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Iterable, Mapping

from plainview.formats.folder_pattern import FOLDER, NAMED
from plainview.formats.local_time import read_time
from plainview.formats.particulars import Particulars

if TYPE_CHECKING:
    from datetime import datetime

    from plainview.formats.folder_pattern import FolderPattern, PathTemplate, Sidecar

# A longer path fits no pattern: comparing it would cost more than any real one.
PATH_LIMIT = 500


@dataclass(frozen=True)
class FootageFile:
    """A file of footage.

    Attributes:
        path: from the folder down, with / between its parts.
        named: what the pattern reads out of it; of folder_pattern.NAMED.
    """

    path: str
    named: Mapping[str, str]


@dataclass(frozen=True)
class SidecarFile:
    """A file that comes along.

    Attributes:
        path: from the folder down.
        named: what the pattern reads out of it.
        sidecar: what the pattern says of it.
    """

    path: str
    named: Mapping[str, str]
    sidecar: Sidecar


@dataclass(frozen=True)
class MatchedRecording:
    """A recording that a folder holds.

    Attributes:
        files: its parts, in order; at least one.
        sidecars: what comes along with this one.
        notes: what a person should know, such as a part that is not there.
    """

    files: tuple[FootageFile, ...]
    sidecars: tuple[SidecarFile, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class MatchedFolder:
    """What a pattern finds in a folder; every path that was offered is in one of these.

    Attributes:
        recordings: by their first path.
        lists: sidecars that belong to more than one recording.
        lone: sidecars whose footage is not there.
        others: what the pattern says nothing of.
    """

    recordings: tuple[MatchedRecording, ...]
    lists: tuple[SidecarFile, ...]
    lone: tuple[SidecarFile, ...]
    others: tuple[str, ...]


def match_folder(pattern: FolderPattern, paths: Iterable[str]) -> MatchedFolder:
    """Find the recordings in a folder.

    Args:
        pattern: what it looks like.
        paths: of its files, from the folder down, with / between their parts; each once, in any order.
    """
    footage: list[FootageFile] = []
    sidecars: list[SidecarFile] = []
    others: list[str] = []
    for path in sorted(paths):
        named = _fits(pattern.footage, path)
        if named is not None:
            footage.append(FootageFile(path, named))
            continue
        found = _sidecar(pattern, path)
        if found is None:
            others.append(path)
        else:
            sidecars.append(found)
    groups = _in_groups(pattern, footage)
    own, lone = _shared_out(pattern, groups, [each for each in sidecars if not is_list(each.sidecar)])
    recordings = tuple(
        MatchedRecording(tuple(files), tuple(own.get(n, ())), _notes(files)) for n, files in enumerate(groups)
    )
    lists = tuple(each for each in sidecars if is_list(each.sidecar))
    return MatchedFolder(recordings, lists, tuple(lone), tuple(others))


def is_list(sidecar: Sidecar) -> bool:
    """Say whether a sidecar is about more than one recording."""
    return sidecar.belongs in ("folder", "all")


def is_about(listed: SidecarFile, recording: MatchedRecording) -> bool:
    """Say whether a recording is among those that a list is about: in its folder or below it, or anywhere."""
    if listed.sidecar.belongs == "all":
        return True
    folder = folder_of(listed.path)
    return not folder or recording.files[0].path.startswith(folder + "/")


def path_particulars(pattern: FolderPattern, recording: MatchedRecording, *, place: str) -> Particulars:
    """Return what a recording's own paths say of it.

    Args:
        pattern: by which it was found.
        recording: the recording.
        place: IANA zone of the department.

    Raises:
        FormatError: the time in its first file's name is none, or not one instant.
    """
    named = recording.files[0].named
    if pattern.started is None or "started" not in named:
        return Particulars(serial=named.get("serial", ""), badge=named.get("badge", ""))
    return Particulars(
        serial=named.get("serial", ""),
        badge=named.get("badge", ""),
        started_at=_started(pattern, recording.files[0], place),
    )


def _started(pattern: FolderPattern, file: FootageFile, place: str) -> datetime:
    assert pattern.started is not None
    return read_time(file.named["started"], pattern.started, place=place, what=f"name of {file.path}")


def folder_of(path: str) -> str:
    """Return what is before a path's last slash."""
    return path.rpartition("/")[0]


def name_of(path: str) -> str:
    """Return what is behind a path's last slash."""
    return path.rpartition("/")[2]


def stem_of(path: str) -> str:
    """Return a file's name without its ending."""
    name = name_of(path)
    stem, _, _ = name.rpartition(".")
    return stem or name


def row_name(kind: str, file: FootageFile) -> str:
    """Return how a row of a list would name a file, in lower case.

    Args:
        kind: one of folder_pattern.ROW_NAMES.
        file: the file.
    """
    names = {"name": name_of(file.path), "stem": stem_of(file.path), "path": file.path}
    return names.get(kind, file.named.get("group", "")).lower()


def _fits(templates: tuple[PathTemplate, ...], path: str) -> dict[str, str] | None:
    if len(path) > PATH_LIMIT:
        return None
    for template in templates:
        match = template.expression.match(path)
        if match is not None:
            return {name: text for name, text in match.groupdict().items() if text}
    return None


def _sidecar(pattern: FolderPattern, path: str) -> SidecarFile | None:
    for sidecar in pattern.sidecars:
        named = _fits(sidecar.paths, path)
        if named is not None:
            return SidecarFile(path, named, sidecar)
    return None


def _in_groups(pattern: FolderPattern, footage: list[FootageFile]) -> list[list[FootageFile]]:
    groups: dict[tuple[str, ...], list[FootageFile]] = {}
    for file in footage:
        groups.setdefault(_key(pattern.same, file.path, file.named) or (file.path,), []).append(file)
    for files in groups.values():
        files.sort(key=lambda file: (_part(file), file.named.get("started", ""), file.path))
    return list(groups.values())


def _key(names: Iterable[str], path: str, named: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(folder_of(path).lower() if name == FOLDER else named.get(name, "").lower() for name in names)


def _part(file: FootageFile) -> int:
    return int(file.named.get("part", "0"))


def _notes(files: list[FootageFile]) -> tuple[str, ...]:
    notes = []
    for one, after in zip(files, files[1:]):
        between = _part(after) - _part(one)
        if between == 0:
            notes.append(
                f"{name_of(one.path)} and {name_of(after.path)} both say they are part {_part(one)}."
            )
        elif between > 1:
            missing = f"{_part(one) + 1}" if between == 2 else f"{_part(one) + 1} to {_part(after) - 1}"
            notes.append(f"Part {missing} is not there.")
    return tuple(notes)


def _shared_out(
    pattern: FolderPattern, groups: list[list[FootageFile]], sidecars: list[SidecarFile]
) -> tuple[dict[int, list[SidecarFile]], list[SidecarFile]]:
    """Give each sidecar to its recording; what is left over has none."""
    by_stem: dict[str, int] = {}
    for n, files in enumerate(groups):
        for file in files:
            folder = folder_of(file.path).lower()
            # Some write clip.json beside clip.mp4, some clip.mp4.json.
            by_stem.setdefault(f"{folder}/{stem_of(file.path).lower()}", n)
            by_stem.setdefault(f"{folder}/{name_of(file.path).lower()}", n)
    by_group: dict[tuple[str, ...], dict[tuple[str, ...], int]] = {}
    own: dict[int, list[SidecarFile]] = {}
    lone: list[SidecarFile] = []
    for each in sidecars:
        if each.sidecar.belongs == "stem":
            found = by_stem.get(f"{folder_of(each.path)}/{stem_of(each.path)}".lower())
        else:
            names = _shared_names(pattern, each)
            if names not in by_group:
                by_group[names] = _groups_by(names, groups)
            found = by_group[names].get(_key(names, each.path, each.named)) if names else None
        if found is None:
            lone.append(each)
        else:
            own.setdefault(found, []).append(each)
    return own, lone


def _shared_names(pattern: FolderPattern, each: SidecarFile) -> tuple[str, ...]:
    """Return by what a sidecar of a group is told to be that group's."""
    wanted = pattern.same or tuple(name for name in NAMED if name != "part")
    return tuple(name for name in wanted if name == FOLDER or name in each.named)


def _groups_by(names: tuple[str, ...], groups: list[list[FootageFile]]) -> dict[tuple[str, ...], int]:
    found: dict[tuple[str, ...], int] = {}
    for n, files in enumerate(groups):
        found.setdefault(_key(names, files[0].path, files[0].named), n)
    return found

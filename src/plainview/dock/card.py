"""A card or share of another maker's camera, read by a folder pattern that people write: docs/patterns."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from plainview.dock.errors import CameraError, UnreadableFileError
from plainview.dock.folder import digest_file, is_folder, read_pieces, read_small, stat_file, sync_folder
from plainview.dock.rules import DockFile
from plainview.dock.source import AboutCamera
from plainview.formats.errors import FormatError
from plainview.formats.folder_match import MatchedRecording, match_folder, path_particulars
from plainview.formats.folder_pattern import FOLDER_PATTERN_LIMIT_BYTES, FolderPattern, parse_folder_pattern
from plainview.formats.particulars import Particulars, fill_in, particulars_record
from plainview.formats.sidecar import read_sidecar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from plainview.dock.rules import FileState
    from plainview.formats.folder_match import SidecarFile

# More than any card holds; a share with more is not a card.
MOST_FILES = 100_000
SIDECAR_LIMIT_BYTES = 4 << 20
READ_AS_LISTS = ("csv", "json", "xml")


def read_pattern(path: Path) -> FolderPattern:
    """Return the pattern in a file.

    Raises:
        CameraError: it cannot be read, or says something that makes no sense.
    """
    data = read_small(path, limit_bytes=FOLDER_PATTERN_LIMIT_BYTES)
    if data is None:
        raise CameraError(f"{path} is no file that could be a folder pattern.")
    try:
        return parse_folder_pattern(data)
    except FormatError as error:
        raise CameraError(f"{path}: {error}") from error


def fitting_pattern(root: Path, patterns: Sequence[FolderPattern]) -> FolderPattern | None:
    """Return the first pattern by which a folder holds footage."""
    if not patterns:
        return None
    paths = list_paths(root)
    return next((pattern for pattern in patterns if match_folder(pattern, paths).recordings), None)


def list_paths(root: Path) -> list[str]:
    """Return the files below a folder, no links, as paths from it down."""
    found: list[str] = []
    for folder, _, names in os.walk(root, followlinks=False):
        below = os.path.relpath(folder, root)
        prefix = "" if below == "." else below.replace(os.sep, "/") + "/"
        found += [prefix + name for name in names]
        if len(found) > MOST_FILES:
            break
    return found[:MOST_FILES]


class Card:
    """A card whose files a pattern names."""

    is_sealed = False

    def __init__(self, root: Path, pattern: FolderPattern, *, zone: str = "") -> None:
        self.key = str(root)
        self._root, self._pattern, self._zone = root, pattern, zone

    def about(self) -> AboutCamera:
        """Say which camera wrote it: its serial number where all paths that name one name the same."""
        serials = {
            file.named["serial"]
            for recording in match_folder(self._pattern, list_paths(self._root)).recordings
            for file in recording.files
            if "serial" in file.named
        }
        serial = serials.pop() if len(serials) == 1 else ""
        return AboutCamera("", self._pattern.make, self._pattern.model, serial)

    def is_there(self) -> bool:
        """Say whether it is still plugged in."""
        return is_folder(self._root) and any(self._root.iterdir())

    def request(self) -> str | None:
        """Return None: it has no key of its own."""
        return None

    def take_orders(self, orders: str) -> str:  # noqa: ARG002 - as every source
        """Do nothing: it knows no orders."""
        return ""

    def set_docked(self, dock: str) -> bool:  # noqa: ARG002 - as every source
        """Return True: a card does not record."""
        return True

    def set_taken(self) -> None:
        """Do nothing: it is pulled."""

    def settle(self) -> None:
        """Do nothing: a file that was not erased yet is handed in again, which makes nothing new."""

    def close(self) -> None:
        """Do nothing: nothing stays open."""

    def files(self) -> list[DockFile]:
        """Return the footage; where the card may be erased, also what comes along, so that nothing is lost."""
        found = match_folder(self._pattern, list_paths(self._root))
        return [
            file
            for number, recording in enumerate(found.recordings, 1)
            for file in self._recording_files(recording, number)
        ]

    def _recording_files(self, recording: MatchedRecording, number: int) -> Iterator[DockFile]:
        particulars = particulars_record(self._particulars(recording))
        paths = [file.path for file in recording.files]
        if self._pattern.may_erase:
            paths += [each.path for each in recording.sidecars]
        for path in paths:
            found = stat_file(self._root / path)
            if found is not None:
                yield DockFile(
                    group=recording.files[0].path,
                    kind="file",
                    path=path,
                    size_bytes=found.st_size,
                    mtime_ns=found.st_mtime_ns,
                    counter=number,
                    is_critical=False,
                    may_erase=self._pattern.may_erase,
                    particulars=particulars,
                )

    def _particulars(self, recording: MatchedRecording) -> Particulars:
        try:
            said = path_particulars(self._pattern, recording, place=self._zone)
        except FormatError:
            # A name that is no time, or a zone nobody gave: the file says when itself, or a person will.
            named = recording.files[0].named
            said = Particulars(serial=named.get("serial", ""), badge=named.get("badge", ""))
        for each in recording.sidecars:
            if each.sidecar.read in READ_AS_LISTS:
                said = fill_in(said, self._sidecar_says(each))
        return said

    def _sidecar_says(self, each: SidecarFile) -> Particulars:
        try:
            data = read_small(self._root / each.path, limit_bytes=SIDECAR_LIMIT_BYTES)
            rows = read_sidecar(each.sidecar, data or b"", place=self._zone, what=each.path)
        except (FormatError, UnreadableFileError):
            return Particulars()
        return rows[0].particulars if len(rows) == 1 else Particulars()

    def read(self, file: DockFile, offset: int) -> AbstractContextManager[Iterator[bytes]]:
        """Open a file at an offset."""
        return read_pieces(self._root, file, offset)

    def erase(self, files: Sequence[FileState]) -> str:
        """Remove a recording's files, each read once more before: it must be what the receipt speaks of."""
        for each in files:
            if digest_file(self._root, each.file) != each.sha256:
                return f"{each.file.path} is another than was handed in; it was kept."
        try:
            for each in files:
                path = self._root / each.file.path
                path.unlink(missing_ok=True)
                sync_folder(path.parent)
        except OSError as error:
            return f"{files[0].file.path} could not be erased: {error.strerror}."
        return ""

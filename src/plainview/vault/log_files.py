"""The custody log's folder: files that appear whole and durable, or not at all, and are never edited."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from plainview.vault.log_errors import LogBusyError, LogReadError, LogWriteError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

CHECKPOINT = "checkpoint"
INCOMING = ".incoming"
OPEN_FILES = 64  # written, then synced together: one journal commit of the file system serves many


class LogFolder:
    """A log's folder on a local disk.

    Files are written aside, synced, renamed into place and made read-only; then their folders are synced.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._durable_folders: set[str] = set()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for one writer, and clear away what an interrupted one left.

        Raises:
            LogBusyError: another writer holds it.
            LogWriteError: it cannot be made or opened.
        """
        with _told_of_writing("."):
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._lock(handle)
            with _told_of_writing(INCOMING):
                self._sweep()
            yield
        finally:
            os.close(handle)

    def _lock(self, handle: int) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LogBusyError(self.root) from error

    def _sweep(self) -> None:
        (self.root / INCOMING).mkdir(mode=0o700, exist_ok=True)
        for left in (self.root / INCOMING).iterdir():
            left.unlink()

    def read(self, path: str) -> bytes:
        """Return a file's bytes.

        Raises:
            LogReadError: missing or unreadable.
        """
        try:
            return (self.root / path).read_bytes()
        except OSError as error:
            raise LogReadError(path, error.strerror or str(error)) from error

    def find(self, path: str) -> bytes | None:
        """Return a file's bytes, or None where there is no such file.

        Raises:
            LogReadError: it is there and cannot be read.
        """
        try:
            return self.read(path)
        except LogReadError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return None
            raise

    def holds_log(self) -> bool:
        """Return whether there is a checkpoint or a tile, whatever it says."""
        return any((self.root / name).exists() for name in (CHECKPOINT, "tile"))

    def write(self, files: Sequence[tuple[str, bytes]]) -> None:
        """Put files in place, in order, each replacing what has its path; all durable on return.

        Args:
            files: (path relative to the folder, bytes).

        Raises:
            LogWriteError: the disk is full or failed; some of the files may be in place, none of them torn.
        """
        for first in range(0, len(files), OPEN_FILES):
            self._write_some(files[first : first + OPEN_FILES])
        folders = {path.rpartition("/")[0] for path, _ in files}
        for folder in sorted(folders | self._not_known_durable(folders), reverse=True):
            with _told_of_writing(folder or "."):
                _sync_folder(self.root / folder)
        self._durable_folders |= folders

    def _write_some(self, files: Sequence[tuple[str, bytes]]) -> None:
        handles: list[int] = []
        try:
            for number, (path, data) in enumerate(files):
                with _told_of_writing(path):
                    handles.append(self._begin(number))
                    _write_all(handles[-1], data)
            for handle, (path, _) in zip(handles, files, strict=True):
                with _told_of_writing(path):
                    os.fsync(handle)
        finally:
            for handle in handles:
                os.close(handle)
        for number, (path, _) in enumerate(files):
            with _told_of_writing(path):
                (self.root / path).parent.mkdir(parents=True, exist_ok=True)
                (self.root / INCOMING / str(number)).replace(self.root / path)

    def _begin(self, number: int) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(self.root / INCOMING / str(number), flags, 0o440)

    def _not_known_durable(self, folders: set[str]) -> set[str]:
        """Return the ancestors that must be synced: an interrupted writer may have made a folder and not synced it."""
        above: set[str] = set()
        for folder in folders - self._durable_folders:
            parts = folder.split("/")
            above |= {"/".join(parts[:depth]) for depth in range(len(parts))} | {".."}
        return above

    def remove_folder(self, path: str) -> None:
        """Remove a folder of plain files, if it is there; whether that is durable does not matter.

        Raises:
            LogWriteError: a file cannot be removed.
        """
        with _told_of_writing(path), suppress(FileNotFoundError):
            for file in (self.root / path).iterdir():
                file.unlink()
            (self.root / path).rmdir()
        self._durable_folders.discard(path)


def _write_all(handle: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(handle, left) :]


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _told_of_writing(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LogWriteError(path, error.strerror or str(error)) from error

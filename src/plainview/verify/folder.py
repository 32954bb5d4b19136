"""Read a folder somebody else prepared: links are not followed, pipes are not opened, nothing hangs."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import BinaryIO, Iterator

from plainview.verify.errors import NotAPackageError, UnreadableError

READ_BYTES = 1 << 20
# Paths in a package have at most eight parts; what lies deeper is not looked into.
MAX_PARTS = 8
MAX_ENTRIES = 1_000_000
REGULAR = "file"
_REPARSE_POINT = 0x400
_KINDS = (
    (stat.S_ISLNK, "symbolic link"),
    (stat.S_ISFIFO, "named pipe"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISCHR, "device"),
    (stat.S_ISBLK, "device"),
    (stat.S_ISDIR, "folder"),
    (stat.S_ISREG, REGULAR),
)


@dataclass(frozen=True)
class FolderEntry:
    """What lies at a path: kind is "file", or in words what else; size_bytes is a file's."""

    kind: str
    size_bytes: int = 0


def extended_path(folder: str, *, windows: bool) -> str:
    """Return the folder's absolute path, on Windows in the form that may exceed 260 characters."""
    path = os.path.abspath(folder)  # noqa: PTH100 - pathlib would drop the prefix that is added here
    return "\\\\?\\" + path if windows and not path.startswith("\\\\") else path


def list_folder(folder: str) -> dict[str, FolderEntry]:
    """Find everything below a folder.

    Args:
        folder: its path.

    Returns:
        From path, with / between parts, to what is there. Folders are listed only
        where they cannot be looked into.

    Raises:
        NotAPackageError: no such folder, or more than a million entries.
    """
    found: dict[str, FolderEntry] = {}
    waiting = [""]
    while waiting:
        below = waiting.pop()
        try:
            entries = _scan(os.path.join(folder, *below.split("/")))  # noqa: PTH118 - hostile names
        except OSError as error:
            if not below:
                raise NotAPackageError("folder", f"cannot be read: {reason_of(error)}") from error
            found[below] = FolderEntry(f"folder that cannot be read: {reason_of(error)}")
            continue
        for name, entry in entries:
            path = f"{below}/{name}" if below else name
            if entry.kind == "folder" and path.count("/") < MAX_PARTS - 1:
                waiting.append(path)
            else:
                found[path] = entry
        if len(found) + len(waiting) > MAX_ENTRIES:
            raise NotAPackageError("folder", f"it holds more than {MAX_ENTRIES} entries")
    return found


def _scan(folder: str) -> list[tuple[str, FolderEntry]]:
    with os.scandir(folder) as entries:
        return [(entry.name, _entry_of(entry.stat(follow_symlinks=False))) for entry in entries]


def _entry_of(status: os.stat_result) -> FolderEntry:
    # A junction on Windows leads elsewhere as a symbolic link does.
    if getattr(status, "st_file_attributes", 0) & _REPARSE_POINT:
        return FolderEntry("symbolic link")
    kind = next((kind for is_kind, kind in _KINDS if is_kind(status.st_mode)), "thing of an unknown kind")
    return FolderEntry(kind, status.st_size)


def stream_file(folder: str, path: str) -> Iterator[bytes]:
    """Read a file in pieces of 1 MiB; only its last piece is shorter.

    Args:
        folder: as given to list_folder.
        path: below it, with / between parts.

    Raises:
        UnreadableError: it cannot be opened or read, is no regular file, or changed meanwhile.
    """
    try:
        with open_regular(os.path.join(folder, *path.split("/"))) as source:  # noqa: PTH118 - hostile names
            before = os.fstat(source.fileno())
            done = 0
            while True:
                piece = source.read(READ_BYTES)
                if not piece:
                    break
                done += len(piece)
                yield piece
            after = os.fstat(source.fileno())
    except OSError as error:
        raise UnreadableError(path, f"cannot be read: {reason_of(error)}") from error
    if (before.st_size, before.st_mtime_ns) != (done, after.st_mtime_ns):
        raise UnreadableError(path, "it changed while it was being read; check again")


def open_regular(path: str) -> BinaryIO:
    """Open a file that is one, without following a link to it or waiting for a pipe's writer.

    Raises:
        OSError: it cannot be opened, or is something else.
    """
    # Without O_NONBLOCK, opening a pipe would wait for a writer; without O_NOFOLLOW, a link would lead away.
    flags = os.O_RDONLY
    for name in ("O_NONBLOCK", "O_NOFOLLOW", "O_CLOEXEC", "O_BINARY"):
        flags |= getattr(os, name, 0)
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "not a regular file")
    return os.fdopen(descriptor, "rb")


def read_small_file(folder: str, path: str, *, limit_bytes: int) -> bytes:
    """Read a whole file.

    Args:
        folder: as given to list_folder.
        path: below it, with / between parts.
        limit_bytes: of a file that is what it should be.

    Raises:
        UnreadableError: as stream_file, or it is longer than the limit.
    """
    pieces: list[bytes] = []
    done = 0
    for piece in stream_file(folder, path):
        done += len(piece)
        if done > limit_bytes:
            raise UnreadableError(path, f"expected at most {limit_bytes} bytes, and it goes on")
        pieces.append(piece)
    return b"".join(pieces)


def reason_of(error: Exception) -> str:
    """Return why the system refused, without the path it repeats."""
    return getattr(error, "strerror", None) or str(error)

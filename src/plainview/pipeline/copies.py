"""Copy files that are written once: whole and durable under their name, or not there."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from plainview.pipeline.errors import CopyDiffersError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PIECE_BYTES = 4 << 20
UNFINISHED = ".part"


def copy_file(
    source: Path,
    target: Path,
    *,
    sha256: str | None = None,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> None:
    """Copy one file: beside its name, synced, then renamed over what has that name.

    The folder is the caller's to make and to sync; a rename, and not a link, because disks that people carry away
    are often formatted with file systems that know no links.

    Args:
        source: what to copy; a link is refused.
        target: where.
        sha256: what the bytes must have, 64 hex digits; None takes them as they are.
        on_bytes: told how many bytes were copied in each step.

    Raises:
        CopyDiffersError: the source has another digest; there is nothing new at target.
        OSError: source unreadable, target's disk full or broken.
    """
    part = target.with_name(target.name + UNFINISHED)
    part.unlink(missing_ok=True)
    digest = hashlib.sha256()
    try:
        into = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o440)
        with open(into, "wb", buffering=0) as file:  # noqa: PTH123 - the descriptor carries the mode
            for piece in _pieces(source):
                digest.update(piece)
                _write_all(into, piece)
                on_bytes(len(piece))
            os.fsync(file.fileno())
        _check_digest(source, sha256, digest.hexdigest())
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _check_digest(source: Path, expected: str | None, found: str) -> None:
    if expected is not None and expected != found:
        raise CopyDiffersError(source, expected=expected, found=found)


def _pieces(source: Path) -> Iterator[memoryview]:
    buffer = memoryview(bytearray(PIECE_BYTES))
    fd = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        while got := os.readv(fd, [buffer]):
            yield buffer[:got]
    finally:
        os.close(fd)


def _write_all(fd: int, data: memoryview) -> None:
    while data:
        data = data[os.write(fd, data) :]


def make_folder(folder: Path, *, below: Path) -> None:
    """Make a folder and those between it and `below`, which is there."""
    if folder != below and not folder.is_dir():
        make_folder(folder.parent, below=below)
        folder.mkdir(0o700, exist_ok=True)


def sync_folders(folders: set[Path], *, below: Path) -> None:
    """Make the names in these folders durable, and the folders' own names up to and in `below`."""
    above = {parent for folder in folders for parent in folder.parents if parent.is_relative_to(below)}
    for folder in sorted(folders | above | {below}, reverse=True):
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def files_in(root: Path) -> Iterator[str]:
    """Yield the path of every file below a folder, relative to it, in no order; of no folder, nothing."""
    for folder, _, names in os.walk(root):
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), root)  # noqa: PTH118 - a Path each is slow

"""Files below a folder that somebody else wrote: read without following a link, erased so that it lasts."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, BinaryIO

from plainview.dock.errors import CameraGoneError, FileChangedError, UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plainview.dock.rules import DockFile

READ_BYTES = 1 << 20
# What a device says that is not there any more.
GONE = frozenset({errno.ENODEV, errno.ENXIO, errno.ESTALE, errno.ENOTCONN})


def stat_file(path: Path) -> os.stat_result | None:
    """Return what is known of a regular file; None for anything else, links included, and where nothing is.

    Raises:
        UnreadableFileError: the card fails.
    """
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UnreadableFileError(f"{path.name}: {error.strerror}.") from error
    return found if stat.S_ISREG(found.st_mode) else None


def is_folder(path: Path) -> bool:
    """Say whether a path is a folder itself, and no link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def list_folder(path: Path) -> list[Path]:
    """Return what is in a folder, by name; nothing where it is not there.

    Raises:
        CameraGoneError: the folder cannot be read.
    """
    try:
        return sorted(path.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise CameraGoneError(f"{path} cannot be read: {error.strerror}.") from error


def read_small(path: Path, *, limit_bytes: int) -> bytes | None:
    """Return a small file's bytes; None where there is no such file, or it is larger.

    Raises:
        UnreadableFileError: the card fails.
    """
    found = stat_file(path)
    if found is None or found.st_size > limit_bytes:
        return None
    try:
        with _opened(path) as file:
            return file.read(limit_bytes)
    except OSError as error:
        raise UnreadableFileError(f"{path.name}: {error.strerror}.") from error


@contextmanager
def read_pieces(root: Path, file: DockFile, offset: int) -> Iterator[Iterator[bytes]]:
    """Open a file at an offset.

    Raises:
        CameraGoneError: the folder is not there any more.
        FileChangedError: another size or time than when it was listed.
        UnreadableFileError: the card fails.
    """
    try:
        opened = _opened(root / file.path)
    except OSError as error:
        raise _said(root, file, error) from error
    with opened:
        found = os.fstat(opened.fileno())
        if not stat.S_ISREG(found.st_mode) or (found.st_size, found.st_mtime_ns) != (
            file.size_bytes,
            file.mtime_ns,
        ):
            raise FileChangedError(f"{file.path} is being written: expected {file.size_bytes} bytes.")
        yield _pieces(root, file, opened, offset)


def _opened(path: Path) -> BinaryIO:
    # A pipe would keep whoever opens it waiting; a link would lead away from the card.
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    return os.fdopen(fd, "rb", buffering=0)


def _pieces(root: Path, file: DockFile, opened: BinaryIO, offset: int) -> Iterator[bytes]:
    try:
        opened.seek(offset)
        while piece := opened.read(READ_BYTES):
            yield piece
    except OSError as error:
        raise _said(root, file, error) from error


def _said(root: Path, file: DockFile, error: OSError) -> CameraGoneError | UnreadableFileError:
    if error.errno in GONE or not is_folder(root):
        return CameraGoneError(f"{root} is not there any more.")
    return UnreadableFileError(f"{file.path} cannot be read: {error.strerror}.")


def digest_file(root: Path, file: DockFile) -> str:
    """Return the SHA-256 of a file, 64 hex digits.

    Raises:
        CameraError: as read_pieces.
    """
    digest = sha256()
    with read_pieces(root, file, 0) as pieces:
        for piece in pieces:
            digest.update(piece)
    return digest.hexdigest()


def write_lasting(path: Path, data: bytes) -> None:
    """Write a small file so that a loss of power leaves it whole or not there; its folder is made.

    Raises:
        OSError: it cannot be.
    """
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if not is_folder(path.parent):
        raise NotADirectoryError(errno.ENOTDIR, "a link stands in place of the folder", str(path.parent))
    fresh = path.with_name(path.name + ".new")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Return when what was renamed or removed in a folder survives a loss of power.

    Raises:
        OSError: it cannot be.
    """
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

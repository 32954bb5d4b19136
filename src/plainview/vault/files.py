"""The few calls to the system that the local store makes, so that a test can put a model of a disk in their place.

tests/simulators/power_cut.py is that model: it forgets what was not synced.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

FILE_MODE = 0o440
PRIVATE_FILE_MODE = 0o600
FOLDER_MODE = 0o700
_START_WRITE = 2
# Linux only: without it writeback begins when the system likes, or at the fsync.
_ADVISE: Callable[[int, int, int, int], None] | None = getattr(os, "posix_fadvise", None)
_ADVISE_DONT_NEED: int = getattr(os, "POSIX_FADV_DONTNEED", 0)
# macOS only: there fsync leaves the bytes in the disk's own memory.
_FULL_SYNC: int | None = getattr(fcntl, "F_FULLFSYNC", None)


class Files(Protocol):
    """Files and folders by path; every method raises OSError as the call of the same name in os does."""

    def create(self, path: str, mode: int = FILE_MODE) -> int:
        """Create a file that was not there, read-only once closed, and return a descriptor to write it."""
        ...

    def open(self, path: str) -> int:
        """Open a file for reading; a symbolic link is refused."""
        ...

    def open_to_append(self, path: str) -> int:
        """Open a file that is there for reading, and for writing at its end; a symbolic link is refused."""
        ...

    def lock(self, fd: int) -> bool:
        """Take an open file for oneself until its descriptor is closed, or say that somebody else has it."""
        ...

    def truncate(self, fd: int, size_bytes: int) -> None:
        """Cut a file off."""
        ...

    def set_mode(self, fd: int, mode: int) -> None:
        """Set who may read and write a file."""
        ...

    def write(self, fd: int, data: memoryview) -> int:
        """Write some of data at the end and return how many bytes."""
        ...

    def write_over(self, fd: int, offset: int, data: memoryview) -> int:
        """Write some of data over what stands at offset and return how many bytes; the end stays where it is."""
        ...

    def start_writeback(self, fd: int, offset: int, length: int) -> None:
        """Ask that a range go to the disk soon; promises nothing."""
        ...

    def sync(self, fd: int) -> None:
        """Return when the file's bytes survive a power cut."""
        ...

    def forget_cached(self, fd: int) -> None:
        """Ask that the file's bytes leave memory, so that the next read comes from the disk; promises nothing."""
        ...

    def close(self, fd: int) -> None:
        """Close a descriptor."""
        ...

    def read_into(self, fd: int, offset: int, buffer: memoryview) -> int:
        """Fill some of buffer from offset and return how many bytes; 0 at the end."""
        ...

    def size(self, fd: int) -> int:
        """Return a file's size in bytes."""
        ...

    def link(self, old: str, new: str) -> None:
        """Give a file a second name that was not there."""
        ...

    def is_same(self, path: str, other: str) -> bool:
        """Say whether two names are one file's."""
        ...

    def unlink(self, path: str) -> None:
        """Remove a name."""
        ...

    def make_folder(self, path: str) -> None:
        """Make a folder that was not there."""
        ...

    def is_folder(self, path: str) -> bool:
        """Say whether there is a folder."""
        ...

    def list_folder(self, path: str) -> list[str]:
        """Return the names in a folder, in order."""
        ...

    def sync_folder(self, path: str) -> None:
        """Return when the names in a folder survive a power cut."""
        ...


class SystemFiles:
    """Files on this machine."""

    def create(self, path: str, mode: int = FILE_MODE) -> int:
        """Create a file that was not there."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(path, flags, mode)

    def open(self, path: str) -> int:
        """Open a file for reading."""
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)

    def open_to_append(self, path: str) -> int:
        """Open a file that is there for reading, and for writing at its end."""
        return os.open(path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)

    def lock(self, fd: int) -> bool:
        """Take an open file for oneself, or say that somebody else has it."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def truncate(self, fd: int, size_bytes: int) -> None:
        """Cut a file off."""
        os.ftruncate(fd, size_bytes)

    def set_mode(self, fd: int, mode: int) -> None:
        """Set who may read and write a file."""
        os.fchmod(fd, mode)

    def write(self, fd: int, data: memoryview) -> int:
        """Write some of data at the end."""
        return os.write(fd, data)

    def write_over(self, fd: int, offset: int, data: memoryview) -> int:
        """Write some of data over what stands at offset."""
        return os.pwrite(fd, data, offset)

    def start_writeback(self, fd: int, offset: int, length: int) -> None:
        """Ask that a range go to the disk soon.

        Source: sync_file_range(2), SYNC_FILE_RANGE_WRITE.
        """
        if _SYNC_FILE_RANGE is not None:
            _SYNC_FILE_RANGE(fd, offset, length, _START_WRITE)

    def sync(self, fd: int) -> None:
        """Return when the file's bytes survive a power cut."""
        if _FULL_SYNC is not None:
            fcntl.fcntl(fd, _FULL_SYNC)
        else:
            os.fsync(fd)

    def forget_cached(self, fd: int) -> None:
        """Ask that the file's bytes leave memory."""
        if _ADVISE is not None:
            _ADVISE(fd, 0, 0, _ADVISE_DONT_NEED)

    def close(self, fd: int) -> None:
        """Close a descriptor."""
        os.close(fd)

    def read_into(self, fd: int, offset: int, buffer: memoryview) -> int:
        """Fill some of buffer from offset."""
        return os.preadv(fd, [buffer], offset)

    def size(self, fd: int) -> int:
        """Return a file's size in bytes."""
        return os.fstat(fd).st_size

    def link(self, old: str, new: str) -> None:
        """Give a file a second name that was not there."""
        os.link(old, new, follow_symlinks=False)

    def is_same(self, path: str, other: str) -> bool:
        """Say whether two names are one file's."""
        return Path(path).samefile(other)

    def unlink(self, path: str) -> None:
        """Remove a name."""
        Path(path).unlink()

    def make_folder(self, path: str) -> None:
        """Make a folder that was not there."""
        Path(path).mkdir(FOLDER_MODE)

    def is_folder(self, path: str) -> bool:
        """Say whether there is a folder."""
        return Path(path).is_dir()

    def list_folder(self, path: str) -> list[str]:
        """Return the names in a folder, in order."""
        return sorted(entry.name for entry in Path(path).iterdir())

    def sync_folder(self, path: str) -> None:
        """Return when the names in a folder survive a power cut."""
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self.sync(fd)
        finally:
            os.close(fd)


def _find_sync_file_range() -> Callable[[int, int, int, int], int] | None:
    function = getattr(ctypes.CDLL(None), "sync_file_range", None)
    if function is not None:
        function.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]
    return function


_SYNC_FILE_RANGE = _find_sync_file_range()

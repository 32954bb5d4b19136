"""The few calls to the system by which a camera keeps things, so that a test can put a model of a disk in their place.

tests/simulators/power_cuts.py is that model: it forgets what was not synced.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from plainview.camera.errors import StorageFaultError, StorageFullError

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a dock reads where the camera is plugged in as mass storage; all of it is sealed.
STORAGE_MODE = 0o644
PRIVATE_MODE = 0o600
FOLDER_MODE = 0o755
_FULL = (errno.ENOSPC, errno.EDQUOT)
_READ_BYTES = 1 << 20


class CameraDisk(Protocol):
    """Files and folders by path; every method raises OSError as the call of the same name in os does."""

    def create(self, path: str, mode: int) -> int:
        """Create a file that was not there and return a descriptor to write it."""
        ...

    def open(self, path: str) -> int:
        """Open a file for reading."""
        ...

    def lock(self, fd: int) -> bool:
        """Take an open file for oneself until its descriptor is closed, or say that somebody else has it."""
        ...

    def write(self, fd: int, data: memoryview) -> int:
        """Write some of data at the end and return how many bytes."""
        ...

    def sync(self, fd: int) -> None:
        """Return when the file's bytes survive a power cut."""
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

    def replace(self, old: str, new: str) -> None:
        """Give a file another name, which may have been another file's."""
        ...

    def unlink(self, path: str) -> None:
        """Remove a name."""
        ...

    def make_folder(self, path: str) -> None:
        """Make a folder that was not there."""
        ...

    def remove_folder(self, path: str) -> None:
        """Remove an empty folder."""
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

    def free_bytes(self, path: str) -> int:
        """Return how much room there is where a folder lies."""
        ...


class SystemDisk:
    """Files on this machine."""

    def create(self, path: str, mode: int) -> int:
        """Create a file that was not there."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(path, flags, mode)

    def open(self, path: str) -> int:
        """Open a file for reading."""
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)

    def lock(self, fd: int) -> bool:
        """Take an open file for oneself, or say that somebody else has it."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def write(self, fd: int, data: memoryview) -> int:
        """Write some of data at the end."""
        return os.write(fd, data)

    def sync(self, fd: int) -> None:
        """Return when the file's bytes survive a power cut."""
        os.fsync(fd)

    def close(self, fd: int) -> None:
        """Close a descriptor."""
        os.close(fd)

    def read_into(self, fd: int, offset: int, buffer: memoryview) -> int:
        """Fill some of buffer from offset."""
        return os.preadv(fd, [buffer], offset)

    def size(self, fd: int) -> int:
        """Return a file's size in bytes."""
        return os.fstat(fd).st_size

    def replace(self, old: str, new: str) -> None:
        """Give a file another name."""
        Path(old).replace(new)

    def unlink(self, path: str) -> None:
        """Remove a name."""
        Path(path).unlink()

    def make_folder(self, path: str) -> None:
        """Make a folder that was not there."""
        Path(path).mkdir(FOLDER_MODE)

    def remove_folder(self, path: str) -> None:
        """Remove an empty folder."""
        Path(path).rmdir()

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
            os.fsync(fd)
        finally:
            os.close(fd)

    def free_bytes(self, path: str) -> int:
        """Return how much room there is where a folder lies."""
        free = os.statvfs(path)
        return free.f_bavail * free.f_frsize


@contextlib.contextmanager
def told_as_storage(what: str) -> Iterator[None]:
    """Turn what the system says of a disk into what a recorder can act on.

    Args:
        what: was being done, for the error.

    Raises:
        StorageFullError: no room.
        StorageFaultError: anything else a disk says.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFullError(f"{what}: no room is left; put the camera into a dock") from error
        raise StorageFaultError(f"{what}: {error.strerror}; the storage may have to be replaced") from error


def write_all(disk: CameraDisk, fd: int, data: bytes) -> None:
    """Write all of data at the end of an open file; nothing is synced."""
    rest = memoryview(data)
    while rest:
        rest = rest[disk.write(fd, rest) :]


def read_file(disk: CameraDisk, path: str, *, limit_bytes: int) -> bytes:
    """Return a file's bytes, at most limit_bytes of them; FileNotFoundError where there is none."""
    fd = disk.open(path)
    try:
        buffer = bytearray(min(disk.size(fd), limit_bytes))
        done = 0
        while done < len(buffer):
            got = disk.read_into(fd, done, memoryview(buffer)[done : done + _READ_BYTES])
            if not got:
                break
            done += got
        return bytes(buffer[:done])
    finally:
        disk.close(fd)


def write_atomically(disk: CameraDisk, path: str, data: bytes, *, mode: int) -> None:
    """Let path hold data and nothing else, durably, or what it held before."""
    fresh = f"{path}.new"
    with contextlib.suppress(FileNotFoundError):
        disk.unlink(fresh)
    fd = disk.create(fresh, mode)
    try:
        write_all(disk, fd, data)
        disk.sync(fd)
    finally:
        disk.close(fd)
    disk.replace(fresh, path)
    disk.sync_folder(path.rpartition("/")[0])


def make_folder_durably(disk: CameraDisk, path: str) -> None:
    """Make a folder, and the name it has in the one above, unless it is there."""
    if not disk.is_folder(path):
        disk.make_folder(path)
    disk.sync_folder(path.rpartition("/")[0])

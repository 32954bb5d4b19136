"""The store on a local disk: objects/7d/7d0f2c64a15b4e0fb3c1a9d2e4f60718, each file read-only and written once.

An object is written beside its final name as <name>.part, synced, linked to its name (a link never replaces what is
there), and the folders are synced. So a visible name always has all its bytes, whenever the power goes.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from plainview.vault.errors import (
    ObjectExistsError,
    ObjectMissingError,
    StoreFaultError,
    StoreFullError,
    StoreMissingError,
)
from plainview.vault.files import SystemFiles
from plainview.vault.store import OBJECT_NAME, check_name_prefix, check_object_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    from plainview.vault.errors import StoreError
    from plainview.vault.files import Files
    from plainview.vault.store import Buffer

WRITEBACK_BYTES = 16 << 20
_PART = ".part"
_ZEROS = bytes(1 << 20)
_SHARD = re.compile(r"[0-9a-f]{2}\Z")
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def create_local_store(root: Path, *, files: Files | None = None) -> LocalStore:
    """Make the folder of a store, durably, if it is not there, and return the store in it.

    Args:
        root: the folder; its parent must exist.
        files: the disk; this machine's unless a test gives another.

    Raises:
        StoreFullError: no space.
        StoreFaultError: the folder could not be made.
    """
    disk = files or SystemFiles()
    with disk_faults("making the folder", None):
        if not disk.is_folder(str(root)):
            disk.make_folder(str(root))
        # Also when it was there: who made it may have been stopped before this line.
        disk.sync_folder(str(root.parent))
    return LocalStore(root, files=disk)


class LocalStore:
    """Objects in a folder of this machine.

    Many threads and processes may use one folder at once; sweep() alone needs the data directory's lock.

    Raises:
        StoreMissingError: there is no such folder; see create_local_store().
    """

    def __init__(self, root: Path, *, files: Files | None = None) -> None:
        self._files: Files = files or SystemFiles()
        self.root = Path(root)
        # What this process synced last of originals that arrive in pieces: sizes by id (vault.incoming).
        self.synced_sizes: dict[str, tuple[int, int]] = {}
        self._check_root()

    def create(self, name: str) -> LocalWriter:
        """Begin an object, in a file that is not yet its name."""
        return LocalWriter(self._files, self.root, check_object_name(name))

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """Return length bytes from offset; fewer only where the object ends."""
        buffer = bytearray(length)
        got = self.read_range_into(name, offset, buffer)
        return bytes(memoryview(buffer)[:got])

    def read_range_into(self, name: str, offset: int, buffer: bytearray | memoryview) -> int:
        """Fill buffer from offset; fewer bytes only where the object ends."""
        view, done = memoryview(buffer), 0
        with self._open(name) as fd:
            while done < len(view) and (got := self._files.read_into(fd, offset + done, view[done:])):
                done += got
        return done

    def size(self, name: str) -> int:
        """Return an object's size in bytes."""
        with self._open(name) as fd:
            return self._files.size(fd)

    def open_fd(self, name: str) -> int:
        """Open an object's ciphertext for reading, for a process that may not open files itself.

        Returns:
            A read-only file descriptor, which the caller closes.

        Raises:
            ObjectMissingError: no such object.
        """
        with self._reading(check_object_name(name)):
            return self._files.open(self._path(name))

    def names(self, prefix: str = "") -> Iterator[str]:
        """Yield the names of all committed objects that begin with prefix, in order."""
        check_name_prefix(prefix)
        for shard in self._shards():
            if shard.startswith(prefix[:2]):
                for name in self._list(shard):
                    if OBJECT_NAME.match(name) and name.startswith(shard) and name.startswith(prefix):
                        yield name

    def delete(self, name: str) -> None:
        """Remove an object, durably."""
        check_object_name(name)
        with self._reading(name, "deleting"):
            self._files.unlink(self._path(name))
            self._files.sync_folder(str(self.root / name[:2]))

    @property
    def files(self) -> Files:
        """Return the disk, for what else lies in the store's folder."""
        return self._files

    def place(self, path: Path, name: str) -> None:
        """Make a file of this disk an object, durably; placing the same file again changes nothing.

        Args:
            path: the file: whole, synced and read-only. It keeps this name too.
            name: the object's.

        Raises:
            ObjectExistsError: there is another object of this name.
            StoreFullError: no space.
            StoreFaultError: the disk failed.
        """
        final, shard = self._path(check_object_name(name)), self.root / name[:2]
        with disk_faults("naming", name):
            with contextlib.suppress(FileExistsError):
                self._files.make_folder(str(shard))
            try:
                self._files.link(str(path), final)
            except FileExistsError as error:
                if not self._files.is_same(str(path), final):
                    raise ObjectExistsError(name) from error
            self._files.sync_folder(str(shard))
            self._files.sync_folder(str(self.root))

    def sweep(self) -> int:
        """Remove what interrupted writers left; only under the data directory's lock."""
        removed = 0
        for shard in self._shards():
            parts = [entry for entry in self._list(shard) if entry.endswith(_PART)]
            if parts:
                removed += len(parts)
                with disk_faults("sweeping", None):
                    for part in parts:
                        self._files.unlink(str(self.root / shard / part))
                    self._files.sync_folder(str(self.root / shard))
        return removed

    def _check_root(self) -> None:
        with disk_faults("opening", None):
            is_there = self._files.is_folder(str(self.root))
        if not is_there:
            raise StoreMissingError(self.root)

    def _path(self, name: str) -> str:
        return os.path.join(self.root, name[:2], name)  # noqa: PTH118 - half the cost of a Path, on every read

    def _shards(self) -> list[str]:
        with disk_faults("listing", None):
            return [entry for entry in self._files.list_folder(str(self.root)) if _SHARD.match(entry)]

    def _list(self, shard: str) -> list[str]:
        with disk_faults("listing", None):
            return self._files.list_folder(str(self.root / shard))

    @contextlib.contextmanager
    def _open(self, name: str) -> Iterator[int]:
        check_object_name(name)
        with self._reading(name):
            fd = self._files.open(self._path(name))
            try:
                yield fd
            finally:
                self._files.close(fd)

    @contextlib.contextmanager
    def _reading(self, name: str, doing: str = "reading") -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            self._check_root()
            raise ObjectMissingError(name) from error
        except OSError as error:
            raise _store_error(doing, name, error) from error


class LocalWriter:
    """An object being written to <name>.part; see LocalStore.create()."""

    def __init__(self, files: Files, root: Path, name: str) -> None:
        self._files, self._root, self._name = files, root, name
        self._shard = root / name[:2]
        self._final = str(self._shard / name)
        self._part = self._final + _PART
        self._written = self._started = 0
        self._room_bytes = self._filled_bytes = 0
        self._is_named = self._is_committed = False
        with disk_faults("beginning", name):
            with contextlib.suppress(FileExistsError):
                files.make_folder(str(self._shard))
            self._fd: int | None = self._create()

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Discard what was written unless it was committed; what cannot be removed now, a sweep removes."""
        if self._is_committed:
            return
        with contextlib.suppress(OSError):
            self._close()
        with contextlib.suppress(OSError):
            self._files.unlink(self._part)
        if self._is_named:
            with contextlib.suppress(OSError):
                self._files.unlink(self._final)

    def write(self, data: Buffer) -> None:
        """Add all of data at the end."""
        view, fd = memoryview(data), self._open_fd()
        with disk_faults("writing", self._name):
            while view:
                done = self._files.write(fd, view)
                view = view[done:]
                self._written += done
            if self._written - self._started >= WRITEBACK_BYTES:
                # Else the disk idles until the fsync, and then everything waits for it.
                self._files.start_writeback(fd, self._started, self._written - self._started)
                self._started = self._written

    def leave_room(self, length: int) -> None:
        """Begin the object with room for bytes that are known last."""
        self._open_fd()
        if self._written:
            raise ValueError(f"object {self._name} has bytes already: room is left at the beginning only")
        # Written and not skipped: a disk without space for it must say so now and not at the end.
        self._room_bytes = length
        for start in range(0, length, len(_ZEROS)):
            self.write(_ZEROS[: length - start])

    def fill_room(self, data: Buffer) -> None:
        """Put all of data into what is left of the room."""
        view, fd = memoryview(data), self._open_fd()
        if len(view) > self._room_bytes - self._filled_bytes:
            raise ValueError(f"object {self._name} has less room left than {len(view)} bytes")
        with disk_faults("writing", self._name):
            while view:
                done = self._files.write_over(fd, self._filled_bytes, view)
                view = view[done:]
                self._filled_bytes += done

    def commit(self) -> None:
        """Make the object visible, whole and durable."""
        fd = self._open_fd()
        if self._filled_bytes != self._room_bytes:
            raise ValueError(f"object {self._name} has room left that was not filled")
        with disk_faults("syncing", self._name):
            self._files.sync(fd)
            # The read-back that follows must come from the disk, not from our own copy in memory.
            self._files.forget_cached(fd)
            self._close()
        with disk_faults("naming", self._name):
            self._link()
            self._files.unlink(self._part)
            self._files.sync_folder(str(self._shard))
            # Always: whoever made the shard's folder may have been stopped before it was durable.
            self._files.sync_folder(str(self._root))
        self._is_committed = True

    def _create(self) -> int:
        try:
            return self._files.create(self._part)
        except FileExistsError as error:
            raise ObjectExistsError(self._name) from error

    def _link(self) -> None:
        try:
            self._files.link(self._part, self._final)
        except FileExistsError as error:
            raise ObjectExistsError(self._name) from error
        self._is_named = True

    def _open_fd(self) -> int:
        if self._fd is None:
            raise ValueError(f"object {self._name} is written already; begin another")
        return self._fd

    def _close(self) -> None:
        if self._fd is not None:
            fd, self._fd = self._fd, None
            self._files.close(fd)


@contextlib.contextmanager
def disk_faults(doing: str, name: str | None) -> Iterator[None]:
    """Turn the OSErrors of a block into the store's own.

    Args:
        doing: what the block does, such as "writing".
        name: the object it is about, or None.

    Raises:
        StoreFullError: the disk or the quota is full.
        StoreFaultError: anything else that the system refused.
    """
    try:
        yield
    except OSError as error:
        raise _store_error(doing, name, error) from error


def _store_error(doing: str, name: str | None, error: OSError) -> StoreError:
    problem = error.strerror or type(error).__name__
    if error.errno in _FULL:
        return StoreFullError(doing, name, problem)
    return StoreFaultError(doing, name, problem, error.errno)

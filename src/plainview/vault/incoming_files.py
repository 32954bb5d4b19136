"""Where the parts of an arriving original lie, and what their sizes say."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from plainview.formats.chunks import chunk_count
from plainview.formats.object_header import HEADER_BYTES, SEALED_CHUNK_BYTES, object_size_bytes
from plainview.vault.files import PRIVATE_FILE_MODE
from plainview.vault.incoming_errors import IncomingDamagedError, IncomingMissingError
from plainview.vault.local import disk_faults
from plainview.vault.promised import format_head
from plainview.vault.store import OBJECT_NAME, check_object_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from plainview.vault.files import Files
    from plainview.vault.local import LocalStore
    from plainview.vault.promised import PromisedHashes

FOLDER = "incoming"
_SEALED, _HASHES = ".sealed", ".hashes"


class Paths:
    """Where the parts of one arriving original lie."""

    def __init__(self, store: LocalStore, object_id: str) -> None:
        self.folder = store.root / FOLDER
        self.sealed = str(self.folder / (check_object_name(object_id) + _SEALED))
        self.hashes = str(self.folder / (object_id + _HASHES))


def create_files(store: LocalStore, object_id: str, size_bytes: int, header: bytes) -> None:
    """Make both files of an original of which nothing has come, durably.

    Raises:
        StoreFullError: no space.
        StoreFaultError: the disk failed.
    """
    paths, files = Paths(store, object_id), store.files
    with disk_faults("beginning", object_id):
        if not files.is_folder(str(paths.folder)):
            with contextlib.suppress(FileExistsError):
                files.make_folder(str(paths.folder))
        for path, data in ((paths.hashes, format_head(size_bytes)), (paths.sealed, header)):
            with contextlib.closing(_Created(files, path)) as file:
                file.write(data)
        files.sync_folder(str(paths.folder))
        # Always: whoever made the folder may have been stopped before it was durable.
        files.sync_folder(str(store.root))


class _Created:
    """A new file, synced when it is closed."""

    def __init__(self, files: Files, path: str) -> None:
        self._files, self._fd = files, files.create(path, PRIVATE_FILE_MODE)

    def write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._files.write(self._fd, rest) :]
        self._files.sync(self._fd)

    def close(self) -> None:
        self._files.close(self._fd)


def opened(opener: Callable[[str], int], path: str, object_id: str) -> int:
    """Open a file of an arriving original.

    Raises:
        IncomingMissingError: it is not there.
        OSError: the disk failed.
    """
    try:
        return opener(path)
    except FileNotFoundError as error:
        raise IncomingMissingError(object_id) from error


def whole_chunks(sealed_bytes: int, promised: PromisedHashes, object_id: str) -> int:
    """Return how many whole chunks so many bytes of the sealed file are.

    Raises:
        IncomingDamagedError: the file is too short or too long, or a chunk lacks its promise.
    """
    whole, rest = divmod(sealed_bytes - HEADER_BYTES, SEALED_CHUNK_BYTES)
    total_bytes = object_size_bytes(promised.size_bytes)
    if sealed_bytes == total_bytes:
        whole, rest = chunk_count(promised.size_bytes), 0
    if not HEADER_BYTES <= sealed_bytes <= total_bytes:
        raise IncomingDamagedError(object_id, f"{sealed_bytes} bytes are sealed of {total_bytes}")
    if promised.count < whole or (rest and promised.find(whole) is None):
        raise IncomingDamagedError(object_id, f"MiB {min(whole, promised.count)} was sealed and has no hash")
    return whole


def all_incoming(store: LocalStore) -> set[str]:
    """Return the ids of all originals of which any file is there."""
    folder = str(store.root / FOLDER)
    with disk_faults("listing", None):
        names = store.files.list_folder(folder) if store.files.is_folder(folder) else []
    return {stem for name in names if OBJECT_NAME.match(stem := name.partition(".")[0])}


class SealedFile:
    """An open file of sealed bytes, as a store of this one object."""

    def __init__(self, files: Files, fd: int) -> None:
        self._files, self._fd = files, fd

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """Return length bytes from offset; fewer only at the end."""
        buffer = memoryview(bytearray(length))
        return bytes(buffer[: self.read_range_into(name, offset, buffer)])

    def read_range_into(self, name: str, offset: int, buffer: bytearray | memoryview) -> int:  # noqa: ARG002 - there is one
        """Fill buffer from offset; fewer bytes only at the end."""
        view, done = memoryview(buffer), 0
        while done < len(view) and (got := self._files.read_into(self._fd, offset + done, view[done:])):
            done += got
        return done

    def size(self, name: str) -> int:  # noqa: ARG002 - there is one
        """Return how many bytes there are."""
        return self._files.size(self._fd)

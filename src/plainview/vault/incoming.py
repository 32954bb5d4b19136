"""Receive an original in pieces, over hours and interruptions, and say how much of it is safe.

    objects/incoming/<object id>.sealed   the object as it will be: its header, and the chunks so far, sealed
    objects/incoming/<object id>.hashes   the hash of each chunk (vault.promised)

The object's key waits in the key store as the secret "incoming/<object id>", which no escrow holds, and becomes an
object's key when the object does. The folder lies in the store's, so that placing an object is one link.

Whole chunks are acknowledged, once they are synced, and the end; what is left of a piece is not kept. So any process
can go on with what another began, and nothing is hashed twice: the hash of a chunk stands beside it, and when all have
come the object is read back once, from the disk, which compares each and makes the SHA-256 of the whole.

No nonce is ever used for two plaintexts, which would give both away. A chunk has one nonce (its number; being the last
follows from the size, which is announced first) under one key. A chunk may be sealed twice: after a kill, a power cut
or a full disk has cut off what was not acknowledged, it comes again. But before anything of it is sealed its hash is
durable, and other bytes are refused under that number for ever: a chunk that is sealed twice is the same chunk, and
gives the same ciphertext. That holds too where the disk kept traces of a ciphertext whose file was never extended over
it. A record of a hash that was not synced may be torn by a power cut; then its chunk was never sealed, and the record
is dropped (sweep_incoming). What a client sends with a checksum of its own is to be compared before it is offered here.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from plainview.formats.chunks import CHUNK_BYTES, chunk_count
from plainview.formats.object_header import (
    SEALED_CHUNK_BYTES,
    TAG_BYTES,
    chunk_offset,
    object_size_bytes,
)
from plainview.vault.crypt import ChunkCipher, new_object_id, new_object_key
from plainview.vault.errors import AlteredObjectError, EmptyOriginalError, KeyMissingError, ReadBackError
from plainview.vault.files import FILE_MODE
from plainview.vault.incoming_errors import (
    IncomingBusyError,
    IncomingDamagedError,
    IncomingMissingError,
    IncomingOffsetError,
)
from plainview.vault.incoming_files import Paths, SealedFile, all_incoming, create_files, opened, whole_chunks
from plainview.vault.local import disk_faults
from plainview.vault.promised import PromisedHashes
from plainview.vault.reread import ReceivedObject, chunk_hash, reread

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from types import TracebackType
    from typing import Self

    from plainview.vault.keys import KeyStore
    from plainview.vault.local import LocalStore
    from plainview.vault.store import Readable

_SECRET = "incoming/"  # noqa: S105 - where keys wait, not one of them
# One sync of their hashes for so many; so much memory each sender takes.
BATCH_CHUNKS = 4
READ_BYTES = 256 << 10
# Never more than this is written and not synced: so much is looked at again after a power cut.
SYNC_CHUNKS = 16
_LOOK_AGAIN_CHUNKS = SYNC_CHUNKS + BATCH_CHUNKS


def begin_incoming(store: LocalStore, keys: KeyStore, *, size_bytes: int) -> str:
    """Make place for an original of which nothing has come yet; durable on return.

    Returns:
        The id of the object it will be, 32 hexadecimal digits; nobody can guess it.

    Raises:
        EmptyOriginalError: it would have no bytes.
        StoreFullError: no space.
        StoreFaultError: the store's disk failed.
        KeyStoreError: the key could not be kept.
    """
    if size_bytes < 1:
        raise EmptyOriginalError
    object_id, key = new_object_id(), new_object_key()
    keys.put_secret(_SECRET + object_id, key)
    try:
        create_files(store, object_id, size_bytes, ChunkCipher(object_id, key).header)
    except BaseException:
        with contextlib.suppress(Exception):
            drop_incoming(store, keys, object_id)
        raise
    return object_id


def incoming_offset(store: LocalStore, object_id: str) -> int:
    """Return how much has come and is durable, in bytes; also while somebody is adding to it.

    Raises:
        IncomingMissingError: nothing of this name is arriving.
        IncomingDamagedError: what is kept of it is not what was written.
        StoreFaultError: the disk failed.
    """
    paths, files = Paths(store, object_id), store.files
    with disk_faults("reading", object_id), contextlib.ExitStack() as closing:
        sealed, hashes = (opened(files.open, path, object_id) for path in (paths.sealed, paths.hashes))
        closing.callback(files.close, sealed)
        closing.callback(files.close, hashes)
        promised = PromisedHashes(files, hashes, object_id)
        whole = whole_chunks(files.size(sealed), promised, object_id)
        # Perhaps a killed process wrote it and did not come to syncing it.
        files.sync(sealed)
        return min(whole * CHUNK_BYTES, promised.size_bytes)


def open_incoming(store: LocalStore, keys: KeyStore, object_id: str) -> Incoming:
    """Take an arriving original for oneself, to add to it or to finish it; close it in the end.

    Raises:
        IncomingMissingError: nothing of this name is arriving.
        IncomingBusyError: somebody else has it.
        IncomingDamagedError: what is kept of it is not what was written.
        StoreFaultError: the disk failed.
        KeyStoreError: its key cannot be read.
    """
    with disk_faults("opening", object_id):
        return Incoming(store, keys, object_id)


def finish_incoming(store: LocalStore, keys: KeyStore, object_id: str) -> ReceivedObject:
    """Read back an original that has come whole, make it an object of the store, and return its facts.

    Interrupted anywhere, the same call again ends it.

    Raises:
        IncomingMissingError: nothing of this name is arriving, and the store has no such object.
        IncomingBusyError: somebody else has it.
        IncomingOffsetError: not all of it has come.
        IncomingDamagedError: its hashes cannot be read.
        ReadBackError: the disk gave back something else than came; drop it, and have it sent again.
        StoreFullError: no space.
        StoreFaultError: the disk failed.
        KeyStoreError: the key could not be kept.
    """
    try:
        found = _finish(store, keys, object_id)
    except IncomingMissingError:
        # Its name here goes last: where it has gone, the object is there, and was compared.
        if object_id not in store.names(object_id):
            raise
        found = reread(store, object_id, keys.object_key(object_id))
    drop_incoming(store, keys, object_id)
    return found


def drop_incoming(store: LocalStore, keys: KeyStore, object_id: str) -> None:
    """Forget what has come, its key first; an object it has become stays. Nothing there is no error.

    Raises:
        StoreFaultError: the disk failed.
        KeyStoreError: the key could not be destroyed.
    """
    paths = Paths(store, object_id)
    keys.destroy_secret(_SECRET + object_id)
    store.synced_sizes.pop(object_id, None)
    with disk_faults("deleting", object_id):
        if not store.files.is_folder(str(paths.folder)):
            return
        for path in (paths.sealed, paths.hashes):
            with contextlib.suppress(FileNotFoundError):
                store.files.unlink(path)
        store.files.sync_folder(str(paths.folder))


def sweep_incoming(store: LocalStore, keys: KeyStore, wanted: Collection[str]) -> int:
    """Bring what is arriving to rest after an interruption, and forget what nobody waits for.

    Call it under the data directory's lock, before anything is added: what a power cut tore is cut off here.

    Args:
        store: where it arrives.
        keys: where its keys are.
        wanted: the ids that some record names.

    Returns:
        How many were forgotten.
    """
    found = all_incoming(store) | {name.removeprefix(_SECRET) for name in keys.secret_names(_SECRET)}
    unwanted = found - set(wanted)
    for object_id in sorted(unwanted):
        drop_incoming(store, keys, object_id)
    for object_id in sorted(found - unwanted):
        # A damaged one says so to whoever goes on with it.
        with contextlib.suppress(IncomingMissingError, IncomingDamagedError, KeyMissingError):
            _look_again(store, keys, object_id)
    return len(unwanted)


class Incoming:
    """One arriving original, held by one thread; see open_incoming().

    Attributes:
        object_id: 32 hexadecimal digits.
        size_bytes: how much was announced.
    """

    def __init__(self, store: LocalStore, keys: KeyStore, object_id: str) -> None:
        self._store, self._files = store, store.files
        self._paths = Paths(store, object_id)
        self.object_id = object_id
        self._is_doubtful = False
        with contextlib.ExitStack() as closing:
            self._sealed = self._open(self._paths.sealed, closing)
            if not self._files.lock(self._sealed):
                raise IncomingBusyError(object_id)
            hashes = self._open(self._paths.hashes, closing)
            self._promised = PromisedHashes(self._files, hashes, object_id)
            self.size_bytes = self._promised.size_bytes
            self._total_chunks = chunk_count(self.size_bytes)
            self._key = keys.secret(_SECRET + object_id)
            self._cipher = ChunkCipher(object_id, self._key)
            self._chunks = whole_chunks(self._files.size(self._sealed), self._promised, object_id)
            self._settle()
            self._synced_chunks = self._chunks
            self._closing = closing.pop_all()

    def __enter__(self) -> Self:
        """Return the original."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of it."""
        self.close()

    def close(self) -> None:
        """Let go of it.

        Raises:
            StoreFaultError: the disk failed; what was acknowledged is durable all the same.
        """
        with disk_faults("closing", self.object_id), self._closing:
            if self._chunks == self._synced_chunks and not self._is_doubtful:
                self._store.synced_sizes[self.object_id] = self._sizes

    @property
    def offset_bytes(self) -> int:
        """Return how much has come and is durable."""
        return min(self._synced_chunks * CHUNK_BYTES, self.size_bytes)

    @property
    def is_whole(self) -> bool:
        """Say whether all of it has come and is durable."""
        return self._synced_chunks == self._total_chunks

    def append(self, read: Callable[[int], bytes], *, offset_bytes: int) -> int:
        """Add a piece, as far as it fills chunks or reaches the end, and return the new offset, durable.

        All in this thread: while it works, what comes waits in the connection's own memory.

        Args:
            read: returns up to so many bytes, and none where the piece ends; never asked for more than are missing.
            offset_bytes: where the piece begins.

        Raises:
            IncomingOffsetError: the piece does not begin where the last one ended; nothing was read.
            IncomingDiffersError: a chunk came before and was lost, and is another now.
            IncomingDamagedError: a hash cannot be read.
            StoreFullError: no space.
            StoreFaultError: the disk failed.
            Anything that read raises. Whatever is raised, offset_bytes says what was kept.
        """
        if offset_bytes != self.offset_bytes:
            raise IncomingOffsetError(
                self.object_id, expected_bytes=self.offset_bytes, got_bytes=offset_bytes
            )
        with self._kept_whole(), _a_room() as room:
            while lengths := self._read_batch(read, room):
                self._keep(room, lengths)
        return self.offset_bytes

    def look_again(self) -> None:
        """Cut off what does not open, or is not what was promised; for what a power cut may have torn.

        Raises:
            IncomingDamagedError: something was sealed, and what it was cannot be read.
            StoreFaultError: the disk failed.
        """
        with disk_faults("settling", self.object_id):
            uncertain = range(max(0, self._chunks - _LOOK_AGAIN_CHUNKS), self._chunks)
            readable = next(
                (n for n in range(self._chunks, self._promised.count) if not self._promised.find(n)), None
            )
            self._chunks = next((n for n in uncertain if not self._has_chunk(n)), self._chunks)
            self._cut_off()
            self._synced_chunks = self._chunks
            if readable is not None:
                self._promised.cut(readable)
            self._promised.settle()

    def _open(self, path: str, closing: contextlib.ExitStack) -> int:
        fd = opened(self._files.open_to_append, path, self.object_id)
        closing.callback(self._files.close, fd)
        return fd

    def _settle(self) -> None:
        """Leave whole chunks and whole hashes, durably; there is nothing to do where this process left it so."""
        if self._store.synced_sizes.pop(self.object_id, None) != self._sizes:
            self._promised.settle()
            self._cut_off()

    @property
    def _sizes(self) -> tuple[int, int]:
        return self._files.size(self._sealed), self._promised.file_bytes

    def _read_batch(self, read: Callable[[int], bytes], room: _Room) -> list[int]:
        """Fill the room with the chunks that come next, and return their lengths; fewer only where all ends."""
        lengths: list[int] = []
        for number in range(self._chunks, min(self._chunks + BATCH_CHUNKS, self._total_chunks)):
            wanted = min(CHUNK_BYTES, self.size_bytes - number * CHUNK_BYTES)
            if _fill(room.chunk(len(lengths), wanted), read) < wanted:
                break
            lengths.append(wanted)
        return lengths

    def _keep(self, room: _Room, lengths: list[int]) -> None:
        chunks = [room.chunk(index, length) for index, length in enumerate(lengths)]
        with disk_faults("writing", self.object_id):
            self._promised.promise(self._chunks, [chunk_hash(chunk) for chunk in chunks])
            for chunk in chunks:
                is_last = self._chunks == self._total_chunks - 1
                rest = room.sealed[
                    : self._cipher.seal_into(self._chunks, chunk, room.sealed, is_last=is_last)
                ]
                while rest:
                    rest = rest[self._files.write(self._sealed, rest) :]
                # Else the disk idles until the sync, and then everything waits for it.
                self._files.start_writeback(self._sealed, chunk_offset(self._chunks), SEALED_CHUNK_BYTES)
                self._chunks += 1
            if self._chunks - self._synced_chunks >= SYNC_CHUNKS:
                self._sync()

    @contextlib.contextmanager
    def _kept_whole(self) -> Iterator[None]:
        """Sync what a block writes; where it fails, cut off what is not synced."""
        try:
            yield
            with disk_faults("syncing", self.object_id):
                self._sync()
        except BaseException:
            # What was not synced may never be: a disk that failed once forgets that it did.
            self._chunks, self._is_doubtful = self._synced_chunks, True
            with contextlib.suppress(OSError):
                self._cut_off()
            raise

    def _sync(self) -> None:
        self._files.sync(self._sealed)
        self._synced_chunks = self._chunks

    def _cut_off(self) -> None:
        """Leave the whole chunks in the file, durably."""
        end = min(chunk_offset(self._chunks), object_size_bytes(self.size_bytes))
        if self._files.size(self._sealed) > end:
            self._files.truncate(self._sealed, end)
        self._files.sync(self._sealed)

    def _has_chunk(self, number: int) -> bool:
        """Say whether a chunk opens, and is what was promised."""
        promised = self._promised.get(number)
        length = min(CHUNK_BYTES, self.size_bytes - number * CHUNK_BYTES)
        sealed, room = memoryview(bytearray(length + TAG_BYTES)), memoryview(bytearray(length))
        SealedFile(self._files, self._sealed).read_range_into(self.object_id, chunk_offset(number), sealed)
        try:
            self._cipher.open_into(number, sealed, room, is_last=number == self._total_chunks - 1)
        except AlteredObjectError:
            return False
        return chunk_hash(room) == promised


class _Room:
    """Memory for a batch of chunks on their way in; used again and again, since fresh pages cost as much as a hash."""

    def __init__(self) -> None:
        self._plain = memoryview(bytearray(BATCH_CHUNKS * CHUNK_BYTES))
        self.sealed = memoryview(bytearray(SEALED_CHUNK_BYTES))

    def chunk(self, index: int, length: int) -> memoryview:
        return self._plain[index * CHUNK_BYTES :][:length]


_rooms: list[_Room] = []


@contextlib.contextmanager
def _a_room() -> Iterator[_Room]:
    try:
        room = _rooms.pop()
    except IndexError:
        room = _Room()
    try:
        yield room
    finally:
        _rooms.append(room)


def _fill(space: memoryview, read: Callable[[int], bytes]) -> int:
    done = 0
    while done < len(space) and (data := read(min(len(space) - done, READ_BYTES))):
        space[done : done + len(data)] = data
        done += len(data)
    return done


def _finish(store: LocalStore, keys: KeyStore, object_id: str) -> ReceivedObject:
    paths, files = Paths(store, object_id), store.files
    with disk_faults("finishing", object_id), contextlib.ExitStack() as closing:
        # For reading only: where this was interrupted, they may be read-only already.
        sealed, hashes = (opened(files.open, path, object_id) for path in (paths.sealed, paths.hashes))
        closing.callback(files.close, sealed)
        closing.callback(files.close, hashes)
        if not files.lock(sealed):
            raise IncomingBusyError(object_id)
        promised = PromisedHashes(files, hashes, object_id)
        whole = whole_chunks(files.size(sealed), promised, object_id)
        if whole != chunk_count(promised.size_bytes):
            raise IncomingOffsetError(
                object_id, expected_bytes=whole * CHUNK_BYTES, got_bytes=promised.size_bytes
            )
        files.sync(sealed)
        # What is read back must come from the disk, not from our own copy in memory.
        files.forget_cached(sealed)
        key = _key_of(keys, object_id)
        found = _read_back(SealedFile(files, sealed), object_id, key, promised)
        # Durable before the object can be seen, so that what is seen can be read.
        keys.put_object_key(object_id, key)
        store.place(Path(paths.sealed), object_id)
        files.set_mode(sealed, FILE_MODE)
    return found


def _key_of(keys: KeyStore, object_id: str) -> bytes:
    try:
        return keys.secret(_SECRET + object_id)
    except KeyMissingError:
        # It goes first when all is done, and that may have been interrupted.
        return keys.object_key(object_id)


def _read_back(source: Readable, object_id: str, key: bytes, promised: PromisedHashes) -> ReceivedObject:
    try:
        found = reread(source, object_id, key)
    except AlteredObjectError as error:
        raise ReadBackError(object_id, error.chunk, str(error)) from error
    for number, digest in enumerate(found.chunks.hashes):
        if (expected := promised.get(number)) != digest:
            problem = f"chunk {number} has the hash {digest.hex()}, expected {expected.hex()}"
            raise ReadBackError(object_id, number, problem)
    return found


def _look_again(store: LocalStore, keys: KeyStore, object_id: str) -> None:
    # Where it is an object already it was read back, and is read-only.
    if object_id not in store.names(object_id):
        with open_incoming(store, keys, object_id) as incoming:
            incoming.look_again()

"""The only way in: receive an original, and say so only when it is safe.

Order: encrypt and write as it streams; its key durable; the object durable and visible; then the object is read back
from the disk, decrypted and compared. Whatever stops it, nothing acknowledged is lost and nothing half-received stays:
an object without a caller who heard of it is found by fsck.find_orphans(), a key without an object by
fsck.collect_unused_keys().
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO

from plainview.formats.chunks import CHUNK_BYTES, ChunkList
from plainview.formats.object_header import SEALED_CHUNK_BYTES, object_size_bytes
from plainview.vault.crypt import ChunkCipher, new_object_id, new_object_key
from plainview.vault.errors import (
    AlteredObjectError,
    EmptyOriginalError,
    KeyExistsError,
    ObjectExistsError,
    ObjectMissingError,
    ReadBackError,
    SourceReadError,
)
from plainview.vault.reread import BATCH_CHUNKS, SLOTS, ReceivedObject, chunk_hash, reread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from plainview.vault.keys import KeyStore
    from plainview.vault.store import ObjectWriter, Store

__all__ = ["ReceivedObject", "receive"]


def receive(
    stream: BinaryIO,
    *,
    store: Store,
    keys: KeyStore,
    on_progress: Callable[[int], None] | None = None,
) -> ReceivedObject:
    """Take an original in, and return its facts only when it is safe.

    The stream is read to its end in this thread, once, in pieces of at most 2 MiB. Whether the file behind it changed
    meanwhile is for the caller to see: compare os.fstat() before and after, and size_bytes.

    Args:
        stream: positioned at the original's first byte.
        store: where the ciphertext goes.
        keys: where its key goes.
        on_progress: called in this thread with how many bytes were read so far; an exception from it stops the work.

    Raises:
        EmptyOriginalError: it has no bytes.
        SourceReadError: the stream raised OSError, or had no bytes ready.
        ReadBackError: the store gave back something else.
        StoreFullError: no space.
        StoreFaultError: the store's disk failed.
        KeyStoreError: the key could not be kept.
        Anything else that the stream or on_progress raises. Whatever is raised, nothing is acknowledged, and what was
        written is removed unless the disk refuses that too.
    """
    object_id, key = new_object_id(), new_object_key()
    source = _Source(stream, on_progress or (lambda _: None))
    with _undo_on_failure(store, keys, object_id):
        received = _write(source, object_id, key, store=store, keys=keys)
        return _read_back(store, key, received)


class _Source:
    """The stream, read in whole batches."""

    def __init__(self, stream: BinaryIO, on_progress: Callable[[int], None]) -> None:
        self._stream = stream
        self._on_progress = on_progress
        self._readinto: Callable[[memoryview], int | None] = getattr(stream, "readinto", self._read_and_copy)
        self.size_bytes = 0

    def fill(self, buffer: bytearray) -> int:
        """Fill buffer and return how many bytes; fewer only at the stream's end."""
        view, done = memoryview(buffer), 0
        while done < len(view):
            try:
                got = self._readinto(view[done:])
            except OSError as error:
                raise SourceReadError(self.size_bytes, error.strerror or str(error)) from error
            if got is None:
                raise SourceReadError(self.size_bytes, "it had no bytes ready; give a blocking stream")
            if got == 0:
                break
            done += got
            self.size_bytes += got
            self._on_progress(self.size_bytes)
        return done

    def _read_and_copy(self, view: memoryview) -> int | None:
        data: bytes | None = self._stream.read(len(view))
        if data is None:
            return None
        view[: len(data)] = data
        return len(data)


@dataclass(eq=False)
class _Batch:
    """Some chunks in flight: from the source, and as they go to the store."""

    plain: bytearray
    sealed: bytearray
    written: Future[None] | None = None


def _write(source: _Source, object_id: str, key: bytes, *, store: Store, keys: KeyStore) -> ReceivedObject:
    first = _new_batch()
    length = source.fill(first.plain)
    if length == 0:
        raise EmptyOriginalError
    with store.create(object_id) as writer:
        sealing = _Sealing(ChunkCipher(object_id, key), writer)
        sha256 = sealing.run(source, first, length)
        # Durable before the object can be seen, so that what is seen can be read.
        keys.put_object_key(object_id, key)
        writer.commit()
    return ReceivedObject(
        object_id=object_id,
        size_bytes=source.size_bytes,
        sha256=sha256,
        chunks=ChunkList(source.size_bytes, tuple(sealing.hashes)),
        object_sha256="",
        object_bytes=object_size_bytes(source.size_bytes),
    )


class _Sealing:
    """One original on its way in: this thread reads and hashes the whole, one hashes and seals chunks, one writes.

    Each of the two others takes its batches in order; an exception in either reaches this thread at the batch's end.
    """

    def __init__(self, cipher: ChunkCipher, writer: ObjectWriter) -> None:
        self.hashes: list[bytes] = []
        self._cipher = cipher
        self._writer = writer
        self._in_flight: deque[_Batch] = deque()
        self._is_begun = False

    def run(self, source: _Source, first: _Batch, length: int) -> str:
        """Send the source through, beginning with a batch that is read already; return its SHA-256."""
        whole, batch = hashlib.sha256(), first
        with ThreadPoolExecutor(1) as sealing, ThreadPoolExecutor(1) as writing:
            while length:
                following = self._next_batch()
                # Whether a batch is the last is known only when nothing follows.
                next_length = source.fill(following.plain)
                sealed = sealing.submit(self._seal, batch, length, is_last=next_length == 0)
                batch.written = writing.submit(self._store, batch, sealed)
                self._in_flight.append(batch)
                whole.update(memoryview(batch.plain)[:length])
                batch, length = following, next_length
            for batch in self._in_flight:
                _wait(batch)
        return whole.hexdigest()

    def _next_batch(self) -> _Batch:
        if len(self._in_flight) < SLOTS:
            return _new_batch()
        batch = self._in_flight.popleft()
        _wait(batch)
        return batch

    def _seal(self, batch: _Batch, length: int, *, is_last: bool) -> int:
        plain, sealed, done = memoryview(batch.plain)[:length], memoryview(batch.sealed), 0
        for start in range(0, length, CHUNK_BYTES):
            chunk = plain[start : start + CHUNK_BYTES]
            number = len(self.hashes)
            self.hashes.append(chunk_hash(chunk))
            is_end = is_last and start + CHUNK_BYTES >= length
            done += self._cipher.seal_into(number, chunk, sealed[done:], is_last=is_end)
        return done

    def _store(self, batch: _Batch, sealed: Future[int]) -> None:
        if not self._is_begun:
            self._writer.write(self._cipher.header)
            self._is_begun = True
        self._writer.write(memoryview(batch.sealed)[: sealed.result()])


def _new_batch() -> _Batch:
    return _Batch(bytearray(BATCH_CHUNKS * CHUNK_BYTES), bytearray(BATCH_CHUNKS * SEALED_CHUNK_BYTES))


def _wait(batch: _Batch) -> None:
    assert batch.written is not None, "a batch is in flight only once it was submitted"
    batch.written.result()


def _read_back(store: Store, key: bytes, received: ReceivedObject) -> ReceivedObject:
    """Compare what the store holds with what came in, and add the ciphertext's SHA-256.

    The chunks' hashes were made from what the stream gave, before encryption: a fault of memory in between, or of the
    disk, shows here.
    """
    name = received.object_id
    try:
        found = reread(store, name, key, with_sha256=False)
    except (AlteredObjectError, ObjectMissingError) as error:
        raise ReadBackError(name, getattr(error, "chunk", None), str(error)) from error
    if found.size_bytes != received.size_bytes:
        problem = f"expected {received.size_bytes} bytes, got {found.size_bytes}"
        raise ReadBackError(name, None, problem)
    for number, (expected, got) in enumerate(zip(received.chunks.hashes, found.chunks.hashes, strict=True)):
        if expected != got:
            problem = f"chunk {number} has the hash {got.hex()}, expected {expected.hex()}"
            raise ReadBackError(name, number, problem)
    return replace(received, object_sha256=found.object_sha256)


@contextlib.contextmanager
def _undo_on_failure(store: Store, keys: KeyStore, object_id: str) -> Iterator[None]:
    try:
        yield
    except (KeyExistsError, ObjectExistsError):
        # Not ours: somebody else's object or key has this id.
        raise
    except BaseException:
        # The object first: an object whose key is gone could not be told from one that was lost.
        with contextlib.suppress(Exception):
            store.delete(object_id)
        with contextlib.suppress(Exception):
            keys.destroy_object_key(object_id)
        raise

"""Read an object from end to end and say what it holds: after receiving, when checking, and after a crash."""

from __future__ import annotations

import hashlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview.formats.chunks import CHUNK_BYTES, ChunkList, chunk_count
from plainview.formats.errors import FormatError
from plainview.formats.object_header import (
    HEADER_BYTES,
    SEALED_CHUNK_BYTES,
    TAG_BYTES,
    chunk_offset,
    plaintext_size_bytes,
)
from plainview.vault.crypt import ChunkCipher
from plainview.vault.errors import AlteredObjectError

if TYPE_CHECKING:
    from collections.abc import Callable

    from plainview.vault.store import Readable

# Two MiB at a time, eight in flight: less makes threads wait for each other, more only takes memory.
BATCH_CHUNKS = 2
SLOTS = 8


@dataclass(frozen=True)
class ReceivedObject:
    """An original that is in the vault, as it was read back from there.

    Attributes:
        object_id: its name in the store, 32 hexadecimal digits.
        size_bytes: of the original.
        sha256: of the original, 64 hexadecimal digits: what `sha256sum` says.
        chunks: the hashes of its 1 MiB chunks; chunks.root() is the second digest.
        object_sha256: of the ciphertext as read back, 64 hexadecimal digits; scrubbing needs no key.
        object_bytes: size of the ciphertext.
    """

    object_id: str
    size_bytes: int
    sha256: str
    chunks: ChunkList
    object_sha256: str
    object_bytes: int


def reread(
    store: Readable,
    object_id: str,
    key: bytes,
    *,
    with_sha256: bool = True,
    on_progress: Callable[[int], None] | None = None,
) -> ReceivedObject:
    """Read, authenticate and hash a whole object.

    Args:
        store: where it is.
        object_id: which, 32 hexadecimal digits.
        key: its key, 32 bytes.
        with_sha256: whether to hash the plaintext as a whole too; the chunks always are. Without, sha256 is "".
        on_progress: called in this thread with how many bytes of ciphertext were read so far.

    Raises:
        ObjectMissingError: the store does not have it.
        AlteredObjectError: its size, its header or the first altered chunk.
        StoreFaultError: the disk failed.
    """
    object_bytes = store.size(object_id)
    try:
        size_bytes = plaintext_size_bytes(object_bytes)
    except FormatError as error:
        raise AlteredObjectError(object_id, None, error.problem) from error
    work = _Rereading(ChunkCipher(object_id, key), size_bytes, with_sha256=with_sha256)
    work.run(store, on_progress or (lambda _: None))
    return ReceivedObject(
        object_id=object_id,
        size_bytes=size_bytes,
        sha256=work.plain_hash.hexdigest() if with_sha256 else "",
        chunks=ChunkList(size_bytes, tuple(work.hashes)),
        object_sha256=work.object_hash.hexdigest(),
        object_bytes=object_bytes,
    )


@dataclass(eq=False)
class _Slot:
    """A batch in flight: its ciphertext, its plaintext, and who still works on it."""

    sealed: bytearray
    plain: bytearray
    work: list[Future[None]]


class _Rereading:
    """One pass over an object: this thread reads, one hashes ciphertext, one decrypts and hashes chunks.

    The hash of the whole plaintext, where asked for, is a fourth thread's; each hash has one thread, so each is fed
    in order.
    """

    def __init__(self, cipher: ChunkCipher, size_bytes: int, *, with_sha256: bool) -> None:
        self.object_hash = hashlib.sha256()
        self.plain_hash = hashlib.sha256()
        self.hashes: list[bytes] = []
        self._cipher = cipher
        self._size_bytes = size_bytes
        self._with_sha256 = with_sha256
        self._count = max(1, chunk_count(size_bytes))

    def run(self, store: Readable, on_progress: Callable[[int], None]) -> None:
        name = self._cipher.object_id
        header = store.read_range(name, 0, HEADER_BYTES)
        if header != self._cipher.header:
            raise AlteredObjectError(name, None, f"expected {self._cipher.header.hex()}, got {header.hex()}")
        self.object_hash.update(header)
        in_flight: deque[_Slot] = deque()
        with (
            ThreadPoolExecutor(1) as hashing,
            ThreadPoolExecutor(1) as opening,
            ThreadPoolExecutor(1) as whole,
        ):
            for first in range(0, self._count, BATCH_CHUNKS):
                slot = self._next_slot(in_flight)
                sealed = memoryview(slot.sealed)[: self._sealed_bytes(first)]
                got = store.read_range_into(name, chunk_offset(first), sealed)
                if got != len(sealed):
                    raise AlteredObjectError(name, None, f"expected {len(sealed)} bytes, got {got}")
                opened = opening.submit(self._open_batch, first, sealed, slot.plain)
                slot.work = [hashing.submit(self.object_hash.update, sealed), opened]
                if self._with_sha256:
                    slot.work.append(whole.submit(self._hash_whole, opened, first, slot.plain))
                in_flight.append(slot)
                on_progress(chunk_offset(first) + len(sealed))
            for slot in in_flight:
                _finish(slot)

    def _next_slot(self, in_flight: deque[_Slot]) -> _Slot:
        if len(in_flight) < SLOTS:
            batch = min(BATCH_CHUNKS, self._count)
            return _Slot(bytearray(batch * SEALED_CHUNK_BYTES), bytearray(batch * CHUNK_BYTES), [])
        slot = in_flight.popleft()
        _finish(slot)
        return slot

    def _plain_bytes(self, first: int) -> int:
        return min(self._size_bytes - first * CHUNK_BYTES, BATCH_CHUNKS * CHUNK_BYTES)

    def _sealed_bytes(self, first: int) -> int:
        return self._plain_bytes(first) + min(BATCH_CHUNKS, self._count - first) * TAG_BYTES

    def _open_batch(self, first: int, sealed: memoryview, plain: bytearray) -> None:
        view = memoryview(plain)
        for index in range(-(-len(sealed) // SEALED_CHUNK_BYTES)):
            number = first + index
            piece = sealed[index * SEALED_CHUNK_BYTES : (index + 1) * SEALED_CHUNK_BYTES]
            out = view[index * CHUNK_BYTES :]
            is_last = number == self._count - 1
            length = self._cipher.open_into(number, piece, out, is_last=is_last)
            if self._size_bytes:
                self.hashes.append(chunk_hash(out[:length]))

    def _hash_whole(self, opened: Future[None], first: int, plain: bytearray) -> None:
        opened.result()
        self.plain_hash.update(memoryview(plain)[: self._plain_bytes(first)])


def chunk_hash(chunk: memoryview) -> bytes:
    """Hash one chunk as a leaf, without copying it.

    Source: RFC 6962 section 2.1.
    """
    digest = hashlib.sha256(b"\x00")
    digest.update(chunk)
    return digest.digest()


def _finish(slot: _Slot) -> None:
    for work in slot.work:
        work.result()

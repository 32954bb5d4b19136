"""What is made of an original: an object like any other, under a key that follows from the original's.

The key is kept nowhere. Destroying the original's key makes everything that was ever made of it unreadable, here and in
whatever copy of its ciphertext.

    key = HKDF-SHA256(the original's key, no salt, info = "plainview derivative v1" || the derivative's object id)

Source: RFC 5869.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from plainview.formats.chunks import CHUNK_BYTES, chunk_count
from plainview.formats.object_header import HEADER_BYTES, SEALED_CHUNK_BYTES
from plainview.vault.crypt import OBJECT_KEY_BYTES, ChunkCipher, new_object_id
from plainview.vault.errors import AlteredObjectError, ObjectMissingError, ReadBackError, WriteOrderError
from plainview.vault.reader import SealedReader
from plainview.vault.reread import chunk_hash, reread

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from plainview.vault.keys import KeyStore
    from plainview.vault.store import Buffer, Store

INFO = b"plainview derivative v1"


@dataclass(frozen=True)
class StoredDerivative:
    """A derivative that is in its store, as it was read back from there.

    Attributes:
        object_id: its name in the store, 32 hexadecimal digits.
        object_bytes: size of the ciphertext.
        object_sha256: of the ciphertext, 64 hexadecimal digits.
        sha256: of the plaintext, 64 hexadecimal digits.
        size_bytes: of the plaintext.
    """

    object_id: str
    object_bytes: int
    object_sha256: str
    sha256: str
    size_bytes: int


def derived_key(original_key: bytes, object_id: str) -> bytes:
    """Return the key of a derivative, 32 bytes.

    Args:
        original_key: of the original it was made of, 32 bytes.
        object_id: the derivative's, 32 hexadecimal digits.

    Source: RFC 5869.
    """
    info = INFO + bytes.fromhex(object_id)
    return HKDF(algorithm=SHA256(), length=OBJECT_KEY_BYTES, salt=None, info=info).derive(original_key)


def open_derivative(store: Store, keys: KeyStore, object_id: str, *, original_id: str) -> SealedReader:
    """Open a derivative for reading.

    Args:
        store: of derivatives.
        keys: of originals.
        object_id: the derivative's, 32 hexadecimal digits.
        original_id: object id of the original it was made of.

    Raises:
        KeyMissingError: the original's key was destroyed, and everything made of it went with it.
        KeyDamagedError: the original's key does not open.
        ObjectMissingError: the store does not have it; it can be made again.
        AlteredObjectError: it was cut, added to, or is another object, or another original's.
        StoreFaultError: the disk failed.
    """
    key = derived_key(keys.object_key(original_id), object_id)

    def read_at(offset: int, buffer: memoryview) -> int:
        return store.read_range_into(object_id, offset, buffer)

    return SealedReader(read_at, store.size(object_id), key, object_id=object_id)


class DerivativeWriter:
    """A derivative that is encrypted as it comes: from start to end, but for the beginning, which may come last.

    Use as a context manager; leaving it without finish() discards everything.

    Raises:
        StoreFullError: no space; from any method.
        StoreFaultError: the disk failed; from any method.

    Attributes:
        object_id: the name it will have.
    """

    def __init__(self, store: Store, original_key: bytes) -> None:
        self.object_id = new_object_id()
        self._store = store
        self._key = derived_key(original_key, self.object_id)
        self._cipher = ChunkCipher(self.object_id, self._key)
        self._writer = store.create(self.object_id)
        # The beginning, in whole chunks, until the end is known; and the chunk at hand, which may be the last.
        self._head = bytearray()
        self._head_hashes: list[bytes] = []
        self._hashes: list[bytes] = []
        self._chunk = bytearray(CHUNK_BYTES)
        self._sealed = bytearray(SEALED_CHUNK_BYTES)
        self._size_bytes = 0
        self._is_finished = False

    def __enter__(self) -> Self:
        """Return the writer."""
        self._writer.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Discard what was written unless it was finished."""
        self._writer.__exit__(kind, error, trace)

    def leave_room(self, length: int) -> None:
        """Let the first bytes come in any order; what lies behind them waits for nothing.

        Args:
            length: how many; they are kept in memory, rounded up to whole MiB, until the end.

        Raises:
            ValueError: something was written already.
        """
        if self._size_bytes or self._head:
            raise ValueError("room is left before the first byte, once")
        self._head = bytearray(chunk_count(length) * CHUNK_BYTES)

    def write_at(self, offset: int, data: Buffer) -> None:
        """Put all of data at a place: anywhere in the room, behind it only at the end.

        Raises:
            WriteOrderError: behind the room, and not where the last bytes ended.
        """
        view = memoryview(data)
        room = view[: max(0, len(self._head) - offset)]
        self._head[offset : offset + len(room)] = room
        rest, at = view[len(room) :], offset + len(room)
        if rest:
            end = max(self._size_bytes, len(self._head))
            if at != end:
                raise WriteOrderError(expected=end, got=at)
            self._append(rest, at)
        self._size_bytes = max(self._size_bytes, offset + len(view))

    def finish(self) -> StoredDerivative:
        """Make it whole, durable and visible, read it back, and say what it is.

        Raises:
            ReadBackError: the store gave back something else; it was deleted.
        """
        is_room = self._size_bytes > len(self._head)
        if is_room:
            self._seal(self._number(self._size_bytes), self._size_bytes, is_last=True)
        self._seal_head(min(len(self._head), self._size_bytes), is_room=is_room)
        self._writer.commit()
        try:
            return self._read_back()
        except BaseException:
            with contextlib.suppress(Exception):
                self._store.delete(self.object_id)
            raise

    def _append(self, data: memoryview, at: int) -> None:
        """Add bytes behind the room; a chunk is sealed once it is known that another follows."""
        while data:
            used = at % CHUNK_BYTES
            if not used and at > len(self._head):
                self._seal(self._number(at), at, is_last=False)
            piece = data[: CHUNK_BYTES - used]
            self._chunk[used : used + len(piece)] = piece
            data, at = data[len(piece) :], at + len(piece)

    def _number(self, end: int) -> int:
        """Return the number of the chunk that ends here, or would."""
        return max(1, chunk_count(end)) - 1

    def _seal(self, number: int, end: int, *, is_last: bool) -> None:
        """Write the chunk at hand, which ends at a place."""
        if not self._hashes:
            self._begin_body()
        chunk = memoryview(self._chunk)[: end - number * CHUNK_BYTES]
        self._hashes.append(chunk_hash(chunk))
        length = self._cipher.seal_into(number, chunk, memoryview(self._sealed), is_last=is_last)
        self._writer.write(memoryview(self._sealed)[:length])

    def _begin_body(self) -> None:
        if self._head:
            self._writer.leave_room(HEADER_BYTES + len(self._head) // CHUNK_BYTES * SEALED_CHUNK_BYTES)
        else:
            self._writer.write(self._cipher.header)

    def _seal_head(self, length: int, *, is_room: bool) -> None:
        """Write what may have come in any order: into the room left for it, or where nothing came behind, as it is."""
        if is_room and not self._head:
            return
        put = self._writer.fill_room if is_room else self._writer.write
        put(self._cipher.header)
        head = memoryview(self._head)[:length]
        # Even an empty object has one chunk, which says that nothing was cut off.
        for start in range(0, max(1, length), CHUNK_BYTES):
            chunk = head[start : start + CHUNK_BYTES]
            self._head_hashes.append(chunk_hash(chunk))
            is_last = not is_room and start + CHUNK_BYTES >= length
            number = start // CHUNK_BYTES
            sealed = self._cipher.seal_into(number, chunk, memoryview(self._sealed), is_last=is_last)
            put(memoryview(self._sealed)[:sealed])

    def _read_back(self) -> StoredDerivative:
        name = self.object_id
        try:
            found = reread(self._store, name, self._key)
        except (AlteredObjectError, ObjectMissingError) as error:
            raise ReadBackError(name, getattr(error, "chunk", None), str(error)) from error
        expected = [*self._head_hashes, *self._hashes] if self._size_bytes else []
        if list(found.chunks.hashes) != expected or found.size_bytes != self._size_bytes:
            raise ReadBackError(name, None, "its chunks have other hashes than what was written")
        return StoredDerivative(
            object_id=name,
            object_bytes=found.object_bytes,
            object_sha256=found.object_sha256,
            sha256=found.sha256,
            size_bytes=found.size_bytes,
        )

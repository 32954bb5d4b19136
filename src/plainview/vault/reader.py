"""Read a sealed object as a seekable file: for players, probes, exports and the decoder jail."""

from __future__ import annotations

import io
import os
from collections import OrderedDict
from typing import TYPE_CHECKING

from plainview.formats.chunks import CHUNK_BYTES, chunk_count
from plainview.formats.errors import FormatError
from plainview.formats.object_header import (
    HEADER_BYTES,
    SEALED_CHUNK_BYTES,
    chunk_offset,
    parse_object_header,
    plaintext_size_bytes,
)
from plainview.vault.crypt import ChunkCipher
from plainview.vault.errors import AlteredObjectError, StoreFaultError

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import WriteableBuffer

    from plainview.vault.keys import KeyStore
    from plainview.vault.store import Store

# A demuxer jumps between the index, the sound and the picture; each place keeps its chunk.
CACHED_CHUNKS = 4


def open_object(store: Store, keys: KeyStore, object_id: str) -> SealedReader:
    """Open an object in a store for reading.

    Raises:
        ObjectMissingError: the store does not have it.
        KeyMissingError: its key was destroyed.
        KeyDamagedError: its key does not open.
        AlteredObjectError: it was cut, added to, or is another object.
        StoreFaultError: the disk failed.
    """
    key = keys.object_key(object_id)

    def read_at(offset: int, buffer: memoryview) -> int:
        return store.read_range_into(object_id, offset, buffer)

    return SealedReader(read_at, store.size(object_id), key, object_id=object_id)


def open_sealed(fd: int, key: bytes) -> SealedReader:
    """Open an object for reading by its ciphertext's descriptor, in a process that has nothing else.

    Args:
        fd: of the ciphertext, read-only; the reader owns it from here on and closes it.
        key: the object's, 32 bytes.

    Raises:
        AlteredObjectError: it was cut, added to, is no object, or the key is not its own.
        StoreFaultError: the disk failed.
    """

    def read_at(offset: int, buffer: memoryview) -> int:
        done = 0
        while done < len(buffer) and (got := os.preadv(fd, [buffer[done:]], offset + done)):
            done += got
        return done

    try:
        return SealedReader(read_at, os.fstat(fd).st_size, key, on_close=lambda: os.close(fd))
    except BaseException:
        os.close(fd)
        raise


class SealedReader(io.RawIOBase):
    """The plaintext of one object, read-only and seekable; every chunk is authenticated before any byte of it leaves.

    One thread at a time.

    Attributes:
        object_id: which object, 32 hexadecimal digits.
        size_bytes: of the plaintext.
    """

    def __init__(
        self,
        read_at: Callable[[int, memoryview], int],
        object_bytes: int,
        key: bytes,
        *,
        object_id: str | None = None,
        on_close: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self._on_close: Callable[[], None] | None = None
        self._read_at = read_at
        self._position = 0
        self._cache: OrderedDict[int, bytearray] = OrderedDict()
        self._sealed = bytearray(min(object_bytes, SEALED_CHUNK_BYTES))
        self.size_bytes = _plaintext_bytes(object_bytes, object_id)
        self.object_id = self._read_object_id(object_id)
        self._cipher: ChunkCipher | None = ChunkCipher(self.object_id, key)
        self._last = max(1, chunk_count(self.size_bytes)) - 1
        # Only the last chunk's tag says that nothing was cut off behind it.
        self._chunk(self._last)
        self._on_close = on_close

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position in the plaintext, in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position in the plaintext and return it; beyond the end there is nothing to read.

        Raises:
            ValueError: a position before the beginning, or an unknown whence.
        """
        if self.closed:
            raise ValueError("seek on a closed object")
        starts = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size_bytes}
        if whence not in starts or starts[whence] + offset < 0:
            raise ValueError(f"cannot seek to {offset} from {whence}: expected a position of at least 0")
        self._position = starts[whence] + offset
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill buffer from the position on and return how many bytes; fewer only where the object ends.

        Raises:
            AlteredObjectError: a chunk is not what was sealed. Nothing of it was returned.
            ObjectMissingError: the object was deleted meanwhile.
            StoreFaultError: the disk failed.
        """
        if self.closed:
            raise ValueError("read of a closed object")
        view, done = memoryview(buffer).cast("B"), 0
        wanted = max(0, min(len(view), self.size_bytes - self._position))
        while done < wanted:
            number, start = divmod(self._position + done, CHUNK_BYTES)
            piece = memoryview(self._chunk(number))[start : start + wanted - done]
            view[done : done + len(piece)] = piece
            done += len(piece)
        self._position += done
        return done

    def close(self) -> None:
        """Forget the key and what was decrypted, and close what lies below."""
        if not self.closed:
            super().close()
            self._cipher = None
            self._cache.clear()
            if self._on_close is not None:
                self._on_close()

    def _read_object_id(self, expected: str | None) -> str:
        header = bytearray(HEADER_BYTES)
        self._fill(0, memoryview(header), expected)
        try:
            found = parse_object_header(bytes(header)).object_id.hex()
        except FormatError as error:
            raise AlteredObjectError(expected, None, error.problem) from error
        if expected not in {None, found}:
            raise AlteredObjectError(expected, None, f"its header says it is {found}")
        return found

    def _chunk(self, number: int) -> bytearray:
        plaintext = self._cache.pop(number, None)
        if plaintext is None:
            plaintext = self._open_chunk(number)
        self._cache[number] = plaintext
        return plaintext

    def _open_chunk(self, number: int) -> bytearray:
        assert self._cipher is not None, "readinto refuses a closed reader"
        is_last = number == self._last
        plaintext_bytes = self.size_bytes - number * CHUNK_BYTES if is_last else CHUNK_BYTES
        sealed = memoryview(self._sealed)[: plaintext_bytes + SEALED_CHUNK_BYTES - CHUNK_BYTES]
        self._fill(chunk_offset(number), sealed, self.object_id)
        plaintext = self._take_buffer(plaintext_bytes)
        self._cipher.open_into(number, sealed, memoryview(plaintext), is_last=is_last)
        return plaintext

    def _take_buffer(self, length: int) -> bytearray:
        if len(self._cache) >= CACHED_CHUNKS:
            _, oldest = self._cache.popitem(last=False)
            # Fresh memory costs more than the decryption: the system clears every page of it.
            if len(oldest) == length:
                return oldest
        return bytearray(length)

    def _fill(self, offset: int, buffer: memoryview, object_id: str | None) -> None:
        try:
            got = self._read_at(offset, buffer)
        except OSError as error:
            problem = error.strerror or type(error).__name__
            raise StoreFaultError("reading", object_id, problem, error.errno) from error
        if got != len(buffer):
            raise AlteredObjectError(object_id, None, f"expected {len(buffer)} bytes at {offset}, got {got}")


def _plaintext_bytes(object_bytes: int, object_id: str | None) -> int:
    try:
        return plaintext_size_bytes(object_bytes)
    except FormatError as error:
        raise AlteredObjectError(object_id, None, error.problem) from error

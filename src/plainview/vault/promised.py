"""The hashes of an arriving original's chunks, each durable before anything of its chunk is sealed.

Example (hexadecimal) of a file for an original of 3 MiB of which one chunk was promised:
    504c5657494e4301 0000000000300000
    9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 5d1f2a3b

    8 bytes   "PLVWINC" and version 1
    8 bytes   the original's size in bytes, big-endian
    then, for each chunk, its hash as a leaf, and the CRC-32 of the chunk's number (8 bytes) and that hash. A record
    whose CRC-32 is wrong was never synced, so nothing of its chunk was ever sealed.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from plainview.vault.incoming_errors import IncomingDamagedError, IncomingDiffersError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plainview.vault.files import Files

MAGIC = b"PLVWINC\x01"
HEAD_BYTES = 16
HASH_BYTES = 32
RECORD_BYTES = HASH_BYTES + 4


def format_head(size_bytes: int) -> bytes:
    """Write the beginning of the file of an original of this size."""
    return MAGIC + struct.pack(">Q", size_bytes)


class PromisedHashes:
    """The open file; every method raises OSError as the disk does.

    Attributes:
        size_bytes: of the original, as it was announced.
        count: how many hashes there are; perhaps more than chunks.

    Raises:
        IncomingDamagedError: it does not begin as such a file does.
    """

    def __init__(self, files: Files, fd: int, object_id: str) -> None:
        self._files, self._fd, self._object_id = files, fd, object_id
        head = self._read(0, HEAD_BYTES)
        if len(head) != HEAD_BYTES or head[:8] != MAGIC:
            raise IncomingDamagedError(object_id, "its file of hashes has no head")
        self.size_bytes = int.from_bytes(head[8:], "big")
        self.count = (files.size(fd) - HEAD_BYTES) // RECORD_BYTES

    @property
    def file_bytes(self) -> int:
        """Return how long the file is, but for what a kill left half-written."""
        return HEAD_BYTES + self.count * RECORD_BYTES

    def settle(self) -> None:
        """Cut off what a kill left half-written, and make durable what is there."""
        self.cut(self.count)
        self._files.sync(self._fd)

    def cut(self, count: int) -> None:
        """Keep the first hashes only."""
        self.count = count
        if self._files.size(self._fd) > self.file_bytes:
            self._files.truncate(self._fd, self.file_bytes)

    def get(self, number: int) -> bytes:
        """Return the hash of a chunk, 32 bytes.

        Raises:
            IncomingDamagedError: there is none, or its CRC-32 is wrong.
        """
        found = self.find(number)
        if found is None:
            raise IncomingDamagedError(self._object_id, f"MiB {number} has no hash that can be read")
        return found

    def find(self, number: int) -> bytes | None:
        """Return the hash of a chunk, or None where there is none that can be read."""
        record = self._read(HEAD_BYTES + number * RECORD_BYTES, RECORD_BYTES)
        digest = record[:HASH_BYTES]
        return digest if record == _record(number, digest) else None

    def promise(self, first: int, digests: Sequence[bytes]) -> None:
        """Say, durably, what chunks will be: from here on, no other bytes may be sealed under their numbers.

        Args:
            first: number of the first chunk.
            digests: hash of it and of those that follow.

        Raises:
            IncomingDiffersError: one of them was promised otherwise; nothing new was promised.
            IncomingDamagedError: a promise cannot be read.
        """
        known = min(len(digests), self.count - first)
        for number, digest in enumerate(digests[:known], first):
            if self.get(number) != digest:
                raise IncomingDiffersError(self._object_id, number)
        new = b"".join(_record(first + known + i, digest) for i, digest in enumerate(digests[known:]))
        if not new:
            return
        # A write that failed may have left half a record.
        self.cut(self.count)
        rest = memoryview(new)
        while rest:
            rest = rest[self._files.write(self._fd, rest) :]
        self._files.sync(self._fd)
        self.count = first + len(digests)

    def _read(self, offset: int, length: int) -> bytes:
        buffer, done = memoryview(bytearray(length)), 0
        while done < length and (got := self._files.read_into(self._fd, offset + done, buffer[done:])):
            done += got
        return bytes(buffer[:done])


def _record(number: int, digest: bytes) -> bytes:
    return digest + zlib.crc32(struct.pack(">Q", number) + digest).to_bytes(4, "big")

"""Open what a camera sealed to the vault: footage or a journal, piece by piece, as far as it was written whole.

A loss of power leaves whole pieces, and behind them perhaps part of what was not synced yet: at most a fragment, its
journal line and the events before it, whole, cut off, or garbled. That is counted and left out from the first piece that
does not open. Where more than that follows, the piece was altered, and the error says which.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from plainview.formats.capture import JOURNAL_BOX
from plainview.formats.errors import FormatError
from plainview.formats.sealed_file import (
    PIECE_LIMIT_BYTES,
    PIECE_TAG_BYTES,
    SealedHeader,
    parse_sealed_header,
    piece_context,
    piece_nonce,
    seal_info,
    sealed_header_bytes,
)
from plainview.vault.errors import KeyMissingError, VaultError
from plainview.vault.intake_keys import intake_private

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import WriteableBuffer

    from plainview.vault.keys import KeyStore

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_LENGTH_BYTES = 4
_START_BYTES = 12
_FILE_KEY_BYTES = 32
# What a camera may have written and not synced: two seconds at its greatest bit rate, and boxes.
UNSYNCED_LIMIT_BYTES = 16 << 20


class UnsealError(VaultError):
    """A file from a camera cannot be opened.

    Attributes:
        reason: not_sealed, wrong_key, altered_header or altered_piece.
        piece: the number of the piece that does not open, counted from 0; None for the others.
    """

    def __init__(self, reason: str, problem: str, *, piece: int | None = None) -> None:
        super().__init__(problem)
        self.reason = reason
        self.piece = piece


@dataclass(frozen=True)
class SealedStart:
    """What stands before the first piece: the header, and its bytes."""

    header: SealedHeader
    data: bytes


def read_sealed_start(source: BinaryIO) -> SealedStart:
    """Read what stands before the first piece; the source is left at the piece.

    Args:
        source: at the file's first byte.

    Raises:
        UnsealError: this is no sealed file.
    """
    first = _read(source, _START_BYTES)
    try:
        data = first + _read(source, sealed_header_bytes(first) - _START_BYTES)
        return SealedStart(parse_sealed_header(data), data)
    except FormatError as error:
        raise UnsealError("not_sealed", f"It is not what a camera seals: {error.problem}.") from error


class Unsealed(io.RawIOBase):
    """The plaintext of a sealed file as a stream, read once, forwards; one piece is in memory at a time.

    Attributes:
        start: what stands before the first piece.
        pieces: how many whole pieces were opened so far.
        torn_bytes: after the end, how many bytes behind the last whole piece were left out.
    """

    def __init__(self, source: BinaryIO, keys: KeyStore) -> None:
        """Open a sealed file.

        Args:
            source: at the file's first byte; not closed by this.
            keys: which hold the key that it was sealed to.

        Raises:
            UnsealError: it is no sealed file, it was sealed to another vault, or its header was altered.
        """
        super().__init__()
        self.start = read_sealed_start(source)
        self.pieces = self.torn_bytes = 0
        self._source = source
        self._context = piece_context(self.start.data)
        self._cipher = AESGCM(_file_key(self.start.header, keys))
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill some of buffer, and return how much; 0 behind the last whole piece.

        Raises:
            UnsealError: a piece was altered. Nothing of it was returned.
        """
        view = memoryview(buffer).cast("B")
        while not self._rest:
            piece = self.next_piece()
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(view), len(self._rest))
        view[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def next_piece(self) -> bytes | None:
        """Return the next piece's plaintext, or None behind the last whole one.

        Raises:
            UnsealError: it was altered.
        """
        if self.torn_bytes:
            return None
        sealed = self._sealed_piece()
        if sealed is None:
            return None
        piece = self._open(self.pieces, sealed)
        if piece is None:
            if not self.pieces:
                # A camera counts a stream as begun only once its first pieces are on the disk.
                raise self._altered("its authentication tag does not fit")
            self.torn_bytes += _LENGTH_BYTES + len(sealed)
            self._check_torn()
            return None
        self.pieces += 1
        return piece

    def _sealed_piece(self) -> bytes | None:
        """Return the next piece as it lies in the file, or None where the file ends before its end."""
        prefix = _read(self._source, _LENGTH_BYTES)
        length = int.from_bytes(prefix, "big")
        if len(prefix) < _LENGTH_BYTES:
            self.torn_bytes += len(prefix)
            return None
        if not PIECE_TAG_BYTES <= length <= PIECE_LIMIT_BYTES:
            self.torn_bytes += len(prefix) + len(_read(self._source, UNSYNCED_LIMIT_BYTES))
            if self.torn_bytes > UNSYNCED_LIMIT_BYTES:
                raise self._altered(f"it says it has {length} bytes")
            return None
        sealed = _read(self._source, length)
        if len(sealed) < length:
            self.torn_bytes += _LENGTH_BYTES + len(sealed)
            return None
        return sealed

    def _open(self, number: int, sealed: bytes) -> bytes | None:
        try:
            return self._cipher.decrypt(piece_nonce(number), sealed, self._context)
        except InvalidTag:
            return None

    def _check_torn(self) -> None:
        """Read to the end behind a piece that does not open; a loss of power leaves no more there than was not synced.

        Raises:
            UnsealError: more follows.
        """
        number, synced = self.pieces + 1, 0
        while (sealed := self._sealed_piece()) is not None:
            self.torn_bytes += _LENGTH_BYTES + len(sealed)
            piece = self._open(number, sealed)
            number += 1
            synced += piece is not None and self._is_synced(piece)
            if synced > (self.start.header.kind == "footage") or self.torn_bytes > UNSYNCED_LIMIT_BYTES:
                raise self._altered("its authentication tag does not fit")

    def _is_synced(self, piece: bytes) -> bool:
        """Say whether a camera syncs the file behind this piece: a line of a journal, or the box of a fragment."""
        if self.start.header.kind == "journal":
            return True
        is_box = piece[4:24] == b"uuid" + JOURNAL_BOX
        return is_box and (b'"t":"fragment"' in piece or b'"t":"stop"' in piece)

    def all_pieces(self) -> Iterator[bytes]:
        """Yield every piece from here on.

        Raises:
            UnsealError: one was altered.
        """
        while (piece := self.next_piece()) is not None:
            yield piece

    def _altered(self, problem: str) -> UnsealError:
        said = f"Piece {self.pieces}, counted from 0, is not what the camera sealed: {problem}."
        return UnsealError("altered_piece", said, piece=self.pieces)


def _file_key(header: SealedHeader, keys: KeyStore) -> bytes:
    try:
        private = intake_private(keys, header.sealed_to)
    except KeyMissingError as error:
        said = f"It was sealed to {header.sealed_to.hex()[:16]}..., which is no key of this vault."
        raise UnsealError("wrong_key", said) from error
    info = seal_info(header.kind, header.camera, header.stream)
    try:
        key = _SUITE.decrypt(header.sealed_key, private, info)
    except (InvalidTag, ValueError) as error:
        raise UnsealError(
            "altered_header", "The key in its header does not open: the header was altered."
        ) from error
    if len(key) != _FILE_KEY_BYTES:
        raise UnsealError("altered_header", f"The key in its header has {len(key)} bytes, expected 32.")
    return key


def _read(source: BinaryIO, length: int) -> bytes:
    """Return so many bytes, fewer only at the end."""
    data = source.read(length)
    while data and len(data) < length and (more := source.read(length - len(data))):
        data += more
    return data

"""Write sealed files: each piece as soon as it is recorded, and nobody but the vault can read any of them.

Source: RFC 9180 (HPKE) for the file's key; NIST SP 800-38D (GCM) for the pieces; formats.sealed_file for the bytes.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from plainview.camera.disk import STORAGE_MODE, write_all
from plainview.formats.errors import FormatError
from plainview.formats.sealed_file import (
    PIECE_LIMIT_BYTES,
    PIECE_TAG_BYTES,
    SealedHeader,
    format_sealed_header,
    piece_context,
    piece_nonce,
    seal_info,
)

if TYPE_CHECKING:
    from plainview.camera.disk import CameraDisk

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
FILE_KEY_BYTES = 32


@dataclass(frozen=True)
class SealedFor:
    """Whose a sealed file is, and to whom it is sealed: the fields of formats.sealed_file.SealedHeader but two."""

    camera: str
    stream: str
    counter: int
    purpose: str
    seal_to: bytes


@dataclass(frozen=True)
class SealedPiece:
    """A piece of a file, sealed.

    Attributes:
        data: as it lies in the file, its length in front.
        sha256: of what was sealed, 64 hex digits.
        sealed_sha256: of `data` without the length in front, 64 hex digits.
    """

    data: bytes
    sha256: str
    sealed_sha256: str


class PieceCipher:
    """Seals the pieces of one file, in order, under a key that only the vault can open."""

    def __init__(self, kind: str, owner: SealedFor) -> None:
        key = AESGCM.generate_key(FILE_KEY_BYTES * 8)
        sealed_key = SUITE.encrypt(
            key, X25519PublicKey.from_public_bytes(owner.seal_to), seal_info(kind, owner.camera, owner.stream)
        )
        self.header = format_sealed_header(
            SealedHeader(
                kind=kind,
                camera=owner.camera,
                stream=owner.stream,
                counter=owner.counter,
                purpose=owner.purpose,
                sealed_to=owner.seal_to,
                sealed_key=sealed_key,
            )
        )
        self._cipher, self._context, self._number = AESGCM(key), piece_context(self.header), 0

    def seal(self, data: bytes) -> SealedPiece:
        """Seal the next piece; a number is used once, whatever becomes of the piece.

        Raises:
            FormatError: longer than any reader takes.
        """
        if len(data) + PIECE_TAG_BYTES > PIECE_LIMIT_BYTES:
            raise FormatError(
                "sealed file", f"expected pieces below {PIECE_LIMIT_BYTES} bytes, got {len(data)}"
            )
        sealed = self._cipher.encrypt(piece_nonce(self._number), data, self._context)
        self._number += 1
        return SealedPiece(
            data=len(sealed).to_bytes(4, "big") + sealed,
            sha256=sha256(data).hexdigest(),
            sealed_sha256=sha256(sealed).hexdigest(),
        )


class SealedWriter:
    """A sealed file that grows. Once a write fails nothing more is appended: readers stop at the last whole piece.

    Attributes:
        failure: what the disk said when it failed; None while it has not.
    """

    def __init__(self, disk: CameraDisk, path: str, cipher: PieceCipher) -> None:
        self._disk, self._path, self._cipher = disk, path, cipher
        self.failure: OSError | None = None
        self._fd = disk.create(path, STORAGE_MODE)
        try:
            self._append(cipher.header)
        except OSError:
            self.close()
            raise

    def seal(self, data: bytes) -> SealedPiece:
        """Seal the next piece; it must be appended before another is sealed.

        Raises:
            FormatError: longer than any reader takes.
        """
        return self._cipher.seal(data)

    def append(self, piece: SealedPiece) -> None:
        """Write a piece at the end; not durable before sync.

        Raises:
            OSError: the disk fails, or failed before; the file takes nothing more.
        """
        self._append(piece.data)

    def _append(self, data: bytes) -> None:
        if self.failure is not None:
            raise self.failure
        try:
            write_all(self._disk, self._fd, data)
        except OSError as error:
            self.failure = error
            raise

    def sync(self) -> None:
        """Return when every piece survives a power cut.

        Raises:
            OSError: the disk failed, nobody knows how much of the file it has, and the file takes nothing more.
        """
        try:
            self._disk.sync(self._fd)
        except OSError as error:
            self.failure = error
            raise

    def close(self) -> None:
        """Close the file; what was not synced may still be lost."""
        # A disk that fails only now says nothing of what was synced.
        with contextlib.suppress(OSError):
            self._disk.close(self._fd)

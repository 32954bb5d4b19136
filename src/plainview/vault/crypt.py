"""Seal and open the chunks of one object.

Source: formats.object_header, which has the layout and where it comes from.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from plainview.formats.object_header import (
    OBJECT_ID_BYTES,
    TAG_BYTES,
    ObjectHeader,
    chunk_nonce,
    format_object_header,
)
from plainview.vault.errors import AlteredObjectError

if TYPE_CHECKING:
    from plainview.vault.store import Buffer

OBJECT_KEY_BYTES = 32


def new_object_id() -> str:
    """Return a random object id, 32 lower-case hexadecimal digits."""
    return os.urandom(OBJECT_ID_BYTES).hex()


def new_object_key() -> bytes:
    """Return a random key for one object, 32 bytes."""
    return os.urandom(OBJECT_KEY_BYTES)


class ChunkCipher:
    """Seals or opens the chunks of one object under its own key.

    Seal each chunk number once: a second plaintext under the same number and key would give both away.
    May be used by several threads at once.
    """

    def __init__(self, object_id: str, key: bytes) -> None:
        self.object_id = object_id
        self.header = format_object_header(ObjectHeader(bytes.fromhex(object_id)))
        self._cipher = AESGCM(key)

    def seal_into(self, number: int, plaintext: Buffer, out: memoryview, *, is_last: bool) -> int:
        """Encrypt one chunk into the beginning of out and return how many bytes: 16 more than the plaintext.

        Args:
            number: the chunk's, counted from 0.
            plaintext: 1 MiB; less only for the last chunk.
            out: at least 16 bytes longer than the plaintext.
            is_last: whether the object ends with it.

        Source: NIST SP 800-38D (GCM); formats.object_header.
        """
        sealed_bytes = len(plaintext) + TAG_BYTES
        nonce = chunk_nonce(number, is_last=is_last)
        return self._cipher.encrypt_into(nonce, plaintext, self.header, out[:sealed_bytes])

    def open_into(self, number: int, sealed: Buffer, out: memoryview, *, is_last: bool) -> int:
        """Check and decrypt one chunk into the beginning of out and return how many bytes: 16 fewer than sealed.

        What out holds after an error is not the original: discard it.

        Raises:
            AlteredObjectError: any bit of the chunk, its number, its place as the last, its object or the key is
                another than when it was sealed.

        Source: NIST SP 800-38D (GCM); formats.object_header.
        """
        nonce = chunk_nonce(number, is_last=is_last)
        try:
            return self._cipher.decrypt_into(nonce, sealed, self.header, out[: len(sealed) - TAG_BYTES])
        except InvalidTag as error:
            problem = "its authentication tag does not fit its bytes and the key"
            raise AlteredObjectError(self.object_id, number, problem) from error

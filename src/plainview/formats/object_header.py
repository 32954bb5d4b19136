"""The file an original becomes in the vault: a header of 32 bytes, then encrypted chunks.

Example (hexadecimal): 504c56574f424a01 00100000 00000000 7d0f2c64a15b4e0fb3c1a9d2e4f60718

    8 bytes   "PLVWOBJ" and version 1
    4 bytes   plaintext bytes in a chunk, big-endian: 1,048,576
    4 bytes   zero
   16 bytes   random object id, the object's name in hexadecimal
    then, for each chunk, AES-256-GCM of at most 1 MiB of plaintext with its 16-byte tag. The nonce is the chunk's
    number in 11 bytes, big-endian, and one byte that is 1 for the last chunk; the associated data is the header.
    Each object has a key of its own, so no nonce is ever used twice under one key.

Source: the STREAM construction, Hoang, Reyhanitabar, Rogaway, Vizar, "Online Authenticated-Encryption and its
Nonce-Reuse Misuse-Resistance", CRYPTO 2015; laid out as in age-encryption.org/v1, "Payload".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from plainview.formats.chunks import CHUNK_BYTES, chunk_count
from plainview.formats.errors import FormatError

MAGIC = b"PLVWOBJ\x01"
HEADER_BYTES = 32
TAG_BYTES = 16
SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES
OBJECT_ID_BYTES = 16


@dataclass(frozen=True)
class ObjectHeader:
    """What stands in front of an object's ciphertext: its random id, 16 bytes."""

    object_id: bytes


def format_object_header(header: ObjectHeader) -> bytes:
    """Write an object's header, 32 bytes.

    Raises:
        FormatError: an id that is not 16 bytes long.
    """
    if len(header.object_id) != OBJECT_ID_BYTES:
        raise FormatError(
            "object header", f"expected an id of {OBJECT_ID_BYTES} bytes, got {len(header.object_id)}"
        )
    return MAGIC + struct.pack(">II", CHUNK_BYTES, 0) + header.object_id


def parse_object_header(data: bytes) -> ObjectHeader:
    """Read an object's header.

    Raises:
        FormatError: too short, or not one we write.
    """
    if len(data) != HEADER_BYTES or data[:16] != MAGIC + struct.pack(">II", CHUNK_BYTES, 0):
        raise FormatError(
            "object header", f"expected {HEADER_BYTES} bytes starting with PLVWOBJ, got {data[:16].hex()}"
        )
    return ObjectHeader(object_id=data[16:])


def chunk_nonce(number: int, *, is_last: bool) -> bytes:
    """Return the 12-byte nonce of a chunk, counted from 0.

    Source: age-encryption.org/v1, "Payload".
    """
    return number.to_bytes(11, "big") + (b"\x01" if is_last else b"\x00")


def object_size_bytes(plaintext_bytes: int) -> int:
    """Return the size of the object that holds this much plaintext; even an empty one has one chunk."""
    return HEADER_BYTES + plaintext_bytes + TAG_BYTES * max(1, chunk_count(plaintext_bytes))


def plaintext_size_bytes(object_bytes: int) -> int:
    """Return how much plaintext an object of this size holds.

    Raises:
        FormatError: no object has this size.
    """
    body = object_bytes - HEADER_BYTES
    chunks = -(-body // SEALED_CHUNK_BYTES)
    size = body - chunks * TAG_BYTES
    if body < TAG_BYTES or object_size_bytes(size) != object_bytes:
        raise FormatError("object", f"no object is {object_bytes} bytes long: it was cut or added to")
    return size


def chunk_offset(number: int) -> int:
    """Return where in the object's file a chunk's ciphertext begins."""
    return HEADER_BYTES + number * SEALED_CHUNK_BYTES

"""The files a camera keeps: sealed so that only the vault opens them, in pieces, each as soon as it is recorded.

Example (hexadecimal, the first bytes): 504c565743414d01 00000126 7b22...

    8 bytes   "PLVWCAM" and version 1
    4 bytes   length of the header, big-endian
    header    canonical JSON: {"camera":"cam.example.org/SN42","counter":42,"kind":"footage","purpose":"recording",
              "sealed_key":"<base64>","sealed_to":"<64 hex digits>","stream":"000042-9f2c41aa","v":1}
    then, for each piece, 4 bytes of length, big-endian, and that many of AES-256-GCM: the plaintext and a tag of 16
    bytes. The nonce is the piece's number, counted from 0, in 12 bytes, big-endian; the associated data is the SHA-256
    of everything before the first piece. Each file has a random key of its own, kept only sealed to the vault.

A loss of power leaves whole pieces and perhaps the beginning of one. Nothing is ever appended to a file that was
closed, by whatever, so no nonce is used twice under one key.

Source: RFC 9180 (HPKE) for the key; NIST SP 800-38D (GCM) for the pieces.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from plainview.formats.canonical import canonical_json, parse_canonical_json
from plainview.formats.capture import CAMERA_NAME, PURPOSES, STREAM_ID
from plainview.formats.errors import FormatError
from plainview.formats.fields import (
    HEX_32_BYTES,
    check_count,
    check_record,
    check_text,
    decode_base64,
    encode_base64,
)

SEALED_MAGIC = b"PLVWCAM\x01"
SEALED_HEADER_LIMIT_BYTES = 4096
# Enough for two seconds at more than 200 Mbit/s; a hostile length must not make a reader ask for gigabytes.
PIECE_LIMIT_BYTES = 64 << 20
PIECE_TAG_BYTES = 16
SEALED_KINDS = ("footage", "journal")
_SEALED_KEYS = frozenset({"v", "kind", "camera", "stream", "counter", "purpose", "sealed_to", "sealed_key"})


@dataclass(frozen=True)
class SealedHeader:
    """What stands in front of the pieces; all that a camera shows to whoever finds it.

    Attributes:
        kind: footage, or journal (one line of it a piece).
        camera: its name, cam.<department's host name>/<serial number>.
        stream: id of the journal that speaks for the file.
        counter: the journal's, counted by the camera from 1.
        purpose: one of capture.PURPOSES.
        sealed_to: the vault's public key, X25519, 32 bytes.
        sealed_key: the file's key, sealed to it.
    """

    kind: str
    camera: str
    stream: str
    counter: int
    purpose: str
    sealed_to: bytes
    sealed_key: bytes


def format_sealed_header(header: SealedHeader) -> bytes:
    """Write everything that stands before the first piece.

    Raises:
        FormatError: a field that parse_sealed_header would refuse.
    """
    record = canonical_json(
        {
            "v": 1,
            "kind": header.kind,
            "camera": header.camera,
            "stream": header.stream,
            "counter": header.counter,
            "purpose": header.purpose,
            "sealed_to": header.sealed_to.hex(),
            "sealed_key": encode_base64(header.sealed_key),
        }
    )
    data = SEALED_MAGIC + len(record).to_bytes(4, "big") + record
    parse_sealed_header(data)
    return data


def sealed_header_bytes(data: bytes) -> int:
    """Return how many bytes stand before the first piece, from the first twelve.

    Raises:
        FormatError: these are not the first bytes of a sealed file.
    """
    length = int.from_bytes(data[8:12], "big")
    if len(data) < 12 or data[:8] != SEALED_MAGIC or length > SEALED_HEADER_LIMIT_BYTES:
        raise FormatError("sealed file", f"expected a file that begins with PLVWCAM, got {data[:12].hex()}")
    return 12 + length


def parse_sealed_header(data: bytes) -> SealedHeader:
    """Read everything that stands before the first piece, and nothing after.

    Raises:
        FormatError: too short or long, or not what format_sealed_header writes.
    """
    what = "sealed file"
    if len(data) != sealed_header_bytes(data):
        raise FormatError(what, f"expected a header of {sealed_header_bytes(data)} bytes, got {len(data)}")
    value = parse_canonical_json(data[12:], what=what, limit_bytes=SEALED_HEADER_LIMIT_BYTES)
    record = check_record(value, what=what, keys=_SEALED_KEYS)
    for field, known in (("kind", SEALED_KINDS), ("purpose", PURPOSES)):
        if check_text(record[field], what=what, field=field) not in known:
            raise FormatError(what, f"{field}: expected one of {', '.join(known)}, got {record[field]!r:.40}")
    return SealedHeader(
        kind=record["kind"],
        camera=check_text(record["camera"], what=what, field="camera", pattern=CAMERA_NAME),
        stream=check_text(record["stream"], what=what, field="stream", pattern=STREAM_ID),
        counter=check_count(record["counter"], what=what, field="counter", at_least=1),
        purpose=record["purpose"],
        sealed_to=bytes.fromhex(
            check_text(record["sealed_to"], what=what, field="sealed_to", pattern=HEX_32_BYTES)
        ),
        sealed_key=decode_base64(check_text(record["sealed_key"], what=what, field="sealed_key"), what=what),
    )


def seal_info(kind: str, camera: str, stream: str) -> bytes:
    """Return what binds a file's sealed key to the file it is for: HPKE's `info`.

    Source: RFC 9180 section 5.1.
    """
    return f"plainview-camera/v1 {kind} {camera}/{stream}".encode()


def piece_nonce(number: int) -> bytes:
    """Return the 12-byte nonce of a piece, counted from 0."""
    return number.to_bytes(12, "big")


def piece_context(header: bytes) -> bytes:
    """Return the associated data of every piece: the SHA-256 of everything before the first."""
    return sha256(header).digest()

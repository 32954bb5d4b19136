"""Read what a tus client says in its headers; pure.

Source: tus resumable upload protocol 1.0.0, tus.io/protocols/resumable-upload: core, creation, creation-with-upload,
checksum, termination, expiration.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,termination,expiration"
ALGORITHMS = ("sha1", "sha256")
PIECE_TYPE = "application/offset+octet-stream"
# An original of this size still has a list of chunks that our formats can hold.
LIMIT_BYTES = 1 << 40
METADATA_LIMIT = 8_192
CHECKSUM_MISMATCH = 460
# The names under which clients send the file's own name.
NAME_KEYS = ("filename", "name")


class RequestError(Exception):
    """A request is refused.

    Attributes:
        status: of the answer.
        headers: of the answer, besides those that every answer has.
    """

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.headers = dict(headers or {})


@dataclass(frozen=True)
class Checksum:
    """What a piece must hash to."""

    algorithm: str
    digest: bytes

    def fits(self, data: bytes) -> bool:
        """Say whether it does."""
        return hashlib.new(self.algorithm, data, usedforsecurity=False).digest() == self.digest


@dataclass(frozen=True)
class Announcement:
    """What somebody is about to send: how many bytes, under what name."""

    size_bytes: int
    offered_name: str


def check_version(headers: Mapping[str, str]) -> None:
    """Raise unless the client speaks this version.

    Raises:
        RequestError: 412, and which we speak.
    """
    if headers.get("Tus-Resumable") != VERSION:
        raise RequestError(412, f"Tus-Resumable: expected {VERSION}.", {"Tus-Version": VERSION})


def parse_announcement(headers: Mapping[str, str]) -> Announcement:
    """Return what is about to be sent.

    Raises:
        RequestError: 400 for a size that is no number, or none; 413 for one beyond every limit.
    """
    size_bytes = _count(headers, "Upload-Length")
    if size_bytes == 0:
        raise RequestError(400, "The file is empty: expected at least 1 byte.")
    if size_bytes > LIMIT_BYTES:
        raise RequestError(
            413, f"The file is too large: expected at most {LIMIT_BYTES} bytes, got {size_bytes}."
        )
    metadata = parse_metadata(headers.get("Upload-Metadata", ""))
    names = [metadata[key] for key in NAME_KEYS if metadata.get(key)]
    return Announcement(size_bytes, names[0] if names else "unnamed")


def parse_metadata(value: str) -> dict[str, str]:
    """Return the pairs of an Upload-Metadata header; bytes that are no text are spelled as escapes.

    Raises:
        RequestError: 400 for what is not written as tus writes it; 431 for more than 8 KiB.
    """
    if len(value) > METADATA_LIMIT:
        raise RequestError(431, f"Upload-Metadata: expected at most {METADATA_LIMIT} characters.")
    pairs = {}
    for pair in value.split(",") if value.strip() else ():
        key, _, encoded = pair.strip().partition(" ")
        if not key or key in pairs:
            raise RequestError(400, "Upload-Metadata: expected each key once, with its value in base64.")
        pairs[key] = _decoded(encoded.strip(), "Upload-Metadata").decode("utf-8", "backslashreplace")
    return pairs


def parse_offset(headers: Mapping[str, str]) -> int:
    """Return where a piece begins, in bytes.

    Raises:
        RequestError: 400 unless it is a number.
    """
    return _count(headers, "Upload-Offset")


def check_piece_type(headers: Mapping[str, str]) -> None:
    """Raise unless the body is a piece of a file.

    Raises:
        RequestError: 415.
    """
    if headers.get("Content-Type") != PIECE_TYPE:
        raise RequestError(415, f"Content-Type: expected {PIECE_TYPE}.")


def parse_length(headers: Mapping[str, str]) -> int:
    """Return how long the body is.

    Raises:
        RequestError: 411 where it does not say, 400 where it says nonsense.
    """
    if not headers.get("Content-Length"):
        raise RequestError(411, "Content-Length: expected, got none.")
    return _count(headers, "Content-Length")


def parse_checksum(headers: Mapping[str, str]) -> Checksum | None:
    """Return what a piece must hash to, or None where the client does not say.

    Raises:
        RequestError: 400 for an algorithm we do not offer, or a digest that is none.
    """
    value = headers.get("Upload-Checksum")
    if value is None:
        return None
    algorithm, _, encoded = value.strip().partition(" ")
    digest = _decoded(encoded, "Upload-Checksum")
    if (
        algorithm not in ALGORITHMS
        or len(digest) != hashlib.new(algorithm, usedforsecurity=False).digest_size
    ):
        raise RequestError(
            400, f"Upload-Checksum: expected one of {', '.join(ALGORITHMS)} and its digest in base64."
        )
    return Checksum(algorithm, digest)


def _count(headers: Mapping[str, str], name: str) -> int:
    value = headers.get(name, "")
    if not (value.isascii() and value.isdecimal() and len(value) < 20):
        raise RequestError(400, f"{name}: expected a number of bytes, got {value!r:.40}.")
    return int(value)


def _decoded(value: str, name: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError(400, f"{name}: expected base64, got {value!r:.40}.") from error

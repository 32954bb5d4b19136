"""Compare what a file's outermost structure promises with the bytes that are there.

Enough to say, before any decoder sees the file, that an MP4's index is missing or a file's end is
cut off. Nothing inside the outermost boxes is read.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final, Literal

from plainview.media.identify import HEAD_BYTES, transport_packets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

# A day of one-second fragments has 172,800 outer boxes; twenty times that is no recording.
_MAX_BOXES: Final = 4_000_000


@dataclasses.dataclass(frozen=True)
class OuterBoxes:
    """What the outermost boxes say.

    Attributes:
        has_index: a moov box begins in the file.
        has_media: an mdat box begins in the file.
        missing_bytes: how far the last box claims to reach past the end; 0 for a whole file.
    """

    has_index: bool
    has_media: bool
    missing_bytes: int


def read_outer_boxes(file: BinaryIO, *, size_bytes: int) -> OuterBoxes:
    """Walk the outermost boxes from the start until the end, damage, or a bound.

    Args:
        file: seekable; its position is lost.
        size_bytes: length of the file.

    Returns:
        What was seen; a box with an impossible size ends the walk.

    Source: ISO/IEC 14496-12 section 4.2 (size 1 means a 64-bit size follows, size 0 means to the end).
    """
    at, kinds, missing = 0, set(), 0
    for _ in range(_MAX_BOXES):
        file.seek(at)
        header = file.read(16)
        if len(header) < 8:
            missing = max(missing, 8 - len(header) if header else 0)
            break
        kinds.add(header[4:8])
        size = _box_bytes(header, rest_bytes=size_bytes - at)
        if size is None:
            break
        at += size
        if at >= size_bytes:
            missing = at - size_bytes
            break
    return OuterBoxes(has_index=b"moov" in kinds, has_media=b"mdat" in kinds, missing_bytes=missing)


def first_boxes(
    file: BinaryIO, *, size_bytes: int, most: int, body_bytes: int
) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kind and the first bytes of each outermost box, until the end, damage, or a bound.

    Args:
        file: seekable; its position is lost.
        size_bytes: length of the file.
        most: how many boxes to look at.
        body_bytes: how many bytes of each to return, behind its header.
    """
    at = 0
    for _ in range(most):
        file.seek(at)
        header = file.read(16 + body_bytes)
        size = None if len(header) < 8 else _box_bytes(header[:16], rest_bytes=size_bytes - at)
        if size is None:
            return
        behind = 16 if header[:4] == b"\0\0\0\1" else 8
        yield header[4:8], header[behind : min(behind + body_bytes, size)]
        at += size


def _box_bytes(header: bytes, *, rest_bytes: int) -> int | None:
    size = int.from_bytes(header[:4], "big")
    if size == 0:
        return rest_bytes
    if size == 1:
        size = int.from_bytes(header[8:16], "big") if len(header) == 16 else 0
        return size if size >= 16 else None
    return size if size >= 8 else None


def count_missing_bytes(file: BinaryIO, *, container: str, size_bytes: int) -> int:
    """Count the bytes that the file's outermost structure promises beyond its end.

    Args:
        file: seekable; its position is lost.
        container: what identify() said.
        size_bytes: length of the file.

    Returns:
        0 for a whole file, and for containers that promise nothing (FLAC states a duration instead).
    """
    if container == "mov":
        return read_outer_boxes(file, size_bytes=size_bytes).missing_bytes
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if container == "mpegts":
        start, period = transport_packets(head) or (0, 188)
        return -(size_bytes - start) % period
    if container == "matroska":
        return _missing_matroska_bytes(head, size_bytes)
    order: dict[bytes, Literal["little", "big"]] = {b"RIFF": "little", b"FORM": "big"}
    if head[:4] not in order:
        return 0
    promised = int.from_bytes(head[4:8], order[head[:4]])
    if promised in (0, 0xFFFFFFFF):  # a writer that could not go back, or sizes kept elsewhere
        return 0
    return max(0, 8 + promised - size_bytes)


def _missing_matroska_bytes(head: bytes, size_bytes: int) -> int:
    """Follow the EBML header to the Segment, which holds all the rest.

    Source: RFC 8794 section 4 (variable-size integers), section 6 (all ones: size unknown).
    """
    header = _ebml_size(head, 4)
    if header is None or header[1] is None:
        return 0
    segment_at = header[0] + header[1]
    if head[segment_at : segment_at + 4] != b"\x18\x53\x80\x67":
        return 0
    segment = _ebml_size(head, segment_at + 4)
    if segment is None or segment[1] is None:
        return 0
    return max(0, segment[0] + segment[1] - size_bytes)


def _ebml_size(data: bytes, at: int) -> tuple[int, int | None] | None:
    """Read one size; gives where its contents begin and the size, None where it says unknown."""
    if at >= len(data) or data[at] == 0:
        return None
    length = 9 - data[at].bit_length()
    if at + length > len(data):
        return None
    bits = 7 * length
    value = int.from_bytes(data[at : at + length], "big") & ((1 << bits) - 1)
    return at + length, None if value == (1 << bits) - 1 else value

"""Find the journal's boxes inside footage, whatever was done to it, in memory that does not grow with it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import BinaryIO, Iterator

from plainview.formats.capture import CAPTURE_LINE_LIMIT_BYTES, JOURNAL_BOX

_BOX_MARK = b"uuid" + JOURNAL_BOX
# What a camera's footage has at its top level; behind anything else the sizes are not believed.
_TOP_LEVEL = frozenset(
    {
        b"ftyp",
        b"styp",
        b"moov",
        b"moof",
        b"mdat",
        b"sidx",
        b"emsg",
        b"prft",
        b"free",
        b"skip",
        b"mfra",
        b"uuid",
    }
)
_SCAN_BYTES = 1 << 20
_FIRST_BOXES = 16
# A camera writes about 15,000 in four hours; more than this would only cost whoever checks.
MAX_JOURNAL_BOXES = 100_000
MAX_JOURNAL_BYTES = 128 << 20


@dataclass(frozen=True)
class FoundBox:
    """A journal box: the line in it, and where in the footage the box begins and ends."""

    begins_at: int
    ends_at: int
    line: bytes


def find_journal_boxes(footage: BinaryIO, size_bytes: int) -> tuple[list[FoundBox], bool]:
    """Walk the top-level boxes and read those of the journal.

    Args:
        footage: seekable.
        size_bytes: of it.

    Returns:
        At most MAX_JOURNAL_BOXES and about MAX_JOURNAL_BYTES, in their order, and whether the boxes make up the whole footage.

    Source: ISO/IEC 14496-12 section 4.2.
    """
    found: list[FoundBox] = []
    position = read_bytes = 0
    while position < size_bytes and len(found) < MAX_JOURNAL_BOXES and read_bytes < MAX_JOURNAL_BYTES:
        footage.seek(position)
        head = footage.read(24)
        end = _end_of_box(head, position, size_bytes)
        if end is None:
            return found, False
        if head[4:24] == _BOX_MARK and end - position - 24 <= CAPTURE_LINE_LIMIT_BYTES:
            found.append(FoundBox(position, end, footage.read(end - position - 24)))
            read_bytes += end - position
        position = end
    return found, position == size_bytes


def first_journal_box(footage: BinaryIO) -> bytes | None:
    """Return the first line in footage, if one stands among its first boxes; a camera puts it before all fragments."""
    size_bytes = footage.seek(0, io.SEEK_END)
    position = 0
    for _ in range(_FIRST_BOXES):
        footage.seek(position)
        head = footage.read(24)
        end = _end_of_box(head, position, size_bytes)
        if end is None or end == size_bytes:
            return None
        if head[4:24] == _BOX_MARK and end - position - 24 <= CAPTURE_LINE_LIMIT_BYTES:
            return footage.read(end - position - 24)
        position = end
    return None


def _end_of_box(head: bytes, position: int, size_bytes: int) -> int | None:
    """Return where a box ends, or None where its size cannot be true."""
    length, least = int.from_bytes(head[:4], "big"), 8
    if head[4:8] not in _TOP_LEVEL:
        return None
    if length == 0:
        return size_bytes
    if length == 1:
        length, least = int.from_bytes(head[8:16], "big"), 16
    if head[4:24] == _BOX_MARK:
        least = 24
    return position + length if least <= length <= size_bytes - position else None


def scan_journal_boxes(footage: BinaryIO, size_bytes: int) -> list[FoundBox]:
    """Find the journal's boxes by their mark alone, wherever they lie; for footage whose boxes are damaged.

    Args:
        footage: seekable.
        size_bytes: of it.
    """
    found: list[FoundBox] = []
    done = read_bytes = 0
    for marked_at in _find_marks(footage, size_bytes):
        begins_at = marked_at - 4
        footage.seek(max(begins_at, 0))
        length = int.from_bytes(footage.read(4), "big")
        if begins_at < done or not 24 <= length <= min(24 + CAPTURE_LINE_LIMIT_BYTES, size_bytes - begins_at):
            continue
        done = begins_at + length
        footage.seek(begins_at + 24)
        found.append(FoundBox(begins_at, done, footage.read(length - 24)))
        read_bytes += length
        if len(found) == MAX_JOURNAL_BOXES or read_bytes >= MAX_JOURNAL_BYTES:
            break
    return found


def _find_marks(footage: BinaryIO, size_bytes: int) -> Iterator[int]:
    position = 0
    while position < size_bytes:
        footage.seek(position)
        window = footage.read(_SCAN_BYTES + len(_BOX_MARK) - 1)
        at = window.find(_BOX_MARK)
        while at >= 0:
            yield position + at
            at = window.find(_BOX_MARK, at + 1)
        position += _SCAN_BYTES

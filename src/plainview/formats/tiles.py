"""How a log lies on disk and travels: tiles of 256 hashes and bundles of 256 entries.

Example (size 70,000): tile/0/000 ... tile/0/272, tile/0/273.p/112, tile/1/000, tile/1/001.p/17, tile/2/000.p/1,
and tile/entries/000 beside each tile/0/000.

Source: c2sp.org/tlog-tiles v0.1.0.
"""

from __future__ import annotations

import struct
from typing import Iterable, Iterator, Sequence

from plainview.formats.errors import FormatError

TILE_WIDTH = 256
HASH_BYTES = 32
ENTRY_LIMIT_BYTES = 65_535


def tile_path(*, level: int, number: int, width: int) -> str:
    """Return the path of a tile of hashes.

    Args:
        level: 0 holds leaf hashes.
        number: counted from 0.
        width: hashes in it, 1 to 256; under 256 it is a partial tile.
    """
    return f"tile/{level}/{_numbered(number, width)}"


def entries_path(*, number: int, width: int) -> str:
    """Return the path of a bundle of entries."""
    return f"tile/entries/{_numbered(number, width)}"


def _numbered(number: int, width: int) -> str:
    groups = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        groups.insert(0, f"x{number % 1000:03d}")
    return "/".join(groups) + ("" if width == TILE_WIDTH else f".p/{width}")


def tiles_of(size: int) -> Iterator[tuple[int, int, int]]:
    """Yield (level, number, width) of every tile of hashes in a log of this size."""
    level, count = 0, size
    while count:
        for number in range(-(-count // TILE_WIDTH)):
            yield level, number, min(TILE_WIDTH, count - number * TILE_WIDTH)
        level, count = level + 1, count // TILE_WIDTH


def bundles_of(size: int) -> Iterator[tuple[int, int]]:
    """Yield (number, width) of every bundle of entries in a log of this size."""
    for number in range(-(-size // TILE_WIDTH)):
        yield number, min(TILE_WIDTH, size - number * TILE_WIDTH)


def pack_entries(entries: Iterable[bytes]) -> bytes:
    """Write a bundle: each entry behind its length in two bytes, big-endian.

    Raises:
        FormatError: an entry is empty or longer than 65,535 bytes.
    """
    packed: list[bytes] = []
    for entry in entries:
        if not 1 <= len(entry) <= ENTRY_LIMIT_BYTES:
            raise FormatError("log entry", f"expected 1 to {ENTRY_LIMIT_BYTES} bytes, got {len(entry)}")
        packed.append(struct.pack(">H", len(entry)))
        packed.append(entry)
    return b"".join(packed)


def unpack_entries(data: bytes, *, width: int) -> list[bytes]:
    """Read a bundle of exactly width entries.

    Raises:
        FormatError: the bundle ends early, holds an empty entry, or goes on after the last.
    """
    entries: list[bytes] = []
    at = 0
    for _ in range(width):
        length = int.from_bytes(data[at : at + 2], "big")
        entry = data[at + 2 : at + 2 + length]
        if not length or len(entry) != length:
            raise FormatError("entry bundle", f"entry {len(entries)} of {width} is empty or cut short")
        entries.append(entry)
        at += 2 + length
    if at != len(data):
        raise FormatError("entry bundle", f"{len(data) - at} bytes after the last of {width} entries")
    return entries


def pack_tile(hashes: Sequence[bytes]) -> bytes:
    """Write a tile.

    Raises:
        FormatError: none or more than 256 hashes, or one that is not 32 bytes long.
    """
    if not 1 <= len(hashes) <= TILE_WIDTH or any(len(digest) != HASH_BYTES for digest in hashes):
        raise FormatError(
            "tile", f"expected 1 to {TILE_WIDTH} hashes of {HASH_BYTES} bytes, got {len(hashes)}"
        )
    return b"".join(hashes)


def unpack_tile(data: bytes, *, width: int) -> list[bytes]:
    """Read a tile of exactly width hashes.

    Raises:
        FormatError: another length.
    """
    if len(data) != width * HASH_BYTES:
        raise FormatError(
            "tile", f"expected {width} hashes in {width * HASH_BYTES} bytes, got {len(data)} bytes"
        )
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]

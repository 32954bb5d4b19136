"""The hash tree of a log, read from its tiles and grown at its right edge; no file is opened here.

Source: RFC 6962 section 2.1; c2sp.org/tlog-tiles v0.1.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from plainview.formats.errors import FormatError
from plainview.formats.merkle import EMPTY_ROOT, largest_power_below, leaf_hash, node_hash
from plainview.formats.tiles import (
    TILE_WIDTH,
    entries_path,
    pack_entries,
    pack_tile,
    tile_path,
    unpack_entries,
    unpack_tile,
)
from plainview.vault.log_errors import LogReadError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TILE_HEIGHT = 8
NewFile = tuple[str, bytes]


@dataclass(frozen=True)
class Edge:
    """The right edge of a log: all that appending to it needs.

    Attributes:
        size: entries in the log.
        levels: from level 0 up, the hashes in the unfinished tile of each level, 0 to 255 of them.
        entries: the entries of the unfinished bundle, 0 to 255.
    """

    size: int
    levels: tuple[tuple[bytes, ...], ...] = ()
    entries: tuple[bytes, ...] = ()

    def root(self) -> bytes:
        """Return the root of the whole log.

        Source: RFC 6962 section 2.1.
        """
        root: bytes | None = None
        for hashes in self.levels:
            stop = len(hashes)
            while stop:
                # The lowest set bit of a width is its last perfect subtree.
                start = stop - (stop & -stop)
                peak = perfect_root(hashes[start:stop])
                root = peak if root is None else node_hash(peak, root)
                stop = start
        return EMPTY_ROOT if root is None else root


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over a power of two of hashes, 32 bytes each.

    Source: RFC 6962 section 2.1.
    """
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=True)
        hashes = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
    return hashes[0]


def grow(edge: Edge, entries: Sequence[bytes]) -> tuple[list[NewFile], Edge]:
    """Append entries to a log.

    Args:
        edge: the log as it is.
        entries: 1 to 65,535 bytes each.

    Returns:
        The files to write, bundles of entries first, then tiles level by level; and the edge afterwards.

    Raises:
        FormatError: an entry is empty or too long.
    """
    files, unfinished = _bundles(edge, entries)
    fresh = [leaf_hash(entry) for entry in entries]
    levels: list[tuple[bytes, ...]] = []
    while fresh or len(levels) < len(edge.levels):
        level = len(levels)
        held = edge.levels[level] if level < len(edge.levels) else ()
        first = (edge.size >> (TILE_HEIGHT * level)) // TILE_WIDTH
        tiles = _tiles([*held, *fresh])
        if fresh:
            files += [
                (tile_path(level=level, number=first + nth, width=len(tile)), pack_tile(tile))
                for nth, tile in enumerate(tiles)
            ]
        full = [tile for tile in tiles if len(tile) == TILE_WIDTH]
        fresh = [perfect_root(tile) for tile in full]
        levels.append(tuple(tiles[-1]) if len(tiles) > len(full) else ())
    return files, Edge(edge.size + len(entries), tuple(levels), unfinished)


def _tiles(hashes: Sequence[bytes]) -> list[Sequence[bytes]]:
    return [hashes[start : start + TILE_WIDTH] for start in range(0, len(hashes), TILE_WIDTH)]


def _bundles(edge: Edge, entries: Sequence[bytes]) -> tuple[list[NewFile], tuple[bytes, ...]]:
    bundles = _tiles([*edge.entries, *entries])
    first = edge.size // TILE_WIDTH
    files = [
        (entries_path(number=first + nth, width=len(bundle)), pack_entries(bundle))
        for nth, bundle in enumerate(bundles)
    ]
    unfinished = bundles[-1] if bundles and len(bundles[-1]) < TILE_WIDTH else ()
    return files, tuple(unfinished)


class TreeReader:
    """The tree of a log of this size, as its tiles say; nothing is verified here.

    Each tile is read once for as long as the reader lives.
    """

    def __init__(self, find: Callable[[str], bytes | None], size: int) -> None:
        """Read through `find`, which returns a file's bytes, or None where there is none."""
        self._find = find
        self.size = size
        self._tiles: dict[tuple[int, int], list[bytes]] = {}

    def tile(self, level: int, number: int) -> list[bytes]:
        """Return the hashes of one tile, as far as this tree reaches.

        Raises:
            LogReadError: missing, or of another length.
        """
        if (level, number) not in self._tiles:
            width = min(TILE_WIDTH, (self.size >> (TILE_HEIGHT * level)) - TILE_WIDTH * number)
            path, full_width, data = self._widest(tile_path, width, level=level, number=number)
            self._tiles[level, number] = _read(path, unpack_tile, data, full_width)[:width]
        return self._tiles[level, number]

    def bundle(self, number: int) -> list[bytes]:
        """Return the entries of one bundle, as far as this tree reaches.

        Raises:
            LogReadError: missing, or not a bundle.
        """
        width = min(TILE_WIDTH, self.size - TILE_WIDTH * number)
        path, full_width, data = self._widest(entries_path, width, number=number)
        return _read(path, unpack_entries, data, full_width)[:width]

    def _widest(self, named: Callable[..., str], width: int, **place: int) -> tuple[str, int, bytes]:
        """Find a tile; once it is full, the unfinished ones before it may be gone."""
        for at_width in (width, TILE_WIDTH):
            path = named(width=at_width, **place)
            data = self._find(path)
            if data is not None:
                return path, at_width, data
        raise LogReadError(named(width=width, **place), "the file is missing")

    def edge(self) -> Edge:
        """Return the right edge of this tree.

        Raises:
            LogReadError: one of its tiles is missing or malformed.
        """
        levels: list[tuple[bytes, ...]] = []
        count = self.size
        while count:
            number, width = divmod(count, TILE_WIDTH)
            levels.append(tuple(self.tile(len(levels), number)) if width else ())
            count = number
        number, width = divmod(self.size, TILE_WIDTH)
        return Edge(self.size, tuple(levels), tuple(self.bundle(number)) if width else ())

    def root(self, start: int, stop: int) -> bytes:
        """Return the root over leaves start to stop, a range the tree has as one subtree.

        Args:
            start: a multiple of the largest power of two that fits into stop - start.
            stop: past the last leaf.

        Raises:
            LogReadError: a tile is missing or malformed.

        Source: RFC 6962 section 2.1.
        """
        count = stop - start
        if count == 0:
            return EMPTY_ROOT
        if count & (count - 1) == 0:
            return self._perfect(start, count)
        split = start + largest_power_below(count)
        return node_hash(self.root(start, split), self.root(split, stop))

    def _perfect(self, start: int, count: int) -> bytes:
        height = count.bit_length() - 1
        level = height // TILE_HEIGHT
        in_tile = 1 << (height % TILE_HEIGHT)
        number, first = divmod(start >> (TILE_HEIGHT * level), TILE_WIDTH)
        return perfect_root(self.tile(level, number)[first : first + in_tile])

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """Return the siblings from leaf `index` up to the root of the tree of `size` leaves.

        Source: RFC 6962 section 2.1.1.
        """
        path: list[bytes] = []
        start, stop = 0, size
        while stop - start > 1:
            split = start + largest_power_below(stop - start)
            if index < split:
                path.append(self.root(split, stop))
                stop = split
            else:
                path.append(self.root(start, split))
                start = split
        return tuple(reversed(path))

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """Return the hashes that show the tree of `new` leaves continues that of `old`, which is at least 1.

        Source: RFC 6962 section 2.1.2.
        """
        path: list[bytes] = []
        start, stop = 0, new
        while stop != old:
            split = start + largest_power_below(stop - start)
            if old <= split:
                path.append(self.root(split, stop))
                stop = split
            else:
                path.append(self.root(start, split))
                start = split
        # The old tree is a subtree of the new one only if it was never split off to the right.
        return tuple(reversed([*path, self.root(start, stop)] if start else path))


def _read(path: str, unpack: Callable[..., list[bytes]], data: bytes, width: int) -> list[bytes]:
    try:
        return unpack(data, width=width)
    except FormatError as error:
        raise LogReadError(path, str(error)) from error

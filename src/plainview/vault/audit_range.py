"""Check one run of a log's bundles; this is what an audit hands to each of its processes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from plainview.formats.errors import FormatError
from plainview.formats.leaf import parse_leaf
from plainview.formats.merkle import leaf_hash
from plainview.formats.tiles import HASH_BYTES, TILE_WIDTH, entries_path, tile_path, unpack_entries
from plainview.formats.times import format_at
from plainview.vault.log_errors import LogReadError
from plainview.vault.log_files import LogFolder
from plainview.vault.log_tree import perfect_root

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

STEPS_TOLD = 20


@dataclass
class RangeAudit:
    """What one run of bundles holds.

    Attributes:
        first_index: of its first entry.
        entries: how many were read.
        roots: for each full bundle, the root over its entries and the root over its stored tile, None where unread.
        edge: the same for the unfinished bundle, as leaf hashes; empty where there is none, or it was not read.
        disagreements: bundle number to the positions in it where entries and tile differ.
        findings: (path, problem).
        first_at: when its first entry was made; last_at: its last.
        steps_back: (index, its time, the time before) of entries that are older than the one before; the first few.
    """

    first_index: int
    entries: int = 0
    roots: list[tuple[bytes | None, bytes | None]] = field(default_factory=list)
    edge: tuple[tuple[bytes, ...], tuple[bytes, ...]] = ((), ())
    disagreements: dict[int, tuple[int, ...]] = field(default_factory=dict)
    findings: list[tuple[str, str]] = field(default_factory=list)
    first_at: str | None = None
    last_at: str | None = None
    steps_back: list[tuple[int, str, str]] = field(default_factory=list)


def audit_range(root: Path, size: int, count: int, first: int) -> RangeAudit:
    """Read bundles and their tiles, hash and parse every entry.

    Args:
        root: the log's folder.
        size: entries in the log.
        count: how many bundles at most.
        first: number of the first bundle.
    """
    folder = LogFolder(root)
    found = RangeAudit(first_index=first * TILE_WIDTH)
    latest: datetime | None = None
    for number in range(first, min(first + count, -(-size // TILE_WIDTH))):
        width = min(TILE_WIDTH, size - number * TILE_WIDTH)
        entries = _entries(folder, number, width, found)
        latest = _check_leaves(entries, number, width, latest, found)
        _compare(entries, _tile(folder, number, width, found), number, width, found)
    found.last_at = format_at(latest) if latest else None
    return found


def _find_tile(folder: LogFolder, named: Callable[..., str], width: int) -> tuple[bytes, int] | None:
    for at_width in (width, TILE_WIDTH):
        data = folder.find(named(width=at_width))
        if data is not None:
            return data, at_width
    return None


def _read(folder: LogFolder, named: Callable[..., str], width: int, found: RangeAudit) -> tuple[bytes, int]:
    """Return a tile's bytes and width; an unread one is a finding, and has no bytes."""
    problem = "missing"
    try:
        got = _find_tile(folder, named, width)
    except LogReadError as error:
        got, problem = None, error.problem
    if got is None:
        found.findings.append((named(width=width), problem))
    return got or (b"", width)


def _entries(folder: LogFolder, number: int, width: int, found: RangeAudit) -> list[bytes]:
    data, stored_width = _read(folder, partial(entries_path, number=number), width, found)
    if not data:
        return []
    try:
        return unpack_entries(data, width=stored_width)[:width]
    except FormatError as error:
        found.findings.append((entries_path(number=number, width=width), f"altered: {error.problem}"))
        return []


def _tile(folder: LogFolder, number: int, width: int, found: RangeAudit) -> bytes:
    data, stored_width = _read(folder, partial(tile_path, level=0, number=number), width, found)
    if data and len(data) != stored_width * HASH_BYTES:
        path = tile_path(level=0, number=number, width=width)
        found.findings.append((path, f"altered: {len(data)} bytes, expected {stored_width * HASH_BYTES}"))
        return b""
    return data[: width * HASH_BYTES]


def _compare(entries: list[bytes], tile: bytes, number: int, width: int, found: RangeAudit) -> None:
    ours = [leaf_hash(entry) for entry in entries]
    stored = ours
    if b"".join(ours) != tile:
        stored = [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]
        if ours and stored:
            differing = (nth for nth in range(width) if ours[nth] != stored[nth])
            found.disagreements[number] = tuple(differing)
    if width < TILE_WIDTH:
        found.edge = (tuple(ours), tuple(stored))
    else:
        root = perfect_root(ours) if ours else None
        found.roots.append((root, root if stored is ours else perfect_root(stored) if stored else None))


def _check_leaves(
    entries: list[bytes], number: int, width: int, latest: datetime | None, found: RangeAudit
) -> datetime | None:
    """Parse each entry, compare its number with its place, and return the last one's time."""
    path = entries_path(number=number, width=width)
    for index, entry in enumerate(entries, start=number * TILE_WIDTH):
        try:
            leaf = parse_leaf(entry)
        except FormatError as error:
            found.findings.append((path, f"entry {index}: {error}"))
            continue
        if leaf.seq != index:
            found.findings.append((path, f"entry {index} says it is entry {leaf.seq}"))
        if latest is None:
            found.first_at = format_at(leaf.at)
        elif leaf.at < latest and len(found.steps_back) < STEPS_TOLD:
            found.steps_back.append((index, format_at(leaf.at), format_at(latest)))
        latest = leaf.at
    found.entries += len(entries)
    return latest

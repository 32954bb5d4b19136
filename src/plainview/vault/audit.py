"""Check a whole log: every entry, every tile, the signature; and say which file is bad.

Proofs of single entries do not find an alteration that nobody asked about, and a verifier that takes tiles at their
word accepts flipped bits in them. So the root is computed from the entries, and every tile is compared with it.

Source: RFC 6962 section 2.1; c2sp.org/tlog-tiles v0.1.0.
"""

from __future__ import annotations

import os
import re
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from plainview.formats.merkle import EMPTY_ROOT
from plainview.formats.tiles import TILE_WIDTH, entries_path, pack_entries, pack_tile, tile_path
from plainview.vault.audit_range import RangeAudit, audit_range
from plainview.vault.log_errors import CheckpointSignatureError, LogReadError, SplitViewError
from plainview.vault.log_files import CHECKPOINT, INCOMING, LogFolder
from plainview.vault.log_keys import open_checkpoint
from plainview.vault.log_tree import TILE_HEIGHT, Edge, TreeReader, perfect_root
from plainview.verify.errors import VerificationError
from plainview.verify.inclusion import verify_consistency

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from plainview.formats.checkpoint import Checkpoint
    from plainview.formats.note import VerifierKey

BUNDLES_A_TASK = 32
POOL_FROM_ENTRIES = 50_000  # below this, starting processes costs more than it saves
STORED = re.compile(
    r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?\Z", re.ASCII
)


@dataclass(frozen=True)
class LogFinding:
    """One file, relative to the log's folder, and what is to be said of it."""

    path: str
    problem: str


@dataclass(frozen=True)
class AuditReport:
    """What an audit found.

    Attributes:
        checkpoint: what the log was checked against, or None where there is no log.
        entries: how many entries were read and parsed.
        findings: what is wrong; empty for a sound log.
        notices: what is worth knowing and proves nothing: times that step back, left-over files.
    """

    checkpoint: Checkpoint | None
    entries: int = 0
    findings: tuple[LogFinding, ...] = ()
    notices: tuple[LogFinding, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


@dataclass
class _Notes:
    findings: list[LogFinding] = field(default_factory=list)
    notices: list[LogFinding] = field(default_factory=list)

    def find(self, path: str, problem: str) -> None:
        self.findings.append(LogFinding(path, problem))

    def notice(self, path: str, problem: str) -> None:
        self.notices.append(LogFinding(path, problem))


def audit_log(
    root: Path,
    *,
    keys: Sequence[VerifierKey],
    known: Checkpoint | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    workers: int = 2,
) -> AuditReport:
    """Check every file of a log against its signed checkpoint.

    Args:
        root: the log's folder.
        keys: the log's keys, from elsewhere than that folder.
        known: the last checkpoint this log is known to have signed, from the checkpoint store or a receipt; the log
            must hold it. Without it, a log that was put back to an older, once signed state looks sound.
        on_progress: called with entries done and entries in all.
        workers: processes for a large log; with 1, or a small one, no process is started.

    Returns:
        Findings and notices, ordered by path. A log that never published is sound and has no checkpoint.

    Source: RFC 6962 section 2.1; c2sp.org/tlog-tiles v0.1.0.
    """
    notes = _Notes()
    folder = LogFolder(root)
    checkpoint = _what_was_signed(folder, keys, known, notes)
    done = 0
    if checkpoint:
        ranges = list(_audit_ranges(root, checkpoint.size, on_progress, workers))
        done = sum(each.entries for each in ranges)
        _judge(folder, checkpoint, ranges, notes)
        _check_left_overs(folder, checkpoint.size, notes)
        if known and known.size <= checkpoint.size and not notes.findings:
            _check_holds(folder, checkpoint, known, notes)
    elif not notes.findings and folder.holds_log():
        notes.notice(CHECKPOINT, "there is none: the first append was interrupted, or the file was removed")
    return AuditReport(
        checkpoint=checkpoint,
        entries=done,
        findings=tuple(sorted(notes.findings, key=lambda each: each.path)),
        notices=tuple(sorted(notes.notices, key=lambda each: each.path)),
    )


def verify_continuation(
    *, old_note: str, new_note: str, path: Sequence[bytes], keys: Sequence[VerifierKey]
) -> None:
    """Check that a log's newer checkpoint continues an older one.

    Args:
        old_note: a signed checkpoint, from anywhere.
        new_note: a later one of the same log.
        path: the consistency proof between them, 32 bytes each.
        keys: the log's keys.

    Raises:
        CheckpointSignatureError: one of them is not signed by these keys, or they are of two logs.
        SplitViewError: the newer one does not continue the older one.

    Source: RFC 9162 section 2.1.4.2.
    """
    old = open_checkpoint(old_note, keys=keys)
    new = open_checkpoint(new_note, keys=keys, origin=old.origin)
    try:
        verify_consistency(
            old_size=old.size, old_root=old.root, new_size=new.size, new_root=new.root, path=path
        )
    except VerificationError as error:
        raise SplitViewError(known=old, offered=new) from error


def _what_was_signed(
    folder: LogFolder, keys: Sequence[VerifierKey], known: Checkpoint | None, notes: _Notes
) -> Checkpoint | None:
    """Return the checkpoint to hold the files against: the largest of the published and the known one."""
    known = known if known and known.size else None
    published: Checkpoint | None = None
    try:
        data = folder.find(CHECKPOINT)
        published = open_checkpoint(data.decode(), keys=keys) if data is not None else None
    except (CheckpointSignatureError, LogReadError, UnicodeDecodeError) as error:
        notes.find(CHECKPOINT, f"{error}")
        return known
    if known is None or published is None:
        if known:
            notes.find(CHECKPOINT, f"missing; {known.size} entries were signed")
        return known or published
    if published.origin != known.origin:
        notes.find(CHECKPOINT, f"expected the log {known.origin}, got {published.origin}")
        return known
    if published.size < known.size:
        notes.notice(
            CHECKPOINT, f"says {published.size} entries, {known.size} were signed; the next start mends it"
        )
    elif published.size > known.size:
        notes.find(
            CHECKPOINT, f"says {published.size} entries, the checkpoint store only {known.size}: it is old"
        )
    return max(published, known, key=lambda each: each.size)


def _audit_ranges(
    root: Path, size: int, on_progress: Callable[[int, int], None] | None, workers: int
) -> Iterator[RangeAudit]:
    bundles = -(-size // TILE_WIDTH)
    firsts = range(0, bundles, BUNDLES_A_TASK)
    task = partial(audit_range, root, size, BUNDLES_A_TASK)
    if workers == 1 or size < POOL_FROM_ENTRIES:
        yield from _told(map(task, firsts), size, on_progress)
        return
    # spawn: a process that runs threads, as a server does, must not fork.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from _told(pool.map(task, firsts), size, on_progress)


def _told(
    ranges: Iterator[RangeAudit], size: int, on_progress: Callable[[int, int], None] | None
) -> Iterator[RangeAudit]:
    done = 0
    for each in ranges:
        done += each.entries
        if on_progress:
            on_progress(done, size)
        yield each


@dataclass(frozen=True)
class _View:
    """One way to read level 0: for each full tile its root, and the hashes of the unfinished one."""

    roots: tuple[bytes, ...]
    edge: tuple[bytes, ...]


def _judge(folder: LogFolder, checkpoint: Checkpoint, ranges: Sequence[RangeAudit], notes: _Notes) -> None:
    """Find the reading of the log that has the signed root, and name each file that departs from it."""
    for each in ranges:
        for path, problem in each.findings:
            notes.find(path, problem)
    _notice_times(ranges, notes)
    views = list(_views(TreeReader(folder.find, checkpoint.size), ranges))
    view = next((each for each in views if _root_of(each) == checkpoint.root), None)
    if view is None:
        notes.find(CHECKPOINT, "the root that was signed is not that of the entries, nor of the tiles")
    _name_level_0(ranges, view, notes)
    if views:
        _compare_upper(folder, view or views[0], notes)


def _notice_times(ranges: Sequence[RangeAudit], notes: _Notes) -> None:
    latest = None
    for each in ranges:
        for index, at, before in each.steps_back:
            notes.notice(entry_place(index), f"entry {index} is of {at}, the one before it of {before}")
        if latest and each.first_at and each.first_at < latest:
            notes.notice(
                entry_place(each.first_index),
                f"entry {each.first_index} is of {each.first_at}, the one before it of {latest}",
            )
        latest = each.last_at or latest


def entry_place(index: int) -> str:
    """Return the full bundle's path for an entry; an unfinished one has .p and its width behind it."""
    return entries_path(number=index // TILE_WIDTH, width=TILE_WIDTH)


def _views(tree: TreeReader, ranges: Sequence[RangeAudit]) -> Iterator[_View]:
    """Yield readings of level 0, the entries' own first; where entries and tiles differ, what level 1 says decides."""
    pairs = [pair for each in ranges for pair in each.roots]
    ours, stored = ranges[-1].edge
    derived = tuple(root for pair in pairs if (root := pair[0] or pair[1]))
    if len(derived) == len(pairs):
        picked = tuple(_pick(tree, number, *pair) for number, pair in enumerate(pairs))
        yield _View(derived, ours or stored)
        yield _View(picked, ours or stored)
        yield _View(picked, stored or ours)


def _pick(tree: TreeReader, number: int, ours: bytes | None, stored: bytes | None) -> bytes:
    if ours and stored and ours != stored:
        try:
            above = tree.tile(1, number // TILE_WIDTH)[number % TILE_WIDTH]
        except LogReadError:
            return ours
        return stored if above == stored else ours
    return ours or stored or b""


def _upper_levels(view: _View) -> Iterator[list[bytes]]:
    hashes = list(view.roots)
    while hashes:
        yield hashes
        full = len(hashes) // TILE_WIDTH
        hashes = [perfect_root(hashes[n * TILE_WIDTH : (n + 1) * TILE_WIDTH]) for n in range(full)]


def _root_of(view: _View) -> bytes:
    unfinished = tuple(
        tuple(hashes[len(hashes) // TILE_WIDTH * TILE_WIDTH :]) for hashes in _upper_levels(view)
    )
    size = len(view.roots) * TILE_WIDTH + len(view.edge)
    return Edge(size, (view.edge, *unfinished)).root() if size else EMPTY_ROOT


def _name_level_0(ranges: Sequence[RangeAudit], view: _View | None, notes: _Notes) -> None:
    """Say of each bundle and tile that disagree which one is altered, or, where nothing tells, that they do."""
    for number, positions in (pair for each in ranges for pair in each.disagreements.items()):
        last = ranges[-1]
        in_edge = number == sum(len(each.roots) for each in ranges)
        ours, stored = last.edge if in_edge else _pair_at(ranges, number)
        width = len(last.edge[0] or last.edge[1]) if in_edge else TILE_WIDTH
        truth = (view.edge if in_edge else view.roots[number]) if view else None
        tile, bundle = (
            tile_path(level=0, number=number, width=width),
            entries_path(number=number, width=width),
        )
        told = _told_positions(number, positions)
        if truth == ours:
            notes.find(tile, f"altered: {told}")
        elif truth == stored:
            notes.find(bundle, f"altered: {told}")
        else:
            notes.find(bundle, f"does not agree with {tile}: {told}")


def _pair_at(ranges: Sequence[RangeAudit], number: int) -> tuple[bytes | None, bytes | None]:
    return ranges[number // BUNDLES_A_TASK].roots[number % BUNDLES_A_TASK]


def _told_positions(number: int, positions: Sequence[int]) -> str:
    shown = ", ".join(str(number * TILE_WIDTH + position) for position in positions[:5])
    return f"entry {shown}" + (f" and {len(positions) - 5} more" if len(positions) > 5 else "")


def _compare_upper(folder: LogFolder, view: _View, notes: _Notes) -> None:
    for level, hashes in enumerate(_upper_levels(view), start=1):
        for number in range(-(-len(hashes) // TILE_WIDTH)):
            ours = hashes[number * TILE_WIDTH : (number + 1) * TILE_WIDTH]
            path = tile_path(level=level, number=number, width=len(ours))
            problem = _problem_with(folder, path, b"".join(ours), level=level, number=number)
            if problem:
                notes.find(path, problem)


def _problem_with(folder: LogFolder, path: str, ours: bytes, *, level: int, number: int) -> str | None:
    try:
        data = folder.find(path)
        if data is None:
            # A writer may fill a tile, and remove its unfinished forms, while we read.
            data = folder.read(tile_path(level=level, number=number, width=TILE_WIDTH))[: len(ours)]
    except LogReadError as error:
        return error.problem
    return None if data == ours else "altered: not the hashes of the tiles below it"


def _check_holds(folder: LogFolder, checkpoint: Checkpoint, known: Checkpoint, notes: _Notes) -> None:
    held = TreeReader(folder.find, checkpoint.size).root(0, known.size)
    if held != known.root:
        notes.find(
            CHECKPOINT,
            f"a split view: {known.size} entries were signed with root {known.root.hex()}, here they have {held.hex()}",
        )


def _check_left_overs(folder: LogFolder, size: int, notes: _Notes) -> None:
    """Look at each file that the checkpoint does not need: an older, unfinished form must still be a true one."""
    bad = {each.path for each in notes.findings}
    for path in _walk(folder.root):
        if path == CHECKPOINT:
            continue
        stored = _stored(path)
        if path.startswith(INCOMING + "/"):
            notes.notice(path, "left by an interruption; the next append removes it")
        elif stored is None:
            notes.notice(path, "not part of the log")
        else:
            _check_left_over(folder, size, stored, bad, notes)


@dataclass(frozen=True)
class _Stored:
    """What a path says of a file: kind is a level in digits, or "entries"."""

    kind: str
    number: int
    width: int

    @property
    def path(self) -> str:
        if self.kind == "entries":
            return entries_path(number=self.number, width=self.width)
        return tile_path(level=int(self.kind), number=self.number, width=self.width)


def _stored(path: str) -> _Stored | None:
    match = STORED.match(path)
    if match is None:
        return None
    number, width = int(match[2].replace("x", "").replace("/", "")), int(match[3] or TILE_WIDTH)
    stored = _Stored(match[1], number, width)
    return stored if stored.path == path and width <= TILE_WIDTH else None


def _check_left_over(folder: LogFolder, size: int, stored: _Stored, bad: set[str], notes: _Notes) -> None:
    level = 0 if stored.kind == "entries" else int(stored.kind)
    needed = min(TILE_WIDTH, (size >> (TILE_HEIGHT * level)) - TILE_WIDTH * stored.number)
    if stored.width > needed:
        notes.notice(stored.path, "beyond the checkpoint: left by an interrupted append")
    elif stored.width < needed and replace(stored, width=needed).path not in bad:
        try:
            # A bundle is compared in its packed form, which begins as its older forms do.
            whole = _packed(TreeReader(folder.find, size), stored)
            if not whole.startswith(folder.read(stored.path)):
                notes.find(stored.path, "altered: an older, unfinished form that the log does not continue")
        except LogReadError as error:
            notes.notice(stored.path, f"an older, unfinished form: {error.problem}")


def _packed(tree: TreeReader, stored: _Stored) -> bytes:
    if stored.kind == "entries":
        return pack_entries(tree.bundle(stored.number))
    return pack_tile(tree.tile(int(stored.kind), stored.number))


def _walk(root: Path) -> Iterator[str]:
    for folder, _, files in os.walk(root):
        for name in files:
            yield (Path(folder) / name).relative_to(root).as_posix()

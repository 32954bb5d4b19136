"""The custody log on disk: a tiled log with signed checkpoints.

Layout, for a log of 300 entries:
    checkpoint  tile/0/000  tile/0/001.p/44  tile/1/000.p/1  tile/entries/000  tile/entries/001.p/44

An append makes its entries and tiles durable, then replaces the last checkpoint in the checkpoint store, then
publishes the checkpoint file. Killed anywhere, the same append again gives the same files: whoever calls keeps the
entries and their indices until they are published.

Source: c2sp.org/tlog-tiles v0.1.0; RFC 6962; the operating rules of the Sunlight and Tessera logs.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from plainview.formats.checkpoint import Checkpoint, parse_checkpoint
from plainview.formats.errors import FormatError
from plainview.formats.merkle import EMPTY_ROOT
from plainview.formats.note import parse_note
from plainview.formats.proof import LogProof
from plainview.formats.tiles import TILE_WIDTH, entries_path, tile_path
from plainview.vault.log_errors import (
    CheckpointAheadError,
    EntriesDifferError,
    LogReadError,
    LostCheckpointStoreError,
    RollbackRefusedError,
    SplitViewError,
)
from plainview.vault.log_files import CHECKPOINT, LogFolder
from plainview.vault.log_keys import open_checkpoint, sign_checkpoint
from plainview.vault.log_tree import TILE_HEIGHT, Edge, TreeReader, grow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from plainview.formats.note import VerifierKey
    from plainview.vault.checkpoint_store import CheckpointStore


class TiledLog:
    """One log in one folder: one writer at a time, any number of readers.

    A reader sees what was published when it asked. Nothing is verified in reading: a proof is checked by whoever
    is shown it, the whole log by audit.audit_log.
    """

    def __init__(self, root: Path, *, origin: str) -> None:
        """Name the log; no file is touched.

        Args:
            root: the log's folder; made by the first append.
            origin: the log's name, `<name>/custody/<epoch>`.
        """
        self.root = root
        self.origin = origin
        self._folder = LogFolder(root)

    def append(
        self,
        entries: Sequence[bytes],
        *,
        sign: Callable[[bytes], bytes],
        key: VerifierKey,
        checkpoints: CheckpointStore,
        start: int | None = None,
    ) -> Checkpoint:
        """Add entries at the end, sign the new checkpoint and publish it; all durable on return.

        Args:
            entries: custody leaves in order, 1 to 65,535 bytes each; none publishes what an interruption left.
            sign: given a note text, returns an Ed25519 signature, 64 bytes.
            key: the public half of what `sign` signs with.
            checkpoints: the last signed checkpoint of each log.
            start: the index that the first entry must get, or None for whatever comes next. Entries that the log
                already holds are compared, not added again: that is how an interrupted append is repeated.

        Returns:
            The checkpoint that covers the entries.

        Raises:
            ContradictionError: what is on disk does not continue what was last signed; see check_continues.
            EntriesDifferError: from `start` on the log holds other entries, or `start` is past its end.
            LogBusyError: another process is appending.
            CheckpointMovedError: another writer, on another copy of the folder, was first.
            CheckpointSignatureError: `sign` and `key` do not belong together, or the key is another log's.
            LogWriteError: the disk is full or failed.
            FormatError: an entry is empty or too long.

        Source: c2sp.org/tlog-tiles v0.1.0.
        """
        with self._folder.locked():
            self._begin(sign=sign, key=key, checkpoints=checkpoints)
            known, note, edge = self._check(checkpoints, key=key, database_size=None)
            fresh = self._not_yet_held(entries, start, edge.size)
            if fresh:
                files, grown = grow(edge, fresh)
                self._folder.write(files)
                new = Checkpoint(origin=self.origin, size=grown.size, root=grown.root())
                note = sign_checkpoint(new, sign=sign, key=key)
                checkpoints.replace(self.origin, expected=known, new=new, note=note)
                known = new
            self._publish(known, note)
            self._remove_filled(edge.size, known.size)
        return known

    def begin(
        self, *, sign: Callable[[bytes], bytes], key: VerifierKey, checkpoints: CheckpointStore
    ) -> None:
        """Sign the log of no entries, once; from then on a missing record of the last signature is a loss.

        The first append does this too; calling it when the key is made closes the gap between the two.

        Args:
            sign: given a note text, returns an Ed25519 signature, 64 bytes.
            key: the public half of what `sign` signs with.
            checkpoints: the last signed checkpoint of each log.

        Raises:
            LostCheckpointStoreError: the folder holds a log already, and the record of its last signature is gone.
            LogError: as append.
        """
        with self._folder.locked():
            self._begin(sign=sign, key=key, checkpoints=checkpoints)
            self._check(checkpoints, key=key, database_size=None)

    def _begin(
        self, *, sign: Callable[[bytes], bytes], key: VerifierKey, checkpoints: CheckpointStore
    ) -> None:
        if checkpoints.last(self.origin) is None and not self._folder.holds_log():
            empty = Checkpoint(self.origin, 0, EMPTY_ROOT)
            note = sign_checkpoint(empty, sign=sign, key=key)
            checkpoints.replace(self.origin, expected=None, new=empty, note=note)

    def check_continues(
        self, checkpoints: CheckpointStore, *, key: VerifierKey, database_size: int | None = None
    ) -> Checkpoint:
        """Check that signing the next checkpoint cannot contradict the last one.

        Args:
            checkpoints: the last signed checkpoint of each log.
            key: the log's public key.
            database_size: how many entries the caller's database has given an index, or None not to ask.

        Returns:
            The last signed checkpoint.

        Raises:
            RollbackRefusedError: the tiles or the database hold fewer entries than were signed, or others.
            LostCheckpointStoreError: there is no record of the last signature; a new log must begin first.
            CheckpointAheadError: the published checkpoint is newer than that record.
            SplitViewError: the published checkpoint contradicts that record.
            CheckpointSignatureError: one of the two was not signed by this key.
            CheckpointStoreError: the record cannot be read.

        Source: the operating rules of the Sunlight log: a restored backup must not sign.
        """
        known, _, _ = self._check(checkpoints, key=key, database_size=database_size)
        return known

    def recover(
        self, checkpoints: CheckpointStore, *, key: VerifierKey, database_size: int | None = None
    ) -> Checkpoint:
        """Publish the last signed checkpoint if an interruption came between; call it before the first append.

        Args:
            checkpoints: the last signed checkpoint of each log.
            key: the log's public key.
            database_size: how many entries the caller's database has given an index, or None not to ask.

        Returns:
            The last signed checkpoint: entries below its size are published, the rest are to be appended.

        Raises:
            LogError: as check_continues, or the log is busy or cannot be written.
        """
        with self._folder.locked():
            known, note, _ = self._check(checkpoints, key=key, database_size=database_size)
            self._publish(known, note)
        return known

    def _check(
        self, checkpoints: CheckpointStore, *, key: VerifierKey, database_size: int | None
    ) -> tuple[Checkpoint, str, Edge]:
        held, published = checkpoints.last(self.origin), self.published()
        if held is None:
            raise LostCheckpointStoreError(
                origin=self.origin, found_size=published[0].size if published else 0
            )
        known = open_checkpoint(held[1], keys=[key], origin=self.origin)
        if published:
            _check_published(known, open_checkpoint(published[1], keys=[key], origin=self.origin))
        edge = self._edge_at(known, published[0] if published else None)
        if database_size is not None and database_size < known.size:
            root = self._tree(known.size).root(0, database_size)
            raise RollbackRefusedError(
                known=known, found_size=database_size, found_root=root, where="database"
            )
        return known, held[1], edge

    def _edge_at(self, known: Checkpoint, published: Checkpoint | None) -> Edge:
        older = published or Checkpoint(self.origin, 0, EMPTY_ROOT)
        try:
            edge = self._tree(known.size).edge()
        except LogReadError as error:
            raise RollbackRefusedError(
                known=known, found_size=older.size, found_root=older.root, where="tiles"
            ) from error
        if edge.root() != known.root:
            raise RollbackRefusedError(
                known=known, found_size=known.size, found_root=edge.root(), where="tiles"
            )
        return edge

    def _not_yet_held(self, entries: Sequence[bytes], start: int | None, size: int) -> Sequence[bytes]:
        if start is None or start == size:
            return entries
        _check_range(0, start)
        if start > size:
            raise EntriesDifferError(size, f"the log ends here, the entries offered begin at {start}")
        held = list(islice(self._entries(start, size, self._tree(size)), len(entries)))
        for nth, (ours, theirs) in enumerate(zip(held, entries, strict=False)):
            if ours != theirs:
                raise EntriesDifferError(start + nth, "the log holds another entry than the one offered")
        return entries[len(held) :]

    def _publish(self, checkpoint: Checkpoint, note: str) -> None:
        # Nobody needs a log of no entries, and some verifiers do not know its root.
        if checkpoint.size and self._folder.find(CHECKPOINT) != note.encode():
            self._folder.write([(CHECKPOINT, note.encode())])

    def _remove_filled(self, old: int, new: int) -> None:
        """Remove the unfinished forms of tiles that are full now; one before, in case a kill left them."""
        for number in range(max(0, old // TILE_WIDTH - 1), new // TILE_WIDTH):
            self._folder.remove_folder(entries_path(number=number, width=TILE_WIDTH) + ".p")
        level = 0
        while new:
            for number in range(max(0, old // TILE_WIDTH - 1), new // TILE_WIDTH):
                self._folder.remove_folder(tile_path(level=level, number=number, width=TILE_WIDTH) + ".p")
            level, old, new = level + 1, old >> TILE_HEIGHT, new >> TILE_HEIGHT

    def published(self) -> tuple[Checkpoint, str] | None:
        """Return the published checkpoint and its signed note, or None; its signature is not checked.

        Raises:
            LogReadError: the file is unreadable, or not a checkpoint of this log.
        """
        data = self._folder.find(CHECKPOINT)
        if data is None:
            return None
        try:
            note = data.decode("utf-8")
            checkpoint = parse_checkpoint(parse_note(note).text)
        except (FormatError, UnicodeDecodeError) as error:
            raise LogReadError(CHECKPOINT, str(error)) from error
        if checkpoint.origin != self.origin:
            raise LogReadError(CHECKPOINT, f"expected {self.origin}, got {checkpoint.origin}")
        return checkpoint, note

    def size(self) -> int:
        """Return how many entries are published.

        Raises:
            LogReadError: as published.
        """
        published = self.published()
        return published[0].size if published else 0

    def root_at(self, size: int) -> bytes:
        """Return the root of the tree of the first `size` entries, 32 bytes.

        Raises:
            ValueError: more than are published.
            LogReadError: a tile is missing or malformed.

        Source: RFC 6962 section 2.1.
        """
        return self._published_tree(size).root(0, size)

    def entry(self, index: int) -> bytes:
        """Return one published entry.

        Raises:
            ValueError: the index is not published.
            LogReadError: the bundle is missing or malformed.
        """
        (entry,) = self.entries(index, index + 1)
        return entry

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Return the published entries from index start up to, not including, stop.

        Raises:
            ValueError: they are not all published, or stop comes before start.
            LogReadError: a bundle is missing or malformed.
        """
        _check_range(start, stop)
        return self._entries(start, stop, self._published_tree(stop))

    def _entries(self, start: int, stop: int, tree: TreeReader) -> Iterator[bytes]:
        for number in range(start // TILE_WIDTH, -(-stop // TILE_WIDTH)):
            first = number * TILE_WIDTH
            yield from tree.bundle(number)[max(0, start - first) : stop - first]

    def prove_inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """Return the siblings from an entry up to the root of the first `size` entries.

        Args:
            index: counted from 0, less than size.
            size: at most what is published.

        Returns:
            32 bytes each, the leaf's sibling first.

        Raises:
            ValueError: index or size is out of range.
            LogReadError: a tile is missing or malformed.

        Source: RFC 6962 section 2.1.1.
        """
        _check_range(index, size - 1)
        return self._published_tree(size).inclusion(index, size)

    def prove(self, index: int) -> LogProof:
        """Return the proof that an entry is in the log, under the published checkpoint.

        Raises:
            ValueError: the index is not published.
            LogReadError: a tile or the checkpoint is missing or malformed.

        Source: c2sp.org/tlog-proof.
        """
        published = self.published()
        if published is None or not 0 <= index < published[0].size:
            raise ValueError(f"entry {index} is not published; {self.size()} entries are")
        checkpoint, note = published
        path = self._tree(checkpoint.size).inclusion(index, checkpoint.size)
        return LogProof(index=index, path=path, note=note)

    def prove_consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """Return the hashes that show the first `new` entries continue the first `old`.

        Args:
            old: at least 1.
            new: at least old, at most what is published.

        Raises:
            ValueError: old or new is out of range.
            LogReadError: a tile is missing or malformed.

        Source: RFC 6962 section 2.1.2.
        """
        _check_range(1, old)
        _check_range(old, new)
        return self._published_tree(new).consistency(old, new)

    def _published_tree(self, size: int) -> TreeReader:
        published = self.size()
        if not 0 <= size <= published:
            raise ValueError(f"expected a size up to {published}, which is published, got {size}")
        return self._tree(published)

    def _tree(self, size: int) -> TreeReader:
        return TreeReader(self._folder.find, size)


def _check_published(known: Checkpoint, shown: Checkpoint) -> None:
    if shown.size > known.size:
        raise CheckpointAheadError(known=known, published=shown)
    if shown.size == known.size and shown.root != known.root:
        raise SplitViewError(known=known, offered=shown)


def _check_range(start: int, stop: int) -> None:
    if not 0 <= start <= stop:
        raise ValueError(f"expected 0 <= {start} <= {stop}")

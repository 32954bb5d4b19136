"""Give acts their place in the log and publish signed checkpoints.

Rows commit out of order, so an id is no order. An act may be given its index once no transaction that could still
add an earlier one is running: its transaction id lies below the snapshot's xmin. One sequencer at a time, held by an
advisory lock and, under it, by the log's own compare-and-swap.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, connection, transaction
from django.db.models import Max

from plainview.custody.entries import ENTRY_COLUMNS, entry_of
from plainview.custody.errors import LeafMissingError, LogNotStartedError
from plainview.custody.models import Epoch, Leaf, Restore
from plainview.formats.merkle import leaf_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from plainview.formats.checkpoint import Checkpoint
    from plainview.formats.note import VerifierKey
    from plainview.vault.checkpoint_store import CheckpointStore
    from plainview.vault.log import TiledLog

# Any number does that nothing else in this database locks; these are "plnvseqr" read as an integer.
SEQUENCER_LOCK = 0x706C6E7673657172
BATCH_ROWS = 25_000

# Acts up to here came with an older epoch or from a backup: their transaction ids order nothing now.
_FLOOR = """
SELECT greatest((SELECT coalesce(max(after_act_id), 0) FROM custody_restore),
                (SELECT coalesce(max(after_act_id), 0) FROM custody_epoch))
"""
_NEXT_INDEX = "SELECT coalesce(max(index) + 1, 0) FROM custody_leaf WHERE epoch_id = %(epoch)s"
_LAST_SEQUENCED = """
SELECT a.xid, a.id FROM custody_leaf l JOIN custody_act a ON a.id = l.act_id
WHERE l.epoch_id = %(epoch)s AND a.id > %(floor)s ORDER BY l.index DESC LIMIT 1
"""
_NEXT_ACTS = f"""
SELECT a.id, {ENTRY_COLUMNS} FROM custody_act a
WHERE a.id > %(floor)s AND a.xid < pg_snapshot_xmin(pg_current_snapshot())
  AND (a.xid, a.id) > (%(xid)s::text::xid8, %(id)s)
ORDER BY a.xid, a.id LIMIT %(limit)s
"""  # noqa: S608 - the only thing put in is a constant
_RESTORED_ACTS = f"""
SELECT a.id, {ENTRY_COLUMNS} FROM custody_act a LEFT JOIN custody_leaf l ON l.act_id = a.id
WHERE a.id <= %(floor)s AND l.act_id IS NULL ORDER BY a.xid, a.id LIMIT %(limit)s
"""  # noqa: S608 - the same
_LEAVES_FROM = f"""
SELECT l.index, {ENTRY_COLUMNS} FROM custody_leaf l JOIN custody_act a ON a.id = l.act_id
WHERE l.epoch_id = %(epoch)s AND l.index >= %(start)s ORDER BY l.index LIMIT %(limit)s
"""  # noqa: S608 - the same


@dataclass(frozen=True)
class EpochFacts:
    """One log: its number, its name for ever, its public key, and the last act before it."""

    epoch: int
    origin: str
    vkey: str
    after_act_id: int


@dataclass(frozen=True)
class LogSigner:
    """The one log that may grow, with what it needs to sign.

    Attributes:
        log: the files of the running epoch.
        key: its public key.
        sign: makes an Ed25519 signature, 64 bytes, over the bytes given.
        checkpoints: the last signed checkpoint, outside PostgreSQL and backups.
    """

    log: TiledLog
    key: VerifierKey
    sign: Callable[[bytes], bytes]
    checkpoints: CheckpointStore


@dataclass(frozen=True)
class Assigned:
    """Leaves that were given their indices, as they will stand in the log; they need not be read again to publish them.

    Attributes:
        first: the index of the first.
        entries: in order; none where nothing was waiting.
    """

    first: int
    entries: Sequence[bytes]


def start_epoch(*, epoch: int, origin: str, vkey: str, now: datetime) -> None:
    """Write the row of a new epoch; acts recorded from now on belong to it.

    The caller holds a transaction and records log.started or log.epoch in it.
    """
    Epoch.objects.create(epoch=epoch, origin=origin, vkey=vkey, started_at=now, after_act_id=_newest_act_id())


def mark_restored(*, now: datetime) -> None:
    """Note that every act so far came from a backup; the caller holds a transaction."""
    Restore.objects.create(at=now, after_act_id=_newest_act_id())


def _newest_act_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM custody_act")
        return int(cursor.fetchone()[0])


def running_epoch() -> EpochFacts:
    """Return the newest epoch.

    Raises:
        LogNotStartedError: there is none.
    """
    row = Epoch.objects.order_by("-epoch").first()
    if row is None:
        raise LogNotStartedError
    return EpochFacts(epoch=row.epoch, origin=row.origin, vkey=row.vkey, after_act_id=row.after_act_id)


def all_epochs() -> list[EpochFacts]:
    """Return every epoch, oldest first."""
    rows = Epoch.objects.order_by("epoch")
    return [EpochFacts(row.epoch, row.origin, row.vkey, row.after_act_id) for row in rows]


@contextmanager
def sequencing_paused() -> Iterator[None]:
    """Keep every other process from giving indices and publishing, so that log and rows can be compared or copied.

    Acts go on being recorded; what waits for a checkpoint waits until the end. The caller may publish.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [SEQUENCER_LOCK])
    try:
        yield
    finally:
        # A connection that broke has let go of it.
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [SEQUENCER_LOCK])


def publish_pending(signer: LogSigner) -> Checkpoint:
    """Give every finished act its index, write the log's files and publish a signed checkpoint over them.

    Returns:
        The checkpoint that covers every act whose transaction had ended when this began.

    Raises:
        LogNotStartedError: there is no log.
        LogError: database, files or checkpoint store are not those that were signed.
    """
    epoch = running_epoch()
    while True:
        fresh = _assign(epoch)
        checkpoint = _publish(epoch, signer, fresh)
        if len(fresh.entries) < BATCH_ROWS:
            return checkpoint


def assign_indices(epoch: EpochFacts) -> int:
    """Give at most BATCH_ROWS finished acts their indices.

    Returns:
        How many acts were given one.
    """
    return len(_assign(epoch).entries)


def _assign(epoch: EpochFacts) -> Assigned:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEQUENCER_LOCK])
        cursor.execute(_FLOOR)
        where = {"epoch": epoch.epoch, "floor": cursor.fetchone()[0], "limit": BATCH_ROWS}
        cursor.execute(_LAST_SEQUENCED, where)
        last_xid, last_id = cursor.fetchone() or ("0", 0)
        cursor.execute(_NEXT_ACTS, {**where, "xid": str(last_xid), "id": last_id})
        return _give_indices(cursor, epoch, cursor.fetchall())


def assign_restored(epoch: EpochFacts) -> int:
    """Give at most BATCH_ROWS acts that came from a backup without an index theirs; only while nothing else runs.

    Returns:
        How many acts were given one.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEQUENCER_LOCK])
        cursor.execute(_FLOOR)
        cursor.execute(_RESTORED_ACTS, {"floor": cursor.fetchone()[0], "limit": BATCH_ROWS})
        return len(_give_indices(cursor, epoch, cursor.fetchall()).entries)


def _give_indices(cursor: Any, epoch: EpochFacts, rows: Sequence[tuple[Any, ...]]) -> Assigned:
    cursor.execute(_NEXT_INDEX, {"epoch": epoch.epoch})
    first = int(cursor.fetchone()[0])
    entries = [entry_of(row[1:], index) for index, row in enumerate(rows, first)]
    with cursor.copy("COPY custody_leaf (act_id, epoch_id, index, hash) FROM STDIN") as copy:
        for index, (row, entry) in enumerate(zip(rows, entries, strict=True), first):
            copy.write_row((row[0], epoch.epoch, index, leaf_hash(entry)))
    return Assigned(first, entries)


def publish_assigned(epoch: EpochFacts, signer: LogSigner) -> Checkpoint:
    """Write the files of every assigned leaf that has none yet, and a signed checkpoint over all.

    Running it again after a crash at any point writes the same bytes.

    Raises:
        RollbackRefusedError: the files or the database hold fewer leaves than were signed.
        EntriesDifferError: the last leaf that was signed is not the database's.
        LeafMissingError: an index was given to no act.
        LogError: what else keeps the vault from signing; see vault.log.
    """
    return _publish(epoch, signer, Assigned(0, ()))


def _publish(epoch: EpochFacts, signer: LogSigner, fresh: Assigned) -> Checkpoint:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEQUENCER_LOCK])
        newest = Leaf.objects.filter(epoch_id=epoch.epoch).aggregate(index=Max("index"))["index"]
        known = 0 if newest is None else newest + 1
        checkpoint = signer.log.check_continues(signer.checkpoints, key=signer.key, database_size=known)
        while True:
            # From one before: the log compares that one, so another database's rows cannot follow on.
            start = max(0, checkpoint.size - 1)
            checkpoint = signer.log.append(
                _entries_to_publish(epoch, start, checkpoint.size, fresh),
                sign=signer.sign,
                key=signer.key,
                checkpoints=signer.checkpoints,
                start=start,
            )
            if checkpoint.size >= known:
                return checkpoint


def _entries_to_publish(epoch: EpochFacts, start: int, signed: int, fresh: Assigned) -> Sequence[bytes]:
    """Return the last entry that was signed and what follows it, at most a batch."""
    if fresh.entries and fresh.first == signed:
        return [*entries_from(epoch, start, limit=signed - start), *fresh.entries]
    return entries_from(epoch, start, limit=BATCH_ROWS + 1)


def entries_from(epoch: EpochFacts, start: int, *, limit: int | None = None) -> list[bytes]:
    """Return the leaves of an epoch from this index on, as they stand in the log.

    Raises:
        LeafMissingError: an index was given to no act.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LEAVES_FROM, {"epoch": epoch.epoch, "start": start, "limit": limit})
        rows = cursor.fetchall()
    for index, row in enumerate(rows, start):
        if row[0] != index:
            raise LeafMissingError(epoch.epoch, index)
    return [entry_of(row[1:], row[0]) for row in rows]

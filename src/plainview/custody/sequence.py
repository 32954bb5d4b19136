"""Give acts their place in the log and publish signed checkpoints.

Rows commit out of order, so an id is no order. An act may be given its index once no transaction that could still
add an earlier one is running: its transaction id lies below the snapshot's xmin. One sequencer at a time, held by an
advisory lock and, under it, by the log's own compare-and-swap.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.db.models import Max

from plainview.custody.errors import LogNotStartedError
from plainview.custody.models import Epoch, Leaf
from plainview.formats.leaf import CustodyLeaf, format_leaf
from plainview.formats.merkle import leaf_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from plainview.formats.checkpoint import Checkpoint
    from plainview.formats.note import VerifierKey
    from plainview.vault.checkpoint_store import CheckpointStore
    from plainview.vault.log import TiledLog

# Any number does that nothing else in this database locks; these are "plnvseqr" read as an integer.
SEQUENCER_LOCK = 0x706C6E7673657172
BATCH_ROWS = 25_000

_ACT_COLUMNS = "a.id, a.at, a.act, a.object, a.actor, a.outcome, a.why, a.facts, a.session, a.detail"
_LAST_SEQUENCED = """
SELECT l.index, a.xid, a.id FROM custody_leaf l JOIN custody_act a ON a.id = l.act_id
WHERE l.epoch_id = %(epoch)s ORDER BY l.index DESC LIMIT 1
"""
_NEXT_ACTS = f"""
SELECT {_ACT_COLUMNS} FROM custody_act a
WHERE a.id > %(floor)s AND a.xid < pg_snapshot_xmin(pg_current_snapshot())
  AND (a.xid, a.id) > (%(xid)s::text::xid8, %(id)s)
ORDER BY a.xid, a.id LIMIT %(limit)s
"""  # noqa: S608 - the only thing put in is a constant
_LEAVES_FROM = f"""
SELECT {_ACT_COLUMNS}, l.index FROM custody_leaf l JOIN custody_act a ON a.id = l.act_id
WHERE l.epoch_id = %(epoch)s AND l.index >= %(start)s ORDER BY l.index LIMIT %(limit)s
"""  # noqa: S608 - the same


@dataclass(frozen=True)
class LogSigner:
    """The one log that may grow, with what it needs to sign.

    Attributes:
        log: the files of the running epoch.
        key: its public key.
        sign: makes an Ed25519 signature, 64 bytes, over the bytes given.
        checkpoints: the last signed checkpoint, outside PostgreSQL and backups.
        was_signed: says whether this log ever signed; kept apart from the checkpoint store.
        mark_signed: remembers that it did.
    """

    log: TiledLog
    key: VerifierKey
    sign: Callable[[bytes], bytes]
    checkpoints: CheckpointStore
    was_signed: Callable[[], bool]
    mark_signed: Callable[[], None]


def start_epoch(*, epoch: int, origin: str, vkey: str, now: datetime) -> None:
    """Write the row of a new epoch; acts recorded from now on belong to it.

    The caller holds a transaction and records log.started or log.epoch in it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM custody_act")
        after = int(cursor.fetchone()[0])
    Epoch.objects.create(epoch=epoch, origin=origin, vkey=vkey, started_at=now, after_act_id=after)


def running_epoch() -> Epoch:
    """Return the newest epoch.

    Raises:
        LogNotStartedError: there is none.
    """
    epoch = Epoch.objects.order_by("-epoch").first()
    if epoch is None:
        raise LogNotStartedError
    return epoch


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
        assigned = assign_indices(epoch)
        checkpoint = publish_assigned(epoch, signer)
        if assigned < BATCH_ROWS:
            return checkpoint


def assign_indices(epoch: Epoch) -> int:
    """Give at most BATCH_ROWS finished acts their indices.

    Returns:
        How many acts were given one.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEQUENCER_LOCK])
        cursor.execute(_LAST_SEQUENCED, {"epoch": epoch.epoch})
        last = cursor.fetchone() or (-1, "0", 0)
        cursor.execute(
            _NEXT_ACTS,
            {"floor": epoch.after_act_id, "xid": str(last[1]), "id": last[2], "limit": BATCH_ROWS},
        )
        rows = cursor.fetchall()
        entries = [_entry(row, last[0] + 1 + place) for place, row in enumerate(rows)]
        with cursor.copy("COPY custody_leaf (act_id, epoch_id, index, hash) FROM STDIN") as copy:
            for place, (row, entry) in enumerate(zip(rows, entries, strict=True)):
                copy.write_row((row[0], epoch.epoch, last[0] + 1 + place, leaf_hash(entry)))
    return len(rows)


def publish_assigned(epoch: Epoch, signer: LogSigner) -> Checkpoint:
    """Write the files of every assigned leaf that has none yet, and a signed checkpoint over all.

    Running it again after a crash at any point writes the same bytes.

    Raises:
        RollbackRefusedError: the files or the database hold fewer leaves than were signed.
        EntriesDifferError: the last leaf that was signed is not the database's.
        LogError: what else keeps the vault from signing; see vault.log.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEQUENCER_LOCK])
        newest = Leaf.objects.filter(epoch=epoch).aggregate(index=Max("index"))["index"]
        known = 0 if newest is None else newest + 1
        # Before its first signature a log may be half begun; afterwards a lost checkpoint store is refused.
        last = signer.log.check_continues(
            signer.checkpoints, key=signer.key, database_size=known if signer.was_signed() else None
        )
        # From one before: the log compares that one, so another database's rows cannot follow on.
        start = max(0, last.size - 1)
        checkpoint = signer.log.append(
            entries_from(epoch, start),
            sign=signer.sign,
            key=signer.key,
            checkpoints=signer.checkpoints,
            start=start,
        )
    signer.mark_signed()
    return checkpoint


def entries_from(epoch: Epoch, start: int, *, limit: int | None = None) -> Sequence[bytes]:
    """Return the leaves of an epoch from this index on, as they stand in the log."""
    with connection.cursor() as cursor:
        cursor.execute(_LEAVES_FROM, {"epoch": epoch.epoch, "start": start, "limit": limit})
        return [_entry(row, row[10]) for row in cursor.fetchall()]


def _entry(row: tuple[Any, ...], index: int) -> bytes:
    return format_leaf(
        CustodyLeaf(
            seq=index,
            at=row[1],
            act=row[2],
            object=row[3],
            actor=row[4],
            outcome=row[5],
            why=row[6],
            # Django leaves jsonb of a bare cursor as text.
            facts=json.loads(row[7]),
            session=row[8],
            detail=row[9],
        )
    )

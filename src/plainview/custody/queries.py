"""Read the custody log's rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection
from django.db.models import Max

from plainview.custody.models import Act, Leaf
from plainview.formats.leaf import CustodyLeaf, format_leaf
from plainview.formats.merkle import TreeHasher
from plainview.formats.times import parse_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

ROWS_AT_ONCE = 5_000
# The time as the leaf spells it: to read it and spell it here would take as long as all the rest.
_AT = """to_char(a.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
_ACT_COLUMNS = f"a.id, {_AT}, a.act, a.object, a.actor, a.outcome, a.why, a.facts, a.session, a.detail"
_PLACED = f"""
SELECT {_ACT_COLUMNS}, l.index, l.hash FROM custody_leaf l JOIN custody_act a ON a.id = l.act_id
WHERE l.epoch_id = %s ORDER BY l.index
"""  # noqa: S608 - the only thing put in is a constant
# An act waits rightly if the sequencer will still come to it; see custody.sequence.
_UNPLACED = f"""
WITH floor AS (SELECT greatest((SELECT coalesce(max(after_act_id), 0) FROM custody_restore),
                               (SELECT coalesce(max(after_act_id), 0) FROM custody_epoch)) AS id),
     last AS (SELECT a.xid, a.id FROM custody_leaf l JOIN custody_act a ON a.id = l.act_id, floor
              WHERE a.id > floor.id ORDER BY l.epoch_id DESC, l.index DESC LIMIT 1)
SELECT {_ACT_COLUMNS},
       a.id > floor.id AND coalesce((SELECT (a.xid, a.id) > (last.xid, last.id) FROM last), true)
FROM custody_act a CROSS JOIN floor
WHERE NOT EXISTS (SELECT FROM custody_leaf l WHERE l.act_id = a.id) ORDER BY a.id
"""  # noqa: S608 - the same
_WORDS = """
SELECT a.id, a.session, a.detail, w.session_salt, w.session, w.detail_salt, w.detail
FROM custody_words w JOIN custody_act a ON a.id = w.act_id ORDER BY a.id
"""


# More acts than this are not done in the time after which a log counts as stale.
NEWEST_ACTS = 20_000
_WAITS_SINCE = """
SELECT min(a.at) FROM custody_act a LEFT JOIN custody_leaf l ON l.act_id = a.id
WHERE a.id > (SELECT coalesce(max(id), 0) FROM custody_act) - %(newest)s
  AND (l.act_id IS NULL
       OR (l.epoch_id = (SELECT max(epoch) FROM custody_epoch) AND l.index >= %(size)s))
"""


@dataclass(frozen=True)
class LoggedAct:
    """An act that has its place in the log, with the words behind its detail where they still exist.

    Attributes:
        epoch: the log it is in.
        index: its place there.
        act: what was done, a key of formats.leaf.ACTS.
        object: what it was done to.
        salt: 32 bytes, or None where there is no detail or its words were destroyed.
        detail: the words, or None.
    """

    epoch: int
    index: int
    act: str
    object: str
    salt: bytes | None
    detail: dict[str, Any] | None


def logged_acts(objects: Iterable[str]) -> list[LoggedAct]:
    """Return every act on these objects that is in the log, in log order."""
    leaves = (
        Leaf.objects.filter(act__object__in=list(objects))
        .select_related("act", "act__words")
        .order_by("epoch", "index")
    )
    return [_logged(leaf) for leaf in leaves]


def logged_act(act_id: int) -> LoggedAct:
    """Return the act with this row id, which has been published.

    Raises:
        Leaf.DoesNotExist: it has no place in the log yet.
    """
    return _logged(Leaf.objects.select_related("act", "act__words").get(act_id=act_id))


class StoredAct(NamedTuple):
    """An act's row, as it would stand in the log; the time is spelled as there, facts as the database does."""

    act_id: int
    at: str
    act: str
    object: str
    actor: str
    outcome: str
    why: str | None
    facts: str
    session: str | None
    detail: str | None

    def entry(self, index: int) -> bytes:
        """Return the leaf that this row makes at an index.

        Raises:
            FormatError: it makes none; the row was altered.
        """
        at, facts = parse_at(self.at), json.loads(self.facts)
        return format_leaf(
            CustodyLeaf(index, at, *self[2:7], facts, session=self.session, detail=self.detail)
        )


class PlacedAct(NamedTuple):
    """An act with its index, and the hash of its leaf as the database has it."""

    act: StoredAct
    at_index: int
    hash: bytes


class UnplacedAct(NamedTuple):
    """An act without an index, and whether the next publication gives it one."""

    act: StoredAct
    is_waiting: bool


class KeptWords(NamedTuple):
    """The words behind an act's commitments, each with its salt; and the commitments."""

    act_id: int
    session_commitment: str | None
    detail_commitment: str | None
    session_salt: bytes | None
    session: dict[str, Any] | None
    detail_salt: bytes | None
    detail: dict[str, Any] | None


def placed_acts(epoch: int) -> Iterator[PlacedAct]:
    """Yield every act of an epoch in log order; the caller holds a transaction, for the cursor lives in it."""
    for row in _streamed(_PLACED, [epoch]):
        yield PlacedAct(StoredAct._make(row[:10]), row[10], bytes(row[11]))


def unplaced_acts() -> Iterator[UnplacedAct]:
    """Yield every act without an index, oldest first; the caller holds a transaction."""
    for row in _streamed(_UNPLACED, []):
        yield UnplacedAct(StoredAct._make(row[:10]), row[10])


def kept_words() -> Iterator[KeptWords]:
    """Yield the words that still exist, by act; the caller holds a transaction."""
    for row in _streamed(_WORDS, []):
        act_id, session_commitment, detail_commitment, session_salt, session, detail_salt, detail = row
        yield KeptWords(
            act_id,
            session_commitment,
            detail_commitment,
            None if session_salt is None else bytes(session_salt),
            None if session is None else json.loads(session),
            None if detail_salt is None else bytes(detail_salt),
            None if detail is None else json.loads(detail),
        )


def _streamed(query: str, arguments: list[Any]) -> Iterator[tuple[Any, ...]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(query, arguments)
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            yield from rows


def continued_logs() -> dict[str, dict[str, Any]]:
    """Return, for the origin of each log that a later one continues, what that one says of it."""
    facts = Act.objects.filter(act="log.epoch").order_by("pk").values_list("facts", flat=True)
    return {str(each["old_origin"]): each for each in facts if "old_origin" in each}


def leaf_count(epoch: int) -> int:
    """Return how many indices of an epoch were given away."""
    newest = Leaf.objects.filter(epoch_id=epoch).aggregate(index=Max("index"))["index"]
    return 0 if newest is None else int(newest) + 1


def leaf_root(epoch: int, size: int) -> bytes | None:
    """Return the root over an epoch's first leaves as the database has their hashes; None if some are missing."""
    tree = TreeHasher()
    rows = Leaf.objects.filter(epoch_id=epoch, index__lt=size).order_by("index")
    for digest in rows.values_list("hash", flat=True).iterator(chunk_size=ROWS_AT_ONCE):
        tree.append(bytes(digest))
    return tree.root() if tree.size == size else None


def count_unsequenced() -> int:
    """Return how many acts have no place in the log yet."""
    return Act.objects.filter(leaf__isnull=True).count()


def waits_since(*, size: int) -> datetime | None:
    """Return when the oldest act was done that the published log does not cover yet; None where it covers all.

    Only the newest acts are looked at, so that it may be asked often.

    Args:
        size: of the running epoch's log, as published.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WAITS_SINCE, {"size": size, "newest": NEWEST_ACTS})
        found: datetime | None = cursor.fetchone()[0]
    return found


def _logged(leaf: Leaf) -> LoggedAct:
    words = getattr(leaf.act, "words", None)
    return LoggedAct(
        epoch=leaf.epoch_id,
        index=leaf.index,
        act=leaf.act.act,
        object=leaf.act.object,
        salt=None if words is None or words.detail_salt is None else bytes(words.detail_salt),
        detail=None if words is None else words.detail,
    )

"""Write an act in the transaction of its effect."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection

from plainview.custody.errors import OutsideTransactionError
from plainview.formats.canonical import MAX_INTEGER, canonical_json
from plainview.formats.errors import FormatError
from plainview.formats.leaf import SALT_BYTES, CustodyLeaf, Fact, commitment, format_leaf

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

# One statement, one round trip: an act must cost little more than a bare insert.
_INSERT_ACT = """
INSERT INTO custody_act (at, act, object, actor, outcome, why, facts, session, detail)
VALUES (%(at)s, %(act)s, %(object)s, %(actor)s, %(outcome)s, %(why)s, %(facts)s::jsonb, %(session)s, %(detail)s)
RETURNING id
"""
_INSERT_ACT_WITH_WORDS = f"""
WITH act AS ({_INSERT_ACT})
INSERT INTO custody_words (act_id, session_salt, session, detail_salt, detail)
SELECT id, %(session_salt)s, %(session_words)s::jsonb, %(detail_salt)s, %(detail_words)s::jsonb FROM act
RETURNING act_id
"""  # noqa: S608 - the only thing put in is a constant


@dataclass(frozen=True)
class Actor:
    """Who acts, as the log may know them.

    Attributes:
        pseudonym: user:<16 hex digits> or system:<part>.
        session: address, session id, factors; kept behind a commitment; None for the system's own acts.
    """

    pseudonym: str
    session: Mapping[str, Any] | None = None


def record(
    act: str,
    *,
    object: str,  # noqa: A002 - the leaf's own word
    actor: Actor,
    now: datetime,
    facts: Mapping[str, Fact] | None = None,
    detail: Mapping[str, Any] | None = None,
    outcome: str = "ok",
    why: str | None = None,
) -> int:
    """Write one act. It commits or vanishes with the caller's transaction; the sequencer gives it its index.

    Args:
        act: a key of formats.leaf.ACTS.
        object: what it was done to: an identifier, or kind:id; never a name.
        actor: who did it.
        now: when; aware.
        facts: what anyone may read: digests, sizes, indices.
        detail: what could name a person; only its commitment enters the log.
        outcome: ok, denied or error.
        why: a reason code.

    Returns:
        The act's row id.

    Raises:
        OutsideTransactionError: the caller holds no transaction.
        FormatError: the act would not make a leaf, or its words hold what the database cannot keep.
    """
    if not connection.in_atomic_block:
        raise OutsideTransactionError(act)
    row = _row(act, object, actor, now, facts, detail, outcome, why)
    has_words = actor.session is not None or detail is not None
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_ACT_WITH_WORDS if has_words else _INSERT_ACT, row)
        return int(cursor.fetchone()[0])


def _row(  # noqa: PLR0917 - record's own arguments, once more
    act: str,
    object_: str,
    actor: Actor,
    now: datetime,
    facts: Mapping[str, Fact] | None,
    detail: Mapping[str, Any] | None,
    outcome: str,
    why: str | None,
) -> dict[str, Any]:
    session_salt, session = _commit(actor.session)
    detail_salt, detail_commitment = _commit(detail)
    leaf = CustodyLeaf(
        # The longest index: a leaf that fits under it fits under any.
        seq=MAX_INTEGER,
        at=now,
        act=act,
        object=object_,
        actor=actor.pseudonym,
        outcome=outcome,
        why=why,
        facts=facts or {},
        session=session,
        detail=detail_commitment,
    )
    # The sequencer must never meet a row it cannot write: refuse it here, before it is committed.
    format_leaf(leaf)
    return {
        "at": now,
        "act": act,
        "object": object_,
        "actor": actor.pseudonym,
        "outcome": outcome,
        "why": why,
        "facts": canonical_json(dict(facts or {})).decode(),
        "session": session,
        "detail": detail_commitment,
        "session_salt": session_salt,
        "session_words": _words(actor.session),
        "detail_salt": detail_salt,
        "detail_words": _words(detail),
    }


def _commit(words: Mapping[str, Any] | None) -> tuple[bytes | None, str | None]:
    if words is None:
        return None, None
    salt = os.urandom(SALT_BYTES)
    return salt, commitment(salt=salt, words=dict(words))


def _words(words: Mapping[str, Any] | None) -> str | None:
    if words is None:
        return None
    text = canonical_json(dict(words)).decode()
    # Without escaped backslashes, what is left of this spelling is the character itself.
    if "\\u0000" in text.replace("\\\\", ""):
        raise FormatError("words", "they hold a zero character, which the database cannot keep")
    return text

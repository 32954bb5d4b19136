"""Write the log's entries from rows of acts, quickly: every act passes here once on its way into the log."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from plainview.formats.leaf import ACTS, CustodyLeaf, format_leaf

if TYPE_CHECKING:
    from collections.abc import Sequence

# What entry_of reads of a row, in this order. Milliseconds, as the leaf has them: Django's way of reading a time, and
# only that, would take as long as all the rest.
ENTRY_COLUMNS = (
    "floor(extract(epoch FROM a.at) * 1000)::bigint, "
    "a.act, a.object, a.actor, a.outcome, a.why, a.facts, a.session, a.detail"
)

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - it is only counted from; the zone is written out
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
_INTEGER = r"-?(?:0|[1-9][0-9]{0,14})"
_TEXT = r'"[ !#-\[\]-~]{0,500}"'
_HASH = r'(?:null|"[0-9a-f]{64}")'
_FACT = rf'"[a-z][a-z0-9_]{{0,63}}":(?:{_INTEGER}|{_TEXT})'
# Nearly every leaf, as formats.leaf writes it: plain ASCII, nothing escaped. What does not match is written, or
# refused, by format_leaf; test_entries.py holds the two to the same bytes.
_PLAIN_LEAF = re.compile(
    r'\{"act":"[a-z._]{1,64}",'
    r'"actor":"(?:user:[0-9a-f]{16}|system:[a-z-]{1,32})",'
    r'"at":"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z",'
    rf'"detail":{_HASH},'
    rf'"facts":\{{(?:{_FACT}(?:,{_FACT})*)?\}},'
    r'"object":"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,127}",'
    r'"outcome":"(?:ok|denied|error)",'
    rf'"seq":{_INTEGER},'
    rf'"session":{_HASH},'
    r'"v":1,'
    r'"why":(?:null|"[a-z][a-z0-9_]{0,63}")\}'
)
_PLAIN_LIMIT_CHARACTERS = 60_000


def entry_of(row: Sequence[Any], index: int) -> bytes:
    """Return the entry that a row of an act makes at an index of the log.

    Args:
        row: ENTRY_COLUMNS; facts as JSON text.
        index: counted from 0.

    Raises:
        FormatError: the row makes no leaf; record() did not write it.
    """
    at_ms, act, object_, actor, outcome, why, facts_text, session, detail = row
    at = _EPOCH + timedelta(milliseconds=at_ms)
    facts = json.loads(facts_text)
    text = _ENCODE(
        {
            "v": 1,
            "seq": index,
            "at": at.isoformat(timespec="milliseconds") + "Z",
            "act": act,
            "object": object_,
            "actor": actor,
            "outcome": outcome,
            "why": why,
            "facts": facts,
            "session": session,
            "detail": detail,
        }
    )
    if act in ACTS and len(text) <= _PLAIN_LIMIT_CHARACTERS and _PLAIN_LEAF.fullmatch(text) is not None:
        return text.encode("ascii")
    at = at.replace(tzinfo=UTC)
    return format_leaf(
        CustodyLeaf(index, at, act, object_, actor, outcome, why, facts, session=session, detail=detail)
    )

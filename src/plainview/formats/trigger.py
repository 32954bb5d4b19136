"""Trigger messages: what a light bar, a holster or a camera close by says to make cameras record.

Example (a signed note; c2sp.org/signed-note):
    {"at":"2026-03-15T06:51:40.120Z","id":"5f1c0e7a9b3d2c48","kind":"plainview-trigger","sender":"car.example.org/12A",
    "source":"light_bar","v":1}

    \u2014 car.example.org/12A gk1x...

Whoever hears one checks who signed it, that it is fresh by its own clock, and that it was not heard before; a false
one is refused, and both are on the record.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview.formats.canonical import canonical_json, parse_canonical_json
from plainview.formats.capture import TRIGGERS
from plainview.formats.errors import FormatError
from plainview.formats.fields import check_record, check_text
from plainview.formats.note import KEY_NAME
from plainview.formats.times import format_at, parse_at

if TYPE_CHECKING:
    from datetime import datetime

TRIGGER_LIMIT_BYTES = 1024
TRIGGER_KIND = "plainview-trigger"
# What may come over the air; the rest is the camera's own.
TRIGGER_SOURCES = tuple(source for source in TRIGGERS if source not in ("button", "function_check"))
_TRIGGER_ID = re.compile(r"[0-9a-f]{16}\Z", re.ASCII)


@dataclass(frozen=True)
class TriggerMessage:
    """A request to record.

    Attributes:
        sender: the name its key signs under.
        source: one of TRIGGER_SOURCES.
        at: by the sender's clock; aware UTC.
        identifier: 16 random hex digits, so that one that is heard twice counts once.
    """

    sender: str
    source: str
    at: datetime
    identifier: str


def format_trigger(message: TriggerMessage) -> str:
    """Write the note text of a message; sign it as a note under the sender's name.

    Raises:
        FormatError: a field that parse_trigger would refuse.
    """
    text = (
        canonical_json(
            {
                "v": 1,
                "kind": TRIGGER_KIND,
                "sender": message.sender,
                "source": message.source,
                "at": format_at(message.at),
                "id": message.identifier,
            }
        ).decode()
        + "\n"
    )
    parse_trigger(text)
    return text


def parse_trigger(text: str) -> TriggerMessage:
    """Read the note text of a message; nothing is verified here.

    Raises:
        FormatError: not what format_trigger writes.
    """
    what = "trigger message"
    if not text.endswith("\n"):
        raise FormatError(what, "expected a line that ends in a newline")
    value = parse_canonical_json(
        text[:-1].encode("utf-8", "surrogatepass"), what=what, limit_bytes=TRIGGER_LIMIT_BYTES
    )
    record = check_record(
        value, what=what, keys=frozenset({"v", "kind", "sender", "source", "at", "id"}), kind=TRIGGER_KIND
    )
    if check_text(record["source"], what=what, field="source") not in TRIGGER_SOURCES:
        raise FormatError(
            what, f"source: expected one of {', '.join(TRIGGER_SOURCES)}, got {record['source']!r:.40}"
        )
    return TriggerMessage(
        sender=check_text(record["sender"], what=what, field="sender", pattern=KEY_NAME),
        source=record["source"],
        at=parse_at(record["at"], what=what),
        identifier=check_text(record["id"], what=what, field="id", pattern=_TRIGGER_ID),
    )

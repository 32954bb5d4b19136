"""What a camera remembers from one switching-on to the next: its count, and how far each open journal has come.

`state.json` is written when the camera is switched on and when a journal is closed. While a journal is open, a file
beside it, `head.<stream>`, takes one line for each line of the journal, before the journal does:

    12 <root, 64 hex digits> <SHA-256 of the line as sealed, 64 hex digits> line

The camera cannot read what it has sealed. By these lines it knows, after a loss of power, which lines of its journal
are really there, and so what the next recording's `previous` must say. They hold no time and no place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from plainview.formats.canonical import canonical_json, parse_canonical_json
from plainview.formats.capture import STREAM_ID, PreviousJournal
from plainview.formats.errors import FormatError
from plainview.formats.fields import HEX_32_BYTES, check_count, check_record, check_text

STATE_LIMIT_BYTES = 65_536
HEAD_PREFIX = "head."
_STATE_KEYS = frozenset({"v", "boot", "counter", "previous", "unreported"})
_HEAD = re.compile(rb"([1-9][0-9]{0,15}) ([0-9a-f]{64}) ([0-9a-f]{64}) (line|stop)\n")


@dataclass(frozen=True)
class CameraState:
    """What a camera remembers.

    Attributes:
        boot: how often it has been switched on.
        counter: of the journal it began last; 0 before the first.
        previous: that journal, as far as it came; None before the first.
        unreported: journals that a loss of power ended, and that no later journal names yet.
    """

    boot: int = 0
    counter: int = 0
    previous: PreviousJournal | None = None
    unreported: tuple[PreviousJournal, ...] = ()


@dataclass(frozen=True)
class JournalHead:
    """How far a journal has come, as kept in the camera's home.

    Attributes:
        size: how many lines.
        root: of the tree over them, 64 hex digits.
        sealed_sha256: of the newest line as sealed, 64 hex digits.
        is_stop: whether that line closes the journal.
    """

    size: int
    root: str
    sealed_sha256: str
    is_stop: bool


def format_state(state: CameraState) -> bytes:
    """Write a state."""
    return canonical_json(
        {
            "v": 1,
            "boot": state.boot,
            "counter": state.counter,
            "previous": state.previous and _previous_record(state.previous),
            "unreported": [_previous_record(each) for each in state.unreported],
        }
    )


def _previous_record(previous: PreviousJournal) -> dict[str, Any]:
    return {"stream": previous.stream, "size": previous.size, "root": previous.root}


def parse_state(data: bytes) -> CameraState:
    """Read a state.

    Raises:
        FormatError: not what format_state writes.
    """
    what = "camera state"
    value = parse_canonical_json(data, what=what, limit_bytes=STATE_LIMIT_BYTES)
    record = check_record(value, what=what, keys=_STATE_KEYS)
    if type(record["unreported"]) is not list:
        raise FormatError(what, "unreported: expected a list")
    return CameraState(
        boot=check_count(record["boot"], what=what, field="boot"),
        counter=check_count(record["counter"], what=what, field="counter"),
        previous=None if record["previous"] is None else _parse_previous(record["previous"]),
        unreported=tuple(_parse_previous(each) for each in record["unreported"]),
    )


def _parse_previous(value: Any) -> PreviousJournal:
    what = "camera state"
    record = check_record(value, what=what, keys=frozenset({"stream", "size", "root"}))
    return PreviousJournal(
        stream=check_text(record["stream"], what=what, field="stream", pattern=STREAM_ID),
        size=check_count(record["size"], what=what, field="size", at_least=1),
        root=check_text(record["root"], what=what, field="root", pattern=HEX_32_BYTES),
    )


def format_head(head: JournalHead) -> bytes:
    """Write one line of a head file."""
    word = "stop" if head.is_stop else "line"
    return f"{head.size} {head.root} {head.sealed_sha256} {word}\n".encode()


def parse_heads(data: bytes) -> list[JournalHead]:
    """Read the lines of a head file, up to the first that a loss of power left torn."""
    heads: list[JournalHead] = []
    at = 0
    while match := _HEAD.match(data, at):
        size, root, sealed_sha256, word = (group.decode() for group in match.groups())
        if int(size) != len(heads) + 1:
            break
        heads.append(JournalHead(int(size), root, sealed_sha256, word == "stop"))
        at = match.end()
    return heads


def stream_counter(stream: str) -> int:
    """Return the counter in a stream's name.

    Raises:
        FormatError: not the name of a stream.
    """
    if STREAM_ID.match(stream) is None:
        raise FormatError("stream", f"expected a name such as 000042-9f2c41aa, got {stream[:40]!a}")
    return int(stream.partition("-")[0])

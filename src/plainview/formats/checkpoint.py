"""Checkpoints: what a log signs to say "this many entries, with this root".

Example (the note text; the signed form is in note.py):
    example.org/custody/1
    12
    qINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=

Source: c2sp.org/tlog-checkpoint v1.0.0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from plainview.formats.errors import FormatError
from plainview.formats.fields import decode_base64, encode_base64
from plainview.formats.merkle import EMPTY_ROOT
from plainview.formats.note import KEY_NAME

_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,15})\Z", re.ASCII)


@dataclass(frozen=True)
class Checkpoint:
    """The state of a log.

    Attributes:
        origin: the log's name, unique in the world and never reused.
        size: how many entries.
        root: SHA-256 root over them, 32 bytes.
    """

    origin: str
    size: int
    root: bytes


def format_checkpoint(checkpoint: Checkpoint) -> str:
    """Write the note text of a checkpoint; extension lines are never written.

    Raises:
        FormatError: an origin, size or root that parse_checkpoint would refuse.

    Source: c2sp.org/tlog-checkpoint, "Note text".
    """
    text = f"{checkpoint.origin}\n{checkpoint.size}\n{encode_base64(checkpoint.root)}\n"
    parse_checkpoint(text)
    return text


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the note text of a checkpoint.

    Raises:
        FormatError: not three lines, a malformed origin, size or root, or an empty log with another root.

    Source: c2sp.org/tlog-checkpoint, "Note text".
    """
    what = "checkpoint"
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] != "":
        raise FormatError(what, f"expected origin, size and root on three lines, got {len(lines) - 1}")
    if KEY_NAME.match(lines[0]) is None:
        raise FormatError(what, f"malformed origin {lines[0][:80]!a}")
    size = parse_decimal(lines[1], what=what)
    root = decode_base64(lines[2], what=what)
    if len(root) != 32:
        raise FormatError(what, f"expected a root of 32 bytes, got {len(root)}")
    if size == 0 and root != EMPTY_ROOT:
        raise FormatError(what, "a log without entries must have the empty root")
    return Checkpoint(origin=lines[0], size=size, root=root)


def parse_decimal(text: str, *, what: str) -> int:
    """Return a whole number without sign or leading zeros.

    Raises:
        FormatError: another spelling, or more than 16 digits.
    """
    if _DECIMAL.match(text) is None:
        raise FormatError(what, f"expected a whole number without leading zeros, got {text[:40]!a}")
    return int(text)

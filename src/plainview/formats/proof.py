"""Inclusion proofs as files: one entry, its path to the root, and the signed checkpoint.

Example:
    c2sp.org/tlog-proof@v1
    index 11
    PHbJjo6jpwKLlKzcxJ4HsWfVZtYhGAEZ7drnYVZB8pQ=

    example.org/custody/1
    12
    qINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=

    \u2014 example.org/custody/1 2ytEiPgHQ4...

Source: c2sp.org/tlog-proof (draft of July 2026).
"""

from __future__ import annotations

from dataclasses import dataclass

from plainview.formats.checkpoint import parse_checkpoint, parse_decimal
from plainview.formats.errors import FormatError
from plainview.formats.fields import decode_base64, encode_base64
from plainview.formats.note import NOTE_LIMIT_BYTES, parse_note

PROOF_HEADER = "c2sp.org/tlog-proof@v1"
# A path in a tree of 2**63 entries has at most 63 hashes.
MAX_PATH = 63


@dataclass(frozen=True)
class LogProof:
    """That an entry is in a log.

    Attributes:
        index: the entry's place, counted from 0.
        path: sibling hashes from the leaf upwards, 32 bytes each.
        note: the signed checkpoint, verbatim.
    """

    index: int
    path: tuple[bytes, ...]
    note: str


def format_proof(proof: LogProof) -> str:
    """Write a .tlog-proof file; the unauthenticated "extra" line is never written.

    Raises:
        FormatError: an index, path or checkpoint that parse_proof would refuse.

    Source: c2sp.org/tlog-proof.
    """
    path = "".join(encode_base64(sibling) + "\n" for sibling in proof.path)
    text = f"{PROOF_HEADER}\nindex {proof.index}\n{path}\n{proof.note}"
    parse_proof(text)
    return text


def parse_proof(text: str) -> LogProof:
    """Read a .tlog-proof file; nothing is verified here.

    Raises:
        FormatError: another header, an "extra" line, a malformed index or hash, no checkpoint or a malformed one,
            or an index that is not in a log of the checkpoint's size.

    Source: c2sp.org/tlog-proof.
    """
    what = "tlog-proof"
    if len(text) > NOTE_LIMIT_BYTES:
        raise FormatError(what, f"expected at most {NOTE_LIMIT_BYTES} characters, got {len(text)}")
    head, blank, note = text.partition("\n\n")
    lines = head.split("\n")
    if not blank or lines[0] != PROOF_HEADER:
        raise FormatError(
            what, f"expected {PROOF_HEADER}, a blank line and a checkpoint, got {lines[0][:60]!a}"
        )
    if len(lines) < 2 or not lines[1].startswith("index ") or len(lines) - 2 > MAX_PATH:
        raise FormatError(what, f"expected an index line and at most {MAX_PATH} hashes")
    path = tuple(decode_base64(line, what=what) for line in lines[2:])
    if any(len(sibling) != 32 for sibling in path):
        raise FormatError(what, "a hash is not 32 bytes long")
    proof = LogProof(index=parse_decimal(lines[1][6:], what=what), path=path, note=note)
    size = parse_checkpoint(parse_note(note).text).size
    if proof.index >= size:
        raise FormatError(what, f"index {proof.index} is not in a log of {size} entries")
    return proof

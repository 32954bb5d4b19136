r"""Receipts: a leaf, and the proof that it is in the log. Whoever handed something in keeps one.

Example:
    {"kind":"plainview-receipt","leaf":"{\\"act\\":\\"recording.received\\",...}","proof":"c2sp.org/tlog-proof@v1\\n...","v":1}
"""

from __future__ import annotations

from dataclasses import dataclass

from plainview.formats.canonical import canonical_json, parse_canonical_json
from plainview.formats.errors import FormatError
from plainview.formats.fields import check_record, check_text
from plainview.formats.leaf import CustodyLeaf, parse_leaf
from plainview.formats.proof import LogProof, format_proof, parse_proof

RECEIPT_LIMIT_BYTES = 1_200_000
RECEIPT_KIND = "plainview-receipt"


@dataclass(frozen=True)
class Receipt:
    """A leaf as it stands in the log, byte for byte, and its proof."""

    entry: bytes
    leaf: CustodyLeaf
    proof: LogProof


def make_receipt(entry: bytes, proof: LogProof) -> Receipt:
    """Put a leaf and its proof together.

    Raises:
        FormatError: the entry is not a custody leaf, or the proof is for another place in the log.
    """
    leaf = parse_leaf(entry)
    if leaf.seq != proof.index:
        raise FormatError("receipt", f"the leaf is number {leaf.seq}, its proof is for {proof.index}")
    return Receipt(entry=entry, leaf=leaf, proof=proof)


def format_receipt(receipt: Receipt) -> bytes:
    """Write a receipt made by make_receipt.

    Raises:
        FormatError: a proof that parse_proof would refuse.
    """
    return canonical_json(
        {
            "v": 1,
            "kind": RECEIPT_KIND,
            "leaf": receipt.entry.decode("utf-8"),
            "proof": format_proof(receipt.proof),
        }
    )


def parse_receipt(data: bytes) -> Receipt:
    """Read a receipt; nothing is verified here.

    Raises:
        FormatError: not canonical, its leaf or proof is malformed, or they do not belong together.
    """
    what = "receipt"
    record = check_record(
        parse_canonical_json(data, what=what, limit_bytes=RECEIPT_LIMIT_BYTES),
        what=what,
        kind=RECEIPT_KIND,
        keys=frozenset({"v", "kind", "leaf", "proof"}),
    )
    entry = check_text(record["leaf"], what=what, field="leaf").encode("utf-8")
    return make_receipt(entry, parse_proof(check_text(record["proof"], what=what, field="proof")))

"""Check that a leaf is in a log whose checkpoint a known key signed."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from plainview.formats.checkpoint import Checkpoint, parse_checkpoint
from plainview.formats.errors import FormatError
from plainview.formats.merkle import leaf_hash
from plainview.formats.note import parse_note
from plainview.formats.receipt import Receipt, parse_receipt
from plainview.verify.errors import VerificationError
from plainview.verify.inclusion import verify_inclusion
from plainview.verify.note import verify_checkpoint

if TYPE_CHECKING:
    from plainview.formats.policy import TrustPolicy
    from plainview.formats.proof import LogProof


def read_receipt(data: bytes) -> Receipt:
    """Read a receipt for checking.

    Raises:
        VerificationError: it is malformed.
    """
    try:
        return parse_receipt(data)
    except FormatError as error:
        raise VerificationError(error.what, error.problem) from error


def verify_receipt(receipt: Receipt, policy: TrustPolicy) -> Checkpoint:
    """Check that the receipt's leaf is in the log its checkpoint speaks for.

    Args:
        receipt: as read_receipt or parse_receipt returned it.
        policy: the keys that count.

    Returns:
        The checkpoint that covers the leaf.

    Raises:
        VerificationError: the proof does not fit the leaf, or the checkpoint does not fit the policy.
        SignerUnknownError: no key of the policy signed the checkpoint.

    Source: c2sp.org/tlog-proof, "Verification".
    """
    return verify_leaf(receipt.entry, receipt.leaf.seq, receipt.proof, policy)


def verify_unsigned(receipt: Receipt) -> Checkpoint:
    """Check that the receipt's parts fit together, whoever signed the checkpoint.

    Raises:
        VerificationError: they do not.
    """
    try:
        checkpoint = parse_checkpoint(parse_note(receipt.proof.note).text)
    except FormatError as error:
        raise VerificationError(error.what, error.problem) from error
    _check_inclusion(receipt.entry, receipt.leaf.seq, receipt.proof, checkpoint)
    return checkpoint


def verify_leaf(entry: bytes, seq: int, proof: LogProof, policy: TrustPolicy) -> Checkpoint:
    """Check that these bytes are the entry at index seq of the log.

    Args:
        entry: the leaf, byte for byte.
        seq: the index the leaf bears.
        proof: its inclusion proof.
        policy: the keys that count.

    Raises:
        VerificationError: as verify_receipt.

    Source: c2sp.org/tlog-proof, "Verification".
    """
    checkpoint = _checkpoint_of(proof.note, policy)
    _check_inclusion(entry, seq, proof, checkpoint)
    return checkpoint


@lru_cache(maxsize=16)
def _checkpoint_of(note: str, policy: TrustPolicy) -> Checkpoint:
    # The proofs of a package share a checkpoint; its signature is checked once.
    return verify_checkpoint(note, policy)


def _check_inclusion(entry: bytes, seq: int, proof: LogProof, checkpoint: Checkpoint) -> None:
    if seq != proof.index:
        raise VerificationError("inclusion proof", f"of entry {proof.index}, but the leaf is number {seq}")
    verify_inclusion(
        leaf=leaf_hash(entry),
        index=proof.index,
        size=checkpoint.size,
        path=proof.path,
        root=checkpoint.root,
    )

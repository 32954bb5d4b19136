"""Check that a receipt covers a file as it lies on a camera: the one reason for which anything is ever erased."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plainview.dock.errors import NotCoveredError
from plainview.formats.policy import TrustPolicy
from plainview.verify.errors import SignerUnknownError, VerificationError
from plainview.verify.receipt import read_receipt, verify_receipt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plainview.formats.note import VerifierKey
    from plainview.formats.receipt import Receipt

COVERING_ACTS = frozenset(
    {
        "recording.received",
        "recording.offered_again",
        "journal.received",
        "attachment.received",
        "file.quarantined",
    }
)


def check_receipt(
    data: bytes, *, sha256: str, size_bytes: int, is_sealed: bool, log_keys: Sequence[VerifierKey]
) -> Receipt:
    """Check that a receipt is of the department's log, and of this file.

    Args:
        data: the receipt as it came.
        sha256: of the file as it lies on the camera, 64 hex digits.
        size_bytes: of the same.
        is_sealed: whether it is a sealed file of our own cameras; of those the log names the digest as sent.
        log_keys: pinned when the dock was set up; no others count.

    Raises:
        NotCoveredError: malformed, not in the log, signed by somebody else, of another act or of another file.
    """
    try:
        receipt = read_receipt(data)
        verify_receipt(receipt, TrustPolicy(logs=tuple(log_keys)))
    except SignerUnknownError as error:
        raise NotCoveredError(
            f"The receipt is signed by a log that this dock does not know: {error.problem}. If the department's log "
            "has a new key, run: plainview dock init"
        ) from error
    except VerificationError as error:
        raise NotCoveredError(f"The receipt proves nothing: {error}") from error
    leaf = receipt.leaf
    if leaf.act not in COVERING_ACTS or leaf.outcome != "ok":
        raise NotCoveredError(f"The receipt is of another act: {leaf.act}, {leaf.outcome}")
    field = "sent_sha256" if is_sealed else "sha256"
    if leaf.facts.get(field) != sha256:
        raise NotCoveredError(
            f"The receipt is of another file: expected {field} {sha256[:16]}..., "
            f"got {str(leaf.facts.get(field))[:16]}..."
        )
    field = "sent_bytes" if is_sealed else "size_bytes"
    if leaf.facts.get(field, size_bytes) != size_bytes:
        raise NotCoveredError(
            f"The receipt is of another file: expected {field} {size_bytes}, got {leaf.facts[field]}"
        )
    return receipt

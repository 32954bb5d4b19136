"""Check a receipt somebody kept, and the file it speaks of."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Sequence

from plainview.formats.receipt import RECEIPT_LIMIT_BYTES, Receipt
from plainview.verify.errors import NotAPackageError, UnreadableError, VerificationError
from plainview.verify.folder import read_small_file, stream_file
from plainview.verify.original import describe_altered, digest_pieces, has_these_bytes, read_received_facts
from plainview.verify.receipt import read_receipt, verify_unsigned
from plainview.verify.results import FileResult, PackageReport, Progress
from plainview.verify.trust import (
    Standing,
    Trust,
    count_known_cosigners,
    find_signers,
    find_warnings,
    given_policy,
    judge_leaf,
)
from plainview.verify.verdicts import ALTERED, SIGNER_UNKNOWN, UNPROVEN

if TYPE_CHECKING:
    from plainview.formats.note import VerifierKey
    from plainview.formats.policy import TrustPolicy


def check_receipt_file(
    receipt_path: str,
    original_path: str | None = None,
    *,
    keys: Sequence[VerifierKey] | None = None,
    policy: TrustPolicy | None = None,
    on_progress: Progress | None = None,
) -> PackageReport:
    """Check a receipt, and whether a file is the one it speaks of.

    Args:
        receipt_path: the receipt.
        original_path: the file, or None to check the receipt alone.
        keys: of logs and co-signers, given or pinned.
        policy: keys as well, and the co-signers to ask for.
        on_progress: told bytes done and bytes in all.

    Raises:
        NotAPackageError: the receipt cannot be read or is none, or the file cannot be read.
    """
    # A receipt names no key but by four bytes: without a given key the signature itself cannot be checked.
    trust = Trust(given_policy(keys, policy), None, "")
    folder, name = os.path.split(os.path.realpath(receipt_path))
    try:
        receipt = read_receipt(read_small_file(folder, name, limit_bytes=RECEIPT_LIMIT_BYTES))
    except VerificationError as error:
        raise NotAPackageError("receipt", error.problem) from error
    standing = _judge_receipt(receipt, trust)
    files = [FileResult(name, standing.verdict, standing.reason)]
    if original_path is not None:
        files.insert(0, _judge_file(original_path, receipt, standing, on_progress))
    if standing.checkpoint is None:
        return PackageReport(files=tuple(files))
    note = receipt.proof.note
    return PackageReport(
        files=tuple(files),
        told=receipt.leaf,
        checkpoint=standing.checkpoint,
        signers=find_signers(note, trust),
        cosigners=count_known_cosigners(note, trust),
        are_cosigners_given=bool(trust.given.witnesses),
        warnings=find_warnings(standing.verdict, standing.checkpoint, trust),
    )


def _judge_receipt(receipt: Receipt, trust: Trust) -> Standing:
    standing = judge_leaf(receipt.entry, receipt.leaf.seq, receipt.proof, trust)
    if standing.fits or standing.reason:
        return standing
    try:
        return Standing(SIGNER_UNKNOWN, checkpoint=verify_unsigned(receipt))
    except VerificationError as error:
        return Standing(UNPROVEN, str(error))


def _judge_file(path: str, receipt: Receipt, standing: Standing, on_progress: Progress | None) -> FileResult:
    done = 0

    def on_bytes(count: int) -> None:
        nonlocal done
        done += count
        if on_progress is not None:
            on_progress(done, Path(path).stat().st_size)

    folder, name = os.path.split(os.path.realpath(path))
    try:
        digests = digest_pieces(stream_file(folder, name), on_bytes)
    except UnreadableError as error:
        raise NotAPackageError("file", error.problem) from error
    try:
        facts = read_received_facts(receipt.leaf)
    except VerificationError as error:
        return FileResult(name, UNPROVEN, error.problem, digests.sha256)
    if not has_these_bytes(digests, facts):
        return FileResult(
            name, ALTERED, describe_altered(digests, facts, ()), digests.sha256, facts.recording
        )
    reason = "" if standing.fits else "the receipt is UNPROVEN"
    return FileResult(name, standing.verdict, reason, digests.sha256, facts.recording)

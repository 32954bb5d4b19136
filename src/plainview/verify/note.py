"""Check who signed a note: a log its checkpoint, and co-signers that they saw it."""

from __future__ import annotations

import struct
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple, Sequence

from plainview.formats.checkpoint import Checkpoint, parse_checkpoint
from plainview.formats.errors import FormatError
from plainview.formats.note import (
    ED25519_COSIGNATURE,
    NoteSignature,
    SignedNote,
    VerifierKey,
    format_vkey,
    parse_note,
)
from plainview.verify.ed25519 import verify_ed25519
from plainview.verify.errors import SignatureError, SignerUnknownError, VerificationError

if TYPE_CHECKING:
    from plainview.formats.policy import TrustPolicy

# The last second a datetime can hold; a co-signer's clock beyond it is not a clock.
MAX_TIME_S = 253_402_300_799
UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class CosignerCount(NamedTuple):
    """How many of the known co-signers signed a checkpoint, and when by their clocks."""

    signed: int
    known: int
    times: tuple[datetime, ...]


def open_note(text: str, keys: Sequence[VerifierKey]) -> tuple[SignedNote, tuple[VerifierKey, ...]]:
    """Check the signatures of a note that were made by these keys.

    Args:
        text: the note as it came.
        keys: whose signatures count; others are passed over.

    Returns:
        The note, and which of the keys signed it, at least one.

    Raises:
        VerificationError: the note is malformed, or a signature by one of the keys does not fit.
        SignerUnknownError: none of the keys signed it.

    Source: c2sp.org/signed-note, "Verification"; c2sp.org/tlog-cosignature, "Ed25519 signed message".
    """
    try:
        note = parse_note(text)
    except FormatError as error:
        raise VerificationError(error.what, error.problem) from error
    signed: list[VerifierKey] = []
    for signature in note.signatures:
        for key in keys:
            if (key.name, key.key_id) == (signature.name, signature.key_id):
                verify_ed25519(key.public_key, *_signed_message(note.text, key, signature))
                if key not in signed:
                    signed.append(key)
    if not signed:
        signers = ", ".join(f"{s.name}+{s.key_id.hex()}" for s in note.signatures)
        raise SignerUnknownError("signed note", f"signed by {signers}, of whom none is known")
    return note, tuple(signed)


def _signed_message(text: str, key: VerifierKey, signature: NoteSignature) -> tuple[bytes, bytes]:
    if key.algorithm != ED25519_COSIGNATURE:
        return signature.signature, text.encode("utf-8")
    time_s = cosigned_at_s(signature)
    return signature.signature[8:], f"cosignature/v1\ntime {time_s}\n{text}".encode()


def cosigned_at_s(signature: NoteSignature) -> int:
    """Return when a co-signer says it signed, in seconds since 1970 UTC.

    Raises:
        SignatureError: another length than 8 + 64 bytes, or a time after the year 9999.

    Source: c2sp.org/tlog-cosignature, "Format".
    """
    if len(signature.signature) != 72:
        raise SignatureError("co-signature", f"expected 72 bytes, got {len(signature.signature)}")
    (time_s,) = struct.unpack(">Q", signature.signature[:8])
    if time_s > MAX_TIME_S:
        raise SignatureError("co-signature", f"its time is {time_s} seconds, after the year 9999")
    return int(time_s)


def verify_checkpoint(text: str, policy: TrustPolicy) -> Checkpoint:
    """Check a signed checkpoint against a trust policy.

    Args:
        text: the signed note as it came.
        policy: the keys of logs, and which co-signers must have signed.

    Raises:
        VerificationError: malformed, a signature that does not fit, or too few co-signers.
        SignerUnknownError: no key of the policy signed under the name the checkpoint bears.

    Source: c2sp.org/tlog-checkpoint; c2sp.org/tlog-policy.
    """
    note, signed = open_note(text, (*policy.logs, *(key for _, key in policy.witnesses)))
    try:
        checkpoint = parse_checkpoint(note.text)
    except FormatError as error:
        raise VerificationError(error.what, error.problem) from error
    if not any(key in policy.logs and key.name == checkpoint.origin for key in signed):
        names = ", ".join(format_vkey(key) for key in signed)
        raise SignerUnknownError(
            "checkpoint", f"of {checkpoint.origin}, but signed by {names}, which may not speak for that log"
        )
    if policy.quorum is not None and not _counts(policy.quorum, policy, signed):
        k, n, _ = count_cosigners(note, policy)
        raise VerificationError(
            "checkpoint", f"the trust policy asks for {policy.quorum}; {k} of {n} co-signers signed"
        )
    return checkpoint


def _counts(name: str, policy: TrustPolicy, signed: Sequence[VerifierKey]) -> bool:
    for group in policy.groups:
        if group.name == name:
            return sum(_counts(member, policy, signed) for member in group.members) >= group.threshold
    return any(short == name and key in signed for short, key in policy.witnesses)


def count_cosigners(note: SignedNote, policy: TrustPolicy) -> CosignerCount:
    """Count the policy's co-signers whose signature on this note fits.

    Args:
        note: as open_note returned it.
        policy: whose witness lines name the known co-signers; a key named twice counts once.

    Returns:
        How many signed, how many are known, and each one's time, earliest first.
    """
    known = {key for _, key in policy.witnesses}
    times: dict[VerifierKey, int] = {}
    for signature in note.signatures:
        for key in known:
            if (key.name, key.key_id) == (signature.name, signature.key_id):
                try:
                    verify_ed25519(key.public_key, *_signed_message(note.text, key, signature))
                except SignatureError:
                    continue
                times[key] = min(times.get(key, MAX_TIME_S), cosigned_at_s(signature))
    return CosignerCount(
        signed=len(times),
        known=len(known),
        times=tuple(UNIX_EPOCH + timedelta(seconds=time_s) for time_s in sorted(times.values())),
    )

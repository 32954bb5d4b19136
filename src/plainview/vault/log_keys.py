"""The custody log's signing key, and the notes it signs.

Source: c2sp.org/signed-note v1.0.0; c2sp.org/tlog-checkpoint v1.0.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from plainview.formats.checkpoint import Checkpoint, format_checkpoint, parse_checkpoint
from plainview.formats.errors import FormatError
from plainview.formats.note import ED25519, NoteSignature, SignedNote, VerifierKey, format_note
from plainview.vault.log_errors import CheckpointSignatureError
from plainview.verify.errors import VerificationError
from plainview.verify.note import open_note

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def new_log_key(origin: str) -> tuple[bytes, VerifierKey]:
    """Make a key for a new log.

    Args:
        origin: the log's name, `<name>/custody/<epoch>`; the key signs under it and no other.

    Returns:
        The private key, 32 bytes, for the key store; and the public half, to print and pin.
    """
    private = Ed25519PrivateKey.generate().private_bytes_raw()
    return private, log_key(origin, private)


def log_key(origin: str, private: bytes) -> VerifierKey:
    """Return the public half of a log's private key, 32 bytes."""
    public = Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    return VerifierKey(name=origin, algorithm=ED25519, public_key=public)


def log_signer(private: bytes) -> Callable[[bytes], bytes]:
    """Return what signs note texts with this private key, 32 bytes.

    Source: RFC 8032 section 5.1.6.
    """
    return Ed25519PrivateKey.from_private_bytes(private).sign


def sign_checkpoint(checkpoint: Checkpoint, *, sign: Callable[[bytes], bytes], key: VerifierKey) -> str:
    """Sign a checkpoint and check the signature before anybody sees it.

    Args:
        checkpoint: its origin must be the key's name.
        sign: given the note text, returns an Ed25519 signature, 64 bytes.
        key: the public half of what `sign` signs with.

    Returns:
        The signed note.

    Raises:
        CheckpointSignatureError: the key is another log's, or `sign` signs with another key.

    Source: c2sp.org/tlog-checkpoint, "Note text"; c2sp.org/signed-note, "Signatures".
    """
    text = format_checkpoint(checkpoint)
    line = NoteSignature(name=key.name, key_id=key.key_id, signature=sign(text.encode()))
    note = format_note(SignedNote(text=text, signatures=(line,)))
    open_checkpoint(note, keys=[key], origin=checkpoint.origin)
    return note


def open_checkpoint(note: str, *, keys: Sequence[VerifierKey], origin: str | None = None) -> Checkpoint:
    """Check that one of these keys signed the note, and return its checkpoint.

    Args:
        note: a signed note.
        keys: the log's keys; the signer's name must be the checkpoint's origin.
        origin: the log that is expected, or None for any whose key was given.

    Raises:
        CheckpointSignatureError: malformed, unsigned, altered, or another log's.

    Source: c2sp.org/tlog-checkpoint, "Note text".
    """
    try:
        opened, signers = open_note(note, keys)
        checkpoint = parse_checkpoint(opened.text)
    except (VerificationError, FormatError) as error:
        raise CheckpointSignatureError(origin or "the log", str(error)) from error
    if not any(key.name == checkpoint.origin for key in signers):
        raise CheckpointSignatureError(checkpoint.origin, f"signed only by {[key.name for key in signers]}")
    if origin is not None and checkpoint.origin != origin:
        raise CheckpointSignatureError(origin, f"expected this log, got {checkpoint.origin}")
    return checkpoint

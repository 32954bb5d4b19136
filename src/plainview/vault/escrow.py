"""The key escrow: every object's key, sealed so that only the recovery key, kept elsewhere, opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from plainview.formats.errors import FormatError
from plainview.formats.recovery import KeyEscrow, RecoveryKey, format_escrowed_keys, parse_escrowed_keys
from plainview.vault.errors import DamagedEscrowError, WrongRecoveryKeyError

if TYPE_CHECKING:
    from datetime import datetime

ESCROW_INFO = b"plainview-key-escrow/v1"
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class EscrowedKeys(Protocol):
    """What a key store gives to an escrow; see keys.KeyStore."""

    @property
    def recovery_public(self) -> bytes:
        """The public half of the recovery key, 32 bytes."""
        ...

    def object_keys(self) -> dict[str, bytes]:
        """Return every object's key, as they were at one moment."""
        ...


def new_recovery_key() -> RecoveryKey:
    """Return a random recovery key; its private half belongs on paper or a stick, not on this machine."""
    private = X25519PrivateKey.generate()
    return RecoveryKey(private=private.private_bytes_raw(), public=private.public_key().public_bytes_raw())


def seal_escrow(keys: EscrowedKeys, *, now: datetime) -> KeyEscrow:
    """Seal every object's key, and no secret, to the recovery key.

    A restored log must not be able to sign as the lost one did, so signing keys stay out. Keep the newest escrow
    beside the backups, not inside them: an old one would bring back the keys of what was since destroyed.

    Args:
        keys: the open key store.
        now: aware UTC.

    Raises:
        KeyDamagedError: a key does not open, so the escrow would not be whole.

    Source: RFC 9180 section 5.1.1 (base mode), with info "plainview-key-escrow/v1".
    """
    public = X25519PublicKey.from_public_bytes(keys.recovery_public)
    sealed = _SUITE.encrypt(format_escrowed_keys(keys.object_keys()), public, ESCROW_INFO)
    return KeyEscrow(at=now, public=keys.recovery_public, sealed=sealed)


def open_escrow(escrow: KeyEscrow, recovery: RecoveryKey) -> dict[str, bytes]:
    """Return the keys in an escrow: from object id, 32 hexadecimal digits, to its 32-byte key.

    Raises:
        WrongRecoveryKeyError: it was sealed to another recovery key.
        DamagedEscrowError: it, or the recovery key, is altered.

    Source: RFC 9180 section 5.1.1 (base mode), with info "plainview-key-escrow/v1".
    """
    if escrow.public != recovery.public:
        raise WrongRecoveryKeyError(escrow.public, recovery.public)
    private = X25519PrivateKey.from_private_bytes(recovery.private)
    try:
        return parse_escrowed_keys(_SUITE.decrypt(escrow.sealed, private, ESCROW_INFO))
    except (InvalidTag, ValueError, FormatError) as error:
        raise DamagedEscrowError(str(error) or "its authentication tag does not fit") from error

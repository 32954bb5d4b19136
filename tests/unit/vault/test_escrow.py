import hmac
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from plainview.formats.recovery import (
    KeyEscrow,
    RecoveryKey,
    format_escrow,
    format_escrowed_keys,
    format_recovery_key,
    parse_escrow,
    parse_recovery_key,
)
from plainview.vault.errors import DamagedEscrowError, KeyDamagedError, WrongRecoveryKeyError
from plainview.vault.escrow import new_recovery_key, open_escrow, seal_escrow

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
KEYS = {f"{number:032x}": bytes([number]) * 32 for number in range(5)}


class EscrowedKeys:
    def __init__(self, recovery_public, keys=KEYS):
        self.recovery_public, self._keys = recovery_public, keys

    def object_keys(self):
        if self._keys is None:
            raise KeyDamagedError(Path("keys"), "ab" * 16)
        return self._keys


@pytest.fixture
def recovery():
    return new_recovery_key()


def test_an_escrow_opens_with_the_recovery_key_after_both_went_through_their_files(recovery):
    escrow = parse_escrow(format_escrow(seal_escrow(EscrowedKeys(recovery.public), now=NOW)))
    assert open_escrow(escrow, parse_recovery_key(format_recovery_key(recovery))) == KEYS
    assert (escrow.at, escrow.public) == (NOW, recovery.public)


def test_an_escrow_of_no_keys_opens(recovery):
    assert open_escrow(seal_escrow(EscrowedKeys(recovery.public, {}), now=NOW), recovery) == {}


def test_no_key_lies_open_in_an_escrow(recovery):
    sealed = seal_escrow(EscrowedKeys(recovery.public), now=NOW).sealed
    assert all(key not in sealed and key.hex().encode() not in sealed for key in KEYS.values())


def test_another_recovery_key_is_named(recovery):
    escrow = seal_escrow(EscrowedKeys(recovery.public), now=NOW)
    with pytest.raises(WrongRecoveryKeyError, match=recovery.public.hex()[:16]):
        open_escrow(escrow, new_recovery_key())


def test_halves_that_do_not_belong_together_do_not_open(recovery):
    escrow = seal_escrow(EscrowedKeys(recovery.public), now=NOW)
    with pytest.raises(DamagedEscrowError, match="another copy"):
        open_escrow(escrow, RecoveryKey(private=new_recovery_key().private, public=recovery.public))


@pytest.mark.parametrize("position", [0, 31, 32, 100, -1])
def test_an_altered_escrow_does_not_open(recovery, position):
    sealed = bytearray(seal_escrow(EscrowedKeys(recovery.public), now=NOW).sealed)
    sealed[position] ^= 1
    with pytest.raises(DamagedEscrowError):
        open_escrow(KeyEscrow(at=NOW, public=recovery.public, sealed=bytes(sealed)), recovery)


@pytest.mark.parametrize("length", [0, 10, 40])
def test_a_cut_escrow_does_not_open(recovery, length):
    sealed = seal_escrow(EscrowedKeys(recovery.public), now=NOW).sealed[:length]
    with pytest.raises(DamagedEscrowError):
        open_escrow(KeyEscrow(at=NOW, public=recovery.public, sealed=sealed), recovery)


def test_an_escrow_that_would_not_be_whole_is_not_made(recovery):
    with pytest.raises(KeyDamagedError):
        seal_escrow(EscrowedKeys(recovery.public, None), now=NOW)


def test_the_sealed_bytes_are_those_of_rfc_9180():
    """A second implementation of HPKE base mode, single shot, written from the RFC, opens what was sealed."""

    def extract(salt, suite, label, ikm):
        return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + ikm, "sha256")

    def expand(prk, suite, label, info, length):
        labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
        return hmac.digest(prk, labelled + b"\x01", "sha256")[:length]

    recovery = new_recovery_key()
    sealed = seal_escrow(EscrowedKeys(recovery.public), now=NOW).sealed
    enc, ciphertext = sealed[:32], sealed[32:]
    shared = X25519PrivateKey.from_private_bytes(recovery.private).exchange(
        X25519PublicKey.from_public_bytes(enc)
    )
    kem, suite = b"KEM\x00\x20", b"HPKE\x00\x20\x00\x01\x00\x02"
    secret = expand(extract(b"", kem, b"eae_prk", shared), kem, b"shared_secret", enc + recovery.public, 32)
    context = (
        b"\x00"
        + extract(b"", suite, b"psk_id_hash", b"")
        + extract(b"", suite, b"info_hash", b"plainview-key-escrow/v1")
    )
    prk = extract(secret, suite, b"secret", b"")
    key, nonce = expand(prk, suite, b"key", context, 32), expand(prk, suite, b"base_nonce", context, 12)
    assert AESGCM(key).decrypt(nonce, ciphertext, b"") == format_escrowed_keys(KEYS)

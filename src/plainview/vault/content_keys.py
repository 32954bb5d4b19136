"""Keys to which systems of other makers encrypt what they hand in, and reading what was encrypted so.

A content key is an RSA key pair. Such a system makes a random AES key for every file, encrypts the file with it, and
sends it along wrapped with the public half. Losing the private half would lose every recording that was encrypted on
its way; so it is sealed to the vault's intake key, which every key escrow holds, and the sealed half is kept with the
records, which every backup holds. Nothing more has to be kept by anybody.

See docs/adr/0014-keys-of-connected-systems.md.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.padding import PKCS7

from plainview.vault.errors import ContentKeyError
from plainview.vault.intake_keys import intake_private, intake_public

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import CipherContext
    from cryptography.hazmat.primitives.padding import PaddingContext

    from plainview.vault.keys import KeyStore

RSA_BITS = 3072
SEAL_INFO = b"plainview-content-key/v1"
AES_KEY_BYTES = 32
IV_BYTES = 16
KEY_FILE_LIMIT_BYTES = 64 << 10
READ_BYTES = 1 << 20
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
# As `openssl rsautl -oaep` has it, which is how the specification's own example unwraps.
_OAEP = padding.OAEP(mgf=padding.MGF1(algorithm=hashes.SHA1()), algorithm=hashes.SHA1(), label=None)  # noqa: S303


@dataclass(frozen=True)
class ContentKey:
    """A content key as the records keep it.

    Attributes:
        public_pem: its public half, PEM (SubjectPublicKeyInfo).
        sealed: its private half, sealed to the intake key; base64.
        sealed_to: that intake key's public half, 64 hex digits.
    """

    public_pem: str
    sealed: str
    sealed_to: str


@dataclass(frozen=True)
class KeyFile:
    """What the file beside an encrypted one says.

    Attributes:
        wrapped_key: its AES key, wrapped with the public half of the content key.
        iv: the first block's initialisation vector, 16 bytes.
        key_id: which content key; empty where it does not say.
    """

    wrapped_key: bytes
    iv: bytes
    key_id: str


def make_content_key(keys: KeyStore) -> ContentKey:
    """Make a key pair for one connected system.

    Raises:
        KeyStoreError: the key store failed.

    Source: RFC 9180 section 5.1.1 (base mode), with info "plainview-content-key/v1".
    """
    private = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    encoded = private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public_pem = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    seal_to = intake_public(keys)
    sealed = _SUITE.encrypt(encoded, X25519PublicKey.from_public_bytes(seal_to), SEAL_INFO)
    return ContentKey(public_pem.decode("ascii"), base64.b64encode(sealed).decode("ascii"), seal_to.hex())


def open_content_key(keys: KeyStore, key: ContentKey) -> rsa.RSAPrivateKey:
    """Return the private half of a content key.

    Raises:
        ContentKeyError: it was sealed to another vault, or is damaged.
        KeyStoreError: the key store failed, or has lost what it was sealed to.
    """
    try:
        private = intake_private(keys, bytes.fromhex(key.sealed_to))
        encoded = _SUITE.decrypt(base64.b64decode(key.sealed, validate=True), private, SEAL_INFO)
        opened = serialization.load_der_private_key(encoded, password=None)
    except (InvalidTag, ValueError) as error:
        raise ContentKeyError("the private half, as the records keep it, is damaged") from error
    assert isinstance(opened, rsa.RSAPrivateKey), "what was sealed is what make_content_key() made"
    return opened


def parse_key_file(data: bytes) -> KeyFile:
    """Read the file that comes beside an encrypted one.

    Example:
        {"EncryptedKey": "<base64>", "ContentEncryptionIV": "<base64>", "PublicKeyId": "department"}

    Raises:
        ContentKeyError: it does not say what is needed.

    Source: Axis Body Worn Content Destination API, "Object encryption", and its decrypt_file.sh.
    """
    if len(data) > KEY_FILE_LIMIT_BYTES:
        raise ContentKeyError(f"the key file has {len(data)} bytes, expected at most {KEY_FILE_LIMIT_BYTES}")
    try:
        said = json.loads(data.decode("utf-8"))
        wrapped = base64.b64decode(said["EncryptedKey"], validate=True)
        iv = base64.b64decode(said["ContentEncryptionIV"], validate=True)
        key_id = str(said.get("PublicKeyId") or "")
    except (
        UnicodeDecodeError,
        RecursionError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        binascii.Error,
    ):
        raise ContentKeyError("the key file does not hold EncryptedKey and ContentEncryptionIV") from None
    if len(iv) != IV_BYTES:
        raise ContentKeyError(
            f"the key file's initialisation vector has {len(iv)} bytes, expected {IV_BYTES}"
        )
    return KeyFile(wrapped, iv, key_id)


def unwrap_key(private: rsa.RSAPrivateKey, file: KeyFile) -> bytes:
    """Return the AES key that a key file holds, 32 bytes.

    Raises:
        ContentKeyError: it was wrapped with another key, or altered.

    Source: RFC 8017 section 7.1.2 (RSAES-OAEP, SHA-1).
    """
    try:
        key = private.decrypt(file.wrapped_key, _OAEP)
    except ValueError:
        raise ContentKeyError("its key was wrapped with another content key, or altered") from None
    if len(key) != AES_KEY_BYTES:
        raise ContentKeyError(f"its key has {len(key)} bytes, expected {AES_KEY_BYTES}")
    return key


class ContentReader(io.RawIOBase):
    """The plaintext of an encrypted file, read once from its beginning to its end.

    Raises:
        ContentKeyError: from readinto(), at the end at the latest: the bytes were not encrypted with this key.

    Source: NIST SP 800-38A section 6.2 (CBC); RFC 5652 section 6.3 (padding).
    """

    def __init__(self, source: io.RawIOBase, *, key: bytes, iv: bytes) -> None:
        super().__init__()
        self._source = source
        self._decryptor: CipherContext = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
        self._unpadder: PaddingContext = PKCS7(algorithms.AES.block_size).unpadder()
        self._ready = memoryview(b"")
        self._is_at_end = False

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # narrower, as callers give it
        """Fill as much of buffer as is ready; 0 only at the end."""
        while not self._ready and not self._is_at_end:
            self._ready = memoryview(self._next())
        length = min(len(buffer), len(self._ready))
        buffer[:length] = self._ready[:length]
        self._ready = self._ready[length:]
        return length

    def _next(self) -> bytes:
        data = self._source.read(READ_BYTES)
        if data:
            return self._unpadder.update(self._decryptor.update(data))
        self._is_at_end = True
        try:
            return self._unpadder.update(self._decryptor.finalize()) + self._unpadder.finalize()
        except ValueError:
            raise ContentKeyError("what it decrypts to does not end as encrypted files do") from None

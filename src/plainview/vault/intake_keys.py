"""The keys a department's cameras know: to which they seal what they record, and which signs their orders.

Both must outlive this machine: without the first, what lies sealed on cameras could be opened by nobody; without the
second, no camera would take orders again. So each is kept as an object's key, which every key escrow holds, under an
id that follows from its own public half. No list of them is needed: a key says by itself that it is one, so tidying up
leaves it alone, and a sealed file, which names the public half, leads to it. A secret that no escrow holds says which
is in use; where that was lost with the machine, the keys themselves are looked through once.

See docs/adr/0012-cameras-seal-to-the-vault.md.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from plainview.formats.note import ED25519, NoteSignature, SignedNote, VerifierKey, format_note
from plainview.vault.errors import KeyExistsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plainview.vault.keys import KeyStore

INTAKE, DEPARTMENT = "intake", "department"
_LABELS = {INTAKE: b"plainview-intake-key/v1\n", DEPARTMENT: b"plainview-department-key/v1\n"}
_NUMBER_DIGITS = 8


def intake_public(keys: KeyStore) -> bytes:
    """Return the public key that cameras seal to now, 32 bytes; made by the first who asks.

    Raises:
        KeyStoreError: the key store failed.
    """
    return _in_use(keys, INTAKE)


def intake_private(keys: KeyStore, public: bytes) -> X25519PrivateKey:
    """Return the private half of a key that cameras sealed to, now or once.

    Raises:
        KeyMissingError: it was never this vault's, or is lost.
        KeyStoreError: the key store failed.
    """
    return X25519PrivateKey.from_private_bytes(keys.object_key(_id_of(INTAKE, public)))


def rotate_intake_key(keys: KeyStore) -> bytes:
    """Make a new key for cameras to seal to, and return its public half; those before it go on opening.

    Raises:
        KeyStoreError: the key store failed.
    """
    return _make(keys, INTAKE, after=intake_public(keys))


def department_key(keys: KeyStore, log_name: str) -> VerifierKey:
    """Return the public half of the key that signs orders, made by the first who asks.

    Args:
        keys: where it is kept.
        log_name: what the custody log is called, without its epoch; the key's name follows from it.

    Raises:
        KeyStoreError: the key store failed.
    """
    return VerifierKey(name=f"{log_name}/department", algorithm=ED25519, public_key=_in_use(keys, DEPARTMENT))


def sign_as_department(keys: KeyStore, log_name: str, text: str) -> str:
    """Sign a note text with the department's key, and return the signed note.

    Raises:
        FormatError: the text may not be signed.
        KeyStoreError: the key store failed.

    Source: c2sp.org/signed-note v1.0.0.
    """
    key = department_key(keys, log_name)
    private = Ed25519PrivateKey.from_private_bytes(keys.object_key(_id_of(DEPARTMENT, key.public_key)))
    line = NoteSignature(name=key.name, key_id=key.key_id, signature=private.sign(text.encode()))
    return format_note(SignedNote(text=text, signatures=(line,)))


def is_kept_for_cameras(keys: KeyStore, object_id: str) -> bool:
    """Say whether what the key store holds under an object's id is one of these keys, and no object's.

    Raises:
        KeyStoreError: the key store failed, or the key does not open.
    """
    private = keys.object_key(object_id)
    return any(object_id == _id_of(kind, _public(kind, private)) for kind in _LABELS)


def _in_use(keys: KeyStore, kind: str) -> bytes:
    names = keys.secret_names(f"{kind}/")
    if names:
        return keys.secret(names[-1])
    # A restore brings the keys back, and not the secret that says which of them is in use.
    for public in _found(keys, kind):
        return _note(keys, kind, 1, public)
    return _make(keys, kind, after=None)


def _found(keys: KeyStore, kind: str) -> Iterator[bytes]:
    for object_id, private in keys.object_keys().items():
        public = _public(kind, private)
        if object_id == _id_of(kind, public):
            yield public


def _make(keys: KeyStore, kind: str, *, after: bytes | None) -> bytes:
    private = (
        X25519PrivateKey.generate() if kind == INTAKE else Ed25519PrivateKey.generate()
    ).private_bytes_raw()
    public = _public(kind, private)
    # Durable before anybody hears of the public half.
    keys.put_object_key(_id_of(kind, public), private)
    number = 1 if after is None else 1 + int(keys.secret_names(f"{kind}/")[-1].partition("/")[2])
    return _note(keys, kind, number, public)


def _note(keys: KeyStore, kind: str, number: int, public: bytes) -> bytes:
    name = f"{kind}/{number:0{_NUMBER_DIGITS}d}"
    try:
        keys.put_secret(name, public)
    except KeyExistsError:
        # Another process made one in this moment. Ours stays: where nothing was sealed to it, it opens nothing.
        return keys.secret(name)
    return public


def _public(kind: str, private: bytes) -> bytes:
    if kind == INTAKE:
        return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def _id_of(kind: str, public: bytes) -> str:
    return sha256(_LABELS[kind] + public).hexdigest()[:32]

"""The master key's file, and the keys that are derived from it.

 8 bytes   "PLVWMKY" and version 1
16 bytes   random id; keys.sqlite says which id opens it
32 bytes   the key
 8 bytes   the beginning of the SHA-256 of the 56 bytes before
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from plainview.vault.errors import MasterKeyCorruptError

if TYPE_CHECKING:
    from pathlib import Path

MASTER_ID_BYTES = 16
MASTER_KEY_BYTES = 32
MASTER_FILE_BYTES = 64
_MAGIC = b"PLVWMKY\x01"
_CHECK_BYTES = 8
_NONCE_BYTES = 12


@dataclass(frozen=True, repr=False)
class MasterKey:
    """The key over all keys: a random id, 16 bytes, and the key, 32 bytes."""

    master_id: bytes
    key: bytes


def new_master() -> MasterKey:
    """Return a random master key."""
    return MasterKey(master_id=os.urandom(MASTER_ID_BYTES), key=os.urandom(MASTER_KEY_BYTES))


def write_master(path: Path, master: MasterKey) -> None:
    """Write a master key's file, durable but for its name: sync the folder after.

    What an interrupted rotation left under this name belongs to nobody and is replaced.

    Raises:
        OSError: the disk failed.
    """
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    body = _MAGIC + master.master_id + master.key
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    _write(path, flags, body + hashlib.sha256(body).digest()[:_CHECK_BYTES])


def read_master(path: Path) -> MasterKey | None:
    """Read a master key's file; None if there is none.

    Raises:
        MasterKeyCorruptError: it is not what was written.
        OSError: the disk failed.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    body, check = data[:-_CHECK_BYTES], data[-_CHECK_BYTES:]
    is_whole = len(data) == MASTER_FILE_BYTES and hashlib.sha256(body).digest()[:_CHECK_BYTES] == check
    if not is_whole or not body.startswith(_MAGIC):
        raise MasterKeyCorruptError(
            path.parent,
            f"{path.name} is damaged: expected {MASTER_FILE_BYTES} bytes that fit their checksum, "
            f"got {len(data)}. Restore with a key escrow and the recovery key",
        )
    start = len(_MAGIC) + MASTER_ID_BYTES
    return MasterKey(master_id=body[len(_MAGIC) : start], key=body[start:])


def overwrite_master(path: Path) -> None:
    """Put zeros over a master key's file, durably, if it is there.

    Raises:
        OSError: the disk failed.
    """
    with contextlib.suppress(FileNotFoundError):
        _write(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, bytes(MASTER_FILE_BYTES))


def wrapping_key(master: MasterKey) -> bytes:
    """Return the key that wraps objects' keys, 32 bytes.

    Source: RFC 5869 section 2.3.
    """
    return _derive(master, b"plainview object keys v1")


def seal_secret(master: MasterKey, name: str, data: bytes) -> bytes:
    """Encrypt a secret under its name.

    Source: NIST SP 800-38D (GCM), with a random nonce of 12 bytes in front.
    """
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(_derive(master, b"plainview secrets v1")).encrypt(nonce, data, name.encode())


def open_secret(master: MasterKey, name: str, sealed: bytes) -> bytes:
    """Decrypt a secret.

    Raises:
        cryptography.exceptions.InvalidTag: it is altered, or was sealed under another name or master key.
        ValueError: it is too short.
    """
    nonce, body = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    return AESGCM(_derive(master, b"plainview secrets v1")).decrypt(nonce, body, name.encode())


def prove(master: MasterKey, said: bytes) -> bytes:
    """Return what only the holder of the master key can say about these bytes, 32 bytes.

    Source: RFC 2104.
    """
    return hmac.digest(_derive(master, b"plainview key store v1"), said, "sha256")


def _derive(master: MasterKey, use: bytes) -> bytes:
    return HKDFExpand(SHA256(), MASTER_KEY_BYTES, use).derive(master.key)


def _write(path: Path, flags: int, data: bytes) -> None:
    fd = os.open(path, flags, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        os.fsync(fd)
    finally:
        os.close(fd)

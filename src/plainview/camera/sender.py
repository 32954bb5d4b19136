"""Whoever sends triggers and is no camera: a light bar, a holster, with a key in a file of its own."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from plainview.camera.errors import CameraError
from plainview.camera.journal import sign_note
from plainview.formats.note import ED25519, VerifierKey, format_vkey

if TYPE_CHECKING:
    from pathlib import Path


class SenderKeyError(CameraError):
    """A sender's key that is not there, is damaged, or is there already.

    Attributes:
        path: of its file.
    """

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path


@dataclass(frozen=True)
class Sender:
    """Somebody who sends triggers: the public key, with the name it signs under, and the private one."""

    key: VerifierKey
    private: Ed25519PrivateKey

    def sign_note(self, text: str) -> str:
        """Sign a text, ending in a newline, as a note under the sender's name."""
        return sign_note(text, key=self.key, sign=self.private.sign)


def make_sender(path: Path, *, name: str) -> Sender:
    """Make a key and keep it in a new file that only its owner can read.

    Raises:
        FormatError: a name that no key can have.
        SenderKeyError: there is such a file; a key is not replaced.
    """
    private = Ed25519PrivateKey.generate()
    sender = _sender(name, private)
    format_vkey(sender.key)
    data = json.dumps({"v": 1, "sender": name, "private_key": private.private_bytes_raw().hex()})
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise SenderKeyError(path, "is there already; leave --sender out to send with it") from error
    with os.fdopen(fd, "w") as file:
        file.write(data + "\n")
    return sender


def open_sender(path: Path) -> Sender:
    """Read a sender's key.

    Raises:
        SenderKeyError: missing, or not what make_sender writes.
    """
    try:
        record = json.loads(path.read_text("utf-8"))
        private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(record["private_key"]))
        return _sender(str(record["sender"]), private)
    except FileNotFoundError as error:
        raise SenderKeyError(path, "no such key; make one with --sender NAME") from error
    except (ValueError, KeyError, TypeError) as error:
        raise SenderKeyError(path, "not a sender's key") from error


def _sender(name: str, private: Ed25519PrivateKey) -> Sender:
    return Sender(VerifierKey(name, ED25519, private.public_key().public_bytes_raw()), private)

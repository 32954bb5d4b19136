"""Signed notes and the keys that sign them.

Example:
    example.org/custody/1
    12
    qINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=

    \u2014 example.org/custody/1 2ytEiPgHQ4...

Source: c2sp.org/signed-note v1.0.0; c2sp.org/tlog-cosignature v1.0.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256

from plainview.formats.errors import FormatError
from plainview.formats.fields import decode_base64, encode_base64

ED25519 = 0x01
ED25519_COSIGNATURE = 0x04
NOTE_LIMIT_BYTES = 1_000_000
MAX_SIGNATURES = 64

# Narrower than the specification, which forbids spaces and plus: also nothing a reader would not see.
KEY_NAME = re.compile(
    r"[^\s+\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]{1,255}\Z"
)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff]")
_SIGNATURE_LINE = re.compile("\u2014 ([^ ]+) ([A-Za-z0-9+/=]+)\\Z")


@dataclass(frozen=True)
class VerifierKey:
    """A public key with the name it signs under.

    Attributes:
        name: the signer; for a log, its origin.
        algorithm: 0x01 Ed25519 note signature, 0x04 Ed25519 cosignature.
        public_key: 32 bytes.
    """

    name: str
    algorithm: int
    public_key: bytes

    @property
    def fingerprint(self) -> bytes:
        """SHA-256 of name, newline, algorithm and key: 32 bytes; its first four are the key id."""
        return sha256(self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public_key).digest()

    @property
    def key_id(self) -> bytes:
        """The four bytes by which a signature line says which key made it."""
        return self.fingerprint[:4]


@dataclass(frozen=True)
class NoteSignature:
    """One signature line: who says so, their key id (4 bytes) and the signature bytes."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True)
class SignedNote:
    """Text, ending in a newline, and the signatures under it. What is signed is the text's UTF-8."""

    text: str
    signatures: tuple[NoteSignature, ...]


def format_vkey(key: VerifierKey) -> str:
    """Write a key as name+id+base64, the form that is printed, pinned and given to --key.

    Raises:
        FormatError: a name, algorithm or key that parse_vkey would refuse.

    Source: c2sp.org/signed-note, "Verifier keys".
    """
    _check_key(key)
    return f"{key.name}+{key.key_id.hex()}+{encode_base64(bytes([key.algorithm]) + key.public_key)}"


def parse_vkey(text: str) -> VerifierKey:
    """Read a key written by format_vkey.

    Raises:
        FormatError: another shape, an unknown algorithm, or a key id that does not belong to the key.

    Source: c2sp.org/signed-note, "Verifier keys".
    """
    what = "verifier key"
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise FormatError(what, f"expected name+id+base64, got {text[:80]!a}")
    data = decode_base64(parts[2], what=what)
    if not data:
        raise FormatError(what, "it holds no key")
    key = VerifierKey(name=parts[0], algorithm=data[0], public_key=data[1:])
    _check_key(key)
    if key.key_id.hex() != parts[1]:
        raise FormatError(
            what, f"the key id should be {key.key_id.hex()}, got {parts[1][:20]!r}: mistyped or altered"
        )
    return key


def _check_key(key: VerifierKey) -> None:
    what = "verifier key"
    if KEY_NAME.match(key.name) is None:
        raise FormatError(what, f"expected a name without spaces or plus signs, got {key.name[:80]!a}")
    if key.algorithm not in (ED25519, ED25519_COSIGNATURE) or len(key.public_key) != 32:
        raise FormatError(
            what,
            f"expected an Ed25519 key of 32 bytes, got algorithm {key.algorithm:#04x} and "
            f"{len(key.public_key)} bytes",
        )


def check_note_text(text: str) -> str:
    """Return text if it may be signed: it ends in a newline and holds no other control character.

    Raises:
        FormatError: empty, no final newline, a control character, or half a surrogate pair.

    Source: c2sp.org/signed-note, "Format".
    """
    if not text.endswith("\n"):
        raise FormatError("signed note", "the text must end in a newline")
    if _CONTROL.search(text):
        raise FormatError("signed note", "the text holds a control character or half a surrogate pair")
    return text


def format_note(note: SignedNote) -> str:
    """Write a signed note.

    Raises:
        FormatError: the text may not be signed, or there is no signature, or anything else parse_note would refuse.

    Source: c2sp.org/signed-note, "Format".
    """
    lines = (f"\u2014 {s.name} {encode_base64(s.key_id + s.signature)}\n" for s in note.signatures)
    text = note.text + "\n" + "".join(lines)
    if parse_note(text) != note:
        raise FormatError(
            "signed note", "a key id is not four bytes long, or the text runs into the signatures"
        )
    return text


def parse_note(text: str) -> SignedNote:
    """Read a signed note; nothing is verified here.

    Raises:
        FormatError: no blank line before the signatures, a malformed line, no signature, or too much of anything.

    Source: c2sp.org/signed-note, "Format".
    """
    what = "signed note"
    if len(text) > NOTE_LIMIT_BYTES:
        raise FormatError(what, f"expected at most {NOTE_LIMIT_BYTES} characters, got {len(text)}")
    body, blank, tail = text.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise FormatError(what, "expected text, a blank line and signature lines that end in a newline")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise FormatError(what, f"expected at most {MAX_SIGNATURES} signatures, got {len(lines)}")
    return SignedNote(
        text=check_note_text(body + "\n"), signatures=tuple(_parse_signature(line) for line in lines)
    )


def _parse_signature(line: str) -> NoteSignature:
    match = _SIGNATURE_LINE.match(line)
    if match is None or KEY_NAME.match(match.group(1)) is None:
        raise FormatError("signed note", f"malformed signature line {line[:80]!r}")
    data = decode_base64(match.group(2), what="signed note")
    if len(data) < 5:
        raise FormatError("signed note", "a signature line is too short to hold a key id and a signature")
    return NoteSignature(name=match.group(1), key_id=data[:4], signature=data[4:])

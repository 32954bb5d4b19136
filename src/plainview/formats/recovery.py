"""What survives a lost machine: the recovery key, the key escrow sealed to it, and what a backup says of itself.

Example:
    {"key":"..","kind":"plainview-recovery-key","note":"Keep this off the machine ...","public":"..","v":1}
    {"at":"..","kind":"plainview-key-escrow","public":"..","sealed":"<base64>","v":1}
    {"at":"..","kind":"plainview-backup","log_size":12,"origin":"example.org/custody/1","root":"..","tool":"..","v":1}
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview.formats.canonical import canonical_json, parse_canonical_json
from plainview.formats.errors import FormatError
from plainview.formats.fields import (
    HEX_16_BYTES,
    LINE,
    check_count,
    check_hash,
    check_record,
    check_text,
    decode_base64,
    encode_base64,
)
from plainview.formats.note import KEY_NAME
from plainview.formats.times import format_at, parse_at

if TYPE_CHECKING:
    from datetime import datetime

RECOVERY_KIND = "plainview-recovery-key"
ESCROW_KIND = "plainview-key-escrow"
BACKUP_KIND = "plainview-backup"
ESCROW_LIMIT_BYTES = 2_000_000_000
RECOVERY_NOTE = (
    "Keep this off the machine and out of backups. With it and a key escrow, every recording can be read."
)


@dataclass(frozen=True)
class RecoveryKey:
    """An X25519 key pair, 32 bytes each; only the public half stays with the vault."""

    private: bytes
    public: bytes


@dataclass(frozen=True)
class KeyEscrow:
    """Every object's key, sealed to the recovery key.

    Attributes:
        at: when it was made; keep one, the newest.
        public: whose recovery key opens it, 32 bytes.
        sealed: HPKE (X25519, HKDF-SHA256, AES-256-GCM) of escrowed_keys.
    """

    at: datetime
    public: bytes
    sealed: bytes


@dataclass(frozen=True)
class BackupFacts:
    """What a backup says of itself: when, which log, how far it had come, and its root (32 bytes)."""

    at: datetime
    origin: str
    log_size: int
    root: bytes
    tool: str


def format_recovery_key(key: RecoveryKey) -> bytes:
    """Write a recovery key file, one line.

    Raises:
        FormatError: a half that is not 32 bytes long.
    """
    if len(key.private) != 32 or len(key.public) != 32:
        raise FormatError("recovery key", "expected two halves of 32 bytes each")
    record = {
        "v": 1,
        "kind": RECOVERY_KIND,
        "key": key.private.hex(),
        "public": key.public.hex(),
        "note": RECOVERY_NOTE,
    }
    return canonical_json(record) + b"\n"


def parse_recovery_key(data: bytes) -> RecoveryKey:
    """Read a recovery key file; what a text editor does to its last newline, and another note, are forgiven.

    That the halves belong together is for whoever uses the key to check.

    Raises:
        FormatError: another file, or one cut short or with a digit lost.
    """
    what = "recovery key"
    record = check_record(
        parse_canonical_json(data.rstrip(b"\r\n"), what=what, limit_bytes=4096),
        what=what,
        kind=RECOVERY_KIND,
        keys=frozenset({"v", "kind", "key", "public", "note"}),
    )
    check_text(record["note"], what=what, field="note")
    private, public = (check_hash(record[field], what=what, field=field) for field in ("key", "public"))
    return RecoveryKey(private=private, public=public)


def format_escrow(escrow: KeyEscrow) -> bytes:
    """Write a key escrow file.

    Raises:
        FormatError: a public key that is not 32 bytes long.
    """
    if len(escrow.public) != 32:
        raise FormatError("key escrow", f"expected a public key of 32 bytes, got {len(escrow.public)}")
    return canonical_json(
        {
            "v": 1,
            "kind": ESCROW_KIND,
            "at": format_at(escrow.at),
            "public": escrow.public.hex(),
            "sealed": encode_base64(escrow.sealed),
        }
    )


def parse_escrow(data: bytes) -> KeyEscrow:
    """Read a key escrow file; nothing is opened here.

    Raises:
        FormatError: not canonical, or a malformed field.
    """
    what = "key escrow"
    record = check_record(
        parse_canonical_json(data, what=what, limit_bytes=ESCROW_LIMIT_BYTES),
        what=what,
        kind=ESCROW_KIND,
        keys=frozenset({"v", "kind", "at", "public", "sealed"}),
    )
    return KeyEscrow(
        at=parse_at(record["at"], what=what),
        public=check_hash(record["public"], what=what, field="public"),
        sealed=decode_base64(check_text(record["sealed"], what=what, field="sealed"), what=what),
    )


def format_escrowed_keys(keys: dict[str, bytes]) -> bytes:
    """Write what an escrow seals: from object id, 32 hex digits, to its 32-byte key.

    Raises:
        FormatError: an id or key of another shape; better now than on the day it is opened.
    """
    for object_id, key in keys.items():
        check_text(object_id, what="escrowed keys", field="object", pattern=HEX_16_BYTES)
        if len(key) != 32:
            raise FormatError("escrowed keys", f"{object_id}: expected a key of 32 bytes, got {len(key)}")
    return canonical_json({object_id: key.hex() for object_id, key in keys.items()})


def parse_escrowed_keys(data: bytes) -> dict[str, bytes]:
    """Read what an escrow seals.

    Raises:
        FormatError: not canonical, or a malformed id or key.
    """
    what = "escrowed keys"
    record = parse_canonical_json(data, what=what, limit_bytes=ESCROW_LIMIT_BYTES)
    if type(record) is not dict:
        raise FormatError(what, f"expected an object, got {type(record).__name__}")
    return {
        check_text(object_id, what=what, field="object", pattern=HEX_16_BYTES): check_hash(
            key, what=what, field="key"
        )
        for object_id, key in record.items()
    }


def format_backup_facts(facts: BackupFacts) -> bytes:
    """Write backup.json.

    Raises:
        FormatError: a field that parse_backup_facts would refuse.
    """
    data = canonical_json(
        {
            "v": 1,
            "kind": BACKUP_KIND,
            "at": format_at(facts.at),
            "origin": facts.origin,
            "log_size": facts.log_size,
            "root": facts.root.hex(),
            "tool": facts.tool,
        }
    )
    parse_backup_facts(data)
    return data


def parse_backup_facts(data: bytes) -> BackupFacts:
    """Read backup.json.

    Raises:
        FormatError: not canonical, or a malformed field.
    """
    what = "backup.json"
    record = check_record(
        parse_canonical_json(data, what=what, limit_bytes=65_536),
        what=what,
        kind=BACKUP_KIND,
        keys=frozenset({"v", "kind", "at", "origin", "log_size", "root", "tool"}),
    )
    return BackupFacts(
        at=parse_at(record["at"], what=what),
        origin=check_text(record["origin"], what=what, field="origin", pattern=KEY_NAME),
        log_size=check_count(record["log_size"], what=what, field="log_size"),
        root=check_hash(record["root"], what=what, field="root"),
        tool=check_text(record["tool"], what=what, field="tool", pattern=LINE),
    )

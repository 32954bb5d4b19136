"""Decide what a restore does, before anything is changed.

Elsewhere, into an empty directory, a new log begins: its private key is in no backup. In place, where the keys are,
the same log goes on only if the backup is as far as the last checkpoint that was signed here; the store of last
checkpoints, which no backup replaces, says how far that is.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview.formats.canonical import parse_canonical_json
from plainview.formats.checkpoint import Checkpoint
from plainview.formats.errors import FormatError
from plainview.formats.merkle import EMPTY_ROOT
from plainview.formats.note import parse_vkey
from plainview.formats.recovery import parse_backup_facts, parse_escrow, parse_recovery_key
from plainview.pipeline import installation as premises
from plainview.pipeline.backup import DUMP, DUMP_SHA256, FACTS, dump_digest, escrow_path, log_name
from plainview.pipeline.errors import RestoreRefusedError
from plainview.vault.checkpoint_store import CheckpointStore
from plainview.vault.errors import KeyMissingError
from plainview.vault.keys import open_escrow, open_key_store
from plainview.vault.log import TiledLog
from plainview.vault.log_errors import LogReadError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from plainview.formats.recovery import BackupFacts


@dataclass(frozen=True)
class RestoreOrder:
    """What was asked for.

    Attributes:
        data: the directory to restore into; locked.
        backup: the backup; None lets the database that is there go on, under a new log.
        recovery_file: the recovery key; only elsewhere.
        escrow_file: the sealed keys; None looks beside the backup.
        reason: why a new log begins, in words; None asks that the old one go on.
    """

    data: Path
    backup: Path | None
    recovery_file: Path | None
    escrow_file: Path | None
    reason: str | None


@dataclass(frozen=True)
class Decision:
    """What a restore under way does, as the file in the data directory says, so that a second try does the same.

    Attributes:
        is_elsewhere: whether the directory was empty.
        backup_sha256: of backup.json, 64 hex digits; empty without a backup.
        aside: what pg is renamed to; empty where there was none, or it stays.
        epoch: the log that will be running.
        is_new_epoch: whether that one begins now.
        reason: why, in words.
        old_origin: the log before it.
        old_size: its entries, as far as anybody here knows.
        old_root: its root, 64 hex digits.
    """

    is_elsewhere: bool
    backup_sha256: str
    aside: str
    epoch: int
    is_new_epoch: bool
    reason: str
    old_origin: str
    old_size: int
    old_root: str


@dataclass(frozen=True)
class Plan:
    """A restore that was checked as far as it can be before anything is changed.

    Attributes:
        data: where to.
        backup: where from, or None.
        facts: what backup.json says, or None.
        keys: every object's key, elsewhere; None in place.
        recovery_public: whose recovery key opens new escrows, elsewhere; empty in place.
        decision: what will be done.
    """

    data: Path
    backup: Path | None
    facts: BackupFacts | None
    keys: Mapping[str, bytes] | None
    recovery_public: bytes
    decision: Decision


def plan_restore(order: RestoreOrder, *, now: datetime) -> Plan:
    """Check what can be checked and decide what to do; nothing is changed.

    Raises:
        RestoreRefusedError: something is missing, does not belong together, or would let the log contradict itself.
        FormatError: backup.json, the escrow or the recovery key is damaged.
        VaultError: the recovery key does not open the escrow, or the checkpoint store cannot be read.
    """
    begun = _read_decision(order.data)
    facts, digest = _read_backup(order.backup)
    if begun is not None:
        if begun.backup_sha256 != digest:
            raise RestoreRefusedError(
                f"Another restore into {order.data} was interrupted. Nothing was changed. Run that one again, from the "
                "same backup as it was, to its end."
            )
        return _complete(order, facts, begun)
    if (order.data / premises.KEYS).exists():
        return _complete(order, facts, _decide_in_place(order, facts, digest, now))
    return _complete(order, facts, _decide_elsewhere(order, facts, digest))


def _read_backup(backup: Path | None) -> tuple[BackupFacts | None, str]:
    if backup is None:
        return None, ""
    if not (backup / FACTS).is_file() or not (backup / DUMP).is_file():
        raise RestoreRefusedError(
            f"{backup} is no finished backup: expected {FACTS} and {DUMP} in it. Nothing was changed. If it was "
            "interrupted while it was made, make it again, or take an older one."
        )
    if not (backup / DUMP_SHA256).is_file() or dump_digest(backup) != (backup / DUMP_SHA256).read_bytes():
        raise RestoreRefusedError(
            f"{backup / DUMP} is not what was written: its SHA-256 is not the one in {DUMP_SHA256}. Nothing was changed. "
            "Take another backup."
        )
    data = (backup / FACTS).read_bytes()
    return parse_backup_facts(data), hashlib.sha256(data).hexdigest()


def _complete(order: RestoreOrder, facts: BackupFacts | None, decision: Decision) -> Plan:
    if not decision.is_elsewhere:
        return Plan(order.data, order.backup, facts, None, b"", decision)
    assert order.backup is not None
    if order.recovery_file is None:
        raise RestoreRefusedError(
            f"{order.data} has no keys, so this is a restore on another machine, and the keys come out of the escrow. "
            "Nothing was changed. Give the recovery key: --recovery-key FILE"
        )
    escrow_file = order.escrow_file or escrow_path(order.backup)
    if not escrow_file.is_file():
        raise RestoreRefusedError(
            f"{escrow_file} is not there. Nothing was changed. It holds every object's key, sealed, and is written "
            "beside each backup; say where it lies: --keys FILE"
        )
    recovery = parse_recovery_key(order.recovery_file.read_bytes())
    keys = open_escrow(parse_escrow(escrow_file.read_bytes()), recovery)
    return Plan(order.data, order.backup, facts, keys, recovery.public, decision)


def _decide_elsewhere(order: RestoreOrder, facts: BackupFacts | None, digest: str) -> Decision:
    if facts is None:
        raise RestoreRefusedError(f"{order.data} holds nothing that could go on. Name a backup to restore.")
    left = {path.name for path in order.data.iterdir()} - {"lock"}
    if left:
        raise RestoreRefusedError(
            f"{order.data} has no keys and is not empty ({', '.join(sorted(left)[:3])}). Nothing was changed. Name a "
            "directory that does not exist yet: --data DIR"
        )
    if order.reason is None:
        raise RestoreRefusedError(
            "A backup does not hold the key that signs the custody log, so a restored log begins anew and names the "
            "old one's size and root. Nothing was changed. Say why, for ever: --new-epoch REASON"
        )
    return Decision(
        is_elsewhere=True,
        backup_sha256=digest,
        aside="",
        epoch=_epoch_of(facts.origin) + 1,
        is_new_epoch=True,
        reason=order.reason,
        old_origin=facts.origin,
        old_size=facts.log_size,
        old_root=facts.root.hex(),
    )


def _decide_in_place(order: RestoreOrder, facts: BackupFacts | None, digest: str, now: datetime) -> Decision:
    data = order.data
    known = _newest_log(data, facts)
    aside = f"pg.replaced-{now:%Y%m%dT%H%M%SZ}" if facts is not None and (data / "pg").exists() else ""
    can_go_on = facts is not None and _is_where_it_stopped(data, facts, known)
    if order.reason is None and not can_go_on:
        raise RestoreRefusedError(_why_not(data, facts, known))
    is_new = order.reason is not None
    return Decision(
        is_elsewhere=False,
        backup_sha256=digest,
        aside=aside,
        epoch=_epoch_of(known.origin) + is_new,
        is_new_epoch=is_new,
        reason=order.reason or "",
        old_origin=known.origin,
        old_size=known.size,
        old_root=known.root.hex(),
    )


def _why_not(data: Path, facts: BackupFacts | None, known: Checkpoint) -> str:
    if facts is None:
        return (
            "Without a backup, the database that is here can only go on under a new log. Nothing was changed. Say "
            "why, for ever: --new-epoch REASON"
        )
    return (
        f"The backup holds {facts.log_size} entries of {facts.origin}; what was last signed in {data}, as far as is "
        f"known, is {known.origin} with {known.size}, root {known.root.hex()}. Going on from the backup could "
        "contradict that. Nothing was changed. Take the newest backup, or begin a new log that names the gap: "
        "--new-epoch REASON"
    )


def _is_where_it_stopped(data: Path, facts: BackupFacts, known: Checkpoint) -> bool:
    """Say whether a backup is exactly what was last signed here, by the store that no backup can replace."""
    signed = Checkpoint(facts.origin, facts.log_size, facts.root)
    last = _last_signed(data, facts.origin)
    return last == signed == known and _has_signing_key(data, facts.origin)


def _has_signing_key(data: Path, origin: str) -> bool:
    keys = open_key_store(data / premises.KEYS)
    try:
        keys.secret(f"log/{origin}")
    except KeyMissingError:
        return False
    finally:
        keys.close()
    return True


def _newest_log(data: Path, facts: BackupFacts | None) -> Checkpoint:
    """Return the newest checkpoint that store, files or backup know of: the larger where they differ."""
    origins = _origins_here(data)
    names = {log_name(origin) for origin in origins}
    if facts is not None and log_name(facts.origin) not in names:
        raise RestoreRefusedError(
            f"The backup is of {facts.origin}, and {data} belongs to {', '.join(sorted(names)) or 'no log'}. Nothing "
            "was changed. Restore it into a directory that does not exist yet: --data DIR"
        )
    if facts is not None:
        origins |= {facts.origin}
    if not origins:
        raise RestoreRefusedError(f"{data} holds no custody log that could go on. Nothing was changed.")
    name = log_name(facts.origin if facts else max(origins, key=_epoch_of))
    last = max(_epoch_of(origin) for origin in origins if log_name(origin) == name)
    known = Checkpoint(f"{name}/custody/{last}", 0, EMPTY_ROOT)
    for epoch in range(1, last + 2):
        found = _largest_known(data, f"{name}/custody/{epoch}", facts)
        known = found if found is not None and found.size else known
    return known


def _largest_known(data: Path, origin: str, facts: BackupFacts | None) -> Checkpoint | None:
    found = [_last_signed(data, origin), _published(data, origin)]
    if facts is not None and facts.origin == origin:
        found.append(Checkpoint(origin, facts.log_size, facts.root))
    return max((each for each in found if each), key=lambda each: each.size, default=None)


def _last_signed(data: Path, origin: str) -> Checkpoint | None:
    path = data / premises.CHECKPOINTS
    # Opening it would make one; whether it is lost is what is asked here.
    last = CheckpointStore(path).last(origin) if path.exists() else None
    return last[0] if last else None


def _published(data: Path, origin: str) -> Checkpoint | None:
    try:
        published = TiledLog(premises.log_folder(data, _epoch_of(origin)), origin=origin).published()
    except LogReadError:
        return None
    return published[0] if published else None


def _origins_here(data: Path) -> set[str]:
    """Return the logs that this directory trusts; the keys are pinned when a log is first opened."""
    try:
        return {parse_vkey(text).name for text in premises.pinned_keys(data)}
    except FormatError as error:
        raise RestoreRefusedError(
            f"{data / premises.TRUST}: {error}. Nothing was changed. Remove the damaged file; it is made again."
        ) from error


def _epoch_of(origin: str) -> int:
    number = origin.rpartition("/custody/")[2]
    if not number.isdecimal() or not int(number):
        raise RestoreRefusedError(f"{origin} is no name of a custody log: expected NAME/custody/NUMBER.")
    return int(number)


def _read_decision(data: Path) -> Decision | None:
    path = data / premises.RESTORING
    if not path.exists():
        return None
    return Decision(**parse_canonical_json(path.read_bytes(), what=premises.RESTORING, limit_bytes=65_536))

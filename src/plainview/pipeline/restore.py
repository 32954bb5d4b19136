"""Bring an installation back from a backup, and let its custody log go on without ever contradicting itself.

Elsewhere, the log's private key being in no backup, a new log begins, an epoch, whose first leaf names the old one's
size and root. In place, where the keys survived and the database did not, the same log goes on if it can; see
restore_plan.

A file in the data directory says what is under way; until it is gone every other command is refused, and the same
restore again goes on where it was stopped (docs/adr/0007-backup-restore-epochs.md).
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from django.db import transaction

from plainview.custody.queries import leaf_count, leaf_root
from plainview.custody.record import Actor, record
from plainview.custody.sequence import (
    all_epochs,
    assign_restored,
    mark_restored,
    publish_pending,
    running_epoch,
)
from plainview.evidence import queries
from plainview.evidence.actions import skip_recording_numbers
from plainview.formats.canonical import canonical_json
from plainview.formats.checkpoint import Checkpoint
from plainview.formats.note import format_vkey, parse_vkey
from plainview.pipeline import installation as premises
from plainview.pipeline.backup import DUMP, FACTS, copy_logs, log_name, object_path
from plainview.pipeline.errors import RestoreRefusedError
from plainview.service.files import publish_file, sync_folder, write_private_file
from plainview.vault.audit import audit_log
from plainview.vault.errors import ObjectMissingError
from plainview.vault.keys import create_key_store, open_key_store
from plainview.vault.local import LocalStore, create_local_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from plainview.custody.sequence import LogSigner
    from plainview.evidence.rules import OriginalFacts
    from plainview.pipeline.restore_plan import Plan
    from plainview.vault.keys import KeyStore

PIECE_BYTES = 4 << 20
# What a restore into an empty directory makes there; what is removed if it is refused.
MADE_ELSEWHERE = ("pg", "pg.new", "service", premises.KEYS, "keys.new", premises.OBJECTS, premises.LOG)
MADE_ELSEWHERE_FILES = (premises.CHECKPOINTS, f"{premises.CHECKPOINTS}-journal")
# Recordings received after the backup have identifiers that nobody here knows of: none of them is given again.
NUMBERS_SKIPPED = 100_000


@dataclass
class Restored:
    """What became of it.

    Attributes:
        origin: the running log.
        vkey: its public key, to publish.
        is_new_epoch: whether it began now.
        copied: objects that were copied, of copied_bytes.
        damaged: object id and problem of each that the backup could not give back.
        keyless: objects for which there is no key: they cannot be read.
        aside: where the database that was there lies now; empty where there was none.
    """

    origin: str
    vkey: str
    is_new_epoch: bool
    copied: int = 0
    copied_bytes: int = 0
    damaged: list[tuple[str, str]] = field(default_factory=list)
    keyless: list[str] = field(default_factory=list)
    aside: str = ""


def begin_restore(plan: Plan) -> None:
    """Say what is under way, put the old database aside, and bring the keys; safe to repeat."""
    data, decision = plan.data, plan.decision
    write_private_file(data / premises.RESTORING, canonical_json(asdict(decision)))
    if decision.aside and not (data / decision.aside).exists():
        publish_file(data / "pg", data / decision.aside)
    if plan.keys is None:
        return
    if (data / premises.KEYS).exists():
        keys = open_key_store(data / premises.KEYS)
    else:
        keys = create_key_store(data / premises.KEYS, recovery_public=plan.recovery_public)
    keys.put_object_keys(plan.keys)
    keys.close()


def undo_restore(plan: Plan) -> None:
    """Leave the directory as it was found; only while its database is stopped, and before finish_restore."""
    data, decision = plan.data, plan.decision
    is_pg_ours = decision.is_elsewhere or (plan.backup is not None and not decision.aside)
    if is_pg_ours or (decision.aside and (data / decision.aside).exists()):
        shutil.rmtree(data / "pg", ignore_errors=True)
    if decision.aside and (data / decision.aside).exists():
        publish_file(data / decision.aside, data / "pg")
    if decision.is_elsewhere:
        for name in MADE_ELSEWHERE:
            shutil.rmtree(data / name, ignore_errors=True)
        for name in MADE_ELSEWHERE_FILES:
            (data / name).unlink(missing_ok=True)
    (data / premises.RESTORING).unlink(missing_ok=True)
    sync_folder(data)


def check_database(plan: Plan) -> None:
    """Check that the restored rows and the backup's logs are what backup.json says.

    Raises:
        RestoreRefusedError: they are not.
    """
    if plan.facts is None or plan.backup is None:
        return
    facts = plan.facts
    epoch = next((each for each in all_epochs() if each.origin == facts.origin), None)
    if epoch is None or leaf_root(epoch.epoch, facts.log_size) != facts.root:
        raise RestoreRefusedError(
            f"{plan.backup / DUMP} does not hold the {facts.log_size} entries of {facts.origin} that {FACTS} names: "
            "they do not belong together, or one was altered. Nothing was changed. Take another backup."
        )
    _check_pinned(plan, epoch.vkey)
    report = audit_log(
        premises.log_folder(plan.backup, epoch.epoch),
        keys=[parse_vkey(epoch.vkey)],
        known=Checkpoint(facts.origin, facts.log_size, facts.root),
    )
    if not report.is_sound:
        first = report.findings[0]
        raise RestoreRefusedError(
            f"{premises.log_folder(plan.backup, epoch.epoch) / first.path}: {first.problem}. Nothing was changed. "
            "Take another backup."
        )


def _check_pinned(plan: Plan, vkey: str) -> None:
    key = parse_vkey(vkey)
    pinned = {parse_vkey(text) for text in premises.pinned_keys(plan.data)}
    if key not in pinned and any(each.name == key.name for each in pinned):
        raise RestoreRefusedError(
            f"The backup says {key.name} was signed by {vkey}; {plan.data / premises.TRUST} holds another key for it. "
            "Nothing was changed. Find out which is right before you go on."
        )


def finish_restore(
    plan: Plan,
    *,
    actor: Actor,
    now: datetime,
    on_total: Callable[[int], None] = lambda _: None,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> Restored:
    """Bring logs and objects, and let the log go on; safe to repeat until it returns.

    Raises:
        LogError: the log cannot be published.
        OSError, StoreError: the disk is full or broken.
    """
    data, decision = plan.data, plan.decision
    store = create_local_store(data / premises.OBJECTS)
    store.sweep()
    keys = open_key_store(data / premises.KEYS)
    done = Restored("", "", decision.is_new_epoch, aside=decision.aside)
    if plan.backup is not None:
        _bring_logs(plan)
        _bring_objects(plan.backup, store, done, on_total, on_bytes)
    signer = _go_on(plan, keys, actor=actor, now=now)
    publish_pending(signer)
    while assign_restored(running_epoch()):
        publish_pending(signer)
    known_keys = set(keys.object_ids())
    done.keyless = sorted(queries.known_object_ids() - known_keys)
    done.origin, done.vkey = signer.log.origin, format_vkey(signer.key)
    for epoch in all_epochs():
        premises.pin_key(data, parse_vkey(epoch.vkey))
    keys.close()
    (data / premises.RESTORING).unlink()
    sync_folder(data)
    return done


def _bring_logs(plan: Plan) -> None:
    """Copy what is missing of each log; one that is here and may be ahead of the backup is left alone."""
    assert plan.backup is not None
    source = plan.backup / premises.LOG
    for folder in sorted(source.iterdir()):
        target = plan.data / premises.LOG / folder.name
        is_ahead = plan.decision.is_new_epoch and not plan.decision.is_elsewhere
        if not (is_ahead and (target / "checkpoint").exists()):
            target.mkdir(mode=0o700, parents=True, exist_ok=True)
            copy_logs(folder, target, is_mirror=False)
    sync_folder(plan.data / premises.LOG)


def _bring_objects(
    backup: Path,
    store: LocalStore,
    done: Restored,
    on_total: Callable[[int], None],
    on_bytes: Callable[[int], None],
) -> None:
    originals = [original.facts for original in queries.all_originals()]
    missing = [facts for facts in originals if _size_in(store, facts.object_id) != facts.object_bytes]
    on_total(sum(facts.object_bytes for facts in missing))
    for facts in missing:
        problem = _bring_object(object_path(backup / premises.OBJECTS, facts), store, facts, on_bytes)
        if problem:
            done.damaged.append((facts.object_id, problem))
        else:
            done.copied += 1
            done.copied_bytes += facts.object_bytes


def _size_in(store: LocalStore, object_id: str) -> int | None:
    try:
        return store.size(object_id)
    except ObjectMissingError:
        return None


def _bring_object(
    source: Path, store: LocalStore, facts: OriginalFacts, on_bytes: Callable[[int], None]
) -> str | None:
    """Copy one object into the store; return what is wrong with it, or None."""
    try:
        file = source.open("rb", buffering=0)
    except FileNotFoundError:
        return "it is missing from the backup"
    digest = hashlib.sha256()
    with file:
        if _size_in(store, facts.object_id) is not None:
            store.delete(facts.object_id)
        with store.create(facts.object_id) as writer:
            while piece := file.read(PIECE_BYTES):
                digest.update(piece)
                writer.write(piece)
                on_bytes(len(piece))
            if digest.hexdigest() != facts.object_sha256:
                return f"the backup's copy has SHA-256 {digest.hexdigest()}, expected {facts.object_sha256}"
            writer.commit()
    return None


def _go_on(plan: Plan, keys: KeyStore, *, actor: Actor, now: datetime) -> LogSigner:
    """Record what happened, and begin a new log if it was decided so; once, however often it is tried."""
    decision = plan.decision
    if running_epoch().epoch == decision.epoch and decision.is_new_epoch:
        return premises.open_signer(plan.data, keys)
    if decision.is_new_epoch:
        skip_recording_numbers(NUMBERS_SKIPPED)
    with transaction.atomic():
        # First: from here on acts are ordered anew, whatever transaction numbers came with the dump.
        mark_restored(now=now)
        signer = (
            _begin_epoch(plan, keys, actor, now)
            if decision.is_new_epoch
            else premises.open_signer(plan.data, keys)
        )
        if plan.facts is not None:
            facts: dict[str, str | int] = {
                "origin": plan.facts.origin,
                "size": plan.facts.log_size,
                "root": plan.facts.root.hex(),
            }
            record("backup.restored", object="backup", actor=actor, now=now, facts=facts)
    return signer


def _begin_epoch(plan: Plan, keys: KeyStore, actor: Actor, now: datetime) -> LogSigner:
    decision = plan.decision
    before = running_epoch()
    restored = leaf_count(before.epoch) if before.origin == decision.old_origin else 0
    facts: dict[str, str | int] = {
        "old_origin": decision.old_origin,
        "old_size": decision.old_size,
        "old_root": decision.old_root,
    }
    if restored != decision.old_size:
        facts["restored_size"] = restored
    return premises.begin_log(
        plan.data,
        keys,
        epoch=decision.epoch,
        name=log_name(decision.old_origin),
        act="log.epoch",
        facts=facts,
        detail={"reason": decision.reason},
        actor=actor,
        now=now,
    )

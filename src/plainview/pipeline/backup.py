"""Copy an installation to a folder: the database, the custody logs and the ciphertext; never a key.

    DEST/backup.json      written last: without it there is no backup
    DEST/database.dump    pg_dump's custom format, which notices few of the bits that flip in it; hence
    DEST/database.dump.sha256
    DEST/log/1/...        the logs of all epochs
    DEST/objects/7d/...   the ciphertext, as it lies in the data directory
    DEST.keys             every object's key, sealed to the recovery key: one generation, replaced whole

The escrow lies beside the backup and not in it, so that copies of old backups do not bring back keys that were
destroyed since (docs/adr/0007-backup-restore-epochs.md).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import transaction

from plainview import __version__
from plainview.custody.record import record
from plainview.custody.sequence import sequencing_paused
from plainview.evidence import queries
from plainview.formats.recovery import (
    BackupFacts,
    format_backup_facts,
    format_escrow,
    parse_backup_facts,
)
from plainview.pipeline.copies import copy_file, files_in, make_folder, sync_folders
from plainview.pipeline.errors import BackupRefusedError, CopyDiffersError
from plainview.pipeline.installation import LOG, OBJECTS, publish
from plainview.service.dump import dump_database
from plainview.service.files import sync_folder, write_private_file
from plainview.vault.keys import seal_escrow

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from plainview.custody.record import Actor
    from plainview.evidence.rules import OriginalFacts
    from plainview.formats.checkpoint import Checkpoint
    from plainview.pipeline.installation import Installation

TOOL = f"plainview {__version__}"
FACTS = "backup.json"
# What says that a folder is ours while it is not whole.
UNFINISHED_FACTS = "backup.unfinished.json"
DUMP = "database.dump"
DUMP_SHA256 = "database.dump.sha256"
ESCROW_SUFFIX = ".keys"
CHECKPOINT = "checkpoint"
INCOMING = ".incoming/"


@dataclass(frozen=True)
class BackupJob:
    """One backup to be made.

    Attributes:
        installation: of what; settled, with the data directory's lock held by us or by a server.
        owner_dsn: the database, as its owner.
        folder: where; absolute.
        actor: who asked.
        now: when.
        on_total: told how many bytes of objects there are to copy.
        on_bytes: told how many bytes were copied in each step.
    """

    installation: Installation
    owner_dsn: str
    folder: Path
    actor: Actor
    now: datetime
    on_total: Callable[[int], None] = lambda _: None
    on_bytes: Callable[[int], None] = lambda _: None


@dataclass
class Backup:
    """What became of it.

    Attributes:
        facts: what backup.json says.
        escrow: where the sealed keys lie.
        copied: how many objects were copied, of copied_bytes.
        kept: how many were there already.
        removed: how many were there that no record names any more.
        damaged: object id and problem of each that could not be copied; the data directory needs fsck.
    """

    facts: BackupFacts
    escrow: Path
    copied: int = 0
    copied_bytes: int = 0
    kept: int = 0
    removed: int = 0
    damaged: list[tuple[str, str]] = field(default_factory=list)


def make_backup(job: BackupJob) -> Backup:
    """Make a backup, or bring an earlier one in the same folder up to date.

    Interrupted anywhere, the folder holds no backup, and the same call again makes it one. An object that cannot be
    read is reported and left out, or stays as an earlier backup has it: the rest is worth having.

    Raises:
        BackupRefusedError: the folder holds something else, another installation's backup, or lies inside the data.
        LogError: the act could not be published; nothing was written.
        DumpError: the database could not be copied.
        KeyStoreError: a key does not open, so the escrow would not be whole.
        OSError: the disk is full or broken.
    """
    _check_place(job)
    # While a server runs: the copy of the log must not be ahead of the copy of the rows.
    with sequencing_paused():
        checkpoint = _record_act(job)
        facts = BackupFacts(
            at=job.now, origin=checkpoint.origin, log_size=checkpoint.size, root=checkpoint.root, tool=TOOL
        )
        _begin(job.folder, facts)
        dump_database(job.owner_dsn, job.folder / DUMP)
        write_private_file(job.folder / DUMP_SHA256, dump_digest(job.folder))
        copy_logs(job.installation.data / LOG, job.folder / LOG, is_mirror=True)
    done = Backup(facts, escrow_path(job.folder))
    _copy_objects(job, done)
    escrow = seal_escrow(job.installation.keys, now=job.now)
    write_private_file(done.escrow, format_escrow(escrow))
    write_private_file(job.folder / FACTS, format_backup_facts(facts))
    (job.folder / UNFINISHED_FACTS).unlink()
    sync_folder(job.folder)
    return done


def dump_digest(backup: Path) -> bytes:
    """Return the line that sha256sum writes of a backup's dump."""
    with (backup / DUMP).open("rb") as file:
        return f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {DUMP}\n".encode()


def escrow_path(backup: Path) -> Path:
    """Return where the sealed keys of a backup lie: beside it."""
    return backup.with_name(backup.name + ESCROW_SUFFIX)


def read_facts(backup: Path) -> BackupFacts | None:
    """Return what a backup says of itself, or None where the folder holds no finished backup.

    Raises:
        FormatError: backup.json is damaged.
    """
    path = backup / FACTS
    return parse_backup_facts(path.read_bytes()) if path.is_file() else None


def log_name(origin: str) -> str:
    """Return what all epochs of a log share: the part of its origin before "/custody/"."""
    return origin.rpartition("/custody/")[0]


def _check_place(job: BackupJob) -> None:
    folder, data = job.folder.resolve(), job.installation.data.resolve()
    if folder.is_relative_to(data) or data.is_relative_to(folder):
        raise BackupRefusedError(
            f"{job.folder} and the data directory lie in each other. Nothing was written. Name a folder elsewhere, "
            "best on another disk."
        )
    if folder.is_mount():
        raise BackupRefusedError(
            f"{job.folder} is a whole disk, and the sealed keys lie beside a backup. Nothing was written. Name a folder "
            f"on it: {job.folder / 'plainview'}"
        )
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    known = _claimed(job.folder)
    if known is None:
        raise BackupRefusedError(
            f"{job.folder} exists and is no backup. Nothing was written. Name a new folder, or an earlier backup to "
            "bring up to date."
        )
    if log_name(known.origin) != log_name(job.installation.signer.key.name):
        raise BackupRefusedError(
            f"{job.folder} is a backup of {known.origin}, this is {job.installation.signer.key.name}. Nothing was "
            "written. Name another folder."
        )


def _claimed(folder: Path) -> BackupFacts | None:
    """Return whose backup a folder is, finished or not."""
    unfinished = folder / UNFINISHED_FACTS
    if unfinished.is_file():
        return parse_backup_facts(unfinished.read_bytes())
    return read_facts(folder) if folder.is_dir() else None


def _record_act(job: BackupJob) -> Checkpoint:
    """Put the backup into the log, so that the copy holds its own act; return the checkpoint over it."""
    publish(job.installation)
    with transaction.atomic():
        record(
            "backup.made", object="backup", actor=job.actor, now=job.now, detail={"folder": _text(job.folder)}
        )
    publish(job.installation)
    published = job.installation.signer.log.published()
    assert published is not None, "it was published just now"
    return published[0]


def _text(path: Path) -> str:
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")


def _begin(folder: Path, facts: BackupFacts) -> None:
    """Say whose folder this is, and take away what says that it is whole."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private_file(folder / UNFINISHED_FACTS, format_backup_facts(facts))
    (folder / FACTS).unlink(missing_ok=True)
    sync_folder(folder)
    sync_folder(folder.parent)


def copy_logs(source: Path, target: Path, *, is_mirror: bool) -> None:
    """Copy the files of all logs that are missing; tiles first, each checkpoint after them.

    Args:
        source: the folder that holds a folder for each epoch.
        target: its copy; made if need be.
        is_mirror: whether a checkpoint that is there is replaced, and what source does not have is removed.
    """
    make_folder(target, below=target.parent)
    wanted = sorted((path for path in files_in(source) if INCOMING not in path), key=_tiles_first)
    folders = {target}
    for path in wanted:
        is_replaced = is_mirror and _is_checkpoint(path)
        if is_replaced or not _has_size(target / path, (source / path).stat().st_size):
            if is_replaced:
                # Whatever the checkpoint covers is durable before it is.
                sync_folders(folders, below=target)
            make_folder((target / path).parent, below=target)
            copy_file(source / path, target / path)
            folders.add((target / path).parent)
    if is_mirror:
        for path in set(files_in(target)) - set(wanted):
            (target / path).unlink()
    sync_folders(folders, below=target)


def _is_checkpoint(path: str) -> bool:
    return path.rpartition("/")[2] == CHECKPOINT


def _tiles_first(path: str) -> tuple[bool, str]:
    return _is_checkpoint(path), path


def _has_size(path: Path, size_bytes: int) -> bool:
    try:
        return path.stat().st_size == size_bytes
    except FileNotFoundError:
        return False


def _copy_objects(job: BackupJob, done: Backup) -> None:
    """Copy the objects that the records name, and remove those that they name no more."""
    target = job.folder / OBJECTS
    make_folder(target, below=job.folder)
    originals = [original.facts for original in queries.all_originals()]
    missing = [facts for facts in originals if not _has_size(object_path(target, facts), facts.object_bytes)]
    done.kept = len(originals) - len(missing)
    job.on_total(sum(facts.object_bytes for facts in missing))
    folders = {target}
    for facts in missing:
        _copy_object(job, facts, object_path(target, facts), done)
        folders.add(object_path(target, facts).parent)
    named = {str(object_path(target, facts).relative_to(target)) for facts in originals}
    for path in set(files_in(target)) - named:
        (target / path).unlink()
        folders.add((target / path).parent)
        done.removed += 1
    sync_folders(folders, below=target)


def object_path(objects: Path, facts: OriginalFacts) -> Path:
    """Return where an object lies in a folder of objects."""
    return objects / facts.object_id[:2] / facts.object_id


def _copy_object(job: BackupJob, facts: OriginalFacts, target: Path, done: Backup) -> None:
    make_folder(target.parent, below=job.folder)
    source = object_path(job.installation.store.root, facts)
    try:
        copy_file(source, target, sha256=facts.object_sha256, on_bytes=job.on_bytes)
    except CopyDiffersError as error:
        done.damaged.append((facts.object_id, f"its SHA-256 is {error.found}"))
    except FileNotFoundError:
        done.damaged.append((facts.object_id, "it is missing"))
    else:
        done.copied += 1
        done.copied_bytes += facts.object_bytes

"""A custody log made of database rows: its epoch, its files, and acts to fill it with."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.db import connection, transaction

from plainview.custody.record import Actor, record
from plainview.custody.sequence import LogSigner, entries_from, running_epoch, start_epoch
from plainview.formats.leaf import parse_leaf
from plainview.formats.note import format_vkey
from plainview.vault.checkpoint_store import CheckpointStore
from plainview.vault.log import TiledLog
from simulators.custody_logs import ORIGIN, key_of

START = datetime(2026, 3, 15, 6, 52, 7, 300_000, tzinfo=UTC)
SYSTEM = Actor("system:tests")
CLERK = Actor("user:3f9c0d5b7a1e4c22", session={"address": "192.0.2.7", "factors": ["password", "key"]})


@dataclass(frozen=True)
class LogOfRows:
    """Where a log's files lie, and what signs it."""

    folder: Path
    checkpoint_file: Path
    epoch: int = 1

    @property
    def origin(self):
        return ORIGIN[:-1] + str(self.epoch)

    @property
    def signer(self):
        sign, key = key_of(b"a custody log for tests", self.origin)
        log = TiledLog(self.folder, origin=self.origin)
        return LogSigner(log=log, key=key, sign=sign, checkpoints=CheckpointStore(self.checkpoint_file))

    @property
    def vkey(self):
        return format_vkey(key_of(b"a custody log for tests", self.origin)[1])

    def start(self, *, now=START):
        signer = self.signer
        signer.log.begin(sign=signer.sign, key=signer.key, checkpoints=signer.checkpoints)
        with transaction.atomic():
            start_epoch(epoch=self.epoch, origin=self.origin, vkey=self.vkey, now=now)

    def next_epoch(self, folder):
        return replace(self, folder=folder, epoch=self.epoch + 1)

    def files(self):
        """Return every file of the log: path to bytes."""
        paths = (path for path in self.folder.rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in paths}


def act(word, *, seconds=0, **more):
    """Record one act in a transaction of its own."""
    with transaction.atomic():
        return add(word, seconds=seconds, **more)


def add(word, *, seconds=0, **more):
    """Record one act in the caller's transaction; `word` is its object, by which a test finds it again."""
    return record(
        "recording.received",
        object=word,
        actor=SYSTEM,
        now=START + timedelta(seconds=seconds),
        facts={"size_bytes": 2_411_585},
        **more,
    )


def objects_in_log(epoch=None):
    """Return what the leaves that have an index say they are about, in order."""
    return [parse_leaf(entry).object for entry in entries_from(epoch or running_epoch(), 0)]


def ask(statement, *values):
    """Return the rows of a statement, as the app's role."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else cursor.rowcount


def last_act():
    """Return the newest act with its words: a record of columns."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.*, w.session_salt, w.session AS session_words, w.detail_salt, w.detail AS detail_words "
            "FROM custody_act a LEFT JOIN custody_words w ON w.act_id = a.id ORDER BY a.id DESC LIMIT 1"
        )
        names = [column.name for column in cursor.description]
        return dict(zip(names, cursor.fetchone(), strict=True))

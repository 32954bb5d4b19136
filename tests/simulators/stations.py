"""A small installation that has seen a little of everything, and ways to damage a copy of it."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sqlite3
from typing import TYPE_CHECKING

import psycopg

from simulators.offered_files import footage
from simulators.program import database_of, ingest, plainview
from simulators.service_processes import copy_data

if TYPE_CHECKING:
    from pathlib import Path

LOG_NAME = "station.example"
# What a superuser can do that no trigger sees.
UNSEEN = "set session_replication_role = replica"
# Transaction numbers that a fresh database has not reached yet.
USE_TRANSACTIONS = "do $$ begin for i in 1..3000 loop perform pg_current_xact_id(); commit; end loop; end $$"


@dataclasses.dataclass(frozen=True)
class Station:
    """Where everything of one installation lies."""

    root: Path

    @property
    def data(self):
        return self.root / "data"

    @property
    def recovery_key(self):
        return self.root / "recovery-key.json"

    @property
    def backup(self):
        return self.root / "kept" / "backup"

    @property
    def escrow(self):
        return self.root / "kept" / "backup.keys"

    def copy(self, root):
        """Return a copy that may be damaged; nothing may run on this one."""
        root.mkdir(exist_ok=True)
        if self.backup.parent.exists():
            shutil.copytree(self.backup.parent, root / "kept")
        shutil.copy2(self.recovery_key, root / "recovery-key.json")
        copy_data(self.data, root / "data")
        return Station(root)

    def run(self, *arguments, expect=0):
        """Run a command on the data directory and return what it printed."""
        done = plainview(*arguments, data=self.data)
        assert done.returncode == expect, (done.returncode, done.stdout, done.stderr)
        return done.stdout if expect != 2 else done.stderr

    def ask(self, *arguments, expect=0):
        """Run a command with --json and return its answer."""
        return json.loads(self.run(*arguments, "--json", expect=expect))

    def take_in(self, word):
        """Take in footage that no other word makes, and return its outcome."""
        file = self.root / f"{word}.mp4"
        file.write_bytes(footage(word))
        (outcome,), done = ingest(file, data=self.data)
        assert outcome["status"] == "received", (outcome, done.stderr)
        return outcome

    def check(self, *options):
        """Return what fsck finds: where, and its whole answer."""
        done = plainview("fsck", "--json", *options, data=self.data)
        answer = json.loads(done.stdout)
        assert done.returncode == (0 if answer["sound"] else 1), done
        return {finding["where"] for finding in answer["findings"]}, answer

    def sql(self, statement, *values, role="superuser"):
        """Run a statement on the stopped installation's database; a superuser is bound by nothing."""
        with (
            database_of(self.data) as cluster,
            psycopg.connect(cluster.dsn(role, dbname="plainview"), autocommit=True) as connection,
        ):
            if role == "superuser":
                connection.execute(UNSEEN)
            answer = connection.execute(statement, values or None)
            return answer.fetchall() if answer.description else answer.rowcount

    def restore_elsewhere(self, data, *more, reason="The building burned down."):
        """Restore the backup into a new directory and return its station."""
        there = Station(data.parent)
        there.run(
            "restore",
            self.backup,
            "--recovery-key",
            self.recovery_key,
            "--keys",
            self.escrow,
            "--new-epoch",
            reason,
            *more,
        )
        return there


def make_station(root):
    """Make one: two recordings, a file in quarantine, a package, and a backup of all that."""
    station = Station(root)
    station.run("init", "--recovery-key", station.recovery_key, "--log-name", LOG_NAME)
    first = station.take_in("first")
    station.take_in("second")
    (root / "notes.mp4").write_text("This is no footage.")
    (outcome,), _ = ingest(root / "notes.mp4", data=station.data)
    assert outcome["status"] == "quarantined"
    station.run("export", first["recording"], "-o", root / "package")
    station.sql(USE_TRANSACTIONS)
    station.take_in("third")
    station.run("backup", station.backup)
    return station


def public_key(station):
    return station.run("keys").strip()


def flip(path, needle=None):
    """Flip one bit in a file: in the middle of it, or of these bytes."""
    whole = bytearray(path.read_bytes())
    start = 0 if needle is None else whole.index(needle)
    whole[start + len(needle or whole) // 2] ^= 0x01
    path.chmod(0o600)
    path.write_bytes(whole)


def newest(folder):
    """Return the widest form of a log's unfinished tile or bundle."""
    return max(folder.iterdir(), key=lambda path: int(path.name))


def stored_in(database, query):
    """Return the first value that an SQLite file holds for a query, as its bytes lie in the file."""
    connection = sqlite3.connect(database)
    (value,) = connection.execute(query).fetchone()
    connection.close()
    return value.encode() if isinstance(value, str) else value

"""The last signed checkpoint of each log, apart from the database and from every backup (D14).

A restored backup cannot restore this file, so a log that was rolled back is noticed before it signs.
Never copy, edit or restore it.

Source: the operating rules of the Sunlight and Tessera logs.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from plainview.formats.checkpoint import Checkpoint, parse_checkpoint
from plainview.formats.errors import FormatError
from plainview.formats.note import parse_note
from plainview.vault.log_errors import CheckpointMovedError, CheckpointStoreError, SplitViewError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APPLICATION_ID = 0x50564350  # "PVCP"
FORMAT_VERSION = 1
BUSY_TIMEOUT_S = 10.0

_CREATE = "CREATE TABLE last_checkpoint (origin TEXT PRIMARY KEY NOT NULL, note TEXT NOT NULL) WITHOUT ROWID"


class CheckpointStore:
    """The last signed checkpoint of each log, in one SQLite file of mode 0600.

    Safe to use from any thread or process: each call opens the file anew.
    """

    def __init__(self, path: Path) -> None:
        """Open the store, making an empty one where there is none; its log then says what is lost.

        Raises:
            CheckpointStoreError: damaged, unreadable, another program's file, or a newer Plainview's.
        """
        self.path = path
        try:
            # Exclusively: closing a second handle to a database would drop the locks SQLite holds on it.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            pass
        except OSError as error:
            raise CheckpointStoreError(path, error.strerror or str(error)) from error
        with self._database() as database:
            self._prepare(database)

    def last(self, origin: str) -> tuple[Checkpoint, str] | None:
        """Return the last checkpoint signed for this log with its signed note, or None.

        Raises:
            CheckpointStoreError: the store cannot be read.
        """
        with self._database() as database:
            return self._last(database, origin)

    def replace(self, origin: str, *, expected: Checkpoint | None, new: Checkpoint, note: str) -> None:
        """Replace the last checkpoint if it is still the expected one; durable on return.

        Args:
            origin: the log.
            expected: what the caller started from; None for a log that never signed.
            new: at least as large; of the same size only with the same root.
            note: the signed form of `new`.

        Raises:
            CheckpointMovedError: the store holds another checkpoint; somebody else was first.
            SplitViewError: `new` is smaller, or has the same size and another root.
            CheckpointStoreError: the note is not that of `new`, or the store cannot be written.
        """
        if new.origin != origin or self._parsed(note) != new:
            raise CheckpointStoreError(self.path, f"the note is not that of {origin} at {new.size} entries")
        with self._database() as database:
            database.execute("BEGIN IMMEDIATE")
            held = self._last(database, origin)
            found = held[0] if held else None
            if found != expected:
                raise CheckpointMovedError(self.path, expected, found)
            if found and (new.size < found.size or (new.size == found.size and new.root != found.root)):
                raise SplitViewError(known=found, offered=new)
            database.execute("INSERT OR REPLACE INTO last_checkpoint VALUES (?, ?)", (origin, note))
            database.execute("COMMIT")

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        # Leaving without COMMIT closes the connection, which rolls back. mode=rw: a store that vanished stays lost.
        where = self.path.absolute().as_uri() + "?mode=rw"
        try:
            connection = sqlite3.connect(where, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)
            with closing(connection) as database:
                # EXTRA also syncs the folder after the rollback journal is gone: a commit stays committed.
                database.execute("PRAGMA synchronous = EXTRA")
                yield database
        except sqlite3.Error as error:
            raise CheckpointStoreError(self.path, str(error)) from error

    def _prepare(self, database: sqlite3.Connection) -> None:
        database.execute("BEGIN IMMEDIATE")
        (application,) = database.execute("PRAGMA application_id").fetchone()
        (version,) = database.execute("PRAGMA user_version").fetchone()
        (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if (application, version, tables) == (0, 0, 0):
            database.execute(_CREATE)
            database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            database.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
        elif application != APPLICATION_ID:
            raise CheckpointStoreError(self.path, "not a checkpoint store")
        elif version != FORMAT_VERSION:
            raise CheckpointStoreError(
                self.path, f"expected format {FORMAT_VERSION}, got {version}; use the newer Plainview"
            )
        damage = [row[0] for row in database.execute("PRAGMA integrity_check")]
        if damage != ["ok"]:
            raise CheckpointStoreError(self.path, f"damaged: {damage[0]}")
        database.execute("COMMIT")

    def _last(self, database: sqlite3.Connection, origin: str) -> tuple[Checkpoint, str] | None:
        row = database.execute("SELECT note FROM last_checkpoint WHERE origin = ?", (origin,)).fetchone()
        return (self._parsed(row[0]), row[0]) if row else None

    def _parsed(self, note: str) -> Checkpoint:
        try:
            return parse_checkpoint(parse_note(note).text)
        except FormatError as error:
            raise CheckpointStoreError(self.path, str(error)) from error

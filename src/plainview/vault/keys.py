"""The key store: each object's key, wrapped by a master key, apart from the database and from every backup.

    keys/master.key    see vault.master
    keys/keys.sqlite   object id -> key wrapped with AES-KW (RFC 3394); name -> secret sealed with AES-256-GCM; and
                       the recovery key's public half, and which master key opens it all

Destroying an object's key destroys the object, in this store and in every backup of the ciphertext. SQLite overwrites
what it deletes (secure_delete), but journals, copy-on-write file systems and solid-state disks may keep old pages.
That residue is wrapped: rotate_master() makes it useless.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import sqlite3
import threading
from typing import TYPE_CHECKING, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from plainview.vault.errors import (
    KeyDamagedError,
    KeyExistsError,
    KeyMissingError,
    KeyStoreCorruptError,
    KeyStoreError,
    KeyStoreExistsError,
    KeyStoreFaultError,
    KeyStoreFullError,
    KeyStoreMissingError,
    MasterKeyCorruptError,
    MasterKeyMissingError,
    WrongMasterKeyError,
)
from plainview.vault.escrow import new_recovery_key, open_escrow, seal_escrow
from plainview.vault.master import (
    MasterKey,
    new_master,
    open_secret,
    overwrite_master,
    prove,
    read_master,
    seal_secret,
    wrapping_key,
    write_master,
)
from plainview.vault.store import check_object_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# The escrow is part of the key store's interface; it is a module of its own only for its length.
__all__ = [
    "KeyStore",
    "create_key_store",
    "new_recovery_key",
    "open_escrow",
    "open_key_store",
    "seal_escrow",
]

KEY_BYTES = 32
SECRET_LIMIT_BYTES = 65_536
SECRET_NAME = re.compile(r"[!-~]{1,255}\Z")


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_SQLITE_FAULTS = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)
_VERSION = 1
_BUSY_S = 30.0
_SCHEMA = """
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL,
    recovery_public BLOB NOT NULL CHECK (length(recovery_public) = 32),
    master_id BLOB NOT NULL CHECK (length(master_id) = 16),
    proof BLOB NOT NULL
);
CREATE TABLE object_keys (object_id TEXT PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE secrets (name TEXT PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID;
"""


def create_key_store(folder: Path, *, recovery_public: bytes) -> KeyStore:
    """Make a key store with a new master key; it is there whole and durable, or not at all.

    Args:
        folder: where; it must not exist, or be empty. Its parent must exist.
        recovery_public: the public half of the recovery key, 32 bytes; key escrows are sealed to it.

    Raises:
        KeyStoreExistsError: there is something in the folder already.
        KeyStoreFullError: no space.
        KeyStoreFaultError: the disk failed.
    """
    beside = folder.with_name(folder.name + ".new")
    with _faults(folder):
        if folder.exists() and any(folder.iterdir()):
            raise KeyStoreExistsError(folder, "there is something here already; nothing was changed")
        if beside.exists():
            shutil.rmtree(beside)
        beside.mkdir(0o700)
        master = new_master()
        write_master(beside / "master.key", master)
        with contextlib.closing(_connect(beside / "keys.sqlite", mode="rwc")) as database:
            database.executescript(_SCHEMA)
            row = (_VERSION, recovery_public, master.master_id, _proof(master, _VERSION, recovery_public))
            database.execute("INSERT INTO meta VALUES (1, ?, ?, ?, ?)", row)
        (beside / "keys.sqlite").chmod(0o600)
        _sync_folder(beside)
        beside.replace(folder)
        _sync_folder(folder.parent)
    return open_key_store(folder)


def open_key_store(folder: Path) -> KeyStore:
    """Open the key store in a folder, finishing a rotation of the master key that was interrupted.

    Raises:
        KeyStoreMissingError: no such folder, or no keys.sqlite in it.
        KeyStoreCorruptError: keys.sqlite is not what was written, or a newer Plainview wrote it.
        MasterKeyMissingError: no master.key.
        MasterKeyCorruptError: master.key is not what was written.
        WrongMasterKeyError: master.key is whole and belongs to other keys.
        KeyStoreFaultError: the disk failed.
    """
    with _faults(folder):
        is_there = (folder / "keys.sqlite").is_file()
    if not is_there:
        problem = (
            "expected a folder with keys.sqlite, found none. Without the keys no recording can be read: "
        )
        raise KeyStoreMissingError(
            folder, problem + "look for the folder, or restore with a key escrow and the recovery key"
        )
    return KeyStore(folder)


class KeyStore:
    """An open key store; what is written is durable on return.

    Threads may share one, processes a folder; a forked process opens its own.

    Every method raises KeyStoreFaultError, KeyStoreFullError or KeyStoreCorruptError when the disk fails, is full, or
    gives back something else than was written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.RLock()
        self._held: MasterKey | None = None
        with _faults(folder):
            self._database = _connect(folder / "keys.sqlite", mode="rw")
        try:
            with self._transaction(is_writing=False):
                pass
            self._settle_master()
        except BaseException:
            self._database.close()
            raise

    def close(self) -> None:
        """Close the database; the store must not be used after."""
        with self._lock:
            self._database.close()

    @property
    def recovery_public(self) -> bytes:
        """The public half of the recovery key, 32 bytes."""
        return self._recovery_public

    def put_object_key(self, object_id: str, key: bytes) -> None:
        """Keep an object's key.

        Args:
            object_id: 32 lower-case hexadecimal digits.
            key: 32 bytes.

        Raises:
            KeyExistsError: there is another key for this object; it is untouched.
        """
        self.put_object_keys({object_id: key})

    def put_object_keys(self, keys: Mapping[str, bytes]) -> None:
        """Keep many objects' keys, all or none; for a restore from a key escrow.

        Raises:
            KeyExistsError: there is another key for one of these objects; nothing was changed.
        """
        for object_id, key in keys.items():
            check_object_name(object_id)
            if len(key) != KEY_BYTES:
                raise ValueError(f"object key: expected {KEY_BYTES} bytes, got {len(key)}")
        with self._transaction():
            for object_id, key in keys.items():
                kept = self._one("SELECT wrapped FROM object_keys WHERE object_id = ?", object_id)
                if kept is None:
                    row = (object_id, self._wrap(key))
                    self._database.execute("INSERT INTO object_keys VALUES (?, ?)", row)
                elif self._unwrap(object_id, kept) != key:
                    raise KeyExistsError(self.folder, object_id)

    def object_key(self, object_id: str) -> bytes:
        """Return an object's key, 32 bytes.

        Raises:
            KeyMissingError: it was destroyed, or never made.
            KeyDamagedError: it does not open under the master key.
        """
        with self._transaction(is_writing=False):
            wrapped = self._one("SELECT wrapped FROM object_keys WHERE object_id = ?", object_id)
            if wrapped is None:
                raise KeyMissingError(self.folder, object_id)
            return self._unwrap(object_id, wrapped)

    def object_keys(self) -> dict[str, bytes]:
        """Return every object's key, as they were at one moment; for a key escrow.

        Raises:
            KeyDamagedError: one does not open under the master key.
        """
        with self._transaction(is_writing=False):
            rows = self._database.execute("SELECT object_id, wrapped FROM object_keys").fetchall()
            return {object_id: self._unwrap(object_id, wrapped) for object_id, wrapped in rows}

    def destroy_object_key(self, object_id: str) -> bool:
        """Destroy an object's key, and with it the object wherever its ciphertext lies.

        Returns:
            Whether there was a key.
        """
        with self._transaction():
            found = self._database.execute("DELETE FROM object_keys WHERE object_id = ?", (object_id,))
            return found.rowcount > 0

    def object_ids(self) -> Iterator[str]:
        """Yield the ids of all objects that have a key, in order, as they were at the first."""
        with self._transaction(is_writing=False):
            rows = self._database.execute("SELECT object_id FROM object_keys ORDER BY object_id").fetchall()
        for (object_id,) in rows:
            yield object_id

    def put_secret(self, name: str, data: bytes) -> None:
        """Keep a secret, such as a log's signing key under "log/<origin>"; no key escrow ever holds it.

        Args:
            name: printable ASCII without spaces, at most 255 characters.
            data: at most 65,536 bytes.

        Raises:
            KeyExistsError: there is another secret of this name; it is untouched.
        """
        if SECRET_NAME.match(name) is None:
            raise ValueError(f"secret name: expected up to 255 printable ASCII characters, got {name!r:.80}")
        if len(data) > SECRET_LIMIT_BYTES:
            raise ValueError(f"secret: expected at most {SECRET_LIMIT_BYTES} bytes, got {len(data)}")
        with self._transaction():
            kept = self._one("SELECT sealed FROM secrets WHERE name = ?", name)
            if kept is None:
                row = (name, seal_secret(self._master, name, data))
                self._database.execute("INSERT INTO secrets VALUES (?, ?)", row)
            elif self._open_secret(name, kept) != data:
                raise KeyExistsError(self.folder, name)

    def secret(self, name: str) -> bytes:
        """Return a secret.

        Raises:
            KeyMissingError: there is none of this name.
            KeyDamagedError: it does not open under the master key.
        """
        with self._transaction(is_writing=False):
            sealed = self._one("SELECT sealed FROM secrets WHERE name = ?", name)
            if sealed is None:
                raise KeyMissingError(self.folder, name)
            return self._open_secret(name, sealed)

    def secret_names(self, prefix: str) -> list[str]:
        """Return the names of all secrets that begin with prefix, in order."""
        with self._transaction(is_writing=False):
            rows = self._database.execute("SELECT name FROM secrets ORDER BY name").fetchall()
        return [name for (name,) in rows if name.startswith(prefix)]

    def destroy_secret(self, name: str) -> bool:
        """Destroy a secret.

        Returns:
            Whether there was one.
        """
        with self._transaction():
            return self._database.execute("DELETE FROM secrets WHERE name = ?", (name,)).rowcount > 0

    def rotate_master(self) -> None:
        """Replace the master key and wrap everything anew, so that old copies of keys.sqlite are useless.

        Whenever it is interrupted, the next open finds a master key that opens everything: the new one is durable in
        master.key.new before one transaction wraps all keys under it, and the old one goes only after. The old
        file is overwritten and then removed; a copy-on-write file system or a solid-state disk may still keep its
        bytes, so a disk that held a master key is wiped or destroyed as a whole when it is retired.

        Raises:
            KeyDamagedError: a key or secret does not open; nothing was changed.
        """
        new = new_master()
        try:
            with self._transaction():
                write_master(self._new_path, new)
                _sync_folder(self.folder)
                self._wrap_everything(new)
                row = (new.master_id, _proof(new, _VERSION, self._recovery_public))
                self._database.execute("UPDATE meta SET master_id = ?, proof = ?", row)
        finally:
            self._settle_master()

    def check(self) -> None:
        """Check the database's own structure; each key is checked when it is used.

        Raises:
            KeyStoreCorruptError: it is damaged.
        """
        with self._transaction(is_writing=False):
            problems = [row[0] for row in self._database.execute("PRAGMA integrity_check(10)")]
        if problems != ["ok"]:
            raise KeyStoreCorruptError(self.folder, f"keys.sqlite is damaged ({'; '.join(problems):.300})")

    @property
    def _master(self) -> MasterKey:
        assert self._held is not None, "every transaction begins with _follow_master"
        return self._held

    @property
    def _master_path(self) -> Path:
        return self.folder / "master.key"

    @property
    def _new_path(self) -> Path:
        return self.folder / "master.key.new"

    def _one(self, query: str, name: str) -> bytes | None:
        row = self._database.execute(query, (name,)).fetchone()
        return None if row is None else row[0]

    def _wrap(self, key: bytes) -> bytes:
        return aes_key_wrap(wrapping_key(self._master), key)

    def _unwrap(self, object_id: str, wrapped: bytes) -> bytes:
        try:
            return aes_key_unwrap(wrapping_key(self._master), wrapped)
        except (InvalidUnwrap, TypeError, ValueError) as error:
            raise KeyDamagedError(self.folder, object_id) from error

    def _open_secret(self, name: str, sealed: bytes) -> bytes:
        try:
            return open_secret(self._master, name, sealed)
        except (InvalidTag, TypeError, ValueError) as error:
            raise KeyDamagedError(self.folder, name) from error

    def _wrap_everything(self, new: MasterKey) -> None:
        wrapping = wrapping_key(new)
        rows = self._database.execute("SELECT object_id, wrapped FROM object_keys").fetchall()
        self._database.executemany(
            "UPDATE object_keys SET wrapped = ? WHERE object_id = ?",
            [(aes_key_wrap(wrapping, self._unwrap(name, wrapped)), name) for name, wrapped in rows],
        )
        secrets = self._database.execute("SELECT name, sealed FROM secrets").fetchall()
        self._database.executemany(
            "UPDATE secrets SET sealed = ? WHERE name = ?",
            [(seal_secret(new, name, self._open_secret(name, sealed)), name) for name, sealed in secrets],
        )

    @contextlib.contextmanager
    def _transaction(self, *, is_writing: bool = True) -> Iterator[None]:
        """Run the block in one transaction, under the master key that the database is wrapped with."""
        with self._lock, _faults(self.folder):
            self._database.execute("BEGIN IMMEDIATE" if is_writing else "BEGIN")
            try:
                self._follow_master()
                yield
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._database.execute("ROLLBACK")
                raise
            self._commit()

    def _commit(self) -> None:
        try:
            self._database.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._database.execute("ROLLBACK")
            raise

    def _follow_master(self) -> None:
        """Load the master key that the database names, if it is not the one we hold: another process may rotate."""
        version, public, master_id, proof = self._meta()
        if version != _VERSION:
            raise KeyStoreCorruptError(
                self.folder, f"expected version {_VERSION}, got {version!r:.20}; a newer Plainview wrote it"
            )
        if self._held is None or self._held.master_id != master_id:
            self._held = self._find_master(master_id)
        if proof != _proof(self._master, version, public):
            raise KeyStoreCorruptError(self.folder, "keys.sqlite says other things than master.key sealed")
        self._recovery_public: bytes = public

    def _meta(self) -> tuple[int, bytes, bytes, bytes]:
        row = self._database.execute("SELECT version, recovery_public, master_id, proof FROM meta").fetchone()
        if row is None or [type(value) for value in row] != [int, bytes, bytes, bytes]:
            raise KeyStoreCorruptError(self.folder, "keys.sqlite does not say which master key opens it")
        return cast("tuple[int, bytes, bytes, bytes]", row)

    def _find_master(self, master_id: bytes) -> MasterKey:
        problem: KeyStoreError | None = None
        # The new one first: while a rotation ends, the old file is half overwritten.
        for path in (self._new_path, self._master_path):
            try:
                master = read_master(path)
            except MasterKeyCorruptError as error:
                problem = error
                continue
            if master is not None and master.master_id == master_id:
                return master
            if master is not None:
                problem = WrongMasterKeyError(
                    self.folder, f"{path.name} opens other keys; find the one with id {master_id.hex()}"
                )
        raise problem or MasterKeyMissingError(
            self.folder, "master.key is gone. Restore with a key escrow and the recovery key"
        )

    def _settle_master(self) -> None:
        """End a rotation, done or interrupted: leave the one master.key that opens the database."""
        with _faults(self.folder):
            if not self._new_path.exists():
                return
        # A writing transaction, so that two processes do not settle at once, nor one while another rotates.
        with self._transaction():
            try:
                new = read_master(self._new_path)
            except MasterKeyCorruptError:
                new = None
            if new is not None and new.master_id == self._master.master_id:
                overwrite_master(self._master_path)
                self._new_path.replace(self._master_path)
            else:
                overwrite_master(self._new_path)
                self._new_path.unlink(missing_ok=True)
            _sync_folder(self.folder)


def _connect(path: Path, *, mode: str) -> sqlite3.Connection:
    database = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        timeout=_BUSY_S,
        check_same_thread=False,
    )
    try:
        # A rollback journal, not a write-ahead log: that would keep destroyed keys until its next checkpoint.
        for pragma in (
            "journal_mode = DELETE",
            "synchronous = EXTRA",
            "fullfsync = ON",
            "secure_delete = ON",
        ):
            database.execute(f"PRAGMA {pragma}")
    except BaseException:
        database.close()
        raise
    return database


@contextlib.contextmanager
def _faults(folder: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.ProgrammingError:
        # Used after close(): our mistake, not the disk's.
        raise
    except sqlite3.Error as error:
        raise _database_error(folder, error) from error
    except OSError as error:
        if error.errno in _FULL:
            raise KeyStoreFullError(folder, "its disk is full. Free space, then try again") from error
        raise KeyStoreFaultError(folder, f"the disk failed ({error}). Look at its disk") from error


def _database_error(folder: Path, error: Exception) -> KeyStoreError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return KeyStoreFullError(folder, f"its disk is full ({error}). Free space, then try again")
    if code in _SQLITE_FAULTS:
        return KeyStoreFaultError(folder, f"its database failed ({error}). Look at its disk")
    return KeyStoreCorruptError(
        folder,
        f"keys.sqlite is damaged, or its disk cannot be read ({error}). Look at the system's log first; "
        "if the file is at fault, restore with a key escrow and the recovery key",
    )


def _proof(master: MasterKey, version: int, recovery_public: bytes) -> bytes:
    """Bind what meta says to the master key, so that a damaged recovery key is noticed before an escrow is."""
    return prove(master, b"%d\n" % version + master.master_id + recovery_public)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

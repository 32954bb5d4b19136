import errno
import os
import random
import shutil
import sqlite3
import stat
import threading

import pytest

from plainview.vault import keys as keys_module
from plainview.vault import master as master_module
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
    ObjectNameError,
    WrongMasterKeyError,
)
from plainview.vault.keys import create_key_store, open_key_store
from plainview.vault.master import new_master, write_master

RECOVERY_PUBLIC = bytes(range(32))
ONE, TWO, THREE = "01" * 16, "02" * 16, "03" * 16
KEY, OTHER_KEY = b"k" * 32, b"o" * 32


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A key store of two keys and a secret, made once."""
    folder = tmp_path_factory.mktemp("template") / "keys"
    store = create_key_store(folder, recovery_public=RECOVERY_PUBLIC)
    store.put_object_keys({ONE: KEY, TWO: OTHER_KEY})
    store.put_secret("log/example.org/custody/1", b"signing key")
    store.close()
    return folder


@pytest.fixture
def folder(template, tmp_path):
    return shutil.copytree(template, tmp_path / "keys")


@pytest.fixture
def keys(folder):
    store = open_key_store(folder)
    yield store
    store.close()


def everything(folder):
    store = open_key_store(folder)
    try:
        return store.object_keys(), store.secret("log/example.org/custody/1"), store.recovery_public
    finally:
        store.close()


WHOLE = ({ONE: KEY, TWO: OTHER_KEY}, b"signing key", RECOVERY_PUBLIC)


def test_what_was_kept_is_there_after_a_restart(folder):
    assert everything(folder) == WHOLE


def test_keys_are_for_their_owner_alone(folder):
    assert stat.S_IMODE((folder / "master.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "keys.sqlite").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_no_key_and_no_secret_lies_open_in_the_files(folder):
    for path in folder.iterdir():
        data = path.read_bytes()
        assert KEY not in data
        assert b"signing key" not in data


def test_a_key_that_was_never_made_is_missing(keys):
    with pytest.raises(KeyMissingError) as caught:
        keys.object_key(THREE)
    assert caught.value.name == THREE
    with pytest.raises(KeyMissingError):
        keys.secret("log/other")


def test_a_destroyed_key_is_gone_and_its_wrapped_form_too(keys, folder):
    [(wrapped,)] = sqlite3.connect(folder / "keys.sqlite").execute(
        "SELECT wrapped FROM object_keys WHERE object_id = ?", (ONE,)
    )
    assert wrapped in (folder / "keys.sqlite").read_bytes()
    assert keys.destroy_object_key(ONE) is True
    assert keys.destroy_object_key(ONE) is False
    with pytest.raises(KeyMissingError):
        keys.object_key(ONE)
    assert wrapped not in (folder / "keys.sqlite").read_bytes()
    assert list(keys.object_ids()) == [TWO]


def test_keeping_the_same_key_again_changes_nothing(keys):
    keys.put_object_key(ONE, KEY)
    keys.put_secret("log/example.org/custody/1", b"signing key")
    assert keys.object_key(ONE) == KEY


def test_another_key_of_the_same_name_is_refused_and_nothing_of_the_batch_is_kept(keys):
    with pytest.raises(KeyExistsError):
        keys.put_object_keys({THREE: KEY, ONE: OTHER_KEY})
    assert (keys.object_key(ONE), list(keys.object_ids())) == (KEY, [ONE, TWO])
    with pytest.raises(KeyExistsError):
        keys.put_secret("log/example.org/custody/1", b"another")


@pytest.mark.parametrize(
    "use",
    [
        lambda keys: keys.put_object_key("ab", KEY),
        lambda keys: keys.put_object_key(THREE, b"short"),
        lambda keys: keys.put_secret("", b""),
        lambda keys: keys.put_secret("with space", b""),
        lambda keys: keys.put_secret("big", bytes(65_537)),
    ],
)
def test_what_could_not_be_used_is_not_kept(keys, use):
    with pytest.raises((ValueError, ObjectNameError)):
        use(keys)


def test_a_secret_is_bound_to_its_name(keys, folder):
    with sqlite3.connect(folder / "keys.sqlite") as database:
        database.execute("UPDATE secrets SET name = 'log/other'")
    with pytest.raises(KeyDamagedError):
        keys.secret("log/other")


def test_a_missing_folder_and_a_missing_master_are_told_apart(folder, tmp_path):
    with pytest.raises(KeyStoreMissingError, match="recovery key"):
        open_key_store(tmp_path / "nowhere")
    (folder / "master.key").unlink()
    with pytest.raises(MasterKeyMissingError, match="key escrow"):
        open_key_store(folder)


def test_another_master_is_told_from_a_damaged_one(folder):
    path = folder / "master.key"
    good = path.read_bytes()
    write_master(path, new_master())
    with pytest.raises(WrongMasterKeyError, match=good[8:24].hex()):
        open_key_store(folder)
    path.write_bytes(good[:-1])
    with pytest.raises(MasterKeyCorruptError, match="got 63"):
        open_key_store(folder)


def test_any_altered_byte_of_the_master_key_is_noticed(folder):
    path = folder / "master.key"
    good = path.read_bytes()
    assert len(good) == 64
    for position in range(64):
        path.write_bytes(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
        with pytest.raises(MasterKeyCorruptError):
            open_key_store(folder)
    path.write_bytes(good)
    assert everything(folder) == WHOLE


def test_any_altered_byte_of_the_database_is_noticed_or_harmless(folder):
    path = folder / "keys.sqlite"
    good = path.read_bytes()
    used = [position for position, byte in enumerate(good) if byte]
    noticed = 0
    for position in random.Random(1).sample(used, 60):
        path.write_bytes(good[:position] + bytes([good[position] ^ 0x10]) + good[position + 1 :])
        try:
            store = open_key_store(folder)
            try:
                store.check()
                assert set(store.object_ids()) == {ONE, TWO}
            finally:
                store.close()
            found = everything(folder)
        except (KeyStoreError, AssertionError):
            noticed += 1
        else:
            assert found == WHOLE
        (folder / "keys.sqlite-journal").unlink(missing_ok=True)
    assert noticed > 35


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM meta",
        "UPDATE meta SET version = 2",
        "UPDATE meta SET version = 'x'",
        "UPDATE meta SET recovery_public = randomblob(32)",
        "UPDATE meta SET proof = x'00'",
        "DROP TABLE meta",
    ],
)
def test_a_key_store_that_says_other_things_than_were_sealed_is_refused(folder, statement):
    with sqlite3.connect(folder / "keys.sqlite") as database:
        database.execute(statement)
    database.close()
    with pytest.raises(KeyStoreCorruptError):
        open_key_store(folder)


@pytest.mark.parametrize("wrapped", ["x'00'", "randomblob(40)", "'text'", "7"])
def test_a_damaged_key_is_named_and_the_others_still_open(keys, folder, wrapped):
    with sqlite3.connect(folder / "keys.sqlite") as database:
        database.execute(f"UPDATE object_keys SET wrapped = {wrapped} WHERE object_id = ?", (ONE,))
        database.execute(f"UPDATE secrets SET sealed = {wrapped}")
    with pytest.raises(KeyDamagedError) as caught:
        keys.object_key(ONE)
    assert caught.value.name == ONE
    assert keys.object_key(TWO) == OTHER_KEY
    with pytest.raises(KeyDamagedError):
        keys.secret("log/example.org/custody/1")
    with pytest.raises(KeyDamagedError):
        keys.rotate_master()
    assert keys.object_key(TWO) == OTHER_KEY
    assert sorted(path.name for path in folder.iterdir()) == ["keys.sqlite", "master.key"]


def test_a_damaged_structure_is_found_by_the_check(folder):
    store = create_key_store(folder.with_name("big"), recovery_public=RECOVERY_PUBLIC)
    store.put_object_keys({f"{number:032x}": KEY for number in range(2000)})
    store.check()
    store.close()
    path = folder.with_name("big") / "keys.sqlite"
    data = bytearray(path.read_bytes())
    # A cell's header in the middle of a page of keys.
    data[8 * 4096 + 3] ^= 0x3F
    path.write_bytes(data)
    store = open_key_store(folder.with_name("big"))
    with pytest.raises(KeyStoreCorruptError):
        store.check()
    store.close()


def test_something_else_than_a_database_is_refused(folder):
    (folder / "keys.sqlite").write_bytes(b"no database at all" * 1000)
    with pytest.raises(KeyStoreCorruptError):
        open_key_store(folder)


def test_a_second_key_store_is_not_made_over_the_first(folder):
    with pytest.raises(KeyStoreExistsError):
        create_key_store(folder, recovery_public=RECOVERY_PUBLIC)
    assert everything(folder) == WHOLE


def test_creating_anew_after_an_interrupted_creation(tmp_path):
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys.new").mkdir()
    (tmp_path / "keys.new" / "master.key").write_bytes(b"half")
    create_key_store(tmp_path / "keys", recovery_public=RECOVERY_PUBLIC).close()
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


@pytest.mark.parametrize(
    ("number", "error"), [(errno.ENOSPC, KeyStoreFullError), (errno.EIO, KeyStoreFaultError)]
)
def test_a_fault_while_creating_is_named(tmp_path, monkeypatch, number, error):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(master_module.os, "fsync", fail)
    with pytest.raises(error):
        create_key_store(tmp_path / "keys", recovery_public=RECOVERY_PUBLIC)
    assert not (tmp_path / "keys").exists()


def test_a_closed_key_store_gives_nothing(folder):
    store = open_key_store(folder)
    store.close()
    with pytest.raises(sqlite3.ProgrammingError):
        store.object_key(ONE)


class FailingConnection(sqlite3.Connection):
    """A database of which one statement fails."""

    failing = "nothing"
    error = None

    def execute(self, statement, *rest):
        if statement.startswith(type(self).failing):
            raise type(self).error
        return super().execute(statement, *rest)


def database_error(code):
    error = sqlite3.OperationalError("made to fail")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_FULL, KeyStoreFullError),
        (sqlite3.SQLITE_IOERR_FSYNC, KeyStoreFaultError),
        (sqlite3.SQLITE_BUSY, KeyStoreFaultError),
        (sqlite3.SQLITE_CORRUPT_INDEX, KeyStoreCorruptError),
    ],
)
@pytest.mark.parametrize("statement", ["BEGIN", "INSERT", "COMMIT"])
def test_a_fault_of_the_database_is_named_and_nothing_is_kept(folder, monkeypatch, code, expected, statement):
    connect = sqlite3.connect
    monkeypatch.setattr(
        keys_module.sqlite3,
        "connect",
        lambda *args, **more: connect(*args, **more, factory=FailingConnection),
    )
    store = open_key_store(folder)
    monkeypatch.setattr(FailingConnection, "error", database_error(code))
    monkeypatch.setattr(FailingConnection, "failing", statement)
    with pytest.raises(expected):
        store.put_object_key(THREE, KEY)
    monkeypatch.setattr(FailingConnection, "failing", "nothing")
    assert list(store.object_ids()) == [ONE, TWO]
    store.close()


def test_a_database_that_cannot_be_set_up_is_closed_again(folder, monkeypatch):
    connect = sqlite3.connect
    monkeypatch.setattr(
        keys_module.sqlite3,
        "connect",
        lambda *args, **more: connect(*args, **more, factory=FailingConnection),
    )
    monkeypatch.setattr(FailingConnection, "error", database_error(sqlite3.SQLITE_READONLY))
    monkeypatch.setattr(FailingConnection, "failing", "PRAGMA")
    with pytest.raises(KeyStoreFaultError):
        open_key_store(folder)


def test_rotation_wraps_everything_anew(keys, folder):
    before = (folder / "master.key").read_bytes(), (folder / "keys.sqlite").read_bytes()
    keys.rotate_master()
    assert keys.object_key(ONE) == KEY
    assert everything(folder) == WHOLE
    assert sorted(path.name for path in folder.iterdir()) == ["keys.sqlite", "master.key"]
    (folder / "keys.sqlite").write_bytes(before[1])
    with pytest.raises(WrongMasterKeyError):
        open_key_store(folder)
    (folder / "master.key").write_bytes(before[0])
    assert everything(folder) == WHOLE


def test_another_process_follows_a_rotation(keys, folder):
    other = open_key_store(folder)
    keys.rotate_master()
    assert other.object_key(ONE) == KEY
    other.put_object_key(THREE, KEY)
    assert keys.object_key(THREE) == KEY
    other.close()


def test_half_a_new_master_key_is_swept_away(folder):
    (folder / "master.key.new").write_bytes(b"half")
    assert everything(folder) == WHOLE
    assert not (folder / "master.key.new").exists()


def test_a_rotation_settled_by_another_process_first_is_settled(keys, folder, monkeypatch):
    settle = type(keys)._settle_master

    def race(self):
        monkeypatch.setattr(type(keys), "_settle_master", settle)
        open_key_store(folder).close()
        settle(self)

    monkeypatch.setattr(type(keys), "_settle_master", race)
    keys.rotate_master()
    assert keys.object_key(ONE) == KEY
    assert everything(folder) == WHOLE


def test_a_secret_kept_is_not_in_what_escrows_take(keys):
    assert keys.object_keys() == {ONE: KEY, TWO: OTHER_KEY}


def test_threads_share_a_key_store(keys):
    names = [f"{number:032x}" for number in range(8)]
    threads = [threading.Thread(target=keys.put_object_key, args=(name, KEY)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(keys.object_ids()) == sorted([*names, ONE, TWO])

import os
import sqlite3
import stat
from contextlib import closing

import pytest

from plainview.formats.checkpoint import Checkpoint
from plainview.vault.checkpoint_store import CheckpointStore
from plainview.vault.log_errors import CheckpointMovedError, CheckpointStoreError, SplitViewError
from plainview.vault.log_keys import sign_checkpoint
from simulators.custody_logs import KEY, ORIGIN, SIGN


def signed(size, root=b"r", origin=ORIGIN):
    checkpoint = Checkpoint(origin=origin, size=size, root=root * 32)
    return checkpoint, sign_checkpoint(checkpoint, sign=SIGN, key=KEY)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "checkpoint-store.sqlite"


@pytest.fixture
def store(path):
    store = CheckpointStore(path)
    checkpoint, note = signed(5)
    store.replace(ORIGIN, expected=None, new=checkpoint, note=note)
    return store


def run_sql(path, sql):
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(sql)


def test_a_log_that_never_signed_has_no_last_checkpoint(path):
    assert CheckpointStore(path).last(ORIGIN) is None


def test_what_was_replaced_is_read_back_by_the_next_process(store, path):
    assert CheckpointStore(path).last(ORIGIN) == signed(5)


def test_only_its_owner_may_read_the_store(store, path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_replacement_from_the_expected_checkpoint_is_kept(store):
    new, note = signed(6)
    store.replace(ORIGIN, expected=signed(5)[0], new=new, note=note)
    assert store.last(ORIGIN) == (new, note)


def test_the_same_checkpoint_may_be_signed_again(store):
    checkpoint, note = signed(5)
    store.replace(ORIGIN, expected=checkpoint, new=checkpoint, note=note)
    assert store.last(ORIGIN) == (checkpoint, note)


@pytest.mark.parametrize("expected", [None, signed(4)[0], signed(5, b"s")[0]])
def test_a_replacement_from_another_checkpoint_is_refused_and_says_both(store, expected):
    new, note = signed(6)
    with pytest.raises(CheckpointMovedError, match="another writer was first") as caught:
        store.replace(ORIGIN, expected=expected, new=new, note=note)
    assert (caught.value.expected, caught.value.found) == (expected, signed(5)[0])
    assert store.last(ORIGIN) == signed(5)


@pytest.mark.parametrize(("size", "root"), [(4, b"r"), (5, b"s"), (0, b"r")])
def test_a_smaller_log_or_another_root_is_a_split_view(store, size, root):
    new, note = signed(size, root) if size else (None, None)
    if new is None:
        new = Checkpoint(
            ORIGIN, 0, bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        )
        note = sign_checkpoint(new, sign=SIGN, key=KEY)
    with pytest.raises(SplitViewError, match="contradicts that") as caught:
        store.replace(ORIGIN, expected=signed(5)[0], new=new, note=note)
    assert (caught.value.known, caught.value.offered) == (signed(5)[0], new)
    assert store.last(ORIGIN) == signed(5)


def test_a_note_of_another_checkpoint_is_refused(store):
    with pytest.raises(CheckpointStoreError, match="not that of"):
        store.replace(ORIGIN, expected=signed(5)[0], new=signed(6)[0], note=signed(7)[1])


def test_a_checkpoint_of_another_log_is_refused(store):
    with pytest.raises(CheckpointStoreError, match="not that of other"):
        store.replace("other.example/custody/1", expected=None, new=signed(5)[0], note=signed(5)[1])


def test_a_note_that_is_none_is_refused(store):
    with pytest.raises(CheckpointStoreError, match="signed note"):
        store.replace(ORIGIN, expected=signed(5)[0], new=signed(6)[0], note="six\n")


def test_each_log_has_its_own_last_checkpoint(store):
    assert store.last("other.example/custody/1") is None


def test_a_damaged_store_is_refused_when_opened(path):
    store = CheckpointStore(path)
    checkpoint, note = signed(5)
    store.replace(ORIGIN, expected=None, new=checkpoint, note=note)
    data = bytearray(path.read_bytes())
    data[4096:4116] = os.urandom(20)
    path.write_bytes(bytes(data))
    with pytest.raises(CheckpointStoreError, match=r"damaged|malformed"):
        CheckpointStore(path)


def test_a_page_that_points_nowhere_is_refused_when_opened(store, path):
    data = bytearray(path.read_bytes())
    data[4096 + 8 : 4096 + 10] = b"\x00\x05"  # the cell of the only row: past its page's free space
    path.write_bytes(bytes(data))
    with pytest.raises(CheckpointStoreError, match="damaged"):
        CheckpointStore(path)


def test_a_row_that_is_no_note_is_refused_when_read(store, path):
    run_sql(path, "UPDATE last_checkpoint SET note = 'no note'")
    with pytest.raises(CheckpointStoreError, match="signed note"):
        store.last(ORIGIN)


def test_a_file_that_is_no_database_is_refused(path):
    path.write_bytes(b"this is not a database, however long it is made to be " * 40)
    with pytest.raises(CheckpointStoreError, match="not a database"):
        CheckpointStore(path)


def test_another_programs_database_is_refused(path):
    run_sql(path, "CREATE TABLE theirs (x)")
    with pytest.raises(CheckpointStoreError, match="not a checkpoint store"):
        CheckpointStore(path)


def test_a_newer_format_is_refused(store, path):
    run_sql(path, "PRAGMA user_version = 2")
    with pytest.raises(CheckpointStoreError, match="use the newer Plainview"):
        CheckpointStore(path)


def test_a_store_that_vanished_is_not_made_anew(store, path):
    path.unlink()
    with pytest.raises(CheckpointStoreError, match="unable to open"):
        store.last(ORIGIN)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CheckpointStoreError, match="No such file"):
        CheckpointStore(tmp_path / "none" / "checkpoint-store.sqlite")

import errno
import os
import stat
import threading

import pytest

from plainview.vault import files as files_module
from plainview.vault.errors import (
    ObjectExistsError,
    ObjectMissingError,
    StoreFaultError,
    StoreFullError,
    StoreMissingError,
)
from plainview.vault.files import SystemFiles
from plainview.vault.local import WRITEBACK_BYTES, LocalStore, create_local_store
from simulators.store_suite import NAME, OTHER, StoreSuite, put


class FaultyFiles(SystemFiles):
    """This machine's files, of which one call fails, once; `calls` says what was called."""

    def __init__(self):
        self.failing, self.errno, self.calls = None, errno.EIO, []

    def __getattribute__(self, name):
        method = super().__getattribute__(name)
        if name in {"failing", "errno", "calls"} or name.startswith("__"):
            return method

        def call(*args):
            self.calls.append(name)
            if name == self.failing:
                self.failing = None
                raise OSError(self.errno, os.strerror(self.errno))
            return method(*args)

        return call


@pytest.fixture
def files():
    return FaultyFiles()


@pytest.fixture
def store(tmp_path, files):
    return create_local_store(tmp_path / "objects", files=files)


class TestLocalStore(StoreSuite):
    @pytest.fixture
    def store(self, tmp_path):
        return create_local_store(tmp_path / "objects")


def stored_files(store):
    return sorted(str(path.relative_to(store.root)) for path in store.root.rglob("*") if path.is_file())


def test_a_missing_folder_is_not_taken_for_an_empty_store(tmp_path):
    with pytest.raises(StoreMissingError, match="mounted"):
        LocalStore(tmp_path / "objects")
    assert not (tmp_path / "objects").exists()


def test_a_store_that_lost_its_folder_says_so(store):
    put(store, NAME)
    store.root.rename(store.root.with_name("moved"))
    with pytest.raises(StoreMissingError):
        store.size(NAME)
    with pytest.raises(StoreFaultError):
        list(store.names())
    with pytest.raises(StoreFaultError):
        store.create(OTHER)


def test_creating_a_store_that_is_there_keeps_it(store):
    put(store, NAME)
    assert list(create_local_store(store.root).names()) == [NAME]


def test_objects_are_read_only_and_fanned_out(store):
    put(store, NAME)
    assert stored_files(store) == [f"7d/{NAME}"]
    assert stat.S_IMODE((store.root / "7d" / NAME).stat().st_mode) == 0o440
    assert stat.S_IMODE((store.root / "7d").stat().st_mode) == 0o700


def test_foreign_files_are_not_objects(store):
    put(store, NAME)
    for path in ("note.txt", "7d/note.txt", "7d/" + "00" * 16, "7d/" + OTHER + ".bak"):
        (store.root / path).write_bytes(b"")
    (store.root / "not-a-shard").mkdir()
    assert list(store.names()) == [NAME]
    assert store.sweep() == 0


def test_a_sweep_removes_what_a_killed_writer_left(store):
    put(store, NAME)
    store.create(OTHER).write(b"half")
    assert stored_files(store) == [f"7d/{OTHER}.part", f"7d/{NAME}"]
    assert LocalStore(store.root).sweep() == 1
    assert stored_files(store) == [f"7d/{NAME}"]


def test_a_symbolic_link_in_an_objects_place_is_refused(store, tmp_path):
    put(store, NAME)
    (tmp_path / "elsewhere").write_bytes(b"not yours")
    (store.root / "7d" / OTHER).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreFaultError):
        store.read_range(OTHER, 0, 9)
    (store.root / "7d" / f"{OTHER}x.part").symlink_to(tmp_path / "elsewhere")
    store.sweep()
    assert (tmp_path / "elsewhere").read_bytes() == b"not yours"


def test_a_symbolic_link_in_a_writers_place_is_not_followed(store, tmp_path):
    put(store, NAME)
    (store.root / "7d" / f"{OTHER}.part").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ObjectExistsError):
        store.create(OTHER)
    assert not (tmp_path / "elsewhere").exists()


def test_an_objects_descriptor_reads_its_bytes(store):
    put(store, NAME, b"cipher")
    fd = store.open_fd(NAME)
    try:
        assert os.read(fd, 99) == b"cipher"
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.write(fd, b"x")
    finally:
        os.close(fd)
    with pytest.raises(ObjectMissingError):
        store.open_fd(OTHER)


def test_the_bytes_are_durable_before_the_name_and_the_name_before_the_end(store, files):
    files.calls.clear()
    put(store, NAME)
    asked = [call for call in files.calls if call in {"write", "sync", "close", "link", "sync_folder"}]
    # The last two: the shard's folder and the store's, each with the sync of the folder itself.
    assert asked == ["write", "sync", "close", "link", "sync_folder", "sync", "sync_folder", "sync"]


def test_writeback_begins_early(store, files):
    with store.create(NAME) as writer:
        writer.write(bytes(WRITEBACK_BYTES - 1))
        assert "start_writeback" not in files.calls
        writer.write(b"x")
        assert files.calls.count("start_writeback") == 1


@pytest.mark.parametrize(
    "call",
    ["make_folder", "create", "write", "sync", "close", "link", "unlink", "sync_folder", "forget_cached"],
)
@pytest.mark.parametrize(
    ("number", "error"),
    [(errno.ENOSPC, StoreFullError), (errno.EDQUOT, StoreFullError), (errno.EIO, StoreFaultError)],
)
def test_a_fault_while_writing_is_named_and_shows_nothing(store, files, call, number, error):
    files.failing, files.errno = call, number
    with pytest.raises(error) as caught:
        put(store, NAME)
    assert caught.value.name == NAME
    assert list(store.names()) == []
    store.sweep()
    put(store, NAME)


def test_a_name_that_the_disk_would_not_remove_is_left_to_the_caller(tmp_path):
    class Stubborn(FaultyFiles):
        def unlink(self, path):
            raise OSError(errno.EIO, "no")

    store = create_local_store(tmp_path / "objects", files=Stubborn())
    with pytest.raises(StoreFaultError):
        put(store, NAME)
    assert list(store.names()) == [NAME]


@pytest.mark.parametrize(
    ("call", "use"),
    [
        ("open", lambda store: store.size(NAME)),
        ("size", lambda store: store.size(NAME)),
        ("read_into", lambda store: store.read_range(NAME, 0, 1)),
        ("open", lambda store: store.open_fd(NAME)),
    ],
)
def test_a_fault_while_reading_is_named(store, files, call, use):
    put(store, NAME)
    files.failing = call
    with pytest.raises(StoreFaultError) as caught:
        use(store)
    assert (caught.value.name, caught.value.errno) == (NAME, errno.EIO)


def test_a_fault_while_listing_sweeping_deleting_or_creating_is_named(store, files, tmp_path):
    put(store, NAME)
    store.create(OTHER).write(b"half")
    files.failing = "list_folder"
    with pytest.raises(StoreFaultError, match="listing"):
        list(store.names())
    files.failing = "unlink"
    with pytest.raises(StoreFaultError, match="sweeping"):
        store.sweep()
    files.failing = "unlink"
    with pytest.raises(StoreFaultError, match="deleting"):
        store.delete(NAME)
    files.failing = "is_folder"
    with pytest.raises(StoreFaultError, match="opening"):
        store.size("00" * 16)
    files.failing, files.errno = "make_folder", errno.ENOSPC
    with pytest.raises(StoreFullError, match="making the folder"):
        create_local_store(tmp_path / "new", files=files)


def test_two_threads_may_write_in_one_shard(tmp_path):
    store = create_local_store(tmp_path / "objects")
    names = [f"7d{number:030x}" for number in range(20)]
    threads = [threading.Thread(target=put, args=(store, name)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(store.names()) == names


def test_a_system_without_the_extras_of_linux_still_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(files_module, "_ADVISE", None)
    monkeypatch.setattr(files_module, "_SYNC_FILE_RANGE", None)
    store = create_local_store(tmp_path / "objects")
    put(store, NAME, bytes(WRITEBACK_BYTES))
    assert store.size(NAME) == WRITEBACK_BYTES


def test_a_system_that_has_a_fuller_sync_is_asked_for_it(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(files_module, "_FULL_SYNC", 51)
    monkeypatch.setattr(files_module.fcntl, "fcntl", lambda fd, command: asked.append(command))
    put(create_local_store(tmp_path / "objects"), NAME)
    assert asked == [51] * 4


def test_a_system_without_early_writeback_is_recognised(monkeypatch):
    monkeypatch.setattr(files_module.ctypes, "CDLL", lambda _: object())
    assert files_module._find_sync_file_range() is None

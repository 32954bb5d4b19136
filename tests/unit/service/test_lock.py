import fcntl
import json
import os
import stat
import threading
import time

import pytest

from plainview.service.errors import DataDirectoryError, DataLockedError
from plainview.service.lock import describe_holder, hold_data_lock, process_start


def hold_for(data, lock_s):
    """Hold the lock in a thread: two open files of one process exclude each other as those of two do."""
    held = threading.Event()

    def work():
        with hold_data_lock(data, command="first"):
            held.set()
            time.sleep(lock_s)

    thread = threading.Thread(target=work)
    thread.start()
    held.wait()
    return thread


def test_the_data_directory_is_made_private(tmp_path):
    with hold_data_lock(tmp_path / "a" / "data", command="c") as lock:
        assert lock.data == (tmp_path / "a" / "data").resolve()
        assert stat.S_IMODE(lock.data.stat().st_mode) == 0o700
        assert stat.S_IMODE((lock.data / "lock").stat().st_mode) == 0o600


def test_a_second_holder_is_refused_at_once(tmp_path):
    with hold_data_lock(tmp_path, command="serve"):
        start_s = time.monotonic()
        with (
            pytest.raises(DataLockedError, match=r"this same process \('serve'\)") as caught,
            hold_data_lock(tmp_path, command="second"),
        ):
            pass
        assert time.monotonic() - start_s < 0.5
    assert caught.value.data == tmp_path.resolve()


def test_the_lock_can_be_taken_again_after_it_is_left(tmp_path):
    for _ in range(2):
        with hold_data_lock(tmp_path, command="c"):
            pass


def test_the_lock_is_left_when_the_work_fails(tmp_path):
    with pytest.raises(KeyError), hold_data_lock(tmp_path, command="c"):
        raise KeyError
    with hold_data_lock(tmp_path, command="c"):
        pass


def test_waiting_is_told_once_and_ends_when_the_lock_is_free(tmp_path):
    told = []
    thread = hold_for(tmp_path, 0.2)
    with hold_data_lock(tmp_path, command="second", wait_s=5, on_wait=told.append):
        pass
    thread.join()
    assert len(told) == 1
    assert "waiting up to 5 s" in told[0]


def test_waiting_ends_with_a_refusal_when_the_lock_stays_held(tmp_path):
    with (
        hold_data_lock(tmp_path, command="c"),
        pytest.raises(DataLockedError) as caught,
        hold_data_lock(tmp_path, command="second", wait_s=0.15),
    ):
        pass
    assert caught.value.waited_s >= 0.15


def test_a_copy_of_the_descriptor_keeps_the_lock(tmp_path):
    # What a child inherits is such a copy.
    with hold_data_lock(tmp_path, command="c") as lock:
        copy = os.dup(lock.fd)
    with pytest.raises(DataLockedError), hold_data_lock(tmp_path, command="second"):
        pass
    os.close(copy)
    with hold_data_lock(tmp_path, command="second"):
        pass


def test_a_plain_file_is_no_data_directory(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(DataDirectoryError, match="cannot be used"),
        hold_data_lock(tmp_path / "file", command="c"),
    ):
        pass


def test_a_folder_open_to_others_with_something_in_it_is_refused_untouched(tmp_path):
    (tmp_path / "letter").touch()
    tmp_path.chmod(0o755)
    with (
        pytest.raises(DataDirectoryError, match="holds something else"),
        hold_data_lock(tmp_path, command="c"),
    ):
        pass
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert [path.name for path in tmp_path.iterdir()] == ["letter"]


def test_an_empty_folder_open_to_others_is_closed(tmp_path):
    tmp_path.chmod(0o755)
    with hold_data_lock(tmp_path, command="c"):
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path):
    (tmp_path / "victim").write_text("kept")
    (tmp_path / "lock").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match="lock"), hold_data_lock(tmp_path, command="c"):
        pass
    assert (tmp_path / "victim").read_text() == "kept"


@pytest.fixture
def lock_file(tmp_path):
    fd = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(fd, fcntl.LOCK_EX)
    yield fd
    os.close(fd)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"pid": "x"}', b'{"pid": 1}', b"\xff"])
def test_a_lock_file_that_says_nothing_useful_is_described_as_such(lock_file, text):
    os.pwrite(lock_file, text, 0)
    assert describe_holder(lock_file) == "another Plainview, which is just starting"


def test_a_living_holder_is_named(lock_file):
    pid = os.getppid()
    os.pwrite(
        lock_file, json.dumps({"pid": pid, "started": process_start(pid), "command": "serve"}).encode(), 0
    )
    assert describe_holder(lock_file) == f"'serve' (process {pid})"


def test_a_recycled_number_is_not_taken_for_the_holder(lock_file):
    pid = os.getppid()
    os.pwrite(lock_file, json.dumps({"pid": pid, "started": 1, "command": "serve"}).encode(), 0)
    assert "left running and is now stopping" in describe_holder(lock_file)


def test_the_start_of_an_absent_process_is_unknown():
    assert process_start(2**30) is None
    assert process_start(os.getpid()) is not None

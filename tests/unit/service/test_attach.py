import os

import pytest

from plainview.service.attach import (
    Serving,
    announce,
    cluster_of,
    find_serving,
    is_anyone_joined,
    joined,
    withdraw,
)
from plainview.service.cluster import keep_passwords
from plainview.service.errors import DataLockedError, NoSuchLoginError, ServingDatabaseError
from plainview.service.linux import process_start
from plainview.service.lock import LEFT_BEHIND, hold_data_lock

URL = "postgresql://app:secret@db.example/plainview"


def ourselves(**changes):
    facts = {
        "pid": os.getpid(),
        "started": process_start(os.getpid()),
        "started_at": "2026-03-15T06:52:07.300Z",
        "address": "http://127.0.0.1:8080",
        "socket_dir": "/run/a",
        "port": 5432,
    }
    return Serving(**facts | changes)


@pytest.fixture
def data(tmp_path):
    (tmp_path / "service").mkdir(mode=0o700)
    tmp_path.chmod(0o700)
    (tmp_path / "lock").touch()
    return tmp_path


def test_a_server_is_found_from_its_announcement_to_its_withdrawal(data):
    assert find_serving(data) is None
    announce(data, ourselves())
    assert find_serving(data) == ourselves()
    assert (data / "service" / "serving.json").stat().st_mode & 0o077 == 0
    withdraw(data)
    withdraw(data)
    assert find_serving(data) is None


@pytest.mark.parametrize("changes", [{"started": 1}, {"started": None}, {"pid": 2**30}])
def test_what_a_server_that_is_gone_left_says_nothing(changes, data):
    announce(data, ourselves(**changes))
    assert find_serving(data) is None


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"pid": "x"}', "\u00e9"])
def test_an_announcement_that_cannot_be_read_says_nothing(content, data):
    path = data / "service" / "serving.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert find_serving(data) is None


def test_where_nobody_serves_nothing_is_joined(data):
    with joined(data) as serving:
        assert serving is None
    assert not (data / "service" / "attached").exists()


def test_whoever_takes_the_directory_waits_for_what_has_joined(data):
    announce(data, ourselves())
    with joined(data) as one, joined(data) as two:
        assert one == two == ourselves()
        assert is_anyone_joined(data)
        withdraw(data)
        with pytest.raises(DataLockedError, match=LEFT_BEHIND), hold_data_lock(data, command="next"):
            pass
    assert not is_anyone_joined(data)
    with hold_data_lock(data, command="next"):
        pass


def test_a_server_that_goes_at_that_moment_is_not_joined(data, monkeypatch):
    announce(data, ourselves())
    answers = [ourselves(), None]
    monkeypatch.setattr("plainview.service.attach.find_serving", lambda _data: answers.pop(0))
    with joined(data) as serving:
        assert serving is None


def test_a_directory_without_a_service_folder_has_nobody_joined(tmp_path):
    assert not is_anyone_joined(tmp_path)


def test_a_running_server_is_not_waited_for(data):
    with hold_data_lock(data, command="plainview serve"):
        announce(data, ourselves())
        with (
            pytest.raises(DataLockedError, match="waited 0 s"),
            hold_data_lock(data, command="plainview restore", wait_s=600),
        ):
            pass


def test_its_database_is_reached_with_the_passwords_that_lie_in_the_directory(data):
    passwords = keep_passwords(data / "service" / "passwords.json", create=True)
    cluster = cluster_of(data, ourselves(), url=None, owner_url=None)
    assert cluster.keywords("app")["password"] == passwords["plainview_app"]
    assert cluster.keywords("app")["host"] == "/run/a"
    assert cluster.process_id is None


def test_a_departments_database_is_the_one_that_the_command_was_told_of(data):
    serving = ourselves(socket_dir=None, port=None)
    cluster = cluster_of(data, serving, url=URL, owner_url=None)
    assert cluster.keywords("app")["host"] == "db.example"
    with pytest.raises(NoSuchLoginError):
        cluster.keywords("owner")


@pytest.mark.parametrize(
    ("socket_dir", "url", "said"), [("/run/a", URL, "unset DATABASE_URL"), (None, None, "set DATABASE_URL")]
)
def test_another_database_than_the_servers_is_refused(socket_dir, url, said, data):
    with pytest.raises(ServingDatabaseError, match=said) as refused:
        cluster_of(data, ourselves(socket_dir=socket_dir), url=url, owner_url=None)
    assert "secret" not in str(refused.value)

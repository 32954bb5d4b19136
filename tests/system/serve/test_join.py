"""Commands that work with a running server, and the server that waits for them."""

import contextlib
import json
import os
import signal
import threading
import time

import pytest

from simulators.offered_files import footage
from simulators.program import ingest, leaves, outcomes, plainview, processes_of, start
from simulators.servers import eventually, serving, serving_facts, start_server


def card(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / f"{name}.mp4").write_bytes(footage(name))
    return folder


def test_every_command_but_those_that_need_the_directory_alone_joins(server, tmp_path):
    before = server.part("postgres")
    found, done = ingest(card(tmp_path / "card", "a", "b"), data=server.data)
    assert [outcome["status"] for outcome in found] == ["received", "received"], done.stderr
    listed = plainview("list", "--json", data=server.data)
    known = {json.loads(line)["recording"] for line in listed.stdout.splitlines()}
    assert {outcome["recording"] for outcome in found} <= known
    for command in (["keys"], ["keys", "--rotate"], ["init"], ["fsck", "--deep"]):
        done = plainview(*command, data=server.data)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    made = plainview("export", found[0]["recording"], "-o", tmp_path / "package", "--json", data=server.data)
    assert made.returncode == 0, made.stderr
    key = json.loads(made.stdout)["key"]
    assert plainview("verify", tmp_path / "package", "--key", key, data=server.data).returncode in {0, 2}
    assert server.part("postgres") == before, "no second database was started"
    assert json.loads(server.get("/readyz")[2])["checks"]["log"] == "ok"


def test_a_backup_made_while_the_log_grows_can_be_restored(server, tmp_path):
    stop = threading.Event()

    def grow():
        for number in range(100):
            if stop.is_set():
                return
            ingest(card(tmp_path / f"card{number}", f"grows {number}"), data=server.data)

    growing = threading.Thread(target=grow)
    growing.start()
    try:
        for _ in range(3):
            done = plainview("backup", tmp_path / "backup", data=server.data)
            assert done.returncode == 0, done.stderr
            checked = plainview("fsck", data=server.data)
            assert checked.returncode == 0, checked.stdout + checked.stderr
    finally:
        stop.set()
        growing.join()
    restored = tmp_path / "restored"
    options = ["--recovery-key", server.data / "recovery-key.json", "--new-epoch", "a test"]
    done = plainview("restore", tmp_path / "backup", *options, data=restored)
    assert done.returncode == 0, done.stderr
    checked = plainview("fsck", "--deep", data=restored)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_commands_at_once_leave_one_sound_log(server, tmp_path):
    cards = [card(tmp_path / str(number), *(f"{number} {each}" for each in range(4))) for number in range(3)]
    running = [start("ingest", "--json", folder, data=server.data) for folder in cards]
    for process in running:
        printed, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
        assert [outcome["status"] for outcome in outcomes(printed)] == ["received"] * 4
    assert plainview("fsck", data=server.data).returncode == 0
    assert len({leaf["seq"] for leaf in leaves(server.data)}) == len(leaves(server.data))


def test_a_command_told_of_another_database_is_refused(server):
    done = plainview(
        "list", data=server.data, env={"DATABASE_URL": "postgresql://app:secret@db.example/other"}
    )
    assert done.returncode == 2
    assert "unset DATABASE_URL" in done.stderr
    assert "secret" not in done.stderr


def test_a_command_started_while_the_server_starts_joins_it(data):
    process = start("serve", "--port", "0", "--workers", "0", data=data)
    eventually((data / "service" / "serve.log").exists)
    listed = plainview("list", data=data)
    assert listed.returncode == 0, listed.stderr
    assert process.stdout.readline().startswith("Plainview is at ")
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=60)[1].endswith("Stopped.\n")


@contextlib.contextmanager
def slow_ingest(data, tmp_path):
    """An ingest that has joined and is in the middle of something: stopped by SIGSTOP."""
    folder = card(tmp_path / "slow", *(f"slow {number}" for number in range(30)))
    process = start("ingest", "--json", folder, data=data)
    process.stdout.readline()
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGCONT)
        process.communicate(timeout=60)


@pytest.mark.slow
def test_a_server_waits_for_a_command_that_its_predecessor_left_behind(data, tmp_path):
    with serving(data, "--workers", "0") as first, slow_ingest(data, tmp_path) as left:
        first.kill_all_but(left.pid)
        refused = plainview("list", data=data, env={"PLAINVIEW_WAIT_S": "1"})
        assert refused.returncode == 2
        assert "working with a server that has gone" in refused.stderr
        began_s = time.monotonic()
        threading.Timer(2.0, lambda: os.kill(left.pid, signal.SIGCONT)).start()
        with serving(data, "--workers", "0") as second:
            assert time.monotonic() - began_s >= 2.0
            assert second.is_up()
            assert plainview("fsck", data=data).returncode == 0


def test_when_the_server_stops_what_had_joined_is_told_and_stops(data, tmp_path):
    with serving(data, "--workers", "0") as server:
        folder = card(tmp_path / "card", *(f"many {number}" for number in range(60)))
        process = start("ingest", "--json", folder, data=data)
        process.stdout.readline()
        assert server.stop()[0] == 0
        printed, said = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Traceback" not in said
    assert "What was acknowledged is safe" in said
    assert len(outcomes(printed)) < 60
    assert processes_of(data) == set()
    found, done = ingest(folder, data=data)
    assert len(found) == 60, done.stderr
    assert {outcome["status"] for outcome in found} <= {"received", "duplicate"}


def test_a_worker_needs_a_server(data):
    done = plainview("worker", data=data)
    assert done.returncode == 2
    assert "no server runs on it" in done.stderr


def test_a_worker_of_its_own_joins_and_ends_with_the_server(data):
    with serving(data, "--workers", "0") as server:
        process = start("worker", data=data)
        assert server.address in process.stderr.readline()
        eventually(lambda: (data / "service").glob("worker-*.log"))
        assert server.stop()[0] == 0
        process.communicate(timeout=60)
    assert processes_of(data) == set()


def test_what_a_server_told_of_itself_says_nothing_once_it_is_gone(data):
    server = start_server(data, "--workers", "0")
    assert serving_facts(data)["pid"] == server.pid
    server.kill_all()
    server.wait()
    assert (data / "service" / "serving.json").exists()
    listed = plainview("list", data=data)
    assert listed.returncode == 0, listed.stderr

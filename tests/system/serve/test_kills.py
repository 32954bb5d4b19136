"""kill -9 of any part, of the whole, or of the one process that holds it together; and an instant restart."""

import os
import signal

import pytest

from simulators.offered_files import footage
from simulators.program import database_of, ingest, plainview, processes_of
from simulators.servers import eventually, serving, start_server


def job_states(data):
    import psycopg

    with database_of(data) as cluster, psycopg.connect(cluster.dsn("app")) as connection:
        return connection.execute(
            "SELECT status::text, worker_id FROM procrastinate_jobs ORDER BY id"
        ).fetchall()


def leave_a_job_half_done(data):
    """As a worker does that is killed in the middle of a job."""
    import psycopg

    with database_of(data) as cluster, psycopg.connect(cluster.dsn("app")) as connection:
        connection.execute("DELETE FROM procrastinate_jobs")
        worker = connection.execute(
            "INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id"
        ).fetchone()[0]
        connection.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status, worker_id) "
            "VALUES ('default', 'tests.nothing', 'doing', %s)",
            [worker],
        )


@pytest.mark.parametrize("name", ["web", "sequencer", "worker-1"])
def test_a_part_that_is_killed_is_started_again(name, data, tmp_path):
    with serving(data, "--workers", "1") as server:
        before = eventually(lambda: server.part(name))
        os.kill(before, signal.SIGKILL)
        eventually(lambda: server.part(name) not in {before, None}, what=f"another {name}")
        eventually(server.is_up)
        (tmp_path / "a.mp4").write_bytes(footage(f"after the {name} was killed"))
        (outcome,), done = ingest(tmp_path / "a.mp4", data=data)
        assert outcome["status"] == "received", done.stderr
        assert server.stop()[0] == 0
    assert processes_of(data) == set()


def test_the_process_that_answers_requests_is_started_again_too(data):
    with serving(data, "--workers", "0") as server:
        web = server.part("web")
        (answering,) = server.children_of(web)
        os.kill(answering, signal.SIGKILL)
        eventually(lambda: server.part("web") not in {web, None}, what="another web")
        eventually(server.is_up)


def test_when_only_the_one_that_holds_it_together_is_killed_nothing_goes_on_without_it(data):
    server = start_server(data, "--workers", "1")
    server.kill()
    # At once: the next one waits until all of them are gone.
    with serving(data, "--workers", "1") as again:
        assert again.is_up()
        assert again.pid in processes_of(data)
    server.wait()
    assert processes_of(data) == set()


def test_when_all_is_killed_the_next_start_puts_back_what_was_being_done(data):
    leave_a_job_half_done(data)
    assert job_states(data)[0][0] == "doing"
    server = start_server(data, "--workers", "0")
    server.kill_all()
    server.wait()
    assert job_states(data) == [("todo", None)]
    with serving(data, "--workers", "0") as again:
        assert again.is_up()
        assert plainview("fsck", data=data).returncode == 0


@pytest.mark.slow
def test_killed_again_and_again_it_always_comes_back(data, tmp_path):
    for number in range(4):
        server = start_server(data, "--workers", "1")
        (tmp_path / "a.mp4").write_bytes(footage(f"round {number}"))
        (outcome,), done = ingest(tmp_path / "a.mp4", data=data)
        assert outcome["status"] == "received", done.stderr
        server.kill_all()
        server.wait()
    with serving(data, "--workers", "0"):
        checked = plainview("fsck", "--deep", data=data)
        assert checked.returncode == 0, checked.stdout
        assert len(plainview("list", "--json", data=data).stdout.splitlines()) == 4

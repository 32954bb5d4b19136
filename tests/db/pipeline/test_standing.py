from datetime import UTC, datetime, timedelta

import pytest

from plainview.pipeline.standing import SILENT_AFTER, is_queue_stalled, requeue_abandoned_jobs
from simulators.custody_rows import ask

NOW = datetime.now(UTC)
LONG_AGO = NOW - SILENT_AFTER - timedelta(seconds=5)


def add_worker(*, seen=NOW):
    statement = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (%s) RETURNING id"
    return ask(statement, seen)[0][0]


def add_job(status="todo", *, worker=None, queueing_lock=None, since=NOW):
    statement = (
        "INSERT INTO procrastinate_jobs (queue_name, task_name, status, worker_id, queueing_lock) "
        "VALUES ('default', 'tests.nothing', %s, %s, %s) RETURNING id"
    )
    job = ask(statement, status, worker, queueing_lock)[0][0]
    ask("UPDATE procrastinate_events SET at = %s WHERE job_id = %s", since, job)
    return job


def status_of(*jobs):
    rows = dict(ask("SELECT id, status::text FROM procrastinate_jobs"))
    return [rows[job] for job in jobs]


@pytest.mark.usefixtures("database")
def test_what_was_being_done_waits_again_and_its_worker_is_forgotten():
    worker = add_worker()
    doing, todo, done = (
        add_job("doing", worker=worker),
        add_job("todo"),
        add_job("succeeded"),
    )
    assert requeue_abandoned_jobs() == 1
    assert status_of(doing, todo, done) == ["todo", "todo", "succeeded"]
    assert ask("SELECT count(*) FROM procrastinate_workers") == [(0,)]
    assert requeue_abandoned_jobs() == 0


@pytest.mark.usefixtures("database")
def test_a_job_that_has_its_successor_waiting_is_not_put_back():
    worker = add_worker()
    doing, waiting = (
        add_job("doing", worker=worker, queueing_lock="a"),
        add_job("todo", queueing_lock="a"),
    )
    assert requeue_abandoned_jobs() == 0
    assert status_of(doing, waiting) == ["failed", "todo"]


@pytest.mark.usefixtures("database")
def test_of_two_jobs_for_the_same_thing_one_is_put_back():
    worker = add_worker()
    first, second = (add_job("doing", worker=worker, queueing_lock="a") for _ in range(2))
    assert requeue_abandoned_jobs() == 1
    assert status_of(first, second) == ["todo", "failed"]


@pytest.mark.usefixtures("database")
def test_a_queue_is_stalled_when_work_waits_and_nobody_works():
    assert not is_queue_stalled(now=NOW)
    add_job("todo")
    assert not is_queue_stalled(now=NOW), "it has not waited long"
    add_job("todo", since=LONG_AGO)
    assert is_queue_stalled(now=NOW)
    add_worker(seen=LONG_AGO)
    assert is_queue_stalled(now=NOW), "that worker has gone silent"
    add_worker()
    assert not is_queue_stalled(now=NOW)

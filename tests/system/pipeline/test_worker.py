"""Workers in processes of their own: killed in every step, asked to stop, and what the next one makes of it."""

import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob, ProcrastinateWorker

from plainview.cli.database import connected
from plainview.evidence import step_queries
from plainview.evidence.models import Derivative, Step, Transcript
from plainview.pipeline.derived_store import settle_derived
from plainview.pipeline.installation import open_derived, open_installation
from plainview.pipeline.intake import take_one
from plainview.pipeline.standing import requeue_abandoned_jobs
from plainview.pipeline.worker import run_worker
from simulators.media_files import media_file, numbered_file, shared_media
from simulators.premises import make_intake
from simulators.program import database_of, descendants, plainview
from simulators.worker_process import MOMENTS, start_worker

LIMIT_S = 120


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """What a worker is given: a prepared data directory, and its database, running and connected."""
    data = tmp_path_factory.mktemp("d") / "data"
    done = plainview("init", "--log-name", "station.example", data=data)
    assert done.returncode == 0, done.stderr
    with database_of(data) as cluster, connected(cluster):
        yield {"data": data, "cluster": cluster, "name": "worker-1", "zone": "UTC", "is_waiting": False}


@pytest.fixture
def receive(given, jail, tmp_path):
    """Take a file's bytes in; its SHA-256."""
    installation = open_installation(given["data"], zone="UTC")
    path = tmp_path / "clip.mp4"

    def take(data):
        path.write_bytes(data)
        outcome = take_one(make_intake(installation, jail=jail, now=datetime.now(UTC)), path)
        assert outcome.status == "received", outcome
        return outcome.sha256

    yield take
    installation.keys.close()


def state(sha256, name):
    return Step.objects.filter(original__sha256=sha256, name=name).values_list("state", "attempts").get()


def eventually(said, *, what, limit_s=LIMIT_S):
    end_s = time.monotonic() + limit_s
    while time.monotonic() < end_s:
        if found := said():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come")


def work(given):
    """Be a worker until there is nothing more to do, as after a restart of everything."""
    requeue_abandoned_jobs()
    run_worker(**given)


def clip(number):
    return numbered_file(
        size=(1408, 800),
        count=12,
        key_every=6,
        first_number=number,
        tones=[(0, 1000, 0.5)],
        pixel_format="yuv444p",
    )


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("step", ["derive", "transcript"])
def test_a_worker_killed_in_a_step_leaves_it_to_the_next_and_its_result_is_there_once(
    given, receive, step, moment
):
    number = list(MOMENTS).index(moment) + 10 * (step == "transcript")
    sound = shared_media("jfk.flac").read_bytes() + bytes([number]) if step == "transcript" else clip(number)
    sha256 = receive(sound)
    worker = start_worker(given, moment=moment, step=step)
    assert worker.wait(LIMIT_S) == -signal.SIGKILL
    is_kept = moment == "after the result was kept"
    assert state(sha256, step) == ("done" if is_kept else "doing", 1)
    work(given)
    assert state(sha256, "derive")[0] == state(sha256, "transcript")[0] == "done"
    assert state(sha256, step) == ("done", 1 if is_kept else 2)
    kinds = list(Derivative.objects.filter(original__sha256=sha256).values_list("kind", flat=True))
    assert sorted(kinds) == (
        ["waveform"] if step == "transcript" else ["storyboard", "viewing_copy", "waveform"]
    )
    assert Transcript.objects.filter(original__sha256=sha256).count() == 1
    derived = open_derived(given["data"])
    settle_derived(derived)
    assert set(derived.names()) == step_queries.derivative_object_ids()
    assert not ProcrastinateJob.objects.filter(status__in=("todo", "doing")).exists()


def test_a_worker_asked_to_stop_gives_its_step_back_within_seconds(given, receive):
    sha256 = receive(numbered_file(size=(2560, 1440), count=150, tones=[(0, 15_000, 0.5)]))
    worker = start_worker({**given, "is_waiting": True})
    eventually(lambda: state(sha256, "derive") == ("doing", 1), what="the step")
    family = descendants(worker.pid)
    began_s = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(LIMIT_S) == 0
    assert time.monotonic() - began_s < 30
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family), what="the decoder's end")
    assert state(sha256, "derive") == ("waiting", 0)
    assert not ProcrastinateJob.objects.filter(status="doing").exists()
    assert not ProcrastinateWorker.objects.exists()
    run_worker(**given)
    assert state(sha256, "derive") == ("done", 1)


def test_the_step_of_a_worker_that_fell_silent_is_done_by_another(given, receive):
    sha256 = receive(media_file(seconds=1.3))
    assert start_worker(given, moment="before the work", step="derive").wait(LIMIT_S) == -signal.SIGKILL
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '31 seconds'")
    from procrastinate.contrib.django import app

    app.configure_task("plainview.retry_stalled", queue="upkeep").defer(timestamp=0)
    run_worker(**given)
    # Put back while this worker still ran, or just after it had looked for the last time.
    run_worker(**given)
    assert state(sha256, "derive") == ("done", 2)


def test_steps_that_no_job_is_about_are_found_when_a_worker_starts(given, receive):
    sha256 = receive(media_file(seconds=1.4))
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    run_worker(**given)
    assert state(sha256, "derive")[0] == state(sha256, "transcript")[0] == "done"


def test_the_jobs_that_keep_things_in_order_run(given):
    from procrastinate.contrib.django import app

    names = ("retry_stalled", "tend_steps", "keep_uploads", "forget_jobs")
    for name in names:
        app.configure_task(f"plainview.{name}", queue="upkeep").defer(timestamp=0)
    run_worker(**given)
    assert not ProcrastinateJob.objects.exclude(status="succeeded").exists()

"""Parts are started, started again, and stopped in order; and none outlives the one that started it."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from plainview.service import supervise
from plainview.service.errors import PartEndedError
from plainview.service.linux import process_start
from plainview.service.lock import hold_data_lock
from plainview.service.supervise import Part, Parts, next_delay_s, noted_signals, running_parts


@pytest.fixture
def lock(tmp_path):
    with hold_data_lock(tmp_path / "data", command="tests") as held:
        yield held


@pytest.fixture
def program(tmp_path):
    """A stand-in for our own program: what its first argument names, it does, and notes."""
    package = tmp_path / "stand-in" / "plainview"
    (package / "cli").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "cli" / "__init__.py").touch()
    (package / "cli" / "__main__.py").write_text(
        textwrap.dedent("""
            import json, os, signal, sys, time
            what, notes = sys.argv[1:]
            def note(said):
                with open(notes, "a") as file:
                    file.write(json.dumps([what, said, os.getpid()]) + "\\n")
            def stop(*_):
                note("asked")
                if what != "stubborn":
                    sys.exit(0)
            signal.signal(signal.SIGTERM, stop)
            note("up")
            if what == "short":
                sys.exit("it is too short")
            while True:
                time.sleep(0.05)
        """)
    )
    return package.parent


def part(name, program, notes, *, stop_order=0, stop_limit_s=20.0):
    return Part(
        name=name,
        arguments=(name, str(notes)),
        environment={"PYTHONPATH": str(program)},
        output=notes.with_name(f"{name}.out"),
        stop_order=stop_order,
        stop_limit_s=stop_limit_s,
    )


def noted(notes):
    return [json.loads(line)[:2] for line in notes.read_text().splitlines()] if notes.exists() else []


def wait_for(condition, *, limit_s=60.0):
    end_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.02)


def test_parts_are_stopped_in_their_order(lock, program, tmp_path):
    notes = tmp_path / "notes"
    parts = [part(name, program, notes, stop_order=order) for name, order in (("a", 2), ("b", 0), ("c", 1))]
    with running_parts(parts, lock, on_event=lambda *_: None) as running:
        wait_for(lambda: len(noted(notes)) == 3)
        assert sorted(running.pids()) == ["a", "b", "c"]
    assert [what for what, said in noted(notes) if said == "asked"] == ["b", "c", "a"]


def test_a_part_that_does_not_end_in_time_is_killed(lock, program, tmp_path):
    notes, events = tmp_path / "notes", []
    stubborn = part("stubborn", program, notes, stop_limit_s=0.3)
    with running_parts([stubborn], lock, on_event=lambda *event: events.append(event)) as running:
        wait_for(lambda: noted(notes))
        pid = running.pids()["stubborn"]
    assert process_start(pid) is None
    assert events[-1][:2] == ("stubborn", "killed")


def test_a_part_that_ends_is_started_again_each_time_later(lock, program, tmp_path, monkeypatch):
    monkeypatch.setattr(supervise, "FIRST_DELAY_S", 0.02)
    notes, events = tmp_path / "notes", []
    short = part("short", program, notes)
    with running_parts([short], lock, on_event=lambda *event: events.append(event)) as running:

        def started_thrice():
            running.tend()
            return len(noted(notes)) >= 3

        wait_for(started_thrice)
    delays = [remark for _, what, remark in events if what == "ended"]
    assert delays[:2] == ["status 1, again in 0.02 s", "status 1, again in 0.04 s"]


def test_a_part_that_had_run_well_is_started_again_soon(lock, program, tmp_path, monkeypatch):
    monkeypatch.setattr(supervise, "STEADY_S", 0.0)
    notes, events = tmp_path / "notes", []
    with running_parts(
        [part("short", program, notes)], lock, on_event=lambda *e: events.append(e)
    ) as running:

        def started_thrice():
            running.tend()
            return len(noted(notes)) >= 3

        wait_for(started_thrice)
    assert {remark for _, what, remark in events if what == "ended"} == {"status 1, again in 0.25 s"}


def test_a_delay_grows_to_its_limit():
    delays = [0.0]
    for _ in range(12):
        delays.append(next_delay_s(delays[-1]))
    assert delays[1:4] == [0.25, 0.5, 1.0]
    assert delays[-2:] == [30.0, 30.0]


def test_a_part_that_is_needed_and_does_not_start_is_named_with_what_it_said(lock, program, tmp_path):
    with running_parts(
        [part("short", program, tmp_path / "notes")], lock, on_event=lambda *_: None
    ) as running:
        with pytest.raises(PartEndedError, match=r"the short does not start. It said: it is too short"):
            wait_for(lambda: running.check_up("short"))
        running.check_up("another")


def test_a_part_holds_the_data_directory(program, tmp_path):
    notes = tmp_path / "notes"
    with hold_data_lock(tmp_path / "data", command="tests") as lock:
        parts = Parts(lock, lambda *_: None)
        parts.start(part("a", program, notes))
        fd = os.dup(lock.fd)
    os.close(fd)
    with pytest.raises(Exception, match="in use by"), hold_data_lock(tmp_path / "data", command="another"):
        pass
    parts.stop()
    with hold_data_lock(tmp_path / "data", command="another"):
        pass


def test_parts_die_with_whoever_started_them(program, tmp_path):
    notes = tmp_path / "notes"
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent("""
                import pathlib, sys, time
                from plainview.service.lock import hold_data_lock
                from plainview.service.supervise import Part, running_parts
                data, program, notes = map(pathlib.Path, sys.argv[1:])
                part = Part("stubborn", ("stubborn", str(notes)), {"PYTHONPATH": str(program)}, notes.with_name("o"), 0, 9.0)
                with hold_data_lock(data, command="tests") as lock, running_parts([part], lock, on_event=lambda *_: None):
                    time.sleep(600)
            """),
            str(tmp_path / "data"),
            str(program),
            str(notes),
        ]
    )
    wait_for(lambda: noted(notes))
    pid = json.loads(notes.read_text().splitlines()[0])[2]
    parent.kill()
    parent.wait()
    wait_for(lambda: process_start(pid) is None)
    with hold_data_lock(tmp_path / "data", command="another", wait_s=20):
        pass


def test_a_process_that_has_ended_counts_as_gone_before_its_parent_has_asked():
    child = subprocess.Popen(["true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert process_start(child.pid) is None
    child.wait()


def test_a_signal_is_noted_and_the_next_one_does_what_it_always_does():
    before = signal.getsignal(signal.SIGTERM)
    with noted_signals() as has_come:
        assert not has_come()
        os.kill(os.getpid(), signal.SIGTERM)
        wait_for(has_come)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) == before

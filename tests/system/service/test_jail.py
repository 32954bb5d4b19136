import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from plainview.service.errors import JailError
from plainview.service.jail import DecoderJail, Limits
from plainview.service.jail_output import HEADER, Output

TASKS = "simulators.hostile_tasks"
QUICK = Limits(memory_bytes=192 << 20, cpu_s=1, wall_s=20.0, output_bytes=100_000, threads=4)
BRIEF = Limits(memory_bytes=192 << 20, cpu_s=1, wall_s=0.4, output_bytes=100_000)


@pytest.fixture(scope="module")
def jail():
    with DecoderJail(preload=[TASKS]) as running:
        yield running


@pytest.fixture
def fd(tmp_path):
    path = tmp_path / "original"
    path.write_bytes(b"hello, decoder")
    number = os.open(path, os.O_RDONLY)
    yield number
    os.close(number)


def run(jail, task, fd, *, limits=QUICK, **argument):
    return jail.run(f"{TASKS}:{task}", fd=fd, argument=argument, limits=limits)


def test_a_good_task_reads_its_file_and_its_key_and_answers(jail, fd):
    result = run(jail, "read_it", fd, count=5, key=b"\0\xff" * 16, note="né")
    assert result.value == {"text": "hello", "key_bytes": 32, "note": "né"}
    assert (result.failure, result.reason, result.message) == (None, None, None)
    assert result.cpu_s > 0
    assert result.peak_memory_bytes > 1 << 20
    assert result.wall_s > 0


def test_everything_is_enforced_or_said_not_to_be(jail, fd):
    result = run(jail, "read_it", fd, count=1, key=b"", note="")
    named = {*result.enforced, *(name for name, _ in result.not_enforced)}
    assert named - {"number of threads"} == {
        "resource limits", "dies with its parent", "unprivileged user", "user namespace", "network namespace",
        "ipc namespace", "host name namespace", "process namespace", "empty root", "no capabilities",
        "no new privileges", "not dumpable", "no files by name", "system call filter",
    }  # fmt: skip
    assert {"resource limits", "no new privileges", "dies with its parent"} <= set(result.enforced)
    assert all(why for _, why in result.not_enforced)


def test_the_child_has_no_environment_and_only_its_own_descriptors(jail, fd):
    value = run(jail, "identity", fd).value
    assert value["environment"] == {}
    assert value["descriptors"] == [0, 1, 2, 3, 4]
    assert value["uid"] != 0


def test_threads_of_a_decoder_run(jail, fd):
    assert run(jail, "use_threads", fd, count=4).value == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("task", "failure"),
    [
        ("eat_memory", "memory"),
        ("spin", "cpu time"),
        ("write_much", "too much output"),
        ("segfault", "crashed (signal 11)"),
        ("leave", "ended without a result"),
        ("system_exit", "refused: SystemExit: 0"),
        ("raise_unknown", "refused: ValueError: the parser gave up"),
        ("return_bytes", "refused: TypeError: Object of type bytes is not JSON serializable"),
        ("return_not_a_number", "refused: ValueError: Out of range float values are not JSON compliant"),
        ("become_program", "forbidden system call"),
        ("trace_parent", "forbidden system call"),
        ("forge_confinement", "unreadable result"),
        ("forge_two_outcomes", "ended without a result"),
        ("no_such_task", "not started: AttributeError"),
    ],
)
def test_a_hostile_task_is_contained_and_named(jail, fd, task, failure):
    result = run(jail, task, fd)
    assert result.failure.startswith(failure)
    assert result.value is None


@pytest.mark.parametrize("task", ["sleep", "close_and_sleep", "ignore_signals_and_sleep"])
def test_a_task_that_never_ends_is_ended(jail, fd, task):
    result = run(jail, task, fd, limits=BRIEF)
    assert result.failure == "wall time"
    assert result.wall_s < 5


@pytest.mark.parametrize(
    "task",
    [
        "fork",
        "fork_by_shell",
        "outlive_parent",
        "kill_everyone",
        "raise_limits",
        "make_namespace",
        "write_to_given_file",
        "change_given_file",
    ],
)
def test_what_a_decoder_has_no_business_doing_is_refused(jail, fd, task):
    assert run(jail, task, fd).failure.startswith("refused: ")


def test_aborting_is_named_as_a_crash(jail, fd):
    assert run(jail, "abort", fd).failure.startswith("crashed (signal ")


def test_a_listening_server_is_out_of_reach(jail, fd):
    with socket.create_server(("127.0.0.1", 0)) as server:
        result = run(jail, "open_socket", fd, port=server.getsockname()[1])
    assert result.failure.startswith("refused: ")


def test_no_file_can_be_read_or_written_by_name(jail, fd):
    assert run(jail, "open_password_file", fd).failure.startswith("refused: ")
    assert run(jail, "write_file", fd).failure.startswith("refused: ")
    assert not Path("/tmp/written-from-the-jail").exists()


def test_more_threads_than_allowed_are_refused(jail, fd):
    result = run(jail, "hold_threads", fd, count=40)
    if "user namespace" in result.enforced:
        assert result.failure.startswith("refused: RuntimeError")
    else:
        assert ("number of threads", "counted with other processes of the same user") in result.not_enforced


def test_printing_goes_nowhere(jail, fd, capfd):
    assert run(jail, "print_much", fd, mib=1024).value == "printed"
    assert capfd.readouterr() == ("", "")


def test_a_value_up_to_the_limit_comes_back_and_one_beyond_does_not(jail, fd):
    assert len(run(jail, "return_much", fd, count=99_000).value) == 99_000
    assert run(jail, "return_much", fd, count=101_000).failure == "too much output"


def test_a_gigabyte_returned_is_a_failure_not_a_gigabyte_received(jail, fd):
    assert run(jail, "return_much", fd, count=1 << 30).failure == "memory"


def test_a_known_exception_comes_back_with_its_reason_and_a_harmless_text(jail, fd):
    result = run(jail, "raise_known", fd)
    assert (result.failure, result.reason) == ("raised", "not a recording")
    assert result.message.startswith(r"no moov box\x1b[2J\u202e after 12 bytes")
    assert len(result.message) == 500


def test_a_late_import_is_our_fault_and_named_so(fd):
    with DecoderJail(preload=[TASKS]) as jail:
        failure = run(jail, "import_late", fd).failure
    assert failure.startswith("missing import: ModuleNotFoundError")


def test_a_package_with_all_its_modules_can_be_preloaded(fd):
    with DecoderJail(preload=[TASKS, "xml.dom.*"]) as jail:
        assert run(jail, "import_late", fd).value == "imported"


def test_tasks_of_several_threads_run_at_the_same_time(jail, fd):
    results = []

    def work():
        results.append(run(jail, "sleep", fd, limits=BRIEF).failure)

    threads = [threading.Thread(target=work) for _ in range(6)]
    start_s = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["wall time"] * 6
    assert time.monotonic() - start_s < 6 * BRIEF.wall_s


@pytest.mark.parametrize("wall_s", [3.3e6, 1e9])
def test_a_task_may_be_given_more_time_than_the_kernel_counts(jail, fd, wall_s):
    limits = Limits(wall_s=wall_s)
    assert run(jail, "read_it", fd, limits=limits, count=5, key=b"", note="").failure is None
    written = Written(8 << 20, 100)
    assert write(jail, "write_with_head_last", fd, written, limits=limits, times=1).failure is None


def test_a_killed_server_is_started_again(fd):
    with DecoderJail(preload=[TASKS]) as jail:
        jail._server.send_signal(signal.SIGKILL)
        jail._server.wait()
        assert run(jail, "read_it", fd, count=5, key=b"", note="").value["text"] == "hello"


def test_closing_the_jail_ends_a_running_task(fd):
    jail = DecoderJail(preload=[TASKS])
    failures = []

    def work():
        try:
            run(jail, "sleep", fd, limits=Limits(wall_s=60))
        except JailError as error:
            failures.append(str(error))

    with jail:
        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(0.3)
    thread.join(10)
    assert not thread.is_alive()
    assert "no answer" in failures[0]


def test_a_jail_that_is_not_running_says_so(fd):
    with pytest.raises(JailError, match="not running"):
        DecoderJail().run("a:b", fd=fd)


def test_a_module_that_cannot_be_loaded_is_named_at_the_start():
    with pytest.raises(JailError, match="no_such_module"), DecoderJail(preload=["no_such_module"]):
        pass


def test_a_file_open_for_writing_is_not_taken(jail, tmp_path):
    with (tmp_path / "file").open("w") as file, pytest.raises(ValueError, match="reading only"):
        run(jail, "read_it", file.fileno())


def test_a_folder_is_not_taken(jail, tmp_path):
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(ValueError, match="regular files only"):
            run(jail, "read_it", folder)
    finally:
        os.close(folder)


class Written:
    """Outputs as files in memory, and what else was heard."""

    def __init__(self, *limits_bytes, on_tick=lambda: None, on_bytes=None):
        self.files = [bytearray() for _ in limits_bytes]
        self.rooms, self.shares = {}, []
        self.output = Output(
            limits_bytes=limits_bytes,
            on_room=self.rooms.__setitem__,
            on_bytes=on_bytes or self.put,
            on_progress=self.shares.append,
            on_tick=on_tick,
        )

    def put(self, number, offset, data):
        file = self.files[number]
        file.extend(bytes(max(0, offset + len(data) - len(file))))
        file[offset : offset + len(data)] = data


def write(jail, task, fd, written, *, limits=QUICK, **argument):
    return jail.run(f"{TASKS}:{task}", fd=fd, argument=argument, limits=limits, output=written.output)


@pytest.mark.parametrize("times", [1, 1_000_000])
def test_a_task_writes_its_outputs_and_says_how_far_it_is(jail, fd, times):
    written = Written(8 << 20, 100)
    result = write(jail, "write_with_head_last", fd, written, times=times)
    assert (result.failure, result.value) == (None, 4 * times + 8)
    assert written.files == [b"head" + b"body" * times + b"tail", b"small"]
    assert (written.rooms, written.shares) == ({0: 4}, [0.25, 1.0])


def test_without_an_output_there_is_nowhere_to_write(jail, fd):
    assert run(jail, "write_with_head_last", fd, times=1).failure.startswith("refused: OSError")


def test_with_an_output_the_child_has_one_descriptor_more_and_cannot_read_it(jail, fd):
    assert write(jail, "identity", fd, Written(1)).value["descriptors"] == [0, 1, 2, 3, 4, 5]
    assert write(jail, "read_output_pipe", fd, Written(1)).failure.startswith("refused: OSError")


@pytest.mark.parametrize(
    ("task", "failure"),
    [
        ("write_endlessly", "too much output"),
        ("write_the_same_place_endlessly", "too much output"),
        ("write_then_die", "crashed (signal "),
        ("write_although_nobody_reads", "too much output"),
        ("spin", "cpu time"),
        ("segfault", "crashed (signal 11)"),
        ("no_such_task", "not started: AttributeError"),
        ("return_bytes", "refused: TypeError"),
    ],
)
def test_a_hostile_task_with_an_output_is_contained_and_named(jail, fd, task, failure):
    result = write(jail, task, fd, Written(20_000))
    assert result.failure.startswith(failure)
    assert result.value is None


@pytest.mark.parametrize("raw", [b"\0", b"x" * 100, HEADER.pack(b"d", b"\7", 0, 1) + b"x"])
def test_hostile_output_spoils_the_result(jail, fd, raw):
    result = write(jail, "write_raw", fd, Written(100), raw=raw)
    assert result.failure.startswith("unreadable output: ")


def test_a_task_that_writes_and_never_ends_is_ended(jail, fd):
    assert write(jail, "write_then_sleep", fd, Written(100), limits=BRIEF).failure == "wall time"


@pytest.mark.parametrize("task", ["write_then_sleep", "write_although_nobody_reads", "write_endlessly"])
def test_what_the_reader_raises_ends_the_task_and_passes_through(jail, fd, task):
    def refuse(*_):
        raise OSError(28, "the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        write(jail, task, fd, Written(1 << 30, on_bytes=refuse), limits=Limits(wall_s=60))
    assert await_end(descendants(jail._server.pid)[1:]) == []


def test_a_task_can_be_given_up_while_it_says_nothing(jail, fd):
    def stop():
        raise InterruptedError("asked to stop")

    start_s = time.monotonic()
    with pytest.raises(InterruptedError, match="asked to stop"):
        write(jail, "sleep", fd, Written(on_tick=stop), limits=Limits(wall_s=60))
    assert time.monotonic() - start_s < 10
    assert await_end(descendants(jail._server.pid)[1:]) == []


# Refuses new namespaces and Landlock to itself, as an old kernel or a container does, and runs tasks then.
WITHOUT_NAMESPACES = """
import ctypes, json, os, platform, sys
from dataclasses import asdict
from plainview.service import linux, seccomp
from plainview.service.jail import DecoderJail, Limits

unshare = {"x86_64": 272, "aarch64": 97}[platform.machine()]
numbers = [unshare, linux.LANDLOCK_CREATE_RULESET]
steps = [seccomp._step(seccomp.LOAD_WORD, seccomp.OFFSET_NUMBER)]
steps += [seccomp._answer_for(number, seccomp.REFUSE | 38) for number in numbers]
steps.append(seccomp._step(seccomp.RETURN, seccomp.ALLOW))
program = b"".join(steps)
code = ctypes.create_string_buffer(program)
described = seccomp._Program(len(program) // 8, ctypes.addressof(code))
linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
linux.prctl(linux.PR_SET_SECCOMP, 2, ctypes.addressof(described))

fd = os.open(sys.argv[1], os.O_RDONLY)
with DecoderJail(preload=["simulators.hostile_tasks"]) as jail:
    limits = Limits(memory_bytes=192 << 20, cpu_s=1, wall_s=5.0)
    results = {
        name: asdict(jail.run("simulators.hostile_tasks:" + name, fd=fd, argument={"count": 5, "key": b"", "note": "", "port": 1}, limits=limits))
        for name in ("read_it", "open_socket", "fork", "kill_everyone", "outlive_parent", "eat_memory", "spin", "open_password_file", "change_given_file", "write_file")
    }
print(json.dumps(results))
"""


def test_where_the_kernel_refuses_namespaces_the_rest_holds_and_the_result_says_so(fd, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_NAMESPACES, str(tmp_path / "original")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    results = json.loads(done.stdout)
    missing = {name for name, _ in results["read_it"]["not_enforced"]}
    assert {
        "user namespace",
        "network namespace",
        "process namespace",
        "empty root",
        "no files by name",
    } <= missing
    assert results["read_it"]["value"]["text"] == "hello"
    assert results["eat_memory"]["failure"] == "memory"
    assert results["spin"]["failure"] == "cpu time"
    for name in (
        "open_socket",
        "fork",
        "kill_everyone",
        "outlive_parent",
        "open_password_file",
        "change_given_file",
        "write_file",
    ):
        assert results[name]["failure"].startswith("refused: "), (name, results[name])
    assert not Path("/tmp/written-from-the-jail").exists()


def test_the_child_dies_with_the_process_that_asked(tmp_path, fd):
    script = (
        "import os, sys\n"
        "from plainview.service.jail import DecoderJail, Limits\n"
        "fd = os.open(sys.argv[1], os.O_RDONLY)\n"
        "with DecoderJail(preload=['simulators.hostile_tasks']) as jail:\n"
        "    print(jail._server.pid, flush=True)\n"
        "    jail.run('simulators.hostile_tasks:sleep', fd=fd, limits=Limits(wall_s=60))\n"
    )
    caller = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "original")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with caller:
        server = int(caller.stdout.readline())
        family = wait_for_family(server)
        caller.kill()
    assert await_end(family) == []


def test_the_child_dies_with_its_watcher(fd):
    failures = []

    def work():
        try:
            run(jail, "sleep", fd, limits=Limits(wall_s=60))
        except JailError as error:
            failures.append(str(error))

    with DecoderJail(preload=[TASKS]) as jail:
        thread = threading.Thread(target=work)
        thread.start()
        family = wait_for_family(jail._server.pid)
        os.kill(family[1], signal.SIGKILL)
        thread.join(10)
        assert "no answer" in failures[0]
        assert await_end(family[2:]) == []
        assert run(jail, "read_it", fd, count=5, key=b"", note="").value["text"] == "hello"


def wait_for_family(server):
    """Return the server, the watcher and the child."""
    end_s = time.monotonic() + 10
    while len(family := descendants(server)) < 3 and time.monotonic() < end_s:
        time.sleep(0.05)
    time.sleep(0.2)  # the child asks to die with its watcher just after it is born
    family = descendants(server)
    assert len(family) == 3
    return family


def await_end(pids):
    """Return those that are still there after ten seconds."""
    end_s = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < end_s:
        time.sleep(0.05)
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def descendants(pid):
    found = [pid]
    for parent in found:
        try:
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text()
        except OSError:
            continue
        found += [int(child) for child in children.split()]
    return found

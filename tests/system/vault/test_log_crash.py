"""An append killed at every system call that touches the disk, in a process of its own."""

import re
import shutil
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import pytest

from plainview.vault.audit import audit_log
from plainview.vault.log_errors import LogError
from simulators.custody_logs import KEY, ORIGIN, SIGN, LogUnderTest, leaf, leaves

BEFORE, AFTER = 250, 260  # a tile and a bundle become full, the next ones begin, level 1 begins
CALLS = (
    "openat",
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "rename",
    "renameat2",
    "unlink",
    "mkdir",
    "rmdir",
    "ftruncate",
)
TESTS = Path(__file__).parents[2]
PROGRAM = TESTS / "simulators" / "append_once.py"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("strace") is None, reason="SKIPPED: no strace; on Debian: apt-get install strace"
    ),
]


def append_command(folder, writer):
    sources = f"{TESTS}:{TESTS.parent / 'src'}"
    # Bytecode of its own: what another test writes meanwhile would make the calls count otherwise.
    alone = ["-X", f"pycache_prefix={folder.parent / 'bytecode'}"]
    return [sys.executable, *alone, PROGRAM, sources, folder, writer, str(BEFORE), str(AFTER)]


def traced(folder, writer, *options):
    # Not --seccomp-bpf: with it strace 6.1 counts the calls and injects nothing.
    trace = ["strace", "-f", "-qq", "-o", folder / "trace", *options]
    return subprocess.run(
        [*trace, *append_command(folder, writer)], capture_output=True, text=True, check=False
    )


@pytest.fixture
def before(tmp_path):
    """Return a log of 250 entries, and how many calls of each kind precede the append and are in it."""
    log = LogUnderTest(tmp_path / "before")
    log.folder.mkdir()
    log.append(leaves(0, BEFORE))
    return log


@contextmanager
def fresh(before, tmp_path, name="here"):
    folder = tmp_path / name
    shutil.copytree(before.folder, folder)
    yield folder
    shutil.rmtree(folder)


def calls_of_an_append(before, tmp_path, writer):
    """Return (call, n) for each call of the append: the n-th of its kind in the life of the process."""
    with fresh(before, tmp_path, "first") as folder:
        subprocess.run(append_command(folder, writer), capture_output=True, check=True)  # writes the bytecode
    with fresh(before, tmp_path) as folder:
        done = traced(folder, writer, "-e", "trace=" + ",".join(CALLS))
        lines = (folder / "trace").read_text().splitlines()
    assert done.stdout == f"ACK {AFTER}\n", done.stderr
    seen, found, begun = Counter(), [], False
    for line in lines:
        call = re.match(r"\d+ +(\w+)\(", line)
        if call:
            seen[call[1]] += 1
            if begun:
                found.append((call[1], seen[call[1]]))
            begun = begun or "BEGIN" in line
    return found


def problem_after_kill(before, tmp_path, writer, call, nth):
    with fresh(before, tmp_path, f"{call}-{nth}") as folder:
        inject = f"inject={call}:signal=SIGKILL:when={nth}"
        done = traced(folder, writer, "-e", f"trace={call}", "-e", inject)
        assert done.returncode != 0, "the kill was not delivered: the harness sees nothing"
        problem = problem_of(LogUnderTest(folder), acknowledged=bool(done.stdout))
    return f"{call} {nth}: {problem}" if problem else None


def problem_of(left, *, acknowledged):
    held = left.checkpoints.last(ORIGIN)[0]
    for known in (held, None):
        report = audit_log(left.root, keys=[KEY], known=known)
        if not report.is_sound:
            return report.findings[0]
    if acknowledged and report.checkpoint.size != AFTER:
        return "acknowledged and not published"
    try:
        again = left.append(leaves(BEFORE, AFTER), start=BEFORE)
    except LogError as error:
        return f"a retry was refused: {error}"
    sound = audit_log(left.root, keys=[KEY], known=again)
    return None if sound.is_sound and not sound.notices else f"a retry left {sound}"


def problems_of(before, tmp_path, writer, *, every=1):
    calls = calls_of_an_append(before, tmp_path, writer)
    assert len(calls) > 40, "the tracer sees too little of an append to prove anything"
    with ThreadPoolExecutor(2) as two:
        found = two.map(lambda each: problem_after_kill(before, tmp_path, writer, *each), calls[::every])
        return [problem for problem in found if problem]


def test_a_kill_at_every_system_call_of_an_append_converges(before, tmp_path):
    assert problems_of(before, tmp_path, "TiledLog") == []


@pytest.mark.parametrize("writer", ["PublishesFirst", "SignsFirst"])
def test_a_writer_in_the_wrong_order_is_caught(before, tmp_path, writer):
    assert problems_of(before, tmp_path, writer, every=3)


def race(folder, number, start_line, results):
    log = LogUnderTest(folder)
    entries = [leaf(BEFORE, object_id=f"R-26-{number:08d}-K")]
    start_line.wait()
    try:
        results.put((number, log.append(entries, start=BEFORE).root.hex()))
    except LogError as error:
        results.put((number, type(error).__name__))


def test_of_many_writers_at_once_exactly_one_wins(before):
    processes = get_context("fork" if sys.platform == "linux" else "spawn")
    start_line, results = processes.Barrier(4), processes.SimpleQueue()
    writers = [
        processes.Process(target=race, args=(before.folder, number, start_line, results))
        for number in range(4)
    ]
    for writer in writers:
        writer.start()
    outcomes = dict(results.get() for _ in writers)
    for writer in writers:
        writer.join()
    won = [root for root in outcomes.values() if len(root) == 64]
    assert len(won) == 1, outcomes
    assert set(outcomes.values()) - set(won) <= {"LogBusyError", "EntriesDifferError"}
    assert before.log.root_at(BEFORE + 1).hex() == won[0]
    assert audit_log(before.root, keys=[KEY]).is_sound
    assert before.append([leaf(BEFORE + 1)]).size == BEFORE + 2
    assert before.sign is SIGN

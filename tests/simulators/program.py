"""The real program, run as a person would, and data directories to run it on."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from plainview.service.lock import hold_data_lock
from plainview.service.postgres import running_postgres

PROGRAM = [sys.executable, "-m", "plainview.cli"]
# A command starts a database; on a loaded machine that takes a while. Whoever waits longer hangs.
LIMIT_S = 120


def environment(**changes):
    """Return our environment without what would lead the program elsewhere; None takes a name out."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if "PLAINVIEW" not in name and "DATABASE" not in name
    }
    ours |= {"PYTHONWARNINGS": "default", "PLAINVIEW_WAIT_S": "60"} | changes
    return {name: value for name, value in ours.items() if value is not None}


def plainview(*arguments, data, env=None, limit_s=LIMIT_S, **options):
    """Run one command to its end and return the finished process; its output is text."""
    return subprocess.run(
        [*PROGRAM, *map(os.fspath, arguments), "--data", str(data)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=limit_s,
        check=False,
        env=environment(**(env or {})),
        **options,
    )


def ingest(*paths, data, env=None, **options):
    """Take files in; return the outcomes, one dictionary each, and the finished process."""
    done = plainview("ingest", "--json", *paths, data=data, env=env, **options)
    return outcomes(done.stdout), done


def outcomes(printed):
    """Return the objects printed; a last line that was cut off by a kill does not count."""
    return [json.loads(line) for line in printed.splitlines(keepends=True) if line.endswith("\n")]


def leaves(data):
    """Return every leaf of the log as it lies in the files, parsed, oldest first."""
    checkpoint = (data / "log" / "1" / "checkpoint").read_text().splitlines()
    found = []
    folder = data / "log" / "1" / "tile" / "entries"
    for number in range((int(checkpoint[1]) + 255) // 256):
        widths = sorted(folder.glob(f"{number:03}.p/*"), key=lambda path: int(path.name))
        whole = folder / f"{number:03}"
        bundle = (whole if whole.exists() else widths[-1]).read_bytes()
        while bundle:
            size = int.from_bytes(bundle[:2], "big")
            found.append(json.loads(bundle[2 : 2 + size]))
            bundle = bundle[2 + size :]
    return found[: int(checkpoint[1])]


@contextlib.contextmanager
def database_of(data):
    """Run a data directory's own database and yield it, as the program would."""
    with hold_data_lock(data, command="tests", wait_s=60) as lock, running_postgres(data, lock) as cluster:
        yield cluster


def processes_of(data):
    """Return the processes that have something of this data directory open, or run in it."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            links = [entry / "cwd", *(entry / "fd").iterdir()]
            for link in links:
                with contextlib.suppress(OSError):
                    if link.readlink().is_relative_to(data):
                        found.add(int(entry.name))
    return found - {os.getpid()}


def start(*arguments, data, env=None):
    """Start one command in a process group of its own."""
    return subprocess.Popen(
        [*PROGRAM, *map(os.fspath, arguments), "--data", str(data)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(**(env or {})),
        process_group=0,
        encoding="utf-8",
    )


def kill_everything(process, data):
    """SIGKILL the program, its database and its decoder jail, as a loss of power would stop them."""
    doomed = {process.pid, *descendants(process.pid)} | processes_of(data)
    for pid in doomed:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def descendants(pid):
    """Return every process below this one."""
    found = []
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += [int(child), *descendants(int(child))]
    return found

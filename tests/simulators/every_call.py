"""Interrupt a piece of work at every system call it makes: kill it there, or have the call fail.

strace counts and injects per thread from the moment it attaches, and it attaches to a worker that stopped itself
(simulators.interrupted_child).
"""

from __future__ import annotations

import collections
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

# What touches a disk. Left out: memory, locks between threads, clocks, signals and the thread's own birth and death,
# where a kill is no different from one at the nearest of these.
CALLS = (
    "openat,open,creat,read,pread64,preadv,preadv2,write,pwrite64,writev,fsync,fdatasync,sync_file_range,"
    "ftruncate,fallocate,link,linkat,unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat,chmod,fchmod,"
    "fchmodat,close,fcntl,lseek,stat,fstat,lstat,newfstatat,statx,access,faccessat,fadvise64,getdents64"
)
_CALL = re.compile(r"^(\d+) +(\w+)\(")
_PATIENCE_S = 20


@dataclass(frozen=True)
class Outcome:
    """What a worker said: the ids it acknowledged, what it refused with or crashed with; and if it was killed.

    `was_unheard` means that the acknowledgement itself failed, after the work.
    """

    acknowledged: tuple[str, ...]
    refused: str
    crashed: str
    was_killed: bool
    was_unheard: bool


class Interrupter:
    """Runs workers under strace."""

    def __init__(self, scratch, *, child="interrupted_child.py"):
        self._scratch = Path(scratch)
        child = Path(__file__).with_name(child)
        (self._scratch / "warm").mkdir()
        self._process = subprocess.Popen(
            [sys.executable, str(child), str(self._scratch / "warm")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._line() == "ready"

    def close(self):
        self._process.stdin.close()
        self._process.wait(_PATIENCE_S)
        self._process.stdout.close()

    def count(self, run, vault, source):
        """Return how often each call is made, by the thread that makes it most often."""
        trace = self._scratch / "trace"
        self.run(run, vault, source, ["-o", str(trace), "-e", "trace=" + CALLS])
        seen = collections.Counter()
        for line in trace.read_text().splitlines():
            if match := _CALL.match(line):
                seen[match[1], match[2]] += 1
        most = collections.Counter()
        for (_, call), times in seen.items():
            most[call] = max(most[call], times)
        return dict(most)

    def inject(self, run, vault, source, call, number, fault):
        """Run with one fault at the number-th time a thread makes a call, counted from 1."""
        inject = f"inject={call}:{fault}:when={number}"
        return self.run(run, vault, source, ["-o", "/dev/null", "-e", f"trace={call}", "-e", inject])

    def run(self, run, vault, source, options):
        result = self._scratch / "result"
        result.unlink(missing_ok=True)
        order = {"run": run, "vault": str(vault), "source": str(source), "result": str(result)}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        pid = int(self._line())
        strace = subprocess.Popen(["strace", "-f", "-qqq", *options, "-p", str(pid)], stderr=subprocess.PIPE)
        try:
            self._wait_for_tracer(pid, strace)
            os.kill(pid, signal.SIGCONT)
            status = int(self._line())
        finally:
            strace.communicate(timeout=_PATIENCE_S)
        said = result.read_text().splitlines() if result.exists() else []
        words = {word: [line[len(word) + 1 :] for line in said if line.startswith(word)] for word in WORDS}
        return Outcome(
            acknowledged=tuple(words["ACK"]),
            refused=" ".join(words["REFUSED"]),
            crashed=" ".join(words["CRASHED"]),
            was_killed=os.WIFSIGNALED(status),
            was_unheard="UNHEARD" in said,
        )

    def _wait_for_tracer(self, pid, strace):
        until = time.monotonic() + _PATIENCE_S
        while "TracerPid:\t0" in Path(f"/proc/{pid}/status").read_text():
            if strace.poll() is not None or time.monotonic() > until:
                os.kill(pid, signal.SIGKILL)
                raise CannotTraceError(strace.stderr.read().decode())
            time.sleep(0.0005)

    def _line(self):
        return self._process.stdout.readline().strip()


WORDS = ("ACK", "REFUSED", "CRASHED")


class CannotTraceError(Exception):
    """strace may not attach on this machine."""


def why_not(scratch):
    """Return why calls cannot be interrupted on this machine, or an empty string."""
    if shutil.which("strace") is None:
        return "strace is not installed: NO system call was interrupted"
    sleeper = subprocess.Popen(["sleep", "60"])
    try:
        tried = subprocess.run(
            ["timeout", "1", "strace", "-qqq", "-o", str(Path(scratch) / "tried"), "-p", str(sleeper.pid)],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        sleeper.kill()
        sleeper.wait()
    if "attach" in tried.stderr:
        return f"strace may not attach here ({tried.stderr.strip()}): NO system call was interrupted"
    return ""

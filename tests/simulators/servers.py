"""The real server, started as a person would, and what may happen to it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import ssl
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from simulators.program import LIMIT_S, descendants, processes_of, start

# The certificates of tests are made by them.
ANY_CERTIFICATE = ssl._create_unverified_context()


@dataclass
class Server:
    """A server that runs, or did."""

    process: object
    data: Path
    address: str

    @property
    def pid(self):
        return self.process.pid

    def get(self, path):
        """Return status, headers and body of an answer; None where nobody answers."""
        try:
            with urllib.request.urlopen(self.address + path, timeout=30, context=ANY_CERTIFICATE) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read().decode()
        except OSError:
            return None

    def is_up(self):
        answer = self.get("/healthz")
        return answer is not None and answer[0] == 200

    def part(self, name):
        """Return the process of a part: "web", "sequencer", "worker-1" or "postgres"."""
        for pid in children(self.pid):
            words = command_of(pid)
            if (name == "postgres" and "postgres" in words[0]) or words[4:6] == ["part", name]:
                return pid
        return None

    def children_of(self, pid):
        return children(pid)

    def kill(self, signal_number=signal.SIGKILL):
        """Signal the process that holds everything together, and nothing else."""
        os.kill(self.pid, signal_number)

    def kill_all(self):
        """SIGKILL everything, as a loss of power would stop it."""
        self.kill_all_but()

    def kill_all_but(self, *spared):
        """SIGKILL everything but these processes and what they started."""
        alive = {*spared, *(each for pid in spared for each in descendants(pid))}
        for pid in ({self.pid, *descendants(self.pid)} | processes_of(self.data)) - alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def wait(self):
        """Wait for its end; return its status and what it had said."""
        _, said = self.process.communicate(timeout=LIMIT_S)
        return self.process.returncode, said

    def stop(self):
        if self.process.poll() is None:
            self.kill(signal.SIGTERM)
        return self.wait()


def start_server(data, *arguments, env=None):
    """Start a server and wait until it says where it is."""
    process = start("serve", "--port", "0", *arguments, data=data, env=env)
    line = process.stdout.readline()
    if not line.startswith("Plainview is at "):
        _, said = process.communicate(timeout=LIMIT_S)
        raise AssertionError(f"it said {line!r} and {said!r}")
    return Server(process, data, line.removeprefix("Plainview is at ").strip())


@contextlib.contextmanager
def serving(data, *arguments, env=None):
    server = start_server(data, *arguments, env=env)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()
        for stream in (server.process.stdout, server.process.stderr):
            stream.close()


def eventually(condition, *, limit_s=60.0, what="it"):
    """Wait until a condition holds and return what it returned."""
    end_s = time.monotonic() + limit_s
    while not (found := condition()):
        assert time.monotonic() < end_s, f"{what} did not come about in {limit_s:.0f} s"
        time.sleep(0.05)
    return found


def children(pid):
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def command_of(pid):
    """Return the words a process was started with; one that is gone has none."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return [""]


def serving_facts(data):
    return json.loads((data / "service" / "serving.json").read_text())

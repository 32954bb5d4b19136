"""Keep the processes of a server running: start them, start them again when they end, stop them in order.

Every part inherits the data directory's lock, so the lock proves that all of them are gone; and every part is killed by
the kernel when we end, however we end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import plainview
from plainview.service.errors import PartEndedError
from plainview.service.launch import PART_STUB
from plainview.service.postgres import rotate_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from plainview.service.lock import DataLock

FIRST_DELAY_S = 0.25
LONGEST_DELAY_S = 30.0
# A part that lived this long had started well: what ended it is no reason to be slow.
STEADY_S = 30.0
TAIL_BYTES = 1200


@dataclass(frozen=True)
class Part:
    """One process of a server.

    Attributes:
        name: for messages: "worker 2".
        arguments: of our own program: ("part", "worker").
        environment: all of it.
        output: what it prints is added to this file.
        stop_order: parts with the lowest number are stopped first.
        stop_limit_s: how long it may take to end before it is killed.
    """

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    output: Path
    stop_order: int
    stop_limit_s: float


@dataclass
class _Running:
    part: Part
    process: subprocess.Popen[bytes]
    began_s: float
    # Set while it is down: when it is started again, and how long it waited the last time.
    again_at_s: float | None = None
    delay_s: float = 0.0


class Parts:
    """The parts of a running server; see running_parts().

    Attributes:
        on_event: told what happened to which part: its name, "started", "ended" or "killed", and a remark.
    """

    def __init__(self, lock: DataLock, on_event: Callable[[str, str, str], None]) -> None:
        self._lock = lock
        self._running: list[_Running] = []
        self.on_event = on_event

    def start(self, part: Part) -> None:
        """Start one more part."""
        rotate_log(part.output)
        self._running.append(_Running(part, self._spawn(part), time.monotonic()))

    def tend(self) -> None:
        """Start again what has ended, each time a little later; call it several times a second."""
        now_s = time.monotonic()
        for each in self._running:
            if each.again_at_s is None and (status := each.process.poll()) is not None:
                is_steady = now_s - each.began_s >= STEADY_S
                each.delay_s = FIRST_DELAY_S if is_steady else next_delay_s(each.delay_s)
                each.again_at_s = now_s + each.delay_s
                self.on_event(each.part.name, "ended", f"status {status}, again in {each.delay_s:g} s")
            if each.again_at_s is not None and now_s >= each.again_at_s:
                each.process, each.began_s, each.again_at_s = self._spawn(each.part), now_s, None

    def check_up(self, name: str) -> None:
        """Raise where a part that is needed at the start has ended.

        Raises:
            PartEndedError: it has.
        """
        for each in self._running:
            if each.part.name == name and each.process.poll() is not None:
                raise PartEndedError(
                    name, log=each.part.output, log_tail=_tail(each.part.output)[-TAIL_BYTES:]
                )

    def pids(self) -> dict[str, int]:
        """Return the process of each part that is up."""
        return {each.part.name: each.process.pid for each in self._running if each.process.poll() is None}

    def stop(self) -> None:
        """Ask the parts to end, in order, and kill what does not in time."""
        for order in sorted({each.part.stop_order for each in self._running}):
            group = [each for each in self._running if each.part.stop_order == order]
            for each in group:
                if each.process.poll() is None:
                    each.process.terminate()
            end_s = time.monotonic() + max(each.part.stop_limit_s for each in group)
            for each in group:
                self._wait(each, end_s)
        self._running.clear()

    def _wait(self, each: _Running, end_s: float) -> None:
        try:
            each.process.wait(max(0.0, end_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.on_event(each.part.name, "killed", "it did not end in time")
            each.process.kill()
            each.process.wait()

    def _spawn(self, part: Part) -> subprocess.Popen[bytes]:
        fd = os.open(part.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        source = str(Path(plainview.__file__).resolve().parents[1])
        program = [sys.executable, "-P", "-m", "plainview.cli", *part.arguments]
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", PART_STUB, source, str(os.getpid()), *program],
                stdin=subprocess.DEVNULL,
                stdout=fd,
                stderr=fd,
                env=dict(part.environment),
                pass_fds=(self._lock.fd,),
                cwd="/",
                start_new_session=True,  # Ctrl-C is for us: parts are stopped in order
            )
        finally:
            os.close(fd)
        self.on_event(part.name, "started", f"process {process.pid}")
        return process


@contextlib.contextmanager
def running_parts(
    parts: Iterable[Part], lock: DataLock, *, on_event: Callable[[str, str, str], None]
) -> Iterator[Parts]:
    """Run parts for as long as the context is open.

    Enter this from the main thread: the kernel ties their death to the thread that started them.

    Args:
        parts: what to start, in this order.
        lock: the data directory's; they inherit it.
        on_event: see Parts.
    """
    running = Parts(lock, on_event)
    try:
        for part in parts:
            running.start(part)
        yield running
    finally:
        running.stop()


@contextlib.contextmanager
def noted_signals(numbers: Sequence[int] = (signal.SIGINT, signal.SIGTERM)) -> Iterator[Callable[[], bool]]:
    """Note signals instead of dying of them; whoever sends a second one does not want to wait.

    Yields:
        Says whether one has come.
    """
    came: list[int] = []

    def note(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        came.append(number)

    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def next_delay_s(delay_s: float) -> float:
    """Return how long to wait before a part that ended early is started once more."""
    return min(LONGEST_DELAY_S, max(FIRST_DELAY_S, delay_s * 2))


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_BYTES))
            return file.read().decode(errors="replace")
    except OSError:
        return ""

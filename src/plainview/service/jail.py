"""Run code that reads hostile files in a child that holds one file, one key and nothing else."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
import time
import unicodedata
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from plainview.service import jail_server
from plainview.service.errors import JailError, JailOutputError
from plainview.service.jail_output import OutputReader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from plainview.service.jail_output import Output

START_LIMIT_S = 120.0
GRACE_S = 15.0  # the watcher keeps the time; this much later the caller stops waiting for the watcher
MESSAGE_LIMIT = 500
PASSED_ON = ("LD_LIBRARY_PATH",)
PIPE_BYTES = 1 << 20
TICK_S = 1.0


@dataclass(frozen=True)
class Limits:
    """What one task may use.

    Attributes:
        memory_bytes: address space beyond what the child starts with.
        cpu_s: processor seconds, of all threads together.
        wall_s: seconds from the request to the end.
        output_bytes: length of the value as JSON.
        open_files: descriptors, six of which may be taken.
        threads: threads besides the first.
    """

    memory_bytes: int = 512 << 20
    cpu_s: int = 30
    wall_s: float = 60.0
    output_bytes: int = 1 << 20
    open_files: int = 16
    threads: int = 16


@dataclass(frozen=True)
class JailResult:
    """What came of one task.

    Attributes:
        value: what the function returned; None after a failure.
        failure: None, or what stopped it: "memory", "cpu time", "wall time", "too much output",
            "crashed (signal N)", "forbidden system call", "unreadable result", "ended without a result",
            "unreadable output: ...", "raised" (an exception with a jail_reason), "refused: ..." (any other exception),
            "not started: ..." and "missing import: ..." (both our own fault, not the file's: see preload).
        reason: the exception's jail_reason, where failure is "raised".
        message: the exception's text, where failure is "raised"; at most 500 characters, control characters escaped.
        enforced: the steps of confinement that took hold.
        not_enforced: those that did not, each with the kernel's reason.
        cpu_s: processor time used.
        peak_memory_bytes: largest resident size, the libraries it started with included.
        wall_s: from the fork to the end.
    """

    value: Any
    failure: str | None
    reason: str | None
    message: str | None
    enforced: tuple[str, ...]
    not_enforced: tuple[tuple[str, str], ...]
    cpu_s: float
    peak_memory_bytes: int
    wall_s: float


class DecoderJail:
    """A server that forks one confined child for each task. Start it once; any thread may run tasks.

    Everything a task imports, also late, must be in preload or imported by the task's module: once
    confined, there are no files left to import from.
    """

    def __init__(self, *, preload: Sequence[str] = ()) -> None:
        """Describe a jail; entering the context starts it.

        Args:
            preload: modules to load once, before forking; "av.*" stands for a package with all its modules.
        """
        self._preload = list(preload)
        self._starting = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def __enter__(self) -> Self:
        with self._starting:
            self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._starting:
            self._stop()

    def run(
        self,
        task: str,
        *,
        fd: int,
        argument: Mapping[str, Any] | None = None,
        limits: Limits | None = None,
        output: Output | None = None,
    ) -> JailResult:
        """Run a function on an open file in a confined child of its own, and wait for it.

        Args:
            task: "module:function"; called as function(fd, argument), returns what JSON can say.
            fd: a regular file, open for reading only. Its position is shared with the child.
            argument: what JSON can say; a value at the top level may be bytes, such as an object's key.
            limits: None for the defaults.
            output: what becomes of the bytes that the task writes to jail_output.OutputFile, and of its progress;
                None gives it nothing to write to.

        Raises:
            ValueError: the descriptor could be written to, or is not a regular file.
            JailError: the jail itself failed; says nothing about the file.
            Exception: whatever the output's functions raise; the task was ended.
        """
        limits = limits or Limits()
        _check_readable_only(fd)
        request = _request(task, argument or {}, limits)
        if output is None:
            with _no_answer_is_our_fault(), self._submit(fd) as reply:
                _ask(reply, request)
                return _receive(reply, limits, end_s=time.monotonic() + limits.wall_s + GRACE_S)
        with _pipe() as (pipe, theirs):
            try:
                with _no_answer_is_our_fault():
                    reply = self._submit(fd, theirs)
            finally:
                os.close(theirs)  # or its end would never be seen
            with reply:
                return _converse(reply, pipe, request, limits, output)

    def _submit(self, *fds: int) -> socket.socket:
        """Hand the descriptors to the server; start it anew, once, if something ended it."""
        with self._starting:
            if self._server is None:
                raise JailError("the decoder jail is not running: use it as a context manager.")
            if self._server.poll() is not None:
                self._stop()
                self._start()
            assert self._control is not None
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
            with theirs:
                try:
                    socket.send_fds(self._control, [b"t"], [fds[0], theirs.fileno(), *fds[1:]])
                except BaseException:
                    ours.close()
                    raise
            return ours

    def _start(self) -> None:
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        paths = json.dumps([os.path.abspath(path) for path in sys.path])  # noqa: PTH100 ("" means the current folder)
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, "-I", "-c", jail_server.STUB, str(theirs.fileno()), paths],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=_server_environment(),
                cwd="/",
                start_new_session=True,
            )
        self._control = control
        try:
            control.settimeout(START_LIMIT_S)
            control.send(json.dumps(self._preload).encode())
            answer = json.loads(control.recv(4096) or b'{"error": "it ended at once"}')
            control.settimeout(GRACE_S)
        except (OSError, ValueError) as error:
            answer = {"error": str(error)}
        if "ready" not in answer:
            self._stop()
            raise JailError(f"the decoder jail did not start: {printable(str(answer.get('error')))}")

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()  # the server ends, its watchers with it, their children with them
        if self._server is not None:
            try:
                self._server.wait(2.0)
            except subprocess.TimeoutExpired:
                self._server.send_signal(signal.SIGKILL)
                self._server.wait()
        self._server = self._control = None


def _server_environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    # One thread each and few memory arenas: what is loaded counts against every child's limits.
    return {**kept, "LC_ALL": "C.UTF-8", "TZ": "UTC", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}


def _check_readable_only(fd: int) -> None:
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        raise ValueError("the jail takes regular files only: a folder or socket would lead out of it")
    if fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY:
        raise ValueError("the jail takes files open for reading only")


def _request(task: str, argument: Mapping[str, Any], limits: Limits) -> bytes:
    secret = {key: value.hex() for key, value in argument.items() if isinstance(value, bytes)}
    plain = {key: value for key, value in argument.items() if not isinstance(value, bytes)}
    return json.dumps({"task": task, "argument": plain, "bytes": secret, "limits": asdict(limits)}).encode()


@contextlib.contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    """Make a pipe; its reading end is closed with the context, its writing end by whoever hands it on."""
    reading, writing = os.pipe()
    try:
        # Fewer waits of the child for its reader; where it is not allowed, the pipe is as it was.
        with contextlib.suppress(OSError):
            fcntl.fcntl(reading, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        yield reading, writing
    finally:
        os.close(reading)


@contextlib.contextmanager
def _no_answer_is_our_fault() -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, ValueError, struct.error) as error:
        raise JailError(
            f"the decoder jail gave no answer ({error or type(error).__name__}): try again."
        ) from error


def _ask(reply: socket.socket, request: bytes) -> None:
    reply.settimeout(GRACE_S)
    jail_server.write_frame(reply, request)


def _receive(reply: socket.socket, limits: Limits, *, end_s: float) -> JailResult:
    reply.settimeout(_left_s(end_s))
    report = json.loads(jail_server.read_frame(reply, 4096))
    reply.settimeout(_left_s(end_s))
    most_bytes = limits.output_bytes + jail_server.FRAMES_ROOM_BYTES + (1 << 16)
    return judge(report, jail_server.read_frame(reply, most_bytes), limits)


def _converse(reply: socket.socket, pipe: int, request: bytes, limits: Limits, output: Output) -> JailResult:
    """Ask, take what the task writes while it runs, and receive how it ended."""
    end_s = time.monotonic() + limits.wall_s + GRACE_S
    with _no_answer_is_our_fault():
        _ask(reply, request)
    reader = OutputReader(output)
    problem: JailOutputError | None = None
    try:
        _attend(reply, pipe, reader, output, end_s=end_s)
    except JailOutputError as error:
        problem = error
        with _no_answer_is_our_fault():
            reply.shutdown(socket.SHUT_WR)  # the watcher ends the task, and tells what it saw
    with _no_answer_is_our_fault():
        result = _receive(reply, limits, end_s=end_s)
    return judge_output(result, reader, problem)


def _left_s(end_s: float) -> float:
    """Return how long to wait for an answer that must have come by end_s, as far as a socket can be told."""
    return min(max(1.0, end_s - time.monotonic()), jail_server.LONGEST_WAIT_S)


def _attend(reply: socket.socket, pipe: int, reader: OutputReader, output: Output, *, end_s: float) -> None:
    """Read the pipe to its end, and wait until the watcher has something to say."""
    poll, waiting = select.poll(), {pipe, reply.fileno()}
    for number in waiting:
        poll.register(number, select.POLLIN)
    buffer = memoryview(bytearray(PIPE_BYTES))
    tick_s = time.monotonic() + TICK_S
    while waiting:
        ready = {number for number, _ in poll.poll(max(1, int((tick_s - time.monotonic()) * 1000)))}
        if pipe in ready and (got := os.readv(pipe, [buffer])):
            reader.take(buffer[:got])
            ready.remove(pipe)
        for number in ready:
            poll.unregister(number)
            waiting.remove(number)
        now_s = time.monotonic()
        if now_s >= tick_s:
            output.on_tick()
            tick_s = now_s + TICK_S
        if now_s >= end_s:
            raise JailError("the decoder jail gave no answer in time: try again.")


# --- reading what came back. The report is the watcher's; what was said is the child's, and may be hostile.


def judge(report: Mapping[str, Any], said: bytes, limits: Limits) -> JailResult:
    """Make a result of the watcher's report and of what the child said.

    Args:
        report: killed, status, cpu_s, peak_memory_bytes, wall_s.
        said: up to two frames; anything at all after the first.
        limits: what the task was given.
    """
    confinement, outcome = split_said(said)
    failure, reason, message, value = _failure(report, outcome, limits)
    return JailResult(
        value=value,
        failure=failure,
        reason=reason,
        message=message,
        enforced=tuple(str(name) for name in confinement.get("enforced", ())),
        not_enforced=tuple(
            (str(name), printable(str(why))) for name, why in confinement.get("not_enforced", ())
        ),
        cpu_s=float(report["cpu_s"]),
        peak_memory_bytes=int(report["peak_memory_bytes"]),
        wall_s=float(report["wall_s"]),
    )


def judge_output(result: JailResult, reader: OutputReader, problem: JailOutputError | None) -> JailResult:
    """Make a failure of a result whose task wrote what it may not, or was ended in the middle of a frame.

    Args:
        result: what the watcher and the child say.
        reader: what read the output, to its end or to the problem.
        problem: what was wrong with it.
    """
    if problem is None and result.failure is None:
        try:
            reader.end()
        except JailOutputError as error:
            problem = error
    if problem is None:
        return result
    failure = "too much output" if problem.is_too_much else f"unreadable output: {printable(str(problem))}"
    return replace(result, value=None, failure=failure, reason=None, message=None)


def split_said(said: bytes) -> tuple[dict[str, Any], bytes | None]:
    """Return the first frame, read, and the second, unread; None when it is cut, or followed by more."""
    frames: list[bytes] = []
    rest = said
    while len(rest) >= 4 and len(frames) < 2:
        (length,) = struct.unpack(">I", rest[:4])
        if len(rest) < 4 + length:
            break
        frames.append(rest[4 : 4 + length])
        rest = rest[4 + length :]
    confinement: Any = None
    with contextlib.suppress(ValueError, RecursionError):
        confinement = json.loads(frames[0]) if frames else None
    outcome = frames[1] if len(frames) == 2 and not rest else None
    return confinement if isinstance(confinement, dict) else {}, outcome


Verdict = tuple[str | None, str | None, str | None, Any]


def _failure(report: Mapping[str, Any], outcome: bytes | None, limits: Limits) -> Verdict:
    """Return failure, reason, message and value."""
    stopped = _how_it_ended(report, limits)
    if stopped is not None:
        return stopped, None, None, None
    if outcome is None and report["status"] is None:
        return "not started: its process could not be made", None, None, None
    if outcome is None:
        return "ended without a result", None, None, None
    if len(outcome) > limits.output_bytes + len('{"value": }'):
        return "too much output", None, None, None
    return read_outcome(outcome)


def _how_it_ended(report: Mapping[str, Any], limits: Limits) -> str | None:
    if report["killed"] is not None:
        return str(report["killed"])
    status = report["status"]
    if status is None or status == 0:  # None: never started, and its outcome says why
        return None
    if status == jail_server.OUT_OF_MEMORY:
        return "memory"
    if -status == signal.SIGXCPU or (-status == signal.SIGKILL and report["cpu_s"] >= limits.cpu_s):
        return "cpu time"
    if -status == signal.SIGSYS:
        return "forbidden system call"
    return f"crashed (signal {-status})" if status < 0 else "ended without a result"


SENTENCES = {"refused": "refused", "missing": "missing import", "not_started": "not started"}


def read_outcome(outcome: bytes) -> Verdict:
    """Read the child's second frame, written by code that a hostile file may have taken over."""
    answer = None
    with contextlib.suppress(ValueError, RecursionError):
        answer = json.loads(outcome, parse_constant=_no_constant)
    match answer:
        case {"value": value, **others} if not others:
            return None, None, None, value
        case {"memory": True, **others} if not others:
            return "memory", None, None, None
        case {"raised": str(reason), "message": str(message), **others} if not others:
            return "raised", printable(reason), printable(message), None
        case dict() if len(answer) == 1:
            kind, message = next(iter(answer.items()))
            if kind in SENTENCES and isinstance(message, str):
                return f"{SENTENCES[kind]}: {printable(message)}", None, None, None
    return "unreadable result", None, None, None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def printable(text: str) -> str:
    """Bound a text and escape what could disturb a terminal, a log or a page's direction of writing."""
    shown = "".join(
        char
        if unicodedata.category(char)[0] not in "CZ" or char == " "
        else char.encode("unicode_escape").decode()
        for char in text[:MESSAGE_LIMIT]
    )
    return shown[:MESSAGE_LIMIT]

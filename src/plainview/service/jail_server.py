"""The other side of the decoder jail: a small server, a watcher for each task, and the task itself.

The server has no threads and never sees a request, so forking it is safe and hands on no secret. For each
task it forks a watcher, which reads the request, forks the confined child, keeps the time, and answers.

    caller --(file, reply socket, pipe)--> server --fork--> watcher --fork, fork--> child
    caller <----------- reply socket: what the watcher saw, what the child said
    caller <----------- pipe, where one was asked for: what the child writes meanwhile (jail_output)

Frames are a 4-byte big-endian length and that many bytes. The child's first frame is written before it
touches the file, so nothing a hostile file makes it do can change what it says about its confinement.
"""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import struct
import sys
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from plainview.service import linux
from plainview.service.confinement import Record, confine, separate
from plainview.service.jail_output import OUTPUT_FD

if TYPE_CHECKING:
    import resource
    from collections.abc import Callable

STUB = "import sys, json; sys.path[:] = json.loads(sys.argv[2]); from plainview.service.jail_server import main; main(int(sys.argv[1]))"
OUT_OF_MEMORY = 77  # exit status of a child that had no memory left to say so
REQUEST_LIMIT_BYTES = 1 << 20
# Poll counts milliseconds in 31 bits, 24 days; a recording of ten hours may be given longer.
LONGEST_WAIT_S = 2_000_000.0
# Python loads each codec from a file when first used; a child has no files.
CODECS = ("ascii", "latin-1", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252",
          "unicode_escape", "raw_unicode_escape", "shift_jis", "gb18030", "euc_kr", "idna")  # fmt: skip
FRAMES_ROOM_BYTES = 64 << 10  # for the child's frames around its value


def main(control_fd: int) -> None:
    """Load what tasks need, say so, and fork a watcher for each task until the caller hangs up."""
    control = socket.socket(fileno=control_fd)
    preload = json.loads(control.recv(REQUEST_LIMIT_BYTES))
    try:
        for codec in CODECS:
            codecs.lookup(codec)
        for name in preload:
            load(name)
    except Exception as error:  # noqa: BLE001 (whatever an import raises is the caller's to read)
        control.send(json.dumps({"error": f"{type(error).__name__}: {error}"[:1000]}).encode())
        return
    control.send(json.dumps({"ready": True}).encode())
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # watchers need no burial
    while True:
        message, fds, _, _ = socket.recv_fds(control, 16, 3)
        if not message:
            return
        server_pid = os.getpid()
        if os.fork() == 0:
            control.close()
            reply = socket.socket(fileno=fds[1])
            output = fds[2] if len(fds) > 2 else None
            _exit_after(partial(watch, file_fd=fds[0], reply=reply, output=output, server_pid=server_pid))
        for fd in fds:
            os.close(fd)


def load(name: str) -> None:
    """Import a module; "av.*" imports a package and every module in it.

    Packages such as av import parts of themselves only when a file calls for them, when it is too late.

    Raises:
        ImportError: there is no such module. A module inside the package that cannot be imported is left out.
    """
    if not name.endswith(".*"):
        importlib.import_module(name)
        return
    package = importlib.import_module(name.removesuffix(".*"))
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + ".", onerror=lambda _: None):
        if not found.name.endswith(".__main__"):
            with contextlib.suppress(ImportError):
                importlib.import_module(found.name)


def _exit_after(work: Callable[[], None]) -> NoReturn:
    """Do the work of a forked process and leave without running anything of the process it came from."""
    status = 1
    try:
        work()
        status = 0
    finally:
        os._exit(status)


# --- the watcher


@dataclass
class Watched:
    """One child under watch."""

    pid: int
    results_fd: int
    said: bytearray
    killed: str | None = None
    status: int | None = None
    usage: resource.struct_rusage | None = None


def watch(*, file_fd: int, reply: socket.socket, output: int | None, server_pid: int) -> None:
    """Run one task in a child and answer with what was seen."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    linux.die_with_parent(signal.SIGKILL, parent_pid=server_pid)
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    request = json.loads(read_frame(reply, REQUEST_LIMIT_BYTES))
    limits = request["limits"]
    results_read, results_write = os.pipe()
    go_read, go_write = os.pipe()
    pid_read, pid_write = os.pipe()
    start_s = time.monotonic()
    parter_pid = os.fork()
    if parter_pid == 0:
        reply.close()
        for fd in (results_read, go_write, pid_read):
            os.close(fd)
        fds = _ChildFds(file=file_fd, results=results_write, go=go_read, output=output)
        _exit_after(partial(_part, request, fds, pid_fd=pid_write))
    for fd in (file_fd, results_write, go_read, pid_write, *(() if output is None else (output,))):
        os.close(fd)
    linux.prctl(linux.PR_SET_DUMPABLE, 0)  # this process has read the key
    child_pid = int(os.read(pid_read, 32) or b"0")
    os.waitpid(parter_pid, 0)  # now the child is ours
    watched = Watched(pid=child_pid, results_fd=results_read, said=bytearray())
    if child_pid:
        os.write(go_write, b"g")
        _keep_time(watched, reply, end_s=start_s + limits["wall_s"], limit_bytes=limits["output_bytes"])
    else:
        watched.said += os.read(results_read, FRAMES_ROOM_BYTES)
    write_frame(reply, json.dumps(_report(watched, time.monotonic() - start_s)).encode())
    write_frame(reply, bytes(watched.said))


def _keep_time(watched: Watched, reply: socket.socket, *, end_s: float, limit_bytes: int) -> None:
    """Collect what the child says until it ends, says too much, takes too long, or nobody waits for it."""
    poll = select.poll()
    poll.register(watched.results_fd, select.POLLIN)
    poll.register(reply, select.POLLIN)  # the caller sends nothing more: readable means gone
    while watched.killed is None:
        left_s = end_s - time.monotonic()
        if left_s <= 0:
            watched.killed = "wall time"
            break
        ready = dict(poll.poll(max(1, int(min(left_s, LONGEST_WAIT_S) * 1000))))
        if reply.fileno() in ready:
            watched.killed = "nobody waits for it"
        elif watched.results_fd in ready:
            part = os.read(watched.results_fd, 1 << 16)
            watched.said += part
            if not part:
                break
            if len(watched.said) > limit_bytes + FRAMES_ROOM_BYTES:
                watched.killed = "too much output"
    _bury(watched, end_s=end_s)


def _bury(watched: Watched, *, end_s: float) -> None:
    """Wait for the child, killing it when its time is over or there is a reason already."""
    while True:
        if watched.killed is None and time.monotonic() >= end_s:
            watched.killed = "wall time"
        if watched.killed is not None:
            _kill(watched.pid)
        pid, status, usage = os.wait4(watched.pid, 0 if watched.killed else os.WNOHANG)
        if pid:
            watched.status, watched.usage = os.waitstatus_to_exitcode(status), usage
            _kill_group(watched.pid)
            return
        time.sleep(0.002)


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)  # not yet waited for, so the number is still the child's
    _kill_group(pid)


def _kill_group(pid: int) -> None:
    # What the child may have started where the kernel could not stop it from starting anything.
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _report(watched: Watched, wall_s: float) -> dict[str, Any]:
    usage = watched.usage
    return {
        "killed": watched.killed,
        "status": watched.status,
        "wall_s": wall_s,
        "cpu_s": usage.ru_utime + usage.ru_stime if usage else 0.0,
        "peak_memory_bytes": usage.ru_maxrss * 1024 if usage else 0,
    }


# --- the child


@dataclass(frozen=True)
class _ChildFds:
    """What a child is given: the file, where its results go, what says that it may start, and where output goes."""

    file: int
    results: int
    go: int
    output: int | None


def _part(request: dict[str, Any], fds: _ChildFds, *, pid_fd: int) -> None:
    """Leave what is shared, then fork: a process namespace begins with the next child."""
    record = Record()
    try:
        task = find_task(request["task"])
        is_alone = separate(record)
    except Exception as error:  # noqa: BLE001 (whatever it is, the task cannot run and the caller reads why)
        _say(fds.results, {"enforced": record.enforced, "not_enforced": record.not_enforced})
        _say(fds.results, {"not_started": describe(error)})
        return
    child_pid = os.fork()
    if child_pid:
        os.write(pid_fd, str(child_pid).encode())
        return
    os.close(pid_fd)
    _exit_after(partial(_child, request, task, record, fds, is_alone=is_alone))


def _child(request: dict[str, Any], task: Any, record: Record, fds: _ChildFds, *, is_alone: bool) -> None:
    """Confine this process and run the task in it."""
    if not os.read(fds.go, 1):  # wait until the watcher is the parent
        return
    record.attempt("dies with its parent", lambda: linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL))
    hang_up = select.poll()
    hang_up.register(fds.go, 0)
    if hang_up.poll(0):  # the watcher died before the kernel was asked to watch it
        return
    os.setsid()
    file_fd, results = _keep_only(fds)
    os.environ.clear()
    limits = request["limits"]
    try:
        confine(
            record,
            memory_bytes=limits["memory_bytes"],
            cpu_s=limits["cpu_s"],
            open_files=limits["open_files"],
            threads=limits["threads"] + 1 if is_alone else None,
        )
    except (OSError, ValueError) as error:
        _say(results, {"enforced": record.enforced, "not_enforced": record.not_enforced})
        _say(results, {"not_started": describe(error)})
        return
    _say(results, {"enforced": record.enforced, "not_enforced": record.not_enforced})
    argument = {**request["argument"], **{key: bytes.fromhex(text) for key, text in request["bytes"].items()}}
    try:
        _say(results, _outcome(task, file_fd, argument))
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


def _keep_only(fds: _ChildFds) -> tuple[int, int]:
    """Close every descriptor but the standard three (which lead nowhere), the file, the results and the output."""
    kept = [(fds.file, 3), (fds.results, 4)] + ([] if fds.output is None else [(fds.output, OUTPUT_FD)])
    for high, number in [(_above(fd, 16), number) for fd, number in kept]:
        os.dup2(high, number, inheritable=False)
    os.closerange(3 + len(kept), 65536)
    return 3, 4


def _above(fd: int, floor: int) -> int:
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, floor)


def _outcome(task: Any, file_fd: int, argument: dict[str, Any]) -> dict[str, Any]:
    try:
        value = task(file_fd, argument)
        json.dumps(value, allow_nan=False)
    except MemoryError:
        return {"memory": True}
    except ImportError as error:
        return {"missing": describe(error)}
    except BaseException as error:  # noqa: BLE001 (SystemExit from the depths of a parser is an answer too)
        reason = getattr(error, "jail_reason", None)
        if isinstance(reason, str):
            return {"raised": reason, "message": str(error)[:2000]}
        return {"refused": describe(error)}
    return {"value": value}


def describe(error: BaseException) -> str:
    """Return an exception as one bounded text: "ValueError: not a recording"."""
    return f"{type(error).__name__}: {error}"[:2000]


def find_task(name: str) -> Any:
    """Find the function that "module:function" names.

    Raises:
        ValueError: not such a name.
        ImportError, AttributeError: no such function.
    """
    module, colon, function = name.partition(":")
    if not colon or not module or not function:
        raise ValueError(f"expected module:function, got {name!r}")
    return getattr(importlib.import_module(module), function)


# --- frames


def _say(fd: int, message: dict[str, Any]) -> None:
    body = json.dumps(message, allow_nan=False).encode()
    left = memoryview(struct.pack(">I", len(body)) + body)
    while left:
        left = left[os.write(fd, left) :]


def write_frame(connection: socket.socket, body: bytes) -> None:
    """Send one frame.

    Raises:
        OSError: the other side is gone, or took too long.
    """
    connection.sendall(struct.pack(">I", len(body)) + body)


def read_frame(connection: socket.socket, limit_bytes: int) -> bytes:
    """Receive one frame.

    Raises:
        EOFError: the other side is gone.
        ValueError: longer than limit_bytes.
        OSError: it took too long.
    """
    (length,) = struct.unpack(">I", _read_exactly(connection, 4))
    if length > limit_bytes:
        raise ValueError(f"a frame of {length} bytes, expected at most {limit_bytes}")
    return _read_exactly(connection, length)


def _read_exactly(connection: socket.socket, count: int) -> bytes:
    body = bytearray()
    while len(body) < count:
        part = connection.recv(min(count - len(body), 1 << 20))
        if not part:
            raise EOFError(f"closed after {len(body)} of {count} bytes")
        body += part
    return bytes(body)


if __name__ == "__main__":
    sys.exit("run by DecoderJail only")

"""What a decoder taken over by a hostile file might do, each as a task for the jail."""

import ctypes
import json
import math
import os
import signal
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

from plainview.service.jail_output import HEADER, OUTPUT_FD, OutputFile, leave_room, report_progress

RESULTS_FD = 4


class NotARecordingError(Exception):
    jail_reason = "not a recording"


def read_it(fd, argument):
    """A good one: bytes of the file, and the key's length."""
    body = os.pread(fd, argument["count"], 0)
    return {"text": body.decode(), "key_bytes": len(argument["key"]), "note": argument["note"]}


def identity(fd, argument):
    return {
        "uid": os.getuid(),
        "pid": os.getpid(),
        "environment": dict(os.environ),
        "root": _outcome(lambda: list(Path("/").iterdir())),
        "descriptors": [number for number in range(64) if _is_open(number)],
    }


def _is_open(number):
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _outcome(action):
    try:
        return repr(action())[:200]
    except OSError as error:
        return type(error).__name__


def eat_memory(fd, argument):
    kept = []
    while True:
        kept.append(bytearray(8 << 20))


def spin(fd, argument):
    while True:
        pass


def sleep(fd, argument):
    time.sleep(600)


def close_and_sleep(fd, argument):
    os.close(RESULTS_FD)
    time.sleep(600)


def ignore_signals_and_sleep(fd, argument):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGXCPU):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(600)


def fork(fd, argument):
    if os.fork() == 0:
        os._exit(0)
    return "forked"


def fork_by_shell(fd, argument):
    subprocess.run(["/bin/true"], check=True)
    return "ran a program"


def become_program(fd, argument):
    os.execv("/bin/true", ["true"])


def use_threads(fd, argument):
    seen = []
    threads = [threading.Thread(target=seen.append, args=(number,)) for number in range(argument["count"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(seen)


def hold_threads(fd, argument):
    stop = threading.Event()
    threads = [threading.Thread(target=stop.wait) for _ in range(argument["count"])]
    try:
        for thread in threads:
            thread.start()
    finally:
        stop.set()
    return len(threads)


def open_socket(fd, argument):
    with socket.socket() as connection:
        connection.connect(("127.0.0.1", argument["port"]))
    return "connected"


def open_password_file(fd, argument):
    with Path("/etc/passwd").open() as file:
        return file.read()


def write_file(fd, argument):
    with Path("/tmp/written-from-the-jail").open("w") as file:
        file.write("x")
    return "written"


def write_to_given_file(fd, argument):
    os.write(fd, b"x")
    return "written"


def change_given_file(fd, argument):
    os.fchmod(fd, 0o777)
    return "changed"


def print_much(fd, argument):
    line = "x" * (1 << 20)
    for _ in range(argument["mib"]):
        print(line)
    return "printed"


def return_much(fd, argument):
    return "x" * argument["count"]


def write_much(fd, argument):
    """As return_much, without asking the honest code around the task."""
    while True:
        os.write(RESULTS_FD, b"\x00" * 65536)


def forge_confinement(fd, argument):
    forged = json.dumps({"enforced": ["everything"], "not_enforced": []}).encode()
    os.write(RESULTS_FD, struct.pack(">I", len(forged)) + forged)
    os._exit(0)


def forge_two_outcomes(fd, argument):
    forged = json.dumps({"value": 1}).encode()
    os.write(RESULTS_FD, struct.pack(">I", len(forged)) + forged)
    return 2


def segfault(fd, argument):
    ctypes.string_at(0)


def abort(fd, argument):
    os.abort()


def leave(fd, argument):
    os._exit(0)


def system_exit(fd, argument):
    raise SystemExit(0)


def raise_known(fd, argument):
    raise NotARecordingError("no moov box\x1b[2J\u202e after 12 bytes" + "x" * 5000)


def raise_unknown(fd, argument):
    raise ValueError("the parser gave up")


def return_not_a_number(fd, argument):
    return math.nan


def return_bytes(fd, argument):
    return b"not JSON"


def outlive_parent(fd, argument):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(1, 0, 0, 0, 0) != 0:  # PR_SET_PDEATHSIG: none
        raise OSError(ctypes.get_errno(), "prctl")
    return "may outlive its parent"


def kill_everyone(fd, argument):
    os.kill(-1, signal.SIGKILL)
    return "killed"


def trace_parent(fd, argument):
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.ptrace(16, 1, 0, 0)  # PTRACE_ATTACH


def raise_limits(fd, argument):
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
    return "set"


def make_namespace(fd, argument):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x10000000) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    return "made"


def import_late(fd, argument):
    import xml.dom.minidom  # noqa: F401

    return "imported"


# What a task may write besides its value, and what it may not.


def write_with_head_last(fd, argument):
    """A good one: room first, then the body, then the head; and a second, small output."""
    leave_room(0, 4)
    report_progress(0.25)
    with OutputFile(0) as first, OutputFile(1) as second:
        first.seek(4)
        first.write(b"body" * argument["times"])
        first.seek(0)
        first.write(b"head")
        first.seek(0, 2)
        first.write(b"tail")
        second.write(b"small")
        report_progress(1.0)
        return first.tell()


def write_endlessly(fd, argument):
    target = OutputFile(0)
    while True:
        target.write(bytes(1 << 20))


def write_the_same_place_endlessly(fd, argument):
    target = OutputFile(0)
    while True:
        target.seek(0)
        target.write(b"again")


def write_raw(fd, argument):
    os.write(OUTPUT_FD, argument["raw"])
    return "written"


def write_then_die(fd, argument):
    OutputFile(0).write(b"half")
    os.write(OUTPUT_FD, HEADER.pack(b"d", b"\0", 4, 1000))
    os.abort()


def write_then_sleep(fd, argument):
    OutputFile(0).write(b"half")
    time.sleep(600)


def write_although_nobody_reads(fd, argument):
    """Go on after the pipe broke, as code that was taken over would."""
    while True:
        try:
            OutputFile(0).write(b"more")
        except BrokenPipeError:
            time.sleep(0.01)


def read_output_pipe(fd, argument):
    return os.read(OUTPUT_FD, 1).hex()


def hold_a_terabyte(fd, argument):
    """Ask for room that whoever reads would have to keep in memory."""
    leave_room(0, 1 << 40)
    return "held"

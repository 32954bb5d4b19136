"""Run as a program: a process warm with imports that forks one short-lived worker per line on its standard input.

A line is JSON: {"run": name, "vault": folder, "source": file, "result": file}. The worker opens what it needs, stops
itself so that strace can attach, and once continued does one thing and writes what came of it. So every system call
that strace counts belongs to that one thing, and no time goes into starting Python.
"""

from __future__ import annotations

import ctypes
import io
import json
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from plainview.vault.errors import VaultError
from plainview.vault.incoming import begin_incoming, finish_incoming, open_incoming
from plainview.vault.keys import create_key_store, open_key_store
from plainview.vault.local import LocalStore, create_local_store
from plainview.vault.receive import receive
from simulators import bad_receive

PR_SET_PTRACER = 0x59616D61
PR_SET_PTRACER_ANY = -1


def receive_well(stream, *, store, keys, acknowledge):
    acknowledge(receive(stream, store=store, keys=keys).object_id)


def arrive(stream, *, store, keys, acknowledge):
    data = stream.read()
    object_id = begin_incoming(store, keys, size_bytes=len(data))
    acknowledge(f"{object_id} 0")
    for end in (1 << 20, len(data)):
        with open_incoming(store, keys, object_id) as arriving:
            offset = arriving.offset_bytes
            done = arriving.append(io.BytesIO(data[offset:end]).read, offset_bytes=offset)
        acknowledge(f"{object_id} {done}")
    finish_incoming(store, keys, object_id)
    acknowledge(f"{object_id} received")


def rotate(stream, *, store, keys, acknowledge):
    keys.rotate_master()
    acknowledge("rotated")


RUNS = {
    "receive": receive_well,
    "arrive": arrive,
    "rotate": rotate,
    "acknowledged first": bad_receive.receive_acknowledged_first,
    "in place": bad_receive.receive_in_place,
}


def work(order):
    vault = Path(order["vault"])
    store, keys = LocalStore(vault / "objects"), open_key_store(vault / "keys")
    source = io.BytesIO(Path(order["source"]).read_bytes())
    result = os.open(order["result"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def say(words):
        # Not write(2): a fault meant for the work's own writes would hit this one.
        os.writev(result, [words.encode() + b"\n"])

    def acknowledge(what):
        try:
            say(f"ACK {what}")
        except OSError:
            # The work is done, and the harness's own channel was what failed.
            say("UNHEARD")

    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ctypes.c_ulong(PR_SET_PTRACER_ANY), 0, 0, 0)
    os.kill(os.getpid(), signal.SIGSTOP)
    try:
        RUNS[order["run"]](source, store=store, keys=keys, acknowledge=acknowledge)
    except VaultError as error:
        say(f"REFUSED {type(error).__name__}")
    except BaseException as error:  # noqa: BLE001 - the harness judges it
        say(f"CRASHED {error!r}")
    os._exit(0)


def serve():
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            work(json.loads(line))
        os.waitpid(pid, os.WUNTRACED)
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(status, flush=True)


if __name__ == "__main__":
    scratch = Path(sys.argv[1])
    warm_keys = create_key_store(scratch / "keys", recovery_public=bytes(32))
    warm_store = create_local_store(scratch / "objects")
    receive(io.BytesIO(b"warm"), store=warm_store, keys=warm_keys)
    arrive(io.BytesIO(b"warm"), store=warm_store, keys=warm_keys, acknowledge=lambda _: None)
    warm_keys.close()
    print("ready", flush=True)
    serve()

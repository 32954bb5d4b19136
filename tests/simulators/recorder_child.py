"""Run as a program: forks one recorder per line on its standard input, which stops itself so that strace can attach.

The protocol is that of interrupted_child.py. What is acknowledged is "begun", "fragment", "event" or "closed", and the
stream; fragments are those of simulators.failing_disks.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from plainview.camera.disk import SystemDisk
from plainview.camera.errors import CameraError
from plainview.camera.identity import open_camera
from plainview.camera.stream import begin_stream
from simulators.failing_disks import FRAGMENTS, INIT
from simulators.interrupted_child import PR_SET_PTRACER, PR_SET_PTRACER_ANY
from simulators.power_cuts import SEVEN, add_fragment, at, new_camera, start_at


def record(folder, acknowledge):
    camera = open_camera(folder / "home", folder / "storage")
    writer = begin_stream(camera, purpose="recording", start=start_at(), init=INIT)
    acknowledge(f"begun {writer.stream}")
    for number, data in enumerate(FRAGMENTS):
        add_fragment(writer, data, number)
        acknowledge(f"fragment {writer.stream}")
    writer.add_event("marker", at=SEVEN, mono_ms=1, position_ms=0)
    acknowledge(f"event {writer.stream}")
    writer.close("button", at=at(9000), mono_ms=9000)
    acknowledge(f"closed {writer.stream}")


def record_acknowledged_first(folder, acknowledge):
    """Say that a fragment is kept, then keep it: a mistake the harness must see."""
    camera = open_camera(folder / "home", folder / "storage")
    writer = begin_stream(camera, purpose="recording", start=start_at(), init=INIT)
    acknowledge(f"begun {writer.stream}")
    for number, data in enumerate(FRAGMENTS):
        acknowledge(f"fragment {writer.stream}")
        add_fragment(writer, data, number)


RUNS = {"record": record, "acknowledged first": record_acknowledged_first}


def work(order):
    result = os.open(order["result"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def say(words):
        # Not write(2): a fault meant for the recorder's own writes would hit this one.
        os.writev(result, [words.encode() + b"\n"])

    def acknowledge(what):
        try:
            say(f"ACK {what}")
        except OSError:
            say("UNHEARD")

    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ctypes.c_ulong(PR_SET_PTRACER_ANY), 0, 0, 0)
    os.kill(os.getpid(), signal.SIGSTOP)
    try:
        RUNS[order["run"]](Path(order["vault"]), acknowledge)
    except CameraError as error:
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
    new_camera(SystemDisk(), home=scratch / "home", storage=scratch / "storage").switch_off()
    record(scratch, lambda _: None)
    print("ready", flush=True)
    serve()

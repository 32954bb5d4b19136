"""Run as a program: a worker that dies, as by kill -9, at a moment of its work.

On its standard input a pickled pair: what run_worker() is given, and the moment.
"""

from __future__ import annotations

import functools
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

# What is replaced by a function that kills the process: before it is called, or after.
MOMENTS = {
    "before the work": ("plainview.pipeline.steps", "make", "before"),
    "in the middle of the work": ("plainview.pipeline.workplace", "note_progress", "before"),
    "after the work": ("plainview.pipeline.steps", "finish", "before"),
    "after the result was kept": ("plainview.pipeline.steps", "finish", "after"),
}
NAMES = {
    ("make", "derive"): "make_derivatives",
    ("make", "transcript"): "make_transcript",
    ("finish", "derive"): "finish_derive",
    ("finish", "transcript"): "finish_transcript",
}


def start_worker(given, *, moment=None, step=None):
    """Start a worker in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    process.stdin.write(pickle.dumps((given, moment, step)))
    process.stdin.close()
    return process


def main():
    given, moment, step = pickle.loads(sys.stdin.buffer.read())
    os.environ["DJANGO_SETTINGS_MODULE"] = "plainview.project.settings"
    import django

    django.setup()
    from plainview.cli.database import connected
    from plainview.pipeline.worker import run_worker

    if moment is not None:
        _die_at(moment, step)
    with connected(given["cluster"]):
        run_worker(**given)


def _die_at(moment, step):
    import importlib

    place, what, when = MOMENTS[moment]
    module = importlib.import_module(place)
    name = NAMES.get((what, step), what)
    called = getattr(module, name)

    @functools.wraps(called)
    def die(*args, **kwargs):
        if what == "note_progress" and args[0].name != step:
            return called(*args, **kwargs)
        if when == "after":
            called(*args, **kwargs)
        return os.kill(os.getpid(), signal.SIGKILL)

    setattr(module, name, die)
    # A short recording is done before a second has passed.
    importlib.import_module("plainview.pipeline.workplace").EVERY_S = 0.0


if __name__ == "__main__":
    main()

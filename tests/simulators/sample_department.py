"""A demonstration's data directory with a few short films in it, and a server on it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import urllib.request

from simulators.program import PROGRAM, environment

LIMIT_S = 120
PREPARE = """
import django, sys
from pathlib import Path
django.setup()
from django.conf import settings
from plainview.cli import demo
from plainview.demo.cameras import render_camera
from plainview.demo.ordinary import RECORDINGS, render_recording
from plainview.demo.story import CAMERAS, ZONE_NAME
place = demo.Place(Path(sys.argv[1]))
settings.PLAINVIEW_ZONE = ZONE_NAME
demo.prepare(place)
films = {
    "okafor": render_camera(CAMERAS["okafor"], seed=14, from_s=92.0, to_s=128.0),
    "reyes": render_camera(CAMERAS["reyes"], seed=14, from_s=52.0, to_s=60.0),
    "07-corridor": render_recording(next(r for r in RECORDINGS if r.key == "07-corridor"), seed=14),
}
for key, film in films.items():
    place.film(key).write_bytes(film)
    demo.take_in_film(place, key)
"""


def make_department(root):
    """Make the sample department with three short films; return its data directory."""
    env = environment(DJANGO_SETTINGS_MODULE="plainview.project.settings")
    subprocess.run([sys.executable, "-c", PREPARE, str(root)], check=True, env=env, timeout=LIMIT_S)
    return root / "department"


@contextlib.contextmanager
def served(data, *arguments, env=None):
    """Run plainview serve on a data directory, on a port that is free; yield its address."""
    command = [*PROGRAM, "serve", "--data", str(data), "--port", "0", *arguments]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=environment(**(env or {})),
    )
    try:
        said = process.stdout.readline()
        assert "http://" in said, said
        yield said.split()[-1]
    finally:
        process.terminate()
        process.communicate(timeout=60)


def readiness(address):
    """Return what /readyz says."""
    with urllib.request.urlopen(f"{address}/readyz", timeout=10) as answer:
        return json.load(answer)

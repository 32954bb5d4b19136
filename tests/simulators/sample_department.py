"""A demonstration's data directory with a few short films in it, a camera that has recorded, and a server on it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import urllib.request
from dataclasses import replace

import numpy as np

from plainview.demo.frame import FRAME_RATE, HEIGHT_PX, WIDTH_PX
from plainview.demo.recorded import Session, record_session, storage_of
from plainview.demo.sound import RATE_HZ
from plainview.demo.story import MINUTE_ZERO, SHIFT_BEGAN_AT, SHIFT_ENDED_AT
from plainview.dock.home import read_setting
from plainview.dock.offload import offload_folder
from simulators.program import PROGRAM, environment

LIMIT_S = 300
# On all night, and here for nine seconds of grey, with a marker and a sound, four of them before the button.
RECORDER = "BWC-0412"
# Of two parts; the first lasts eight seconds.
SPLIT = "R-26-00000002-1"
PREPARE = """
import django, hashlib, sys, time
from pathlib import Path
django.setup()
from django.conf import settings
from plainview.cli import demo
from plainview.cli.start import opened, utc_now
from plainview.demo.cameras import render_camera
from plainview.demo.department import MAKE
from plainview.demo.ordinary import RECORDINGS, render_recording
from plainview.demo.script import spoken_in
from plainview.demo.story import CAMERAS, ZONE_NAME
from plainview.evidence.models import Part
from plainview.evidence.queries import device_key
from plainview.media.sample_transcripts import format_sample
from plainview.media.transcript import Cue, Word
from plainview.pipeline.intake import Intake, take_in
from plainview.pipeline.examine import new_jail
from simulators.sample_department import record_nine_seconds
place = demo.Place(Path(sys.argv[1]))
settings.PLAINVIEW_ZONE = ZONE_NAME
demo.prepare(place)
ordinary = next(r for r in RECORDINGS if r.key == "07-corridor")
films = {
    "okafor": (CAMERAS["okafor"].serial, render_camera(CAMERAS["okafor"], seed=14, from_s=92.0, to_s=128.0)),
    "reyes": (CAMERAS["reyes"].serial, render_camera(CAMERAS["reyes"], seed=14, from_s=52.0, to_s=60.0)),
    "07-corridor": (ordinary.serial, render_recording(ordinary, seed=14)),
}
samples = place.data / demo.SAMPLES
samples.mkdir(exist_ok=True)
for key, (serial, film) in films.items():
    path = place.root / f"{key}.mp4"
    path.write_bytes(film)
    sha256 = hashlib.sha256(film).hexdigest()
    cues = [
        Cue(line.start_ms, line.end_ms, line.text, tuple(Word(*word, None) for word in line.words))
        for line in spoken_in(key)
    ]
    (samples / f"{sha256}.json").write_bytes(
        format_sample(original_sha256=sha256, language="en", cues=cues)
    )
    with opened(place.data, command="tests", say=print) as here, new_jail() as jail:
        intake = Intake(
            installation=here.installation,
            jail=jail,
            actor=here.actor,
            now=utc_now,
            monotonic=time.monotonic,
            device=device_key(make=MAKE, serial=serial),
        )
        (outcome,) = take_in(intake, [path])
        assert outcome.status == "received", outcome
with opened(place.data, command="tests", say=print):
    # What one press made, split by its camera: the second recording goes on in the third's footage.
    first, second = (Part.objects.get(recording__identifier=each) for each in ("R-26-00000002-1", "R-26-00000003-0"))
    Part.objects.create(recording=first.recording, number=2, original=second.original, offered_name="2.mp4")
record_nine_seconds(place)
"""


def make_department(root):
    """Make the sample department with three short films; return its data directory."""
    env = environment(
        DJANGO_SETTINGS_MODULE="plainview.project.settings", PYTHONPATH=":".join(filter(None, sys.path))
    )
    subprocess.run([sys.executable, "-c", PREPARE, str(root)], check=True, env=env, timeout=LIMIT_S)
    return root / "department"


def record_nine_seconds(place):
    """Let one of the department's cameras record: the real recorder, on a simulated clock."""
    session = Session(
        on_at=SHIFT_BEGAN_AT,
        off_at=SHIFT_ENDED_AT,
        first_at=MINUTE_ZERO,
        pressed_s=4.0,
        seconds=9.0,
        markers_s=(6.0,),
        worn="chest",
    )
    count = round(session.seconds * FRAME_RATE) + 1
    pictures = (np.full((HEIGHT_PX, WIDTH_PX, 3), 60 + number, np.uint8) for number in range(count))
    sound = 0.2 * np.sin(np.arange(round(session.seconds * RATE_HZ)) * 0.06).astype(np.float32)
    record_session(place.cameras / RECORDER, session, pictures, sound)


def dock_recorder(data, address):
    """Hand in what that camera recorded, through the real dock; return the recording's identifier."""
    storage = storage_of(data.parent / "cameras" / RECORDER)
    setting = replace(read_setting(data.parent / "dock"), server=address)
    bay = offload_folder(storage, setting.connect(), log_keys=setting.log_keys)
    assert bay.is_safe, bay
    return next(each.recording for each in bay.files if each.recording)


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

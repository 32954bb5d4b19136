"""plainview demo: the sample department, served; its footage is made here, once, and comes in as it is ready."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings

from plainview.cli.refusals import SettingError
from plainview.cli.start import opened, utc_now
from plainview.cli.talk import answer, progress, say
from plainview.demo.cameras import render_incident
from plainview.demo.department import MAKE, enter_department
from plainview.demo.ordinary import RECORDINGS, render_ordinary
from plainview.demo.script import spoken_in
from plainview.demo.story import CAMERAS, ZONE_NAME
from plainview.demo.truth import SEED, write_ground_truth
from plainview.evidence.queries import device_key
from plainview.media.sample_transcripts import format_sample
from plainview.media.transcript import Cue, Word
from plainview.pipeline.demo_footage import Making, note_making
from plainview.pipeline.examine import new_jail
from plainview.pipeline.installation import is_demo
from plainview.pipeline.intake import Intake, take_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plainview.demo.cameras import Film

ORDINARY = {each.key: each for each in RECORDINGS}
LOG_NAME = "demo.plainview.example"
SAMPLES = "sample-transcripts"
PORT = 8080
UP_LIMIT_S = 120.0
STOP_LIMIT_S = 30.0


@dataclass(frozen=True)
class Place:
    """Where the sample department lives: one folder, used again the next time."""

    root: Path

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.root / "department"

    @property
    def footage(self) -> Path:
        """The files as the cameras made them; beside each, once it is taken in, what became of it."""
        return self.root / "footage"

    def film(self, key: str) -> Path:
        """Return where a recording's file lies."""
        return self.footage / f"{key}.mp4"

    @property
    def truth(self) -> Path:
        """What the footage truly shows, for whoever wants to check an analysis."""
        return self.root / "ground-truth.json"

    def note(self, key: str) -> Path:
        """Return where it says what became of a recording's file."""
        return self.footage / f"{key}.json"


def run(root: Path, *, port: int | None) -> int:
    """Serve the sample department until somebody stops it (which ends the program); on first use, make it.

    Args:
        root: the folder to work in.
        port: of TCP; None is 8080 or, where that is taken, any that is free.

    Returns:
        1: the server did not start, or ended by itself.
    """
    place = Place(root.absolute())
    settings.PLAINVIEW_ZONE = ZONE_NAME
    prepare(place)
    with _server(place, port if port is not None else _port()) as (process, address):
        if not _wait_until_up(process, address):
            return 1
        answer(f"\n    {address}\n")
        answer("Open it and choose who to be. Ctrl-C stops it; make demo starts it again where it was.")
        _make_footage(place)
        process.wait()
    say("The server ended by itself; what it said is in the folder's department/service/serve.log.")
    return 1


def prepare(place: Place) -> None:
    """Make the data directory, and enter the department unless it is there."""
    place.footage.mkdir(parents=True, exist_ok=True)
    with opened(
        place.data,
        command="plainview demo",
        say=_quiet,
        recovery_file=place.root / "recovery-key.json",
        log_name=LOG_NAME,
        is_demo=True,
        may_join=False,
    ) as here:
        if not is_demo(here.installation.data):
            raise SettingError(
                "--folder", str(place.root), expected="a folder that an earlier demonstration made"
            )
        if device_key(make=MAKE, serial=CAMERAS["okafor"].serial) is None:
            enter_department(actor=here.actor, now=utc_now())


@contextmanager
def _server(place: Place, port: int) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    command = [sys.executable, "-m", "plainview.cli", "serve", "--data", str(place.data), "--port", str(port)]
    # In a group of its own: Ctrl-C in the terminal reaches us, and we stop it when nothing is half done.
    process = subprocess.Popen(
        command,
        env=os.environ | {"PLAINVIEW_ZONE": ZONE_NAME},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()


def _port() -> int:
    for port in (PORT, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    return PORT


def _wait_until_up(process: subprocess.Popen[bytes], address: str) -> bool:
    limit = time.monotonic() + UP_LIMIT_S
    while process.poll() is None and time.monotonic() < limit:
        with suppress(OSError), urllib.request.urlopen(f"{address}/healthz", timeout=2):  # noqa: S310 - our own
            return True
        time.sleep(0.1)
    say("The server did not start; what it said is in the folder's department/service/serve.log.")
    return False


def _make_footage(place: Place) -> None:
    """Render what is missing and take it in as it is ready: first the incident, then the rest of the shift."""
    waiting = [key for key in (*CAMERAS, *ORDINARY) if not place.note(key).exists()]
    for key in [key for key in waiting if place.film(key).exists()]:
        take_in_film(place, key)
        waiting.remove(key)
    for what, keys, render in (
        ("Rendering the night's three cameras", CAMERAS, render_incident),
        ("Rendering the rest of the shift", ORDINARY, render_ordinary),
    ):
        missing = [key for key in keys if key in waiting]
        if missing:
            _render(place, what, missing, render)
    if not place.truth.exists():
        write_ground_truth(place.truth)


def _render(place: Place, what: str, keys: list[str], render: Callable[..., list[Film]]) -> None:
    unfinished = place.root / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()

    def finished(film: Film) -> None:
        # Under its name only when it is whole: an interrupted one is rendered again.
        film.path.rename(place.film(film.key))
        take_in_film(place, film.key)

    with progress(is_quiet=False) as bar:
        task = bar.add_task(what, total=1000)

        def told(share: float) -> None:
            bar.update(task, completed=1000 * share)
            note_making(place.data, Making(what, share, len(list(place.footage.glob("*.json")))))

        render(
            unfinished,
            seed=SEED,
            keys=keys,
            on_film=finished,
            progress=told,
            processes=len(os.sched_getaffinity(0)),
        )
    note_making(place.data, None)
    unfinished.rmdir()


def take_in_film(place: Place, key: str) -> None:
    """Take a film in as what its camera recorded, with its sample transcript beside the data."""
    film = place.film(key)
    _write_sample(place.data / SAMPLES, key, film)
    with (
        opened(place.data, command="plainview demo", say=_quiet) as here,
        new_jail() as jail,
    ):
        intake = Intake(
            installation=here.installation,
            jail=jail,
            actor=here.actor,
            now=utc_now,
            monotonic=time.monotonic,
            device=device_key(make=MAKE, serial=_serial(key)),
        )
        (outcome,) = take_in(intake, [film])
    # Whole or not at all: without it the film is offered again the next time, which changes nothing.
    draft = place.note(key).with_suffix(".draft")
    draft.write_text(json.dumps({"status": outcome.status, "recording": outcome.recording}), encoding="utf-8")
    draft.rename(place.note(key))


def _serial(key: str) -> str:
    return CAMERAS[key].serial if key in CAMERAS else ORDINARY[key].serial


def _write_sample(folder: Path, key: str, film: Path) -> None:
    with film.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    cues = [
        Cue(
            start_ms=line.start_ms,
            end_ms=line.end_ms,
            text=line.text,
            words=tuple(Word(start_ms, end_ms, text, None) for start_ms, end_ms, text in line.words),
        )
        for line in spoken_in(key)
    ]
    folder.mkdir(exist_ok=True)
    (folder / f"{sha256}.json").write_bytes(format_sample(original_sha256=sha256, language="en", cues=cues))


def _quiet(_sentence: str) -> None:
    """Say nothing: the demonstration tells its own story."""

"""plainview demo: the sample department, served.

Its cameras are real recorders on a simulated clock; each is docked, by the real dock, as soon as it has recorded its
night, and what it hands in ends in the vault.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.conf import settings

from plainview.cli.refusals import SettingError
from plainview.cli.start import opened, utc_now
from plainview.cli.talk import answer, progress, say
from plainview.demo.cameras_issued import camera_folder, issue_cameras, issue_dock
from plainview.demo.department import MAKE, enter_department
from plainview.demo.ordinary import lead_ms_of
from plainview.demo.recorded import storage_of
from plainview.demo.rendering import IDLE, INCIDENT, ORDINARY, QUIET, Job, films_of, has_recorded, run_jobs
from plainview.demo.script import spoken_in
from plainview.demo.story import CAMERAS, ZONE_NAME
from plainview.demo.truth import SEED, write_ground_truth
from plainview.dock.home import read_setting
from plainview.dock.offload import offload_folder
from plainview.evidence.queries import device_key
from plainview.media.sample_transcripts import format_sample
from plainview.media.transcript import Cue, Word
from plainview.pipeline.demo_footage import Making, note_making
from plainview.pipeline.installation import is_demo
from plainview.vault.unseal import Unsealed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
    def cameras(self) -> Path:
        """The department's cameras, a folder each."""
        return self.root / "cameras"

    @property
    def dock(self) -> Path:
        """The dock's own folder."""
        return self.root / "dock"

    @property
    def truth(self) -> Path:
        """What the footage truly shows, for whoever wants to check an analysis."""
        return self.root / "ground-truth.json"

    def docked(self, serial: str) -> Path:
        """Return where it says what became of what a camera recorded, once it was docked."""
        return camera_folder(self.cameras, serial) / "docked.json"


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
        _make_footage(place, address)
        process.wait()
    say("The server ended by itself; what it said is in the folder's department/service/serve.log.")
    return 1


def prepare(place: Place) -> None:
    """Make the data directory, and enter the department unless it is there."""
    place.root.mkdir(parents=True, exist_ok=True)
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
        issue_cameras(place.cameras, here.installation, actor=here.actor, clock=utc_now)
        if not (place.dock / "dock.json").exists():
            issue_dock(place.dock, here.installation, actor=here.actor, now=utc_now())


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


def _make_footage(place: Place, address: str) -> None:
    """Let the cameras record what is missing and dock each as it is done: first the incident's, then the others."""
    waiting = [
        serial for serial in (*INCIDENT, *IDLE, *ORDINARY, *QUIET) if not place.docked(serial).exists()
    ]
    for serial in [each for each in waiting if has_recorded(camera_folder(place.cameras, each))]:
        dock_camera(place, serial, address)
        waiting.remove(serial)
    for what, serials in (
        ("The night's cameras record", (*INCIDENT, *IDLE)),
        ("The rest of the shift records", (*ORDINARY, *QUIET)),
    ):
        _record(place, what, [each for each in serials if each in waiting], address)
    if not place.truth.exists():
        write_ground_truth(place.truth)


def _record(place: Place, what: str, serials: list[str], address: str) -> None:
    if not serials:
        return
    jobs = [Job(serial, camera_folder(place.cameras, serial), SEED) for serial in serials]
    with progress(is_quiet=False) as bar:
        task = bar.add_task(what, total=1000)

        def told(share: float) -> None:
            bar.update(task, completed=1000 * share)
            done = sum(len(films_of(each)) for each in (*INCIDENT, *ORDINARY) if place.docked(each).exists())
            note_making(place.data, Making(what, share, done))

        run_jobs(
            jobs,
            on_done=lambda serial: dock_camera(place, serial, address),
            progress=told,
            processes=len(os.sched_getaffinity(0)),
        )
    note_making(place.data, None)


def dock_camera(place: Place, serial: str, address: str) -> None:
    """Hand in what a camera recorded, through the dock, with sample transcripts beside the data.

    Args:
        place: the department's folder.
        serial: of the camera.
        address: of the server, this time.
    """
    storage = storage_of(camera_folder(place.cameras, serial))
    _write_samples(place, serial, storage)
    setting = replace(read_setting(place.dock), server=address)
    bay = offload_folder(storage, setting.connect(), log_keys=setting.log_keys)
    if not bay.is_safe:
        say(f"Camera {serial} was docked and keeps what it recorded. {bay.trouble}")
        return
    # Whole or not at all: without it the camera is docked again the next time, which changes nothing.
    draft = place.docked(serial).with_suffix(".draft")
    recordings = [each.recording for each in bay.files if each.recording]
    draft.write_text(json.dumps({"recordings": recordings}), encoding="utf-8")
    draft.rename(place.docked(serial))


def _write_samples(place: Place, serial: str, storage: Path) -> None:
    """Write the sample transcript of each recording, under the digest of its footage as the vault will have it."""
    sealed = sorted(storage.glob("streams/*/footage.sealed"))
    if not sealed:
        return
    with opened(place.data, command="plainview demo", say=_quiet) as here:
        for key, path in zip(films_of(serial), sealed, strict=True):
            with path.open("rb") as file:
                digest = hashlib.file_digest(Unsealed(file, here.installation.keys), "sha256")
            _write_sample(place.data / SAMPLES, key, digest.hexdigest())


def _write_sample(folder: Path, key: str, sha256: str) -> None:
    lead_ms = 0 if key in CAMERAS else lead_ms_of(key)
    cues = [
        Cue(
            start_ms=lead_ms + line.start_ms,
            end_ms=lead_ms + line.end_ms,
            text=line.text,
            words=tuple(
                Word(lead_ms + start_ms, lead_ms + end_ms, text, None)
                for start_ms, end_ms, text in line.words
            ),
        )
        for line in spoken_in(key)
    ]
    folder.mkdir(exist_ok=True)
    (folder / f"{sha256}.json").write_bytes(format_sample(original_sha256=sha256, language="en", cues=cues))


def _quiet(_sentence: str) -> None:
    """Say nothing: the demonstration tells its own story."""

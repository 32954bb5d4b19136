"""plainview prove: the whole way of one recording, from a file to a package that a stranger checks."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview.accounts.rules import Viewer
from plainview.cli.start import opened, utc_now
from plainview.cli.talk import answer, progress, say
from plainview.evidence.queries import access_recording
from plainview.formats.note import format_vkey
from plainview.pipeline.examine import new_jail
from plainview.pipeline.export import Export, Order, export
from plainview.pipeline.intake import Intake, Outcome, take_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plainview.cli.start import Opened

SEED = 20260314
SCENE_S = 14.0
MARKER = "made-by-plainview-prove"
LOG_NAME = "demo.plainview.example"
ALTERED_EXIT_CODE = 1


@dataclass(frozen=True)
class Stage:
    """Where the demonstration happens: one folder, made anew each time."""

    root: Path

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.root / "data"

    @property
    def package(self) -> Path:
        """What the recipient gets."""
        return self.root / "package"

    @property
    def recovery_key(self) -> Path:
        """What a department would carry away."""
        return self.root / "recovery-key.json"


def run(file: Path | None, *, root: Path) -> int:
    """Show the whole way.

    Args:
        file: footage of your own, or None to render a short scene.
        root: the folder to work in; an earlier demonstration there is replaced, anything else is not touched.

    Returns:
        0 when everything came out as it should.
    """
    began = time.monotonic()
    stage = _set_stage(root)
    footage = file or _render(stage.root / "night-street.mp4")
    answer(f"1. The footage: {footage}")
    with opened(
        stage.data, command="plainview prove", say=_quiet, recovery_file=stage.recovery_key, log_name=LOG_NAME
    ) as here:
        outcome = _receive(here, footage)
        answer(f"2. {outcome.status.capitalize()}: {outcome.recording or outcome.text}")
        if outcome.recording is None:
            return 1
        answer(f"   {outcome.text}")
        answer(f"   SHA-256 {outcome.sha256}, encrypted, read back, on the signed log")
        path, key = _export(here, stage, outcome.recording)
        answer(f"3. A package for the defence: {stage.package}")
    answer("4. The recipient checks it, with the checker in the package and the key from elsewhere:")
    is_good = _check(stage, key) == 0
    answer("5. Somebody changes one byte of the footage, in the middle:")
    with _one_byte_changed(path):
        is_named = _check(stage, key) == ALTERED_EXIT_CODE
    answer(f"6. The byte is put back. {time.monotonic() - began:.0f} s in all.")
    answer(f"   Look at it:     {stage.package / 'READ-ME-FIRST.html'}")
    answer(f"   Check it:       python3 {stage.package / 'verify.py'} --key '{key}'")
    answer(f"   Your own file:  .venv/bin/plainview ingest YOUR.mp4 --data {stage.data}")
    return 0 if is_good and is_named else 1


def _set_stage(root: Path) -> Stage:
    if root.exists() and any(root.iterdir()) and not (root / MARKER).exists():
        raise FileExistsError(
            17, "not made by an earlier demonstration, so it is left alone; name another", str(root)
        )
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    (root / MARKER).touch()
    return Stage(root.absolute())


def _render(path: Path) -> Path:
    from plainview.demo.scene import render_scene

    with progress(is_quiet=False) as bar:
        task = bar.add_task("Rendering a short scene", total=1000)
        render_scene(
            path, seed=SEED, seconds=SCENE_S, progress=lambda share: bar.update(task, completed=1000 * share)
        )
    return path


def _receive(here: Opened, footage: Path) -> Outcome:
    with new_jail() as jail, progress(is_quiet=False) as bar:
        task = bar.add_task("Receiving", total=footage.stat().st_size if footage.exists() else None)
        intake = Intake(
            installation=here.installation,
            jail=jail,
            actor=here.actor,
            now=utc_now,
            monotonic=time.monotonic,
            on_bytes=lambda count: bar.update(task, completed=count),
        )
        (outcome,) = take_in(intake, [footage])
        return outcome


def _export(here: Opened, stage: Stage, identifier: str) -> tuple[Path, str]:
    recording = access_recording(viewer=Viewer(is_operator=True), identifier=identifier)
    order = Order([recording], "Public Defender, demonstration", "demonstration", stage.package)
    made = export(Export(order=order, installation=here.installation, actor=here.actor, now=utc_now()))
    return stage.package / made.manifest.items[0].path, format_vkey(here.installation.signer.key)


def _check(stage: Stage, key: str) -> int:
    """Run the package's own checker as its recipient would, and show the lines about footage and the result."""
    command = [sys.executable, "-I", "-S", str(stage.package / "verify.py"), "--key", key]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    for line in done.stdout.splitlines():
        if "data/original/" in line or line.startswith("Result"):
            answer(f"   {line}")
    if done.stderr:
        say(done.stderr)
    return done.returncode


@contextmanager
def _one_byte_changed(path: Path) -> Iterator[None]:
    middle = path.stat().st_size // 2
    with path.open("r+b") as file:
        file.seek(middle)
        (byte,) = file.read(1)
        _put(path, middle, byte ^ 1)
        try:
            yield
        finally:
            _put(path, middle, byte)


def _put(path: Path, at: int, byte: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(bytes([byte]))


def _quiet(_sentence: str) -> None:
    """Say nothing: the demonstration tells its own story."""

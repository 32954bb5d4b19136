"""The recorder on one core: 1080p at 30 pictures a second, encoded, signed, sealed and on the disk.

Real footage is decoded into memory first and shown again and again, forwards and backwards, so that the lens costs
nothing. The floor is the same encoder without anything of ours around it. Needs the real media of ../shared/media, or
where PLAINVIEW_MEDIA says.

Usage: python bench/record.py [--seconds N]
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from rows import Row

from plainview.camera.clocks import SimulatedClock, SystemClock
from plainview.camera.encode import MediaEncoder, shape_of
from plainview.camera.events import PowerOff, PowerOn, Press
from plainview.camera.identity import create_camera, open_camera
from plainview.camera.journal import sign_note
from plainview.camera.recorder import Recorder
from plainview.camera.rules import Orders
from plainview.camera.sealed_store import SealedStore
from plainview.formats.camera_orders import CameraOrders, CameraSettings, format_camera_orders
from plainview.formats.note import ED25519, VerifierKey, format_vkey

if TYPE_CHECKING:
    from collections.abc import Iterator

MEDIA = Path(os.environ.get("PLAINVIEW_MEDIA", Path(__file__).parents[2] / "shared" / "media"))
REAL = "crowd_1080p.mp4"
SETTINGS = CameraSettings(width_px=1920, height_px=1080, frame_rate=30, bit_rate_bps=6_000_000, buffer_ms=0)
KEPT_PICTURES = 45
FRAME_TICKS = 3000
ROUNDS = 3


def decoded(path: str, seconds: int) -> Iterator[av.VideoFrame]:
    """Decode a few pictures; return them again and again, forwards and backwards, for so long."""
    with av.open(path) as source:
        some = itertools.islice(source.decode(video=0), KEPT_PICTURES)
        kept = [frame.reformat(1920, 1080, "yuv420p") for frame in some]
    return itertools.islice(itertools.cycle(kept + kept[-2:0:-1]), seconds * 30)


def sound() -> np.ndarray:
    rng = np.random.default_rng(7)
    return (0.05 * rng.standard_normal(1600)).astype(np.float32)


class Watched(SealedStore):
    """A store that notes when each fragment was durable."""

    def begin(self, beginning: Any, init: bytes | None) -> Any:
        writer = super().begin(beginning, init)
        add, fragments_at = writer.add_fragment, FRAGMENTS

        def add_fragment(data: bytes, **facts: Any) -> None:
            add(data, **facts)
            fragments_at.append((facts["mono_ms"], time.monotonic()))

        if init is not None:
            writer.add_fragment = add_fragment
        return writer


FRAGMENTS: list[tuple[int, float]] = []


def new_camera(folder: str) -> Any:
    home, storage = Path(folder) / "home", Path(folder) / "storage"
    now = datetime.now(UTC).replace(microsecond=0)
    create_camera(home, storage, name="cam.example.org/BENCH", make="bench", model="bench", now=now)
    camera = open_camera(home, storage)
    department = Ed25519PrivateKey.generate()
    key = VerifierKey("example.org/department", ED25519, department.public_key().public_bytes_raw())
    orders = CameraOrders(
        camera=camera.name,
        public_key=camera.public_key,
        seal_to=X25519PrivateKey.generate().public_key().public_bytes_raw(),
        department_key=format_vkey(key),
        log_keys=(),
        trigger_keys=(),
        covert_allowed_by="",
        settings=SETTINGS,
        at=now,
    )
    camera.take_orders(sign_note(format_camera_orders(orders), key=key, sign=department.sign))
    return camera


def recorder_with(folder: str, clock: Any) -> Recorder:
    return Recorder(
        store=Watched(new_camera(folder)),
        clock=clock,
        orders=Orders(SETTINGS),
        make_encoder=lambda settings: MediaEncoder(shape_of(settings, has_sound=True)),
        serial="BENCH",
    )


# What is measured, each in a process of its own, on one core.


def bare(path: str, seconds: int, folder: str) -> dict[str, Any]:
    """Encode pictures and sound, and write the stream to a file; nothing else."""
    with av.open(f"{folder}/bare.mp4", "w") as output:
        video = output.add_stream("libx264", rate=30, options={"preset": "ultrafast", "tune": "zerolatency"})
        video.width, video.height, video.pix_fmt, video.bit_rate = (
            1920,
            1080,
            "yuv420p",
            SETTINGS.bit_rate_bps,
        )
        video.codec_context.thread_count, video.gop_size = 1, 60
        audio = output.add_stream("aac", rate=48_000, layout="mono")
        audio.bit_rate = 64_000
        frames, heard = decoded(path, seconds), sound()[None, :]
        started = time.process_time()
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base = number, Fraction(1, 30)
            frame.pict_type = av.video.frame.PictureType.NONE
            output.mux(video.encode(frame))
            part = av.AudioFrame.from_ndarray(heard, format="fltp", layout="mono")
            part.sample_rate, part.pts, part.time_base = 48_000, number * 1600, Fraction(1, 48_000)
            output.mux(audio.encode(part))
        output.mux(video.encode(None))
        output.mux(audio.encode(None))
    return {"cpu_s": time.process_time() - started}


def whole(path: str, seconds: int, folder: str) -> dict[str, Any]:
    """Record as fast as it goes."""
    clock = SimulatedClock(datetime.now(UTC))
    recorder = recorder_with(folder, clock)
    frames, heard = decoded(path, seconds), sound()
    recorder.happen(PowerOn(0))
    recorder.happen(Press(0))
    started, started_cpu = time.monotonic(), time.process_time()
    for number, frame in enumerate(frames):
        clock.go_to(number * FRAME_TICKS)
        recorder.tick()
        recorder.hear(number * FRAME_TICKS, heard)
        recorder.show(number * FRAME_TICKS, frame)
    recorder.happen(PowerOff(seconds * 1000))
    return {"cpu_s": time.process_time() - started_cpu, "wall_s": time.monotonic() - started}


def paced(path: str, seconds: int, folder: str) -> dict[str, Any]:
    """Record in real time; say how long after its first picture each fragment was durable."""
    frames, heard = decoded(path, seconds), sound()
    clock = SystemClock()
    recorder = recorder_with(folder, clock)
    recorder.happen(PowerOn(recorder.now_ms))
    recorder.happen(Press(recorder.now_ms))
    began, began_ticks = time.monotonic(), clock.ticks()
    for number, frame in enumerate(frames):
        time.sleep(max(0.0, began + number / 30 - time.monotonic()))
        ticks = began_ticks + number * FRAME_TICKS
        recorder.hear(ticks, heard)
        recorder.show(ticks, frame)
        recorder.tick()
    behind_s = time.monotonic() - began - seconds
    recorder.happen(PowerOff(recorder.now_ms))
    lags = [at - began - (mono_ms - began_ticks / 90) / 1000 for mono_ms, at in FRAGMENTS]
    return {"lags_s": lags, "behind_s": behind_s}


WORK = {each.__name__: each for each in (bare, whole, paced)}


def child(name: str, path: str, seconds: int) -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(WORK[name](path, seconds, folder)))


def measured(name: str, path: Path, seconds: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--child", name, str(path), "--seconds", str(seconds)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def run(seconds: int = 30) -> list[Row]:
    path = MEDIA / REAL
    if not path.is_file():
        return [Row("the recorder", "", detail=f"REAL MEDIA MISSING: {REAL}")]
    rounds = [(measured("bare", path, seconds), measured("whole", path, seconds)) for _ in range(ROUNDS)]
    bare_s = median(one["cpu_s"] for one, _ in rounds)
    whole_s = median(one["cpu_s"] for _, one in rounds)
    wall_s = median(one["wall_s"] for _, one in rounds)
    ratio = median(ours["cpu_s"] / floor["cpu_s"] for floor, ours in rounds)
    real_time = measured("paced", path, seconds)
    lags = sorted(real_time["lags_s"])
    p95 = lags[min(len(lags) - 1, int(0.95 * len(lags)))]
    about = (
        f"{REAL} at 1080p, 30 a second, {seconds} s, {ROUNDS} alternating rounds, one core, preset ultrafast"
    )
    return [
        Row(
            "1080p30 on one core",
            f"{seconds / whole_s:.2f} times real time, by CPU",
            "at least 1",
            seconds / whole_s >= 1,
            f"{about}: {whole_s:.1f} s of CPU, {wall_s:.1f} s by the clock, sound, signing, sealing and fsync included",
        ),
        Row(
            "beside the bare encoder",
            f"{ratio:.3f} of its CPU",
            "",
            None,
            f"bare libx264 and AAC to a file: {bare_s:.1f} s of CPU for the same pictures",
        ),
        Row(
            "from the lens to the disk, p95",
            f"{p95:.2f} s",
            "under 3 s",
            p95 < 3,
            f"in real time on one core, fragments of {SETTINGS.fragment_ms / 1000:g} s: from a fragment's first picture "
            f"until its line is durable; median {median(lags):.2f} s, most {lags[-1]:.2f} s, of {len(lags)} fragments; "
            f"{max(0.0, real_time['behind_s']):.2f} s behind at the end",
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=30, help="how much is recorded (default: 30)")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(*given.child, given.seconds)
        return
    for row in run(given.seconds):
        print(f"{row.name:40} {row.measured:40} {row.target:13} {row.is_met}\n    {row.detail}")


if __name__ == "__main__":
    main()

"""What viewing copy, storyboard and waveform cost, beside the least that PyAV needs for each.

Needs the real media of ../shared/media, or where PLAINVIEW_MEDIA says.

Usage: python bench/derive.py [--seconds N]
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "plainview.project.settings")

import av
import django
import numpy as np
from memory import peak_bytes
from rows import Row

django.setup()

from plainview.evidence.rules import ClaimedStep, KnownOriginal, OriginalFacts  # noqa: E402 - as below
from plainview.media.derive import derive  # noqa: E402 - as below
from plainview.media.framing import TICK  # noqa: E402 - as below
from plainview.media.probe import probe  # noqa: E402 - as below
from plainview.media.storyboard import make_storyboard, step_ms  # noqa: E402 - as below
from plainview.media.waveform import make_waveform  # noqa: E402 - as below
from plainview.pipeline.derivatives import make_derivatives  # noqa: E402 - models need Django set up
from plainview.pipeline.worker import PRELOAD  # noqa: E402 - the same
from plainview.service.jail import DecoderJail  # noqa: E402 - the same
from plainview.vault.keys import create_key_store  # noqa: E402 - the same
from plainview.vault.local import create_local_store  # noqa: E402 - the same
from plainview.vault.receive import receive  # noqa: E402 - the same

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 5
MEDIA = Path(os.environ.get("PLAINVIEW_MEDIA", Path(__file__).parents[2] / "shared" / "media"))
REAL, SMALL, SPOKEN = "crowd_1080p.mp4", "carphone.mp4", "car-detection.mp4"


def run(seconds: int = 300) -> list[Row]:
    """Measure on a real 1080p file looped to this many seconds."""
    missing = [name for name in (REAL, SMALL, SPOKEN) if not (MEDIA / name).is_file()]
    if missing:
        return [Row("pipeline without transcript", "", detail=f"REAL MEDIA MISSING: {', '.join(missing)}")]
    with tempfile.TemporaryDirectory() as name:
        path, other = Path(name) / "looped.mp4", Path(name) / "looped.mkv"
        loop(MEDIA / REAL, MEDIA / REAL, path, seconds)
        loop(MEDIA / REAL, MEDIA / REAL, other, seconds)
        return [
            # Not MP4, which would be played as it is.
            *pipeline_rows(other, seconds),
            part_row("storyboard", path, "board_floor", "board", seconds),
            part_row("waveform", path, "peaks_floor", "peaks", seconds),
            memory_row(Path(name)),
        ]


def loop(picture: Path, sound: Path, target: Path, seconds: int) -> None:
    """Repeat the packets of one file's picture and another's sound, without coding them again."""
    with av.open(str(target), "w") as output:
        tracks = []
        for path, kind in ((picture, "video"), (sound, "audio")):
            source = av.open(str(path))
            stream = next(s for s in source.streams if s.type == kind)
            packets = [
                (p.pts, p.dts, p.duration, p.is_keyframe, bytes(p)) for p in source.demux(stream) if p.size
            ]
            tracks.append((output.add_stream_from_template(stream), stream.time_base, packets, [0, 0]))
        while tracks:
            track = min(tracks, key=lambda t: t[3][0] * t[1])
            copy_once(output, *track)
            tracks = [t for t in tracks if t[3][0] * t[1] < seconds]


def copy_once(output: Any, stream: Any, base: Fraction, packets: list[Any], state: list[int]) -> None:
    """Write one more packet of a track. state: presentation of the next packet and how many were written."""
    turn, i = divmod(state[1], len(packets))
    first_pts, first_dts = packets[0][0], packets[0][1]
    length = sum(p[2] for p in packets)
    pts, dts, duration, is_key, data = packets[i]
    packet = av.Packet(data)
    packet.stream, packet.time_base, packet.is_keyframe, packet.duration = stream, base, is_key, duration
    packet.pts, packet.dts = pts - first_pts + turn * length, dts - first_dts + turn * length
    packet.pts += max(0, first_pts - first_dts)
    # Before it is written, which counts its times in the container's own ticks.
    state[0], state[1] = packet.dts + duration, state[1] + 1
    output.mux(packet)


# What is measured, each in a process of its own.


def bare_copy(path: str) -> None:
    """Decode, scale, encode and write as PyAV's own examples do; nothing is checked."""
    source = av.open(path)
    picture, sound = source.streams.video[0], source.streams.audio[0]
    picture.codec_context.thread_count = 1
    with av.open(path + ".bare.mp4", "w") as output:
        options = {"preset": "veryfast", "crf": "23", "threads": "1"}
        video = output.add_stream("libx264", rate=picture.average_rate, options=options)
        video.width, video.height, video.pix_fmt = 1280, 720, "yuv420p"
        video.codec_context.time_base, video.gop_size = TICK, round(picture.average_rate)
        audio = output.add_stream("aac", rate=48_000, layout="stereo")
        audio.bit_rate = 128_000
        for packet in source.demux(picture, sound):
            for frame in packet.decode():
                if packet.stream is sound:
                    output.mux(audio.encode(frame))
                    continue
                small = frame.reformat(1280, 720, "yuv420p")
                small.pict_type = 0
                output.mux(video.encode(small))
        output.mux(video.encode(None))
        output.mux(audio.encode(None))


def whole(path: str) -> None:
    with Path(path).open("rb") as source, Path(path + ".copy.mp4").open("wb") as copy:
        derive(source, viewing_copy=copy, storyboard=io.BytesIO(), waveform=io.BytesIO())


class NobodyWaits:
    """What hears how far a step is, where nobody looks."""

    def progress(self, fraction: float) -> None:
        """Hear how much is done."""

    def tick(self) -> None:
        """Note that time has passed."""


def jailed(path: str) -> Callable[[], float]:
    """Do all that a worker does without a transcript but its rows: in the jail, encrypted, durable, read back."""
    folder = Path(tempfile.mkdtemp(dir=Path(path).parent))
    store, derived = create_local_store(folder / "objects"), create_local_store(folder / "derived")
    keys = create_key_store(folder / "keys", recovery_public=bytes(32))
    with Path(path).open("rb") as source:
        received = receive(source, store=store, keys=keys)
        source.seek(0)
        duration_ms = probe(source).duration_ms
    facts = OriginalFacts(received.object_id, received.object_bytes, "", "", "", received.size_bytes)
    claim = ClaimedStep(1, "derive", 1, KnownOriginal(1, facts, "usable", None, "", ""), duration_ms)
    jail = DecoderJail(preload=PRELOAD).__enter__()
    used_s: list[float] = []

    class Jail:
        def run(self, *task: Any, **asked: Any) -> Any:
            result = jail.run(*task, **asked)
            used_s.append(result.cpu_s)
            return result

    place: Any = SimpleNamespace(
        installation=SimpleNamespace(store=store, keys=keys), derived=derived, jail=Jail(), threads=1
    )

    def work() -> float:
        made = make_derivatives(place, claim, NobodyWaits())  # type: ignore[arg-type]  # all that is called
        assert len(made) == 3
        return used_s[0]

    return work


def board_floor(path: str) -> None:
    """Seek, decode one picture, shrink it; once for each place of the sheet, then one JPEG."""
    source = av.open(path)
    stream = source.streams.video[0]
    stream.codec_context.thread_count = 1
    tiles = []
    every_us = step_ms(source.duration // 1000) * 1000
    for at_us in range(0, source.duration, every_us):
        source.seek(at_us)
        frame = next(source.decode(stream))
        tiles.append(frame.reformat(160, 90, "gray").to_ndarray())
    tiles += tiles[: -len(tiles) % 10]
    sheet = np.concatenate([np.concatenate(tiles[i : i + 10], axis=1) for i in range(0, len(tiles), 10)])
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = sheet.shape[1], sheet.shape[0], "yuvj420p"
    encoder.time_base = Fraction(1)
    encoder.encode(av.VideoFrame.from_ndarray(sheet, format="gray").reformat(format="yuvj420p"))
    encoder.encode(None)


def board(path: str) -> Callable[[], object]:
    source = Path(path).open("rb")  # noqa: SIM115 closed with the process
    probed = probe(source)
    return lambda: make_storyboard(source, io.BytesIO(), probed=probed)


def peaks_floor(path: str) -> None:
    """Decode sound with pictures left unread, and take the extremes of every 20 ms."""
    source = av.open(path)
    source.streams.video[0].discard = av.stream.Discard.all
    parts = [frame.to_ndarray() for frame in source.decode(audio=0)]
    sound = np.concatenate(parts, axis=1)
    sound = sound[:, : sound.shape[1] // 960 * 960].reshape(len(sound), -1, 960)
    sound.min(axis=(0, 2))
    sound.max(axis=(0, 2))


def peaks(path: str) -> Callable[[], object]:
    source = Path(path).open("rb")  # noqa: SIM115 closed with the process
    probed = probe(source)
    return lambda: make_waveform(source, io.BytesIO(), probed=probed)


WORK: dict[str, Callable[[str], Any]] = {
    work.__name__: work for work in (bare_copy, whole, jailed, board_floor, board, peaks_floor, peaks)
}
# These get ready first, and give what is to be measured.
PREPARED = ("jailed", "board", "peaks")


def child(name: str, path: str) -> None:
    """Do one piece of work; print its processor time, and the peak of memory in MB."""
    prepared = WORK[name](path) if name in PREPARED else (lambda: WORK[name](path))
    start = time.process_time()
    elsewhere_s = prepared()
    cpu_s = time.process_time() - start + (elsewhere_s if name == "jailed" else 0)
    print(json.dumps([cpu_s, peak_bytes() / 2**20]))


def measured(name: str, path: Path) -> tuple[float, float]:
    command = [sys.executable, __file__, "--child", name, str(path)]
    cpu_s, peak_mb = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return cpu_s, peak_mb


def pipeline_rows(path: Path, seconds: int) -> list[Row]:
    bare_s, whole_s, jailed_s = (measured(name, path)[0] for name in ("bare_copy", "whole", "jailed"))
    about = (
        f"{REAL} looped to {seconds} s, one thread each; CPU: bare decode, scale and encode {bare_s:.1f} s, "
    )
    parts = (
        (
            "probe, copy, storyboard and waveform from one decode",
            whole_s,
            f"probe, viewing copy, storyboard and waveform {whole_s:.1f} s",
        ),
        (
            "the same as a worker does it",
            jailed_s,
            f"from an encrypted original, in the jail, encrypted, durable and read back {jailed_s:.1f} s",
        ),
    )
    rows = []
    for name, ours_s, what in parts:
        ratio = ours_s / bare_s
        measured_ = f"{ratio:.3f} of the bare copy's CPU"
        rows.append(Row(name, measured_, "at most 1.15", ratio <= 1.15, about + what))
    return rows


def part_row(name: str, path: Path, floor: str, ours: str, seconds: int) -> Row:
    rounds = [(measured(floor, path)[0], measured(ours, path)[0]) for _ in range(ROUNDS)]
    ratio = median(one[1] / one[0] for one in rounds)
    floor_s, ours_s = (median(column) for column in zip(*rounds, strict=True))
    detail = (
        f"{seconds} s, {ROUNDS} alternating rounds; median CPU: floor {floor_s:.2f} s, ours {ours_s:.2f} s"
    )
    return Row(f"{name} alone", f"{ratio:.2f} of its floor's CPU", "at most 1.2", ratio <= 1.2, detail)


def memory_row(folder: Path) -> Row:
    peaks_mb = []
    for seconds in (300, 1200):
        path = folder / f"small_{seconds}.mp4"
        loop(MEDIA / SMALL, MEDIA / SPOKEN, path, seconds)
        peaks_mb.append(measured("whole", path)[1])
    ratio = peaks_mb[1] / peaks_mb[0]
    detail = (
        f"peak resident memory, {SMALL} with sound looped: {peaks_mb[0]:.0f} MB at 5 min, {peaks_mb[1]:.0f} MB "
        f"at 20; what grows is the MP4 index of both files, about {(peaks_mb[1] - peaks_mb[0]) * 4:.0f} MB an hour"
    )
    return Row("memory, four times the length", f"{ratio:.2f} of it", "at most 1.15", ratio <= 1.15, detail)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=300, help="length of the looped file (default: 300)")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(*given.child)
        return
    for row in run(given.seconds):
        verdict = {True: "met", False: "NOT MET", None: ""}[row.is_met]
        print(f"{row.name:52} {row.measured:40} {row.target:13} {verdict}\n    {row.detail}")


if __name__ == "__main__":
    main()

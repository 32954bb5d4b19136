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
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from memory import peak_bytes
from rows import Row

from plainview.media.derive import derive
from plainview.media.framing import TICK
from plainview.media.probe import probe
from plainview.media.storyboard import make_storyboard, step_ms
from plainview.media.waveform import make_waveform

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
        path = Path(name) / "looped.mp4"
        loop(MEDIA / REAL, MEDIA / REAL, path, seconds)
        return [
            pipeline_row(path, seconds),
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
    output.mux(packet)
    state[0], state[1] = packet.dts + duration, state[1] + 1


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


WORK = {work.__name__: work for work in (bare_copy, whole, board_floor, board, peaks_floor, peaks)}


def child(name: str, path: str) -> None:
    """Do one piece of work; print its processor time, and the peak of memory in MB."""
    prepared = WORK[name](path) if name in ("board", "peaks") else (lambda: WORK[name](path))
    start = time.process_time()
    prepared()
    cpu_s = time.process_time() - start
    print(json.dumps([cpu_s, peak_bytes() / 2**20]))


def measured(name: str, path: Path) -> tuple[float, float]:
    command = [sys.executable, __file__, "--child", name, str(path)]
    cpu_s, peak_mb = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return cpu_s, peak_mb


def pipeline_row(path: Path, seconds: int) -> Row:
    bare_s, ours_s = measured("bare_copy", path)[0], measured("whole", path)[0]
    ratio = ours_s / bare_s
    detail = (
        f"{REAL} looped to {seconds} s, one thread each; CPU: bare decode, scale and encode {bare_s:.1f} s, "
        f"probe, viewing copy, storyboard and waveform {ours_s:.1f} s"
    )
    name = "probe, copy, storyboard and waveform from one decode"
    return Row(name, f"{ratio:.3f} of the bare copy's CPU", "at most 1.15", ratio <= 1.15, detail)


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

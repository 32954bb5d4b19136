"""What transcribing costs beyond the engine itself, and what silence costs.

faster-whisper runs a model with the encoder of the real "small" and random weights, which cost the same. Only the
encoder's pass over each half minute is counted as the engine: random weights write text of random length. Needs the
real media of ../shared/media, or where PLAINVIEW_MEDIA says.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from faster_whisper import WhisperModel, decode_audio
from faster_whisper.vad import VadOptions, get_speech_timestamps
from rows import Row

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from plainview.media.engines import find_engine
from plainview.media.speech import find_speech
from plainview.media.transcribe import transcribe
from simulators.tiny_whisper import write_tiny_whisper

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 5
MEDIA = Path(os.environ.get("PLAINVIEW_MEDIA", Path(__file__).parents[2] / "shared" / "media"))
SPOKEN = ("jfk.flac", "librivox_0870.wav", "librivox_0880.wav", "multi_stream.mp4")
MINUTES = 2
RATE_HZ = 16_000


def run() -> list[Row]:
    """Measure both engines on real speech, and a recording in which nobody speaks."""
    missing = [name for name in SPOKEN if not (MEDIA / name).is_file()]
    if missing:
        return [Row("transcribing", "", detail=f"REAL MEDIA MISSING: {', '.join(missing)}")]
    spoken = np.concatenate([decoded(MEDIA / name) for name in SPOKEN])
    repeats = -(-MINUTES * 60 * RATE_HZ // len(spoken))
    talk = recording(np.tile(spoken, repeats)[: MINUTES * 60 * RATE_HZ])
    return [whisper_row(talk), own_detector_row(talk), sphinx_row(talk), silence_row()]


def decoded(path: Path) -> Any:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    parts = []
    with av.open(str(path)) as source:
        for frame in source.decode(audio=0):
            frame.pts = None
            parts += [part.to_ndarray()[0] for part in resampler.resample(frame)]
    return np.concatenate(parts)


def recording(samples: Any) -> bytes:
    """Give an MP4 with AAC at 48 kHz, as a camera writes it, though without a picture."""
    target = io.BytesIO()
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=48_000)
    with av.open(target, "w", format="mp4") as output:
        stream = output.add_stream("aac", rate=48_000, layout="mono")
        for at in range(0, len(samples), RATE_HZ):
            frame = av.AudioFrame.from_ndarray(samples[None, at : at + RATE_HZ], format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE_HZ, at
            for part in resampler.resample(frame):
                output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return target.getvalue()


def cpu_s(work: Callable[[], object]) -> float:
    began_s = time.process_time()
    work()
    return time.process_time() - began_s


def find(data: bytes) -> list[Any]:
    found: list[Any] = []
    find_speech(io.BytesIO(data), on_speech=found.append)
    return found


def whisper_row(data: bytes) -> Row:
    """Hold decoding and finding the speech against the encoder's passes over it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "small"
        write_tiny_whisper(folder, layers=12, width=768, heads=12, compute_type="int8")
        model = WhisperModel(
            str(folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
        )
    features = model.feature_extractor(np.zeros(30 * RATE_HZ, np.float32))[:, :3000]
    model.encode(features)
    passes = -(-sum(len(each.samples) for each in find(data)) // (30 * RATE_HZ))
    rounds = [
        (cpu_s(lambda: find(data)), passes * cpu_s(lambda: np.asarray(model.encode(features))))
        for _ in range(ROUNDS)
    ]
    ratio = median(ours_s / engine_s for ours_s, engine_s in rounds)
    ours_s, engine_s = (median(column) for column in zip(*rounds, strict=True))
    detail = (
        f"{MINUTES} min of AAC, nearly all of it speech; median CPU of {ROUNDS} alternating rounds: decoding and finding "
        f"speech {ours_s:.2f} s, {passes} passes of the encoder alone {engine_s:.1f} s"
    )
    return Row(
        "beyond faster-whisper with small", f"{ratio:.3f} of it", "at most 0.05", ratio <= 0.05, detail
    )


def own_detector_row(data: bytes) -> Row:
    """Hold it against what faster-whisper does itself before it hears: decode, and its own detector."""

    def theirs() -> None:
        get_speech_timestamps(decode_audio(io.BytesIO(data)), VadOptions())

    theirs()
    rounds = [(cpu_s(lambda: find(data)), cpu_s(theirs)) for _ in range(ROUNDS)]
    ratio = median(ours / other for ours, other in rounds)
    ours_s, theirs_s = (median(column) for column in zip(*rounds, strict=True))
    detail = f"the same recording; ours {ours_s:.2f} s, theirs {theirs_s:.2f} s of CPU; theirs holds the whole sound"
    name = "finding speech, beside faster-whisper's own way"
    return Row(name, f"{ratio:.2f} of its CPU", "at most 1", ratio <= 1, detail)


class Timed:
    """An engine whose own processor time is counted; everything else is overhead."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self.cpu_s = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def begin(self) -> Any:
        self._listener = self._engine.begin()
        return self

    def hear(self, samples: Any) -> Any:
        heard: list[Any] = []
        self.cpu_s += cpu_s(lambda: heard.append(self._listener.hear(samples)))
        return heard[0]

    @property
    def language(self) -> str:
        return str(self._listener.language)


def sphinx_row(data: bytes) -> Row:
    timed = Timed(find_engine(None))
    whole_s = cpu_s(lambda: transcribe(io.BytesIO(data), engine=timed))
    ratio = (whole_s - timed.cpu_s) / timed.cpu_s
    detail = f"the same recording, once; CPU in all {whole_s / (MINUTES * 60):.2f} of real time"
    return Row("beyond pocketsphinx", f"{ratio:.3f} of it", "at most 0.05", ratio <= 0.05, detail)


def silence_row() -> Row:
    """Measure one recording in which nobody speaks: a hum and noise as in a parked car."""
    at = np.arange(10 * 60 * RATE_HZ) / RATE_HZ
    noise = np.random.default_rng(3).standard_normal(len(at)) * 60
    data = recording((np.sin(at * 2 * np.pi * 90) * 1500 + noise).astype(np.int16))
    cost_s = median(cpu_s(lambda: find(data)) for _ in range(ROUNDS))
    times = 600 / cost_s
    detail = f"10 min of AAC, hum and noise; {cost_s:.2f} s of CPU, decoding included; stretches of speech: {len(find(data))}"
    return Row(
        "a recording without speech", f"{times:.0f} times real time", "at least 300", times >= 300, detail
    )


def main() -> None:
    for row in run():
        verdict = {True: "met", False: "NOT MET", None: ""}[row.is_met]
        print(f"{row.name:52} {row.measured:24} {row.target:13} {verdict}\n    {row.detail}")


if __name__ == "__main__":
    main()

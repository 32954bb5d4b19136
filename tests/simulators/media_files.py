"""Small real media files, made with PyAV: what recorders write, and what people mistake for it."""

from __future__ import annotations

import io
import os
import pathlib
import wave
from fractions import Fraction

import av
import numpy as np
import pytest

_PATTERN = np.add.outer(np.arange(96, dtype=np.uint16) * 2, np.arange(128, dtype=np.uint16))
SAMPLE_RATE_HZ = 16_000
FRAME_RATE = 10
FRAME_MS = 100


def media_file(
    container="mp4",
    *,
    video_streams=1,
    audio_streams=1,
    seconds=2.0,
    video_codec="libx264",
    audio_codec="aac",
    options=None,
    frame_times_ms=None,
    metadata=None,
    rotation_deg=0,
):
    """Make a file of a moving pattern, 128 by 96 at 10 pictures a second, and a tone.

    Args:
        options: of the muxer, such as {"movflags": "frag_keyframe+empty_moov"}.
        frame_times_ms: presentation times of the pictures instead of even ones.
    """
    target = io.BytesIO()

    def read_back(url, flags, options):  # to move the index to the front, the muxer reads what it wrote
        return io.BytesIO(target.getvalue())

    with av.open(target, "w", format=container, options=options or {}, io_open=read_back) as output:
        output.metadata.update(metadata or {})
        videos = [_video_stream(output, video_codec, rotation_deg) for _ in range(video_streams)]
        audios = [
            output.add_stream(audio_codec, rate=SAMPLE_RATE_HZ, layout="mono") for _ in range(audio_streams)
        ]
        times_ms = frame_times_ms or [i * FRAME_MS for i in range(int(seconds * FRAME_RATE))]
        jobs = [(t, stream, frame) for stream in videos for t, frame in _pictures(times_ms)]
        jobs += [(t, stream, frame) for stream in audios for t, frame in _tone(seconds, audio_codec)]
        for _, stream, frame in sorted(jobs, key=lambda job: job[0]):
            output.mux(stream.encode(frame))
        for stream in (*videos, *audios):
            output.mux(stream.encode(None))
    return target.getvalue()


def _video_stream(output, codec, rotation_deg):
    stream = output.add_stream(codec, rate=FRAME_RATE)
    stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
    stream.gop_size = FRAME_RATE
    stream.codec_context.time_base = Fraction(1, 1000)
    stream.codec_context.thread_count = 1
    if codec == "libx264":
        stream.options = {"preset": "ultrafast"}
    if rotation_deg:
        stream.set_display_rotation(rotation_deg)
    return stream


def _pictures(times_ms):
    for at_ms in times_ms:
        picture = np.repeat(((_PATTERN + at_ms) % 256).astype(np.uint8)[:, :, None], 3, axis=2)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.duration, frame.time_base = at_ms, FRAME_MS, Fraction(1, 1000)
        yield at_ms, frame


def _tone(seconds, codec):
    sample_format = {"aac": "fltp", "libmp3lame": "fltp", "flac": "s16", "pcm_s16le": "s16"}[codec]
    wanted = np.float32 if sample_format == "fltp" else np.int16
    for start in range(0, int(seconds * SAMPLE_RATE_HZ), 1024):
        wave_ = np.sin(np.arange(start, start + 1024) * (2 * np.pi * 440 / SAMPLE_RATE_HZ)) * 0.3
        samples = wave_.astype(np.float32) if wanted is np.float32 else (wave_ * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None, :], format=sample_format, layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE_HZ, start, Fraction(1, SAMPLE_RATE_HZ)
        yield start * 1000 / SAMPLE_RATE_HZ, frame


def progressive_mp4(**changes):
    """MP4 as a phone closes it: the index at the end."""
    return media_file("mp4", **changes)


def fast_start_mp4(**changes):
    """MP4 with the index at the front."""
    return media_file("mp4", options={"movflags": "faststart"}, **changes)


def fragmented_mp4(**changes):
    """MP4 as a camera writes it so that a cut file still plays."""
    return media_file("mp4", options={"movflags": "frag_keyframe+empty_moov+default_base_moof"}, **changes)


def wav_file(seconds=2.0):
    target = io.BytesIO()
    with wave.open(target, "wb") as output:
        output.setnchannels(1)
        output.setsampwidth(2)
        output.setframerate(SAMPLE_RATE_HZ)
        tone = np.sin(np.arange(int(seconds * SAMPLE_RATE_HZ)) * 0.17) * 9000
        output.writeframes(tone.astype("<i2").tobytes())
    return target.getvalue()


def still_picture(codec="mjpeg"):
    """One JPEG or PNG picture, as its own file."""
    context = av.CodecContext.create(codec, "w")
    context.width, context.height, context.time_base = 128, 96, Fraction(1, 1)
    context.pix_fmt = "rgb24" if codec == "png" else "yuvj420p"
    (_, frame), *_ = _pictures([0])
    frame = frame.reformat(format=context.pix_fmt)
    frame.time_base = Fraction(1, 1)
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


MINIMAL_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)


def box(kind, payload=b""):
    """One ISO base media box."""
    return (8 + len(payload)).to_bytes(4, "big") + kind + payload


def shared_media(name):
    """Path of a file of the shared media folder; skips the test, saying why, where there is none."""
    beside = pathlib.Path(__file__).parents[3] / "shared" / "media"
    folder = pathlib.Path(os.environ.get("PLAINVIEW_MEDIA", beside))
    if not (folder / name).is_file():
        pytest.skip(f"REAL MEDIA MISSING: no {name} in ../shared/media, nor where PLAINVIEW_MEDIA says")
    return folder / name

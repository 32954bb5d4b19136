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


# Pictures that carry their own number, to be read back after any treatment.

_CELLS = 4


def number_picture(number, width, height):
    """Draw a number as 4 by 4 cells, white for 1: a white corner at the top left, black ones elsewhere, 12 bits.

    Returns:
        uint8 [height, width], grey 16 to 235. It reads right only upright.
    """
    bits = [number >> i & 1 for i in range(12)]
    cells = [1, *bits[:2], 0, *bits[2:10], 0, *bits[10:], 0]
    down = np.arange(height) * _CELLS // height
    across = np.arange(width) * _CELLS // width
    grid = np.array(cells, np.uint8).reshape(_CELLS, _CELLS)
    return grid[np.ix_(down, across)] * np.uint8(219) + np.uint8(16)


def read_number(grey):
    """Read what number_picture drew, or say "not upright".

    Args:
        grey: [height, width], 0 to 255.
    """
    height, width = grey.shape
    cells = []
    for row in range(_CELLS):
        for column in range(_CELLS):
            y, x = (2 * row + 1) * height // 8, (2 * column + 1) * width // 8
            reach_y, reach_x = max(1, height // 16), max(1, width // 16)
            cells.append(int(grey[y - reach_y : y + reach_y, x - reach_x : x + reach_x].mean() > 120))
    if (cells[0], cells[3], cells[12], cells[15]) != (1, 0, 0, 0):
        return "not upright"
    bits = [*cells[1:3], *cells[4:12], *cells[13:15]]
    return sum(bit << i for i, bit in enumerate(bits))


def numbered_file(
    container="mp4",
    *,
    times_ms=None,
    count=20,
    rate=10,
    size=(128, 96),
    codec="libx264",
    pixel_format="yuv420p",
    codec_options=None,
    options=None,
    rotation_deg=0,
    pixel_aspect=None,
    full_range=False,
    first_number=0,
    tones=None,
    audio_codec="aac",
    audio_rate_hz=SAMPLE_RATE_HZ,
    more_streams=(),
    key_every=None,
    paint=None,
):
    """Make a file whose n-th picture shows n, with tones at known times.

    Args:
        times_ms: presentation of each picture; else even ones at rate.
        tones: None for no sound, else (start_ms, end_ms, loudness 0 to 1) of each; silence lies between.
            A loudness of None leaves the samples out of the file.
        rotation_deg: stated turn, anticlockwise; the stored picture is drawn turned the other way.
        more_streams: "video" or "audio" of each further stream, which shows number + 1000 or is silent.
        paint: instead of number_picture.
    """
    target = io.BytesIO()

    def read_back(url, flags, options):
        return io.BytesIO(target.getvalue())

    times_ms = [i * 1000 / rate for i in range(count)] if times_ms is None else times_ms
    jobs = []
    with av.open(target, "w", format=container, options=options or {}, io_open=read_back) as output:
        looks = {
            "size": size,
            "codec": codec,
            "pixel_format": pixel_format,
            "codec_options": codec_options,
            "rotation_deg": rotation_deg,
            "pixel_aspect": pixel_aspect,
            "key_every": key_every,
            "rate": rate,
        }
        kinds = ["video", *(["audio"] if tones is not None else []), *more_streams]
        seconds = max((end_ms for _, end_ms, _ in tones or ()), default=1000) / 1000
        for i, kind in enumerate(kinds):
            if kind == "audio":
                stream = output.add_stream(audio_codec, rate=audio_rate_hz, layout="mono")
                parts = _tones(tones or [], seconds, audio_codec, audio_rate_hz)
                jobs += [(t, stream, frame) for t, frame in parts]
                continue
            stream = _numbered_stream(output, **looks)
            paint_one = paint or number_picture
            for n, at_ms in enumerate(times_ms):
                drawn = paint_one(first_number + n + 1000 * (i > 0), *size_upright(size, rotation_deg))
                grey = np.ascontiguousarray(np.rot90(drawn, -rotation_deg // 90))
                frame = _grey_frame(grey, pixel_format, full_range=full_range)
                frame.pts, frame.time_base = round(at_ms * 90), Fraction(1, 90_000)
                jobs.append((at_ms, stream, frame))
        for _, stream, frame in sorted(jobs, key=lambda job: job[0]):
            output.mux(stream.encode(frame))
        for stream in {id(job[1]): job[1] for job in jobs}.values():
            output.mux(stream.encode(None))
    return target.getvalue()


def size_upright(size, rotation_deg):
    return size[::-1] if rotation_deg in (90, 270) else size


def _numbered_stream(
    output, *, size, codec, pixel_format, codec_options, rotation_deg, pixel_aspect, key_every, rate
):
    presets = {
        "libx264": {"preset": "ultrafast"},
        "libx265": {"preset": "ultrafast", "x265-params": "log-level=0"},
    }
    stream = output.add_stream(codec, rate=rate, options={**presets.get(codec, {}), **(codec_options or {})})
    stream.width, stream.height = size
    stream.pix_fmt = pixel_format
    stream.gop_size = key_every or FRAME_RATE
    context = stream.codec_context
    context.thread_count = 1
    context.time_base = (
        Fraction(1, rate) if codec in ("mjpeg", "mpeg4", "mpeg2video") else Fraction(1, 90_000)
    )
    if pixel_aspect:
        context.sample_aspect_ratio = pixel_aspect
    if rotation_deg:
        stream.set_display_rotation(rotation_deg)
    return stream


def _grey_frame(grey, pixel_format, *, full_range):
    frame = av.VideoFrame.from_ndarray(grey, format="gray")
    frame.color_range = 2 if full_range else 1
    made = frame.reformat(format=pixel_format, src_color_range=2, dst_color_range=2)
    made.color_range = 2 if full_range else 1
    return made


def _tones(tones, seconds, codec, rate_hz):
    sample_format = "fltp" if codec in ("aac", "libmp3lame") else "s16"
    total = int(seconds * rate_hz)
    loudness = np.zeros(total, np.float32)
    is_there = np.ones(total, bool)
    for start_ms, end_ms, loud in tones:
        part = slice(int(start_ms * rate_hz / 1000), int(end_ms * rate_hz / 1000))
        loudness[part] = loud or 0
        is_there[part] = loud is not None
    wave_ = np.sin(np.arange(total) * (2 * np.pi * 440 / rate_hz)).astype(np.float32) * loudness
    for start in range(0, total - 1023, 1024):
        if not is_there[start : start + 1024].all():
            continue
        samples = wave_[start : start + 1024]
        if sample_format == "s16":
            samples = (samples * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None, :], format=sample_format, layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, start, Fraction(1, rate_hz)
        yield start * 1000 / rate_hz, frame


def shown(data):
    """Decode a file's first pictures.

    Returns:
        (time in ms, number) of each, from the file's first timestamp 0.
    """
    with av.open(io.BytesIO(data)) as opened:
        return [
            (round(float(frame.time) * 1000), read_number(frame.to_ndarray(format="gray")))
            for frame in opened.decode(video=0)
        ]


def heard(data):
    """Decode a file's first sound, by its own timestamps.

    Returns:
        (float samples of the first channel from time 0, their rate).
    """
    with av.open(io.BytesIO(data)) as opened:
        frames = list(opened.decode(audio=0))
    rate_hz = frames[0].sample_rate
    ends = [round(float(frame.time) * rate_hz) + frame.samples for frame in frames]
    sound = np.zeros(max(ends))
    for frame, end in zip(frames, ends, strict=True):
        part = frame.to_ndarray()[0][-end:] if end < frame.samples else frame.to_ndarray()[0]
        sound[end - len(part) : end] = part
    return sound, rate_hz


def loud_spans(sound, rate_hz, *, over=0.05):
    """Give (start_ms, end_ms) of what is louder, joined over 60 ms."""
    at = np.flatnonzero(np.abs(sound) > over)
    breaks = np.flatnonzero(np.diff(at) > 0.06 * rate_hz)
    starts, ends = at[np.r_[0, breaks + 1]], at[np.r_[breaks, len(at) - 1]]
    return [(round(a * 1000 / rate_hz), round(b * 1000 / rate_hz)) for a, b in zip(starts, ends, strict=True)]


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

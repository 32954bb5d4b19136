"""Write pictures and sound to an MP4: H.264 and AAC, index at the front, the same bytes for the same input."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import av

from plainview.demo.frame import FRAME_RATE, HEIGHT_PX, WIDTH_PX
from plainview.demo.sound import RATE_HZ

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator
    from typing import BinaryIO

    import numpy as np
    from numpy.typing import NDArray

_AUDIO_FRAME: Final = 1024


def write_film(
    pictures: Iterator[NDArray[np.uint8]], sound: NDArray[np.float32], *, started_at: dt.datetime, title: str
) -> bytes:
    """Encode a recording.

    Args:
        pictures: uint8 [360, 640, 3] RGB, FRAME_RATE a second.
        sound: float32 [samples] at RATE_HZ, -1 to 1, mono.
        started_at: what the file says as its time of creation, aware UTC. MP4 keeps whole seconds of it; the tag
            "date" has the milliseconds.
        title: what the file says as its title; a camera writes its serial number there.

    Returns:
        The MP4.
    """
    target = io.BytesIO()

    def read_back(url: str, flags: int, options: dict[str, str]) -> BinaryIO:
        del url, flags, options  # to move the index to the front, the muxer reads what it wrote
        return io.BytesIO(target.getvalue())

    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(target, "w", format="mp4", options=options, io_open=read_back) as output:
        output.metadata["creation_time"] = started_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        output.metadata["date"] = started_at.isoformat(timespec="milliseconds")
        output.metadata["title"] = title
        video, audio = _video_stream(output), _audio_stream(output)
        sent = 0
        for i, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, FRAME_RATE)
            output.mux(video.encode(frame))
            sent = _send_sound(output, audio, sound, sent, until=(i + 1) * RATE_HZ // FRAME_RATE)
        _send_sound(output, audio, sound, sent, until=len(sound) + _AUDIO_FRAME)
        output.mux(video.encode(None))
        output.mux(audio.encode(None))
    return target.getvalue()


def _video_stream(output: av.container.OutputContainer) -> av.VideoStream:
    stream = output.add_stream("libx264", rate=FRAME_RATE)
    stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
    stream.gop_size = 2 * FRAME_RATE
    stream.options = {"preset": "superfast", "crf": "29", "threads": "1", "bf": "0"}
    stream.codec_context.thread_count = 1  # more threads give other bytes
    stream.codec_context.flags |= av.codec.context.Flags.bitexact
    return stream


def _audio_stream(output: av.container.OutputContainer) -> av.AudioStream:
    stream = output.add_stream("aac", rate=RATE_HZ, layout="mono")
    stream.bit_rate = 80_000
    stream.codec_context.thread_count = 1
    stream.codec_context.flags |= av.codec.context.Flags.bitexact
    return stream


def _send_sound(
    output: av.container.OutputContainer,
    stream: av.AudioStream,
    samples: NDArray[np.float32],
    sent: int,
    *,
    until: int,
) -> int:
    while sent + _AUDIO_FRAME <= until and sent < len(samples):
        part = samples[None, sent : sent + _AUDIO_FRAME]
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, sent, Fraction(1, RATE_HZ)
        output.mux(stream.encode(frame))
        sent += frame.samples
    return sent

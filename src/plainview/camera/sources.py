"""Where picture and sound come from: devices of Linux, streams and files, each read in a thread of its own.

A source is written as a person writes it: v4l2:/dev/video0, alsa:default, rtsp://camera.example.org/1, file:night.mp4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import av

from plainview.camera.errors import SourceError
from plainview.camera.fragments import SOUND_RATE_HZ, TICKS_A_SECOND

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping
    from fractions import Fraction

    import numpy as np
    from numpy.typing import NDArray

    from plainview.camera.clocks import Clock
    from plainview.formats.camera_orders import CameraSettings

Kind: TypeAlias = Literal["v4l2", "alsa", "rtsp", "file"]

# A source whose own times are further from the camera's than this has jumped, or was late to begin.
_DRIFT_TICKS: Final = TICKS_A_SECOND // 4
_RETRY_S: Final = 1.0
_OPEN_TIMEOUT_S: Final = 5.0


@dataclass(frozen=True)
class Source:
    """A source as it was asked for.

    Attributes:
        kind: of it.
        where: the device, address or file.
        input_format: of a v4l2 device, such as mjpeg; empty lets it choose.
    """

    kind: Kind
    where: str
    input_format: str = ""

    @property
    def text(self) -> str:
        """As a person writes it."""
        return self.where if self.kind == "rtsp" else f"{self.kind}:{self.where}"


@dataclass(frozen=True)
class Opening:
    """How the library opens a source."""

    file: str
    format: str | None
    options: Mapping[str, str]


@dataclass(frozen=True)
class Seen:
    """A picture, and when it came: ticks since the camera was switched on."""

    ticks: int
    frame: av.VideoFrame


@dataclass(frozen=True)
class Heard:
    """Sound, float32 at 48 kHz, mono, and when it began."""

    ticks: int
    samples: NDArray[np.float32]


def parse_source(text: str, *, input_format: str = "") -> Source:
    """Read a source as a person writes it.

    Raises:
        SourceError: of no kind that is known.
    """
    if text.startswith(("rtsp://", "rtsps://")):
        return Source("rtsp", text)
    kind, colon, where = text.partition(":")
    if colon and where:
        if kind == "v4l2":
            return Source("v4l2", where, input_format)
        if kind == "alsa":
            return Source("alsa", where)
        if kind == "file":
            return Source("file", where)
    raise SourceError(
        text, "expected v4l2:DEVICE, alsa:DEVICE, file:PATH or an address that begins with rtsp://"
    )


def opening_of(source: Source, settings: CameraSettings) -> Opening:
    """Return how to open a source for these settings.

    Source: FFmpeg, "Input Devices" (video4linux2, alsa) and "Protocols" (rtsp).
    """
    if source.kind == "v4l2":
        options = {
            "video_size": f"{settings.width_px}x{settings.height_px}",
            "framerate": str(settings.frame_rate),
        }
        if source.input_format:
            options["input_format"] = source.input_format
        return Opening(source.where, "v4l2", options)
    if source.kind == "alsa":
        return Opening(source.where, "alsa", {"channels": "1", "sample_rate": str(SOUND_RATE_HZ)})
    if source.kind == "rtsp":
        return Opening(source.where, None, {"rtsp_transport": "tcp"})
    return Opening(source.where, None, {})


class Anchor:
    """Tells when something happened by the camera's clock, from a source's own times.

    A source's times are steadier than the moments at which its pictures arrive, so they count for as long as the two
    agree; where they part, as when a source jumps or begins anew, the moment of arrival counts.
    """

    def __init__(self) -> None:
        self._offset: int | None = None

    def ticks(self, own_s: Fraction | None, arrived_ticks: int) -> int:
        """Return when something happened.

        Args:
            own_s: by the source's clock, seconds; None where it does not say.
            arrived_ticks: when it arrived.
        """
        if own_s is None:
            return arrived_ticks
        own_ticks = int(own_s * TICKS_A_SECOND)
        if self._offset is None or abs(own_ticks + self._offset - arrived_ticks) > _DRIFT_TICKS:
            self._offset = arrived_ticks - own_ticks
        return own_ticks + self._offset


def has_sound(source: Source, settings: CameraSettings) -> bool:
    """Say whether a source has sound; only a device need not be asked.

    Raises:
        SourceError: it cannot be opened.
    """
    if source.kind in ("v4l2", "alsa"):
        return source.kind == "alsa"
    with _open(source, settings) as opened:
        return bool(opened.streams.audio)


def read_source(
    source: Source,
    settings: CameraSettings,
    clock: Clock,
    *,
    put: Callable[[Seen | Heard], None],
    stopping: threading.Event,
    say: Callable[[str], None],
) -> None:
    """Read a source until it ends or `stopping` is set; one that fails is opened again, once a second.

    A file is read as fast as it plays. Run it in a thread; what it has read goes to `put`.

    Args:
        source: what to read.
        settings: what picture to ask for.
        clock: the camera's.
        put: takes pictures and sound, in order.
        stopping: ends it.
        say: takes a sentence for the person who runs the camera.
    """
    said = ""
    while not stopping.is_set():
        try:
            with _open(source, settings) as opened:
                for each in _read(opened, source, clock, stopping):
                    put(each)
            problem = "" if source.kind == "file" else "it ended"
        except (SourceError, av.error.FFmpegError, OSError) as error:
            problem = str(error)
        if source.kind == "file":
            if problem:
                say(problem)
            return
        if problem != said:
            say(f"{source.text}: {problem}; trying again")
            said = problem
        stopping.wait(_RETRY_S)


def _open(source: Source, settings: CameraSettings) -> av.container.InputContainer:
    how = opening_of(source, settings)
    try:
        return av.open(
            how.file, format=how.format, options=dict(how.options), timeout=(_OPEN_TIMEOUT_S, _OPEN_TIMEOUT_S)
        )
    except (av.error.FFmpegError, OSError) as error:
        raise SourceError(source.text, f"cannot be opened: {error}") from error


def _read(
    opened: av.container.InputContainer, source: Source, clock: Clock, stopping: threading.Event
) -> Iterator[Seen | Heard]:
    streams = [*opened.streams.video[:1], *opened.streams.audio[:1]]
    to_mono = av.AudioResampler(format="fltp", layout="mono", rate=SOUND_RATE_HZ)
    times = _PlayedFile(clock) if source.kind == "file" else Anchor()
    for packet in opened.demux(streams):
        for frame in packet.decode():
            if not isinstance(frame, av.VideoFrame | av.AudioFrame):
                continue
            own_s = None if frame.pts is None or frame.time_base is None else frame.pts * frame.time_base
            ticks = times.ticks(own_s, clock.ticks())
            stopping.wait(max(0.0, (ticks - clock.ticks()) / TICKS_A_SECOND) if source.kind == "file" else 0)
            if stopping.is_set():
                return
            if isinstance(frame, av.VideoFrame):
                yield Seen(ticks, frame)
                continue
            frame.pts = None  # the resampler would take a gap for a mistake
            for part in to_mono.resample(frame):
                yield Heard(ticks, part.to_ndarray()[0])


class _PlayedFile:
    """Times of a file that begins to play now."""

    def __init__(self, clock: Clock) -> None:
        self._began_ticks = clock.ticks()
        self._first_s: Fraction | None = None

    def ticks(self, own_s: Fraction | None, arrived_ticks: int) -> int:
        """Return when something is to happen."""
        if own_s is None:
            return arrived_ticks
        self._first_s = own_s if self._first_s is None else self._first_s
        return self._began_ticks + int((own_s - self._first_s) * TICKS_A_SECOND)

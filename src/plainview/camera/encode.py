"""Encode pictures and sound, all the time, into fragments that can be kept or forgotten.

H.264 without pictures that look ahead, so that a fragment can end anywhere; AAC; the same bytes for the same input.
"""

from __future__ import annotations

import io
from collections import deque
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, Protocol

import av
import numpy as np

from plainview.camera.fragments import (
    SOUND_FRAME_SAMPLES,
    SOUND_RATE_HZ,
    TICKS_A_MS,
    TICKS_A_SECOND,
    MediaFragment,
    Picture,
    samples_at,
    with_lengths,
)

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from plainview.formats.camera_orders import CameraSettings

# Sound that is later than this is not waited for: silence takes its place.
_SOUND_WAIT_TICKS: Final = TICKS_A_SECOND
# A sound card's clock is not the camera's: up to here their difference is let be.
_SOUND_DRIFT_SAMPLES: Final = 2 * SOUND_FRAME_SAMPLES
# Ten seconds: sound without any picture is kept for as long as a recording waits for the picture.
_MOST_SOUNDS: Final = 10 * SOUND_RATE_HZ // SOUND_FRAME_SAMPLES
_SOUND_BIT_RATE_BPS: Final = 64_000
# A picture that comes later than this after the one before it begins a new fragment, and the time between is a gap.
_GAP_TICKS: Final = TICKS_A_SECOND
_CUT_TO_INIT: Final = {"movflags": "empty_moov+default_base_moof+frag_keyframe", "fflags": "+bitexact"}


@dataclass(frozen=True)
class Shape:
    """What is encoded.

    Attributes:
        width_px, height_px, frame_rate, bit_rate_bps: of the picture.
        fragment_ms: after how long a fragment ends.
        has_sound: whether there is a microphone.
        preset: of x264; ultrafast costs the least time, and the most bits for the same picture.
        crf: of x264, where the picture's quality is to be held instead of its bit rate; None holds the rate.
    """

    width_px: int
    height_px: int
    frame_rate: Fraction
    bit_rate_bps: int
    fragment_ms: int
    has_sound: bool = True
    preset: str = "ultrafast"
    crf: int | None = None


class Encoder(Protocol):
    """What the recorder asks of an encoder; see MediaEncoder. Times are ticks since the camera was switched on."""

    @property
    def settled_ticks(self) -> int:
        """Before this, every fragment has been taken."""
        ...

    @property
    def pending_ticks(self) -> int | None:
        """When the earliest fragment that has not been taken began; None where there is none."""
        ...

    def show(self, ticks: int, frame: Any) -> None:
        """Take a picture."""
        ...

    def hear(self, ticks: int, samples: NDArray[np.float32]) -> None:
        """Take sound."""
        ...

    def cut(self, ticks: int) -> None:
        """Let the first picture at or after a moment begin a fragment."""
        ...

    def pause(self) -> None:
        """End the fragment that is being made; nothing is waited for."""
        ...

    def set_sound(self, ticks: int, sound: str) -> None:
        """Say what sound is from a moment on: "on", or silence because it is "off" or "muted"."""
        ...

    def take(self) -> list[MediaFragment]:
        """Return the fragments that are complete, each once, in order."""
        ...

    def init_segment(self, started_at: datetime, title: str) -> bytes:
        """Return what stands in front of a recording's first fragment."""
        ...


def shape_of(settings: CameraSettings, *, has_sound: bool, preset: str = "ultrafast") -> Shape:
    """Return the shape that a camera's settings ask for."""
    return Shape(
        width_px=settings.width_px,
        height_px=settings.height_px,
        frame_rate=Fraction(settings.frame_rate),
        bit_rate_bps=settings.bit_rate_bps,
        fragment_ms=settings.fragment_ms,
        has_sound=has_sound,
        preset=preset,
    )


class MediaEncoder:
    """Encodes with libx264 and FFmpeg's AAC; give it pictures and sound in the order of their times.

    A fragment ends when the next one's first picture comes, and is handed out once its sound is there too. The last
    picture of all, and the last before a gap, is taken to last as long as its rate says.
    """

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._source = av.open(io.BytesIO(), "w", format="mp4", options=dict(_CUT_TO_INIT))
        self._video = _video_stream(self._source, shape)
        self._audio = _audio_stream(self._source) if shape.has_sound else None
        self._source.start_encoding()
        self._frame_ticks = round(TICKS_A_SECOND / shape.frame_rate)
        self._pictures: list[tuple[int, bytes, bool]] = []
        self._cut_at: int | None = None
        self._waiting: deque[MediaFragment] = deque()
        self._ready: list[MediaFragment] = []
        self._settled = 0
        self._sound = _SoundTrack(self._audio) if self._audio is not None else None
        self._kind = "off" if shape.has_sound else "absent"
        self._open_kind = self._kind
        self._next_kind: str | None = None

    @property
    def settled_ticks(self) -> int:
        """Before this, every fragment has been taken."""
        return self._settled

    @property
    def pending_ticks(self) -> int | None:
        """When the earliest fragment that has not been taken began; None where there is none."""
        if self._waiting:
            return self._waiting[0].start_ticks
        return self._pictures[0][0] if self._pictures else None

    def show(self, ticks: int, frame: Any) -> None:
        """Take a picture.

        Args:
            ticks: when it was taken; later than the one before.
            frame: an av.VideoFrame, or uint8 [height, width, 3] RGB.
        """
        if self._pictures and ticks <= self._pictures[-1][0]:
            return  # a device that gives two pictures at once
        if self._pictures and ticks - self._pictures[-1][0] > _GAP_TICKS:
            self.pause()
        is_cut = self._cut_at is not None and ticks >= self._cut_at
        is_key = not self._pictures or is_cut or self._is_full(ticks)
        if is_key:
            self._end_fragment(ticks)
            self._begin_fragment(ticks, is_cut=is_cut)
        for packet in self._video.encode(self._prepared(ticks, frame, is_key=is_key)):
            self._pictures.append((ticks, with_lengths(bytes(packet)), is_key))
        self._settle(ticks)

    def hear(self, ticks: int, samples: NDArray[np.float32]) -> None:
        """Take sound.

        Args:
            ticks: when it begins.
            samples: float32 [samples] at SOUND_RATE_HZ, -1 to 1, mono.
        """
        if self._sound is not None:
            self._sound.add(samples_at(ticks), samples)
            self._settle(None)

    def cut(self, ticks: int) -> None:
        """Let the first picture at or after a moment begin a fragment."""
        if self._cut_at is None or ticks < self._cut_at:
            self._cut_at = ticks

    def pause(self) -> None:
        """End the fragment that is being made; nothing is waited for."""
        if self._pictures:
            self._end_fragment(self._pictures[-1][0] + self._frame_ticks)
        self._switch(self._settled)
        self._cut_at = None
        while self._waiting:
            self._hand_out(self._waiting.popleft())

    def set_sound(self, ticks: int, sound: str) -> None:
        """Say what sound is from a moment on; a fragment begins there.

        Silence begins at the moment itself, sound with the fragment: none is in a fragment that says it has none.
        """
        if self._sound is None:
            return
        if sound != "on":
            self._sound.gate(samples_at(ticks), is_open=False)
        self._next_kind = sound
        self.cut(ticks)
        if not self._pictures:
            self._switch(ticks)

    def take(self) -> list[MediaFragment]:
        """Return the fragments that are complete, each once, in order."""
        taken, self._ready = self._ready, []
        return taken

    def init_segment(self, started_at: datetime, title: str) -> bytes:
        """Return what stands in front of a recording's first fragment.

        Args:
            started_at: of its first picture, by the camera's clock; aware UTC. The tag "date" has the milliseconds.
            title: the camera's serial number.
        """
        target = io.BytesIO()
        output = av.open(target, "w", format="mp4", options=dict(_CUT_TO_INIT))
        output.metadata["creation_time"] = started_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        output.metadata["date"] = started_at.isoformat(timespec="milliseconds")
        output.metadata["title"] = title
        output.add_stream_from_template(self._video)
        if self._audio is not None:
            output.add_stream_from_template(self._audio)
        output.start_encoding()
        init = target.getvalue()
        output.close()
        return init

    def _is_full(self, ticks: int) -> bool:
        # Half a picture early rather than late: a fragment lasts what it should at any rate.
        began = self._pictures[0][0]
        return ticks - began + self._frame_ticks // 2 >= self._shape.fragment_ms * TICKS_A_MS

    def _prepared(self, ticks: int, frame: Any, *, is_key: bool) -> av.VideoFrame:
        if isinstance(frame, np.ndarray):
            frame = av.VideoFrame.from_ndarray(frame, format="rgb24")
        frame = frame.reformat(self._shape.width_px, self._shape.height_px, "yuv420p")
        frame.pts, frame.time_base = ticks, Fraction(1, TICKS_A_SECOND)
        frame.pict_type = av.video.frame.PictureType.I if is_key else av.video.frame.PictureType.NONE
        return frame  # type: ignore[no-any-return]  # what a device gives has no type here

    def _begin_fragment(self, ticks: int, *, is_cut: bool) -> None:
        if is_cut:
            self._cut_at = None
            self._switch(ticks)
        self._open_kind = self._kind

    def _switch(self, ticks: int) -> None:
        """Let sound be what it was asked to be."""
        if self._next_kind is not None and self._sound is not None:
            self._kind, self._next_kind = self._next_kind, None
            self._sound.gate(samples_at(ticks), is_open=self._kind == "on")

    def _end_fragment(self, end_ticks: int) -> None:
        if not self._pictures:
            return
        ends = [*(at for at, _, _ in self._pictures[1:]), end_ticks]
        pictures = tuple(
            Picture(data, end - at, is_key)
            for (at, data, is_key), end in zip(self._pictures, ends, strict=True)
        )
        self._waiting.append(MediaFragment(self._pictures[0][0], pictures, 0, (), self._open_kind))
        self._pictures = []

    def _settle(self, ticks: int | None) -> None:
        """Hand out the fragments whose sound is there."""
        if self._sound is not None and ticks is not None:
            self._sound.fill(samples_at(ticks - _SOUND_WAIT_TICKS))
        while self._waiting and self._is_heard(self._waiting[0].end_ticks):
            self._hand_out(self._waiting.popleft())

    def _is_heard(self, end_ticks: int) -> bool:
        return self._sound is None or self._sound.encoded_to >= samples_at(end_ticks)

    def _hand_out(self, fragment: MediaFragment) -> None:
        if self._sound is not None:
            start, sounds = self._sound.take(samples_at(fragment.end_ticks))
            fragment = replace(fragment, sound_start=start, sounds=sounds)
        self._ready.append(fragment)
        self._settled = fragment.end_ticks


class _SoundTrack:
    """Sound without holes, as AAC: what is missing is silence, what comes twice is dropped."""

    def __init__(self, stream: av.AudioStream) -> None:
        self._stream = stream
        self._next: int | None = None  # the sample that comes next
        self._origin = 0
        self._rest = np.zeros(0, np.float32)
        self._sent = 0
        self._packets: deque[tuple[int, bytes]] = deque(maxlen=_MOST_SOUNDS)
        self._gates: list[tuple[int, bool]] = [(0, False)]
        self.encoded_to = -1

    def gate(self, sample: int, *, is_open: bool) -> None:
        """Let sound through from a sample on, or silence."""
        self._gates = [*(each for each in self._gates if each[0] < sample), (sample, is_open)][-16:]

    def add(self, at: int, samples: NDArray[np.float32]) -> None:
        """Take samples whose first is number `at`."""
        if self._next is None:
            self._next = self._origin = at
        missing = at - self._next
        if missing > _SOUND_DRIFT_SAMPLES:
            self._append(np.zeros(missing, np.float32))
        elif missing < -_SOUND_DRIFT_SAMPLES:
            samples = samples[-missing:]
        self._append(self._gated(samples))

    def fill(self, until: int) -> None:
        """Put silence where sound should have come long ago."""
        if self._next is None:
            self._next = self._origin = until
        if self._next < until:
            self._append(np.zeros(until - self._next, np.float32))

    def take(self, until: int) -> tuple[int, tuple[bytes, ...]]:
        """Return the frames that begin before a sample, and where the first of them begins."""
        taken = []
        start = self._packets[0][0] if self._packets else 0
        while self._packets and self._packets[0][0] < until:
            taken.append(self._packets.popleft()[1])
        return start, tuple(taken)

    def _gated(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return samples with silence wherever the gate is shut."""
        assert self._next is not None
        heard = np.zeros_like(samples)
        ends = [at for at, _ in self._gates[1:]] + [self._next + len(samples)]
        for (at, is_open), end in zip(self._gates, ends, strict=True):
            if is_open:
                part = slice(max(0, at - self._next), max(0, end - self._next))
                heard[part] = samples[part]
        return heard

    def _append(self, samples: NDArray[np.float32]) -> None:
        assert self._next is not None
        self._next += len(samples)
        self._rest = np.concatenate([self._rest, samples])
        while len(self._rest) >= SOUND_FRAME_SAMPLES:
            part, self._rest = self._rest[:SOUND_FRAME_SAMPLES], self._rest[SOUND_FRAME_SAMPLES:]
            self._encode(part)

    def _encode(self, samples: NDArray[np.float32]) -> None:
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE_HZ, self._sent, Fraction(1, SOUND_RATE_HZ)
        self._sent += len(samples)
        for packet in self._stream.encode(frame):
            assert packet.pts is not None
            start = self._origin + packet.pts
            self.encoded_to = start + SOUND_FRAME_SAMPLES
            if packet.pts >= 0:  # before it lies only what the encoder needs to begin
                self._packets.append((start, bytes(packet)))


def _video_stream(output: av.container.OutputContainer, shape: Shape) -> av.VideoStream:
    stream = output.add_stream("libx264", rate=shape.frame_rate)
    stream.width, stream.height, stream.pix_fmt = shape.width_px, shape.height_px, "yuv420p"
    # Every key picture is asked for; the longest fragment of the fastest picture has fewer pictures than this.
    stream.gop_size = 600
    stream.options = {
        "preset": shape.preset,
        "tune": "zerolatency",
        "threads": "1",
        "bf": "0",
        "sc_threshold": "0",
        "forced-idr": "1",
    }
    if shape.crf is None:
        stream.bit_rate = shape.bit_rate_bps
        stream.options |= {
            "maxrate": str(shape.bit_rate_bps * 3 // 2),
            "bufsize": str(shape.bit_rate_bps * 2),
        }
    else:
        stream.options |= {"crf": str(shape.crf)}
    context = stream.codec_context
    context.time_base = stream.time_base = Fraction(1, TICKS_A_SECOND)
    context.thread_count = 1  # more threads give other bytes
    context.flags |= av.codec.context.Flags.bitexact
    return stream


def _audio_stream(output: av.container.OutputContainer) -> av.AudioStream:
    stream = output.add_stream("aac", rate=SOUND_RATE_HZ, layout="mono")
    stream.bit_rate = _SOUND_BIT_RATE_BPS
    stream.codec_context.thread_count = 1
    stream.codec_context.flags |= av.codec.context.Flags.bitexact
    return stream

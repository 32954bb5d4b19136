"""Render a short body-worn recording of a night street, the same for the same seed.

What it shows is known to the frame, so that a demonstration can say what should be found. The
people, the street and the department are drawn; nobody real is in it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import math
import pathlib
import random
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from plainview.demo.figure import Pose, draw_figure
from plainview.demo.sound import RATE_HZ, night_sound
from plainview.demo.street import CAR_AT, FOCAL_PX, HEIGHT_PX, WIDTH_PX, Street, draw_street, project

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from numpy.typing import NDArray

FRAME_WIDTH_PX: Final = 640
FRAME_HEIGHT_PX: Final = 360
FRAME_RATE: Final = 15
CAMERA_NAME: Final = "REYES  BWC-0417"
ZONE_NAME: Final = "America/New_York"
_UTC_OFFSET: Final = dt.timedelta(hours=-4)  # daylight time in that zone on this night
STARTED_AT: Final = dt.datetime(2026, 3, 15, 2, 31, 4, tzinfo=dt.UTC)

_WALK_FROM_S, _WALK_TO_S = 0.6, 6.8
_HANDS_FROM_S, _HANDS_TO_S = 7.6, 8.5
_STRIDES_A_S: Final = 0.9  # two steps each
_BEEPS_S: Final = (2.3, 10.4)
_WHOOPS_S: Final = (0.35, 0.8)
_AUDIO_FRAME: Final = 1024


@dataclasses.dataclass(frozen=True)
class SceneEvent:
    """Something that happens, in ms from the first picture."""

    at_ms: int
    what: str


@dataclasses.dataclass(frozen=True)
class SceneTruth:
    """What the recording really shows.

    Attributes:
        started_at: what the burned-in clock and the file say, aware UTC; it is right.
        zone: IANA name of the place's zone.
        events: those that fall inside the length, in order.
    """

    seed: int
    started_at: dt.datetime
    zone: str
    camera: str
    duration_ms: int
    frame_count: int
    frame_rate: int
    width_px: int
    height_px: int
    events: tuple[SceneEvent, ...]


def render_scene(
    target: pathlib.Path | BinaryIO,
    *,
    seed: int,
    seconds: float = 14.0,
    progress: Callable[[float], None] | None = None,
) -> SceneTruth:
    """Render an MP4 (H.264, AAC, index at the front).

    Args:
        target: a path to write, or a writable binary file.
        seed: the same seed and length give the same bytes on the same build of the libraries.
        seconds: length, at least one frame; rounded to whole frames.
        progress: called with the share that is done, rising from above 0 to 1.

    Returns:
        What the recording shows.
    """
    frame_count = max(1, round(seconds * FRAME_RATE))
    data = _encode(_Scene(seed), frame_count, progress or (lambda _: None))
    if isinstance(target, pathlib.Path):
        target.write_bytes(data)
    else:
        target.write(data)
    duration_ms = frame_count * 1000 // FRAME_RATE
    return SceneTruth(
        seed=seed,
        started_at=STARTED_AT,
        zone=ZONE_NAME,
        camera=CAMERA_NAME,
        duration_ms=duration_ms,
        frame_count=frame_count,
        frame_rate=FRAME_RATE,
        width_px=FRAME_WIDTH_PX,
        height_px=FRAME_HEIGHT_PX,
        events=tuple(event for event in _events() if event.at_ms < duration_ms),
    )


def _events() -> list[SceneEvent]:
    told = [(at, "siren") for at in _WHOOPS_S] + [(at, "radio") for at in _BEEPS_S]
    told += [
        (_WALK_FROM_S, "a man walks towards the camera"),
        (_WALK_TO_S, "the man stops"),
        (_HANDS_TO_S, "the man's hands are up"),
    ]
    return [SceneEvent(round(at * 1000), what) for at, what in sorted(told)]


class _Scene:
    """Draws the picture of any moment."""

    def __init__(self, seed: int) -> None:
        rng = random.Random(seed)  # noqa: S311 a drawing, not a secret
        self._street: Street = draw_street(rng)
        self._sway = [(rng.uniform(0.13, 0.9), rng.uniform(0, 6.3)) for _ in range(6)]
        self.noise = np.random.default_rng(rng.getrandbits(32))
        tall, wide = FRAME_HEIGHT_PX + 64, FRAME_WIDTH_PX + 64
        self._grain = (
            self.noise.normal(0, 1, (tall, wide, 1)) * 3.6 + self.noise.normal(0, 1.0, (tall, wide, 3))
        ).astype(np.int16)
        self._torch = _torch_beam()
        self._to_screen = _tone_table()
        self._clock: tuple[str, NDArray[np.float32], NDArray[np.float32]] | None = None

    def picture(self, at_s: float) -> NDArray[np.uint8]:
        """Give the frame at a time, uint8 [360, 640, 3], RGB."""
        light = self._light(at_s)
        screen = self._to_screen[np.minimum(light * 1023.0, 4092.0).astype(np.uint16)]
        frame = self._hand_held(screen, at_s)
        x, y = (int(v) for v in self.noise.integers(0, 64, 2))
        grain = self._grain[y : y + FRAME_HEIGHT_PX, x : x + FRAME_WIDTH_PX]
        return self._burn_in((frame + grain).clip(0, 255).astype(np.uint8), at_s)

    def _light(self, at_s: float) -> NDArray[np.float32]:
        red, blue = _flashes(at_s)
        x_m, z_m = _place(at_s)
        aim_x, aim_y = self._aim(at_s, x_m, z_m)
        beam = self._beam_at(aim_x, aim_y)
        light = self._street.surface * beam
        light += self._street.still
        light += self._street.red * np.float32(red)
        light += self._street.blue * np.float32(blue)
        self._man(light, at_s, (x_m, z_m), (red, blue))
        return light

    def _man(
        self,
        light: NDArray[np.float32],
        at_s: float,
        place: tuple[float, float],
        flashes: tuple[float, float],
    ) -> None:
        x_m, z_m = place
        red, blue = flashes
        on_him = _eased(at_s, 2.4, 4.0) * min(1.0, (9.0 / z_m) ** 1.5)
        lamp, torch = np.array([0.30, 0.21, 0.13]), np.array([1.25, 1.2, 1.1])
        front = lamp + torch * on_him + np.array([0.16 * red, 0.02, 0.2 * blue])
        beside = 0.5 + 0.5 * math.exp(-((z_m - CAR_AT[1]) ** 2) / 12)
        rim = np.array([0.75 * red + 0.05 * blue, 0.05 * red + 0.16 * blue, 0.08 * red + 0.9 * blue]) * beside
        stride = 2 * math.pi * _STRIDES_A_S * min(at_s, _WALK_TO_S)
        pose = Pose(
            stride=stride,
            walking=_eased(at_s, _WALK_FROM_S - 0.5, _WALK_FROM_S)
            * (1 - _eased(at_s, _WALK_TO_S - 0.4, _WALK_TO_S)),
            hands_up=_eased(at_s, _HANDS_FROM_S, _HANDS_TO_S),
        )
        draw_figure(
            light, x_m=x_m, z_m=z_m, pose=pose, light=front.astype(np.float32), rim=rim.astype(np.float32)
        )

    def _aim(self, at_s: float, x_m: float, z_m: float) -> tuple[float, float]:
        """Point the torch: across the road first, then at him."""
        found = _eased(at_s, 2.2, 3.6)
        chest_x, chest_y = project((x_m, 0.95, z_m))
        search_x, search_y = WIDTH_PX * (0.62 - 0.1 * at_s / 2.2), HEIGHT_PX * 0.62
        x = search_x + (chest_x - search_x) * found + 5 * self._wander(at_s, 2)
        y = search_y + (chest_y - search_y) * found + 4 * self._wander(at_s, 3)
        return x, y

    def _beam_at(self, x: float, y: float) -> NDArray[np.float32]:
        left = min(max(round(WIDTH_PX - x), 0), WIDTH_PX)
        top = min(max(round(HEIGHT_PX - y), 0), HEIGHT_PX)
        return self._torch[top : top + HEIGHT_PX, left : left + WIDTH_PX]

    def _wander(self, at_s: float, which: int) -> float:
        (hz, phase), (other_hz, other_phase) = self._sway[which], self._sway[(which + 2) % 6]
        return 0.65 * math.sin(6.283 * hz * at_s + phase) + 0.35 * math.sin(
            6.283 * other_hz * at_s + other_phase
        )

    def _hand_held(self, screen: NDArray[np.uint8], at_s: float) -> NDArray[np.int16]:
        """Sway, bob with the wearer's steps, and step a little closer."""
        steps = 1 - _eased(at_s, 5.0, 6.2)
        bob = math.sin(2 * math.pi * 1.7 * at_s) * 2.2 * steps
        zoom = 0.965 - 0.05 * _eased(at_s, 0.0, 6.2)
        turn = math.radians(0.7 * self._wander(at_s, 4) + 0.25 * bob / 2.2)
        centre_x = WIDTH_PX / 2 + 11 * self._wander(at_s, 0)
        centre_y = HEIGHT_PX / 2 + 6 * self._wander(at_s, 1) + bob
        a, b = math.cos(turn) * zoom, math.sin(turn) * zoom
        half_x, half_y = FRAME_WIDTH_PX / 2, FRAME_HEIGHT_PX / 2
        matrix = (a, b, centre_x - a * half_x - b * half_y, -b, a, centre_y + b * half_x - a * half_y)
        image = Image.fromarray(screen).transform(
            (FRAME_WIDTH_PX, FRAME_HEIGHT_PX), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
        )
        return np.asarray(image).astype(np.int16)

    def _burn_in(self, frame: NDArray[np.uint8], at_s: float) -> NDArray[np.uint8]:
        local = STARTED_AT + _UTC_OFFSET + dt.timedelta(seconds=int(at_s))
        text = local.strftime("%Y-%m-%d  %H:%M:%S") + "  -04:00"
        if self._clock is None or self._clock[0] != text:
            self._clock = (text, *_caption(text))
        _, keep, ink = self._clock
        band = frame[: keep.shape[0]]
        frame[: keep.shape[0]] = (band * keep + ink).astype(np.uint8)
        return frame


def _place(at_s: float) -> tuple[float, float]:
    """Say where the man is: x and z in metres."""
    share = min(max((at_s - _WALK_FROM_S) / (_WALK_TO_S - _WALK_FROM_S), 0.0), 1.0)
    share = share * (2 - share) * 0.35 + share * 0.65
    return -2.5 + 1.65 * share, 14.5 - 8.9 * share


def _eased(at_s: float, from_s: float, to_s: float) -> float:
    share = min(max((at_s - from_s) / (to_s - from_s), 0.0), 1.0)
    return share * share * (3 - 2 * share)


def _flashes(at_s: float) -> tuple[float, float]:
    """Say how bright the red and the blue lamp are: each flashes twice, then the other."""
    beat = at_s * 1.9 % 1.0
    double = 0.25 + 0.75 * abs(math.sin(beat * 4 * math.pi)) ** 0.7
    return (double, 0.06) if beat < 0.5 else (0.06, double)


def _torch_beam() -> NDArray[np.float32]:
    """Give the beam with its middle in the middle, twice the picture's size, [.., .., 1]."""
    dx = (np.arange(2 * WIDTH_PX, dtype=np.float32) - WIDTH_PX)[None, :] / FOCAL_PX
    dy = (np.arange(2 * HEIGHT_PX, dtype=np.float32) - HEIGHT_PX)[:, None] / FOCAL_PX
    angle = np.sqrt(dx * dx + dy * dy * 1.15)
    rim = 1 / (1 + np.exp(((angle - 0.23) / 0.016).clip(-30, 30)))
    beam = 1.1 * rim + 1.5 * np.exp(-((angle / 0.12) ** 2)) + 0.18 * np.exp(-((angle / 0.45) ** 2))
    return np.asarray(beam[:, :, None], dtype=np.float32)


def _tone_table() -> NDArray[np.uint8]:
    """Map linear light in steps of 1/1023 to the screen, with a shoulder instead of a cut."""
    light = np.arange(4093) / 1023
    return np.round((1 - np.exp(-1.75 * light)) ** (1 / 2.2) * 255).clip(0, 255).astype(np.uint8)


def _caption(clock: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw the top band: what to keep of the picture, 0 to 1, and the ink to add, 0 to 255."""
    size = (FRAME_WIDTH_PX, 34)
    ink, shade = Image.new("L", size), Image.new("L", size)
    font, small = ImageFont.load_default(14), ImageFont.load_default(12)
    for draw, dx in ((ImageDraw.Draw(shade), 1), (ImageDraw.Draw(ink), 0)):
        draw.text((14 + dx, 17 + dx), clock, fill=255, font=font, anchor="lm")
        draw.text((FRAME_WIDTH_PX - 14 + dx, 17 + dx), CAMERA_NAME, fill=255, font=font, anchor="rm")
        draw.text((FRAME_WIDTH_PX / 2 + 40 + dx, 17 + dx), "SAMPLE", fill=210, font=small, anchor="mm")
    inked = np.asarray(ink, dtype=np.float32)[:, :, None] * np.float32(0.94 / 255)
    shaded = np.asarray(shade, dtype=np.float32)[:, :, None] * np.float32(0.7 / 255)
    return (1 - inked) * (1 - shaded), inked * np.float32(240)


# Encoding.


def _encode(scene: _Scene, frame_count: int, progress: Callable[[float], None]) -> bytes:
    target = io.BytesIO()

    def read_back(url: str, flags: int, options: dict[str, str]) -> BinaryIO:
        del url, flags, options  # to move the index to the front, the muxer reads what it wrote
        return io.BytesIO(target.getvalue())

    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(target, "w", format="mp4", options=options, io_open=read_back) as output:
        output.metadata["creation_time"] = STARTED_AT.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        video, audio = _video_stream(output), _audio_stream(output)
        samples = _soundtrack(scene, frame_count / FRAME_RATE)
        sent = 0
        for i in range(frame_count):
            frame = av.VideoFrame.from_ndarray(scene.picture(i / FRAME_RATE), format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, FRAME_RATE)
            output.mux(video.encode(frame))
            sent = _send_sound(output, audio, samples, sent, until=(i + 1) * RATE_HZ // FRAME_RATE)
            progress((i + 1) / frame_count)
        _send_sound(output, audio, samples, sent, until=len(samples) + _AUDIO_FRAME)
        output.mux(video.encode(None))
        output.mux(audio.encode(None))
    return target.getvalue()


def _video_stream(output: av.container.OutputContainer) -> av.VideoStream:
    stream = output.add_stream("libx264", rate=FRAME_RATE)
    stream.width, stream.height, stream.pix_fmt = FRAME_WIDTH_PX, FRAME_HEIGHT_PX, "yuv420p"
    stream.gop_size = FRAME_RATE
    stream.options = {"preset": "veryfast", "crf": "22", "threads": "1", "bf": "0"}
    stream.codec_context.thread_count = 1  # more threads give other bytes
    stream.codec_context.flags |= av.codec.context.Flags.bitexact
    return stream


def _audio_stream(output: av.container.OutputContainer) -> av.AudioStream:
    stream = output.add_stream("aac", rate=RATE_HZ, layout="mono")
    stream.bit_rate = 96_000
    stream.codec_context.thread_count = 1
    stream.codec_context.flags |= av.codec.context.Flags.bitexact
    return stream


def _soundtrack(scene: _Scene, seconds: float) -> NDArray[np.float32]:
    first, count = _WALK_FROM_S, int((_WALK_TO_S - _WALK_FROM_S) * _STRIDES_A_S * 2)
    his = [first + i / (_STRIDES_A_S * 2) for i in range(count)]
    own = [0.2 + i / 1.7 for i in range(9)]
    return night_sound(
        scene.noise, seconds=seconds, steps_s=sorted(his + own), beeps_s=_BEEPS_S, whoops_s=_WHOOPS_S
    )


def _send_sound(
    output: av.container.OutputContainer,
    stream: av.AudioStream,
    samples: NDArray[np.float32],
    sent: int,
    *,
    until: int,
) -> int:
    while sent + _AUDIO_FRAME <= until and sent < len(samples):
        frame = av.AudioFrame.from_ndarray(
            samples[None, sent : sent + _AUDIO_FRAME], format="fltp", layout="mono"
        )
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, sent, Fraction(1, RATE_HZ)
        output.mux(stream.encode(frame))
        sent += frame.samples
    return sent

"""What the three cameras of the incident saw and heard.

The same seed gives the same pictures and sound on the same build of the libraries, whole or in part.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from plainview.demo import mix
from plainview.demo.film import write_film
from plainview.demo.frame import FRAME_RATE
from plainview.demo.picture import Painter
from plainview.demo.recorded import Session
from plainview.demo.shots import SHOTS, STEPS
from plainview.demo.sound import RATE_HZ
from plainview.demo.stages import stages
from plainview.demo.story import (
    CAMERAS,
    LINES,
    NOISES,
    PEOPLE,
    SHIFT_BEGAN_AT,
    SHIFT_ENDED_AT,
    UTC_OFFSET,
    place,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from plainview.demo.story import Camera

# Those who carry a radio that others can hear.
_RADIOS: Final = ("reyes", "okafor", "car")
# How each came to be started, in the recorder's words.
_TRIGGERS: Final = {"button": "button", "light bar": "light_bar"}
# Okafor marks the search of the ground.
_MARKERS_S: Final = {"okafor": (211.0,)}
_NEAREST_M: Final = {"belt": 0.7, "chest": 0.4, "car": 0.9}
_RUSTLE: Final = {"belt": 0.16, "chest": 0.07, "car": 0.0}


def recorded_by(
    camera: Camera, *, seed: int, progress: Callable[[float], None] | None = None
) -> tuple[Session, Iterator[NDArray[np.uint8]], NDArray[np.float32]]:
    """Give what a camera did, and everything it saw and heard.

    Args:
        camera: which.
        seed: of everything random.
        progress: called with the share that is done.

    Returns:
        The session, with its pictures and sound as record_session takes them.
    """
    off = dt.timedelta(seconds=camera.clock_off_s)
    # A car's camera is switched on with its engine.
    on_at = camera.says_started_at if camera.worn == "car" else SHIFT_BEGAN_AT + off
    session = Session(
        on_at=on_at,
        off_at=SHIFT_ENDED_AT + off,
        first_at=camera.says_started_at,
        pressed_s=camera.media_s(camera.pressed_s),
        seconds=length_s(camera),
        trigger=_TRIGGERS[camera.trigger],
        markers_s=tuple(camera.media_s(at_s) for at_s in _MARKERS_S.get(camera.key, ())),
        worn=camera.worn,
    )
    # One more picture than is recorded: the one that ends the last fragment.
    count = round(length_s(camera) * FRAME_RATE) + 1
    sound = camera_sound(camera, seed=seed, from_s=camera.starts_s, to_s=camera.ends_s)
    return session, _pictures(camera, seed, 0, count, progress), sound


def length_s(camera: Camera) -> float:
    """Give how long its recording is by its own clock."""
    return round(camera.media_s(camera.ends_s) * FRAME_RATE) / FRAME_RATE


def render_camera(
    camera: Camera,
    *,
    seed: int,
    from_s: float | None = None,
    to_s: float | None = None,
    progress: Callable[[float], None] | None = None,
) -> bytes:
    """Render a recording, or a piece of one.

    Args:
        camera: which.
        seed: of everything random.
        from_s: of the story; the whole recording where left out. A piece has the pictures of the whole, the
            story's sounds, and noise of its own; it says when it begins by the camera's clock.
        to_s: of the story.
        progress: called with the share that is done.

    Returns:
        The MP4.
    """
    first = round(camera.media_s(from_s) * FRAME_RATE) if from_s is not None else 0
    last = round((camera.media_s(to_s) if to_s is not None else length_s(camera)) * FRAME_RATE)
    sound = camera_sound(
        camera, seed=seed, from_s=camera.story_s(first / FRAME_RATE), to_s=camera.story_s(last / FRAME_RATE)
    )
    started_at = camera.says_started_at + dt.timedelta(seconds=first / FRAME_RATE)
    return write_film(
        _pictures(camera, seed, first, last, progress), sound, started_at=started_at, title=camera.serial
    )


def painter(camera: Camera, *, seed: int) -> Painter:
    """Give the painter of a camera of the incident."""

    def clock(at_s: float) -> dt.datetime:
        shown = camera.says_started_at + dt.timedelta(seconds=camera.media_s(at_s)) + UTC_OFFSET
        return shown.replace(tzinfo=None)

    number = list(CAMERAS).index(camera.key)
    return Painter(
        lambda at_s: SHOTS[camera.key](at_s, seed=seed),
        stages(seed),
        seed=seed * 16 + number,
        caption=camera.serial,
        clock=clock,
        step=STEPS[camera.key],
    )


def _pictures(
    camera: Camera, seed: int, first: int, last: int, progress: Callable[[float], None] | None
) -> Iterator[NDArray[np.uint8]]:
    painted = painter(camera, seed=seed)
    for number in range(first, last):
        yield painted.picture(camera.story_s(number / FRAME_RATE))
        if progress and (number % FRAME_RATE == 0 or number == last - 1):
            progress((number + 1 - first) / (last - first))


def camera_sound(camera: Camera, *, seed: int, from_s: float, to_s: float) -> NDArray[np.float32]:
    """Give what a camera hears between two moments of the story; digital silence before sound_from_s.

    Returns:
        float32 [samples] at RATE_HZ by the camera's clock, -1 to 1.
    """
    key = "car" if camera.worn == "car" else camera.wearer
    listener = mix.Listener(
        place=lambda at_s: place(key, at_s),
        reach_m=_NEAREST_M[camera.worn],
        starts_s=from_s,
        rate=1 + camera.drift_ppm * 1e-6,
        muffled=_muffled,
        rustle=_RUSTLE[camera.worn],
    )
    heard = mix.sources(
        lines=LINES,
        sounds=NOISES,
        people=PEOPLE,
        radios=_RADIOS,
        place=place,
        seed=seed,
        from_s=from_s,
        to_s=to_s,
    )
    seconds = (to_s - from_s) * listener.rate
    number = list(CAMERAS).index(camera.key)
    sound = mix.hear(listener, heard, seed=seed * 16 + number, seconds=seconds)
    silent = round((camera.sound_from_s - from_s) * listener.rate * RATE_HZ)
    if silent > 0:
        sound[:silent] = 0
    return sound


def _muffled(source: tuple[float, float], listener: tuple[float, float]) -> float:
    """Say what the corner of the alley lets through."""
    return 1.0 if (source[0] > 7.0) == (listener[0] > 7.0) else 0.4

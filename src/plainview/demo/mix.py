"""Let a camera hear: every sound once, from where it is, late by its distance, through that camera's own clock."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import TYPE_CHECKING, Final

import numpy as np

from plainview.demo import noises
from plainview.demo.sound import RATE_HZ
from plainview.demo.speech import say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from plainview.demo.noises import Samples
    from plainview.demo.story import Line, Noise, Person

SOUND_M_S: Final = 343.0
_STEP_S: Final = 0.25
_LOOP: Final = 1 << 18
_BLOCK: Final = 20 * RATE_HZ


@dataclasses.dataclass(frozen=True)
class Source:
    """A sound in the world.

    Attributes:
        at_s: when it begins, of the story.
        samples: at RATE_HZ.
        level: how loud at one metre.
        place: where it is at a time: x, z in metres.
    """

    at_s: float
    samples: Samples
    level: float
    place: Callable[[float], tuple[float, float]]


@dataclasses.dataclass(frozen=True)
class Listener:
    """A microphone.

    Attributes:
        place: where it is at a time. reach_m: how near anything can be to it.
        starts_s: its first sample, of the story. rate: how many of its seconds a true second lasts.
        muffled: how much of a sound comes through from one place to another, 0 to 1.
        rustle: how much its own cloth is heard when its wearer moves.
    """

    place: Callable[[float], tuple[float, float]]
    reach_m: float
    starts_s: float
    rate: float
    muffled: Callable[[tuple[float, float], tuple[float, float]], float]
    rustle: float


_LEVELS: Final = {
    "engine": 0.28, "idling": 0.13, "siren": 0.5, "running": 0.35, "walking": 0.2, "keys": 0.3, "door": 0.9,
    "window": 0.5, "brakes": 0.6, "scuffle": 0.3, "scrape": 0.25, "bottle": 0.5, "rain": 0.35, "hum": 0.3,
    "start beeps": 0.12, "stop beeps": 0.12,
}  # fmt: skip
_VOICE: Final = 0.22
_SHOUT: Final = 0.55
_RADIO: Final = 0.09


def speak(line: Line, people: dict[str, Person]) -> tuple[Samples, float]:
    """Give a line's voice and how loud it is; what ends in "!" is shouted."""
    person = people[line.by]
    said = say(line.words, person.voice, person.pitch + (12 if "!" in line.words else 0), person.speed)
    return said.samples.astype(np.float64), _SHOUT if "!" in line.words else _VOICE


def sources(
    *,
    lines: Sequence[Line],
    sounds: Sequence[Noise],
    people: dict[str, Person],
    radios: Sequence[str],
    place: Callable[[str, float], tuple[float, float]],
    seed: int,
    from_s: float,
    to_s: float,
) -> list[Source]:
    """Give every sound that is heard between two times.

    Args:
        lines: what is said; a line by radio comes out of all radios, and out of its speaker's mouth if present.
        sounds: everything else.
        people: by key.
        radios: keys of those who carry one.
        place: where a key is at a time.
        seed: of what is random in them.
        from_s: of the story. Sounds that end before it are left out.
        to_s: of the story. Sounds that begin after it are left out.
    """
    found: list[Source] = []
    for i, line in enumerate(lines):
        if not from_s - 15 < line.at_s < to_s:
            continue
        voice, level = speak(line, people)
        present = line.by in radios or not line.radio
        if present:
            found.append(Source(line.at_s, voice, level, functools.partial(place, line.by)))
        if line.radio:
            aired = noises.radio_voice(np.random.default_rng((seed, 1, i)), voice.astype(np.float32))
            at_s = line.at_s - noises.RADIO_LEAD_S
            found += [
                Source(at_s, aired, _RADIO, functools.partial(place, key)) for key in radios if key != line.by
            ]
    for i, sound in enumerate(sounds):
        if sound.at_s < to_s and sound.at_s + max(sound.for_s, 3.0) > from_s - 1:
            made = noises.make(sound.kind, np.random.default_rng((seed, 2, i)), sound.for_s)
            found.append(Source(sound.at_s, made, _LEVELS[sound.kind], functools.partial(place, sound.where)))
    return found


def hear(listener: Listener, heard: Sequence[Source], *, seed: int, seconds: float) -> NDArray[np.float32]:
    """Mix what a microphone hears.

    Args:
        listener: the microphone.
        heard: all sounds.
        seed: of its own noise.
        seconds: length, by its own clock.

    Returns:
        float32 [samples] at RATE_HZ, -1 to 1.
    """
    rng = np.random.default_rng((seed, 3))
    hum, hiss, cloth = (
        noises.shaped(rng, _LOOP, low, high, slope)
        for low, high, slope in ((40, 900, 0.9), (500, 9000, 0.2), (150, 2400, 0.7))
    )
    count = round(seconds * RATE_HZ)
    mixed = np.empty(count, dtype=np.float32)
    for first in range(0, count, _BLOCK):  # in blocks: an hour at once would not fit into memory
        size = min(_BLOCK, count - first)
        at = np.arange(first, first + size) % _LOOP
        here = dataclasses.replace(listener, starts_s=listener.starts_s + first / (RATE_HZ * listener.rate))
        block = hum[at] * 0.045 + hiss[at] * 0.004 + cloth[at] * _movement(here, size) * listener.rustle
        for source in heard:
            _add(block, here, source)
        mixed[first : first + size] = np.tanh(block * 1.6)
    return mixed


def _movement(listener: Listener, count: int) -> Samples:
    """Say how fast the wearer moves, 0 to 1, at each sample."""
    knots = np.arange(0, count / RATE_HZ + 1, 0.5)
    places = np.array([listener.place(listener.starts_s + knot / listener.rate) for knot in knots])
    speed = np.linalg.norm(np.diff(places, axis=0, append=places[-1:]), axis=1) / 0.5
    level: Samples = np.interp(
        np.arange(count) / RATE_HZ, knots, np.where(speed > 5.5, 0, speed / 4).clip(0, 1)
    )
    return level


def _add(mix: Samples, listener: Listener, source: Source) -> None:
    """Add one sound: its distance sets how late and how weak it is, sample by sample."""
    long_s = len(source.samples) / RATE_HZ
    knots = np.arange(source.at_s, source.at_s + long_s + 2 * _STEP_S, _STEP_S)
    delay_s, level = _path(listener, source, knots)
    first = (source.at_s + delay_s[0] - listener.starts_s) * listener.rate * RATE_HZ
    last = (source.at_s + long_s + delay_s[-1] - listener.starts_s) * listener.rate * RATE_HZ
    a, b = max(0, math.floor(first)), min(len(mix), math.ceil(last))
    if a >= b:
        return
    at_s = listener.starts_s + np.arange(a, b) / (RATE_HZ * listener.rate)
    late = np.interp(at_s, knots + delay_s, delay_s)
    strength = np.interp(at_s, knots + delay_s, level)
    where = (at_s - late - source.at_s) * RATE_HZ
    whole = np.floor(where).astype(np.int64)
    share = where - whole
    inside = (whole >= 0) & (whole < len(source.samples) - 1)
    whole = whole.clip(0, len(source.samples) - 2)
    sound = source.samples[whole] * (1 - share) + source.samples[whole + 1] * share
    mix[a:b] += sound * strength * inside


def _path(listener: Listener, source: Source, knots: Samples) -> tuple[Samples, Samples]:
    delays, levels = np.empty(len(knots)), np.empty(len(knots))
    for i, knot in enumerate(knots):
        here, there = listener.place(float(knot)), source.place(float(knot))
        metres = max(math.dist(here, there), listener.reach_m)
        delays[i] = metres / SOUND_M_S
        levels[i] = source.level / metres * listener.muffled(there, here)
    return delays, levels

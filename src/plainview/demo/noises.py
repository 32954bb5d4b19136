"""Make the noises of a night shift: one function a kind, float64 [samples] at RATE_HZ, about -1 to 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from plainview.demo.sound import RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Samples = NDArray[np.float64]


def shaped(rng: np.random.Generator, count: int, low_hz: float, high_hz: float, slope: float) -> Samples:
    """Give noise between two frequencies, falling by slope powers of frequency; loudest sample 1."""
    size = 1 << max(10, (count - 1).bit_length())  # a power of two is transformed quickly
    spectrum = np.fft.rfft(rng.normal(0, 1, size))
    hz = np.fft.rfftfreq(size, 1 / RATE_HZ)
    spectrum *= np.where((hz >= low_hz) & (hz <= high_hz), np.maximum(hz, low_hz) ** -slope, 0)
    noise = np.fft.irfft(spectrum, size)[:count]
    return np.asarray(noise / np.abs(noise).max())


def looped(rng: np.random.Generator, count: int, low_hz: float, high_hz: float, slope: float) -> Samples:
    """Give long noise from a piece of 5.5 s that is repeated without a seam."""
    piece = 1 << 18
    if count <= piece:
        return shaped(rng, count, low_hz, high_hz, slope)
    return np.resize(shaped(rng, piece, low_hz, high_hz, slope), count)


def radio_voice(rng: np.random.Generator, voice: NDArray[np.float32]) -> Samples:
    """Put a voice on the air: two notes, band-pass 350 to 3000 Hz, overdriven, squelch at the end."""
    spectrum = np.fft.rfft(voice.astype(np.float64))
    hz = np.fft.rfftfreq(len(voice), 1 / RATE_HZ)
    narrow = np.fft.irfft(spectrum * ((hz > 350) & (hz < 3000)), len(voice))
    driven = np.tanh(narrow / max(1e-9, np.abs(narrow).max()) * 3.2)
    driven = driven * 0.8 + shaped(rng, len(driven), 400, 3200, 0.1) * 0.05
    tail = round(0.22 * RATE_HZ)
    squelch = shaped(rng, tail, 600, 3400, 0.1) * np.linspace(0.5, 0.15, tail)
    return np.concatenate([_note(1046.5, 0.09), np.zeros(1200), driven, squelch])


RADIO_LEAD_S: Final = 0.09 + 1200 / RATE_HZ


def make(kind: str, rng: np.random.Generator, seconds: float) -> Samples:
    """Make one noise.

    Args:
        kind: a key of KINDS.
        rng: for what is random in it.
        seconds: how long, for kinds that have no length of their own.
    """
    return KINDS[kind](rng, seconds)


def _time(seconds: float) -> Samples:
    return np.arange(round(seconds * RATE_HZ)) / RATE_HZ


def _note(hz: float, seconds: float) -> Samples:
    t = _time(seconds)
    return np.asarray(np.sin(2 * np.pi * hz * t) * np.minimum(1, np.minimum(t, seconds - t) / 0.006) * 0.5)


def _beeps(hz: float, count: int) -> Samples:
    gap = np.zeros(round(0.07 * RATE_HZ))
    return np.concatenate([part for _ in range(count) for part in (_note(hz, 0.12), gap)])


def _engine(rng: np.random.Generator, seconds: float) -> Samples:
    """Gunned through the gears, then braking: revolutions as firing frequency."""
    t = _time(seconds)
    knots = np.array([0, 0.8, 2.4, 2.6, 5.0, 5.2, 9, 38, 42, 49, seconds])
    hz = np.interp(t, knots, [30, 72, 150, 92, 165, 105, 138, 142, 96, 42, 28])
    phase = 2 * np.pi * np.cumsum(hz * (1 + 0.01 * np.sin(2 * np.pi * 3.1 * t))) / RATE_HZ
    tone = sum(np.sin(phase * k / 2) / (0.6 + k * 0.5) for k in (1, 2, 3, 4, 6))
    road = looped(rng, len(t), 60, 1400, 0.7) * np.interp(
        t, knots, [0, 0.1, 0.4, 0.4, 0.6, 0.6, 0.8, 0.8, 0.5, 0.1, 0]
    )
    return np.asarray(tone * 0.22 + road * 0.55)


def _idling(rng: np.random.Generator, seconds: float) -> Samples:
    t = _time(min(seconds, 6.0))
    cycles = np.round(27 * t[-1]) / t[-1]  # whole turns, so that the loop has no seam
    phase = 2 * np.pi * cycles * t
    tone = sum(np.sin(phase * k) / k for k in (1, 2, 3, 4, 6)) * (1 + 0.1 * rng.normal(0, 0.1))
    return np.resize(np.asarray(tone * 0.22), round(seconds * RATE_HZ))


def _siren(rng: np.random.Generator, seconds: float) -> Samples:
    del rng
    t = _time(seconds)
    hz = 1000 + 420 * np.sin(2 * np.pi * 0.28 * t - 1.4)
    phase = 2 * np.pi * np.cumsum(hz) / RATE_HZ
    tone = np.sin(phase) + 0.35 * np.sin(2 * phase) + 0.2 * np.sin(3 * phase)
    return np.asarray(tone * 0.4 * np.minimum(1, np.minimum(t, seconds - t) / 0.8))


def _step(rng: np.random.Generator) -> Samples:
    t = _time(0.16)
    thud = shaped(rng, len(t), 60, 600, 0.6) * np.exp(-t * 42)
    scrape = shaped(rng, len(t), 1500, 6000, 0.3) * np.exp(-(((t - 0.03) / 0.02) ** 2)) * 0.25
    return np.asarray((thud + scrape) * 0.6)


def _steps(rng: np.random.Generator, seconds: float, a_second: float) -> Samples:
    total = np.zeros(round(seconds * RATE_HZ))
    for i in range(int(seconds * a_second)):
        step, at = _step(rng), round((i / a_second + rng.uniform(0, 0.03)) * RATE_HZ)
        end = min(len(total), at + len(step))
        total[at:end] += step[: end - at]
    return total


def _keys(rng: np.random.Generator, seconds: float) -> Samples:
    """Jangling: many short bright rings."""
    total = np.zeros(round(seconds * RATE_HZ) + RATE_HZ // 4)
    for _ in range(int(seconds * 26)):
        t = _time(0.12)
        ring = sum(np.sin(2 * np.pi * rng.uniform(2800, 9000) * t) for _ in range(3)) * np.exp(
            -t * rng.uniform(40, 90)
        )
        at = round(rng.uniform(0, seconds) * RATE_HZ)
        total[at : at + len(ring)] += ring * rng.uniform(0.04, 0.22)
    return total


def _door(rng: np.random.Generator, seconds: float) -> Samples:
    del seconds
    t = _time(0.4)
    thud = shaped(rng, len(t), 40, 300, 0.8) * np.exp(-t * 16)
    return np.asarray(thud * 0.9 + shaped(rng, len(t), 900, 4000, 0.3) * np.exp(-t * 70) * 0.35)


def _brakes(rng: np.random.Generator, seconds: float) -> Samples:
    del seconds
    t = _time(1.4)
    squeal = np.sin(2 * np.pi * np.cumsum(1900 - 300 * t + 20 * rng.normal(0, 1)) / RATE_HZ) * 0.12
    return np.asarray((squeal + shaped(rng, len(t), 300, 3000, 0.4) * 0.4) * np.sin(np.pi * t / 1.4))


def _scuffle(rng: np.random.Generator, seconds: float) -> Samples:
    count = round(seconds * RATE_HZ)
    swell = np.abs(np.interp(np.arange(count), np.linspace(0, count, 40), rng.normal(0, 0.7, 40)))
    return np.asarray(looped(rng, count, 120, 2600, 0.6) * swell + _steps(rng, seconds, 2.4) * 0.5)


def _scrape(rng: np.random.Generator, seconds: float) -> Samples:
    count = round(seconds * RATE_HZ)
    return np.asarray(
        shaped(rng, count, 700, 5000, 0.3) * 0.3 * np.abs(np.sin(np.arange(count) / RATE_HZ * 5))
    )


def _bottle(rng: np.random.Generator, seconds: float) -> Samples:
    del seconds
    t = _time(0.7)
    rings = sum(
        np.sin(2 * np.pi * hz * t) * np.exp(-t * fade) for hz, fade in ((2350, 14), (3980, 20), (6120, 30))
    )
    return np.asarray(rings * 0.15 + shaped(rng, len(t), 800, 5000, 0.3) * 0.05 * np.exp(-t * 9))


def _rain(rng: np.random.Generator, seconds: float) -> Samples:
    count = round(seconds * RATE_HZ)
    drops = np.zeros(count)
    for _ in range(int(seconds * 45)):
        t = _time(0.02)
        at = int(rng.integers(0, max(1, count - len(t))))
        drops[at : at + len(t)] += (
            shaped(rng, len(t), 900, 9000, 0.2) * np.exp(-t * 260) * rng.uniform(0.1, 0.5)
        )
    return np.asarray(looped(rng, count, 400, 11000, 0.35) * 0.3 + drops)


def _hum(rng: np.random.Generator, seconds: float) -> Samples:
    t = _time(seconds)
    return np.asarray(
        sum(np.sin(2 * np.pi * 60 * k * t) / k**2 for k in (1, 2, 3, 4)) * 0.05
        + looped(rng, len(t), 80, 500, 0.8) * 0.05
    )


KINDS: Final[dict[str, Callable[[np.random.Generator, float], Samples]]] = {
    "engine": _engine,
    "idling": _idling,
    "siren": _siren,
    "running": lambda rng, seconds: _steps(rng, seconds, 3.0),
    "walking": lambda rng, seconds: _steps(rng, seconds, 1.8),
    "keys": _keys,
    "door": _door,
    "window": _door,
    "brakes": _brakes,
    "scuffle": _scuffle,
    "scrape": _scrape,
    "bottle": _bottle,
    "rain": _rain,
    "hum": _hum,
    "start beeps": lambda _rng, _seconds: _beeps(1568.0, 2),
    "stop beeps": lambda _rng, _seconds: _beeps(988.0, 3),
}

"""Make the sound of a street at night: float arrays in, float arrays out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

RATE_HZ: Final = 48_000


def night_sound(
    rng: np.random.Generator,
    *,
    seconds: float,
    steps_s: Sequence[float],
    beeps_s: Sequence[float],
    whoops_s: Sequence[float],
) -> NDArray[np.float32]:
    """Mix city, engine, footsteps, radio and siren.

    Args:
        rng: for the noise in it.
        seconds: length.
        steps_s: when a foot comes down, from the start.
        beeps_s: when the radio's two notes begin.
        whoops_s: when the siren begins a whoop.

    Returns:
        float32 [samples] at RATE_HZ, -1 to 1.
    """
    count = round(seconds * RATE_HZ)
    mix = _city(rng, count) + _engine(count)
    for at_s in steps_s:
        _add(mix, at_s, _footstep(rng))
    for at_s in beeps_s:
        _add(mix, at_s, _radio(rng))
    for at_s in whoops_s:
        _add(mix, at_s, _whoop())
    return np.tanh(mix * 1.1).astype(np.float32)


def _add(mix: NDArray[np.float64], at_s: float, sound: NDArray[np.float64]) -> None:
    at = round(at_s * RATE_HZ)
    end = min(len(mix), at + len(sound))
    if 0 <= at < end:
        mix[at:end] += sound[: end - at]


def _shaped(
    rng: np.random.Generator, count: int, low_hz: float, high_hz: float, slope: float
) -> NDArray[np.float64]:
    """Give noise between two frequencies, falling by slope powers of frequency; loudest sample 1."""
    spectrum = np.fft.rfft(rng.normal(0, 1, count))
    hz = np.fft.rfftfreq(count, 1 / RATE_HZ)
    spectrum *= np.where((hz >= low_hz) & (hz <= high_hz), np.maximum(hz, low_hz) ** -slope, 0)
    noise = np.fft.irfft(spectrum, count)
    return np.asarray(noise / np.abs(noise).max())


def _city(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    t = np.arange(count) / RATE_HZ
    swell = 0.7 + 0.3 * np.sin(2 * np.pi * 0.11 * t + rng.uniform(0, 6))
    return _shaped(rng, count, 40, 900, 0.9) * 0.16 * swell + _shaped(rng, count, 900, 7000, 0.5) * 0.012


def _engine(count: int) -> NDArray[np.float64]:
    t = np.arange(count) / RATE_HZ
    phase = 2 * np.pi * (27 * t + 0.25 * np.sin(2 * np.pi * 0.7 * t))
    tone = sum(np.sin(phase * k) / k for k in (1, 2, 3, 4, 6))
    return np.asarray(tone * 0.03)


def _footstep(rng: np.random.Generator) -> NDArray[np.float64]:
    count = RATE_HZ // 7
    t = np.arange(count) / RATE_HZ
    thud = _shaped(rng, count, 60, 500, 0.6) * np.exp(-t * 45) * 0.32
    scrape = _shaped(rng, count, 1500, 6000, 0.3) * np.exp(-(((t - 0.03) / 0.02) ** 2)) * 0.07
    return thud + scrape


def _radio(rng: np.random.Generator) -> NDArray[np.float64]:
    """Two notes, then the hiss of an open channel closing."""
    notes = [_note(hz, 0.11) for hz in (1046.5, 1396.9)]
    hiss_count = round(0.28 * RATE_HZ)
    hiss = _shaped(rng, hiss_count, 700, 3400, 0.1) * 0.1 * np.linspace(1, 0.4, hiss_count)
    return np.concatenate(
        [notes[0], np.zeros(round(0.03 * RATE_HZ)), notes[1], np.zeros(round(0.05 * RATE_HZ)), hiss]
    )


def _note(hz: float, seconds: float) -> NDArray[np.float64]:
    count = round(seconds * RATE_HZ)
    t = np.arange(count) / RATE_HZ
    edge = np.minimum(1, np.minimum(t, seconds - t) / 0.006)
    return np.asarray(np.sin(2 * np.pi * hz * t) * edge * 0.2)


def _whoop() -> NDArray[np.float64]:
    count = round(0.55 * RATE_HZ)
    share = np.arange(count) / count
    phase = 2 * np.pi * np.cumsum(520 + 900 * share**1.4) / RATE_HZ
    tone = np.sin(phase) + 0.35 * np.sin(2 * phase) + 0.2 * np.sin(3 * phase)
    return np.asarray(tone * np.sin(np.pi * share) ** 0.6 * 0.17)

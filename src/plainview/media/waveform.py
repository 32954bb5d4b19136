"""Find the lowest and highest sample of each 20 ms, at several resolutions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from plainview.media.decoding import choose, decode_streams, first_decodable, open_probed
from plainview.media.derived import MAX_SPANS, Span, Waveform, WaveformLevel
from plainview.media.errors import UnderivableMediaError
from plainview.media.probe import probe
from plainview.media.sound import JITTER_US

if TYPE_CHECKING:
    from typing import BinaryIO

    from av import AudioFrame, VideoFrame
    from numpy.typing import NDArray

    from plainview.media.facts import Probe

FINEST_MS: Final = 20
COARSER: Final = 4
# Twelve hours of the finest; longer recordings start coarser, so that memory has a bound.
_MOST_BINS: Final = 2_160_000
# The coarsest level is at most this long: a page's width or so.
_FEW_BINS: Final = 1_000
_SILENCE: Final = 0.001  # -60 dB of full scale
_SPAN_MS: Final = 1_000
_NO_SOUND: Final = (127, -128)


def make_waveform(source: BinaryIO, target: BinaryIO, *, probed: Probe | None = None) -> Waveform:
    """Write the waveform of the first sound that can be decoded, reading nothing else.

    Args:
        source: seekable, readable, of any content.
        target: writable; gets pairs of signed bytes as Waveform says.
        probed: what probe says of source; probed anew where not given.

    Raises:
        UnusableMediaError: nothing in it can be played.
        UnderivableMediaError: no_sound, too_long or another_file.
        Exception: whatever reading source or writing target raises, unchanged.
    """
    probed = probe(source) if probed is None else probed
    sound = first_decodable(probed, "audio")
    if sound is None:
        raise UnderivableMediaError("no_sound")
    peaks = Peaks(probed.duration_ms)
    with open_probed(source, probed) as opened:
        decode_streams(opened, probed, choose(opened, sound), [peaks])
    return peaks.write(target)


class Peaks:
    """The observer that finds the peaks.

    Args:
        duration_ms: of the recording; sound after it is not drawn.
    """

    def __init__(self, duration_ms: int) -> None:
        self._duration_ms = max(1, duration_ms)
        self._bin_ms = FINEST_MS
        while self._duration_ms > self._bin_ms * _MOST_BINS:
            self._bin_ms *= 2
        count = -(-self._duration_ms // self._bin_ms)
        self._low = np.full(count, _NO_SOUND[0], np.int8)
        self._high = np.full(count, _NO_SOUND[1], np.int8)
        self._rate_hz = 0
        self._form = ""
        self._waiting: list[NDArray[Any]] = []
        self._waiting_count = 0
        self._waiting_at = 0
        self._next_us: int | None = None

    def picture(self, frame: VideoFrame, at_us: int) -> None:
        """Nothing is heard of pictures."""

    def sound(self, frame: AudioFrame, at_us: int) -> None:
        """Take decoded sound, of any format, rate and layout."""
        form = f"{frame.format.name} {frame.layout.name} {frame.sample_rate}"
        if self._next_us is None or form != self._form or abs(at_us - self._next_us) > JITTER_US:
            self._flush()
            self._form, self._rate_hz = form, frame.sample_rate
            self._waiting_at = at_us * self._rate_hz // 1_000_000
            self._next_us = at_us
        samples = frame.to_ndarray()
        if not frame.format.is_planar:
            samples = samples.reshape(-1, frame.layout.nb_channels).T
        self._waiting.append(samples)
        self._waiting_count += frame.samples
        self._next_us += frame.samples * 1_000_000 // self._rate_hz
        if self._waiting_count >= self._rate_hz:
            self._flush()

    def write(self, target: BinaryIO) -> Waveform:
        """Write every level, the finest first, and say what is where."""
        self._flush()
        levels: list[WaveformLevel] = []
        low, high, bin_ms, at = self._low, self._high, self._bin_ms, 0
        while True:
            target.write(np.stack((low, high), axis=1).tobytes())
            levels.append(WaveformLevel(bin_ms=bin_ms, bin_count=len(low), from_byte=at))
            at += 2 * len(low)
            if len(low) <= _FEW_BINS:
                break
            low, high, bin_ms = _coarser(low, np.minimum), _coarser(high, np.maximum), bin_ms * COARSER
        silent = self._spans((self._low == 0) & (self._high == 0))
        missing = self._spans(self._low > self._high)
        return Waveform(
            size_bytes=at,
            levels=tuple(levels),
            silent_count=len(silent),
            silent=tuple(silent[:MAX_SPANS]),
            missing_count=len(missing),
            missing=tuple(missing[:MAX_SPANS]),
        )

    def _flush(self) -> None:
        """Draw what waits. Where it goes on after this, the next drawing meets it in the same bin."""
        if not self._waiting_count:
            return
        samples = np.concatenate(self._waiting, axis=1)
        start, self._waiting_at = self._waiting_at, self._waiting_at + self._waiting_count
        self._waiting, self._waiting_count = [], 0
        if start < 0:
            samples, start = samples[:, -start:], 0
        if samples.shape[1]:
            self._draw(samples, start)

    def _draw(self, samples: NDArray[Any], start: int) -> None:
        """Merge samples, of any type and scale [channels, n], the first of them the start-th of all."""
        first = start * 1000 // (self._rate_hz * self._bin_ms)
        low, high = self._bins(samples, start, first)
        if samples.dtype.kind == "f" and np.isnan(low).any():  # a damaged sample would hide its whole bin
            low, high = self._bins(np.nan_to_num(samples, nan=0.0), start, first)
        low8, high8 = _quantised(low, high, samples.dtype)
        end = min(first + len(low8), len(self._low))
        count = max(0, end - first)
        self._low[first:end] = np.minimum(self._low[first:end], low8[:count])
        self._high[first:end] = np.maximum(self._high[first:end], high8[:count])

    def _bins(self, samples: NDArray[Any], start: int, first: int) -> tuple[NDArray[Any], NDArray[Any]]:
        per_bin, odd = divmod(self._rate_hz * self._bin_ms, 1000)
        if odd:
            return self._uneven_bins(samples, start, first)
        return _even_bins(samples, start - first * per_bin, per_bin)

    def _uneven_bins(
        self, samples: NDArray[Any], start: int, first: int
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Do the same where a bin is no whole number of samples."""
        last = (start + samples.shape[1] - 1) * 1000 // (self._rate_hz * self._bin_ms)
        edges = -(-np.arange(first, last + 1) * self._rate_hz * self._bin_ms // 1000) - start
        edges = np.clip(edges, 0, samples.shape[1] - 1)
        low = np.minimum.reduceat(samples.min(axis=0), edges)
        high = np.maximum.reduceat(samples.max(axis=0), edges)
        return low, high

    def _spans(self, is_so: NDArray[np.bool_]) -> list[Span]:
        """Give the stretches of at least a second."""
        steps = np.diff(is_so.astype(np.int8), prepend=0, append=0)
        starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
        long = (ends - starts) * self._bin_ms >= _SPAN_MS
        return [
            Span(int(a) * self._bin_ms, min(int(b) * self._bin_ms, self._duration_ms))
            for a, b in zip(starts[long], ends[long], strict=True)
        ]


def _even_bins(samples: NDArray[Any], before: int, per_bin: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Find lowest and highest of each bin, the first of which begins `before` samples earlier."""
    after = -(before + samples.shape[1]) % per_bin
    if before or after:  # repeating the end samples changes no peak
        samples = np.pad(samples, ((0, 0), (before, after)), mode="edge")
    bins = samples.reshape(samples.shape[0], -1, per_bin)
    return bins.min(axis=(0, 2)), bins.max(axis=(0, 2))


def _quantised(
    low: NDArray[Any], high: NDArray[Any], kind: np.dtype[Any]
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Bring peaks of any sample type to signed bytes, away from zero, so that only silence becomes 0."""
    low, high = _scaled(low, kind), _scaled(high, kind)
    is_silent = np.maximum(np.abs(low), np.abs(high)) < _SILENCE
    low8 = np.floor(np.clip(low, -1, 1) * 127).astype(np.int8)
    high8 = np.ceil(np.clip(high, -1, 1) * 127).astype(np.int8)
    low8[is_silent] = high8[is_silent] = 0
    return low8, high8


def _scaled(peaks: NDArray[Any], kind: np.dtype[Any]) -> NDArray[np.float64]:
    """Bring samples to -1 to 1."""
    if kind.kind == "f":
        return peaks.astype(np.float64)
    half = float(2 ** (8 * kind.itemsize - 1))
    return (peaks.astype(np.float64) - (half if kind.kind == "u" else 0.0)) / half


def _coarser(peaks: NDArray[np.int8], merge: np.ufunc) -> NDArray[np.int8]:
    padded = np.pad(peaks, (0, -len(peaks) % COARSER), mode="edge")
    return np.asarray(merge.reduce(padded.reshape(-1, COARSER), axis=1), dtype=np.int8)

"""Make one unbroken sound of what was decoded: silence where there is a gap, one rate, one layout."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from av import AudioFrame
from av.audio.resampler import AudioResampler

if TYPE_CHECKING:
    from collections.abc import Iterator

# Containers round times to milliseconds and clocks drift: less than this is neither gap nor overlap.
# Lips and voice seem together up to about 45 ms. Source: Recommendation ITU-R BT.1359-1, appendix 1.
JITTER_US: Final = 40_000
_START_US: Final = 5_000  # what begins earlier than this before 0 would shift all that follows
_SAMPLES: Final = 1024
_FORMAT: Final = "fltp"
# What every browser's AAC decoder takes; other rates become the last.
_RATES_HZ: Final = (16_000, 22_050, 24_000, 32_000, 44_100, 48_000)


def playable_rate_hz(rate_hz: int | None) -> int:
    """Give the rate itself where browsers play it, else 48000."""
    return rate_hz if rate_hz in _RATES_HZ else _RATES_HZ[-1]


class Continuous:
    """Joins decoded sound from time 0 on, so that the n-th sample that comes out belongs at n / rate.

    Players join the parts of a sound track without looking at their times, and would drift from the
    picture at every gap.

    Args:
        rate_hz: of what comes out.
        layout: "mono" or "stereo".
        form: of its samples, as PyAV calls it.
        fills_gaps: without, nothing comes out for a gap, and the next frame's pts tells of it.

    Attributes:
        sent_count: samples that came out, or were left out as gaps.
        overlap_count: decoded parts that were left out because their time was already filled.
    """

    def __init__(self, *, rate_hz: int, layout: str, form: str = _FORMAT, fills_gaps: bool = True) -> None:
        self.rate_hz = rate_hz
        self.layout = layout
        self._made_form = form
        self._fills_gaps = fills_gaps
        self.overlap_count = 0
        self._end_us: int | None = None
        self.sent_count = 0
        self._resampler: AudioResampler | None = None
        self._form: tuple[str, str, int] | None = None
        self._silence: AudioFrame | None = None

    def put(self, frame: AudioFrame, at_us: int) -> Iterator[AudioFrame]:
        """Take decoded sound; give sound of the form asked for, with pts in samples.

        Args:
            frame: any format, rate and layout.
            at_us: when it is heard; sound before 0 or before what was already given is left out.
        """
        length_us = frame.samples * 1_000_000 // frame.sample_rate
        early_us = (self._end_us or 0) - at_us
        if self._end_us is None and early_us > _START_US:
            return
        if early_us > JITTER_US and early_us >= length_us // 2:
            self.overlap_count += 1
            return
        if self._end_us is None or -early_us > JITTER_US:
            yield from self._flushed()
            yield from self._silent_until(at_us)
            self._end_us = at_us
        self._end_us += length_us
        yield from self._stamped(self._convert(frame))

    def close(self) -> Iterator[AudioFrame]:
        """Give what is held back."""
        yield from self._flushed()

    def _convert(self, frame: AudioFrame) -> list[AudioFrame]:
        form = frame.format.name, frame.layout.name, frame.sample_rate
        ready: list[AudioFrame] = []
        if form != self._form:
            ready = self._drained()
            self._resampler = AudioResampler(format=self._made_form, layout=self.layout, rate=self.rate_hz)
            self._form = form
        assert self._resampler is not None
        frame.pts, frame.time_base = None, Fraction(1, frame.sample_rate)
        return ready + self._resampler.resample(frame)

    def _drained(self) -> list[AudioFrame]:
        rest = [] if self._resampler is None else self._resampler.resample(None)
        self._resampler = self._form = None
        return [frame for frame in rest if frame is not None]

    def _flushed(self) -> Iterator[AudioFrame]:
        yield from self._stamped(self._drained())

    def _silent_until(self, at_us: int) -> Iterator[AudioFrame]:
        missing = at_us * self.rate_hz // 1_000_000 - self.sent_count
        if not self._fills_gaps:
            self.sent_count += max(0, missing)
            return
        if missing > 0 and self._silence is None:
            self._silence = self._silent_frame(_SAMPLES)
        while missing >= _SAMPLES:
            assert self._silence is not None
            yield from self._stamped([self._silence])
            missing -= _SAMPLES
        if missing > 0:
            yield from self._stamped([self._silent_frame(missing)])

    def _silent_frame(self, samples: int) -> AudioFrame:
        frame = AudioFrame(format=self._made_form, layout=self.layout, samples=samples)
        frame.sample_rate = self.rate_hz
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        return frame

    def _stamped(self, frames: list[Any]) -> Iterator[AudioFrame]:
        for frame in frames:
            frame.pts, frame.time_base = self.sent_count, Fraction(1, self.rate_hz)
            self.sent_count += frame.samples
            yield frame

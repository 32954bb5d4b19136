"""Count one stream's packets: times, gaps, times that go backwards, evenness."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final, Protocol

from plainview.media.facts import MAX_GAPS

if TYPE_CHECKING:
    from fractions import Fraction

GAP_US: Final = 1_000_000
# Beyond this from the first packet a time is damage, not a recording.
_LONGEST_US: Final = 366 * 24 * 3600 * 1_000_000
# Containers round frame times to their tick, Matroska's to a millisecond.
_EVEN_WITHIN_US: Final = 2_000


class TimedPacket(Protocol):
    """The part of a packet that is counted; times in ticks of the stream's time base."""

    @property
    def pts(self) -> int | None: ...  # noqa: D102
    @property
    def dts(self) -> int | None: ...  # noqa: D102
    @property
    def duration(self) -> int | None: ...  # noqa: D102


@dataclasses.dataclass
class Tally:
    """Running counts of one stream; times in microseconds on the file's own clock.

    Attributes:
        time_base: seconds a tick; None where the file gives none, and then nothing has a time.
        gap_us: more than this from the latest presentation so far to a later one is a gap; None where gaps mean nothing.
    """

    time_base: Fraction | None
    gap_us: int | None = GAP_US
    packet_count: int = 0
    untimed_count: int = 0
    backward_count: int = 0
    gap_count: int = 0
    gaps_us: list[tuple[int, int]] = dataclasses.field(default_factory=list)
    first_us: int | None = None
    end_us: int | None = None
    latest_us: int | None = None
    last_decode_us: int | None = None
    steps_us: tuple[int, int] | None = None
    step_count: int = 0

    def add(self, packet: TimedPacket) -> tuple[int, int] | None:
        """Count a presented packet.

        Returns:
            When its presentation starts and ends in microseconds, or None where it has no usable time.
        """
        self.packet_count += 1
        span = self.span_us(packet)
        if span is None or (self.first_us is not None and abs(span[0] - self.first_us) > _LONGEST_US):
            self.untimed_count += 1
            return None
        self._note_gap(span[0])
        self.first_us = span[0] if self.first_us is None else min(self.first_us, span[0])
        self.end_us = span[1] if self.end_us is None else max(self.end_us, span[1])
        if packet.dts is not None:  # the first pictures in Matroska may have none
            self._note_step(self._us(packet.dts))
        return span

    def span_us(self, packet: TimedPacket) -> tuple[int, int] | None:
        """Give a packet's presentation without counting it."""
        at = packet.dts if packet.pts is None else packet.pts
        if at is None or not self.time_base:
            return None
        start_us = self._us(at)
        return start_us, max(start_us, self._us(at + max(packet.duration or 0, 0)))

    def is_variable(self) -> bool | None:
        """Say whether pictures are unevenly spaced, gaps aside; None where fewer than three packets say."""
        if self.steps_us is None or self.step_count < 2:
            return None
        return self.steps_us[1] - self.steps_us[0] > _EVEN_WITHIN_US

    def _us(self, ticks: int) -> int:
        assert self.time_base is not None
        return ticks * self.time_base.numerator * 1_000_000 // self.time_base.denominator

    def _note_gap(self, start_us: int) -> None:
        last, self.latest_us = self.latest_us, max(start_us, self.latest_us or start_us)
        if last is None or self.gap_us is None or start_us - last <= self.gap_us:
            return
        self.gap_count += 1
        if len(self.gaps_us) < MAX_GAPS:
            self.gaps_us.append((last, start_us))

    def _note_step(self, decode_us: int) -> None:
        last, self.last_decode_us = self.last_decode_us, decode_us
        if last is None:
            return
        step = decode_us - last
        if step < 0:
            self.backward_count += 1
        elif self.gap_us is None or step <= self.gap_us:
            low, high = self.steps_us or (step, step)
            self.steps_us = min(low, step), max(high, step)
            self.step_count += 1

"""Clocks: what a camera takes the time from, real or simulated, and how it notices that it jumped."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import Final, Protocol

from plainview.camera.fragments import TICKS_A_MS, TICKS_A_SECOND

# More than this between two looks is a jump; less is the clock being kept right.
STEP_MS: Final = 500
# A camera whose clock says less has never been set.
_EARLIEST_YEAR: Final = 2025
_SYNCHRONISED: Final = Path("/run/systemd/timesync/synchronized")


class Clock(Protocol):
    """A camera's clock."""

    @property
    def kind(self) -> str:
        """One of capture.CAPTURE_CLOCKS: what it was last set by."""
        ...

    def ticks(self) -> int:
        """Return how long the camera has been on, in 1/90000 s; never goes back."""
        ...

    def now(self) -> dt.datetime:
        """Return the time of day, aware UTC; it may jump."""
        ...


class SystemClock:
    """The clock of the device.

    Time on goes on counting while the device sleeps, where its system can.
    """

    def __init__(self) -> None:
        self._source = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
        self._began_ns = time.clock_gettime_ns(self._source)
        self.was_set_by_dock = False

    @property
    def kind(self) -> str:
        """One of capture.CAPTURE_CLOCKS: what it was last set by."""
        if self.was_set_by_dock:
            return "dock"
        if _SYNCHRONISED.exists():
            return "ntp"
        return "rtc" if self.now().year >= _EARLIEST_YEAR else "unset"

    def ticks(self) -> int:
        """Return how long the program has run, in 1/90000 s."""
        return (time.clock_gettime_ns(self._source) - self._began_ns) * TICKS_A_SECOND // 10**9

    def now(self) -> dt.datetime:
        """Return the time of day, aware UTC."""
        return dt.datetime.now(dt.UTC)

    def set(self, at: dt.datetime) -> None:
        """Set the time of day.

        Args:
            at: aware UTC, as a dock has it from a server.

        Raises:
            PermissionError: only the system's administrator may.
        """
        time.clock_settime_ns(time.CLOCK_REALTIME, round(at.timestamp() * 1000) * 10**6)
        self.was_set_by_dock = True


class SimulatedClock:
    """A clock that goes only when it is told to.

    Attributes:
        kind: "simulated" unless said otherwise.
    """

    def __init__(self, switched_on_at: dt.datetime, *, kind: str = "simulated") -> None:
        self.kind = kind
        self._switched_on_at = switched_on_at
        self._ticks = 0

    def ticks(self) -> int:
        """Return how long the camera has been on, in 1/90000 s."""
        return self._ticks

    def now(self) -> dt.datetime:
        """Return the time of day, aware UTC."""
        return self._switched_on_at + dt.timedelta(microseconds=self._ticks * 100 // 9)

    def go_to(self, ticks: int) -> None:
        """Let time pass; it never goes back."""
        self._ticks = max(self._ticks, ticks)

    def step(self, by_ms: int) -> None:
        """Let the time of day jump."""
        self._switched_on_at += dt.timedelta(milliseconds=by_ms)


class Watch:
    """Tells the time of day of any moment since the camera was switched on, and notices jumps."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._origin = self._look()

    def at(self, ticks: int) -> dt.datetime:
        """Return the time of day, as the clock is now, at a moment: aware UTC, whole milliseconds."""
        at = self._origin + dt.timedelta(milliseconds=ticks // TICKS_A_MS)
        return at.replace(microsecond=at.microsecond // 1000 * 1000)

    def stepped_ms(self) -> int:
        """Return by how much the clock jumped since it was last looked at; 0 where it did not."""
        origin = self._look()
        by_ms = round((origin - self._origin) / dt.timedelta(milliseconds=1))
        self._origin = origin
        return by_ms if abs(by_ms) >= STEP_MS else 0

    def _look(self) -> dt.datetime:
        return self._clock.now() - dt.timedelta(microseconds=self._clock.ticks() * 100 // 9)

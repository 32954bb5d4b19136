"""A camera that runs: threads read devices and the network and put what they read into one queue; one loop records.

The loop is the only one that touches the recorder, the journals and the light.
"""

from __future__ import annotations

import queue
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from plainview.camera.events import Docked, Noted, PowerOff, PowerOn, Taken
from plainview.camera.rules import Orders, can_dock
from plainview.camera.serve import CameraStatus
from plainview.camera.sources import Heard, Seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from plainview.camera.clocks import Clock, SystemClock
    from plainview.camera.events import Event
    from plainview.camera.lights import Light
    from plainview.camera.recorder import Recorder, Report
    from plainview.camera.upkeep import Upkeep
    from plainview.formats.camera_orders import CameraOrders

# What the loop is asked to do: called in the loop, with the time.
Asked: TypeAlias = "Callable[[int], Event | None]"

_TURN_S: Final = 0.05
_UPKEEP_MS: Final = 5000
_REPORT_MS: Final = 500
_ANSWER_S: Final = 5.0
# Two seconds of pictures and sound: whoever is that late would only get later.
_MOST_WAITING: Final = 160
_CLOCK_DOUBT_MS: Final = 1000


class Inbox:
    """What was read and not yet recorded; any thread may put something in.

    Attributes:
        dropped: how many pictures came while it was full.
    """

    def __init__(self, most: int = _MOST_WAITING) -> None:
        self.dropped = 0
        self._waiting: queue.Queue[Seen | Heard | Asked] = queue.Queue()
        self._most = most

    def put(self, item: Seen | Heard | Asked) -> None:
        """Put something in; a picture is dropped, and counted, where too much waits already."""
        if isinstance(item, Seen) and self._waiting.qsize() >= self._most:
            self.dropped += 1
            return
        self._waiting.put(item)

    def get(self, timeout_s: float = _TURN_S) -> Seen | Heard | Asked | None:
        """Return what came first; None if nothing came."""
        try:
            return self._waiting.get(timeout=timeout_s)
        except queue.Empty:
            return None


@dataclass
class Loop:
    """The loop that records.

    Attributes:
        recorder: with its clock.
        inbox: what it is given.
        light: that it drives.
        upkeep: of battery and storage.
        report: the newest of the recorder; for other threads.
    """

    recorder: Recorder
    inbox: Inbox
    light: Light
    upkeep: Upkeep
    report: Report = field(init=False)
    _looked_ms: int | None = None
    _reported_ms: int = 0

    def __post_init__(self) -> None:
        self.report = self.recorder.report()

    def run(self, *, with_check: bool) -> None:
        """Switch the camera on, and record until it is switched off."""
        self.recorder.happen(PowerOn(self.recorder.now_ms, with_check, has_picture=False))
        try:
            while self.recorder.state.mode != "off":
                self.turn(self.inbox.get())
        finally:
            # Whatever ends the loop, what it recorded is closed and says that it was.
            self.recorder.happen(PowerOff(self.recorder.now_ms))
            self.light.tick(self.recorder.now_ms)

    def turn(self, item: Seen | Heard | Asked | None) -> None:
        """Take one thing that came, or let time pass."""
        recorder = self.recorder
        if isinstance(item, Seen):
            recorder.show(item.ticks, item.frame)
        elif isinstance(item, Heard):
            recorder.hear(item.ticks, item.samples)
        elif item is not None:
            event = item(recorder.now_ms)
            if event is not None:
                recorder.happen(event)
        recorder.tick()
        now_ms = recorder.now_ms
        self.light.tick(now_ms)
        if self._looked_ms is None or now_ms - self._looked_ms >= _UPKEEP_MS:
            self._looked_ms = now_ms
            self._look_after(now_ms)
        if now_ms - self._reported_ms >= _REPORT_MS or item is None:
            self._reported_ms = now_ms
            self.report = recorder.report()

    def _look_after(self, now_ms: int) -> None:
        recorder = self.recorder
        found = self.upkeep.look(
            recorder.state,
            mono_ms=now_ms,
            free_bytes=recorder.store.free_bytes(),
            bit_rate_bps=recorder.orders.settings.bit_rate_bps,
            charge_percent=recorder.charge_percent(),
            dropped=self.inbox.dropped,
            failed_lamps=self.light.failed,
        )
        for event in found:
            recorder.happen(event)


@dataclass(frozen=True)
class DockHooks:
    """What a dock may ask over the network; see serve.CameraHooks. Called from other threads than the loop's."""

    loop: Loop
    clock: Clock
    set_clock: Callable[[CameraOrders], str]

    def status(self) -> CameraStatus:
        """Return how the camera is just now."""
        report = self.loop.report
        return CameraStatus(
            at=self.clock.now(),
            mono_ms=self.clock.ticks() // 90,
            state=report.state.mode,
            battery_percent=report.charge_percent,
        )

    def orders_taken(self, orders: CameraOrders) -> None:
        """Set the clock by them, and record as they say from the next recording on."""

        def take(now_ms: int) -> Event | None:
            by_ms = round((orders.at - self.clock.now()).total_seconds() * 1000)
            event = None
            if abs(by_ms) >= _CLOCK_DOUBT_MS:
                event = Noted(now_ms, "clock_set", {"by_ms": by_ms, "outcome": self.set_clock(orders)})
            self.loop.recorder.take_orders(Orders(orders.settings, orders.covert_allowed_by))
            return event

        self.loop.inbox.put(take)

    def docked(self, dock: str) -> bool:
        """Go into the state `docked`; False while something is recorded."""
        answer: Future[bool] = Future()

        def dock_it(now_ms: int) -> Event | None:
            may = can_dock(self.loop.recorder.state)
            answer.set_result(may)
            return Docked(now_ms, dock) if may else None

        self.loop.inbox.put(dock_it)
        try:
            return answer.result(timeout=_ANSWER_S)
        except FutureTimeoutError:
            return False

    def taken(self) -> None:
        """Leave the state `docked`."""
        self.loop.inbox.put(Taken)


def set_system_clock(clock: SystemClock, orders: CameraOrders) -> str:
    """Set the device's clock by fresh orders; return what came of it, for the journal."""
    try:
        clock.set(orders.at)
    except OSError:
        return "not_allowed"
    return "set"

"""The loop: what threads put in is recorded in order, and what a dock asks is answered."""

import datetime as dt
import threading
from dataclasses import replace

import numpy as np
import pytest

from plainview.camera import events as e
from plainview.camera.lights import Light
from plainview.camera.running import DockHooks, Inbox, Loop
from plainview.camera.sources import Heard, Seen
from plainview.camera.upkeep import Upkeep
from plainview.formats.camera_orders import CameraOrders, CameraSettings
from simulators.recorders import SimulatedCamera


@pytest.fixture
def camera():
    return SimulatedCamera(buffer_ms=0)


@pytest.fixture
def loop(camera):
    return Loop(camera.recorder, Inbox(), Light([]), Upkeep())


def pictures(camera, loop, *, duration_ms):
    """Put pictures and sound in, and let the clock follow."""
    for _ in range(duration_ms // 100):
        ticks = camera.clock.ticks()
        loop.turn(Heard(ticks, np.zeros(4800, np.float32)))
        loop.turn(Seen(ticks, "picture"))
        camera.clock.go_to(ticks + 9000)


def test_what_threads_put_in_is_recorded(camera, loop):
    loop.turn(e.PowerOn)
    pictures(camera, loop, duration_ms=1000)
    loop.turn(e.Press)
    pictures(camera, loop, duration_ms=3000)
    loop.turn(lambda now_ms: e.Hold(now_ms, 3000))
    pictures(camera, loop, duration_ms=200)
    (recording,) = camera.store.recordings
    assert recording.closed == "button"
    assert sum(each["duration_ms"] for each in recording.fragments) == 3000


def test_it_runs_until_it_is_switched_off(camera, loop):
    loop.inbox.put(e.Press)
    loop.inbox.put(Seen(0, "picture"))
    loop.inbox.put(lambda now_ms: e.PowerOff(now_ms, "end"))
    loop.run(with_check=False)
    assert camera.store.shift.closed == "end"
    assert camera.store.recordings[0].closed == "end"


def test_whatever_breaks_the_loop_the_journals_are_closed(camera, loop):
    def fail(now_ms):
        raise RuntimeError("as simulated")

    loop.inbox.put(e.Press)
    loop.inbox.put(Seen(0, "picture"))
    loop.inbox.put(fail)
    with pytest.raises(RuntimeError, match="as simulated"):
        loop.run(with_check=False)
    assert camera.store.recordings[0].closed == "power_off"


def test_a_picture_for_which_there_is_no_room_is_counted_and_nothing_else_is_dropped():
    inbox = Inbox(most=2)
    for ticks in range(4):
        inbox.put(Seen(ticks, "picture"))
    inbox.put(e.Press)
    assert inbox.dropped == 2
    assert [inbox.get(0) for _ in range(4)] == [Seen(0, "picture"), Seen(1, "picture"), e.Press, None]


def test_a_nearly_empty_battery_switches_off(camera, loop):
    loop.recorder.charge_percent = lambda: 1
    loop.turn(e.PowerOn)
    assert camera.store.shift.closed == "battery"


def answering(loop, ask):
    """Ask from another thread while the loop turns."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(ask()))
    thread.start()
    while thread.is_alive():
        loop.turn(loop.inbox.get(0.01))
    thread.join()
    return answers[0]


def hooks(camera, loop, set_clock=lambda orders: "set"):
    return DockHooks(loop, camera.clock, set_clock)


def test_a_dock_does_not_stop_a_recording(camera, loop):
    loop.turn(e.PowerOn)
    loop.turn(e.Press)
    assert answering(loop, lambda: hooks(camera, loop).docked("desk")) is False
    assert loop.recorder.state.mode == "recording"


def test_a_dock_takes_a_camera_that_waits_and_gives_it_back(camera, loop):
    loop.turn(e.PowerOn)
    asked = hooks(camera, loop)
    assert answering(loop, lambda: asked.docked("desk")) is True
    assert loop.recorder.state.mode == "docked"
    loop.turn(None)
    assert asked.status().state == "docked"
    asked.taken()
    loop.turn(loop.inbox.get(0))
    assert loop.recorder.state.mode == "buffering"


def orders(at):
    return CameraOrders(
        camera="cam.example.org/SN42",
        public_key=bytes(32),
        seal_to=bytes(32),
        department_key="",
        log_keys=(),
        trigger_keys=(),
        covert_allowed_by="officer-1",
        settings=CameraSettings(buffer_ms=60_000),
        at=at,
    )


def test_orders_set_the_clock_and_are_obeyed(camera, loop):
    loop.turn(e.PowerOn)
    late = camera.clock.now() + dt.timedelta(seconds=90)
    set_to = []
    hooks(camera, loop, lambda given: set_to.append(given.at) or "set").orders_taken(orders(late))
    loop.turn(loop.inbox.get(0))
    assert set_to == [late]
    assert camera.store.shift.facts_of("clock_set") == [{"by_ms": 90_000, "outcome": "set"}]
    assert camera.store.shift.facts_of("settings") == [{"buffer_ms": 60_000}]
    assert loop.recorder.orders.covert_allowed_by == "officer-1"


def test_a_clock_that_is_right_is_left_alone(camera, loop):
    loop.turn(e.PowerOn)
    hooks(camera, loop, lambda given: pytest.fail("set")).orders_taken(
        replace(orders(camera.clock.now()), covert_allowed_by="")
    )
    loop.turn(loop.inbox.get(0))
    assert "clock_set" not in camera.store.shift.names()

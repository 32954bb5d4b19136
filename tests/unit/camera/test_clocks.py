"""Clocks: time that goes on, time of day that may jump."""

import datetime as dt

import pytest

from plainview.camera.clocks import STEP_MS, SimulatedClock, SystemClock, Watch
from plainview.formats.capture import CAPTURE_CLOCKS

ON_AT = dt.datetime(2026, 3, 15, 6, 50, tzinfo=dt.UTC)


def test_a_simulated_clock_goes_when_told_to_and_never_back():
    clock = SimulatedClock(ON_AT)
    clock.go_to(90_000)
    clock.go_to(45_000)
    assert (clock.ticks(), clock.now()) == (90_000, ON_AT + dt.timedelta(seconds=1))


def test_a_watch_tells_the_time_of_any_moment_in_whole_milliseconds():
    assert Watch(SimulatedClock(ON_AT)).at(3003) == ON_AT + dt.timedelta(milliseconds=33)


@pytest.mark.parametrize(("by_ms", "said"), [(STEP_MS - 1, 0), (STEP_MS, STEP_MS), (-STEP_MS, -STEP_MS)])
def test_a_jump_is_said_once(by_ms, said):
    clock = SimulatedClock(ON_AT)
    watch = Watch(clock)
    clock.step(by_ms)
    assert (watch.stepped_ms(), watch.stepped_ms()) == (said, 0)
    assert watch.at(0) == ON_AT + dt.timedelta(milliseconds=by_ms)


def test_the_clock_of_the_device_goes_on():
    clock = SystemClock()
    first = clock.ticks()
    assert 0 <= first <= clock.ticks()
    assert clock.now().tzinfo is dt.UTC
    assert clock.kind in CAPTURE_CLOCKS
    clock.was_set_by_dock = True
    assert clock.kind == "dock"

"""What a camera notices by itself: its battery, its storage, and pictures it had no time for."""

import pytest

from plainview.camera.events import Noted, PowerOff, Storage
from plainview.camera.rules import State
from plainview.camera.upkeep import FULL_BYTES, Upkeep, battery_percent

ROOM = 10**10
READY = State("buffering")


def look(upkeep, *, state=READY, mono_ms=0, free_bytes=ROOM, charge_percent=None, dropped=0, failed_lamps=0):
    return upkeep.look(
        state,
        mono_ms=mono_ms,
        free_bytes=free_bytes,
        bit_rate_bps=4_000_000,
        charge_percent=charge_percent,
        dropped=dropped,
        failed_lamps=failed_lamps,
    )


def test_a_storage_with_ten_minutes_left_is_said_once():
    upkeep = Upkeep()
    assert look(upkeep) == []
    assert look(upkeep, free_bytes=299_000_000) == [Storage(0, "low", {"free_mb": 285})]
    assert look(upkeep, free_bytes=290_000_000) == []


def test_a_full_storage_is_said():
    assert look(Upkeep(), free_bytes=FULL_BYTES - 1) == [Storage(0, "full", {"free_mb": 31})]


@pytest.mark.parametrize("state", [State("fault", is_full=True), State("fault", is_broken=True)])
def test_a_storage_that_failed_is_tried_again_now_and_then(state):
    upkeep = Upkeep()
    assert look(upkeep, state=state, mono_ms=1000) == []
    assert look(upkeep, state=state, mono_ms=30_000) == [Storage(30_000, "ok")]
    assert look(upkeep, state=state, mono_ms=40_000) == []
    assert look(upkeep, state=state, mono_ms=60_000, free_bytes=FULL_BYTES) == []


def test_the_battery_is_said_in_steps_and_its_end_switches_off():
    upkeep = Upkeep()
    assert look(upkeep, charge_percent=80) == [Noted(0, "battery", {"percent": 80})]
    assert look(upkeep, charge_percent=76) == []
    assert look(upkeep, charge_percent=75) == [Noted(0, "battery", {"percent": 75})]
    assert look(upkeep, charge_percent=1)[-1] == PowerOff(0, "battery")


def test_pictures_there_was_no_time_for_are_on_record():
    upkeep = Upkeep()
    assert look(upkeep, dropped=3) == [Noted(0, "fault", {"what": "pictures_dropped", "count": 3})]
    assert look(upkeep, dropped=3) == []
    assert look(upkeep, dropped=5) == [Noted(0, "fault", {"what": "pictures_dropped", "count": 2})]


def test_the_first_battery_that_says_counts(tmp_path):
    assert battery_percent(tmp_path) is None
    for name, text in (("AC", None), ("BAT0", "none"), ("BAT1", "87\n")):
        (tmp_path / name).mkdir()
        if text:
            (tmp_path / name / "capacity").write_text(text)
    assert battery_percent(tmp_path) == 87


def test_a_lamp_that_broke_is_on_record_once():
    upkeep = Upkeep()
    assert look(upkeep, failed_lamps=1) == [Noted(0, "fault", {"what": "light", "count": 1})]
    assert look(upkeep, failed_lamps=1) == []

"""The recorder, on a simulated clock with a made-up lens: what ends up in which journal, and where."""

import datetime as dt
import itertools

import numpy as np
import pytest

from plainview.camera import events as e
from plainview.camera.rules import Orders
from plainview.formats.camera_orders import CameraSettings
from simulators.recorders import ON_AT, SimulatedCamera


def switched_on(*, after_ms=0, **settings):
    camera = SimulatedCamera(**settings)
    camera.happen(e.PowerOn)
    camera.pass_ms(after_ms)
    return camera


def follow_each_other(fragments):
    return all(
        one["position_ms"] + one["duration_ms"] == other["position_ms"]
        for one, other in itertools.pairwise(fragments)
    )


def test_a_recording_has_the_time_before_the_press_the_press_and_the_stop():
    camera = switched_on(after_ms=40_000)
    camera.happen(e.Press)
    camera.pass_ms(7000)
    camera.happen(e.Hold, 3000)
    camera.pass_ms(500)
    (recording,) = camera.store.recordings
    assert recording.closed == "button"
    assert recording.closed_at == 47_000
    assert recording.fragments[0]["position_ms"] == 0
    assert follow_each_other(recording.fragments)
    kept_ms = dict.fromkeys(("buffer", "recording"), 0)
    for each in recording.fragments:
        kept_ms[each["phase"]] += each["duration_ms"]
    assert kept_ms == {"buffer": 30_000, "recording": 7000}
    assert {(each["phase"], each["sound"]) for each in recording.fragments} == {
        ("buffer", "off"),
        ("recording", "on"),
    }


def test_the_first_leaf_says_how_much_of_the_buffer_there_was():
    camera = switched_on(after_ms=12_300)
    camera.happen(e.Trigger, "holster")
    beginning = camera.store.recordings[0].beginning
    assert (beginning.buffer_ms, beginning.buffer_setting_ms) == (12_300, 30_000)
    assert (beginning.trigger, beginning.trigger_at) == ("holster", ON_AT + dt.timedelta(milliseconds=12_300))
    assert beginning.mono_ms == 12_300
    assert camera.store.recordings[0].init == b"init 2026-03-15T06:50:00+00:00 SN42"


def test_a_buffer_that_has_run_long_enough_is_never_shorter_than_its_setting():
    camera = switched_on(after_ms=41_300)
    camera.happen(e.Press)
    assert 30_000 <= camera.store.recordings[0].beginning.buffer_ms < 32_000


def test_without_a_buffer_a_recording_begins_with_the_press():
    camera = switched_on(after_ms=5100, buffer_ms=0)
    camera.happen(e.Press)
    camera.pass_ms(3000)
    camera.happen(e.Hold, 3000)
    camera.pass_ms(100)
    (recording,) = camera.store.recordings
    assert {each["phase"] for each in recording.fragments} == {"recording"}
    assert recording.fragments[0]["mono_ms"] == 5100
    assert sum(each["duration_ms"] for each in recording.fragments) == 3000


def test_the_buffer_has_sound_where_that_is_set():
    camera = switched_on(after_ms=5000, has_buffer_sound=True)
    camera.happen(e.Press)
    assert camera.store.recordings[0].beginning.has_buffer_sound
    assert {each["sound"] for each in camera.store.recordings[0].fragments} == {"on"}


def test_what_is_muted_is_in_fragments_of_its_own():
    camera = switched_on(after_ms=1000)
    camera.happen(e.Press)
    camera.pass_ms(2500)
    camera.happen(e.Mute)
    camera.pass_ms(1300)
    camera.happen(e.Mute)
    camera.pass_ms(2000)
    camera.happen(e.PowerOff)
    (recording,) = camera.store.recordings
    muted = [each for each in recording.fragments if each["sound"] == "muted"]
    assert [(each["mono_ms"], each["duration_ms"]) for each in muted] == [(3500, 1300)]
    assert [each["position_ms"] for each in recording.events if each["event"] == "muted"] == [3500]
    assert recording.names().count("unmuted") == 1


def test_switching_off_right_after_the_stop_closes_the_recording():
    camera = switched_on(buffer_ms=0)
    camera.happen(e.Press)
    camera.pass_ms(3000)
    camera.happen(e.Hold, 3000)
    camera.happen(e.PowerOff)
    (recording,) = camera.store.recordings
    assert recording.closed == "button"
    assert sum(each["duration_ms"] for each in recording.fragments) == 3000


def test_the_time_after_the_stop_says_so():
    camera = switched_on(post_ms=4000, buffer_ms=0)
    camera.happen(e.Press)
    camera.pass_ms(3000)
    camera.happen(e.Hold, 3000)
    camera.pass_ms(4500)
    (recording,) = camera.store.recordings
    assert sum(each["duration_ms"] for each in recording.fragments if each["phase"] == "post") == 4000
    assert recording.closed == "button"


def test_the_longest_recording_goes_on_in_the_next_without_a_gap():
    camera = switched_on(longest_ms=60_000, buffer_ms=0)
    camera.happen(e.Press)
    camera.pass_ms(130_000)
    first, second, third = camera.store.recordings
    assert (first.closed, second.closed, third.closed) == ("longest", "longest", None)
    covered = [*first.fragments, *second.fragments, *third.fragments]
    ends = [each["mono_ms"] + each["duration_ms"] for each in covered]
    assert [each["mono_ms"] for each in covered[1:]] == ends[:-1]
    assert second.fragments[0]["position_ms"] == 0
    assert second.facts_of("light") == [{"shows": "recording"}]


def test_the_journal_of_the_shift_holds_every_state():
    camera = switched_on(after_ms=1000)
    camera.happen(e.Press)
    camera.pass_ms(2000)
    camera.happen(e.Hold, 3000)
    camera.pass_ms(500)
    camera.happen(e.Docked, "desk")
    camera.pass_ms(500)
    camera.happen(e.Taken)
    camera.happen(e.PowerOff)
    shift = camera.store.shift
    assert [each["state"] for each in shift.facts_of("state")] == [
        "buffering",
        "recording",
        "buffering",
        "docked",
        "buffering",
        "off",
    ]
    assert shift.closed == "power_off"
    assert {each["position_ms"] for each in shift.events} == {None}
    assert shift.fragments == []


def test_what_the_light_shows_is_a_track_of_the_recording():
    camera = switched_on(after_ms=1000)
    camera.happen(e.Press)
    camera.happen(e.Mute)
    camera.pass_ms(1000)
    shown = [each["shows"] for each in camera.store.recordings[0].facts_of("light")]
    assert shown == ["recording", "muted"]
    assert camera.lights == ["ready", "recording", "muted"]


def test_the_check_says_what_the_camera_can_tell():
    camera = SimulatedCamera(worn="chest")
    camera.happen(e.PowerOn, True)
    camera.pass_ms(11_000)
    (check,) = camera.store.recordings
    assert (check.beginning.purpose, check.closed) == ("function_check", "checked")
    assert sum(each["duration_ms"] for each in check.fragments) == 10_000
    assert check.facts_of("checked") == [
        {"date": "2026-03-15T06:50:10.000Z", "charge_percent": 87, "sound_dbfs": -120, "worn": "chest"}
    ]
    assert camera.recorder.recordings == 0


def test_a_press_during_the_check_loses_nothing():
    camera = SimulatedCamera()
    camera.happen(e.PowerOn, True)
    camera.pass_ms(4300)
    camera.happen(e.Press)
    camera.pass_ms(3000)
    check, recording = camera.store.recordings
    assert check.closed == "checked"
    last = check.fragments[-1]
    assert last["mono_ms"] + last["duration_ms"] == recording.fragments[0]["mono_ms"] == 4300
    assert recording.beginning.buffer_ms == 0


@pytest.mark.parametrize(("trouble", "reason"), [("fill", "storage_full"), ("fail", "fault")])
def test_a_storage_that_takes_nothing_more_is_shown_and_nothing_is_written_after(trouble, reason):
    camera = switched_on(after_ms=1000)
    camera.happen(e.Press)
    camera.pass_ms(5000)
    getattr(camera.store, trouble)()
    camera.pass_ms(3000)
    assert camera.lights[-1] == "fault"
    assert 3 in camera.beeps
    assert not camera.recorder.state.is_recording
    camera.store.trouble = None
    camera.happen(e.Storage, "ok")
    camera.happen(e.Press)
    camera.pass_ms(1000)
    assert camera.lights[-1] == "recording"
    assert len(camera.store.recordings) == 2
    assert camera.store.recordings[0].closed == "abandoned"
    first, second = (each for each in camera.store.journals if each.beginning.purpose == "shift")
    assert (first.closed, second.closed) == ("abandoned", None)
    assert {"press", "state", "light"} <= set(second.names())


def test_a_storage_that_is_full_at_the_press_is_shown():
    camera = switched_on(after_ms=1000)
    camera.store.fill()
    camera.happen(e.Press)
    assert camera.lights[-1] == "fault"
    assert camera.store.recordings == []


def test_a_clock_that_jumps_is_on_record_and_loses_no_picture():
    camera = switched_on(after_ms=1000)
    camera.happen(e.Press)
    camera.pass_ms(3000)
    camera.clock.step(-86_400_000)
    camera.pass_ms(3000)
    (recording,) = camera.store.recordings
    assert recording.facts_of("clock_stepped") == [{"by_ms": -86_400_000}]
    assert follow_each_other(recording.fragments)
    assert recording.fragments[-1]["at"] < recording.fragments[0]["at"]
    assert recording.fragments[-1]["mono_ms"] > recording.fragments[0]["mono_ms"]


def test_a_clock_that_is_kept_right_does_not_jump():
    camera = switched_on(after_ms=1000)
    camera.clock.step(40)
    camera.pass_ms(1000)
    assert "clock_stepped" not in camera.store.shift.names()


def test_a_picture_that_stops_coming_is_a_gap_with_a_record():
    camera = switched_on(after_ms=1000)
    camera.happen(e.Press)
    camera.pass_ms(3000)
    camera.sees = False
    camera.pass_ms(6000)
    camera.sees = True
    camera.pass_ms(3000)
    camera.happen(e.PowerOff)
    (recording,) = camera.store.recordings
    assert recording.facts_of("source_lost") == [{"what": "picture"}]
    assert recording.facts_of("source_back") == [{"what": "picture"}]
    ends = [each["mono_ms"] + each["duration_ms"] for each in recording.fragments]
    starts = [each["mono_ms"] for each in recording.fragments]
    assert [(end, start) for end, start in zip(ends, starts[1:], strict=False) if end != start] == [
        (4000, 10_000)
    ]
    assert camera.lights == ["ready", "recording", "fault", "recording", "dark"]


def test_a_picture_that_stays_away_ends_the_recording_and_its_return_begins_the_next():
    camera = switched_on(after_ms=1000)
    camera.happen(e.Press)
    camera.pass_ms(3000)
    camera.sees = False
    camera.pass_ms(20_000)
    camera.sees = True
    camera.pass_ms(3000)
    first, second = camera.store.recordings
    assert first.closed == "source_lost"
    assert second.beginning.trigger == "button"
    assert second.fragments[0]["mono_ms"] == 24_000


def test_sound_that_stops_coming_is_on_record():
    camera = switched_on(after_ms=1000)
    camera.happen(e.Press)
    camera.hears = False
    camera.pass_ms(4000)
    camera.hears = True
    camera.pass_ms(1000)
    (recording,) = camera.store.recordings
    assert recording.facts_of("source_lost") == recording.facts_of("source_back") == [{"what": "sound"}]


def test_a_camera_that_never_had_sound_does_not_miss_it():
    camera = SimulatedCamera()
    camera.hears = False
    camera.happen(e.PowerOn)
    camera.pass_ms(5000)
    assert "source_lost" not in camera.store.shift.names()


def test_in_a_dock_nothing_is_buffered():
    camera = switched_on(after_ms=20_000)
    camera.happen(e.Docked, "desk")
    camera.pass_ms(10_000)
    assert camera.recorder.report().buffer_ms == 0
    camera.happen(e.Taken)
    camera.pass_ms(3000)
    camera.happen(e.Press)
    assert camera.store.recordings[0].beginning.buffer_ms == 3000
    assert "source_lost" not in camera.store.shift.names()


def test_a_dock_ends_a_recording_with_all_that_was_seen():
    camera = switched_on(buffer_ms=0)
    camera.happen(e.Press)
    camera.pass_ms(2500)
    camera.happen(e.Docked, "desk")
    (recording,) = camera.store.recordings
    assert recording.closed == "docked"
    assert sum(each["duration_ms"] for each in recording.fragments) == 2500


def test_a_second_press_right_after_the_stop_makes_a_second_recording():
    camera = switched_on(buffer_ms=0)
    camera.happen(e.Press)
    camera.pass_ms(2500)
    camera.happen(e.Hold, 3000)
    camera.happen(e.Press)
    camera.pass_ms(2500)
    camera.happen(e.PowerOff)
    first, second = camera.store.recordings
    assert (first.closed, second.closed) == ("button", "power_off")
    assert sum(each["duration_ms"] for each in [*first.fragments, *second.fragments]) == 5000
    assert camera.recorder.recordings == 2


def test_new_orders_wait_for_the_end_of_a_recording_where_the_picture_changes():
    camera = switched_on(after_ms=1000)
    camera.happen(e.Press)
    camera.pass_ms(2000)
    camera.recorder.take_orders(Orders(CameraSettings(width_px=640, has_buffer_sound=True)))
    assert len(camera.made) == 1
    camera.happen(e.Hold, 3000)
    camera.pass_ms(1000)
    assert len(camera.made) == 2
    assert camera.store.recordings[0].facts_of("settings") == [{"width_px": 640, "has_buffer_sound": 1}]
    camera.pass_ms(3000)
    camera.happen(e.Press)
    assert {each["sound"] for each in camera.store.recordings[1].fragments} == {"on"}


def test_a_camera_that_begins_tells_those_close_by():
    camera = switched_on(after_ms=1000)
    camera.happen(e.Trigger, "light_bar")
    assert camera.announced == ["light_bar"]


def test_the_report_says_how_much_buffer_there_is():
    camera = switched_on(after_ms=13_000, buffer_ms=120_000)
    report = camera.recorder.report()
    assert (report.buffer_ms, report.buffer_setting_ms) == (13_000, 120_000)
    assert (report.shown, report.clock, report.charge_percent) == ("ready", "simulated", 87)


def test_pictures_and_time_change_nothing_while_the_camera_is_off():
    camera = SimulatedCamera()
    camera.pass_ms(1000)
    assert camera.store.journals == []


@pytest.mark.parametrize(("kind", "args"), [(e.PowerOff, ()), (e.Docked, ("desk",))])
def test_a_stop_that_is_followed_at_once_by_the_end_of_all_pictures_is_written(kind, args):
    camera = switched_on(buffer_ms=0)
    camera.happen(e.Press)
    camera.pass_ms(2500)
    camera.happen(e.Hold, 3000)
    camera.happen(kind, *args)
    (recording,) = camera.store.recordings
    assert recording.closed == "button"
    assert sum(each["duration_ms"] for each in recording.fragments) == 2500


def test_a_camera_that_is_behind_with_its_work_has_lost_nothing():
    camera = switched_on(after_ms=1000)
    camera.happen(e.Press)
    taken = camera.clock.ticks()
    camera.clock.go_to(taken + 3 * 90_000)
    for number in range(40):
        camera.recorder.hear(taken + number * 9000, np.zeros(4800, np.float32))
        camera.recorder.show(taken + number * 9000, "picture")
        camera.recorder.tick()
    assert "source_lost" not in camera.store.shift.names()
    assert follow_each_other(camera.store.recordings[0].fragments)

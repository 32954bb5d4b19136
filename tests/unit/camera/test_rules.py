"""What a camera does: every state with every event, and what must hold whatever happens."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.camera import events as e
from plainview.camera.effects import (
    Beep,
    Begin,
    BeginShift,
    Check,
    End,
    EndShift,
    Forget,
    Log,
    Phase,
    SetSound,
    Show,
)
from plainview.camera.rules import (
    CHECK_MS,
    LOST_LIMIT_MS,
    Orders,
    State,
    can_dock,
    shown_by,
    sound_of,
    step,
)
from plainview.formats.camera_orders import CameraSettings
from plainview.formats.capture import EVENTS, STOPS, TRIGGERS

ORDERS = Orders(CameraSettings(hold_ms=3000, reminder_ms=120_000, longest_ms=600_000))
WITH_POST = Orders(replace(ORDERS.settings, post_ms=5000))
COVERT = Orders(ORDERS.settings, "officer-1")
OFF = State()


def after(*happened, state=OFF, orders=ORDERS):
    """Return the state after events, and everything that followed from the last."""
    effects = ()
    for event in happened:
        state, effects = step(state, event, orders)
    return state, effects


def on(*happened, orders=ORDERS):
    return after(e.PowerOn(0), *happened, orders=orders)


def logged(effects, name):
    return [dict(each.facts) for each in effects if isinstance(each, Log) and each.event == name]


def only(effects, kind):
    return [each for each in effects if isinstance(each, kind)]


def test_a_camera_that_is_off_does_nothing_but_switch_on():
    assert after(e.Press(5), e.Tick(6), e.Docked(7)) == (State(), ())


def test_switching_on_begins_a_shift_and_records_nothing():
    state, effects = on()
    assert state.mode == "buffering"
    assert effects[0] == BeginShift()
    assert not only(effects, Begin)
    assert Show("ready") in effects


def test_a_check_waits_for_the_first_picture():
    state, effects = after(e.PowerOn(0, with_check=True, has_picture=False))
    assert (state.mode, shown_by(state)) == ("fault", "fault")
    assert not only(effects, Begin)
    state, effects = after(e.SourceBack(1500), state=state)
    assert (state.mode, state.began_ms) == ("checking", 1500)
    assert only(effects, Begin) == [Begin("function_check", "function_check", keeps_buffer=False)]


def test_without_a_check_the_first_picture_begins_nothing_and_a_press_before_it_waits():
    state, _ = after(e.PowerOn(0, has_picture=False))
    assert after(e.SourceBack(1500), state=state)[0].mode == "buffering"
    assert after(e.Press(700), e.SourceBack(1500), state=state)[0].mode == "recording"


def test_a_check_is_not_made_on_a_full_storage():
    state, _ = after(e.PowerOn(0, with_check=True, has_picture=False), e.Storage(5, "full"), e.SourceBack(9))
    assert state.mode == "fault"


def test_switching_on_twice_changes_nothing():
    assert on(e.PowerOn(9))[1] == ()


def test_a_press_begins_a_recording_with_the_buffer():
    state, effects = on(e.Press(1000))
    assert state.mode == "recording"
    assert effects[0] == Begin("recording", "button", keeps_buffer=True)
    assert logged(effects, "press") == [{"outcome": "begun"}]
    assert {Show("recording"), SetSound("on"), Beep(2)} <= {
        each for each in effects if not isinstance(each, Log)
    }


def test_a_press_does_not_stop_a_recording():
    state, effects = on(e.Press(1000), e.Press(1400))
    assert state.mode == "recording"
    assert effects == (Log("press", {"outcome": "already_recording"}),)


def test_holding_the_button_stops():
    state, effects = on(e.Press(1000), e.Hold(9000, 3000))
    assert state.mode == "buffering"
    assert End("button") in effects
    assert logged(effects, "press") == [{"held_ms": 3000, "outcome": "stopped"}]


def test_holding_it_too_shortly_does_not_stop():
    state, effects = on(e.Press(1000), e.Hold(9000, 2999))
    assert (state.mode, only(effects, End)) == ("recording", [])


def test_holding_it_while_nothing_runs_is_on_record_and_changes_nothing():
    state, effects = on(e.Hold(9000, 3000))
    assert state.mode == "buffering"
    assert logged(effects, "press") == [{"held_ms": 3000, "outcome": "nothing_to_stop"}]


def test_it_goes_on_after_the_stop_for_as_long_as_was_set():
    state, effects = on(e.Press(0), e.Hold(9000, 3000), orders=WITH_POST)
    assert state.mode == "post"
    assert only(effects, Phase) == [Phase("post")]
    assert shown_by(state) == "recording"
    assert after(e.Tick(13_999), state=state, orders=WITH_POST)[0].mode == "post"
    state, effects = after(e.Tick(14_000), state=state, orders=WITH_POST)
    assert (state.mode, only(effects, End)) == ("buffering", [End("button")])


def test_a_press_after_the_stop_goes_on_with_the_same_recording():
    state, effects = on(e.Press(0), e.Hold(9000, 3000), e.Press(11_000), orders=WITH_POST)
    assert state.mode == "recording"
    assert only(effects, Phase) == [Phase("recording")]
    assert not only(effects, (Begin, End))


def test_holding_again_after_the_stop_ends_at_once():
    state, effects = on(e.Press(0), e.Hold(9000, 3000), e.Hold(12_500, 3000), orders=WITH_POST)
    assert (state.mode, only(effects, End)) == ("buffering", [End("button")])


def test_the_check_at_the_start_is_a_recording_of_ten_seconds():
    state, effects = after(e.PowerOn(0, with_check=True))
    assert state.mode == "checking"
    assert only(effects, Begin) == [Begin("function_check", "function_check", keeps_buffer=False)]
    state, effects = after(e.Tick(CHECK_MS - 1), state=state)
    assert effects == ()
    state, effects = after(e.Tick(CHECK_MS), state=state)
    assert state.mode == "buffering"
    assert effects[:2] == (Check(), End("checked"))


def test_a_press_during_the_check_ends_it_and_records():
    state, effects = after(e.PowerOn(0, with_check=True), e.Press(4000))
    assert state.mode == "recording"
    kinds = [type(each) for each in effects]
    assert kinds.index(End) < kinds.index(Begin)


def test_muting_is_shown_and_ends_with_the_recording():
    state, effects = on(e.Press(0), e.Mute(1000))
    assert (shown_by(state), logged(effects, "muted")) == ("muted", [{}])
    assert SetSound("muted") in effects
    state, effects = after(e.Mute(2000), state=state)
    assert (shown_by(state), logged(effects, "unmuted")) == ("recording", [{}])
    state, _ = after(e.Mute(3000), e.Hold(9000, 3000), e.Press(10_000), state=state)
    assert not state.is_muted


def test_muting_while_nothing_runs_is_on_record_and_changes_nothing():
    state, effects = on(e.Mute(1000))
    assert not state.is_muted
    assert effects == (Log("press", {"button": "mute", "outcome": "nothing_to_mute"}),)


def test_a_marker_needs_a_recording():
    assert on(e.Press(0), e.Marker(5))[1] == (Log("marker"),)
    assert logged(on(e.Marker(5))[1], "press") == [{"button": "marker", "outcome": "nothing_to_mark"}]


@pytest.mark.parametrize(
    ("orders", "happened", "why"),
    [
        (ORDERS, (e.Press(0), e.Covert(5)), "nobody_allowed_it"),
        (COVERT, (e.Covert(5),), "only_while_recording"),
    ],
)
def test_covert_mode_is_refused(orders, happened, why):
    state, effects = on(*happened, orders=orders)
    assert not state.is_covert
    assert logged(effects, "press") == [{"button": "covert", "outcome": "refused", "why": why}]
    assert Beep(3) in effects


def test_covert_mode_says_who_allowed_it_and_is_dark_and_silent():
    state, effects = on(e.Press(0), e.Covert(5), orders=COVERT)
    assert logged(effects, "covert_on") == [{"allowed_by": "officer-1"}]
    assert Show("covert") in effects
    assert after(e.Tick(300_000), state=state, orders=COVERT)[1] == ()
    state, effects = after(e.Hold(400_000, 3000), state=state, orders=COVERT)
    assert not only(effects, Beep)
    assert logged(effects, "covert_off") == [{"why": "end"}]
    assert Show("ready") in effects


def test_covert_mode_is_left_by_the_same_button():
    state, effects = on(e.Press(0), e.Covert(5), e.Covert(9), orders=COVERT)
    assert shown_by(state) == "recording"
    assert logged(effects, "covert_off") == [{"why": "button"}]


def test_covert_mode_ends_when_it_is_no_longer_allowed():
    state, _ = on(e.Press(0), e.Covert(5), orders=COVERT)
    state, effects = after(e.Noted(9, "settings"), state=state, orders=ORDERS)
    assert not state.is_covert
    assert logged(effects, "covert_off") == [{"why": "no_longer_allowed"}]


def test_the_wearer_is_reminded_every_two_minutes():
    state, effects = on(e.Press(0), e.Tick(119_999))
    assert effects == ()
    state, effects = after(e.Tick(120_000), state=state)
    assert effects == (Beep(2), Log("reminder"))
    assert after(e.Tick(239_999), state=state)[1] == ()
    assert after(e.Tick(240_000), state=state)[1] == (Beep(2), Log("reminder"))


def test_a_trigger_records_and_says_what_it_was():
    state, effects = on(e.Trigger(7, "light_bar", {"sender": "car.example.org/12A"}))
    assert state.mode == "recording"
    assert effects[0] == Begin("recording", "light_bar", keeps_buffer=True)
    assert logged(effects, "trigger") == [
        {"source": "light_bar", "sender": "car.example.org/12A", "outcome": "begun"}
    ]


def test_a_refused_trigger_is_on_record_and_records_nothing():
    state, effects = on(e.RefusedTrigger(7, {"why": "not fresh"}))
    assert state.mode == "buffering"
    assert effects == (Log("trigger", {"why": "not fresh", "outcome": "refused"}),)


def test_a_trigger_in_a_dock_is_refused_and_on_record():
    state, effects = on(e.Docked(5, "desk"), e.Trigger(7, "holster"))
    assert state.mode == "docked"
    assert logged(effects, "trigger") == [{"source": "holster", "outcome": "refused", "why": "docked"}]


def test_the_longest_recording_goes_on_in_the_next_which_says_what_holds():
    state, _ = on(e.Trigger(0, "holster"), e.Mute(5), e.Covert(6), orders=COVERT)
    state, effects = after(e.Tick(600_000), state=state, orders=COVERT)
    assert effects[:2] == (End("longest"), Begin("recording", "holster", keeps_buffer=False))
    said = {each.event for each in effects if isinstance(each, Log) and each.to == "recording"}
    assert said == {"state", "muted", "covert_on", "light"}
    assert state.mode == "recording"
    assert after(e.Tick(1_199_999), state=state, orders=COVERT)[1] == ()


def test_what_goes_on_after_the_stop_stays_so_in_the_next_recording():
    long_post = Orders(replace(ORDERS.settings, post_ms=120_000))
    state, _ = on(e.Press(0), e.Hold(599_000, 3000), orders=long_post)
    effects = after(e.Tick(600_000), state=state, orders=long_post)[1]
    assert only(effects, Phase) == [Phase("post")]


@pytest.mark.parametrize(
    ("level", "reason", "event"), [("full", "storage_full", "storage_full"), ("fault", "fault", "fault")]
)
def test_a_storage_that_takes_nothing_ends_a_recording_and_is_shown(level, reason, event):
    state, effects = on(e.Press(0), e.Storage(9, level))
    assert (state.mode, shown_by(state)) == ("fault", "fault")
    assert only(effects, End) == [End(reason)]
    assert effects[0] == Log(event)
    assert only(after(e.Storage(10, level), state=state)[1], Log) == []
    _, effects = after(e.Press(11), state=state)
    assert logged(effects, "press")[0]["outcome"] == "refused"
    assert Beep(3) in effects
    state, _ = after(e.Storage(12, "ok"), state=state)
    assert state.mode == "buffering"


def test_a_full_storage_in_a_dock_changes_nothing_but_what_comes_after():
    state, _ = on(e.Docked(1), e.Storage(2, "full"))
    assert state.mode == "docked"
    assert after(e.Storage(3, "ok"), state=state)[0].mode == "docked"
    assert after(e.Taken(4), state=state)[0].mode == "buffering"


def test_a_storage_that_is_nearly_full_is_on_record():
    _state, effects = on(e.Storage(2, "low", {"free_mb": 90}))
    assert effects == (Log("storage_low", {"free_mb": 90}),)


def test_a_lost_picture_is_shown_and_its_return_goes_on_with_the_recording():
    state, effects = on(e.Press(0), e.SourceLost(5000))
    assert (state.mode, shown_by(state)) == ("recording", "fault")
    assert logged(effects, "source_lost") == [{"what": "picture"}]
    assert after(e.SourceLost(5001), state=state)[1] == ()
    state, effects = after(e.SourceBack(6000), state=state)
    assert shown_by(state) == "recording"
    assert not only(effects, (Begin, End))


def test_a_picture_that_stays_away_ends_the_recording_and_another_begins_when_it_is_back():
    state, _ = on(e.Trigger(0, "holster"), e.SourceLost(5000))
    state, effects = after(e.Tick(5000 + LOST_LIMIT_MS), state=state)
    assert (state.mode, only(effects, End)) == ("fault", [End("source_lost")])
    state, effects = after(e.SourceBack(60_000), state=state)
    assert state.mode == "recording"
    assert only(effects, Begin) == [Begin("recording", "holster", keeps_buffer=False)]


def test_after_a_stop_or_a_check_nothing_begins_when_the_picture_is_back():
    long_post = Orders(replace(ORDERS.settings, post_ms=60_000))
    state, _ = on(e.Press(0), e.Hold(4000, 3000), e.SourceLost(5000), e.Tick(15_000), orders=long_post)
    assert (state.mode, state.trigger) == ("fault", "")
    state, _ = after(e.SourceBack(60_000), state=state)
    assert state.mode == "buffering"


def test_a_press_while_there_is_no_picture_waits_for_it_and_holding_takes_it_back():
    state, effects = on(e.SourceLost(5000), e.Press(6000))
    assert state.mode == "fault"
    assert logged(effects, "press") == [{"outcome": "waits", "why": "source_lost"}]
    assert after(e.SourceBack(7000), state=state)[0].mode == "recording"
    assert after(e.Hold(6500, 3000), e.SourceBack(7000), state=state)[0].mode == "buffering"


def test_a_picture_that_comes_back_to_a_full_camera_begins_nothing():
    state, _ = on(e.SourceLost(5000), e.Press(6000), e.Storage(6500, "full"), e.SourceBack(7000))
    assert state.mode == "fault"


def test_lost_sound_is_on_record_and_stops_nothing():
    state, effects = on(e.Press(0), e.SourceLost(5, "sound"))
    assert state.mode == "recording"
    assert effects == (Log("source_lost", {"what": "sound"}),)
    assert after(e.SourceBack(6, "sound"), state=state)[1] == (Log("source_back", {"what": "sound"}),)


def test_a_picture_that_was_never_away_comes_back_unnoticed():
    assert on(e.SourceBack(6))[1] == ()


def test_a_lost_picture_in_a_dock_is_no_fault():
    state, _ = on(e.Docked(1), e.SourceLost(2))
    assert shown_by(state) == "docked"
    assert after(e.SourceBack(3), state=state)[0].mode == "docked"


def test_a_dock_ends_a_recording_and_what_was_buffered_is_forgotten():
    state, effects = on(e.Press(0), e.Docked(9, "desk"))
    assert (state.mode, only(effects, End)) == ("docked", [End("docked")])
    assert Forget() in effects
    assert logged(effects, "docked") == [{"dock": "desk"}]
    assert after(e.Docked(10), state=state)[1] == ()
    state, effects = after(e.Taken(11), state=state)
    assert state.mode == "buffering"
    assert after(e.Taken(12), state=state)[1] == ()


def test_switching_off_ends_the_recording_and_then_the_shift():
    state, effects = on(e.Press(0), e.PowerOff(9, "battery"))
    assert state.mode == "off"
    assert only(effects, End) == [End("battery")]
    assert effects[-1] == EndShift("battery")
    assert Show("dark") in effects
    assert on(e.PowerOff(9))[1][-1] == EndShift("power_off")


def test_the_buffer_has_sound_only_where_that_is_set():
    loud = Orders(replace(ORDERS.settings, has_buffer_sound=True))
    assert SetSound("on") in on(orders=loud)[1]
    assert sound_of(on()[0], ORDERS.settings) == "off"


def test_what_is_noted_changes_nothing_else():
    _state, effects = on(e.Noted(4, "clock_stepped", {"by_ms": -3_600_000}))
    assert effects == (Log("clock_stepped", {"by_ms": -3_600_000}),)


EVENT = st.one_of(
    st.sampled_from([e.Tick, e.Press, e.Mute, e.Marker, e.Covert, e.Taken, e.Docked]).map(
        lambda kind: (kind,)
    ),
    st.tuples(st.just(e.Hold), st.sampled_from([10, 2999, 3000, 9000])),
    st.tuples(st.just(e.PowerOn), st.booleans(), st.booleans()),
    st.tuples(st.just(e.PowerOff), st.sampled_from(["power_off", "battery", "end"])),
    st.tuples(st.just(e.Trigger), st.sampled_from(sorted(set(TRIGGERS) - {"function_check"}))),
    st.tuples(st.just(e.RefusedTrigger)),
    st.tuples(st.just(e.Storage), st.sampled_from(["ok", "low", "full", "fault"])),
    st.tuples(st.sampled_from([e.SourceLost, e.SourceBack]), st.sampled_from(["picture", "sound"])),
    st.tuples(st.just(e.Noted), st.just("battery")),
)
MAY_END = (e.PowerOff, e.Docked, e.Storage, e.SourceLost, e.Tick)


def carry_out(effects, running, has_shift):
    """Do what effects say to journals, and refuse what could not be done."""
    for effect in effects:
        if isinstance(effect, BeginShift):
            assert not has_shift
            has_shift = True
        elif isinstance(effect, EndShift):
            assert has_shift
            assert not running
            assert effect.reason in STOPS
            has_shift = False
        elif isinstance(effect, Begin):
            assert not running
            assert effect.trigger in TRIGGERS
            running = True
        elif isinstance(effect, (End, Check, Phase)):
            assert running
            running = running and not isinstance(effect, End)
        elif isinstance(effect, Log):
            assert has_shift
            assert effect.event in EVENTS
            assert running or effect.to != "recording"
    return running, has_shift


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(EVENT, st.integers(0, 9000)), min_size=8, max_size=40),
    st.sampled_from([ORDERS, WITH_POST, COVERT]),
)
def test_whatever_happens_a_recording_is_in_a_journal_and_only_what_may_end_it_does(happened, orders):
    state, now_ms, running, has_shift, light = State(), 0, False, False, "dark"
    for (kind, *args), later_ms in [((e.PowerOn,), 0), *happened]:
        now_ms += later_ms
        event, before = kind(now_ms, *args), state
        state, effects = step(state, event, orders)
        running, has_shift = carry_out(effects, running, has_shift)
        assert running == state.is_recording
        assert has_shift == (state.mode != "off")
        if before.mode == "recording" and not state.is_recording:
            assert isinstance(event, MAY_END) or (isinstance(event, e.Hold) and event.held_ms >= 3000)
        for effect in effects:
            light = effect.shown if isinstance(effect, Show) else light
        assert light == shown_by(state)
        assert (light == "dark") == (state.mode == "off")
        assert not state.is_covert or orders.covert_allowed_by
        assert light not in ("recording", "muted") or state.is_recording
        assert not (can_dock(state) and state.is_recording)

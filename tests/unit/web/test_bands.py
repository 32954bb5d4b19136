"""Bands over time: what holds from when until when, in windows and in percent."""

from datetime import UTC, datetime, timedelta

import pytest

from plainview.evidence.capture_queries import KnownEvent, KnownJournal, KnownMarker
from plainview.evidence.rules import NO_TRIGGER, Trigger
from plainview.web.bands import (
    DOES,
    SHOWN,
    Span,
    Tick,
    as_percent,
    clipped,
    legend_of,
    light_spans,
    muted_spans,
    shift_spans,
    spans_from,
    state_changes,
    total_ms,
    within,
)
from plainview.web.camera_rows import Said, buffer_of, camera_rows, trigger_words

AT = datetime(2026, 3, 15, 6, 50, tzinfo=UTC)


def event(mono_ms, name, position_ms=None, **facts):
    return KnownEvent(AT, mono_ms, position_ms, name, facts)


def journal(**more):
    told = {
        "key": 1,
        "device": 1,
        "stream": "000001-00000000",
        "previous_stream": "",
        "purpose": "recording",
        "boot": 1,
        "counter": 1,
        "started_at": AT,
        "ended_at": AT + timedelta(seconds=60),
        "verdict": "ok",
        "is_closed": True,
        "fragments": 1,
        "proven_fragments": 1,
        "start": {"mono_ms": 5000, "buffer_ms": 30_000, "trigger": "button"},
        "findings": [],
        "checked_at": AT,
        "camera_key": None,
    } | more
    return KnownJournal(**told)


def said(**more):
    told = {
        "journal": None,
        "events": [],
        "lights": [],
        "trigger": NO_TRIGGER,
        "started_at": AT,
        "markers": [],
    } | more
    return Said(**told)


def kinds(spans):
    return [(span.kind, span.start_ms, span.end_ms) for span in spans]


def test_before_the_first_word_nothing_is_known_and_the_last_word_holds_to_the_end():
    found = spans_from([(10, "ready"), (30, "recording")], SHOWN, length_ms=100)
    assert kinds(found) == [("unknown", 0, 10), ("ready", 10, 30), ("recording", 30, 100)]


def test_what_was_said_before_the_beginning_holds_from_the_beginning():
    assert kinds(spans_from([(-500, "ready"), (-20, "fault")], SHOWN, length_ms=10)) == [("fault", 0, 10)]


def test_a_word_nobody_knows_is_unknown_and_the_same_word_again_is_one_span():
    found = spans_from([(0, "disco"), (20, "ready"), (40, "ready")], SHOWN, length_ms=60)
    assert kinds(found) == [("unknown", 0, 20), ("ready", 20, 60)]


def test_a_word_that_held_for_no_time_is_left_out():
    assert kinds(spans_from([(0, "fault"), (0, "ready")], SHOWN, length_ms=9)) == [("ready", 0, 9)]


def test_the_light_is_read_from_light_events_alone():
    events = [
        event(0, "press", 0),
        event(0, "light", 5, shows="recording"),
        event(0, "light", None, shows="dark"),
    ]
    assert kinds(light_spans(events, length_ms=9)) == [("unknown", 0, 5), ("recording", 5, 9)]


def test_a_mute_that_never_ended_holds_to_the_end():
    events = [event(0, "muted", 10), event(0, "muted", 12), event(0, "unmuted", 20), event(0, "muted", 30)]
    assert kinds(muted_spans(events, length_ms=50)) == [("muted", 10, 20), ("muted", 30, 50)]
    assert muted_spans([event(0, "unmuted", 5), event(0, "muted")], length_ms=50) == []


def test_mute_and_covert_mode_are_told_apart_from_recording_and_end_with_it():
    events = [
        event(0, "state", state="recording"),
        event(5, "covert_on"),
        event(6, "muted"),
        event(7, "covert_off"),
        event(8, "reminder"),
        event(9, "state", state="post"),
        event(10, "state", state="buffering"),
        event(11, "state", state="recording"),
    ]
    assert state_changes(events) == [
        (0, "recording"),
        (5, "covert"),
        (6, "covert"),
        (7, "muted"),
        (9, "muted"),
        (10, "buffering"),
        (11, "recording"),
    ]


def test_a_shift_that_was_not_closed_lasts_as_long_as_its_last_word():
    events = [event(5000, "state", state="buffering"), event(65_000, "battery", percent=9)]
    spans, length_ms = shift_spans(journal(purpose="shift", ended_at=None), events)
    assert (kinds(spans), length_ms) == ([("buffering", 0, 60_000)], 60_000)
    assert shift_spans(journal(purpose="shift", ended_at=None, start={}), [])[1] == 1


def test_every_state_has_a_look_and_those_that_mean_alike_look_alike():
    looks = {kind: Span(kind, words, 0, 1).fill for kind, words in {**SHOWN, **DOES}.items()}
    assert looks["buffering"] == looks["ready"]
    assert looks["off"] == looks["dark"]
    assert set(looks.values()) == set(SHOWN)


def test_a_window_cuts_spans_and_leaves_out_what_lies_beside_it():
    spans = [Span("muted", "", 0, 10), Span("muted", "", 10, 30), Span("muted", "", 50, 60)]
    assert kinds(clipped(spans, from_ms=20, length_ms=20)) == [("muted", 0, 10)]
    ticks = [Tick("marker", "", at) for at in (19, 20, 39, 40)]
    assert [tick.start_ms for tick in within(ticks, from_ms=20, length_ms=20)] == [0, 19]


def test_places_are_percent_of_the_whole():
    (span,), (tick,) = as_percent([Span("x", "", 250, 750)], 1000), as_percent([Tick("x", "", 125)], 1000)
    assert (span.left, span.width) == ("25.000%", "50.000%")
    assert (tick.left, tick.width) == ("12.500%", "0.000%")


def test_a_legend_has_one_of_each_and_totals_add_up():
    spans = [Span("a", "A", 0, 10), Span("b", "B", 10, 20), Span("a", "A", 20, 25)]
    assert [each.words for each in legend_of(spans)] == ["A", "B"]
    assert total_ms(spans, "a") == 15


def test_a_buffer_that_nothing_tells_of_is_not_known_rather_than_none():
    assert buffer_of(said()) is None
    assert buffer_of(said(journal=journal(start={}))) is None
    assert buffer_of(said(trigger=Trigger(on_at=AT + timedelta(seconds=2)))) == 2000
    assert buffer_of(said(trigger=Trigger(on_at=AT - timedelta(seconds=2)))) == 0
    assert buffer_of(said(trigger=Trigger(on_at=AT), started_at=None)) is None


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (said(journal=journal(start={"trigger": "light_bar"})), "The light bar of a car was switched on."),
        (said(trigger=Trigger(on_reason="holster")), "A weapon was drawn from its holster."),
        (said(trigger=Trigger(on_reason="Double tap")), "The camera says: Double tap."),
        (said(), ""),
    ],
)
def test_what_started_a_recording_is_a_sentence(told, words):
    assert trigger_words(told) == words


def test_sound_before_the_start_is_said_to_be_there_or_not():
    for start, words in (
        ({"has_buffer_sound": True}, "Before the button, with sound"),
        ({"trigger": "holster"}, "Before the start, without sound"),
    ):
        given = {"mono_ms": 0, "buffer_ms": 1000, "trigger": "button", **start}
        rows = camera_rows(said(journal=journal(start=given)), from_ms=0, length_ms=9000)
        assert rows.button[0].what.words == words


def test_markers_without_a_place_are_not_drawn():
    markers = [
        KnownMarker("import", None, None, "Note", ""),
        KnownMarker("import", 10, None, "", ""),
        KnownMarker("camera", 5, None, "", ""),
    ]
    rows = camera_rows(said(markers=markers), from_ms=0, length_ms=100)
    assert [tick.what.words for tick in rows.ticks] == ["Marker set by the wearer", "Marker without words"]
    assert rows.has_markers


def test_a_recording_without_length_or_anything_said_has_no_rows():
    assert camera_rows(said(), from_ms=0, length_ms=100) is None
    assert camera_rows(said(journal=journal()), from_ms=0, length_ms=0) is None

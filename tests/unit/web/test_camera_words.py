"""Clocks, settings and spans of time, in words and out of forms."""

from datetime import UTC, datetime

import pytest

from plainview.evidence.camera_rules import ADMISSIONS, ATTACHMENT_KINDS, CAPTURE_VERDICTS
from plainview.formats.camera_orders import CameraSettings
from plainview.formats.capture import CAPTURE_CLOCKS, PURPOSES, WORN_POSITIONS
from plainview.verify import verdicts
from plainview.web import capture_words
from plainview.web.camera_words import (
    KEY_STATES,
    NUMBERS,
    FormValueError,
    clock_words,
    local_words,
    number_words,
    read_local,
    read_settings,
    settings_words,
)


@pytest.mark.parametrize(
    ("error_ms", "doubt_ms", "words"),
    [
        (None, None, "not known"),
        (0, 100, "right (+/-0.1 s)"),
        (2500, 100, "2.5 s fast (+/-0.1 s)"),
        (-700, None, "0.7 s slow"),
        (-75_000, None, "1 min 15 s slow"),
        (3 * 86_400_000, 500, "3 days fast (+/-0.5 s)"),
    ],
)
def test_how_far_a_clock_is_off_and_which_way(error_ms, doubt_ms, words):
    assert clock_words(error_ms, doubt_ms) == words


def test_whatever_the_records_may_say_has_words():
    assert set(KEY_STATES) == set(ADMISSIONS)
    assert set(capture_words.VERDICTS) == set(CAPTURE_VERDICTS)
    assert set(capture_words.ATTACHMENTS) == set(ATTACHMENT_KINDS)
    assert set(capture_words.CLOCKS) == set(CAPTURE_CLOCKS)
    assert set(capture_words.WORN) == set(WORN_POSITIONS)
    assert set(capture_words.PURPOSES) == set(PURPOSES)


def test_verdicts_are_the_checkers_words():
    known = {verdict.word for verdict in verdicts.VERDICTS}
    assert {word for word, _ in capture_words.VERDICTS.values()} <= known


def form(settings):
    numbers = {name: number_words(getattr(settings, name), scale) for name, (_, _, scale) in NUMBERS.items()}
    sound = {"has_buffer_sound": "1"} if settings.has_buffer_sound else {}
    return {**numbers, **sound, "size": f"{settings.width_px}x{settings.height_px}", "worn": settings.worn}


@pytest.mark.parametrize(
    "settings",
    [
        CameraSettings(),
        CameraSettings(
            buffer_ms=0, has_buffer_sound=True, hold_ms=2500, width_px=800, height_px=450, worn="belt"
        ),
    ],
)
def test_a_form_that_is_sent_as_it_was_shown_changes_nothing(settings):
    assert read_settings(form(settings), before=settings) == (settings, {})


def test_each_field_is_wrong_by_itself():
    found, errors = read_settings(
        {**form(CameraSettings()), "buffer_ms": "-1", "worn": "hat"}, before=CameraSettings()
    )
    assert set(errors) == {"buffer_ms", "worn"}
    assert found == CameraSettings()


def test_settings_are_said_with_their_units():
    said = dict(settings_words(CameraSettings(has_buffer_sound=True)))
    assert said["Kept from before the start"] == "30 seconds"
    assert said["Sound of that"] == "with sound"
    assert said["Data rate"] == "4 million bits a second"
    assert said["Pictures a second"] == "30"


def test_a_time_is_read_by_the_clocks_of_the_place():
    zone = "America/Los_Angeles"
    assert read_local("2026-03-14T23:50", zone=zone) == datetime(2026, 3, 15, 6, 50, tzinfo=UTC)
    assert local_words(datetime(2026, 3, 15, 6, 50, tzinfo=UTC), zone=zone) == "2026-03-14T23:50"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Give a date and a time"),
        ("yesterday", "Give a date and a time"),
        ("2026-03-14T23:50+00:00", "Give a date and a time"),
        ("9999-12-31T23:59", "Give a date and a time"),
        ("2026-03-08T02:30", "The clocks are changed"),
        ("2026-11-01T01:30", "The clocks are changed"),
    ],
)
def test_a_time_that_is_none_or_comes_twice_or_never_is_refused(text, said):
    with pytest.raises(FormValueError, match=said):
        read_local(text, zone="America/Los_Angeles")

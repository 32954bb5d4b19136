"""Buttons: a press counts at once, a hold once it has lasted."""

import io

import pytest

from plainview.camera.buttons import (
    INPUT_EVENT,
    KEY_BOOKMARKS,
    KEY_RECORD,
    RecordButton,
    other_event,
    read_keys,
    terminal_event,
)
from plainview.camera.events import Covert, Hold, Marker, Mute, PowerOff, Press


def test_a_press_counts_when_the_button_goes_down():
    assert RecordButton(3000).down(5, is_recording=False) == Press(5)


def test_a_long_press_does_not_end_what_it_began():
    button = RecordButton(3000)
    button.down(5, is_recording=False)
    assert button.tick(9000) is None
    assert button.up(9000) is None


def test_a_hold_counts_once_it_has_lasted_without_waiting_for_the_finger():
    button = RecordButton(3000)
    assert button.down(5, is_recording=True) is None
    assert button.tick(3004) is None
    assert button.tick(3005) == Hold(3005, 3000)
    assert button.tick(9000) is None
    assert button.up(9100) is None


def test_what_was_no_hold_was_a_press():
    button = RecordButton(3000)
    button.down(5, is_recording=True)
    assert button.up(2000) == Press(2000)


def test_a_hold_that_nobody_looked_at_in_time_is_still_one():
    button = RecordButton(3000)
    button.down(5, is_recording=True)
    assert button.up(4000) == Hold(4000, 3995)


@pytest.mark.parametrize(
    ("key", "kind"), [("p", Press), ("m", Mute), ("k", Marker), ("c", Covert), ("q", PowerOff)]
)
def test_keys_of_a_terminal(key, kind):
    assert terminal_event(key, mono_ms=7, hold_ms=3000) == kind(7)


def test_a_terminal_cannot_hold_so_a_key_stands_for_it():
    assert terminal_event("h", mono_ms=7, hold_ms=3000) == Hold(7, 3000)
    assert terminal_event("x", mono_ms=7, hold_ms=3000) is None


def device(*events):
    return io.BytesIO(b"".join(INPUT_EVENT.pack(0, 0, *event) for event in events))


def test_keys_of_an_input_device():
    read = device((1, KEY_RECORD, 1), (0, 0, 0), (1, KEY_RECORD, 2), (1, KEY_BOOKMARKS, 0), (1, 30, 1))
    assert [read_keys(read) for _ in range(5)] == [[("record", True)], [], [], [("marker", False)], []]
    with pytest.raises(EOFError):
        read_keys(read)


def test_other_buttons_count_when_they_go_down():
    assert other_event("marker", 7) == Marker(7)
    assert other_event("record", 7) is None

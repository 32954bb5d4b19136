"""What a bay says."""

import re

import pytest

from plainview.dock.rules import DockFile, FileState
from plainview.dock.words import SHAPES, Bay, say_battery, say_bay, say_camera, say_clock, say_time_left

FORBIDDEN = re.compile(r"verified|valid|tamper|forensic|authentic|oops|evidence item|asset|!", re.IGNORECASE)


def files(*states, size_bytes=60_000_000):
    made = []
    for number, state in enumerate(states, 1):
        name = f"{number:06d}-aaaaaaaa"
        it = DockFile(name, "footage", f"{name}/footage.sealed", size_bytes, 0, number, is_critical=False)
        is_there = state in ("sent", "checked")
        receipt = b"{}" if state == "checked" else None
        why = "The card fails." if state == "failed" else ""
        made.append(FileState(it, state, sent_bytes=size_bytes * is_there, receipt=receipt, why=why))
    return tuple(made)


def bay(*states, **changes):
    return Bay(key="usb", is_listed=True, files=files(*states), **changes)


def test_a_bay_at_work_says_how_much_is_checked_how_wrong_the_clock_is_and_how_long_it_takes():
    words = say_bay(
        bay(*["checked"] * 3, *["waiting"] * 4, clock_error_ms=2310, clock_doubt_ms=4, elapsed_s=180)
    )
    assert (words.shape, words.headline) == ("busy", "Leave it here")
    assert words.line == "3 of 7 checked, clock +2.3 s, about 4 min"


def test_a_camera_whose_every_file_is_checked_is_safe_to_take():
    words = say_bay(bay("checked", "checked", battery_percent=81))
    assert (words.shape, words.headline) == ("safe", "Safe to take")
    assert words.line == "2 of 2 checked, battery 81%"


def test_a_camera_with_nothing_on_it_is_safe_to_take():
    assert say_bay(bay()).headline == "Safe to take"
    assert say_bay(bay()).line == "nothing on it"


@pytest.mark.parametrize(
    ("changes", "states", "shape", "headline"),
    [
        ({"is_gone": True}, ["sent"], "attention", "Taken too soon: put it back"),
        ({"is_recording": True}, [], "waits", "Still recording: hold its button to stop"),
        (
            {"admission": "waiting", "fingerprint": "1f0c 22ab"},
            [],
            "waits",
            "Waiting to be admitted: 1f0c 22ab",
        ),
        ({"admission": "revoked"}, ["sent"], "attention", "This camera was revoked: ask an administrator"),
        ({}, ["checked", "failed"], "attention", "Leave it here: not all of it is checked"),
        ({}, ["failed", "waiting"], "busy", "Leave it here"),
        ({"is_listed": False}, [], "busy", "Leave it here"),
    ],
)
def test_each_state_has_a_shape_and_a_sentence(changes, states, shape, headline):
    words = say_bay(Bay(**({"key": "usb", "is_listed": True, "files": files(*states)} | changes)))
    assert (words.shape, words.headline) == (shape, headline)
    assert words.shape in SHAPES
    assert not FORBIDDEN.search(f"{words.headline} {words.line}")


def test_a_bay_that_does_not_know_yet_what_is_on_it_says_so():
    assert say_bay(Bay(key="usb")).line == "looking at what is on it"


def test_what_is_wrong_is_said_once_and_trouble_first():
    words = say_bay(bay("failed", "failed", trouble="The server does not answer.", warning="Old orders."))
    assert words.problems == ("The server does not answer.", "Old orders.", "The card fails.")


@pytest.mark.parametrize(
    ("error_ms", "doubt_ms", "said"),
    [
        (None, None, ""),
        (0, 3, "clock right"),
        (-99, 3, "clock right"),
        (400, 500, "clock right"),
        (400, None, "clock +0.4 s"),
        (-2310, 4, "clock -2.3 s"),
        (600_000, 4, "clock 10 min ahead"),
        (-7_200_000, 4, "clock 2 h behind"),
        (-1_770_000_000_000, 4, "clock 20486 days behind"),
    ],
)
def test_a_clock_is_said_as_wrong_as_it_is_known_to_be(error_ms, doubt_ms, said):
    assert say_clock(error_ms, doubt_ms) == said


@pytest.mark.parametrize(
    ("left_s", "said"),
    [(None, ""), (5, "less than a minute"), (250, "about 4 min"), (9000, "about 2.5 h")],
)
def test_the_time_left_is_said_roughly(left_s, said):
    assert say_time_left(left_s) == said


def test_what_is_not_known_is_left_out():
    assert say_battery(None) == ""
    assert say_camera("", "", "") == "A camera without a name"
    assert say_camera("Plainview", "", "SN42") == "Plainview SN42"

"""The light: what it tells can be told apart by rhythm alone."""

import itertools
from typing import get_args

import pytest

from plainview.camera.effects import Shown
from plainview.camera.indicator import RHYTHMS, light_at

TOLD = [shown for shown in get_args(Shown) if shown not in ("dark", "covert")]


def blinks(shown, *, in_grey):
    colours = [light_at(shown, at_ms) for at_ms in range(0, 6000, 10)]
    return [colour != "dark" for colour in colours] if in_grey else colours


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(TOLD, 2)))
def test_two_states_differ_even_where_no_colour_is_seen(one, other):
    assert blinks(one, in_grey=True) != blinks(other, in_grey=True)


def test_every_state_has_a_rhythm_with_words():
    assert set(RHYTHMS) == set(get_args(Shown))
    assert all(rhythm.words and rhythm.meaning for rhythm in RHYTHMS.values())


def test_on_is_not_recording():
    assert blinks("ready", in_grey=False).count("red") == 0
    assert blinks("recording", in_grey=False).count("green") == 0
    assert "dark" in blinks("ready", in_grey=False)


def test_covert_and_off_are_dark():
    assert set(blinks("covert", in_grey=False)) == set(blinks("dark", in_grey=False)) == {"dark"}


def test_recording_blinks_twice_a_second():
    shown = blinks("recording", in_grey=True)[:100]
    assert sum(not before and now for before, now in itertools.pairwise([False, *shown])) == 2

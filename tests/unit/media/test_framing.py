"""Sizes, paces and room: the arithmetic of viewing copies."""

import itertools
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.media.copy_writer import Pace, index_bytes_for, most_pictures
from plainview.media.framing import fitted_size, sane_aspect
from plainview.media.sound import playable_rate_hz
from plainview.media.storyboard import step_ms

SIDES = st.integers(1, 16_384)
ASPECTS = st.fractions(Fraction(1, 16), 16, max_denominator=100)


@settings(max_examples=200)
@given(width=SIDES, height=SIDES, aspect=ASPECTS)
def test_a_fitted_size_is_even_inside_the_box_and_never_larger_than_the_picture(width, height, aspect):
    wide, tall = fitted_size(width, height, box=(1280, 720), pixel_aspect=aspect)
    assert wide % 2 == tall % 2 == 0
    assert 2 <= wide <= 1280
    assert 2 <= tall <= 720
    assert wide <= max(2, width * max(aspect, 1) + 1)
    assert tall <= max(2, height / min(aspect, 1) + 1)


@settings(max_examples=200)
@given(
    width=st.integers(200, 8000), height=st.integers(200, 8000), aspect=st.sampled_from([1, Fraction(16, 11)])
)
def test_a_fitted_size_keeps_the_shape(width, height, aspect):
    wide, tall = fitted_size(width, height, box=(1280, 720), pixel_aspect=Fraction(aspect))
    shape = Fraction(width, height) * aspect
    assert (wide - 2) / (tall + 2) <= shape <= (wide + 2) / max(1, tall - 2)


@pytest.mark.parametrize(
    ("said", "taken"), [(None, 1), (Fraction(0), 1), (Fraction(100), 1), (Fraction(4, 3), Fraction(4, 3))]
)
def test_an_absurd_pixel_is_taken_as_square(said, taken):
    assert sane_aspect(said) == taken


@settings(max_examples=100)
@given(
    steps_us=st.lists(st.integers(1, 120_000), min_size=1, max_size=400),
    rate=st.none() | st.fractions(1, 400, max_denominator=1001),
)
def test_no_stretch_of_time_gets_more_than_thirty_pictures_a_second(steps_us, rate):
    pace, at_us, taken = Pace(rate), 0, []
    for step_us in steps_us:
        at_us += step_us
        if pace.takes(at_us):
            taken.append(at_us)
    assert taken
    for i in range(0, len(taken), 7):
        stretch_us = taken[-1] - taken[i]
        assert len(taken) - i <= stretch_us * 30.31 / 1e6 + 3


@pytest.mark.parametrize(
    ("rate", "kept"), [(10, 10), (Fraction(30_000, 1001), 30), (48, 24), (50, 25), (Fraction(60_000, 1001), 30), (240, 30)]
)  # fmt: skip
def test_even_recordings_stay_even(rate, kept):
    pace = Pace(Fraction(rate))
    taken = [i for i in range(rate.__ceil__() * 2) if pace.takes(int(i * 1_000_000 / rate))]
    assert {b - a for a, b in itertools.pairwise(taken)} == {round(rate / kept)}


@settings(max_examples=100)
@given(jitter=st.lists(st.integers(-10_000, 10_000), min_size=60, max_size=60))
def test_jitter_loses_nothing_of_thirty_a_second(jitter):
    pace = Pace(Fraction(30))
    times = sorted(i * 33_333 + shift for i, shift in enumerate(jitter, 1))
    lost = sum(not pace.takes(at_us) for at_us in times)
    assert lost <= 1  # a first picture that is late makes those after it look early


def test_the_room_for_the_index_grows_with_what_is_in_it():
    with_both = index_bytes_for(60_000, pictures=1800, rate_hz=48_000)
    assert with_both > index_bytes_for(60_000, pictures=1800, rate_hz=None)
    assert with_both > index_bytes_for(60_000, pictures=900, rate_hz=48_000)
    assert with_both > index_bytes_for(30_000, pictures=1800, rate_hz=48_000)


def test_a_small_file_that_claims_to_be_long_gets_little_room():
    pictures = most_pictures(48 * 3_600_000, packet_count=2)
    assert index_bytes_for(48 * 3_600_000, pictures=pictures, rate_hz=None) < 1_000_000


@pytest.mark.parametrize(
    ("hz", "becomes"), [(16_000, 16_000), (8000, 48_000), (96_000, 48_000), (None, 48_000)]
)
def test_sound_keeps_its_rate_where_browsers_play_it(hz, becomes):
    assert playable_rate_hz(hz) == becomes


@given(st.integers(0, 48 * 3_600_000))
def test_a_storyboard_has_at_most_a_hundred_pictures(duration_ms):
    assert duration_ms <= 100 * step_ms(duration_ms)

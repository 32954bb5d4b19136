"""Storyboards: which picture is in which place, read from the numbers they carry."""

import io
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from plainview.media.derive import derive
from plainview.media.errors import UnderivableMediaError
from plainview.media.storyboard import make_storyboard
from simulators import media_files as made


def sheet_of(data):
    target = io.BytesIO()
    facts = make_storyboard(io.BytesIO(data), target)
    assert facts.size_bytes == len(target.getvalue())
    return facts, target.getvalue()


def sheet_beside_copy(data):
    target = io.BytesIO()
    facts = derive(io.BytesIO(data), viewing_copy=io.BytesIO(), storyboard=target, waveform=None).storyboard
    return facts, target.getvalue()


def tiles(facts, jpeg):
    """Give (time, number) of each small picture."""
    sheet = np.asarray(Image.open(io.BytesIO(jpeg)).convert("L"))
    rows = -(-len(facts.times_ms) // facts.columns)
    assert sheet.shape == (rows * facts.tile_height_px, facts.columns * facts.tile_width_px)
    found = []
    for i, at_ms in enumerate(facts.times_ms):
        y, x = i // facts.columns * facts.tile_height_px, i % facts.columns * facts.tile_width_px
        tile = sheet[y : y + facts.tile_height_px, x : x + facts.tile_width_px]
        found.append((at_ms, made.read_number(tile)))
    return found


@pytest.mark.parametrize("make", [sheet_of, sheet_beside_copy])
@pytest.mark.parametrize("container", ["mp4", "matroska", "mpegts"])
def test_each_small_picture_is_the_one_of_its_time(make, container):
    facts, jpeg = make(made.numbered_file(container, count=150, key_every=10, size=(320, 240)))
    assert (facts.tile_width_px, facts.tile_height_px, facts.columns, facts.every_ms) == (160, 120, 10, 1000)
    assert tiles(facts, jpeg) == [(i * 1000, i * 10) for i in range(15)]


def test_key_pictures_elsewhere_are_told_with_their_own_times():
    facts, jpeg = sheet_of(made.numbered_file(count=60, key_every=7))
    shown = tiles(facts, jpeg)
    assert len(shown) >= 5
    assert all(at == number * 100 for at, number in shown)
    assert all(number % 7 == 0 for _, number in shown)


def test_where_key_pictures_are_rare_others_are_decoded():
    facts, jpeg = sheet_of(made.numbered_file(count=80, key_every=200, codec_options={"sc_threshold": "0"}))
    shown = tiles(facts, jpeg)
    assert len(shown) == 8
    assert all(at == number * 100 and abs(at - i * 1000) < 300 for i, (at, number) in enumerate(shown))


@pytest.mark.parametrize("make", [sheet_of, sheet_beside_copy])
@pytest.mark.parametrize("turn", [90, 180, 270])
def test_small_pictures_stand_upright(make, turn):
    facts, jpeg = make(made.numbered_file(rotation_deg=turn, size=(320, 180), count=30))
    upright = (160, 284) if turn != 180 else (160, 90)
    assert (facts.tile_width_px, facts.tile_height_px) == upright
    assert [n for _, n in tiles(facts, jpeg)] == [0, 10, 20]


def poster_of(facts, jpeg):
    return np.asarray(Image.open(io.BytesIO(jpeg[-facts.poster_bytes :])).convert("L"))


@pytest.mark.parametrize("count", [3, 30])
def test_the_poster_is_the_first_small_picture_that_shows_something(count):
    def dark_at_first(number, width, height):
        drawn = made.number_picture(number, width, height)
        return drawn if number >= 20 or count == 3 else np.full_like(drawn, 16)

    facts, jpeg = sheet_of(
        made.numbered_file(count=count * 5, size=(320, 240), key_every=10, paint=dark_at_first)
    )
    poster = poster_of(facts, jpeg)
    assert poster.shape == (facts.tile_height_px, facts.tile_width_px)
    assert made.read_number(poster) == (0 if count == 3 else 20)
    assert facts.poster_bytes < 15_000


def test_where_nothing_shows_the_poster_is_what_shows_most():
    def nearly_black(number, width, height):
        return np.full((height, width), 16, np.uint8) + (number >= 20) * np.uint8(
            [[i % 9 for i in range(width)]] * height
        )

    facts, jpeg = sheet_of(made.numbered_file(count=40, size=(320, 240), key_every=10, paint=nearly_black))
    poster = poster_of(facts, jpeg)
    assert poster.std() > 1


def test_small_pictures_have_square_pixels():
    facts, jpeg = sheet_of(made.numbered_file(pixel_aspect=Fraction(2), count=20))
    assert (facts.tile_width_px, facts.tile_height_px) == (160, 60)
    assert [n for _, n in tiles(facts, jpeg)] == [0, 10]


def test_a_late_clock_counts_from_the_first_picture():
    late = made.numbered_file("matroska", times_ms=[5000 + i * 100 for i in range(30)])
    facts, jpeg = sheet_of(late)
    assert tiles(facts, jpeg) == [(0, 0), (1000, 10), (2000, 20)]


def test_one_picture_is_a_storyboard():
    facts, jpeg = sheet_of(made.numbered_file(count=1))
    assert tiles(facts, jpeg) == [(0, 0)]
    assert facts.columns == 1


def test_sound_has_no_storyboard():
    with pytest.raises(UnderivableMediaError) as caught:
        sheet_of(made.wav_file())
    assert caught.value.jail_reason == "no_picture"


def test_a_damaged_key_picture_leaves_the_others():
    data = bytearray(made.numbered_file("mpegts", count=100, key_every=10, size=(320, 240)))
    middle = len(data) // 2 // 188 * 188
    data[middle : middle + 188 * 20] = bytes(188 * 20)
    shown = tiles(*sheet_of(bytes(data)))
    assert len(shown) >= 7
    assert sum(at == number * 100 for at, number in shown) >= 7


def test_real_pictures_are_in_colour():
    with made.shared_media("crowd_1080p.mp4").open("rb") as file:
        target = io.BytesIO()
        facts = make_storyboard(file, target)
    assert (facts.tile_width_px, facts.tile_height_px, len(facts.times_ms)) == (160, 90, 5)
    assert np.asarray(Image.open(target)).std(axis=2).mean() > 3


@pytest.mark.parametrize("make", [sheet_of, sheet_beside_copy])
def test_what_covers_the_lens_is_seen_in_the_small_pictures(make):
    def half_covered(number, width, height):
        drawn = np.random.default_rng(number).integers(0, 256, (height // 8, width // 8), np.uint8)
        drawn = np.repeat(np.repeat(drawn, 8, axis=0), 8, axis=1)
        drawn[:, width // 2 :] = 40
        return drawn

    facts, _ = make(made.numbered_file(count=30, size=(320, 192), paint=half_covered))
    assert facts.lens.verdict == "partly_blocked"
    assert 440 <= facts.lens.blocked_permille <= 500
    assert facts.lens.even_permille == 0

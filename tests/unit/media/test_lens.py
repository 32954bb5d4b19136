"""The lens, judged from small pictures that are made: what covers it, and what only looks as if something did."""

import numpy as np
import pytest

from plainview.media.lens import judge_lens, look

WIDE, TALL = 160, 90


def street(count=10, *, mean=110, size=(WIDE, TALL)):
    """Give small pictures full of detail that pass by."""
    random = np.random.default_rng(7)
    width, height = size
    coarse = random.integers(
        mean // 3, min(255, mean * 5 // 3), (height // 3 + 1, width // 3 + count * 4 + 1)
    )
    fine = np.repeat(np.repeat(coarse, 3, axis=0), 3, axis=1)
    return [fine[:height, i * 12 : i * 12 + width].astype(np.uint8) for i in range(count)]


def covered(pictures, *, rows=slice(None), columns=slice(None), level=35):
    """Lay something over each picture, in its own shadow: evenly shaded, with a sensor's noise."""
    random = np.random.default_rng(8)
    laid = []
    for picture in pictures:
        copied = picture.copy()
        there = copied[rows, columns]
        shade = np.linspace(level - 8, level + 8, there.shape[1])
        copied[rows, columns] = np.clip(shade + random.normal(0, 0.7, there.shape), 0, 255).astype(np.uint8)
        laid.append(copied)
    return laid


def judged(pictures):
    return judge_lens([look(picture) for picture in pictures])


def test_a_clear_street_is_clear():
    found = judged(street())
    assert (found.verdict, found.blocked_permille, found.dark_permille, found.even_permille) == (
        "clear",
        0,
        0,
        0,
    )
    assert 90 < found.mean_level < 130


def test_a_hand_over_half_blocks_half():
    found = judged(covered(street(), columns=slice(80, None)))
    assert (found.verdict, found.blocked_permille) == ("partly_blocked", 500)


def test_a_strap_over_a_corner_is_told():
    found = judged(covered(street(), rows=slice(0, 30), columns=slice(0, 40)))
    assert (found.verdict, found.blocked_permille) == ("partly_blocked", 83)


def test_a_speck_is_not():
    found = judged(covered(street(), rows=slice(0, 20), columns=slice(0, 20)))
    assert (found.verdict, found.blocked_permille) == ("clear", 27)


def test_a_hand_with_a_gap_between_its_fingers_blocks_nearly_all():
    found = judged(covered(street(), columns=slice(20, None)))
    assert (found.verdict, found.blocked_permille) == ("blocked", 875)


def test_in_the_dark_nothing_is_told():
    found = judged(covered(street(), level=12))
    assert (found.verdict, found.blocked_permille, found.dark_permille) == ("too_dark", 0, 1000)


def test_an_even_surface_may_be_on_the_lens_or_before_it():
    found = judged(covered(street(), level=128))
    assert (found.verdict, found.blocked_permille, found.even_permille) == ("even", 0, 1000)


def test_a_bright_sky_blocks_nothing():
    found = judged(covered(street(), rows=slice(0, 40), level=190))
    assert (found.verdict, found.blocked_permille, found.even_permille) == ("clear", 0, 444)


def test_a_night_sky_is_dark_and_not_blocked():
    found = judged(covered(street(mean=45), rows=slice(0, 40), level=14))
    assert (found.verdict, found.blocked_permille, found.dark_permille) == ("clear", 0, 444)


def test_what_covers_the_lens_for_a_moment_does_not_block_it():
    pictures = street()
    pictures[3:4] = covered(pictures[3:4])
    assert judged(pictures).verdict == "clear"


def test_an_even_surface_that_changes_is_something_seen():
    pictures = [
        covered([each], columns=slice(80, None), level=20 + 5 * i)[0] for i, each in enumerate(street())
    ]
    assert judged(pictures).blocked_permille == 0


def test_an_upright_picture_has_its_cells_upright():
    found = judged(covered(street(size=(90, 160)), rows=slice(80, None)))
    assert (found.verdict, found.blocked_permille) == ("partly_blocked", 500)


@pytest.mark.parametrize("size", [(94, 90), (160, 52), (2, 2)])
def test_a_picture_too_small_for_detail_says_nothing(size):
    assert look(np.zeros(size[::-1], np.uint8)) is None


@pytest.mark.parametrize("count", [0, 1])
def test_one_picture_shows_nothing_that_stays(count):
    assert judged(street(count)) is None

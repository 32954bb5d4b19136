"""Waveforms for pages."""

import struct

from plainview.web.peaks import MOST_BINS, fitting_level, for_page

LEVELS = [
    {"bin_ms": 20, "bin_count": MOST_BINS * 4 + 1, "from_byte": 0},
    {"bin_ms": 80, "bin_count": MOST_BINS, "from_byte": 8},
    {"bin_ms": 320, "bin_count": 3, "from_byte": 16},
]


def test_the_finest_level_that_fits_a_screen_is_chosen():
    assert fitting_level(LEVELS)["bin_ms"] == 80
    assert fitting_level(LEVELS[:1])["bin_ms"] == 20


def test_pairs_become_lowest_and_highest_and_no_sound_becomes_none():
    data = struct.pack("6b", -5, 7, 127, -128, 0, 0)
    facts = {"silent": [{"start_ms": 640, "end_ms": 960}], "missing": [{"start_ms": 320, "end_ms": 640}]}
    assert for_page(facts, LEVELS[2], data) == {
        "bin_ms": 320,
        "low": [-5, None, 0],
        "high": [7, None, 0],
        "silent": [[640, 960]],
        "missing": [[320, 640]],
    }

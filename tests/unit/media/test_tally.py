"""Counting one stream's packets."""

from fractions import Fraction
from types import SimpleNamespace

import pytest

from plainview.media.facts import MAX_GAPS
from plainview.media.tally import Tally

MS = Fraction(1, 1000)


def counted(*times_ms, duration=40, decode_ms=None, **fields):
    tally = Tally(time_base=MS, **fields)
    for pts, dts in zip(times_ms, decode_ms or times_ms, strict=True):
        tally.add(SimpleNamespace(pts=pts, dts=dts, duration=duration))
    return tally


def test_even_pictures_are_even_though_their_times_are_rounded():
    assert counted(0, 33, 67, 100, 133).is_variable() is False


def test_one_late_picture_makes_the_rate_variable():
    assert counted(0, 33, 67, 110, 143).is_variable() is True


def test_two_packets_do_not_say_whether_the_rate_varies():
    assert counted(0, 33).is_variable() is None


def test_reordered_pictures_are_neither_gap_nor_backwards():
    tally = counted(80, 240, 160, 120, 200, decode_ms=[0, 40, 80, 120, 160])
    assert (tally.backward_count, tally.gap_count, tally.is_variable()) == (0, 0, False)
    assert (tally.first_us, tally.end_us) == (80_000, 280_000)


def test_a_pause_of_exactly_the_limit_is_no_gap():
    assert counted(0, 1000).gap_count == 0
    assert counted(0, 1001).gaps_us == [(0, 1_001_000)]


def test_gaps_mean_nothing_where_they_are_not_asked_for():
    assert counted(0, 90_000, gap_us=None).gap_count == 0


def test_every_gap_is_counted_but_only_the_first_hundred_are_kept():
    tally = counted(*range(0, 2_000 * 150, 2_000))
    assert (tally.gap_count, len(tally.gaps_us)) == (149, MAX_GAPS)


def test_times_that_go_backwards_are_counted():
    assert counted(0, 40, 20, 60, 50).backward_count == 2


def test_a_time_years_away_is_damage_and_moves_nothing():
    tally = counted(0, 40, 2**60, 80)
    assert (tally.packet_count, tally.untimed_count, tally.end_us) == (4, 1, 120_000)


@pytest.mark.parametrize("time_base", [None, Fraction(0)])
def test_a_stream_without_a_clock_still_counts(time_base):
    tally = Tally(time_base=time_base)
    assert tally.add(SimpleNamespace(pts=5, dts=5, duration=5)) is None
    assert (tally.packet_count, tally.first_us) == (1, None)


def test_a_packet_without_presentation_time_goes_by_its_decoding_time():
    assert Tally(time_base=MS).add(SimpleNamespace(pts=None, dts=7, duration=None)) == (7_000, 7_000)

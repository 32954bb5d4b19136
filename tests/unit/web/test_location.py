"""Tracks are drawn to scale, north up, and never larger than their drawing."""

import re

import pytest

from plainview.evidence.capture_queries import KnownTrack
from plainview.web.location import EDGE_PX, HEIGHT_PX, MOST_ROWS, WIDTH_PX, draw_track


def drawn(*points, source="camera"):
    return draw_track(KnownTrack(source, [(n * 1000, *point) for n, point in enumerate(points)]))


def places(track):
    return [tuple(map(float, at)) for at in re.findall(r"([\d.-]+) ([\d.-]+)", track.path)]


def test_no_places_are_no_drawing():
    assert drawn() is None


def test_one_place_stands_in_the_middle_without_a_way():
    track = drawn((37.8, -122.3, 5.0))
    assert places(track) == [(WIDTH_PX / 2, HEIGHT_PX / 2)]
    assert track.length_m == 0
    assert len(track.doubts) == 1


def test_north_is_up_and_east_is_right():
    (x, y), (north_x, north_y), (east_x, east_y) = places(
        drawn((37.8, -122.3, None), (37.801, -122.3, None), (37.8, -122.299, None))
    )
    assert (north_x, north_y < y) == (x, True)
    assert (east_x > x, east_y) == (True, y)


def test_a_degree_of_latitude_is_as_long_as_it_is():
    assert drawn((0.0, 10.0, None), (1.0, 10.0, None)).length_m == pytest.approx(111_195, abs=2)


@pytest.mark.parametrize("span", [0.000001, 0.01, 5.0])
def test_a_way_of_any_size_fits_its_drawing(span):
    track = drawn(*[(50 + span * n / 9, 8 + span * n * n / 81, 3.0) for n in range(10)])
    for x, y in places(track):
        assert EDGE_PX - 0.1 <= x <= WIDTH_PX - EDGE_PX + 0.1
        assert EDGE_PX - 0.1 <= y <= HEIGHT_PX - EDGE_PX + 0.1
    assert 0 < float(track.scale_px) <= max(WIDTH_PX / 4, 60)


def test_a_way_over_the_date_line_is_as_short_as_it_is():
    (x, _), (over_x, _) = places(drawn((0.0, 179.9999, None), (0.0, -179.9999, None)))
    assert 0 < over_x - x < WIDTH_PX
    assert drawn((0.0, 179.9999, None), (0.0, -179.9999, None)).length_m == 22


def test_a_long_track_is_listed_in_part_and_drawn_whole():
    track = drawn(*[(37.8, -122.3 + n / 1e5, None) for n in range(1000)])
    assert (track.count, len(track.rows), len(places(track))) == (1000, MOST_ROWS, 1000)
    assert (track.rows[0].position_ms, track.rows[-1].position_ms) == (0, 999_000)
    assert track.doubts == []

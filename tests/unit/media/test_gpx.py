"""Tracks beside footage are read, or refused with a reason, and laid beside the recording."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from plainview.formats.errors import FormatError
from plainview.media import gpx
from plainview.media.gpx import GPX_LIMIT_BYTES, TrackPoint, place_beside, read_gpx

START = datetime(2026, 3, 15, 6, 52, 7, tzinfo=UTC)
POINT = '<trkpt lat="{}" lon="{}"><ele>3</ele><time>{}</time></trkpt>'


def document(*points: str) -> bytes:
    inside = "".join(points)
    return (
        '<?xml version="1.0"?><gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1">'
        f'<wpt lat="1" lon="1"/><trk><name>n</name><trkseg>{inside}</trkseg></trk></gpx>'
    ).encode()


def test_points_with_times_are_read_in_their_order() -> None:
    track = read_gpx(
        document(
            POINT.format("37.7750", "-122.4183", "2026-03-15T06:52:09Z"),
            POINT.format("37.7749", "-122.4184", "2026-03-15T06:52:07.500"),
            '<trkpt lat="0" lon="0"/>',
            '<trkpt lat="0" lon="0"><time/></trkpt>',
        )
    )
    assert track.untimed == 2
    assert track.points == (
        TrackPoint(START + timedelta(milliseconds=500), 37.7749, -122.4184),
        TrackPoint(START + timedelta(seconds=2), 37.7750, -122.4183),
    )


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"<kml/>", "expected the element gpx, got 'kml'"),
        (
            document(POINT.format("91", "0", "2026-03-15T06:52:09Z")),
            "lat: expected -90 to 90 degrees, got '91'",
        ),
        (document(POINT.format("0", "nan", "2026-03-15T06:52:09Z")), "lon: expected -180 to 180"),
        (document(POINT.format("", "0", "2026-03-15T06:52:09Z")), "lat: expected"),
        (document(POINT.format("1", "0", "noon")), "expected a time such as"),
        (b'<!DOCTYPE gpx [<!ENTITY x "y">]><gpx/>', "document type"),
        (b" " * (GPX_LIMIT_BYTES + 1), "expected at most 33554432 bytes"),
    ],
    ids=range(7),
)
def test_what_is_no_track_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(FormatError, match=problem):
        read_gpx(data)


def test_more_points_than_any_recording_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpx, "MOST_POINTS", 2)
    assert len(read_gpx(document(*[POINT.format("1", "1", "2026-03-15T06:52:09Z")] * 2)).points) == 2
    with pytest.raises(FormatError, match="at most 2 points, got 3"):
        read_gpx(document(*[POINT.format("1", "1", "2026-03-15T06:52:09Z")] * 3))


def test_only_the_points_that_fall_into_a_recording_are_beside_it() -> None:
    points = [TrackPoint(START + timedelta(seconds=s), 1.0, 2.0) for s in (-1, 0, 10, 11)]
    assert place_beside(points, started_at=START, ended_at=START + timedelta(seconds=10)) == [
        [0, 1.0, 2.0, None],
        [10_000, 1.0, 2.0, None],
    ]

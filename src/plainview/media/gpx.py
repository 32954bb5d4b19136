"""Read tracks that come along with footage, and lay them beside a recording's own time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from plainview.formats.errors import FormatError
from plainview.formats.local_time import TimeWriting, read_time
from plainview.formats.plain_xml import read_xml

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from plainview.formats.plain_xml import XmlElement

GPX_LIMIT_BYTES: Final = 32 << 20
# Nearly six hours at five a second.
MOST_POINTS: Final = 100_000
# A point has at most a handful of elements in it, and one may have none.
_MOST_ELEMENTS: Final = 6 * MOST_POINTS
_WHAT: Final = "GPX"
# GPX 1.1: "Date and time are in Universal Coordinated Time".
_TIMES: Final = TimeWriting("iso", "UTC")


@dataclass(frozen=True)
class TrackPoint:
    """Where something was, and when.

    Attributes:
        at: aware UTC.
        latitude: degrees north, WGS 84, -90 to 90.
        longitude: degrees east, WGS 84, -180 to 180.
    """

    at: datetime
    latitude: float
    longitude: float


@dataclass(frozen=True)
class GpxTrack:
    """What a GPX file holds.

    Attributes:
        points: those with a time, in the order of time.
        untimed: how many points carry none.
    """

    points: tuple[TrackPoint, ...]
    untimed: int


def read_gpx(data: bytes) -> GpxTrack:
    """Read the track points of a GPX file; routes and way points are no track.

    Raises:
        FormatError: not GPX, too large, more points than any recording has, or a point that is nowhere on earth.

    Source: GPX 1.1 Schema Documentation (topografix.com/GPX/1/1).
    """
    if len(data) > GPX_LIMIT_BYTES:
        raise FormatError(_WHAT, f"expected at most {GPX_LIMIT_BYTES} bytes, got {len(data)}")
    root = read_xml(data, what=_WHAT, most_elements=_MOST_ELEMENTS)
    if root.name != "gpx":
        raise FormatError(_WHAT, f"expected the element gpx, got {root.name!a:.60}")
    elements = [
        point for track in root.each("trk") for part in track.each("trkseg") for point in part.each("trkpt")
    ]
    if len(elements) > MOST_POINTS:
        raise FormatError(_WHAT, f"expected at most {MOST_POINTS} points, got {len(elements)}")
    points = [_point(element) for element in elements]
    timed = sorted((point for point in points if point is not None), key=lambda point: point.at)
    return GpxTrack(tuple(timed), len(points) - len(timed))


def _point(element: XmlElement) -> TrackPoint | None:
    latitude, longitude = _degrees(element, "lat", 90), _degrees(element, "lon", 180)
    times = [child.text for child in element.each("time") if child.text]
    if not times:
        return None
    return TrackPoint(read_time(times[0], _TIMES, place="UTC", what=_WHAT), latitude, longitude)


def _degrees(element: XmlElement, name: str, most: int) -> float:
    text = element.attributes.get(name, "")
    try:
        degrees = float(text)
    except ValueError:
        degrees = math.nan
    if not -most <= degrees <= most:
        raise FormatError(_WHAT, f"{name}: expected {-most} to {most} degrees, got {text[:40]!a}")
    return degrees


def place_beside(
    points: Iterable[TrackPoint], *, started_at: datetime, ended_at: datetime
) -> list[list[float | None]]:
    """Return the points that fall into a recording, as [position_ms, latitude, longitude, metres of doubt or null].

    Args:
        points: in the order of time.
        started_at: the recording's first frame.
        ended_at: its last.
    """
    placed: list[list[float | None]] = []
    for point in points:
        if started_at <= point.at <= ended_at:
            position_ms = round((point.at - started_at).total_seconds() * 1000)
            placed.append([position_ms, point.latitude, point.longitude, None])
    return placed

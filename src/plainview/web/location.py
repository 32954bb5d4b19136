"""Draw where a camera was: a line to scale, without a map behind it, and the same as a table; pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plainview.evidence.capture_queries import KnownTrack

    Point = tuple[int, float, float, float | None]

T = TypeVar("T")
WIDTH_PX: Final = 360
HEIGHT_PX: Final = 240
# So that what lies at the edge, and how far it can be off, is inside the drawing.
EDGE_PX: Final = 24
# A camera that stood still is not drawn as if it had run about.
LEAST_M: Final = 40.0
EARTH_M: Final = 6_371_000.0
# More points than a person reads; the drawing has them all.
MOST_ROWS: Final = 200
# More circles of doubt hide the line.
MOST_CIRCLES: Final = 12
_STEPS_M: Final = (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000, 100_000)


@dataclass(frozen=True)
class Row:
    """A place as its table shows it; latitude and longitude in degrees, doubt in metres or None."""

    position_ms: int
    latitude: str
    longitude: str
    doubt_m: float | None


@dataclass(frozen=True)
class DrawnTrack:
    """A track as its page draws it.

    Attributes:
        source: what said so.
        path: of the line, as SVG writes it. width_px, height_px: of the drawing.
        first, last: x and y of its ends.
        doubts: x, y and radius of how far each place can be off, where the track says so.
        scale_px: how long the bar is that stands for scale_m metres.
        length_m: along the line.
        rows: the places, at most MOST_ROWS of them, evenly chosen.
        count: how many there are.
    """

    source: str
    path: str
    width_px: int
    height_px: int
    first: tuple[str, str]
    last: tuple[str, str]
    doubts: list[tuple[str, str, str]]
    scale_px: str
    scale_m: int
    length_m: int
    rows: list[Row]
    count: int


def draw_track(track: KnownTrack) -> DrawnTrack | None:
    """Return a track to scale, north up; None where it has no places."""
    points = list(track.points)
    if not points:
        return None
    placed, px_per_m = _placed(points)
    written = [(f"{x:.1f}", f"{y:.1f}") for x, y in placed]
    scale_m = _scale_m(px_per_m)
    doubted = _thinned([(*at, point[3]) for at, point in zip(written, points, strict=True)], MOST_CIRCLES)
    return DrawnTrack(
        source=track.source,
        path="M" + "L".join(f"{x} {y}" for x, y in written),
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
        first=written[0],
        last=written[-1],
        doubts=[(x, y, f"{doubt_m * px_per_m:.1f}") for x, y, doubt_m in doubted if doubt_m],
        scale_px=f"{scale_m * px_per_m:.1f}",
        scale_m=scale_m,
        length_m=round(sum(_apart_m(one, other) for one, other in pairwise(points))),
        rows=[Row(p[0], f"{p[1]:.6f}", f"{p[2]:.6f}", p[3]) for p in _thinned(points, MOST_ROWS)],
        count=len(points),
    )


def _placed(points: Sequence[Point]) -> tuple[list[tuple[float, float]], float]:
    """Return where each place stands in the drawing, x and y, and how many pixels a metre is."""
    _, latitude, longitude, _ = points[0]
    # Over a few kilometres the earth is flat enough for a drawing.
    metres = [
        (
            radians((point[2] - longitude + 180) % 360 - 180) * EARTH_M * cos(radians(latitude)),
            radians(point[1] - latitude) * EARTH_M,
        )
        for point in points
    ]
    east, north = [x for x, _ in metres], [y for _, y in metres]
    px_per_m = min(
        (WIDTH_PX - 2 * EDGE_PX) / max(max(east) - min(east), LEAST_M),
        (HEIGHT_PX - 2 * EDGE_PX) / max(max(north) - min(north), LEAST_M),
    )
    middle_x, middle_y = (max(east) + min(east)) / 2, (max(north) + min(north)) / 2
    return [
        (WIDTH_PX / 2 + (x - middle_x) * px_per_m, HEIGHT_PX / 2 - (y - middle_y) * px_per_m)
        for x, y in metres
    ], px_per_m


def _scale_m(px_per_m: float) -> int:
    """Return a round number of metres that a bar of a quarter of the drawing, or less, stands for."""
    fitting = [step for step in _STEPS_M if step * px_per_m <= WIDTH_PX / 4]
    return fitting[-1] if fitting else _STEPS_M[0]


def _thinned(points: Sequence[T], most: int) -> list[T]:
    """Return at most so many points, evenly chosen, the first and the last among them."""
    if len(points) <= most:
        return list(points)
    return [points[round(n * (len(points) - 1) / (most - 1))] for n in range(most)]


def _apart_m(one: Point, other: Point) -> float:
    """Return how far two places are apart, over the ground.

    Source: the haversine formula (R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope 68, 1984).
    """
    north, east, north_2, east_2 = (radians(each) for each in (one[1], one[2], other[1], other[2]))
    part = sin((north_2 - north) / 2) ** 2 + cos(north) * cos(north_2) * sin((east_2 - east) / 2) ** 2
    return 2 * EARTH_M * asin(min(1.0, sqrt(part)))

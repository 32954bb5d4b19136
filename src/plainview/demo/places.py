"""Build the places of the sample department out of flat faces: Alder Street, its alley, and rooms.

Alder Street runs north along z with its middle at x = 0. The alley leaves it eastward at ALLEY_Z_M. Rooms are
apart from it and have their own origin.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final, TypeAlias

from plainview.demo.space import BOARDS, BRICK, PLAIN, ROUGH, TILES, Face, Lamp, Thing, colour

if TYPE_CHECKING:
    from plainview.demo.space import Colour, Point

    Box: TypeAlias = tuple[float, float, float, float, float, float]

ROAD_HALF_M: Final = 4.2
WALL_M: Final = 7.0
PARKED_X_M: Final = 3.35  # of a car along the kerb
STREET_M: Final = 860.0
ALLEY_Z_M: Final = 700.0  # its southern wall
ALLEY_WIDTH_M: Final = 4.2
ALLEY_END_M: Final = 27.0
LAMP_EVERY_M: Final = 28.0
CROSSINGS_Z_M: Final = (118.0, 264.0, 402.0, 548.0)
_CROSS_WIDTH_M: Final = 11.0
SODIUM: Final = (1.0, 0.62, 0.28)

_WALLS: Final = ("#6b4a3f", "#77655a", "#5b5f66", "#7b5347", "#8a7a66", "#54483f", "#7d4238", "#66584c")
_LIT: Final = ("#d9a45a", "#e8c07a", "#b98a4e", "#c9c3a0", "#7f9bb5")
_DARK: Final = "#12141a"


def box(at: Point, size: Point, shade: str, *, glow: str = "#000000", grain: int = PLAIN) -> Thing:
    """Give a box that stands on at (middle of its foot), width x, height y, depth z."""
    x, y, z = at
    w, h, d = size[0] / 2, size[1], size[2] / 2
    return Thing(at, box_faces((x - w, y, z - d, x + w, y + h, z + d), shade, glow=glow, grain=grain))


def box_faces(bounds: Box, shade: str, *, glow: str = "#000000", grain: int = PLAIN) -> tuple[Face, ...]:
    """Give the six faces of a box from its bounds x, y, z to x, y, z; the top and the near sides last."""
    x0, y0, z0, x1, y1, z1 = bounds
    tone, shine = colour(shade), colour(glow)
    rings = (
        ((x0, y0, z1), (x1, y0, z1), (x1, y1, z1), (x0, y1, z1)),
        ((x1, y0, z0), (x1, y0, z1), (x1, y1, z1), (x1, y1, z0)),
        ((x0, y0, z0), (x0, y0, z1), (x0, y1, z1), (x0, y1, z0)),
        ((x0, y1, z0), (x1, y1, z0), (x1, y1, z1), (x0, y1, z1)),
        ((x0, y0, z0), (x1, y0, z0), (x1, y1, z0), (x0, y1, z0)),
    )
    return tuple(Face(ring, tone, shine, grain) for ring in rings)


def flat(
    x0: float, z0: float, x1: float, z1: float, shade: str, *, y: float = 0.0, grain: int = PLAIN
) -> Face:
    """Give a level rectangle."""
    return Face(((x0, y, z0), (x1, y, z0), (x1, y, z1), (x0, y, z1)), colour(shade), grain=grain)


def wall_x(  # noqa: PLR0917 the corners read best in order
    x: float,
    y0: float,
    z0: float,
    y1: float,
    z1: float,
    shade: str,
    *,
    glow: str = "#000000",
    grain: int = PLAIN,
) -> Face:
    """Give an upright rectangle that faces east or west."""
    return Face(((x, y0, z0), (x, y0, z1), (x, y1, z1), (x, y1, z0)), colour(shade), colour(glow), grain)


def wall_z(  # noqa: PLR0917 the corners read best in order
    z: float,
    x0: float,
    y0: float,
    x1: float,
    y1: float,
    shade: str,
    *,
    glow: str = "#000000",
    grain: int = PLAIN,
) -> Face:
    """Give an upright rectangle that faces north or south."""
    return Face(((x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)), colour(shade), colour(glow), grain)


# Alder Street.


def street_lamps() -> list[Point]:
    """Give where the street's lamps hang."""
    count = int(STREET_M / LAMP_EVERY_M)
    return [(4.7 if i % 2 else -4.7, 6.1, i * LAMP_EVERY_M + 9.0) for i in range(count)]


def street_light(near_z_m: float, *, reach_m: float = 62.0) -> list[Lamp]:
    """Give the light of the lamps around a place on the street."""
    strength = 5.2
    shine = (SODIUM[0] * strength, SODIUM[1] * strength, SODIUM[2] * strength)
    return [Lamp(at, shine, soft_m=2.2) for at in street_lamps() if -12 < at[2] - near_z_m < reach_m]


def alder_street(seed: int) -> list[Thing]:
    """Build the street, the same for the same seed."""
    rng = random.Random(seed)  # noqa: S311 a drawing, not a secret
    things = [_road(z) for z in range(-24, int(STREET_M), 24)]
    for side in (-1, 1):
        things += _row(rng, side)
    things += [_lamp_post(at) for at in street_lamps()]
    for z in CROSSINGS_Z_M:
        things += [_signal(-5.1, z - 1.2, rng), _signal(5.1, z + _CROSS_WIDTH_M + 1.2, rng)]
    for _ in range(58):
        side, z = rng.choice((-1, 1)), rng.uniform(16, STREET_M - 20)
        if not _in_gap(side, z - 3, z + 3) and not 655 < z < 722 and not (side > 0 and z < 60):
            things.append(
                parked_car(
                    side * PARKED_X_M, z, rng.choice(("#4b5157", "#6d2f2c", "#2f4055", "#8d8c86", "#23262b"))
                )
            )
    return things


def _gaps(side: int) -> list[tuple[float, float]]:
    gaps = [(z, z + _CROSS_WIDTH_M) for z in CROSSINGS_Z_M]
    return [*gaps, (ALLEY_Z_M, ALLEY_Z_M + ALLEY_WIDTH_M)] if side > 0 else gaps


def _in_gap(side: int, near: float, far: float) -> bool:
    return any(near < gap_far and far > gap_near for gap_near, gap_far in _gaps(side))


def _road(z: float) -> Thing:
    far, half = z + 24.0, ROAD_HALF_M
    faces = [
        flat(-40, z, 40, far, "#4a4b4d", grain=ROUGH),
        flat(-WALL_M, z, -half, far, "#77746e", grain=ROUGH),
        flat(half, z, WALL_M, far, "#77746e", grain=ROUGH),
        flat(-half, z, half, far, "#3a3c40", grain=ROUGH),
    ]
    for side in (-1, 1):
        faces.append(wall_x(side * half, 0, z, 0.13, far, "#98958e"))
        faces.append(flat(side * (half - 0.3), z, side * (half - 0.18), far, "#8d8455", y=0.003))
    faces += [flat(-0.09, z + dash, 0.09, z + dash + 2.4, "#cfcdc2", y=0.003) for dash in range(0, 24, 6)]
    for cross in CROSSINGS_Z_M:
        if z <= cross < far:
            faces += [
                flat(-3.7 + i * 1.05, cross - 3, -3.2 + i * 1.05, cross - 0.6, "#b9b7ae", y=0.004)
                for i in range(8)
            ]
    return Thing((0, 0, z), tuple(faces), ground=True)


def _row(rng: random.Random, side: int) -> list[Thing]:
    things, z = [], -20.0
    while z < STREET_M:
        depth = rng.uniform(7.5, 11.5)
        for near, far in _gaps(side):
            if near < z + depth and far > z:
                depth = near - z
                break
        if depth > 1.0:
            things.append(_house(rng, side, z, z + depth))
        z += max(depth, 0.0)
        z = next((far for near, far in _gaps(side) if abs(near - z) < 0.01), z + 0.001)
    return things


def _house(rng: random.Random, side: int, near: float, far: float) -> Thing:
    x, floors = side * WALL_M, rng.randrange(2, 5)
    height, deep = 3.9 + floors * 3.1, side * 20.0
    shade, grain = rng.choice(_WALLS), rng.choice((BRICK, BRICK, ROUGH))
    faces = [
        wall_z(far, x, 0, deep, height, shade, grain=grain),
        wall_z(near, x, 0, deep, height, shade, grain=grain),
        wall_x(x, 0, near, height, far, shade, grain=grain),
    ]
    faces += [
        wall_x(x - side * 0.05, y, near, y + tall, far, trim)
        for y, tall, trim in ((height - 0.45, 0.45, "#3f3a36"), (3.7, 0.22, "#4a4540"))
    ]
    faces += _ground_floor(rng, x - side * 0.02, near, far)
    bays = max(2, int((far - near) / 2.8))
    for floor in range(floors):
        for bay in range(bays):
            middle = near + (bay + 0.5) * (far - near) / bays
            faces += _window(rng, x - side * 0.02, 4.5 + floor * 3.1, middle)
    return Thing((x, 0, (near + far) / 2), tuple(faces))


def _window(rng: random.Random, x: float, y: float, z: float) -> list[Face]:
    lit = rng.random() < 0.22
    glow = _dim(rng.choice(_LIT), rng.uniform(0.45, 0.9)) if lit else "#030406"
    return [
        wall_x(x, y - 0.1, z - 0.66, y + 1.8, z + 0.66, "#a39a8c"),
        wall_x(x, y, z - 0.55, y + 1.68, z + 0.55, _DARK, glow=glow),
        wall_x(x, y + 0.8, z - 0.55, y + 0.87, z + 0.55, "#8d8578"),
    ]


def _ground_floor(rng: random.Random, x: float, near: float, far: float) -> list[Face]:
    if rng.random() < 0.3:
        a, b = near + 0.6, far - 0.6
        sign = rng.choice(("#7d2f2c", "#2c5a4a", "#2d4468", "#6a5a20"))
        glow = _dim(rng.choice(("#c58f4a", "#8fb0a8", "#b8a878")), 0.75)
        panes = [
            wall_x(x, 0.5, z, 2.6, z + (b - a) / 3 - 0.12, "#22262a", glow=glow)
            for z in (a, a + (b - a) / 3, a + 2 * (b - a) / 3)
        ]
        return [*panes, wall_x(x, 2.8, a, 3.45, b, sign, glow=_dim(sign, 0.6))]
    door, shut = near + (far - near) * 0.2, near + (far - near) * 0.5
    bars = [wall_x(x, 0.8 + i * 0.3, shut, 0.86 + i * 0.3, far - 0.7, "#3a3c3f") for i in range(6)]
    return [
        wall_x(x, 0, door, 2.3, door + 1.1, "#3a261f", grain=BOARDS),
        wall_x(x, 0.7, shut, 2.6, far - 0.7, "#5a5c60"),
        *bars,
    ]


def _lamp_post(at: Point) -> Thing:
    x, y, z = at
    post = x + (0.5 if x > 0 else -0.5)
    return Thing(
        (post, 0, z),
        (
            wall_z(z, post - 0.07, 0, post + 0.07, y + 0.2, "#2a2b2d"),
            wall_z(z, min(post, x) - 0.05, y + 0.1, max(post, x) + 0.05, y + 0.2, "#2a2b2d"),
            wall_z(z, x - 0.3, y - 0.05, x + 0.3, y + 0.1, "#ffffff", glow="#ffdba0"),
        ),
    )


def _signal(x: float, z: float, rng: random.Random) -> Thing:
    lights = ("#e03020", "#201808", "#082010") if rng.random() < 0.4 else ("#200808", "#201808", "#18d070")
    faces = [
        wall_z(z, x - 0.06, 0, x + 0.06, 3.0, "#2a2b2d"),
        wall_z(z, x - 0.2, 2.6, x + 0.2, 3.7, "#15171a"),
    ]
    faces += [
        wall_z(z, x - 0.11, 3.38 - i * 0.34, x + 0.11, 3.6 - i * 0.34, shine, glow=shine)
        for i, shine in enumerate(lights)
    ]
    return Thing((x, 0, z), tuple(faces))


def parked_car(x: float, z: float, shade: str, *, lights: bool = False) -> Thing:
    """Give a car along the kerb, its tail towards us."""
    half, tail, nose = 0.9, z - 2.2, z + 2.2

    def wheels(side: float) -> list[Face]:
        return [wall_x(side, 0.0, at - 0.33, 0.6, at + 0.33, "#0a0a0b") for at in (tail + 0.8, nose - 0.8)]

    road, kerb = (x - half - 0.01, x + half + 0.01) if x > 0 else (x + half + 0.01, x - half - 0.01)
    faces = [
        *wheels(kerb),
        *box_faces((x - half, 0.22, tail, x + half, 0.92, nose), shade),
        *box_faces((x - half + 0.18, 0.92, tail + 0.7, x + half - 0.18, 1.42, nose - 1.3), _dim(shade, 0.8)),
        wall_z(tail + 0.69, x - half + 0.28, 0.97, x + half - 0.28, 1.35, "#0b0d11"),
        wall_z(tail - 0.01, x - 0.26, 0.42, x + 0.26, 0.56, "#b8b8ae"),
    ]
    red = "#d01a12" if lights else "#5a0c0a"
    for edge in (-half + 0.04, half - 0.36):
        faces.append(wall_z(tail - 0.01, x + edge, 0.6, x + edge + 0.32, 0.76, "#7a0f0f", glow=red))
        faces.append(wall_z(tail - 0.01, x + edge, 0.0, x + edge + 0.26, 0.3, "#08080a"))
    return Thing((x, 0, z), (*faces, *wheels(road)))


# The alley, eastward.


def alley() -> list[Thing]:
    """Build what stands in the alley; the houses of the street are its mouth."""
    a, b, end = ALLEY_Z_M, ALLEY_Z_M + ALLEY_WIDTH_M, ALLEY_END_M
    x0 = WALL_M
    floor = Thing(
        (x0, 0, a),
        (
            flat(x0, a, end + 3, b, "#47464a", grain=ROUGH),
            flat(x0, a + 1.9, end, a + 2.3, "#2e3136", y=0.004),
        ),
        ground=True,
    )
    south = [wall_z(a, x0, 0, end, 9.5, "#74493d", grain=BRICK)]
    north = [wall_z(b, x0, 0, end, 9.5, "#6d5046", grain=BRICK)]
    for x in (10.0, 15.5, 21.0):
        south += [
            wall_z(a + 0.03, x, 3.6, x + 1.2, 5.2, "#8d8578"),
            wall_z(a + 0.04, x + 0.1, 3.7, x + 1.1, 5.1, _DARK, glow="#d9a45a" if x == 15.5 else "#04050a"),
        ]
        north += [
            wall_z(b - 0.03, x + 2, 3.6, x + 3.2, 5.2, "#8d8578"),
            wall_z(b - 0.04, x + 2.1, 3.7, x + 3.1, 5.1, _DARK),
        ]
    north += [
        wall_z(b - 0.03, 12.2, 0, 13.3, 2.15, "#4a5a52", grain=BOARDS),
        wall_z(b - 0.05, 12.55, 2.35, 12.95, 2.6, "#ffe9c0", glow="#fff0cc"),
        wall_z(b - 0.03, 17.4, 0, 17.5, 8.0, "#30312f"),
        wall_z(b - 0.02, 21.0, 0.9, 22.6, 1.7, "#8f8c80"),
    ]
    south += [
        wall_z(a + 0.03, 18.2, 0, 18.3, 8.0, "#30312f"),
        wall_z(a + 0.03, 12.6, 0, 13.7, 2.1, "#5a3a30", grain=BOARDS),
    ]
    back = [
        wall_x(end, 0, a, 9.5, b, "#5f4a42", grain=BRICK),
        wall_x(end - 0.6, 0, a, 2.6, b, "#5b5145", grain=BOARDS),
    ]
    back += [wall_x(end - 0.62, y, a, y + 0.1, b, "#3d362e") for y in (0.5, 2.1)]
    return [
        floor,
        Thing((end, 0, a + 2), tuple(back)),
        Thing((end - 2, 0, a), tuple(south)),
        Thing((end - 2, 0, b), tuple(north)),
        dumpster(15.4, a + 0.75),
        box((21.6, 0, b - 0.45), (0.6, 0.5, 0.6), "#8a6a45"),
        box((21.7, 0.5, b - 0.5), (0.5, 0.4, 0.5), "#7a5c3c"),
        box((22.5, 0, b - 0.5), (0.7, 0.35, 0.5), "#94754e"),
        *(
            box((x, 0, z), (0.06, 0.12, 0.06), tint)
            for x, z, tint in (
                (12.0, a + 1.0, "#3f7a4a"),
                (13.1, b - 0.6, "#b03a30"),
                (17.1, a + 2.7, "#9aa0a4"),
            )
        ),
    ]


def dumpster(x: float, z: float) -> Thing:
    """Give a steel rubbish container with its lid."""
    faces = box_faces((x - 0.95, 0.12, z - 0.6, x + 0.95, 1.15, z + 0.6), "#2f5a48")
    lid = box_faces((x - 1.0, 1.15, z - 0.63, x + 1.0, 1.25, z + 0.63), "#1c2a26")
    ribs = [wall_x(x - 0.96, 0.12, z + at, 1.15, z + at + 0.06, "#274b3c") for at in (-0.4, 0.0, 0.4)]
    return Thing((x, 0, z), (*faces, *ribs, *lid))


# Rooms, each around its own origin.


def corridor() -> list[Thing]:
    """Build the corridor of the station: doors, a notice board, a fire extinguisher."""
    length, half, tall = 34.0, 1.25, 2.6
    floor = Thing(
        (0, 0, 0),
        (
            flat(-half, -2, half, length, "#8d8a80", grain=TILES),
            flat(-half, -2, half, length, "#d8d8d2", y=tall),
        ),
        ground=True,
    )
    faces = []
    for side in (-1, 1):
        x = side * half
        faces.append(wall_x(x, 0, -2, tall, length, "#b9b6a4"))
        faces.append(wall_x(x * 0.998, 0, -2, 1.05, length, "#6f8a84"))
        for i in range(7):
            z = 2.4 + i * 4.6 + side
            faces.append(wall_x(x * 0.995, 0, z - 0.08, 2.15, z + 1.03, "#8a8577"))
            faces.append(wall_x(x * 0.992, 0, z, 2.07, z + 0.95, "#7a5b3f", grain=BOARDS))
            faces.append(
                wall_x(
                    x * 0.99, 1.5, z + 0.34, 1.75, z + 0.6, "#1c2228", glow="#2a3a40" if i % 3 else "#c9c090"
                )
            )
    faces.append(wall_x(-half * 0.99, 1.1, 5.0, 1.9, 6.4, "#7a5a34"))
    faces += [
        wall_x(
            -half * 0.985, 1.2 + 0.3 * (i % 2), 5.1 + 0.3 * i, 1.42 + 0.3 * (i % 2), 5.3 + 0.3 * i, "#d9d6c8"
        )
        for i in range(4)
    ]
    faces.append(wall_x(half * 0.985, 0.8, 7.6, 1.35, 7.8, "#b5241c"))
    faces.append(wall_z(length, -half, 0, half, tall, "#a8a594"))
    faces.append(wall_z(length - 0.01, -0.5, 0, 0.5, 2.1, "#5a6a70", glow="#10181a"))
    glowing = [
        Face(
            (
                (-0.16, tall - 0.01, z),
                (0.16, tall - 0.01, z),
                (0.16, tall - 0.01, z + 1.2),
                (-0.16, tall - 0.01, z + 1.2),
            ),
            (1, 1, 1),
            colour("#f4f6f0"),
        )
        for z in range(1, 32, 4)
    ]
    return [floor, Thing((0, 0, length), (*faces, *glowing))]


def corridor_light() -> list[Lamp]:
    """Give the light of its ceiling."""
    return [Lamp((0, 2.4, z + 0.6), (0.95, 1.0, 0.95), soft_m=1.1) for z in range(-3, 32, 4)]


def front_desk() -> list[Thing]:
    """Build the counter of the station as an officer behind it sees it."""
    floor = Thing((0, 0, 0), (flat(-5, -1, 5, 7, "#7d796e", grain=TILES),), ground=True)
    room = [
        flat(-5, -1, 5, 6, "#c9c9c2", y=2.75),
        Face(
            ((-1.2, 2.74, 2.6), (1.2, 2.74, 2.6), (1.2, 2.74, 3.0), (-1.2, 2.74, 3.0)),
            (1, 1, 1),
            colour("#f0f2ea"),
        ),
        wall_z(6.0, -5, 0, 5, 2.75, "#a9a692"),
        wall_z(5.99, -5, 0, 5, 1.0, "#5f7a80"),
        wall_z(5.98, 1.4, 0, 3.2, 2.3, "#39434a", glow="#0c141c"),
        wall_z(5.97, 1.5, 0.1, 2.27, 2.2, "#16202a", glow="#182838"),
        wall_z(5.97, 2.33, 0.1, 3.1, 2.2, "#16202a", glow="#182838"),
        wall_z(5.98, -3.6, 1.2, -1.6, 2.3, "#7a5a34"),
    ]
    room += [
        wall_z(5.97, -3.5 + 0.5 * i, 1.3 + 0.45 * (i % 2), -3.15 + 0.5 * i, 1.7 + 0.45 * (i % 2), tint)
        for i, tint in enumerate(("#d9d6c8", "#c9a24e", "#d9d6c8", "#8fb0c0"))
    ]
    bench = box_faces((-3.4, 0.35, 5.2, -0.6, 0.5, 5.7), "#6a4a30", grain=BOARDS)
    counter = [
        *box_faces((-5, 0, 0.75, 5, 1.02, 1.25), "#5a4632", grain=BOARDS),
        *box_faces((-1.15, 1.02, 0.85, -0.7, 1.36, 0.95), "#20242a"),
    ]
    paper = [flat(0.1, 0.8, 0.4, 1.1, "#dedbd0", y=1.025), flat(0.55, 0.85, 0.9, 1.0, "#9a3a30", y=1.025)]
    return [
        floor,
        Thing((0, 0, 6), tuple(room)),
        Thing((-2, 0, 5.4), bench),
        Thing((0, 0, 1), (*counter, *paper)),
    ]


def desk_light() -> list[Lamp]:
    """Give the light of the front office."""
    return [Lamp((x, 2.4, z), (1.5, 1.5, 1.35), soft_m=1.4) for x in (-2.5, 1.5) for z in (1.0, 4.0)]


def _dim(shade: str, share: float) -> str:
    return "#" + "".join(f"{int(int(shade[i : i + 2], 16) * share):02x}" for i in (1, 3, 5))


def scaled(light: Colour, by: float) -> Colour:
    """Make a light stronger or weaker."""
    return light[0] * by, light[1] * by, light[2] * by

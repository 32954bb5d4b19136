"""Light the places of the incident: the street from the car, the alley from a chest and from a belt."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Final

from plainview.demo import places
from plainview.demo.picture import Stage
from plainview.demo.places import ALLEY_WIDTH_M, ALLEY_Z_M, SODIUM, scaled
from plainview.demo.space import Face, Lamp, Thing, View, World, colour
from plainview.demo.story import CAR_STOPS_Z_M, CAR_X_M

if TYPE_CHECKING:
    from collections.abc import Callable

    from plainview.demo.space import Colour, Point

EAST: Final = math.pi / 2
WEST: Final = -math.pi / 2
TORCH: Final = (1.0, 0.97, 0.9)
HEADLIGHT: Final = (1.0, 0.96, 0.86)
CHEST_M: Final = 1.32
BELT_M: Final = 0.95
_Z: Final = ALLEY_Z_M
_RED: Final = (1.0, 0.04, 0.05)
_BLUE: Final = (0.06, 0.16, 1.0)


# The world.


@functools.lru_cache(maxsize=2)
def street(seed: int) -> World:
    """Give the whole of Alder Street."""
    return World(places.alder_street(seed))


@functools.lru_cache(maxsize=2)
def stopped(seed: int) -> World:
    """Give the street around where the car stops, with the alley."""
    near = [thing for thing in places.alder_street(seed) if abs(thing.at[2] - CAR_STOPS_Z_M) < 130]
    return World([*near, *places.alley()])


@functools.lru_cache(maxsize=2)
def alley_and_street(seed: int) -> World:
    """The alley with what lies across the street from it; the houses beside it are its own walls."""
    near = [thing for thing in places.alder_street(seed) if abs(thing.at[2] - _Z) < 60 and thing.at[0] < 6.9]
    cars = [police_car(CAR_X_M, CAR_STOPS_Z_M)]
    return World([*near, *places.alley(), *cars])


@functools.lru_cache(maxsize=1)
def _alley() -> World:
    return World([*places.alley(), *_litter()])


def _litter() -> list[Thing]:
    """What the search finds: a bottle, a can, a newspaper."""
    bottle = Thing(
        (18.5, 0.02, _Z + 2.45),
        (
            *places.box_faces((18.36, 0, _Z + 2.42, 18.54, 0.07, _Z + 2.49), "#3f8a4a"),
            *places.box_faces((18.54, 0.02, _Z + 2.44, 18.63, 0.05, _Z + 2.47), "#6fae74"),
        ),
    )
    can = Thing(
        (18.9, 0.02, _Z + 2.9), places.box_faces((18.85, 0, _Z + 2.86, 18.97, 0.1, _Z + 2.94), "#b03a30")
    )
    sheet = ((18.9, 0.01, _Z + 1.7), (19.35, 0.01, _Z + 1.8), (19.25, 0.01, _Z + 2.2), (18.8, 0.01, _Z + 2.1))
    lines = [
        Face(
            (
                (18.92 + 0.02 * i, 0.02, _Z + 1.82 + 0.08 * i),
                (19.2, 0.02, _Z + 1.86 + 0.08 * i),
                (19.2, 0.02, _Z + 1.88 + 0.08 * i),
                (18.92 + 0.02 * i, 0.02, _Z + 1.84 + 0.08 * i),
            ),
            colour("#6a6a68"),
        )
        for i in range(4)
    ]
    paper = Thing((19.1, 0.01, _Z + 1.95), (Face(sheet, colour("#c9c6ba")), *lines))
    return [paper, bottle, can]


def police_car(x: float, z: float) -> Thing:
    """Give the patrol car from in front: headlights, light bar, white doors."""
    half, tail, nose = 0.95, z - 2.4, z + 2.4
    faces = [
        *places.box_faces((x - half, 0.25, tail, x + half, 0.98, nose), "#1d1f23"),
        *places.box_faces((x - half + 0.2, 0.98, tail + 0.8, x + half - 0.2, 1.5, nose - 1.6), "#d9dadb"),
    ]
    for side in (x - half - 0.01, x + half + 0.01):
        faces.append(places.wall_x(side, 0.3, z - 1.2, 0.95, z + 0.9, "#d9dadb"))
        faces.append(places.wall_x(side * 1.0, 0.62, z - 2.2, 0.7, z + 2.2, "#c8a640"))
        faces += [
            places.wall_x(side, 0.0, at - 0.34, 0.64, at + 0.34, "#0a0a0b") for at in (tail + 0.9, nose - 0.9)
        ]
    front, glass = nose + 0.01, nose - 1.59
    faces += [
        places.wall_z(glass, x - 0.65, 1.02, x + 0.65, 1.44, "#0b0d12"),
        places.wall_z(front, x - 0.5, 0.5, x + 0.5, 0.75, "#0c0d0f"),
        places.wall_z(front, x - 0.9, 0.62, x - 0.55, 0.82, "#ffffff", glow="#fff2d8"),
        places.wall_z(front, x + 0.55, 0.62, x + 0.9, 0.82, "#ffffff", glow="#fff2d8"),
        *places.box_faces((x - 0.62, 1.5, z - 0.3, x, 1.66, z), "#701015", glow="#a01018"),
        *places.box_faces((x, 1.5, z - 0.3, x + 0.62, 1.66, z), "#101c70", glow="#1828b0"),
    ]
    return Thing((x, 0, z), tuple(faces))


# Stages that stand still.


def headlights(x: float, z: float) -> list[Lamp]:
    """Give the two headlights of a car that looks north."""
    light = scaled(HEADLIGHT, 24)
    return [
        Lamp((x + side, 0.7, z + 1), light, aim=(x + side * 1.4, 0.0, z + 21), spread=0.44, soft_m=2)
        for side in (-0.7, 0.7)
    ]


def bar(at: Point, strength: float) -> tuple[Lamp, Lamp]:
    """Give the red and the blue half of a light bar."""
    return (
        Lamp((at[0] - 0.4, at[1], at[2]), scaled(_RED, strength), soft_m=1.6),
        Lamp((at[0] + 0.4, at[1], at[2]), scaled(_BLUE, strength * 1.3), soft_m=1.6),
    )


def _car_stopped(seed: int, *, backup: bool) -> Stage:
    view = View((CAR_X_M, 1.3, CAR_STOPS_Z_M), yaw=0.14, pitch=-0.02)
    lamps = [*places.street_light(CAR_STOPS_Z_M), *headlights(CAR_X_M, CAR_STOPS_Z_M)]
    if backup:
        lamps.append(
            Lamp(
                (CAR_X_M - 1, 1.0, CAR_STOPS_Z_M - 8),
                scaled(HEADLIGHT, 110),
                aim=(CAR_X_M, 0.8, CAR_STOPS_Z_M + 30),
                spread=0.5,
                soft_m=5,
            )
        )
    return Stage(
        view,
        stopped(seed),
        lamps,
        halos=halos(CAR_STOPS_Z_M),
        bar=bar((CAR_X_M, 1.75, CAR_STOPS_Z_M + 0.4), 26),
    )


def halos(z: float) -> list[tuple[Point, Colour]]:
    """Give the glare of the street lamps ahead."""
    return [(at, (0.8, 0.5, 0.22)) for at in places.street_lamps() if 3 < at[2] - z < 66]


def in_alley(view: View, torch_at: Point, aim: Point, *, lit: bool = False, strength: float = 16) -> Stage:
    """A stage in the alley: its door lamp, a torch, the light bar from far off; lit by 12B or not."""
    lamps = [
        Lamp((12.75, 2.5, _Z + ALLEY_WIDTH_M - 0.3), (1.9, 1.5, 0.9), soft_m=0.5),
        Lamp((16.1, 4.4, _Z + 0.5), scaled(SODIUM, 0.8), soft_m=1.0),
    ]
    if lit:
        lamps.append(
            Lamp((7.0, 1.0, _Z + 2.0), scaled(HEADLIGHT, 75), aim=(20, 0.9, _Z + 2.1), spread=0.7, soft_m=5)
        )
    torch = (
        () if strength == 0 else (Lamp(torch_at, scaled(TORCH, strength), aim=aim, spread=1.2, soft_m=2.2),)
    )
    return Stage(
        view,
        _alley(),
        lamps,
        ambient=(0.022, 0.026, 0.042),
        torch=torch,
        bar=bar((6.0, 2.0, _Z + 2.0), 7),
    )


def stages(seed: int) -> dict[str, Callable[[], Stage]]:
    """Give the places of the incident that stand still, by name."""

    def view(x: float, z: float, *, y: float = CHEST_M, yaw: float = EAST, pitch: float = -0.03) -> View:
        return View((x, y, _Z + z), yaw=yaw, pitch=pitch)

    far, near, wall = view(12.3, 2.6), view(17.2, 2.3, pitch=0.07), view(18.7, 2.45, yaw=0.0)
    belt_far = view(14.8, 3.3, y=BELT_M, yaw=EAST + 0.2, pitch=0.02)
    belt_near = view(17.05, 3.15, y=BELT_M, yaw=EAST + 0.42, pitch=-0.14)
    belt_frisk = view(16.9, 3.1, y=BELT_M, yaw=EAST + 0.05, pitch=-0.1)
    ground = View((17.4, 1.15, _Z + 2.6), yaw=EAST + 0.1, pitch=-0.62)

    def torchlit(sight: View, strength: float = 16, *, lit: bool = False) -> Callable[[], Stage]:
        ahead = sight.turned()[2]
        aim = (sight.at[0] + 5 * ahead[0], 0.9, sight.at[2] + 5 * ahead[2])
        if sight is ground:
            aim = (18.9, 0.0, _Z + 2.4)
        return lambda: in_alley(sight, sight.at, aim, lit=lit, strength=strength)

    return {
        "car-stop": lambda: _car_stopped(seed, backup=False),
        "car-backup": lambda: _car_stopped(seed, backup=True),
        "chest-far": torchlit(far, 60),
        "chest-near": torchlit(near, 40),
        "chest-lit": torchlit(near, 8, lit=True),
        "chest-wall": torchlit(wall, 12),
        "ground": torchlit(ground, 14),
        "belt-far": torchlit(belt_far, 45),
        "belt-near": torchlit(belt_near, 26),
        "belt-frisk": torchlit(belt_frisk, 22),
        "belt-mouth": lambda: _mouth(seed, view(16.9, 2.6, y=BELT_M, yaw=WEST, pitch=-0.02)),
        "chest-mouth": lambda: _mouth(seed, view(17.4, 2.5, yaw=WEST)),
    }


def _mouth(seed: int, view: View) -> Stage:
    """Looking out of the alley into 12B's headlights."""
    lamps = [
        *places.street_light(_Z - 14, reach_m=30),
        Lamp((7.2, 1.2, _Z + 2.0), scaled(HEADLIGHT, 8), soft_m=1.8),
        Lamp((12.75, 2.5, _Z + ALLEY_WIDTH_M - 0.3), (1.9, 1.5, 0.9), soft_m=0.5),
    ]
    glare = [((4.4, 0.8, _Z + z), (0.8, 0.75, 0.65)) for z in (1.3, 2.7)]
    return Stage(view, alley_and_street(seed), lamps, halos=glare, bar=bar((5.0, 1.7, _Z + 2.0), 20))

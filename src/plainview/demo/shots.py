"""Point the three cameras of the incident: what each is aimed at in every moment of the story."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from plainview.demo import places, stages
from plainview.demo.people import HANDS_UP, REACH, RUN, STAND, STRIDES, TALK, TORCH, WALK, Pose
from plainview.demo.picture import Actor, Shot, Stage
from plainview.demo.places import ALLEY_Z_M, scaled
from plainview.demo.space import Lamp, View
from plainview.demo.speech import say
from plainview.demo.stages import CHEST_M, EAST, HEADLIGHT, WEST, bar
from plainview.demo.story import CAR_STOPS_S, CAR_STOPS_Z_M, CAR_X_M, LINES, PEOPLE, TRACKS, place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plainview.demo.space import Colour

    # Until when, and what is seen until then.
    Script: TypeAlias = Sequence[tuple[float, Callable[[float, int], Shot]]]

_Z: Final = ALLEY_Z_M
_BACKUP_S: Final = 282.0  # 12B's headlights reach the alley
_PRICE: Final = (18.6, 1.0, _Z + 2.3)
_FACE: Final = (18.6, 1.35, _Z + 2.3)
_PALE: Final = (1.0, 0.97, 0.92)


# People in them.


@functools.lru_cache(maxsize=64)
def _spoken(index: int) -> tuple[float, float, tuple[tuple[float, float], ...]]:
    line = LINES[index]
    person = PEOPLE[line.by]
    said = say(line.words, person.voice, person.pitch + (12 if "!" in line.words else 0), person.speed)
    words = tuple((word.from_s, word.to_s) for word in said.words)
    return line.at_s, line.at_s + words[-1][1], words


def mouth(key: str, at_s: float) -> int:
    """Say how far open somebody's mouth is, in time with their words."""
    for i, line in enumerate(LINES):
        if line.by == key and line.at_s <= at_s < line.at_s + 6:
            begin, end, _ = _spoken(i)
            if at_s < end:
                return (1, 2, 1, 0)[int((at_s - begin) * 7.5) % 4]
    return 0


def _stride(at_s: float, a_second: float) -> int:
    return int(at_s * a_second / 2 * STRIDES) % STRIDES


def _actor(key: str, at_s: float, pose: Pose, tint: Colour, flash: float = 0.0) -> Actor:
    x, z = place(key, at_s)
    return Actor(key, PEOPLE[key].look, pose, x, z, tint, flash)


def _moves(key: str, at_s: float) -> bool:
    return math.dist(place(key, at_s), place(key, at_s + 0.2)) > 0.05


# The cameras.


def _scripted(script: Script, at_s: float, seed: int) -> Shot:
    seen = next(seen for until_s, seen in script if at_s < until_s)
    return seen(at_s, seed)


def _dark(at_s: float, seed: int) -> Shot:
    del at_s, seed
    return Shot(dark=True)


def _price(at_s: float, light: float, *, flash: float = 0.0) -> Actor:
    return _actor("price", at_s, _price_pose(at_s), scaled(_PALE, light), flash)


def car_shot(at_s: float, *, seed: int) -> Shot:
    """Say what the car's camera is pointed at."""
    return _scripted(_CAR, at_s, seed)


def _chase(at_s: float, seed: int) -> Shot:
    x, z = place("car", at_s)
    speed = place("car", at_s + 0.1)[1] - z
    late = float(np.clip((at_s - 64) / 6, 0, 1))
    view = View(
        (x, 1.3, z),
        yaw=0.012 * math.cos(at_s / 3.1) * float(speed > 0.3) + 0.14 * late,
        pitch=-0.02,
        focal_px=400.0,
        width_px=664,
        height_px=384,
    )
    world = stages.stopped(seed) if z > CAR_STOPS_Z_M - 62 else stages.street(seed)
    lamps = [*places.street_light(z, reach_m=45), *stages.headlights(x, z)]
    moving = Stage(view, world, lamps, halos=stages.halos(z), reach_m=95.0, bar=bar((x, 1.75, z + 0.4), 20))
    return Shot(
        moving=moving, actors=_before_the_car(at_s), bob_px=min(1.5, speed), flashing=True, bolted=True
    )


def _parked(stage: str) -> Callable[[float, int], Shot]:
    return lambda at_s, _: Shot(stage, actors=_before_the_car(at_s), flashing=True, bolted=True)


def _before_the_car(at_s: float) -> list[Actor]:
    """Those who are in the street ahead of it; the alley hides them once they are round the corner."""
    run = Pose(RUN, back=True, stride=_stride(at_s, 3.0))
    walk = Pose(WALK, back=True, stride=_stride(at_s, 1.8))
    wanted = [
        ("price", TRACKS["price"][0][0], 71.6, run),
        ("reyes", 71.0, 74.0, run),
        ("okafor", 71.0, 74.0, run),
    ]
    wanted += [
        ("lindqvist", 282.0, 287.0, walk),
        ("marsh", 282.6, 288.0, walk),
        ("price", 333.4, 345.0, walk),
    ]
    wanted += [("okafor", 349.0, 360.1, Pose(WALK, stride=_stride(at_s, 1.8)))]
    car_z = place("car", at_s)[1]
    found = []
    for key, from_s, to_s, pose in wanted:
        x, z = place(key, at_s)
        if from_s <= at_s < to_s and x < 6.9 and z > car_z + 1:
            light = 1.5 * min(1.0, (13 / (z - car_z)) ** 1.6)
            found.append(_actor(key, at_s, pose, (light, 0.96 * light, 0.86 * light), 0.35))
    return sorted(found, key=lambda actor: -actor.z_m)


def reyes_shot(at_s: float, *, seed: int) -> Shot:
    """Say what Reyes's camera, on his belt, is pointed at."""
    return _scripted(_REYES, at_s, seed)


def _hands(at_s: float, seed: int) -> Shot:
    del seed
    return Shot("belt-far", actors=[_price(at_s, 0.9)], cover="hands", sway_px=14, bob_px=3)


def _belt_far(at_s: float, seed: int) -> Shot:
    del seed
    return Shot("belt-far", actors=[_price(at_s, 1.0)], cover="sleeve", sway_px=6, roll=0.1, aim=_PRICE)


def _belt_near(at_s: float, seed: int) -> Shot:
    del seed
    return Shot("belt-near", actors=[_price(at_s, 0.9)], cover="sleeve", sway_px=6, roll=0.12)


def _cloth(at_s: float, seed: int) -> Shot:
    del at_s, seed
    return Shot("belt-near", cover="cloth", sway_px=20, bob_px=4)


def _belt_frisk(at_s: float, seed: int) -> Shot:
    del seed
    okafor = _actor("okafor", at_s, Pose(STAND, turn=-2), (0.55, 0.53, 0.5))
    aim = (18.8, 0.8, _Z + 3.0)
    return Shot(
        "belt-frisk", actors=[_price(at_s, 0.7), okafor], cover="sleeve", sway_px=6, roll=0.12, aim=aim
    )


def _belt_mouth(at_s: float, seed: int) -> Shot:
    del seed
    return Shot(
        "belt-mouth", actors=_arriving(at_s, 0.22), cover="sleeve", sway_px=6, roll=0.1, flashing=True
    )


def _price_pose(at_s: float) -> Pose:
    if at_s < 128:
        return Pose(HANDS_UP, mouth=mouth("price", at_s))
    if 171 < at_s < 212:
        return Pose(REACH, back=True)
    turn = round(1.2 * math.sin(at_s / 2.3))
    return Pose(TALK if mouth("price", at_s) else STAND, turn=turn, mouth=mouth("price", at_s))


def _arriving(at_s: float, light: float) -> list[Actor]:
    """Lindqvist and Marsh come in from the light: dark against it, then lit by a torch."""
    near = float(np.clip((at_s - 287) / 4, 0, 1)) * light * 3.2
    level = light + near
    found = []
    for key in ("lindqvist", "marsh"):
        if at_s >= 287.0:
            walking = _moves(key, at_s)
            pose = Pose(
                WALK if walking else STAND,
                stride=_stride(at_s, 1.8) if walking else 0,
                turn=0 if walking else round(math.sin(at_s / 2)),
                mouth=mouth(key, at_s),
            )
            found.append(_actor(key, at_s, pose, (level, 0.97 * level, 0.92 * level), 0.12))
    return sorted(found, key=lambda actor: actor.x_m)


def okafor_shot(at_s: float, *, seed: int) -> Shot:
    """Say what Okafor's camera, on her chest, is pointed at."""
    return _scripted(_OKAFOR, at_s, seed)


def _chest_far(at_s: float, seed: int) -> Shot:
    del seed
    reyes = _actor("reyes", at_s, Pose(TORCH, back=True), (0.2, 0.19, 0.2))
    return Shot("chest-far", actors=[_price(at_s, 1.0), reyes], sway_px=5, aim=_PRICE)


def _walking_up(at_s: float, seed: int) -> Shot:
    del seed
    x, z = place("okafor", at_s)
    view = View((x, CHEST_M, z), yaw=EAST, pitch=-0.03)
    still = stages.in_alley(view, view.at, _PRICE, strength=0)
    torch = Lamp(view.at, scaled(stages.TORCH, 34), aim=_PRICE, spread=0.33, soft_m=2.2)
    moving = Stage(view, still.world, still.lamps, still.ambient, torch=(torch,))
    reyes = _actor("reyes", at_s, Pose(TORCH, back=True), (0.2, 0.19, 0.2))
    actors = [_price(at_s, 1.0), *([reyes] if reyes.x_m > x + 0.5 else [])]
    return Shot(moving=moving, actors=actors, sway_px=6, bob_px=5)


def _chest_near(at_s: float, seed: int) -> Shot:
    del seed
    return Shot("chest-near", actors=[_price(at_s, 0.95)], sway_px=5, aim=_FACE)


def _palm(at_s: float, seed: int) -> Shot:
    del at_s, seed
    return Shot("chest-near", cover="hand", sway_px=14)


def _chest_frisk(at_s: float, seed: int) -> Shot:
    del seed
    return Shot(
        "chest-wall", actors=[_price(at_s, 0.75)], cover="arms", sway_px=5, aim=(18.75, 1.2, _Z + 3.9)
    )


def _ground(at_s: float, seed: int) -> Shot:
    del seed
    aim = (18.7 + 0.5 * math.sin(at_s * 0.9), 0.0, _Z + 2.35 + 0.5 * math.cos(at_s * 0.7))
    return Shot("ground", sway_px=9, aim=aim)


def _chest_mouth(at_s: float, seed: int) -> Shot:
    del seed
    return Shot("chest-mouth", actors=_arriving(at_s, 0.28), sway_px=5, flashing=True)


def _chest_lit(at_s: float, seed: int) -> Shot:
    del seed
    return Shot("chest-lit", actors=[_price(at_s, 0.95, flash=0.05)], sway_px=5, flashing=True, aim=_FACE)


def _walking_out(at_s: float, seed: int) -> Shot:
    x, z = place("okafor", at_s)
    out = float(np.clip((at_s - 336) / 16, 0, 1))
    turn = float(np.clip((at_s - 346) / 6, 0, 1))
    yaw = WEST - 0.95 * turn * turn * (3 - 2 * turn)
    view = View((x, CHEST_M, z), yaw=yaw, pitch=-0.03)
    lamps = [
        *places.street_light(_Z - 14, reach_m=30),
        Lamp((7.2, 1.2, _Z + 2.0), scaled(HEADLIGHT, 6), soft_m=1.8),
        Lamp(view.at, scaled(stages.TORCH, 3 * (1 - out)), aim=(x - 5, 0.8, z), spread=0.6, soft_m=2),
    ]
    glare = (
        [((CAR_X_M + side, 0.72, CAR_STOPS_Z_M + 2.5), (0.5, 0.46, 0.4)) for side in (-0.72, 0.72)]
        if turn > 0.5
        else []
    )
    moving = Stage(
        view,
        stages.alley_and_street(seed),
        lamps,
        halos=glare,
        reach_m=90,
        bar=bar((CAR_X_M, 1.8, CAR_STOPS_Z_M + 0.3), 22),
    )
    actors = []
    if at_s < 334.6:
        walking = Pose(
            WALK,
            back=at_s > 330.5 and not 331.9 < at_s < 333.8,
            stride=_stride(at_s, 1.8),
            mouth=mouth("price", at_s),
        )
        actors.append(_actor("price", at_s, walking, (0.6, 0.56, 0.5), 0.1))
    return Shot(
        moving=moving, actors=actors, sway_px=5, bob_px=5 if _moves("okafor", at_s) else 0, flashing=True
    )


_CAR: Final[Script] = (
    (CAR_STOPS_S, _chase),
    (_BACKUP_S - 2, _parked("car-stop")),
    (math.inf, _parked("car-backup")),
)
_REYES: Final[Script] = (
    (84.0, _dark),
    (96.0, _hands),
    (130.0, _belt_far),
    (166.0, _belt_near),
    (179.0, _cloth),
    (210.0, _belt_frisk),
    (_BACKUP_S, _dark),
    (math.inf, _belt_mouth),
)
_OKAFOR: Final[Script] = (
    (123.5, _chest_far),
    (129.5, _walking_up),
    (168.0, _chest_near),
    (177.0, _palm),
    (210.0, _chest_frisk),
    (221.0, _ground),
    (_BACKUP_S, _dark),
    (302.0, _chest_mouth),
    (330.0, _chest_lit),
    (math.inf, _walking_out),
)
SHOTS: Final = {"car-12a": car_shot, "reyes": reyes_shot, "okafor": okafor_shot}
# How many pictures share one drawing of a moving place: a car at 16 m/s needs each, a walker does not.
STEPS: Final = {"car-12a": 1, "reyes": 3, "okafor": 2}

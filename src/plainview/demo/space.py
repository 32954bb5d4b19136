"""Draw flat faces in space, and light them: what a picture without people is made of.

Coordinates are metres: x east, y up from the ground, z north. A view that looks north sees east on its right.
Light is linear, float32, 0 black and 1 white; only `to_screen` makes what a screen shows of it.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Light: TypeAlias = NDArray[np.float32]
    Point: TypeAlias = tuple[float, float, float]
    Colour: TypeAlias = tuple[float, float, float]

NEAR_M: Final = 0.2
SKY: Final = (0.004, 0.0055, 0.012)
PLAIN, BRICK, ROUGH, BOARDS, TILES = range(5)


@dataclasses.dataclass(frozen=True)
class View:
    """A camera without a wearer: where it is and where it looks.

    Attributes:
        at: metres.
        yaw: radians from north towards east. pitch: radians upwards.
        focal_px: how many pixels one metre at one metre takes.
        width_px, height_px: of the picture.
    """

    at: Point
    yaw: float = 0.0
    pitch: float = 0.0
    focal_px: float = 430.0
    width_px: int = 736
    height_px: int = 416

    def turned(self) -> NDArray[np.float64]:
        """Give the rotation from the world to the camera: right, up, forward."""
        sy, cy, sp, cp = math.sin(self.yaw), math.cos(self.yaw), math.sin(self.pitch), math.cos(self.pitch)
        return np.array([[cy, 0, -sy], [-sy * sp, cp, -cy * sp], [sy * cp, sp, cy * cp]])

    def project(self, point: Point) -> tuple[float, float, float]:
        """Give column, row and depth in metres; a depth under NEAR_M is not in the picture."""
        right, up, ahead = self.turned() @ (np.array(point) - np.array(self.at))
        scale = self.focal_px / max(float(ahead), NEAR_M)
        return self.width_px / 2 + scale * float(right), self.height_px / 2 - scale * float(up), float(ahead)


@dataclasses.dataclass(frozen=True)
class Face:
    """A flat four-cornered face.

    Attributes:
        corners: in order around it; a triangle names its last corner twice.
        colour: how much of the light on it comes back, linear RGB.
        glow: the light it gives by itself.
        grain: PLAIN, BRICK, ROUGH, BOARDS or TILES.
    """

    corners: tuple[Point, Point, Point, Point]
    colour: Colour
    glow: Colour = (0.0, 0.0, 0.0)
    grain: int = PLAIN


@dataclasses.dataclass(frozen=True)
class Thing:
    """Faces that belong together, the hidden before the near; things are drawn from far to near."""

    at: Point
    faces: tuple[Face, ...]
    ground: bool = False


@dataclasses.dataclass(frozen=True)
class Lamp:
    """A light without a direction, or with one.

    Attributes:
        at: metres. colour: linear RGB at one metre.
        aim: where it points, or None for everywhere. spread: half its angle in radians.
        soft_m: how near it stops getting stronger.
    """

    at: Point
    colour: Colour
    aim: Point | None = None
    spread: float = 0.4
    soft_m: float = 1.0


def colour(text: str) -> Colour:
    """Read "#rrggbb" as linear light."""
    parts = [(int(text[i : i + 2], 16) / 255) ** 2.2 for i in (1, 3, 5)]
    return parts[0], parts[1], parts[2]


class World:
    """Things that stand still, stacked for drawing many views of them."""

    def __init__(self, things: Sequence[Thing]) -> None:
        faces = [face for thing in things for face in thing.faces]
        self.corners = np.array([face.corners for face in faces])
        self.colours = np.array([face.colour for face in faces], dtype=np.float32)
        self.glows = np.array([face.glow for face in faces], dtype=np.float32)
        self.grains = np.array([face.grain for face in faces])
        a, b, c, d = self.corners.transpose(1, 0, 2)
        normals = np.cross(c - a, d - b)
        self.normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        ends = np.cumsum([len(thing.faces) for thing in things])
        self._spans = [
            np.arange(end - len(thing.faces), end) for end, thing in zip(ends, things, strict=True)
        ]
        self._places = np.array([thing.at for thing in things])
        self._ground = np.array([thing.ground for thing in things])

    def ordered(self, at: Point, reach_m: float) -> NDArray[np.int64]:
        """Give the faces within reach in the order of drawing: the ground, then from far to near."""
        distance = np.linalg.norm(self._places - np.array(at), axis=1)
        near = np.nonzero(distance < reach_m)[0]
        order = near[np.lexsort((-distance[near], ~self._ground[near]))]
        return np.concatenate([self._spans[i] for i in order])


class Surfaces:
    """What a view sees, before any light: for each pixel its place, direction and material."""

    def __init__(
        self, view: View, world: World, *, coarse: int = 1, over: int = 2, reach_m: float = 120.0
    ) -> None:
        """Draw.

        Args:
            view: from where.
            world: what there is.
            coarse: light is worked out for every coarse-th pixel only.
            over: how many times finer edges are drawn than pixels.
            reach_m: things further away are left out.
        """
        self.view, self._coarse = view, coarse
        chosen = world.ordered(view.at, reach_m)
        index = _index(view, world.corners[chosen], over)
        colours = np.concatenate([np.zeros((1, 3), dtype=np.float32), world.colours[chosen]])
        glows = np.concatenate([np.array([SKY], dtype=np.float32), world.glows[chosen]])
        self.albedo = _painted(colours, index, over)
        self.glow = _painted(glows, index, over) if coarse == 1 else _painted(glows, index[::over, ::over], 1)
        every = over * coarse
        small = index[every // 2 :: every, every // 2 :: every]
        self._locate(world, chosen, small)
        grains = np.concatenate([[PLAIN], world.grains[chosen]])[small]
        texture = _texture(grains, self.place, self.normal, self.depth)
        self.texture = _spread(texture[:, :, None], coarse)

    def _locate(self, world: World, chosen: NDArray[np.int64], small: NDArray[np.int32]) -> None:
        view, coarse = self.view, self._coarse
        rows, columns = small.shape
        right = ((np.arange(columns) + 0.5) * coarse - view.width_px / 2) / view.focal_px
        up = -((np.arange(rows) + 0.5) * coarse - view.height_px / 2) / view.focal_px
        turned = view.turned()
        rays = (right[None, :, None] * turned[0] + up[:, None, None] * turned[1] + turned[2]).astype(
            np.float32
        )
        normals = world.normals[chosen]
        distance = ((np.array(view.at) - world.corners[chosen, 0]) * normals).sum(axis=1, keepdims=True)
        planes = np.concatenate([normals, distance], axis=1) * np.where(distance < 0, -1, 1)
        plane = np.concatenate([[[0, 0, -1, 1e3]], planes]).astype(np.float32)[small]
        slope = np.einsum("ijk,ijk->ij", plane[:, :, :3], rays)
        slope = np.where(np.abs(slope) < 1e-4, np.float32(-1e-4), slope)
        self.depth: Light = np.asarray((-plane[:, :, 3] / slope).clip(0.05, 400), dtype=np.float32)
        self.place: Light = rays * self.depth[:, :, None] + np.array(view.at, dtype=np.float32)
        self.normal: Light = plane[:, :, :3]

    def lit(self, lamps: Sequence[Lamp], *, ambient: Colour = (0.0, 0.0, 0.0)) -> Light:
        """Give the light that comes back from everything, without its own glow, [height, width, 3]."""
        total = np.empty(self.place.shape, dtype=np.float32)
        total[:] = np.array(ambient, dtype=np.float32)
        for lamp in lamps:
            total += self._from(lamp)[:, :, None] * np.array(lamp.colour, dtype=np.float32)
        return self.albedo * _spread(total, self._coarse) * self.texture

    def _from(self, lamp: Lamp) -> Light:
        way = np.array(lamp.at, dtype=np.float32) - self.place
        squared = np.einsum("ijk,ijk->ij", way, way)
        distance = np.sqrt(squared)
        facing = np.abs(np.einsum("ijk,ijk->ij", way, self.normal)) / np.maximum(distance, 0.05)
        level = (0.25 + 0.75 * facing) / (lamp.soft_m**2 + squared)
        if lamp.aim is not None:
            axis = np.array(lamp.aim, dtype=np.float32) - np.array(lamp.at, dtype=np.float32)
            axis /= np.float32(np.linalg.norm(axis))
            angle = np.arccos(np.clip(-(way @ axis) / np.maximum(distance, 0.05), -1, 1)) / lamp.spread
            level *= 1 / (1 + np.exp(((angle - 1) / 0.09).clip(-30, 30))) + 0.08 * np.exp(-angle)
        return np.asarray(level, dtype=np.float32)


def bloom(glow: Light) -> Light:
    """Give the glare around what shines, added twice: near and wide."""
    height, width = glow.shape[:2]
    small = Image.fromarray((np.sqrt(glow.clip(0, 4)) * 127).astype(np.uint8)).resize(
        (width // 4, height // 4)
    )
    total = np.zeros_like(glow)
    for radius, share in ((1.5, 0.35), (7.0, 0.5)):
        soft = small.filter(ImageFilter.GaussianBlur(radius)).resize(
            (width, height), Image.Resampling.BILINEAR
        )
        total += (np.asarray(soft, dtype=np.float32) / 127) ** 2 * np.float32(share)
    return total


def halo(picture: Light, view: View, at: Point, strength: Colour, *, size_m: float = 0.5) -> None:
    """Add the glare of a lamp, and its long reflection on the wet ground under it."""
    column, row, depth = view.project(at)
    if depth < 0.5:
        return
    size = max(2.0, size_m * view.focal_px / depth)
    _blob(picture, column, row, size, size, strength)
    below = view.project((at[0], -at[1], at[2]))
    dim = (strength[0] * 0.3, strength[1] * 0.3, strength[2] * 0.3)
    tall = min(90.0, view.focal_px * 2.2 / depth + 14)
    under = picture[max(0, int(row)) :]
    _blob(under, column, min(below[1], row + 900) - max(0, int(row)), min(22.0, 0.6 * size + 2), tall, dim)


def _blob(  # noqa: PLR0917 where, how large, how strong
    picture: Light, column: float, row: float, wide: float, tall: float, strength: Colour
) -> None:
    height, width = picture.shape[:2]
    x0, x1 = max(0, int(column - 4 * wide)), min(width, int(column + 4 * wide) + 1)
    y0, y1 = max(0, int(row - 4 * tall)), min(height, int(row + 4 * tall) + 1)
    if x0 >= x1 or y0 >= y1:
        return
    across = np.exp(-0.5 * ((np.arange(x0, x1, dtype=np.float32) - column) / wide) ** 2)
    down = np.exp(-0.5 * ((np.arange(y0, y1, dtype=np.float32) - row) / tall) ** 2)
    picture[y0:y1, x0:x1] += (down[:, None] * across[None, :])[:, :, None] * np.array(
        strength, dtype=np.float32
    )


@functools.lru_cache(maxsize=1)
def _tones() -> NDArray[np.uint8]:
    light = np.arange(4097) / 1024
    shown: NDArray[np.uint8] = np.round((1 - np.exp(-1.75 * light)) ** (1 / 2.2) * 255).astype(np.uint8)
    return shown


def to_screen(light: Light) -> NDArray[np.uint8]:
    """Map linear light to the screen, with a shoulder instead of a cut; uint8 of the same shape."""
    shown: NDArray[np.uint8] = _tones()[np.clip(light * 1024.0, 0, 4096).astype(np.uint16)]
    return shown


# The parts.


def _index(view: View, corners: NDArray[np.float64], over: int) -> NDArray[np.int32]:
    """Draw each face in its number, from 1; 0 is the sky."""
    width, height = view.width_px * over, view.height_px * over
    image = Image.new("I", (width, height))
    on = ImageDraw.Draw(image)
    seen = (corners - np.array(view.at)) @ view.turned().T
    depth = seen[:, :, 2]
    focal = view.focal_px * over
    flat = focal * seen[:, :, :2] / np.maximum(depth, NEAR_M)[:, :, None]
    whole = depth.min(axis=1) > NEAR_M
    low, high = flat.min(axis=1), flat.max(axis=1)
    half = np.array([width, height]) / 2
    inside = ((high > -half) & (low < half)).all(axis=1) & ((high - low) > 0.35).any(axis=1)
    points = (
        np.stack([half[0] + flat[:, :, 0], half[1] - flat[:, :, 1]], axis=2)
        .clip(-40_000, 40_000)
        .reshape(-1, 8)
    )
    for number in np.nonzero((depth.max(axis=1) > NEAR_M) & (inside | ~whole))[0]:
        if whole[number]:
            on.polygon(points[number].tolist(), fill=int(number) + 1)
            continue
        ring = _clipped(seen[number])
        x, y = half[0] + focal * ring[:, 0] / ring[:, 2], half[1] - focal * ring[:, 1] / ring[:, 2]
        on.polygon(
            list(zip(x.clip(-40_000, 40_000), y.clip(-40_000, 40_000), strict=True)), fill=int(number) + 1
        )
    return np.asarray(image, dtype=np.int32)


def _clipped(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cut off what is behind the camera (Sutherland and Hodgman, one plane)."""
    kept = []
    for a, b in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        if a[2] >= NEAR_M:
            kept.append(a)
        if (a[2] >= NEAR_M) != (b[2] >= NEAR_M):
            kept.append(a + (b - a) * (NEAR_M * 1.001 - a[2]) / (b[2] - a[2]))
    return np.array(kept)


def _painted(light: Light, index: NDArray[np.int32], over: int) -> Light:
    """Give each pixel its face's light, averaged from the finer drawing.

    It goes through four bytes a pixel, as square roots, which is several times faster than floats.
    """
    packed = np.zeros((len(light), 4), dtype=np.uint8)
    packed[:, :3] = np.round(np.sqrt(light.clip(0, 1)) * 255)
    pixels = packed.view(np.uint32)[:, 0].take(index)
    quads = pixels.view(np.uint8).reshape(*index.shape, 4)
    if over > 1:
        quads = np.asarray(Image.frombuffer("RGBX", index.shape[::-1], quads.tobytes()).reduce(over))
    return _SQUARES.take(quads[:, :, :3])


_SQUARES: Final = ((np.arange(256) / 255) ** 2).astype(np.float32)


def _spread(light: Light, coarse: int) -> Light:
    return light if coarse == 1 else light.repeat(coarse, axis=0).repeat(coarse, axis=1)


@functools.lru_cache(maxsize=1)
def _noise() -> Light:
    return np.random.default_rng(417).normal(0, 1, (256, 256)).astype(np.float32)


def _texture(grains: NDArray[np.int64], place: Light, normal: Light, depth: Light) -> Light:
    """Roughen by place, so that a surface stays itself as the camera moves; what is far is smoother."""
    x, y, z = place[:, :, 0], place[:, :, 1], place[:, :, 2]
    level = np.abs(normal[:, :, 1]) > 0.7
    along = np.where(np.abs(normal[:, :, 0]) > np.abs(normal[:, :, 2]), z, x)
    u, v = np.where(level, x, along), np.where(level, z, y)
    near = np.minimum(1, 7 / depth)

    def noise(per_m: float) -> Light:
        level: Light = _noise()[(v * per_m).astype(np.int32) & 255, (u * per_m).astype(np.int32) & 255]
        return level

    rough = 1 + (0.12 * noise(97) + 0.1 * noise(41)) * near + 0.05 * noise(9)
    course = np.floor(v / 0.085)
    brick_u = u + (course % 2) * 0.11
    joint = ((v % 0.085) < 0.014) | ((brick_u % 0.22) < 0.014)
    tone = _noise()[course.astype(np.int32) & 255, np.floor(brick_u / 0.22).astype(np.int32) & 255]
    bricks = np.where(joint, 1 + 0.5 * near, 1 + (0.2 * tone + 0.08 * noise(53)) * np.minimum(1, 12 / depth))
    boards = np.where(
        (u % 0.14) < 0.012, 0.35, 1 + 0.12 * _noise()[7, np.floor(u / 0.14).astype(np.int32) & 255]
    )
    tiles = np.where(((u % 0.6) < 0.012) | ((v % 0.6) < 0.012), 0.6, 1 + 0.03 * noise(41))
    picked = np.select(
        [grains == BRICK, grains == ROUGH, grains == BOARDS, grains == TILES],
        [bricks, rough, boards, tiles],
        1.0,
    )
    return np.asarray(picked.clip(0.2, 1.8), dtype=np.float32)

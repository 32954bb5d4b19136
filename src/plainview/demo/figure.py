"""Draw a man on foot, lit by what is around him."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw

from plainview.demo.street import FOCAL_PX, project

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SUPERSAMPLE: Final = 3
_BOX_WIDTH_M: Final = 2.0
_BOX_HEIGHT_M: Final = 2.5
_SKIN, _JACKET, _SLEEVE, _TROUSERS, _SHOE, _HAIR = (
    "#b08263",
    "#46525f",
    "#3d4854",
    "#2f2e31",
    "#8f8c86",
    "#211a16",
)
_SHIRT: Final = "#a8a398"


@dataclasses.dataclass(frozen=True)
class Pose:
    """How he stands.

    Attributes:
        stride: radians; advances by 2 pi with every two steps.
        walking: 0 standing, 1 in full stride.
        hands_up: 0 hanging, 1 raised beside the head.
    """

    stride: float
    walking: float
    hands_up: float


def draw_figure(
    picture: NDArray[np.float32],
    *,
    x_m: float,
    z_m: float,
    pose: Pose,
    light: NDArray[np.float32],
    rim: NDArray[np.float32],
) -> None:
    """Paint him and his shadow into a picture of linear light.

    Args:
        picture: float32 [height, width, 3]; changed in place.
        x_m: where he stands, metres to the right of the camera.
        z_m: how far away.
        pose: how he stands.
        light: RGB light that falls on his front.
        rim: RGB light that catches the edge on his left hand, our right.
    """
    scale = FOCAL_PX / z_m
    column, row = project((x_m, 0.0, z_m))
    colours, cover = _sprite(scale, pose)
    top, left = round(row - cover.shape[0] + 0.12 * scale), round(column - cover.shape[1] / 2)
    _shadow(picture, column, row, scale)
    shifted = np.roll(cover, -max(1, round(0.035 * scale)), axis=1)
    edge = (cover - shifted).clip(0, 1)[:, :, None]
    lit = colours * (light * _modelling(cover.shape)) + edge * rim
    _composite(picture, lit, cover, top, left)


def _modelling(shape: tuple[int, int]) -> NDArray[np.float32]:
    """Make him round: the torch is on his chest and to our left, his legs and far side are darker."""
    down = np.linspace(0, 1, shape[0], dtype=np.float32)[:, None]
    across = np.linspace(-1, 1, shape[1], dtype=np.float32)[None, :]
    chest = 0.3 + 0.8 * np.exp(-(((down - 0.38) / 0.3) ** 2))
    return np.asarray((chest * (1 - 0.9 * across.clip(-0.25, 0.35)))[:, :, None], dtype=np.float32)


def _composite(
    picture: NDArray[np.float32], lit: NDArray[np.float32], cover: NDArray[np.float32], top: int, left: int
) -> None:
    height, width = cover.shape
    y0, y1 = max(top, 0), min(top + height, picture.shape[0])
    x0, x1 = max(left, 0), min(left + width, picture.shape[1])
    if y0 >= y1 or x0 >= x1:
        return
    part = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    alpha = cover[part][:, :, None]
    picture[y0:y1, x0:x1] = picture[y0:y1, x0:x1] * (1 - alpha) + lit[part] * alpha


def _shadow(picture: NDArray[np.float32], column: float, row: float, scale: float) -> None:
    wide, tall = 0.5 * scale, 0.1 * scale
    x0, x1 = max(int(column - 2.5 * wide), 0), min(int(column + 2.5 * wide), picture.shape[1])
    y0, y1 = max(int(row - 2.5 * tall), 0), min(int(row + 2.5 * tall), picture.shape[0])
    dx = (np.arange(x0, x1, dtype=np.float32) - column)[None, :] / wide
    dy = (np.arange(y0, y1, dtype=np.float32) - row)[:, None] / tall
    picture[y0:y1, x0:x1] *= (1 - 0.75 * np.exp(-dx * dx - dy * dy))[:, :, None]


def _sprite(scale: float, pose: Pose) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give his colours as linear light, and how much of each pixel he covers."""
    width, height = max(4, round(_BOX_WIDTH_M * scale)), max(4, round(_BOX_HEIGHT_M * scale))
    size = (width * _SUPERSAMPLE, height * _SUPERSAMPLE)
    image = Image.new("RGBA", size, (60, 60, 66, 0))
    _Body(ImageDraw.Draw(image), size, scale * _SUPERSAMPLE, pose).draw()
    small = np.asarray(image.resize((width, height), Image.Resampling.BOX), dtype=np.float32) / np.float32(
        255
    )
    return np.power(small[:, :, :3], np.float32(2.2), dtype=np.float32), small[:, :, 3]


class _Body:
    """Limbs as rounded strokes, in metres from the point between his feet."""

    def __init__(self, on: ImageDraw.ImageDraw, size: tuple[int, int], scale: float, pose: Pose) -> None:
        self._on, self._size, self._scale, self._pose = on, size, scale, pose

    def draw(self) -> None:
        pose = self._pose
        swing = math.sin(pose.stride) * pose.walking
        bob = abs(math.cos(pose.stride)) * 0.03 * pose.walking
        hip, shoulder, head = 0.92 + bob, 1.45 + bob, 1.66 + bob
        for side in (-1, 1):
            self._leg(side, swing * side, hip)
        if pose.hands_up < 0.5:
            self._arms(swing, shoulder)
        self._torso(hip, shoulder)
        if pose.hands_up >= 0.5:
            self._arms(swing, shoulder)
        self._head(head)

    def _leg(self, side: int, swing: float, hip: float) -> None:
        lift = max(0.0, swing) * 0.13
        knee = (side * 0.115 + 0.02 * swing, 0.5 + lift * 0.8)
        foot = (side * 0.12, 0.09 + lift)
        self._limb([(side * 0.1, hip), knee, foot], 0.165, _TROUSERS)
        self._limb([(foot[0] - 0.01, foot[1] - 0.03), (foot[0] + side * 0.05, foot[1] - 0.05)], 0.11, _SHOE)

    def _torso(self, hip: float, shoulder: float) -> None:
        self._shape(
            [
                (-0.2, hip - 0.08),
                (0.2, hip - 0.08),
                (0.245, shoulder),
                (0.1, shoulder + 0.075),
                (-0.1, shoulder + 0.075),
                (-0.245, shoulder),
            ],
            _JACKET,
        )
        self._shape([(-0.055, shoulder + 0.07), (0.055, shoulder + 0.07), (0.0, shoulder - 0.2)], _SHIRT)
        self._limb([(0.0, shoulder - 0.2), (0.0, hip - 0.04)], 0.016, "#232a32")
        for side in (-1, 1):
            self._limb([(side * 0.09, hip + 0.12), (side * 0.16, hip + 0.16)], 0.018, "#343d48")

    def _arms(self, swing: float, shoulder: float) -> None:
        raised = self._pose.hands_up
        for side in (-1, 1):
            start = (side * 0.235, shoulder - 0.045)
            hang_elbow = (side * (0.3 + 0.02 * swing * side), shoulder - 0.32)
            hang_hand = (side * 0.29 + 0.03 * swing, shoulder - 0.59 + 0.05 * max(0.0, swing * -side))
            elbow = _between(hang_elbow, (side * 0.5, shoulder - 0.04), raised)
            hand = _between(hang_hand, (side * 0.47, shoulder + 0.3), raised)
            self._limb([start, elbow, hand], 0.115, _SLEEVE)
            tip = (hand[0], hand[1] + (0.07 if raised > 0.5 else -0.07))
            self._limb([hand, tip], 0.085, _SKIN)
            if raised > 0.7:
                for spread in (-0.045, -0.015, 0.015, 0.045):
                    self._limb([tip, (tip[0] + spread * 1.3, tip[1] + 0.085)], 0.022, _SKIN)

    def _head(self, y: float) -> None:
        self._limb([(0, y - 0.2), (0, y - 0.08)], 0.11, "#9a7156")
        self._oval(0, y + 0.02, 0.098, 0.135, _HAIR)
        self._oval(0, y - 0.015, 0.086, 0.118, _SKIN)
        self._shape(
            [
                (-0.09, y + 0.03),
                (-0.085, y + 0.09),
                (0, y + 0.135),
                (0.085, y + 0.09),
                (0.09, y + 0.03),
                (0, y + 0.065),
            ],
            _HAIR,
        )
        for side in (-1, 1):
            self._oval(side * 0.034, y - 0.005, 0.014, 0.009, "#2b211c")
        self._limb([(-0.02, y - 0.078), (0.02, y - 0.078)], 0.01, "#96644f")

    def _pixel(self, point: tuple[float, float]) -> tuple[float, float]:
        return self._size[0] / 2 + point[0] * self._scale, self._size[1] - (point[1] + 0.12) * self._scale

    def _limb(self, joints: list[tuple[float, float]], thick_m: float, colour: str) -> None:
        pixels = [self._pixel(joint) for joint in joints]
        thick = max(1, round(thick_m * self._scale))
        self._on.line(pixels, fill=colour, width=thick, joint="curve")
        for x, y in pixels:
            self._on.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill=colour)

    def _shape(self, points: list[tuple[float, float]], colour: str) -> None:
        self._on.polygon([self._pixel(point) for point in points], fill=colour)

    def _oval(self, x: float, y: float, wide: float, tall: float, colour: str) -> None:
        left, top = self._pixel((x - wide, y + tall))
        right, bottom = self._pixel((x + wide, y - tall))
        self._on.ellipse((left, top, right, bottom), fill=colour)


def _between(a: tuple[float, float], b: tuple[float, float], share: float) -> tuple[float, float]:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share

"""Draw the heads of invented people, so that both a stranger and a face detector take them for faces.

A head is drawn once, large, for each direction it can look and each mouth it can make; a scene shrinks it
to what it needs. Nobody is drawn after a photograph.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

if TYPE_CHECKING:
    from collections.abc import Sequence

    Point: TypeAlias = tuple[float, float]
    Mouth: TypeAlias = int

# The canvas, and where the head lies on it: crown to chin is HEAD_PX, ears included FACE_WIDTH_PX.
CANVAS_PX: Final = (300, 400)
HEAD_PX: Final = 270
CROWN_Y_PX: Final = 50
FACE_WIDTH_PX: Final = 190
_OVER: Final = 2
TURNS: Final = (-2, -1, 0, 1, 2)
MOUTHS: Final = (0, 1, 2)


@dataclasses.dataclass(frozen=True)
class Look:
    """What somebody looks like.

    Attributes:
        skin: colour. hair: colour. eye: colour of the iris.
        width: 1 is average, of the face.
        hair_style: "short", "long", "tied", "shaved" or "receding".
        beard: 0 none to 1 full.
        age: 0 young to 1 old: lines and shadows.
        cap: colour of a police cap, or empty.
        coat: colour of the top. collar: colour of what shows at the neck.
        trousers: colour.
        uniform: has a badge, pockets and a belt.
        camera: where it is worn, "chest" or "belt", or empty.
    """

    skin: str
    hair: str
    eye: str = "#4a3320"
    width: float = 1.0
    hair_style: str = "short"
    beard: float = 0.0
    age: float = 0.3
    cap: str = ""
    coat: str = "#2a3347"
    collar: str = "#1c2333"
    trousers: str = "#20242e"
    uniform: bool = False
    camera: str = ""


@functools.lru_cache(maxsize=128)
def head(look: Look, turn: int, mouth: Mouth) -> Image.Image:
    """Draw a head and neck, lit from the front and a little from its right.

    Args:
        look: whose.
        turn: -2 far to our left, 0 straight at us, 2 far to our right.
        mouth: 0 shut, 1 half open, 2 open.

    Returns:
        RGBA image of CANVAS_PX, straight alpha; not to be changed.
    """
    return _Head(look, turn, mouth).draw()


class _Head:
    """Paints on one canvas in parts of the head's height, from the crown's middle."""

    def __init__(self, look: Look, turn: int, mouth: Mouth) -> None:
        self._look, self._turn, self._mouth = look, turn * 0.34, mouth
        self._size = (CANVAS_PX[0] * _OVER, CANVAS_PX[1] * _OVER)
        self._image = Image.new("RGBA", self._size, _rgba(look.skin, 0))
        self._on = ImageDraw.Draw(self._image)

    def draw(self) -> Image.Image:
        look = self._look
        self._back_hair()
        self._shape(_NECK, _shade(look.skin, 0.62))
        self._neck_shadow()
        self._ears()
        self._skull()
        if look.beard:
            self._beard()
        self._eyes()
        self._nose()
        self._lips()
        if look.age > 0.4:
            self._lines()
        self._hair()
        if look.cap:
            self._cap()
        return self._image.resize(CANVAS_PX, Image.Resampling.BOX)

    # Geometry.

    def _at(self, x: float, y: float, *, depth: float = 0.0) -> Point:
        """Give the pixel of a point; what lies further forward moves more when the head turns."""
        scale = HEAD_PX * _OVER
        x = x * self._look.width * (1 - 0.12 * abs(self._turn) * (x * self._turn > 0)) + depth * self._turn
        return self._size[0] / 2 + x * scale, CROWN_Y_PX * _OVER + y * scale

    def _shape(self, points: Sequence[Point], colour: str, *, depth: float = 0.0) -> None:
        self._on.polygon([self._at(x, y, depth=depth) for x, y in _rounded(points)], fill=_rgba(colour))

    def _soft(
        self, points: Sequence[Point], colour: str, blur: float, strength: float, *, depth: float = 0.0
    ) -> None:
        """Tint where there already is something, with soft edges."""
        mask = Image.new("L", self._size)
        pixels = [self._at(x, y, depth=depth) for x, y in points]
        ImageDraw.Draw(mask).polygon(pixels, fill=round(255 * strength))
        mask = mask.filter(ImageFilter.GaussianBlur(blur * HEAD_PX * _OVER))
        alpha = self._image.getchannel("A")
        self._image.paste(Image.new("RGBA", self._size, _rgba(colour)), mask=ImageChops.multiply(mask, alpha))
        self._image.putalpha(alpha)
        self._on = ImageDraw.Draw(self._image)

    def _oval(self, x: float, y: float, wide: float, tall: float, colour: str, *, depth: float = 0.0) -> None:
        (left, top), (right, bottom) = self._at(x, y - tall, depth=depth), self._at(x, y + tall, depth=depth)
        wide *= HEAD_PX * _OVER * self._look.width
        self._on.ellipse((left - wide, top, right + wide, bottom), fill=_rgba(colour))

    def _line(self, points: Sequence[Point], thick: float, colour: str, *, depth: float = 0.0) -> None:
        pixels = [self._at(x, y, depth=depth) for x, y in points]
        self._on.line(pixels, fill=_rgba(colour), width=max(1, round(thick * HEAD_PX * _OVER)), joint="curve")

    # Parts.

    def _back_hair(self) -> None:
        look = self._look
        if look.hair_style == "long":
            self._shape(
                [
                    (-0.38, 0.3),
                    (-0.36, 0.05),
                    (0, -0.06),
                    (0.36, 0.05),
                    (0.38, 0.3),
                    (0.4, 1.12),
                    (-0.4, 1.12),
                ],
                _shade(look.hair, 0.8),
            )
        elif look.hair_style == "tied":
            self._oval(0.1, 0.05, 0.15, 0.13, _shade(look.hair, 0.8), depth=-0.25)

    def _neck_shadow(self) -> None:
        self._soft(
            [(-0.3, 0.86), (0.3, 0.86), (0.22, 1.1), (-0.22, 1.1)], _shade(self._look.skin, 0.25), 0.03, 0.75
        )

    def _ears(self) -> None:
        for side in (-1, 1):
            if side * self._turn < -0.6 or self._look.hair_style == "long":
                continue
            self._oval(side * 0.335, 0.54, 0.045, 0.095, _shade(self._look.skin, 0.78), depth=-0.1)
            self._oval(side * 0.335, 0.54, 0.022, 0.06, _shade(self._look.skin, 0.55), depth=-0.1)

    def _skull(self) -> None:
        """The face itself, shaded as the ball it is."""
        mask = Image.new("L", self._size)
        pixels = [self._at(x, y) for x, y in _rounded(_FACE)]
        ImageDraw.Draw(mask).polygon(pixels, fill=255)
        width, height = self._size
        x = (np.arange(width, dtype=np.float32)[None, :] - self._at(0, 0)[0]) / (0.40 * HEAD_PX * _OVER)
        y = (np.arange(height, dtype=np.float32)[:, None] - self._at(0, 0.55)[1]) / (0.62 * HEAD_PX * _OVER)
        z = np.sqrt(np.maximum(0.03, 1 - x * x - y * y))
        light = (0.36 + 0.72 * np.maximum(0, -0.28 * x - 0.3 * y + 0.86 * z))[:, :, None]
        tint = np.array([1.0, 0.97, 0.94], dtype=np.float32) ** (1 - light)
        skin = np.array(_rgb(self._look.skin), dtype=np.float32)
        face = Image.fromarray((skin * light * tint).clip(0, 255).astype(np.uint8)).convert("RGBA")
        self._image.paste(face, mask=mask)
        self._on = ImageDraw.Draw(self._image)
        blush = _mixed(self._look.skin, "#b0483a", 0.5)
        for side in (-1, 1):
            self._soft(_disc(side * 0.19, 0.66, 0.09, 0.07), blush, 0.045, 0.28, depth=0.06)
            self._soft(
                _disc(side * 0.145, 0.475, 0.105, 0.06), _shade(self._look.skin, 0.3), 0.025, 0.55, depth=0.08
            )
        self._soft(
            [(-0.12, 0.25), (0.12, 0.25), (0.1, 0.38), (-0.1, 0.38)],
            _shade(self._look.skin, 1.18),
            0.05,
            0.4,
            depth=0.05,
        )

    def _eyes(self) -> None:
        brow = _mixed(self._look.hair, "#1a1412", 0.45)
        for side in (-1, 1):
            x, y, depth = side * 0.15, 0.485, 0.095
            lid = [
                (x - 0.078, y + 0.008),
                (x - 0.03, y - 0.031),
                (x + 0.03, y - 0.031),
                (x + 0.078, y + 0.008),
            ]
            self._shape([*lid, (x + 0.03, y + 0.026), (x - 0.03, y + 0.026)], "#d9d4cc", depth=depth)
            self._oval(x + 0.02 * self._turn, y - 0.003, 0.031, 0.03, self._look.eye, depth=depth)
            self._oval(x + 0.02 * self._turn, y - 0.003, 0.015, 0.015, "#080605", depth=depth)
            self._oval(x - 0.011, y - 0.013, 0.007, 0.007, "#ffffff", depth=depth)
            self._line(lid, 0.016, "#1c1310", depth=depth)
            self._line(
                [(x - 0.06, y - 0.045), (x, y - 0.058), (x + 0.06, y - 0.045)],
                0.008,
                _shade(self._look.skin, 0.5),
                depth=depth,
            )
            inner, outer = x - side * 0.075, x + side * 0.1
            self._shape(
                [(inner, y - 0.082), (x, y - 0.112), (outer, y - 0.082), (x, y - 0.09), (inner, y - 0.062)],
                brow,
                depth=depth,
            )

    def _nose(self) -> None:
        skin = self._look.skin
        lean = 0.02 * self._turn
        self._soft(
            [(0.02, 0.5), (0.05, 0.52), (0.085, 0.69), (0.03, 0.71)],
            _shade(skin, 0.4),
            0.018,
            0.55,
            depth=0.14,
        )
        self._soft(
            [(-0.015, 0.47), (0.015, 0.47), (0.022, 0.66), (-0.022, 0.66)],
            _shade(skin, 1.3),
            0.014,
            0.6,
            depth=0.15,
        )
        self._soft(_disc(0, 0.672, 0.035, 0.026), _shade(skin, 1.25), 0.012, 0.55, depth=0.17)
        self._soft(_disc(0, 0.722, 0.085, 0.014), _shade(skin, 0.22), 0.012, 0.75, depth=0.15)
        for side in (-1, 1):
            self._oval(side * 0.036 + lean, 0.71, 0.019, 0.01, _shade(skin, 0.22), depth=0.15)
            self._soft(
                [(side * 0.085, 0.7), (side * 0.1, 0.7), (side * 0.135, 0.79), (side * 0.12, 0.79)],
                _shade(skin, 0.4),
                0.012,
                0.45,
                depth=0.11,
            )

    def _lips(self) -> None:
        skin, gap = self._look.skin, (0.0, 0.024, 0.05)[self._mouth]
        lip = _mixed(skin, "#8c3a38", 0.5)
        wide = 0.118 - 0.014 * self._mouth
        y, depth = 0.805, 0.12
        if gap:
            self._shape(
                [(-wide, y), (0, y - 0.012), (wide, y), (wide * 0.6, y + gap), (-wide * 0.6, y + gap)],
                "#2a0d0c",
                depth=depth,
            )
            self._shape(
                [(-wide * 0.6, y - 0.002), (wide * 0.6, y - 0.002), (0, y + 0.014)], "#cfc8bd", depth=depth
            )
        upper = [
            (-wide, y + 0.003),
            (-0.035, y - 0.032),
            (0, y - 0.024),
            (0.035, y - 0.032),
            (wide, y + 0.003),
        ]
        self._shape([*upper, (0, y + 0.004)], _shade(lip, 0.72), depth=depth)
        self._shape(
            [
                (-wide * 0.88, y + gap),
                (0, y + gap),
                (wide * 0.88, y + gap),
                (0.045, y + gap + 0.05),
                (-0.045, y + gap + 0.05),
            ],
            _shade(lip, 0.98),
            depth=depth,
        )
        self._line([(-wide, y), (0, y + 0.006), (wide, y)], 0.01, _shade(lip, 0.28), depth=depth)
        self._soft(_disc(0, 0.9 + gap, 0.075, 0.012), _shade(skin, 0.35), 0.014, 0.55, depth=0.1)

    def _beard(self) -> None:
        dark = _mixed(self._look.hair, self._look.skin, 0.25)
        self._soft(
            [
                (-0.35, 0.56),
                (-0.24, 0.72),
                (-0.1, 0.75),
                (0.1, 0.75),
                (0.24, 0.72),
                (0.35, 0.56),
                (0.29, 0.85),
                (0.15, 1.02),
                (-0.15, 1.02),
                (-0.29, 0.85),
            ],
            dark,
            0.022,
            0.9 * self._look.beard,
        )

    def _lines(self) -> None:
        strength, dark = self._look.age * 0.5, _shade(self._look.skin, 0.4)
        for y in (0.28, 0.325):
            self._soft(_disc(0, y, 0.16, 0.006), dark, 0.006, strength, depth=0.06)
        for side in (-1, 1):
            self._soft(_disc(side * 0.145, 0.545, 0.07, 0.008), dark, 0.008, strength, depth=0.09)

    def _hair(self) -> None:
        style, hair = self._look.hair_style, self._look.hair
        if style == "shaved":
            self._soft(_HAIRLINE, hair, 0.03, 0.55)
            return
        top = _RECEDING if style == "receding" else _HAIRLINE
        self._shape(top, hair)
        self._soft(
            [(-0.2, 0.02), (0.02, -0.02), (0.1, 0.08), (-0.16, 0.12)], _mixed(hair, "#ffffff", 0.3), 0.04, 0.5
        )
        if style == "long":
            for side in (-1, 1):
                self._shape(
                    [
                        (side * 0.2, 0.1),
                        (side * 0.33, 0.2),
                        (side * 0.4, 0.9),
                        (side * 0.31, 1.05),
                        (side * 0.28, 0.5),
                    ],
                    _shade(hair, 0.9),
                )

    def _cap(self) -> None:
        cap = self._look.cap
        self._shape(
            [(-0.42, 0.06), (-0.3, -0.1), (0, -0.15), (0.3, -0.1), (0.42, 0.06), (0.35, 0.16), (-0.35, 0.16)],
            cap,
        )
        self._shape([(-0.345, 0.13), (0.345, 0.13), (0.34, 0.24), (0, 0.21), (-0.34, 0.24)], _shade(cap, 0.5))
        self._shape(
            [(-0.3, 0.22), (0, 0.185), (0.3, 0.22), (0.24, 0.3), (0, 0.28), (-0.24, 0.3)],
            "#08090b",
            depth=0.05,
        )
        self._oval(0, 0.07, 0.05, 0.06, "#c9ae5d", depth=0.06)
        self._soft(
            [(-0.32, 0.27), (0.32, 0.27), (0.3, 0.38), (-0.3, 0.38)], _shade(self._look.skin, 0.2), 0.03, 0.6
        )


_FACE: Final = [
    (0, 0.02), (0.2, 0.06), (0.31, 0.2), (0.345, 0.42), (0.335, 0.62), (0.29, 0.82), (0.17, 0.965), (0.06, 1.0),
    (-0.06, 1.0), (-0.17, 0.965), (-0.29, 0.82), (-0.335, 0.62), (-0.345, 0.42), (-0.31, 0.2), (-0.2, 0.06),
]  # fmt: skip
_NECK: Final = [(-0.2, 0.75), (0.2, 0.75), (0.21, 1.05), (0.27, 1.25), (-0.27, 1.25), (-0.21, 1.05)]
_HAIRLINE: Final = [
    (-0.35, 0.46), (-0.375, 0.22), (-0.27, 0.02), (0, -0.05), (0.27, 0.02), (0.375, 0.22), (0.35, 0.46),
    (0.315, 0.3), (0.22, 0.2), (0.02, 0.17), (-0.2, 0.22), (-0.315, 0.32),
]  # fmt: skip
_RECEDING: Final = [
    (-0.35, 0.5), (-0.37, 0.24), (-0.25, 0.05), (0, 0.0), (0.25, 0.05), (0.37, 0.24), (0.35, 0.5),
    (0.315, 0.3), (0.2, 0.1), (0.02, 0.13), (-0.18, 0.1), (-0.315, 0.32),
]  # fmt: skip


def _rounded(points: Sequence[Point]) -> list[Point]:
    """Cut the corners twice (Chaikin)."""
    given = list(points)
    for _ in range(2):
        cut: list[Point] = []
        for (ax, ay), (bx, by) in zip(given, given[1:] + given[:1], strict=True):
            cut += [
                (0.75 * ax + 0.25 * bx, 0.75 * ay + 0.25 * by),
                (0.25 * ax + 0.75 * bx, 0.25 * ay + 0.75 * by),
            ]
        given = cut
    return given


def _disc(x: float, y: float, wide: float, tall: float) -> list[Point]:
    angles = np.linspace(0, 2 * np.pi, 25)[:-1]
    return [(x + wide * float(np.cos(a)), y + tall * float(np.sin(a))) for a in angles]


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _rgba(colour: str, alpha: int = 255) -> tuple[int, int, int, int]:
    return (*_rgb(colour), alpha)


def _shade(colour: str, share: float) -> str:
    return "#" + "".join(f"{min(255, round(part * share)):02x}" for part in _rgb(colour))


def _mixed(colour: str, other: str, share: float) -> str:
    pairs = zip(_rgb(colour), _rgb(other), strict=True)
    return "#" + "".join(f"{round(a * (1 - share) + b * share):02x}" for a, b in pairs)

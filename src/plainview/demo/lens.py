"""Put what is in front of a lens into its picture: a palm, a jacket, hands, a car's inside, or no light at all."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from plainview.demo.frame import HEIGHT_PX, WIDTH_PX

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def darkness(at_s: float) -> Image.Image:
    """Nearly nothing: what a sensor makes of a lap in a dark car, or of the ground without a torch."""
    level = 3 + int(2 * math.sin(0.7 * at_s) ** 2)
    return Image.new("RGB", (WIDTH_PX, HEIGHT_PX), (level, level, level + 1))


def covered(image: Image.Image, cover: str, at_s: float) -> Image.Image:
    """Cover a picture, in place; what covers it never keeps quite still."""
    if cover == "rain":
        return _rained_on(image, at_s)
    picture, mask = _covers()[cover]
    dx, dy = round(9 * math.sin(1.3 * at_s) + 5 * math.sin(4.1 * at_s)), round(7 * math.sin(1.7 * at_s + 1))
    box = (40 + dx, 40 + dy, 40 + dx + WIDTH_PX, 40 + dy + HEIGHT_PX)
    image.paste(picture.crop(box), (0, 0), mask.crop(box))
    return image


@functools.lru_cache(maxsize=1)
def _covers() -> dict[str, tuple[Image.Image, Image.Image]]:
    return {
        "hand": _palm(),
        "cloth": _cloth(),
        "hands": _hands(),
        "arms": _arms(),
        "dash": _dash(),
        "sleeve": _sleeve(),
    }


_COVER: Final = (WIDTH_PX + 80, HEIGHT_PX + 80)


def _palm() -> tuple[Image.Image, Image.Image]:
    """A palm on the lens: dull red, a little light between two fingers."""
    y, x = np.mgrid[0 : _COVER[1], 0 : _COVER[0]].astype(np.float32)
    level = 18 + 10 * np.sin(x / 190) * np.cos(y / 130)
    gap = 26 * np.exp(-(((x - 520 - 0.35 * y) / 16) ** 2))
    picture = np.stack([level * 1.25 + gap, level * 0.55 + gap * 0.6, level * 0.4 + gap * 0.4], axis=2)
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8)), Image.new("L", _COVER, 255)


def _cloth() -> tuple[Image.Image, Image.Image]:
    """A jacket over the lens: a dark weave, out of focus."""
    y, x = np.mgrid[0 : _COVER[1], 0 : _COVER[0]].astype(np.float32)
    level = 11 + 6 * np.sin((x + 0.6 * y) / 90) + 2.0 * np.sin(x / 2.2) * np.sin(y / 2.6)
    picture = np.stack([level * 0.8, level * 0.9, level * 1.3], axis=2)
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8)), Image.new("L", _COVER, 255)


def _painted(
    draw: Callable[[ImageDraw.ImageDraw, ImageDraw.ImageDraw], None], blur: float
) -> tuple[Image.Image, Image.Image]:
    picture, mask = Image.new("RGB", _COVER, "#0c0b0c"), Image.new("L", _COVER)
    draw(ImageDraw.Draw(picture), ImageDraw.Draw(mask))
    return picture.filter(ImageFilter.GaussianBlur(blur * 1.6)), mask.filter(ImageFilter.GaussianBlur(blur))


def _stroke(
    on: Sequence[ImageDraw.ImageDraw], points: Sequence[tuple[float, float]], wide: int, colour: str
) -> None:
    """Draw a limb that is lighter along its middle."""
    ink, mask = on
    for share, tone in ((1.0, 0.55), (0.7, 0.85), (0.35, 1.0)):
        fill = tuple(round(int(colour[i : i + 2], 16) * tone) for i in (1, 3, 5))
        width = round(wide * share)
        ink.line(points, fill=fill, width=width, joint="curve")
        for x, y in points:
            ink.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=fill)
    mask.line(points, fill=255, width=wide, joint="curve")
    for x, y in points:
        mask.ellipse((x - wide / 2, y - wide / 2, x + wide / 2, y + wide / 2), fill=255)


def _hands() -> tuple[Image.Image, Image.Image]:
    """Two hands around a torch, a palm's width from the lens."""

    def draw(ink: ImageDraw.ImageDraw, mask: ImageDraw.ImageDraw) -> None:
        on = (ink, mask)
        _stroke(on, [(-60, 470), (150, 330), (300, 250)], 190, "#1d2740")
        _stroke(on, [(790, 460), (600, 330), (470, 260)], 190, "#1d2740")
        _stroke(on, [(270, 285), (400, 235)], 150, "#8a5f45")
        _stroke(on, [(500, 290), (390, 250)], 150, "#8a5f45")
        for i in range(4):
            _stroke(on, [(300 + 10 * i, 150 + 42 * i), (440 + 8 * i, 130 + 44 * i)], 46, "#a8755a")
        _stroke(on, [(395, 150), (395, 60)], 74, "#24262b")

    return _painted(draw, 7)


def _arms() -> tuple[Image.Image, Image.Image]:
    """The wearer's forearms from below, hands flat, as in a frisk."""

    def draw(ink: ImageDraw.ImageDraw, mask: ImageDraw.ImageDraw) -> None:
        on = (ink, mask)
        for side in (-1, 1):
            x = _COVER[0] / 2
            _stroke(on, [(x + side * 330, 470), (x + side * 190, 350)], 92, "#222d4a")
            _stroke(on, [(x + side * 180, 340), (x + side * 140, 300)], 60, "#6b4630")
            for i in range(4):
                _stroke(
                    on,
                    [(x + side * (150 - 12 * i), 300), (x + side * (118 - 16 * i), 262 - 5 * (i % 2))],
                    17,
                    "#744e38",
                )

    return _painted(draw, 1.5)


def _sleeve() -> tuple[Image.Image, Image.Image]:
    """The edge of the wearer's jacket and holster, in a corner of a camera on the belt."""

    def draw(ink: ImageDraw.ImageDraw, mask: ImageDraw.ImageDraw) -> None:
        on = (ink, mask)
        _stroke(on, [(-20, 20), (60, 180), (30, 440)], 130, "#1a2238")
        _stroke(on, [(720, 300), (660, 440)], 120, "#101114")

    return _painted(draw, 6)


def _dash() -> tuple[Image.Image, Image.Image]:
    """The inside of a car around its windscreen."""

    def draw(ink: ImageDraw.ImageDraw, mask: ImageDraw.ImageDraw) -> None:
        wide, tall = _COVER
        for shape, fill in (
            ([(0, 290), (wide, 290), (wide, tall), (0, tall)], "#15171b"),
            ([(0, 0), (wide, 0), (wide, 62), (0, 62)], "#0d0e11"),
            ([(0, 0), (120, 0), (20, 300), (0, 300)], "#0f1013"),
            ([(wide, 0), (wide - 120, 0), (wide - 20, 300), (wide, 300)], "#0f1013"),
            ([(300, 62), (430, 62), (420, 110), (310, 110)], "#08090b"),
        ):
            ink.polygon(shape, fill=fill)
            mask.polygon(shape, fill=255)
        ink.arc((60, 270, 380, 590), 180, 360, fill="#26292f", width=24)
        mask.arc((60, 270, 380, 590), 180, 360, fill=255, width=24)
        ink.rectangle((455, 315, 590, 395), fill="#0f2a3a")
        for i in range(4):
            ink.line((465, 328 + 16 * i, 465 + 100 - 18 * i, 328 + 16 * i), fill="#3f8aa8", width=4)

    return _painted(draw, 1.0)


def _rained_on(image: Image.Image, at_s: float) -> Image.Image:
    """Add falling streaks, other ones in each picture."""
    streaks = _streaks()
    number = round(at_s * 15)
    x, y = (number * 211) % 80, (number * 97) % 80
    return ImageChops.add(image, streaks.crop((x, y, x + image.width, y + image.height)))


@functools.lru_cache(maxsize=1)
def _streaks() -> Image.Image:
    image = Image.new("RGB", _COVER)
    on = ImageDraw.Draw(image)
    rng = np.random.default_rng(9)
    for _ in range(420):
        x, y, long = rng.uniform(0, _COVER[0]), rng.uniform(-40, _COVER[1]), rng.uniform(10, 46)
        level = int(rng.integers(14, 60))
        on.line((x, y, x - long * 0.12, y + long), fill=(level, level, level + 6), width=1 + int(long > 34))
    return image.filter(ImageFilter.GaussianBlur(0.6))

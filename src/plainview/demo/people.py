"""Draw whole people as cut-outs that a picture can be pasted with: body, clothes, head, lit as told."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from plainview.demo.portrait import CANVAS_PX, CROWN_Y_PX, FACE_WIDTH_PX, HEAD_PX, Look, head

if TYPE_CHECKING:
    from collections.abc import Sequence

    Joint: TypeAlias = tuple[float, float]
    Tint: TypeAlias = tuple[float, float, float]

# The cut-out is this large around the point between the feet, in metres; the head is a little larger than life.
BOX_WIDTH_M: Final = 2.0
BOX_HEIGHT_M: Final = 2.4
_HEAD_M: Final = 0.25
_SIZES_PX: Final = tuple(round(5 * 1.03**i, 2) for i in range(158))
STRIDES: Final = 8
_OVER: Final = 2

STAND, HANDS_UP, WALK, RUN, REACH, TORCH, TALK = range(7)


@dataclasses.dataclass(frozen=True)
class Pose:
    """How somebody stands.

    Attributes:
        kind: STAND, HANDS_UP, WALK, RUN, REACH (hands on a wall), TORCH (an arm out, a light in it) or TALK.
        back: we see the back.
        stride: 0 to STRIDES - 1, of two steps.
        turn: where the head looks, as in portrait.
        mouth: as in portrait.
    """

    kind: int = STAND
    back: bool = False
    stride: int = 0
    turn: int = 0
    mouth: int = 0


@dataclasses.dataclass(frozen=True)
class CutOut:
    """A person to paste.

    Attributes:
        image: RGBA, straight alpha.
        foot_px: where the point between the feet is in it.
        body_px: left, top, right, bottom of what is drawn.
        face_px: the same of the face from chin to crown, or None where no face is seen.
    """

    image: Image.Image
    foot_px: tuple[float, float]
    body_px: tuple[int, int, int, int]
    face_px: tuple[float, float, float, float] | None


def size_near(scale_px: float) -> float:
    """Give the drawn size, in pixels a metre, that is nearest to the one wanted."""
    return min(_SIZES_PX, key=lambda size: abs(math.log(size / max(scale_px, 1.0))))


@functools.lru_cache(maxsize=64)
def cut_out(look: Look, pose: Pose, size_px: float, tint: Tint) -> CutOut:
    """Draw somebody.

    Args:
        look: who.
        pose: how.
        size_px: pixels a metre, one that size_near gives.
        tint: linear RGB light that falls on them.

    Returns:
        The cut-out; its image is shared, and not to be changed.
    """
    body = _plain(look, pose, size_px)
    lit = Image.merge("RGBA", [*_lit(body.image, tint), body.image.getchannel("A")])
    return dataclasses.replace(body, image=lit)


def _lit(image: Image.Image, tint: Tint) -> list[Image.Image]:
    return [band.point(_tone(level)) for band, level in zip(image.split()[:3], tint, strict=True)]


@functools.lru_cache(maxsize=256)
def _tone(level: float) -> list[int]:
    share = (np.arange(256) / 255) ** 2.2 * level
    return [round(float(v)) for v in (1 - np.exp(-1.75 * share)) ** (1 / 2.2) * 255]


@functools.lru_cache(maxsize=32)
def _plain(look: Look, pose: Pose, size_px: float) -> CutOut:
    body = _Body(look, pose, size_px)
    return body.draw()


class _Body:
    """Limbs as rounded strokes, in metres from the point between the feet; x to our right."""

    def __init__(self, look: Look, pose: Pose, size_px: float) -> None:
        self._look, self._pose, self._scale = look, pose, size_px * _OVER
        self._small = round(BOX_WIDTH_M * size_px), round(BOX_HEIGHT_M * size_px)
        self._size = self._small[0] * _OVER, self._small[1] * _OVER
        self._image = Image.new("RGBA", self._size, (30, 30, 34, 0))
        self._on = ImageDraw.Draw(self._image)
        self._swing = math.sin(2 * math.pi * pose.stride / STRIDES) * (pose.kind in {WALK, RUN})
        self._bob = 0.03 * abs(math.cos(2 * math.pi * pose.stride / STRIDES)) * (pose.kind in {WALK, RUN})

    def draw(self) -> CutOut:
        hip, shoulder = 0.92 + self._bob, 1.42 + self._bob
        for side in (-1, 1):
            self._leg(side, hip)
        over = self._pose.kind in {HANDS_UP, REACH} and not self._pose.back
        if not over:
            self._arms(shoulder)
        self._torso(hip, shoulder)
        if over or (self._pose.kind in {TORCH, TALK} and not self._pose.back):
            self._arms(shoulder)
        if self._look.uniform:
            self._kit(hip, shoulder)
        self._round_off()
        face = self._head(shoulder)
        small = self._image.resize(self._small, Image.Resampling.BOX)
        foot = self._small[0] / 2, self._small[1] - 0.1 * self._scale / _OVER
        return CutOut(small, foot, small.getchannel("A").getbbox() or (0, 0, 1, 1), face)

    def _leg(self, side: int, hip: float) -> None:
        running = self._pose.kind == RUN
        swing = self._swing * side
        lift = max(0.0, swing) * (0.34 if running else 0.12)
        knee = (side * 0.115, 0.5 + lift * 0.5)
        foot = (side * 0.12, 0.08 + lift)
        self._limb([(side * 0.095, hip), knee, foot], 0.17, self._look.trousers)
        toe = 0.02 if self._pose.back else 0.05
        self._limb([(foot[0], foot[1] - 0.03), (foot[0] + side * 0.03, foot[1] - toe)], 0.11, "#17171a")

    def _arms(self, shoulder: float) -> None:
        for side in (-1, 1):
            start = (side * 0.235, shoulder - 0.05)
            elbow, hand = self._reach(side, shoulder)
            self._limb([start, elbow, hand], 0.115, self._look.coat)
            ahead = hand[1] > elbow[1]
            tip = (hand[0], hand[1] + (0.07 if ahead else -0.07))
            self._limb([hand, tip], 0.085, self._look.skin)
            if self._pose.kind == HANDS_UP:
                for spread in (-0.045, -0.015, 0.015, 0.045):
                    self._limb([tip, (tip[0] + spread * 1.3, tip[1] + 0.085)], 0.024, self._look.skin)
            if self._pose.kind == TORCH and side == 1:
                self._limb([(hand[0], hand[1]), (hand[0], hand[1] + 0.12)], 0.05, "#101114")

    def _reach(self, side: int, shoulder: float) -> tuple[Joint, Joint]:
        kind, swing = self._pose.kind, self._swing
        if kind == HANDS_UP:
            return (side * 0.48, shoulder - 0.05), (side * 0.44, shoulder + 0.28)
        if kind == REACH:
            return (side * 0.46, shoulder + 0.12), (side * 0.42, shoulder + 0.42)
        if kind == TORCH and side == 1:
            return (0.36, shoulder - 0.25), (0.3, shoulder - 0.08)
        if kind == TALK and side == 1:
            return (0.36, shoulder - 0.3), (0.2, shoulder - 0.32)
        if kind == RUN:
            forward = swing * side > 0
            return (side * 0.36, shoulder - 0.3), (
                side * (0.2 if forward else 0.4),
                shoulder - (0.22 if forward else 0.42),
            )
        return (side * 0.3, shoulder - 0.31), (
            side * 0.29 + 0.03 * swing,
            shoulder - 0.58 + 0.04 * swing * side,
        )

    def _torso(self, hip: float, shoulder: float) -> None:
        coat = self._look.coat
        self._shape(
            [
                (-0.19, hip - 0.1),
                (0.19, hip - 0.1),
                (0.2, hip + 0.15),
                (0.25, shoulder),
                (0.12, shoulder + 0.08),
                (-0.12, shoulder + 0.08),
                (-0.25, shoulder),
                (-0.2, hip + 0.15),
            ],
            coat,
        )
        if self._pose.back:
            self._limb([(0, shoulder - 0.02), (0, hip)], 0.012, _darker(coat))
            return
        self._shape(
            [(-0.07, shoulder + 0.08), (0.07, shoulder + 0.08), (0.0, shoulder - 0.16)], self._look.collar
        )
        self._limb([(0.0, shoulder - 0.16), (0.0, hip - 0.06)], 0.014, _darker(coat))
        for side in (-1, 1):
            self._limb(
                [(side * 0.07, shoulder + 0.08), (side * 0.1, shoulder - 0.06), (0, shoulder - 0.17)],
                0.02,
                _darker(coat),
            )

    def _kit(self, hip: float, shoulder: float) -> None:
        self._limb([(-0.19, hip + 0.0), (0.19, hip + 0.0)], 0.065, "#08090b")
        for x in (-0.15, -0.07, 0.1):
            self._shape(
                [(x, hip - 0.05), (x + 0.06, hip - 0.05), (x + 0.06, hip + 0.05), (x, hip + 0.05)], "#131417"
            )
        self._shape([(0.17, hip - 0.2), (0.24, hip - 0.2), (0.23, hip + 0.04), (0.17, hip + 0.04)], "#0c0d0f")
        if self._pose.back:
            self._word("POLICE", (0, shoulder - 0.14), 0.1, "#d8dade")
            return
        self._shape(
            [
                (0.06, shoulder - 0.1),
                (0.13, shoulder - 0.1),
                (0.125, shoulder - 0.17),
                (0.095, shoulder - 0.19),
                (0.065, shoulder - 0.17),
            ],
            "#c9ae5d",
        )
        self._shape(
            [
                (-0.14, shoulder - 0.11),
                (-0.06, shoulder - 0.11),
                (-0.06, shoulder - 0.135),
                (-0.14, shoulder - 0.135),
            ],
            "#b8bac0",
        )
        if self._look.camera:
            self._camera((0.0, shoulder - 0.29) if self._look.camera == "chest" else (-0.02, hip + 0.02))
        self._shape(
            [
                (-0.23, shoulder + 0.0),
                (-0.16, shoulder + 0.05),
                (-0.14, shoulder - 0.06),
                (-0.2, shoulder - 0.09),
            ],
            "#111216",
        )

    def _camera(self, at: Joint) -> None:
        x, y = at
        self._shape(
            [(x - 0.035, y + 0.05), (x + 0.035, y + 0.05), (x + 0.035, y - 0.05), (x - 0.035, y - 0.05)],
            "#0b0c0e",
        )
        self._oval(x, y + 0.02, 0.018, 0.018, "#3a4a5a")
        self._oval(x + 0.024, y + 0.045, 0.006, 0.006, "#d02020")

    def _word(self, text: str, at: Joint, height_m: float, colour: str) -> None:
        from PIL import ImageFont  # noqa: PLC0415 only the backs of uniforms need letters

        font = ImageFont.load_default(max(4.0, height_m * self._scale))
        self._on.text(self._pixel(at), text, fill=colour, font=font, anchor="mm")

    def _round_off(self) -> None:
        """Darken towards the edges, as round things are when the light is in front of them."""
        alpha = self._image.getchannel("A")
        soft = (
            np.asarray(
                alpha.resize(self._small).filter(ImageFilter.GaussianBlur(0.045 * self._scale / _OVER)),
                dtype=np.float32,
            )
            / 255
        )
        level = (0.3 + 0.85 * ((soft - 0.45) / 0.55).clip(0, 1)).clip(0, 1)
        shade = Image.fromarray((level * 255).astype(np.uint8)).resize(self._size, Image.Resampling.BILINEAR)
        bands = [ImageChops.multiply(band, shade) for band in self._image.split()[:3]]
        self._image = Image.merge("RGBA", [*bands, alpha])
        self._on = ImageDraw.Draw(self._image)

    def _head(self, shoulder: float) -> tuple[float, float, float, float] | None:
        chin = shoulder + 0.1 + (-0.03 if self._pose.kind == RUN else 0)
        crown = chin + _HEAD_M
        if self._pose.back:
            self._back_of_head(chin, crown)
            return None
        share = _HEAD_M * self._scale / HEAD_PX
        size = round(CANVAS_PX[0] * share), round(CANVAS_PX[1] * share)
        picture = head(self._look, self._pose.turn, self._pose.mouth).resize(size, Image.Resampling.LANCZOS)
        x, y = self._pixel((0, crown))
        left, top = round(x - size[0] / 2), round(y - CROWN_Y_PX * share)
        self._image.alpha_composite(picture, (max(left, 0), max(top, 0)))
        half = FACE_WIDTH_PX * share / 2 / _OVER
        bottom = self._pixel((0, chin))[1] / _OVER
        return x / _OVER - half, y / _OVER, x / _OVER + half, bottom

    def _back_of_head(self, chin: float, crown: float) -> None:
        look, middle = self._look, (chin + crown) / 2
        self._limb([(0, chin - 0.03), (0, chin + 0.03)], 0.12, _darker(look.skin))
        self._oval(0, middle, 0.088, 0.125, look.skin if look.hair_style == "shaved" else look.hair)
        if look.hair_style not in {"long", "shaved"}:
            self._shape(
                [(-0.07, chin + 0.05), (0.07, chin + 0.05), (0.055, chin - 0.02), (-0.055, chin - 0.02)],
                _darker(look.skin),
            )
        for side in (-1, 1):
            self._oval(side * 0.092, middle - 0.01, 0.014, 0.03, _darker(look.skin))
        if look.cap:
            self._shape(
                [
                    (-0.11, middle + 0.03),
                    (0.11, middle + 0.03),
                    (0.12, crown),
                    (0, crown + 0.05),
                    (-0.12, crown),
                ],
                look.cap,
            )

    def _pixel(self, point: Joint) -> Joint:
        return self._size[0] / 2 + point[0] * self._scale, self._size[1] - (point[1] + 0.1) * self._scale

    def _limb(self, joints: Sequence[Joint], thick_m: float, colour: str) -> None:
        pixels = [self._pixel(joint) for joint in joints]
        thick = max(1, round(thick_m * self._scale))
        self._on.line(pixels, fill=colour, width=thick, joint="curve")
        for x, y in pixels:
            self._on.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill=colour)

    def _shape(self, points: Sequence[Joint], colour: str) -> None:
        self._on.polygon([self._pixel(point) for point in points], fill=colour)

    def _oval(self, x: float, y: float, wide: float, tall: float, colour: str) -> None:
        left, top = self._pixel((x - wide, y + tall))
        right, bottom = self._pixel((x + wide, y - tall))
        self._on.ellipse((left, top, right, bottom), fill=colour)


def _darker(colour: str) -> str:
    return "#" + "".join(f"{int(int(colour[i : i + 2], 16) * 0.62):02x}" for i in (1, 3, 5))

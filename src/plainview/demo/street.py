"""Draw a street at night, once, as layers of light that a scene mixes for each picture.

Coordinates are metres: x to the right, y up from the road, z away from the camera.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Light: TypeAlias = NDArray[np.float32]
    Point: TypeAlias = tuple[float, float, float]
    Colour: TypeAlias = tuple[float, float, float]

# A little larger than the picture, so that the camera can sway inside it.
WIDTH_PX: Final = 736
HEIGHT_PX: Final = 416
FOCAL_PX: Final = 430.0
CENTRE_X_PX: Final = WIDTH_PX * 0.47
HORIZON_Y_PX: Final = HEIGHT_PX * 0.43
CAMERA_HEIGHT_M: Final = 1.45
_SUPERSAMPLE: Final = 2

_ROAD_HALF_M: Final = 4.2
_WALL_M: Final = 7.0
_FAR_M: Final = 95.0
CAR_AT: Final = (2.35, 7.4)  # x of its middle, z of its tail
_CAR_WIDTH_M: Final = 1.9
_CAR_LENGTH_M: Final = 4.7
_LAMP_COLOUR: Final = (1.0, 0.66, 0.32)
_RED: Final = (1.0, 0.05, 0.06)
_BLUE: Final = (0.08, 0.2, 1.0)


@dataclasses.dataclass(frozen=True)
class Street:
    """Linear light, float32 [HEIGHT_PX, WIDTH_PX, 3], RGB, 0 is black and 1 is white.

    Attributes:
        still: what lamps, windows and the sky light.
        red: what the red half of the light bar adds when it is fully on. blue: the same.
        surface: what a torch of brightness 1 would add, already weaker with distance.
    """

    still: Light
    red: Light
    blue: Light
    surface: Light


def project(point: Point) -> tuple[float, float]:
    """Give the pixel of a point in front of the camera."""
    x, y, z = point
    return CENTRE_X_PX + FOCAL_PX * x / z, HORIZON_Y_PX - FOCAL_PX * (y - CAMERA_HEIGHT_M) / z


def draw_street(rng: random.Random) -> Street:
    """Draw the street; the same for the same state of rng."""
    painter = _Painter(rng)
    painter.sky()
    painter.ground()
    for side in (-1, 1):
        painter.houses(side)
    lamps = [(side * 4.9, 6.1, z) for z in (62.0, 48.0, 35.0, 23.0, 12.0) for side in (-1, 1)]
    for lamp in lamps:
        painter.lamp(lamp)
    painter.car()
    return _light(painter, lamps)


class _Painter:
    """Two canvases drawn side by side: what surfaces look like, and what shines by itself."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        size = (WIDTH_PX * _SUPERSAMPLE, HEIGHT_PX * _SUPERSAMPLE)
        self._albedo = Image.new("RGB", size)
        self._glow = Image.new("RGB", size)
        self.car_mask = Image.new("L", size)
        self._on_albedo = ImageDraw.Draw(self._albedo)
        self._on_glow = ImageDraw.Draw(self._glow)
        self._on_car = ImageDraw.Draw(self.car_mask)

    def albedo(self) -> Light:
        return _linear(_shrink(self._albedo))

    def glow(self) -> Light:
        return _linear(_shrink(self._glow))

    def face(self, corners: Sequence[Point], colour: str, *, glow: str = "#000000") -> None:
        """Fill a flat polygon; it hides what shone behind it."""
        pixels = [self._pixel(corner) for corner in corners]
        self._on_albedo.polygon(pixels, fill=colour)
        self._on_glow.polygon(pixels, fill=glow)

    def _pixel(self, point: Point) -> tuple[float, float]:
        x, y = project((point[0], point[1], max(point[2], 0.4)))
        return x * _SUPERSAMPLE, y * _SUPERSAMPLE

    def sky(self) -> None:
        horizon = int(HORIZON_Y_PX * _SUPERSAMPLE)
        for y in range(horizon + 1):
            share = (y / horizon) ** 2.2
            colour = (int(9 + 34 * share), int(13 + 28 * share), int(30 + 30 * share))
            self._on_glow.line([(0, y), (WIDTH_PX * _SUPERSAMPLE, y)], fill=colour)
        for _ in range(60):
            x = self.rng.random() * WIDTH_PX * _SUPERSAMPLE
            height = self.rng.random() * horizon * 0.7
            level = self.rng.randrange(50, 120)
            self._on_glow.point((x, height), fill=(level, level, level + 20))

    def ground(self) -> None:
        near, far, half = 0.9, _FAR_M, _ROAD_HALF_M
        self.face([(-30, 0, near), (30, 0, near), (30, 0, far), (-30, 0, far)], "#6d6a66")
        self.face([(-half, 0, near), (half, 0, near), (half, 0, far), (-half, 0, far)], "#3b3d41")
        for side in (-1, 1):
            kerb, inner = side * half, side * (half - 0.35)
            self.face([(kerb, 0.13, near), (kerb, 0, near), (kerb, 0, far), (kerb, 0.13, far)], "#8f8c86")
            line = inner + side * 0.12
            self.face([(inner, 0, near), (line, 0, near), (line, 0, far), (inner, 0, far)], "#8d8455")
        for z in np.arange(1.5, far, 4.0):
            self.face([(-0.08, 0, z), (0.08, 0, z), (0.08, 0, z + 2), (-0.08, 0, z + 2)], "#c9c7bd")
        for i in range(7):  # a crossing, far enough to lie in the headlights of nobody
            x = -3.6 + i * 1.15
            self.face([(x, 0, 15.6), (x + 0.6, 0, 15.6), (x + 0.6, 0, 18.2), (x, 0, 18.2)], "#aaa8a0")

    def houses(self, side: int) -> None:
        z = _FAR_M
        while z > 1.0:
            depth = self.rng.uniform(6.5, 10.5)
            near = max(z - depth, 0.8)
            self._house(side, near, z, floors=self.rng.randrange(2, 5))
            z -= depth

    def _house(self, side: int, near: float, far: float, *, floors: int) -> None:
        x, height = side * _WALL_M, 3.9 + floors * 3.1
        wall = self.rng.choice(("#6b4a3f", "#77655a", "#5b5f66", "#7b5347", "#8a7a66", "#54483f"))
        self.face([(x, 0, near), (x, height, near), (x, height, far), (x, 0, far)], wall)
        for y, thick, colour in ((height - 0.45, 0.45, "#3f3a36"), (3.7, 0.22, "#4a4540")):
            self.face([(x, y, near), (x, y + thick, near), (x, y + thick, far), (x, y, far)], colour)
        self._shop(x, near, far)
        bays = max(2, int((far - near) / 2.6))
        for floor in range(floors):
            for bay in range(bays):
                middle = near + (bay + 0.5) * (far - near) / bays
                self._window(x, 4.6 + floor * 3.1, middle)

    def _window(self, x: float, y: float, z: float) -> None:
        frame = [
            (x, y - 0.1, z - 0.68),
            (x, y + 1.85, z - 0.68),
            (x, y + 1.85, z + 0.68),
            (x, y - 0.1, z + 0.68),
        ]
        pane = [(x, y, z - 0.56), (x, y + 1.72, z - 0.56), (x, y + 1.72, z + 0.56), (x, y, z + 0.56)]
        self.face(frame, "#a39a8c")
        lit = self.rng.random() < 0.3
        shade = self.rng.choice(("#d9a45a", "#e8c07a", "#b98a4e", "#c9c3a0", "#7f9bb5"))
        self.face(pane, "#15171c", glow=shade if lit else "#05070b")
        if lit and self.rng.random() < 0.6:  # a half-drawn blind
            top = [
                (x, y + 1.0, z - 0.56),
                (x, y + 1.72, z - 0.56),
                (x, y + 1.72, z + 0.56),
                (x, y + 1.0, z + 0.56),
            ]
            self.face(top, "#6a5a40", glow=_dimmed(shade, 0.55))
        self.face(
            [(x, y, z - 0.03), (x, y + 1.72, z - 0.03), (x, y + 1.72, z + 0.03), (x, y, z + 0.03)], "#8d8578"
        )

    def _shop(self, x: float, near: float, far: float) -> None:
        """Fill the ground floor: one house in three has a lit shop, the others a door and shutters."""
        if self.rng.random() < 0.34:
            a, b = near + 0.5, far - 0.5
            glow = self.rng.choice(("#c58f4a", "#8fb0a8", "#b8a878"))
            self.face(
                [(x, 0.5, a), (x, 2.7, a), (x, 2.7, b), (x, 0.5, b)], "#1c1e22", glow=_dimmed(glow, 0.8)
            )
            sign = self.rng.choice(("#7d2f2c", "#2c5a4a", "#2d4468"))
            self.face([(x, 2.85, a), (x, 3.5, a), (x, 3.5, b), (x, 2.85, b)], sign, glow=_dimmed(sign, 0.6))
            for z in np.linspace(a, b, 4):
                self.face(
                    [(x, 0.4, z - 0.06), (x, 2.8, z - 0.06), (x, 2.8, z + 0.06), (x, 0.4, z + 0.06)],
                    "#2f2b28",
                )
            return
        door = near + (far - near) * 0.3
        self.face([(x, 0, door), (x, 2.4, door), (x, 2.4, door + 1.1), (x, 0, door + 1.1)], "#31231d")
        a, b = near + (far - near) * 0.52, far - 0.6
        self.face([(x, 0.7, a), (x, 2.6, a), (x, 2.6, b), (x, 0.7, b)], "#4f5154")
        for y in np.arange(0.85, 2.6, 0.25):
            self.face([(x, y, a), (x, y + 0.05, a), (x, y + 0.05, b), (x, y, b)], "#3a3c3f")

    def lamp(self, at: Point) -> None:
        x, y, z = at
        side = math.copysign(1, x)
        post = x + side * 0.5
        self.face(
            [
                (post - 0.06, 0, z),
                (post + 0.06, 0, z),
                (post + 0.05, y + 0.25, z),
                (post - 0.05, y + 0.25, z),
            ],
            "#2a2b2d",
        )
        self.face([(post, y + 0.17, z), (post, y + 0.25, z), (x, y + 0.17, z), (x, y + 0.1, z)], "#2a2b2d")
        self.face(
            [
                (x - 0.3, y + 0.02, z),
                (x + 0.3, y + 0.02, z),
                (x + 0.22, y + 0.16, z),
                (x - 0.22, y + 0.16, z),
            ],
            "#333333",
        )
        self.face(
            [
                (x - 0.26, y - 0.07, z),
                (x + 0.26, y - 0.07, z),
                (x + 0.26, y + 0.03, z),
                (x - 0.26, y + 0.03, z),
            ],
            "#ffffff",
            glow="#ffe2b0",
        )

    def car(self) -> None:
        """A patrol car seen from behind and to its left, parked at the kerb."""
        _Car(self).draw()

    def car_face(self, corners: Sequence[Point], colour: str, *, glow: str = "#000000") -> None:
        self.face(corners, colour, glow=glow)
        self._on_car.polygon([self._pixel(corner) for corner in corners], fill=255)

    def car_disc(self, centre: Point, radius_m: float, squeeze: float, colour: str) -> None:
        x, y = self._pixel(centre)
        tall = radius_m * FOCAL_PX / centre[2] * _SUPERSAMPLE
        box = (x - tall * squeeze, y - tall, x + tall * squeeze, y + tall)
        self._on_albedo.ellipse(box, fill=colour)
        self._on_glow.ellipse(box, fill="#000000")
        self._on_car.ellipse(box, fill=255)

    def car_text(self, centre: Point, height_m: float, text: str, colour: str) -> None:
        font = ImageFont.load_default(height_m * FOCAL_PX / centre[2] * _SUPERSAMPLE)
        self._on_albedo.text(self._pixel(centre), text, fill=colour, font=font, anchor="mm")


class _Car:
    """The patrol car's faces, from the hidden to the near."""

    def __init__(self, painter: _Painter) -> None:
        self._paint = painter
        x, self._tail = CAR_AT
        self._left, self._right = x - _CAR_WIDTH_M / 2, x + _CAR_WIDTH_M / 2

    def draw(self) -> None:
        z = self._tail
        self._shadow()
        self._side()
        self._rear(z)
        self._bar(z + 2.0)

    def _across(self, y0: float, y1: float, inset: float, colour: str) -> None:
        """Fill a band over the whole tail, narrower at its foot by inset on both sides."""
        left, right, z = self._left, self._right, self._tail
        corners = [(left + inset, y0, z), (left, y1, z), (right, y1, z), (right - inset, y0, z)]
        self._paint.car_face(corners, colour)

    def _shadow(self) -> None:
        left, right, z = self._left - 0.12, self._right + 0.1, self._tail - 0.25
        end = z + _CAR_LENGTH_M + 0.4
        self._paint.car_face([(left, 0, z), (right, 0, z), (right, 0, end), (left, 0, end)], "#0c0c0d")

    def _side(self) -> None:
        x, a = self._left, self._tail
        b = a + _CAR_LENGTH_M
        face = self._paint.car_face
        face([(x, 0.28, a), (x, 0.98, a), (x, 0.92, b), (x, 0.28, b)], "#1d1f23")
        face([(x, 0.3, a + 1.35), (x, 0.97, a + 1.35), (x, 0.95, a + 3.35), (x, 0.3, a + 3.35)], "#d9dadb")
        face([(x, 0.66, a + 0.2), (x, 0.75, a + 0.2), (x, 0.73, b - 0.2), (x, 0.64, b - 0.2)], "#c8a640")
        inner = x + 0.2
        face(
            [(x, 0.98, a + 0.55), (inner, 1.48, a + 1.25), (inner, 1.48, a + 2.9), (x, 0.95, a + 3.7)],
            "#22252a",
        )
        face(
            [
                (x + 0.03, 1.02, a + 0.85),
                (inner, 1.42, a + 1.35),
                (inner, 1.42, a + 2.8),
                (x + 0.03, 1.0, a + 3.4),
            ],
            "#0b0d11",
        )
        face(
            [
                (x + 0.05, 1.0, a + 2.05),
                (inner, 1.44, a + 2.05),
                (inner, 1.44, a + 2.15),
                (x + 0.05, 1.0, a + 2.15),
            ],
            "#22252a",
        )
        for z in (a + 0.95, b - 0.95):
            self._paint.car_disc((x, 0.34, z), 0.34, 0.34, "#0a0a0b")
            self._paint.car_disc((x, 0.34, z), 0.2, 0.34, "#7d8085")

    def _rear(self, z: float) -> None:
        face, left, right = self._paint.car_face, self._left, self._right
        for x in (left + 0.05, right - 0.33):
            face(
                [(x, 0, z + 0.1), (x + 0.28, 0, z + 0.1), (x + 0.28, 0.4, z + 0.1), (x, 0.4, z + 0.1)],
                "#070708",
            )
        roof = [
            (left + 0.2, 1.48, z + 1.25),
            (right - 0.2, 1.48, z + 1.25),
            (right - 0.2, 1.5, z + 2.9),
            (left + 0.2, 1.5, z + 2.9),
        ]
        face(roof, "#d0d1d2")
        glass = [
            (left + 0.06, 1.02, z + 0.5),
            (left + 0.24, 1.47, z + 1.25),
            (right - 0.24, 1.47, z + 1.25),
            (right - 0.06, 1.02, z + 0.5),
        ]
        face(glass, "#2a2d33")
        pane = [
            (left + 0.17, 1.06, z + 0.5),
            (left + 0.31, 1.43, z + 1.2),
            (right - 0.31, 1.43, z + 1.2),
            (right - 0.17, 1.06, z + 0.5),
        ]
        face(pane, "#0b0d12", glow="#06080c")
        face(
            [
                (left, 0.98, z),
                (left + 0.06, 1.03, z + 0.55),
                (right - 0.06, 1.03, z + 0.55),
                (right, 0.98, z),
            ],
            "#2b2e33",
        )
        self._across(0.3, 0.98, 0.03, "#202226")
        self._across(0.28, 0.5, 0.0, "#17181b")
        self._across(0.92, 0.98, 0.0, "#34373d")
        for x in (left + 0.04, right - 0.44):
            face(
                [(x, 0.66, z), (x + 0.4, 0.66, z), (x + 0.4, 0.86, z), (x, 0.86, z)],
                "#7a0f0f",
                glow="#c01712",
            )
            face(
                [(x + 0.12, 0.7, z), (x + 0.28, 0.7, z), (x + 0.28, 0.75, z), (x + 0.12, 0.75, z)],
                "#aa5555",
                glow="#ff7a66",
            )
        middle = (left + right) / 2
        face(
            [
                (middle - 0.26, 0.34, z),
                (middle + 0.26, 0.34, z),
                (middle + 0.26, 0.47, z),
                (middle - 0.26, 0.47, z),
            ],
            "#d8d8cf",
            glow="#2c2c28",
        )
        self._paint.car_text((middle, 0.405, z), 0.115, "12A 417", "#20304f")
        self._paint.car_text((middle, 0.76, z), 0.2, "POLICE", "#f2f2f2")

    def _bar(self, z: float) -> None:
        left, right, face = self._left + 0.3, self._right - 0.3, self._paint.car_face
        middle = (left + right) / 2
        face([(left, 1.5, z), (right, 1.5, z), (right, 1.56, z), (left, 1.56, z)], "#111214")
        for a, b, colour, glow in (
            (left, middle, "#701015", "#4a0608"),
            (middle, right, "#101c70", "#060c4a"),
        ):
            face(
                [(a + 0.02, 1.56, z), (b - 0.02, 1.56, z), (b - 0.02, 1.7, z), (a + 0.02, 1.7, z)],
                colour,
                glow=glow,
            )


# Light.


def _light(painter: _Painter, lamps: Sequence[Point]) -> Street:
    x, y, z = _positions(painter)
    albedo = painter.albedo() * _texture(painter.rng, z)
    glow = painter.glow()
    pools = np.full((HEIGHT_PX, WIDTH_PX), 0.0, dtype=np.float32)
    for lamp in lamps:
        pools += _falloff(lamp, x, y, z, reach_m2=5.5) * 6.0
    ambient = np.array([0.018, 0.025, 0.048], dtype=np.float32)
    still = albedo * (ambient + pools[:, :, None] * np.array(_LAMP_COLOUR, dtype=np.float32))
    still += glow * 0.75 + _bloom(glow, 5) * 0.55 + _bloom(glow, 22) * 0.45
    ripple = _ripple(painter.rng)
    for lamp in lamps:
        still += _halo(lamp, 0.9, _LAMP_COLOUR) + _streak(lamp, 0.2, _LAMP_COLOUR) * ripple
    vignette = _vignette()
    middle, tail = CAR_AT
    red_at, blue_at = (middle - 0.36, 1.64, tail + 1.95), (middle + 0.36, 1.64, tail + 1.95)
    reach = np.minimum(1.0, 9.0 / z)[:, :, None] ** 1.5
    return Street(
        still=still * vignette,
        red=_flash(red_at, _RED, albedo, (x, y, z), ripple) * vignette,
        blue=_flash(blue_at, _BLUE, albedo, (x, y, z), ripple) * vignette,
        surface=(albedo * 1.15 + 0.012) * reach * vignette * np.array([1.0, 0.97, 0.9], dtype=np.float32),
    )


def _flash(
    at: Point, colour: Colour, albedo: Light, where: tuple[Light, Light, Light], ripple: Light
) -> Light:
    near = (_falloff(at, *where, reach_m2=3.0) * 13.0)[:, :, None]
    lit: Light = albedo * near * (np.array(colour, dtype=np.float32) + np.float32(0.015))
    return (
        lit
        + _halo(at, 2.2, colour, size_m=0.2)
        + _halo(at, 0.16, colour, size_m=1.5)
        + _streak(at, 0.55, colour) * ripple
    )


def _positions(painter: _Painter) -> tuple[Light, Light, Light]:
    """Give each pixel's place in metres: on the road, a wall, the car, or far away for the sky."""
    columns = np.arange(WIDTH_PX, dtype=np.float32)[None, :] - CENTRE_X_PX
    rows = np.arange(HEIGHT_PX, dtype=np.float32)[:, None] - HORIZON_Y_PX
    ground = FOCAL_PX * CAMERA_HEIGHT_M / np.maximum(rows, 0.1)
    wall = FOCAL_PX * _WALL_M / np.maximum(np.abs(columns), 0.1)
    z = np.clip(np.minimum(ground, wall), 0.9, _FAR_M).astype(np.float32)
    car = np.asarray(_shrink(painter.car_mask), dtype=np.float32) / 255
    z = z * (1 - car) + np.minimum(z, CAR_AT[1] + 0.4) * car
    return columns * z / FOCAL_PX, CAMERA_HEIGHT_M - rows * z / FOCAL_PX, z


def _falloff(at: Point, x: Light, y: Light, z: Light, *, reach_m2: float) -> Light:
    distance_m2 = (x - at[0]) ** 2 + (y - at[1]) ** 2 + (z - at[2]) ** 2
    return np.asarray(1.0 / (reach_m2 + distance_m2), dtype=np.float32)


def _halo(at: Point, strength: float, colour: Colour, *, size_m: float = 0.42) -> Light:
    """The glare around a lamp."""
    size = max(2.0, size_m * FOCAL_PX / at[2])
    return _blob(project(at), size, size, strength, colour)


def _streak(at: Point, strength: float, colour: Colour) -> Light:
    """A lamp's reflection on the wet road: as far below the road as the lamp is above, drawn long."""
    mirrored = project((at[0], -at[1], at[2]))
    road = np.arange(HEIGHT_PX, dtype=np.float32)[:, None, None] > HORIZON_Y_PX + 4
    return _blob(mirrored, 90 / at[2] + 4, 900 / at[2] + 12, strength, colour) * road


def _blob(at_px: tuple[float, float], wide: float, tall: float, strength: float, colour: Colour) -> Light:
    column, row = at_px
    dx = (np.arange(WIDTH_PX, dtype=np.float32) - column) / wide
    dy = (np.arange(HEIGHT_PX, dtype=np.float32) - row) / tall
    shape = np.exp(-0.5 * dy * dy)[:, None] * np.exp(-0.5 * dx * dx)[None, :]
    return (shape * strength)[:, :, None].astype(np.float32) * np.array(colour, dtype=np.float32)


def _texture(rng: random.Random, z: Light) -> Light:
    """Roughen surfaces; the far ones look smoother."""
    noise = np.random.default_rng(rng.getrandbits(32)).normal(0, 1, (HEIGHT_PX, WIDTH_PX)).astype(np.float32)
    rough = 1 + noise * 0.16 * np.minimum(1, 6 / z)
    return np.asarray(rough[:, :, None].clip(0.4, 1.6), dtype=np.float32)


def _ripple(rng: random.Random) -> Light:
    """Break reflections into the bands that water and asphalt make of them."""
    noise = np.random.default_rng(rng.getrandbits(32)).normal(0, 1, (HEIGHT_PX, 1)).astype(np.float32)
    smooth = np.convolve(noise[:, 0], np.ones(5) / 5, mode="same").astype(np.float32)
    return np.asarray((1 + smooth * 0.55).clip(0.2, 1.9)[:, None, None], dtype=np.float32)


def _vignette() -> Light:
    dx = (np.arange(WIDTH_PX, dtype=np.float32) / WIDTH_PX - 0.5)[None, :]
    dy = (np.arange(HEIGHT_PX, dtype=np.float32) / HEIGHT_PX - 0.5)[:, None]
    level = (1 - 1.25 * (dx * dx + dy * dy)).clip(0.3, 1) ** 1.4
    return np.asarray(level[:, :, None], dtype=np.float32)


def _bloom(light: Light, radius_px: float) -> Light:
    image = Image.fromarray((light.clip(0, 1) ** (1 / 2.2) * 255).astype(np.uint8))
    return _linear(image.filter(ImageFilter.GaussianBlur(radius_px)))


def _shrink(image: Image.Image) -> Image.Image:
    return image.resize((WIDTH_PX, HEIGHT_PX), Image.Resampling.BOX)


def _linear(image: Image.Image) -> Light:
    light: Light = np.asarray(image, dtype=np.float32) / np.float32(255)
    return np.asarray(light ** np.float32(2.2), dtype=np.float32)


def _dimmed(colour: str, share: float) -> str:
    return "#" + "".join(f"{int(int(colour[i : i + 2], 16) * share):02x}" for i in (1, 3, 5))

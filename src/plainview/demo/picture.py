"""Turn what a camera is pointed at into its picture: a place, people in it, a torch, a hand in front of it.

A place that stands still is lit once for each state of the light bar, dark and in torchlight, and a picture is
mixed from those; only a moving camera lights its place anew.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from plainview.demo.frame import FRAME_RATE, HEIGHT_PX, WIDTH_PX
from plainview.demo.lens import covered, darkness
from plainview.demo.people import Pose, cut_out, size_near
from plainview.demo.space import Lamp, Surfaces, View, World, bloom, halo, to_screen

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from plainview.demo.portrait import Look
    from plainview.demo.space import Colour, Light, Point

    Box: TypeAlias = tuple[float, float, float, float]
    Matrix: TypeAlias = tuple[float, float, float, float, float, float]

OFF, RED, BLUE = range(3)
FLASHES: Final = (OFF, RED, BLUE)
_CROWN_M, _CHIN_M, _FACE_HALF_M = 1.77, 1.52, 0.088


@dataclasses.dataclass(frozen=True)
class Stage:
    """A place as one camera sees it.

    Attributes:
        view: from where.
        world: what stands there. reach_m: how far it is drawn.
        lamps: what always shines. ambient: light from everywhere.
        bar: the red and the blue half of a light bar, or nothing.
        torch: what the torch adds, aimed by the shot; none where there is no torch.
        halos: lamps with glare: where, and how strong.
    """

    view: View
    world: World
    lamps: Sequence[Lamp] = ()
    ambient: Colour = (0.018, 0.025, 0.048)
    bar: Sequence[Lamp] = ()
    torch: Sequence[Lamp] = ()
    halos: Sequence[tuple[Point, Colour]] = ()
    reach_m: float = 120.0


@dataclasses.dataclass(frozen=True)
class Actor:
    """Somebody in a picture.

    Attributes:
        key: who. x_m, z_m: where they stand. tint: linear RGB light on them.
        flash: how much of the light bar reaches them.
    """

    key: str
    look: Look
    pose: Pose
    x_m: float
    z_m: float
    tint: Colour
    flash: float = 0.0


@dataclasses.dataclass(frozen=True)
class Shot:
    """What a camera is pointed at in one moment.

    Attributes:
        stage: name of a stage that stands still, or "" where moving is given.
        moving: a stage that is drawn for this moment alone.
        actors: from far to near.
        aim: point on the ground or wall that the torch is held at; none is the picture's middle.
        edge: a point of an edge, such as a counter's; what the stage shows below it hides the actors.
        cover: name of what is in front of the lens, or "".
        sway_px: how much the wearer sways. bob_px: how much a step moves the picture.
        roll: radians, how crooked the camera hangs. zoom: 1 shows the stage's middle; larger is nearer.
        flashing: a light bar is on. dark: no light reaches the lens. bolted: fixed to a car.
    """

    stage: str = ""
    moving: Stage | None = None
    actors: Sequence[Actor] = ()
    aim: Point | None = None
    edge: Point | None = None
    cover: str = ""
    sway_px: float = 5.0
    bob_px: float = 0.0
    roll: float = 0.0
    zoom: float = 1.0
    flashing: bool = False
    dark: bool = False
    bolted: bool = False


@dataclasses.dataclass(frozen=True)
class Seen:
    """Somebody on screen.

    Attributes:
        key: who.
        body_px: left, top, right, bottom of what is in the picture.
        face_px: the same of the face, chin to crown, or None where none is shown.
        is_whole: all of the face is in the picture.
    """

    key: str
    body_px: Box
    face_px: Box | None
    is_whole: bool


class Painter:
    """Paints the pictures of one camera."""

    def __init__(
        self,
        shot: Callable[[float], Shot],
        stages: Mapping[str, Callable[[], Stage]],
        *,
        seed: int,
        caption: str,
        clock: Callable[[float], dt.datetime] | None,
        step: int = 1,
    ) -> None:
        """Prepare.

        Args:
            shot: what it is pointed at, at a second of the story.
            stages: the places that stand still, by name.
            seed: of grain and sway.
            caption: what the camera calls itself.
            clock: what its clock shows at a second of the story, local; None burns in nothing.
            step: how many pictures share one drawing of a moving stage.
        """
        self._shot, self._stages, self._step = shot, stages, step
        self._caption_text, self._clock = caption, clock
        rng = np.random.default_rng((seed, 4))
        self._sway = rng.uniform((0.13, 0), (0.9, 6.3), (6, 2))
        grain = rng.normal(0, 2.2, (HEIGHT_PX + 64, WIDTH_PX + 64))
        self._grain = grain.round().astype(np.int8)
        self._offsets = rng.integers(0, 64, (997, 2))
        self._drawn: dict[str, list[Image.Image]] = {}
        self._moved: tuple[float, Image.Image] | None = None
        self._band: tuple[str, NDArray[np.float32], NDArray[np.float32]] | None = None

    def picture(self, at_s: float) -> NDArray[np.uint8]:
        """Give the picture of a second of the story, uint8 [360, 640, 3], RGB."""
        shot = self._shot(at_s)
        if shot.dark:
            image = darkness(at_s)
        else:
            image = self._place(shot, at_s)
            below = self._below(image, shot)
            for actor in shot.actors:
                self._paste(image, shot, actor, at_s)
            if below:
                image.paste(below[0], (0, below[1]))
            image = self._held(image, shot, at_s)
        if shot.cover:
            image = covered(image, shot.cover, at_s)
        x, y = self._offsets[round(at_s * FRAME_RATE) % 997]
        grain = self._grain[y : y + HEIGHT_PX, x : x + WIDTH_PX, None]
        level = 0.45 if shot.dark or shot.cover == "hand" else 1.0
        frame = np.asarray(image).astype(np.int16) + (
            grain if level == 1 else (grain * level).astype(np.int8)
        )
        return self._burn_in(frame.clip(0, 255).astype(np.uint8), at_s)

    def seen(self, at_s: float) -> list[Seen]:
        """Say who is in that picture and where, without painting it."""
        shot = self._shot(at_s)
        if shot.dark or shot.cover in {"hand", "cloth"}:
            return []
        found = [_seen(actor, self._view(shot), self._matrix(shot, at_s)) for actor in shot.actors]
        people = [seen for seen in found if seen is not None]
        if shot.cover == "hands":  # a leg shows beside them, a face does not
            return [dataclasses.replace(seen, face_px=None, is_whole=False) for seen in people]
        return people

    def _view(self, shot: Shot) -> View:
        return shot.moving.view if shot.moving else self._stage(shot.stage).view

    @functools.lru_cache(maxsize=32)  # noqa: B019 one painter a process
    def _stage(self, name: str) -> Stage:
        return self._stages[name]()

    def _place(self, shot: Shot, at_s: float) -> Image.Image:
        if shot.moving:
            key = math.floor(at_s * FRAME_RATE / self._step + 1e-6)
            if self._moved is None or self._moved[0] != key:
                self._moved = (key, _drawn_moving(shot.moving, _flash(at_s) if shot.flashing else OFF))
            return self._moved[1].copy()
        if shot.stage not in self._drawn:
            self._drawn[shot.stage] = _drawn(self._stage(shot.stage))
        flash = _flash(at_s) if shot.flashing else OFF
        pictures = self._drawn[shot.stage]
        if len(pictures) == len(FLASHES):
            return pictures[flash].copy()
        return Image.composite(pictures[flash + 3], pictures[flash], self._beam(shot, at_s))

    def _beam(self, shot: Shot, at_s: float) -> Image.Image:
        view = self._view(shot)
        x, y, _ = view.project(shot.aim) if shot.aim else (view.width_px / 2, view.height_px / 2, 1.0)
        x, y = x + 6 * self._wander(at_s, 2), y + 5 * self._wander(at_s, 3)
        beam = _torch_beam()
        left = min(max(round(view.width_px - x), 0), view.width_px)
        top = min(max(round(view.height_px - y), 0), view.height_px)
        return beam.crop((left, top, left + view.width_px, top + view.height_px))

    def _paste(self, image: Image.Image, shot: Shot, actor: Actor, at_s: float) -> None:
        view = self._view(shot)
        column, row, depth = view.project((actor.x_m, 0.0, actor.z_m))
        if depth < 0.45:
            return
        tint = actor.tint
        if shot.flashing and actor.flash:
            red, blue = ((0.0, 0.0), (1.0, 0.12), (0.12, 1.0))[_flash(at_s)]
            tint = (tint[0] + actor.flash * red, tint[1] + 0.08 * actor.flash, tint[2] + actor.flash * blue)
        rounded = (round(tint[0], 1), round(tint[1], 1), round(tint[2], 1))
        person = cut_out(actor.look, actor.pose, size_near(view.focal_px / depth), rounded)
        shade = _shadow(max(4, round(1.5 * view.focal_px / depth)))
        image.paste((0, 0, 0), (round(column - shade.width / 2), round(row - shade.height / 2)), shade)
        image.paste(
            person.image, (round(column - person.foot_px[0]), round(row - person.foot_px[1])), person.image
        )

    def _below(self, image: Image.Image, shot: Shot) -> tuple[Image.Image, int] | None:
        if shot.edge is None:
            return None
        row = round(self._view(shot).project(shot.edge)[1])
        return image.crop((0, row, image.width, image.height)), row

    def _held(self, image: Image.Image, shot: Shot, at_s: float) -> Image.Image:
        """Cut the picture out of the stage; what is bolted to a car only shakes, and by whole pixels."""
        matrix = self._matrix(shot, at_s)
        size = WIDTH_PX, HEIGHT_PX
        if shot.bolted:
            x, y = round(matrix[2]), round(matrix[5])
            return image.crop((x, y, x + WIDTH_PX, y + HEIGHT_PX))
        return image.transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)

    def _wander(self, at_s: float, which: int) -> float:
        (hz, phase), (other_hz, other_phase) = self._sway[which], self._sway[(which + 2) % 6]
        return float(
            0.65 * math.sin(6.283 * hz * at_s + phase)
            + 0.35 * math.sin(6.283 * other_hz * at_s + other_phase)
        )

    def _matrix(self, shot: Shot, at_s: float) -> Matrix:
        """Give the affine map from the picture to the stage: sway, steps, roll and zoom."""
        view = self._view(shot)
        bob = math.sin(2 * math.pi * 1.8 * at_s) * shot.bob_px
        across = math.sin(math.pi * 1.8 * at_s) * shot.bob_px * 0.7
        zoom = 1 / shot.zoom
        if shot.bolted:
            x, y = (view.width_px - WIDTH_PX) / 2 + across, (view.height_px - HEIGHT_PX) / 2 + bob
            return 1.0, 0.0, float(round(x)), 0.0, 1.0, float(round(y))
        turn = shot.roll + math.radians(0.1 * shot.sway_px * self._wander(at_s, 4) + 0.12 * across)
        a, b = math.cos(turn) * zoom, math.sin(turn) * zoom
        x = view.width_px / 2 + shot.sway_px * self._wander(at_s, 0) + across
        y = view.height_px / 2 + 0.6 * shot.sway_px * self._wander(at_s, 1) + bob
        half_x, half_y = WIDTH_PX / 2, HEIGHT_PX / 2
        return a, b, x - a * half_x - b * half_y, -b, a, y + b * half_x - a * half_y

    def _burn_in(self, frame: NDArray[np.uint8], at_s: float) -> NDArray[np.uint8]:
        if self._clock is None:
            return frame
        text = self._clock(at_s).strftime("%Y-%m-%d  %H:%M:%S")
        if self._band is None or self._band[0] != text:
            self._band = (text, *_caption(text, self._caption_text))
        _, keep, ink = self._band
        frame[: keep.shape[0]] = (frame[: keep.shape[0]] * keep + ink).astype(np.uint8)
        return frame


def _seen(actor: Actor, view: View, matrix: Matrix) -> Seen | None:
    column, row, depth = view.project((actor.x_m, 0.0, actor.z_m))
    if depth < 0.45:
        return None
    scale = view.focal_px / depth
    body = _on_screen((column - 0.4 * scale, row - _CROWN_M * scale, column + 0.4 * scale, row), matrix)
    face = None
    if not actor.pose.back:
        half = _FACE_HALF_M * scale
        face = _on_screen(
            (column - half, row - _CROWN_M * scale, column + half, row - _CHIN_M * scale), matrix
        )
    inside = _inside(body)
    if inside is None:
        return None
    shown = _inside(face) if face else None
    return Seen(actor.key, inside, shown, shown is not None and shown == face)


def _on_screen(box: Box, matrix: Matrix) -> Box:
    """Map a box on the stage to the picture."""
    a, b, c, d, e, f = matrix
    whole = a * e - b * d
    points = [
        ((e * (x - c) - b * (y - f)) / whole, (-d * (x - c) + a * (y - f)) / whole)
        for x in (box[0], box[2])
        for y in (box[1], box[3])
    ]
    columns, rows = [x for x, _ in points], [y for _, y in points]
    return round(min(columns), 1), round(min(rows), 1), round(max(columns), 1), round(max(rows), 1)


def _inside(box: Box) -> Box | None:
    """Cut a box to the picture; None where less than 4 pixels are left."""
    cut = max(0.0, box[0]), max(0.0, box[1]), min(float(WIDTH_PX), box[2]), min(float(HEIGHT_PX), box[3])
    return cut if cut[2] - cut[0] > 4 and cut[3] - cut[1] > 4 else None


# Places.


def _drawn(stage: Stage) -> list[Image.Image]:
    """Draw a stage: for each state of the light bar in the dark, then, if there is a torch, in its light."""
    surfaces = Surfaces(stage.view, stage.world, reach_m=stage.reach_m)
    still = surfaces.lit(stage.lamps, ambient=stage.ambient) + surfaces.glow * 0.8 + bloom(surfaces.glow)
    for at, strength in stage.halos:
        halo(still, stage.view, at, strength)
    added = [surfaces.lit(_shining(stage, flash)) for flash in FLASHES]
    dark = [_image(still + light) for light in added]
    if not stage.torch:
        return dark
    torch = surfaces.lit(stage.torch)
    return [*dark, *(_image(still + torch + light) for light in added)]


def _drawn_moving(stage: Stage, flash: int) -> Image.Image:
    surfaces = Surfaces(stage.view, stage.world, coarse=2, reach_m=stage.reach_m)
    lamps = [*stage.lamps, *stage.torch, *_shining(stage, flash)]
    light = surfaces.lit(lamps, ambient=stage.ambient) + surfaces.glow * 0.8
    for at, strength in stage.halos:
        halo(light, stage.view, at, strength)
    return _image(light)


def _shining(stage: Stage, flash: int) -> Sequence[Lamp]:
    return () if flash == OFF else stage.bar[flash - 1 : flash]


def _image(light: Light) -> Image.Image:
    return Image.fromarray(to_screen(light))


def _flash(at_s: float) -> int:
    """Say which lamp of the bar is on: each flashes twice, then the other."""
    beat = at_s * 1.9 % 1.0
    on = (beat * 4) % 1.0 < 0.6
    return (RED if beat < 0.5 else BLUE) if on else OFF


@functools.lru_cache(maxsize=1)
def _torch_beam() -> Image.Image:
    wide, tall = 736, 416
    dx = (np.arange(2 * wide, dtype=np.float32) - wide)[None, :] / 430
    dy = (np.arange(2 * tall, dtype=np.float32) - tall)[:, None] / 430
    angle = np.sqrt(dx * dx + dy * dy * 1.1)
    rim = 1 / (1 + np.exp(((angle - 0.3) / 0.03).clip(-30, 30)))
    beam = 0.55 * rim + 0.4 * np.exp(-((angle / 0.16) ** 2)) + 0.12 * np.exp(-((angle / 0.6) ** 2))
    return Image.fromarray((beam.clip(0, 1) * 255).astype(np.uint8))


@functools.lru_cache(maxsize=64)
def _shadow(wide_px: int) -> Image.Image:
    tall = max(3, wide_px // 4)
    dx = np.linspace(-2.4, 2.4, wide_px)[None, :]
    dy = np.linspace(-2.4, 2.4, tall)[:, None]
    return Image.fromarray((150 * np.exp(-dx * dx - dy * dy)).astype(np.uint8))


def _caption(clock: str, name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw the top band: what to keep of the picture, 0 to 1, and the ink to add, 0 to 255."""
    size = (WIDTH_PX, 30)
    ink, shade = Image.new("L", size), Image.new("L", size)
    font = ImageFont.load_default(13)
    for draw, dx in ((ImageDraw.Draw(shade), 1), (ImageDraw.Draw(ink), 0)):
        draw.text((12 + dx, 15 + dx), clock, fill=255, font=font, anchor="lm")
        draw.text((WIDTH_PX - 12 + dx, 15 + dx), name, fill=255, font=font, anchor="rm")
        draw.text((WIDTH_PX / 2 + dx, 15 + dx), "SAMPLE", fill=200, font=font, anchor="mm")
    inked = np.asarray(ink, dtype=np.float32)[:, :, None] * np.float32(0.94 / 255)
    shaded = np.asarray(shade, dtype=np.float32)[:, :, None] * np.float32(0.7 / 255)
    return (1 - inked) * (1 - shaded), inked * np.float32(238)

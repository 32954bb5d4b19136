"""Bring pictures of any size, turn, shape of pixel and interlacing into one upright size."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from av.error import BlockingIOError as NothingYet
from av.filter import Graph
from av.video.reformatter import ColorRange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av import VideoFrame

TICKS_A_S: Final = 90_000
TICK: Final = Fraction(1, TICKS_A_S)
_SQUARE: Final = Fraction(1)
# Beyond this a stated shape of pixel is damage.
_OBLONG: Final = 16
_TURNS: Final = {0: "", 90: ",transpose=cclock", 180: ",hflip,vflip", 270: ",transpose=clock"}


def sane_aspect(aspect: Fraction | None) -> Fraction:
    """Take pixels as square where nothing sensible is said of their shape."""
    return aspect if aspect and Fraction(1, _OBLONG) <= aspect <= _OBLONG else _SQUARE


def fitted_size(
    width: int, height: int, *, box: tuple[int, int], pixel_aspect: Fraction = _SQUARE
) -> tuple[int, int]:
    """Give the size in square pixels that fits a box; both even, at least 2.

    Args:
        width: of the stored picture in pixels.
        height: the same.
        box: most width and height. A picture that is smaller stays as it is, but for its pixels' shape,
            which widens it where they are wide and heightens it where they are tall.
        pixel_aspect: a pixel's width over its height.
    """
    wide = width * max(pixel_aspect, _SQUARE)
    tall = height / min(pixel_aspect, _SQUARE)
    scale = min(_SQUARE, box[0] / wide, box[1] / tall)
    return _even(wide * scale, box[0]), _even(tall * scale, box[1])


def _even(length: Fraction, most: int) -> int:
    return max(2, min(2 * round(length / 2), most - most % 2))


class _Form(NamedTuple):
    """What of a frame decides how it is treated."""

    width: int
    height: int
    pixel_format: str
    rotation_deg: int
    colour_range: int
    colour_space: int
    is_interlaced: bool


class Framing:
    """Turns frames into upright ones of one size and form.

    Frames go in with pts in ticks of 1/90000 s and come out so; deinterlacing lets them come out later.
    A frame whose shape is not the target's is put in its middle, on black: never stretched.

    Args:
        width: of every frame that comes out, even.
        height: the same.
        pixel_aspect: of the frames that go in.
        pixel_format: "yuv420p" comes out with the range of television, "yuvj420p" with all 256 values.
        deinterlace: whether frames marked as two fields are made into one picture.
    """

    def __init__(
        self,
        width: int,
        height: int,
        *,
        pixel_aspect: Fraction = _SQUARE,
        pixel_format: str = "yuv420p",
        deinterlace: bool = True,
    ) -> None:
        self._size = width, height
        self._pixel_aspect = pixel_aspect
        self._pixel_format = pixel_format
        self._deinterlace = deinterlace
        self._form: _Form | None = None
        self._graph: Graph | None = None

    def put(self, frame: VideoFrame) -> Iterator[VideoFrame]:
        """Take one frame; give those that are ready."""
        form = self._form_of(frame)
        if form != self._form:
            yield from self.close()
            self._form, self._graph = form, self._graph_for(form)
        if self._graph is None:
            yield frame
            return
        self._graph.push(frame)
        yield from _pulled(self._graph)

    def close(self) -> Iterator[VideoFrame]:
        """Give what is still held back."""
        if self._graph is not None:
            self._graph.push(None)
            yield from _pulled(self._graph)
        self._form = self._graph = None

    def _form_of(self, frame: VideoFrame) -> _Form:
        turn = round(frame.rotation) % 360
        # Once a recording has shown two fields, a mixture is likely: do not change back.
        was_interlaced = self._form is not None and self._form.is_interlaced
        return _Form(
            width=frame.width,
            height=frame.height,
            pixel_format=frame.format.name,
            rotation_deg=turn if turn in _TURNS else 0,
            colour_range=int(frame.color_range),
            colour_space=int(frame.colorspace),
            is_interlaced=self._deinterlace and (frame.interlaced_frame or was_interlaced),
        )

    def _graph_for(self, form: _Form) -> Graph | None:
        """Build what a form needs; None where it needs nothing."""
        turned = form.rotation_deg in (90, 270)
        box = self._size[::-1] if turned else self._size
        inner = _snapped(fitted_size(form.width, form.height, box=box, pixel_aspect=self._pixel_aspect), box)
        is_full = form.colour_range == ColorRange.JPEG
        wants_full = self._pixel_format.startswith("yuvj")
        is_right = form.pixel_format == self._pixel_format and is_full == wants_full
        is_same_size = inner == (form.width, form.height) == self._size
        if is_right and is_same_size and not form.rotation_deg and not form.is_interlaced:
            return None
        upright = inner[::-1] if turned else inner
        return _graph(form, self._steps(form, inner, upright, wants_full=wants_full))

    def _steps(
        self, form: _Form, inner: tuple[int, int], upright: tuple[int, int], *, wants_full: bool
    ) -> str:
        steps = "yadif=mode=send_frame:deint=interlaced," if form.is_interlaced else ""
        shrinks = inner[0] <= form.width and inner[1] <= form.height
        steps += f"scale=w={inner[0]}:h={inner[1]}:flags={'area' if shrinks else 'bicubic'}"
        steps += f":out_range={'full' if wants_full else 'limited'},format={self._pixel_format}"
        steps += _TURNS[form.rotation_deg]
        if upright != self._size:
            steps += f",pad=w={self._size[0]}:h={self._size[1]}:x=-1:y=-1"
        return steps + ",setsar=1"


def _snapped(size: tuple[int, int], box: tuple[int, int]) -> tuple[int, int]:
    """Take rounding to even sizes back, where it alone keeps a picture from filling its box."""
    return box if all(most - got <= 2 + most // 100 for got, most in zip(size, box, strict=True)) else size


def _graph(form: _Form, steps: str) -> Graph:
    graph = Graph()
    graph.threads = 1
    last: Any = graph.add(
        "buffer",
        video_size=f"{form.width}x{form.height}",
        pix_fmt=form.pixel_format,
        time_base=str(TICK),
        colorspace=str(form.colour_space),
        range=str(form.colour_range),
    )
    for step in (*steps.split(","), "buffersink"):
        name, _, arguments = step.partition("=")
        following = graph.add(name, arguments or None)
        last.link_to(following)
        last = following
    graph.configure()
    return graph


def _pulled(graph: Graph) -> Iterator[VideoFrame]:
    while True:
        try:
            frame: Any = graph.pull()
        except (NothingYet, EOFError):
            return
        frame.pts, frame.time_base = round(frame.pts * frame.time_base * TICKS_A_S), TICK
        yield frame

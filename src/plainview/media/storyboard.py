"""Make one sheet of small pictures that shows what happens when, and one of them that stands for the recording."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import av
import numpy as np
from av import VideoFrame

from plainview.media.decoding import choose, decode_streams, first_decodable, open_probed
from plainview.media.derived import MAX_TILES, Storyboard
from plainview.media.errors import UnderivableMediaError
from plainview.media.framing import TICK, Framing, fitted_size, sane_aspect
from plainview.media.hostile_file import LIBRARY_ERRORS
from plainview.media.lens import judge_lens, look
from plainview.media.probe import probe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from av import AudioFrame
    from av.container import InputContainer
    from numpy.typing import NDArray

    from plainview.media.facts import Probe, Stream
    from plainview.media.lens import Look

COLUMNS: Final = 10
_TILE_BOX: Final = (160, 284)  # a picture held upright is as wide as one that lies, and taller
_STEPS_S: Final = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1200, 1800)
_QUALITY: Final = 5  # of FFmpeg's JPEG encoder, 1 best to 31
_ENOUGH: Final = 10
# Half of what an evenly lit wall in daylight has; black, and a hand on the lens, have less.
_SHOWS_SOMETHING: Final = 16.0  # standard deviation of luma, of 0 to 255
# A key picture comes within a few packets of where the container's index points, or the index is wrong.
_TRIES: Final = 300


def step_ms(duration_ms: int) -> int:
    """Give how far apart the pictures are: the longer the recording the farther, for at most 100."""
    for step_s in _STEPS_S:
        if duration_ms <= step_s * 1000 * MAX_TILES:
            return step_s * 1000
    return _STEPS_S[-1] * 1000


def make_storyboard(source: BinaryIO, target: BinaryIO, *, probed: Probe | None = None) -> Storyboard:
    """Write a JPEG sheet of key pictures, decoding no others, and behind it the one that stands for all.

    Where there are fewer than ten in all, and that is not half of what is wanted, most of the recording is
    decoded instead.

    Args:
        source: seekable, readable, of any content.
        target: writable.
        probed: what probe says of source; probed anew where not given.

    Returns:
        Where in the sheet which time is shown: each the key picture at or before a multiple of every_ms.

    Raises:
        UnusableMediaError: nothing in it can be played.
        UnderivableMediaError: no_picture, too_long, another_file or nothing_decoded.
        Exception: whatever reading source or writing target raises, unchanged.
    """
    probed = probe(source) if probed is None else probed
    picture = _picture(probed)
    with open_probed(source, probed) as opened:
        (stream,) = choose(opened, picture)
        sheet = Sheet(probed, picture, stream)
        for frame, at_us in _key_pictures(opened, probed, stream, sheet):
            sheet.add(frame, at_us)
    if sheet.count < min(_ENOUGH, sheet.wanted_count // 2 + 1):
        sheet = _decoded_through(source, probed, picture)
    return sheet.write(target)


def _picture(probed: Probe) -> Stream:
    picture = first_decodable(probed, "video")
    if picture is None:
        raise UnderivableMediaError("no_picture")
    return picture


def _key_pictures(
    opened: InputContainer, probed: Probe, stream: Any, sheet: Sheet
) -> Iterator[tuple[VideoFrame, int]]:
    """Give the key picture at or before each wanted time, each once."""
    _hurry(stream)
    base = stream.time_base
    last_us, last_pts = -1, None
    for i in range(sheet.wanted_count):
        wanted_us = i * sheet.every_us
        if wanted_us < last_us:
            continue
        try:
            opened.seek(int((wanted_us + probed.origin_us) / (1_000_000 * base)), stream=stream)
        except LIBRARY_ERRORS:
            return
        frame = _next_key_picture(opened, stream, but=last_pts)
        if frame is None or frame.pts is None:
            continue
        last_pts = frame.pts
        at_us = frame.pts * base.numerator * 1_000_000 // base.denominator - probed.origin_us
        if last_us < at_us <= probed.duration_ms * 1000:
            last_us = at_us
            yield frame, at_us


def _next_key_picture(opened: InputContainer, stream: Any, *, but: int | None) -> Any:
    """Decode the next key picture, unless it is the one that is known already."""
    packets = opened.demux(stream)
    for _ in range(_TRIES):
        try:
            packet: Any = next(packets, None)
            if packet is None or (packet.size == 0 and packet.dts is None):
                return None
            if not packet.is_keyframe or packet.is_discard:
                continue
            if but is not None and packet.pts == but:
                return None
            # Draining gives the picture now, without waiting for those that refer to it.
            frames = [*packet.decode(), *stream.codec_context.decode(None)]
        except LIBRARY_ERRORS:
            frames = []
        stream.codec_context.flush_buffers()
        if frames:
            return frames[0]
    return None


def _decoded_through(source: BinaryIO, probed: Probe, picture: Stream) -> Sheet:
    with open_probed(source, probed) as opened:
        (stream,) = choose(opened, picture)
        _hurry(stream)
        stream.codec_context.skip_frame = "NONREF"
        sheet = Sheet(probed, picture, stream)
        decode_streams(opened, probed, [stream], [sheet])
    return sheet


def _hurry(stream: Any) -> None:
    """Leave out smoothing that nobody sees in a small picture."""
    stream.codec_context.options = {**stream.codec_context.options, "skip_loop_filter": "all"}


class Sheet:
    """Collects small pictures; also an observer that picks them out of all.

    Args:
        probed: the recording.
        picture: its stream as probed.
        stream: the same as opened.

    Attributes:
        every_us: how far apart pictures are wanted.
        wanted_count: how many at most.
        count: how many there are.
    """

    def __init__(self, probed: Probe, picture: Stream, stream: Any) -> None:
        self.every_us = step_ms(probed.duration_ms) * 1000
        self.wanted_count = min(MAX_TILES, -(-probed.duration_ms * 1000 // self.every_us) or 1)
        aspect = sane_aspect(stream.sample_aspect_ratio)
        self._tile = _tile_size(picture, aspect)
        self._framing = Framing(*self._tile, pixel_aspect=aspect, pixel_format="yuvj420p", deinterlace=False)
        self._times_us: list[int] = []
        self._planes: list[bytearray] = []
        self._strides: list[int] = []
        self._spreads: list[float] = []
        self._looks: list[Look] = []

    @property
    def count(self) -> int:
        """How many small pictures there are."""
        return len(self._times_us)

    def picture(self, frame: VideoFrame, at_us: int) -> None:
        """Take the first picture at or after each wanted time."""
        last_us = self._times_us[-1] if self._times_us else -1
        is_due = not self._times_us or at_us // self.every_us > last_us // self.every_us
        if is_due and at_us > last_us and self.count < self.wanted_count:
            self.add(frame, at_us)

    def sound(self, frame: AudioFrame, at_us: int) -> None:
        """Nothing is drawn of sound."""

    def add(self, frame: VideoFrame, at_us: int) -> None:
        """Put a picture into the next place."""
        frame.pts, frame.time_base = self.count, TICK
        for small in self._framing.put(frame):
            self._paste(small)
            luma = _luma(small)
            self._spreads.append(float(luma.std()))
            seen = look(luma)
            self._looks += [] if seen is None else [seen]
            self._times_us.append(at_us)

    def write(self, target: BinaryIO) -> Storyboard:
        """Write the sheet as JPEG, the poster as another behind it, and say what is in them.

        Raises:
            UnderivableMediaError: nothing_decoded.
        """
        if not self._times_us:
            raise UnderivableMediaError("nothing_decoded")
        sheet, poster = _jpeg(self._whole()), _jpeg(self._poster())
        target.write(sheet)
        target.write(poster)
        width_px, height_px = self._tile
        return Storyboard(
            size_bytes=len(sheet) + len(poster),
            poster_bytes=len(poster),
            tile_width_px=width_px,
            tile_height_px=height_px,
            columns=min(COLUMNS, self.count),
            every_ms=self.every_us // 1000,
            times_ms=_rising_ms(self._times_us),
            lens=judge_lens(self._looks),
        )

    def _paste(self, small: VideoFrame) -> None:
        column, row = self.count % COLUMNS, self.count // COLUMNS
        for i, plane in enumerate(small.planes):
            wide, tall = plane.width, plane.height
            if len(self._planes) <= i:
                self._strides.append(wide * COLUMNS)
                # Black is 0 in luma, and in colour the middle.
                self._planes.append(bytearray())
            stride = self._strides[i]
            sheet = self._planes[i]
            if len(sheet) < (row + 1) * tall * stride:
                sheet.extend(bytes([0 if i == 0 else 128]) * (tall * stride))
            data = memoryview(plane)
            for y in range(tall):
                at = (row * tall + y) * stride + column * wide
                sheet[at : at + wide] = data[y * plane.line_size : y * plane.line_size + wide]

    def _whole(self) -> VideoFrame:
        return self._cut(0, min(COLUMNS, self.count), -(-self.count // COLUMNS))

    def _poster(self) -> VideoFrame:
        """Give the first small picture that shows something or, where none does, the one that shows most."""
        shows = next((i for i, spread in enumerate(self._spreads) if spread >= _SHOWS_SOMETHING), None)
        return self._cut(self._spreads.index(max(self._spreads)) if shows is None else shows, 1, 1)

    def _cut(self, place: int, columns: int, rows: int) -> VideoFrame:
        """Give this many columns and rows of the sheet, from a place on."""
        width_px, height_px = self._tile
        cut = VideoFrame(width_px * columns, height_px * rows, "yuvj420p")
        row, column = divmod(place, COLUMNS)
        for plane, data, stride in zip(cut.planes, self._planes, self._strides, strict=True):
            first = row * plane.height * stride // rows + column * plane.width // columns
            lines = bytearray(plane.buffer_size)
            for y in range(plane.height):
                start = y * plane.line_size
                lines[start : start + plane.width] = data[first + y * stride :][: plane.width]
            plane.update(bytes(lines))
        return cut


def _luma(small: VideoFrame) -> NDArray[np.uint8]:
    luma: Any = small.planes[0]
    lines = np.frombuffer(luma, np.uint8).reshape(-1, luma.line_size)
    return lines[: luma.height, : luma.width]


def _tile_size(picture: Stream, aspect: Fraction) -> tuple[int, int]:
    is_turned = picture.rotation_deg in (90, 270)
    box = _TILE_BOX[::-1] if is_turned else _TILE_BOX
    size = fitted_size(picture.width or 2, picture.height or 2, box=box, pixel_aspect=aspect)
    return size[::-1] if is_turned else size


def _rising_ms(times_us: list[int]) -> tuple[int, ...]:
    """Round down to ms; two in the same ms are told apart by one."""
    rising: list[int] = []
    for at_us in times_us:
        rising.append(max(at_us // 1000, rising[-1] + 1 if rising else 0))
    return tuple(rising)


def _jpeg(whole: VideoFrame) -> bytes:
    context: Any = av.CodecContext.create("mjpeg", "w")
    context.width, context.height, context.pix_fmt = whole.width, whole.height, "yuvj420p"
    context.time_base = Fraction(1, 1)
    context.qmin = context.qmax = _QUALITY
    context.thread_count = 1
    whole.pts, whole.time_base = 0, Fraction(1, 1)
    return b"".join(bytes(packet) for packet in [*context.encode(whole), *context.encode(None)])

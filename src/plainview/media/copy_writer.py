"""Encode decoded pictures and sound into an MP4 whose index comes first, in one pass."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, cast

import av
from av.video.frame import PictureType
from av.video.reformatter import ColorPrimaries, ColorRange, ColorTrc

from plainview.media.errors import UnderivableMediaError
from plainview.media.framing import TICK, TICKS_A_S, Framing, fitted_size, sane_aspect
from plainview.media.hostile_file import LIBRARY_ERRORS
from plainview.media.playable import MOST_RATE, RATE_MARGIN
from plainview.media.sound import Continuous, playable_rate_hz
from plainview.media.target import Target

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO, Self

    from av import AudioFrame, VideoFrame
    from av.container import OutputContainer

    from plainview.media.facts import Stream

LONG_SIDE_PX: Final = 1280
SHORT_SIDE_PX: Final = 720
KEY_EVERY_US: Final = 1_000_000
# Players seek badly inside one picture that lasts for minutes, and MP4 cannot hold one of many hours.
REPEAT_AFTER_US: Final = 10_000_000
_PRESET: Final = {"preset": "veryfast", "crf": "23"}
# What is kept beside every copy about how it was made.
SETTINGS: Final[Mapping[str, str | int]] = {
    "picture_encoder": "libx264",
    **_PRESET,
    "long_side_px": LONG_SIDE_PX,
    "short_side_px": SHORT_SIDE_PX,
    "most_rate": MOST_RATE,
    "key_every_ms": KEY_EVERY_US // 1000,
    "sound_encoder": "aac",
}
_WRITE_BYTES: Final = 1 << 17
# As frames and codecs number them, which is not as PyAV's Colorspace does. Source: Recommendation ITU-T H.273, table 4.
_BT709_MATRIX: Final = 1
_UNSPECIFIED_MATRIX: Final = 2
_SMPTE170M_MATRIX: Final = 6
# The file's type stands before the index, and after it the length of the media, also known last.
_AROUND_INDEX_BYTES: Final = 64
_SPARE_S: Final = 3  # times are up to a second beyond the end, and a frame is longer than nothing
_HDR: Final = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)


class Pace:
    """Chooses which pictures to keep, at most 30 a second, evenly where the recording is even.

    Args:
        rate: pictures a second that come, or None where it is not known. 50 become 25 and 60 become 30;
            31 to 45 lose single pictures.
    """

    def __init__(self, rate: Fraction | None) -> None:
        share = round(rate / MOST_RATE) if rate else 0
        is_even = rate is not None and share >= 2 and rate / share <= MOST_RATE * RATE_MARGIN
        self._step_us = float(share / rate if rate and is_even else Fraction(1, MOST_RATE)) * 1e6
        # Half a step of what comes, so that of 120 a second every fourth is taken and never the third.
        self._early_us = min(self._step_us / 3, float(500_000 / rate) if rate else self._step_us)
        self._due_us: float | None = None

    def takes(self, at_us: int) -> bool:
        """Say whether the picture at this time is kept; times rise."""
        due_us = at_us if self._due_us is None else self._due_us
        if at_us < due_us - self._early_us:
            return False
        self._due_us = max(due_us, at_us - self._step_us) + self._step_us
        return True


def most_pictures(duration_ms: int, packet_count: int) -> int:
    """Give how many pictures a copy can hold: by time, and by what the recording has.

    Args:
        duration_ms: of the recording.
        packet_count: of its picture stream; old codecs put two pictures into some packets.
    """
    seconds = duration_ms // 1000 + _SPARE_S
    return min(seconds * 31, 2 * packet_count + 16) + seconds * 1_000_000 // REPEAT_AFTER_US


def index_bytes_for(duration_ms: int, *, pictures: int, rate_hz: int | None) -> int:
    """Give how many bytes the index can need at most.

    Args:
        duration_ms: of the recording.
        pictures: how many there can be.
        rate_hz: of the sound, 1024 samples a packet and none missing; None where there is none.

    Source: ISO/IEC 14496-12 section 8: a picture has at most an entry each in stts (8 bytes), ctts (8), stss
    (4), stsz (4), sdtp (1), stsc (12) and co64 (8); unbroken sound one in stsz, and in the last two only where
    a picture or a mebibyte ends a run of it.
    """
    sounds = (duration_ms // 1000 + _SPARE_S) * rate_hz // 1024 + 16 if rate_hz else 0
    runs = min(sounds, pictures + sounds // 16 + 16)
    return 8192 + pictures * 45 + sounds * 4 + runs * 20


def head_bytes_for(duration_ms: int, picture: Stream | None, sound: Stream | None) -> int:
    """Give how many of a copy's first bytes are the index and room for it, which are written last.

    Args:
        duration_ms: of the recording.
        picture: as probed, or None.
        sound: the same.
    """
    rate_hz = None if sound is None else playable_rate_hz(sound.sample_rate_hz)
    pictures = 0 if picture is None else most_pictures(duration_ms, picture.packet_count)
    return index_bytes_for(duration_ms, pictures=pictures, rate_hz=rate_hz) + _AROUND_INDEX_BYTES


class CopyWriter:
    """The observer that encodes. Use as a context manager; finish() completes the file.

    Args:
        target: empty, seekable, writable.
        duration_ms: of the recording.
        picture: the stream as probed and as opened; None for sound only.
        sound: the stream as probed, or None.
        rate: pictures a second that come, where it is known.
        threads: for the picture's encoder.
    """

    def __init__(
        self,
        target: BinaryIO,
        *,
        duration_ms: int,
        picture: tuple[Stream, Any] | None,
        sound: Stream | None,
        rate: Fraction | None,
        threads: int,
    ) -> None:
        rate_hz = None if sound is None else playable_rate_hz(sound.sample_rate_hz)
        pictures = 0 if picture is None else most_pictures(duration_ms, picture[0].packet_count)
        self.head_bytes = head_bytes_for(duration_ms, None if picture is None else picture[0], sound)
        self.target = Target(target)
        self._output: OutputContainer = av.open(
            cast("Any", self.target),
            "w",
            format="ipod" if picture is None else "mp4",
            options={"moov_size": str(self.head_bytes - _AROUND_INDEX_BYTES), "fflags": "+bitexact"},
            buffer_size=_WRITE_BYTES,
        )
        self.pictures = (
            None if picture is None else PictureTrack(self, picture, rate, most=pictures, threads=threads)
        )
        self.sounds = None if sound is None or rate_hz is None else SoundTrack(self, rate_hz, sound.channels)

    def __enter__(self) -> Self:
        try:
            self._output.start_encoding()
        except LIBRARY_ERRORS as error:
            self.__exit__()
            raise UnderivableMediaError("unencodable") from error
        self.target.check()
        return self

    def __exit__(self, *_: object) -> None:
        self.target.stop()
        with contextlib.suppress(*LIBRARY_ERRORS):
            self._output.close()

    def add_stream(self, codec: str, options: dict[str, str], **form: Any) -> Any:
        """Declare a track."""
        return self._output.add_stream(codec, options=options, **form)

    def mux(self, packets: Any) -> None:
        """Write encoded packets, or raise what writing raised."""
        self._output.mux(packets)
        self.target.check()

    def picture(self, frame: VideoFrame, at_us: int) -> None:
        """Encode a picture."""
        if self.pictures is not None:
            self.pictures.put(frame, at_us)

    def sound(self, frame: AudioFrame, at_us: int) -> None:
        """Encode sound."""
        if self.sounds is not None:
            self.sounds.put(frame, at_us)

    def finish(self) -> None:
        """Encode what is held back and fill in the index."""
        for track in (self.pictures, self.sounds):
            if track is not None:
                track.close()
        try:
            self._output.close()
        except LIBRARY_ERRORS as error:
            raise UnderivableMediaError("unencodable") from error
        self.target.check()


class PictureTrack:
    """Upright pictures at their own times, at most 30 a second.

    Attributes:
        size: width and height of the copy in pixels.
        count: pictures written.
        repeated_count: how many of them are there again because the next one came late.
        paced_count: left out because more than 30 a second came.
        backward_count: left out because their time was not after the one before.
        end_us: when the last one ends.
        is_hdr: the colours were meant for a brighter screen than the copy's.
    """

    def __init__(
        self,
        writer: CopyWriter,
        picture: tuple[Stream, Any],
        rate: Fraction | None,
        *,
        most: int,
        threads: int,
    ) -> None:
        probed, source = picture
        context = source.codec_context
        aspect = sane_aspect(source.sample_aspect_ratio)
        self.size = copy_size(probed, aspect)
        self.count = self.repeated_count = self.paced_count = self.backward_count = 0
        self.end_us = 0
        self.is_hdr = context.color_trc in _HDR
        self._writer = writer
        self._most = most
        self._pace = Pace(rate)
        kept_rate = min(max(rate or Fraction(MOST_RATE), Fraction(1)), Fraction(MOST_RATE)).limit_denominator(
            1001
        )
        self._frame_us = int(1_000_000 / kept_rate)
        self._framing = Framing(*self.size, pixel_aspect=aspect)
        options = {**_PRESET, "threads": str(threads)}
        if probed.is_variable_rate or probed.gap_count:
            # Reordered pictures lag behind in MP4's table of times, and uneven ones would end its track early.
            options["bf"] = "0"
        self._stream = writer.add_stream("libx264", options, rate=kept_rate)
        self._stream.width, self._stream.height = self.size
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = TICK
        _tag_colours(self._stream.codec_context, context)
        self._last: VideoFrame | None = None
        self._last_us = -1
        self._next_key_us = 0

    def put(self, frame: VideoFrame, at_us: int) -> None:
        """Encode a picture unless it is one too many."""
        if at_us <= self._last_us:
            self.backward_count += 1
            return
        if not self._pace.takes(at_us) or self.count >= self._most:
            self.paced_count += 1
            return
        self._last_us = at_us
        frame.pts, frame.time_base = round(at_us * TICKS_A_S / 1_000_000), TICK
        for ready in self._framing.put(frame):
            self._send(ready)

    def close(self) -> None:
        """Encode what is held back."""
        for ready in self._framing.close():
            self._send(ready)
        self._writer.mux(self._stream.encode(None))

    def _send(self, frame: VideoFrame) -> None:
        assert frame.pts is not None
        at_us = frame.pts * 1_000_000 // TICKS_A_S
        while self._last is not None and at_us - (self.end_us - self._frame_us) > 2 * REPEAT_AFTER_US:
            again_us = self.end_us - self._frame_us + REPEAT_AFTER_US
            self._last.pts = round(again_us * TICKS_A_S / 1_000_000)
            self.repeated_count += 1
            self._encode(self._last, again_us)
        self._last = frame
        self._encode(frame, at_us)

    def _encode(self, frame: VideoFrame, at_us: int) -> None:
        is_key = at_us >= self._next_key_us
        # What a picture was in the original must not tell the encoder what to make of it.
        frame.pict_type = PictureType.I if is_key else PictureType.NONE
        if is_key:
            self._next_key_us = at_us + KEY_EVERY_US
        self.end_us = at_us + self._frame_us
        self.count += 1
        self._writer.mux(self._stream.encode(frame))


def copy_size(picture: Stream, pixel_aspect: Fraction) -> tuple[int, int]:
    """Give the upright size of the copy: at most 1280 by 720 or 720 by 1280, both even.

    Args:
        picture: as probed, a picture that was decoded.
        pixel_aspect: a pixel's width over its height, before turning.
    """
    width, height = picture.width or 2, picture.height or 2
    is_wide = width * pixel_aspect >= height
    box = (LONG_SIDE_PX, SHORT_SIDE_PX) if is_wide else (SHORT_SIDE_PX, LONG_SIDE_PX)
    size = fitted_size(width, height, box=box, pixel_aspect=pixel_aspect)
    return size[::-1] if picture.rotation_deg in (90, 270) else size


def _tag_colours(encoder: Any, decoder: Any) -> None:
    """State the colours: players guess from the size where nothing is said, and the size has changed.

    Source: Recommendation ITU-R BT.709 for high definition, BT.601 (SMPTE 170M) below.
    """
    is_high = decoder.height >= 720
    matrix = _BT709_MATRIX if is_high else _SMPTE170M_MATRIX
    encoder.color_range = ColorRange.MPEG
    encoder.colorspace = _said(decoder.colorspace, _UNSPECIFIED_MATRIX, matrix)
    primaries = ColorPrimaries.BT709 if is_high else ColorPrimaries.SMPTE170M
    curve = ColorTrc.BT709 if is_high else ColorTrc.SMPTE170M
    encoder.color_primaries = _said(decoder.color_primaries, ColorPrimaries.UNSPECIFIED, primaries)
    encoder.color_trc = _said(decoder.color_trc, ColorTrc.UNSPECIFIED, curve)


def _said(value: int, unspecified: int, otherwise: int) -> int:
    return otherwise if value in (0, unspecified) else value


class SoundTrack:
    """Unbroken AAC from time 0.

    Args:
        writer: takes the packets.
        rate_hz: of the copy.
        channels: of the original; more than two are mixed to two.
    """

    def __init__(self, writer: CopyWriter, rate_hz: int, channels: int | None) -> None:
        layout = "mono" if channels == 1 else "stereo"
        self._writer = writer
        self._joined = Continuous(rate_hz=rate_hz, layout=layout)
        self._stream = writer.add_stream("aac", {}, rate=rate_hz, layout=layout)
        self._stream.bit_rate = (64_000 if rate_hz >= 32_000 else 32_000) * (1 if channels == 1 else 2)

    @property
    def overlap_count(self) -> int:
        """How many decoded parts came too late."""
        return self._joined.overlap_count

    @property
    def end_us(self) -> int:
        """When the sound ends."""
        return self._joined.sent_count * 1_000_000 // self._joined.rate_hz

    def put(self, frame: AudioFrame, at_us: int) -> None:
        """Encode decoded sound."""
        for ready in self._joined.put(frame, at_us):
            self._writer.mux(self._stream.encode(ready))

    def close(self) -> None:
        """Encode what is held back."""
        for ready in self._joined.close():
            self._writer.mux(self._stream.encode(ready))
        self._writer.mux(self._stream.encode(None))

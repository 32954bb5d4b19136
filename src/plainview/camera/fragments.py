"""Fragments of footage: a second or two of pictures and sound, complete in themselves.

A camera encodes all the time and decides later what becomes a recording, so a fragment is kept as its samples and
written as boxes (`moof`, `mdat`) once it is known where in a recording it stands.

Times inside the camera are ticks of 1/90000 s since it was switched on: whole numbers at any usual picture rate.

Source: ISO/IEC 14496-12 sections 8.8.4 to 8.8.12.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

TICKS_A_SECOND: Final = 90_000
TICKS_A_MS: Final = 90
SOUND_RATE_HZ: Final = 48_000
# What an AAC frame holds.
SOUND_FRAME_SAMPLES: Final = 1024
VIDEO_TRACK: Final = 1
SOUND_TRACK: Final = 2

_BASE_IS_MOOF: Final = 0x020000
_HAS_DEFAULT_FLAGS: Final = 0x20
_HAS_DEFAULT_DURATION: Final = 0x08
_RUN_HAS_OFFSET: Final = 0x001
_RUN_HAS_DURATIONS: Final = 0x100
_RUN_HAS_SIZES: Final = 0x200
_RUN_HAS_FLAGS: Final = 0x400
_KEY: Final = 0x02000000
_NOT_KEY: Final = 0x01010000


@dataclass(frozen=True)
class Picture:
    """An encoded picture.

    Attributes:
        data: H.264, each unit behind its length.
        duration_ticks: until the next one.
        is_key: whether it stands alone.
    """

    data: bytes
    duration_ticks: int
    is_key: bool


@dataclass(frozen=True)
class MediaFragment:
    """A group of pictures with its sound.

    Attributes:
        start_ticks: of its first picture, since the camera was switched on.
        pictures: at least one; the first stands alone.
        sound_start: of the first frame of sound, in samples since the camera was switched on.
        sounds: frames of AAC, SOUND_FRAME_SAMPLES each; empty where there is no sound track.
        sound: one of capture.SOUNDS: what the sound is.
    """

    start_ticks: int
    pictures: tuple[Picture, ...]
    sound_start: int
    sounds: tuple[bytes, ...]
    sound: str

    @property
    def end_ticks(self) -> int:
        """Where the next fragment begins, if nothing is lost between."""
        return self.start_ticks + sum(each.duration_ticks for each in self.pictures)

    @property
    def start_ms(self) -> int:
        """Of its first picture, since the camera was switched on."""
        return self.start_ticks // TICKS_A_MS

    @property
    def duration_ms(self) -> int:
        """Of its pictures, such that fragments that follow each other leave no millisecond out."""
        return self.end_ticks // TICKS_A_MS - self.start_ms

    @property
    def size_bytes(self) -> int:
        """Of its pictures and sound, without boxes."""
        return sum(len(each.data) for each in self.pictures) + sum(map(len, self.sounds))


def samples_at(ticks: int) -> int:
    """Return how many samples of sound lie before a moment."""
    return ticks * SOUND_RATE_HZ // TICKS_A_SECOND


def with_lengths(data: bytes) -> bytes:
    """Put each unit of H.264 behind its length, in place of the start codes that an encoder writes.

    Source: ISO/IEC 14496-10 annex B; ISO/IEC 14496-15 section 5.3.
    """
    units = [unit.rstrip(b"\x00") for unit in data.split(b"\x00\x00\x01")]
    return b"".join(struct.pack(">I", len(unit)) + unit for unit in units if unit)


def format_fragment(fragment: MediaFragment, *, number: int, origin_ticks: int) -> bytes:
    """Write a fragment as it stands in a recording.

    Args:
        fragment: what to write.
        number: its place in the recording, counted from 1.
        origin_ticks: when the recording's first picture was; the recording plays from 0.

    Returns:
        A `moof` box and an `mdat` box.
    """
    sound_origin = samples_at(origin_ticks)
    # What was heard before the first picture has no place in a file that begins with it.
    early = max(0, -(-(sound_origin - fragment.sound_start) // SOUND_FRAME_SAMPLES))
    sounds, sound_start = fragment.sounds[early:], fragment.sound_start + early * SOUND_FRAME_SAMPLES
    pictures_bytes = sum(len(each.data) for each in fragment.pictures)
    decode_ticks = fragment.start_ticks - origin_ticks

    def moof(head_bytes: int) -> bytes:
        tracks = _pictures_track(fragment.pictures, decode_ticks, head_bytes)
        if sounds:
            tracks += _sound_track(sounds, sound_start - sound_origin, head_bytes + pictures_bytes)
        return _box(b"moof", _full_box(b"mfhd", 0, 0, struct.pack(">I", number)) + tracks)

    head_bytes = len(moof(0)) + 8
    data = b"".join([*(each.data for each in fragment.pictures), *sounds])
    return moof(head_bytes) + _box(b"mdat", data)


def _pictures_track(pictures: tuple[Picture, ...], decode_ticks: int, offset: int) -> bytes:
    rows = b"".join(
        struct.pack(">III", each.duration_ticks, len(each.data), _KEY if each.is_key else _NOT_KEY)
        for each in pictures
    )
    head = _full_box(b"tfhd", 0, _BASE_IS_MOOF, struct.pack(">I", VIDEO_TRACK))
    flags = _RUN_HAS_OFFSET | _RUN_HAS_DURATIONS | _RUN_HAS_SIZES | _RUN_HAS_FLAGS
    return _track(
        head, decode_ticks, _full_box(b"trun", 0, flags, struct.pack(">II", len(pictures), offset) + rows)
    )


def _sound_track(sounds: tuple[bytes, ...], decode_samples: int, offset: int) -> bytes:
    rows = struct.pack(f">{len(sounds)}I", *map(len, sounds))
    defaults = struct.pack(">III", SOUND_TRACK, SOUND_FRAME_SAMPLES, _KEY)
    head = _full_box(b"tfhd", 0, _BASE_IS_MOOF | _HAS_DEFAULT_DURATION | _HAS_DEFAULT_FLAGS, defaults)
    flags = _RUN_HAS_OFFSET | _RUN_HAS_SIZES
    return _track(
        head, decode_samples, _full_box(b"trun", 0, flags, struct.pack(">II", len(sounds), offset) + rows)
    )


def _track(head: bytes, decode_time: int, run: bytes) -> bytes:
    return _box(b"traf", head + _full_box(b"tfdt", 1, 0, struct.pack(">Q", decode_time)) + run)


def _full_box(kind: bytes, version: int, flags: int, content: bytes) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags) + content)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content

"""Make the copy that browsers play: H.264 and AAC in an MP4 whose index comes first.

Its seconds are the original's: both count from the first presented picture or sound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plainview.media.copy_writer import MOST_RATE, RATE_MARGIN, CopyWriter
from plainview.media.decoding import (
    choose,
    counted_rate,
    decode_streams,
    first_decodable,
    left_out,
    open_probed,
)
from plainview.media.derived import ViewingCopy
from plainview.media.errors import UnderivableMediaError
from plainview.media.probe import probe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import BinaryIO

    from plainview.media.decoding import Damage, Observer
    from plainview.media.facts import Probe, Stream

# Why an original cannot serve itself. The sentence is what a person reads.
COPY_REASONS: Final[Mapping[str, str]] = {
    "container": "Browsers do not play this kind of file.",
    "picture_codec": "Not every browser plays pictures coded in this way.",
    "pixel_format": "Browsers play 8-bit 4:2:0 pictures only.",
    "interlaced": "The pictures are interlaced.",
    "turned": "The pictures must be turned to stand upright.",
    "large": "The pictures are larger than 1920 by 1080.",
    "fast": "There are more than 30 pictures a second.",
    "sound_codec": "Not every browser plays sound coded in this way.",
    "damaged": "Parts of the file are damaged or missing, and browsers stop there.",
}
_PLAYED_CONTAINERS: Final = {
    "mov": frozenset(("aac",)),
    "mp3": frozenset(("mp3", "mp3float")),
    "wav": frozenset(("pcm_s16le", "pcm_u8")),
    "flac": frozenset(("flac",)),
}
_SOUND_IN_MP4: Final = frozenset(("aac", "mp3", "mp3float"))
_DAMAGE: Final = frozenset(
    ("ends_early", "damaged_part", "undecodable_part", "undecodable_stream", "timestamps_go_back")
)


def needs_copy(probed: Probe) -> str | None:
    """Say why browsers cannot play the original as it is.

    Returns:
        A key of COPY_REASONS, or None where the original can serve itself.
    """
    picture = next((s for s in probed.streams if s.kind == "video"), None)
    sound = next((s for s in probed.streams if s.kind == "audio"), None)
    wrong = _wrong_sound_only(probed, sound) if picture is None else _wrong_picture(probed, picture, sound)
    if wrong is None and any(warning.code in _DAMAGE for warning in probed.warnings):
        return "damaged"
    return wrong


def _wrong_sound_only(probed: Probe, sound: Stream | None) -> str | None:
    if probed.container not in _PLAYED_CONTAINERS:
        return "container"
    is_played = sound is not None and sound.codec in _PLAYED_CONTAINERS[probed.container]
    return None if is_played and sound is not None and (sound.channels or 0) <= 2 else "sound_codec"


def _wrong_picture(probed: Probe, picture: Stream, sound: Stream | None) -> str | None:
    long_px, short_px = (
        max(picture.width or 0, picture.height or 0),
        min(picture.width or 0, picture.height or 0),
    )
    rate = counted_rate(picture)
    found = {
        "container": probed.container != "mov",
        "picture_codec": picture.codec != "h264" or not picture.is_decoded,
        "pixel_format": picture.pixel_format not in ("yuv420p", "yuvj420p"),
        "interlaced": picture.is_interlaced is not False,
        "turned": picture.rotation_deg != 0,
        "large": long_px > 1920 or short_px > 1088,
        "fast": rate is not None and rate > MOST_RATE * RATE_MARGIN,
        "sound_codec": sound is not None and (sound.codec not in _SOUND_IN_MP4 or not sound.is_decoded),
    }
    return next((reason for reason, is_so in found.items() if is_so), None)


def make_viewing_copy(
    source: BinaryIO,
    target: BinaryIO,
    *,
    observers: Sequence[Observer] = (),
    probed: Probe | None = None,
    threads: int = 1,
    on_progress: Callable[[float], None] | None = None,
) -> ViewingCopy:
    """Write an MP4 that every browser plays, of the first picture and the first sound that can be decoded.

    At most 1280 by 720 (or 720 by 1280), upright, square pixels, 8-bit 4:2:0, progressive, at most 30
    pictures a second at their own times, a key picture each second. Without picture an M4A. Damaged
    parts are passed over and counted.

    Args:
        source: seekable, readable, of any content.
        target: empty, seekable, writable. It is written once from start to end, except for the first
            ViewingCopy.head_bytes, which are filled in last, and never read.
        observers: see the same decoded frames.
        probed: what probe says of source; probed anew where not given.
        threads: for decoding, and for encoding. One costs the least processor time.
        on_progress: called with the share that is done, rising to 1.

    Raises:
        UnusableMediaError: nothing in it can be played.
        UnderivableMediaError: too_long, another_file, nothing_decoded or unencodable.
        Exception: whatever reading source or writing target raises, unchanged.
    """
    probed = probe(source) if probed is None else probed
    picture, sound = first_decodable(probed, "video"), first_decodable(probed, "audio")
    with open_probed(source, probed) as opened:
        streams = choose(opened, picture, sound, threads=threads)
        with CopyWriter(
            target,
            duration_ms=probed.duration_ms,
            picture=None if picture is None else (picture, streams[0]),
            sound=sound,
            rate=None if picture is None else counted_rate(picture),
            threads=threads,
        ) as writer:
            damage = decode_streams(opened, probed, streams, [*observers, writer], on_progress=on_progress)
            writer.finish()
    made = _facts(writer, damage, left_out(probed, picture, sound))
    if not made.duration_ms:
        raise UnderivableMediaError("nothing_decoded")
    if on_progress is not None:
        on_progress(1.0)
    return made


def _facts(writer: CopyWriter, damage: Damage, others: tuple[int, ...]) -> ViewingCopy:
    pictures, sounds = writer.pictures, writer.sounds
    width_px, height_px = (None, None) if pictures is None else pictures.size
    backward = (pictures.backward_count if pictures else 0) + (sounds.overlap_count if sounds else 0)
    found = {
        "damaged_part": damage.undecodable_count + damage.corrupt_count + damage.astray_count > 0,
        "ends_early": damage.stopped_early,
        "times_go_back": backward > 0,
        "dull_colours": pictures is not None and pictures.is_hdr,
    }
    return ViewingCopy(
        size_bytes=writer.target.size_bytes,
        head_bytes=writer.head_bytes,
        duration_ms=max(pictures.end_us if pictures else 0, sounds.end_us if sounds else 0) // 1000,
        width_px=width_px,
        height_px=height_px,
        picture_count=pictures.count if pictures else 0,
        repeated_count=pictures.repeated_count if pictures else 0,
        paced_count=pictures.paced_count if pictures else 0,
        damaged_count=damage.undecodable_count + damage.corrupt_count + damage.astray_count,
        backward_count=backward,
        has_sound=sounds is not None,
        left_out=others,
        warnings=tuple(code for code, is_so in found.items() if is_so),
    )

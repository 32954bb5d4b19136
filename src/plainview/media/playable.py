"""Say whether browsers can play an original as it is. No decoder is imported: pages ask this too."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plainview.media.facts import Probe, Stream

MOST_RATE: Final = 30
RATE_MARGIN: Final = Fraction(303, 300)  # a clock may run a little fast
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


def counted_rate(stream: Stream) -> Fraction | None:
    """Give pictures a second as counted; headers often claim the rate of fields or of the clock."""
    if stream.packet_count < 2 or not stream.duration_ms:
        return None
    return Fraction(stream.packet_count * 1000, stream.duration_ms)


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

"""Make the copy that browsers play: H.264 and AAC in an MP4 whose index comes first.

Its seconds are the original's: both count from the first presented picture or sound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plainview.media.copy_writer import CopyWriter, head_bytes_for
from plainview.media.decoding import (
    choose,
    decode_streams,
    first_decodable,
    left_out,
    open_probed,
)
from plainview.media.derived import ViewingCopy
from plainview.media.errors import UnderivableMediaError
from plainview.media.playable import COPY_REASONS, counted_rate, needs_copy
from plainview.media.probe import probe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO

    from plainview.media.decoding import Damage, Observer
    from plainview.media.facts import Probe

# Asked for here by whoever makes copies.
__all__ = ["COPY_REASONS", "make_viewing_copy", "needs_copy"]


def copy_head_bytes(probed: Probe) -> int:
    """Give ViewingCopy.head_bytes of the copy that make_viewing_copy would make."""
    picture, sound = first_decodable(probed, "video"), first_decodable(probed, "audio")
    return head_bytes_for(probed.duration_ms, picture, sound)


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

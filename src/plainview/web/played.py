"""What a recording's player plays: its viewing copy or, where browsers can play that, the original itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from plainview.media.errors import MalformedProbeError
from plainview.media.facts import Probe, Stream, probe_from_json
from plainview.media.playable import counted_rate, needs_copy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from plainview.evidence.watch_queries import KnownDerivative, PlayablePart, Watched

VIEWING_COPY: Final = "viewing_copy"
ORIGINAL: Final = "original"
# Of the containers that media.viewing lets browsers play as they are.
_TYPES: Final = {
    "mov": ("video/mp4", "audio/mp4"),
    "mp3": ("audio/mpeg", "audio/mpeg"),
    "wav": ("audio/wav", "audio/wav"),
    "flac": ("audio/flac", "audio/flac"),
}


@dataclass(frozen=True)
class Played:
    """The file that is played.

    Attributes:
        kind: viewing_copy or original.
        object_id: in the store of its kind.
        original_id: object id of the original.
        sha256: of its bytes.
        frame_rate: pictures a second; None without picture, or where nobody knows.
        is_even: whether pictures are evenly spaced, so that a picture's time is its number.
        first_ms: when the first picture is shown.
    """

    kind: str
    object_id: str
    original_id: str
    sha256: str
    size_bytes: int
    content_type: str
    has_picture: bool
    has_sound: bool
    frame_rate: float | None
    is_even: bool
    first_ms: int


def find_played(part: Watched | PlayablePart) -> Played | None:
    """Return what is played of a recording's part; None while its viewing copy is still to be made."""
    probed = probe_of(part.found)
    copy = part.derivatives.get(VIEWING_COPY)
    if copy is not None:
        return _copy(copy, probed)
    if probed is None or needs_copy(probed) is not None:
        return None
    picture = _first(probed, "video")
    with_picture, without = _TYPES[probed.container]
    return Played(
        kind=ORIGINAL,
        object_id=part.object_id,
        original_id=part.object_id,
        sha256=part.sha256,
        size_bytes=part.size_bytes,
        content_type=without if picture is None else with_picture,
        has_picture=picture is not None,
        has_sound=_first(probed, "audio") is not None,
        **_spacing(picture, paced_count=0),
    )


def probe_of(found: Mapping[str, Any]) -> Probe | None:
    """Read what an examination found as it is kept: without the table of chunks, which lies apart.

    Returns:
        None where nothing is kept, or an older Plainview wrote it in another form.
    """
    try:
        chunk_count = -(-int(found["size_bytes"]) // int(found["chunk_bytes"]))
        return probe_from_json({**found, "chunk_spans": [None] * chunk_count})
    except (KeyError, TypeError, ValueError, ZeroDivisionError, MalformedProbeError):
        return None


def _copy(copy: KnownDerivative, probed: Probe | None) -> Played:
    has_picture = copy.facts.get("width_px") is not None
    picture = None if probed is None else _first(probed, "video")
    return Played(
        kind=VIEWING_COPY,
        object_id=copy.object_id,
        original_id=copy.original_id,
        sha256=copy.sha256,
        size_bytes=copy.size_bytes,
        content_type="video/mp4" if has_picture else "audio/mp4",
        has_picture=has_picture,
        has_sound=bool(copy.facts.get("has_sound")),
        **_spacing(picture if has_picture else None, paced_count=int(copy.facts.get("paced_count", 0))),
    )


def _spacing(picture: Stream | None, *, paced_count: int) -> dict[str, Any]:
    """Say how pictures are spaced; a copy that left some out has no one rate."""
    rate: Fraction | None = None if picture is None else counted_rate(picture) or picture.frame_rate
    is_even = picture is not None and picture.is_variable_rate is False and not paced_count
    return {
        "frame_rate": None if rate is None else float(rate),
        "is_even": is_even,
        "first_ms": 0 if picture is None else picture.start_ms or 0,
    }


def _first(probed: Probe, kind: str) -> Stream | None:
    return next((stream for stream in probed.streams if stream.kind == kind), None)

"""What was made of a recording, and its one JSON form.

The JSON crosses from the decoder jail, which hostile bytes may have taken over, so reading it back
accepts only what would have been written.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from plainview.formats.errors import FormatError
from plainview.formats.fields import check_count, check_record
from plainview.media.errors import MalformedDerivedError
from plainview.media.facts import MAX_STREAMS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VERSION: Final = 1
MAX_TILES: Final = 100
MAX_LEVELS: Final = 12
MAX_SPANS: Final = 500

# The closed set of warnings on a viewing copy. The sentence is what a person reads.
WARNINGS: Final[Mapping[str, str]] = {
    "damaged_part": "Some of the recording could not be decoded or shows faults; the viewing copy goes on after it.",
    "ends_early": "The recording could not be read to its end; the viewing copy ends there.",
    "times_go_back": "Some pictures or sound have times that had already passed, and are left out.",
    "dull_colours": "The original has colours for brighter screens; the viewing copy shows them duller.",
}

# What the small pictures say of the lens; "even": nothing but an even surface, on the lens or before it.
LENS_VERDICTS: Final = ("clear", "partly_blocked", "blocked", "even", "too_dark")


@dataclasses.dataclass(frozen=True)
class ViewingCopy:
    """What is in a viewing copy.

    Attributes:
        size_bytes: of the file.
        head_bytes: the first so many are the index and room for it, written last.
        duration_ms: to the end of the last picture or sound, from the original's first.
        width_px: upright; None for sound only. height_px: the same.
        picture_count: pictures in it.
        repeated_count: of them, those shown again because the next came more than 20 s later.
        paced_count: pictures of the original left out because they were more than 30 a second.
        damaged_count: packets and frames that gave errors.
        backward_count: pictures and parts of sound left out because their time had passed.
        left_out: indices of the original's other picture and sound streams.
        warnings: keys of WARNINGS, in its order.
    """

    size_bytes: int
    head_bytes: int
    duration_ms: int
    width_px: int | None
    height_px: int | None
    picture_count: int
    repeated_count: int
    paced_count: int
    damaged_count: int
    backward_count: int
    has_sound: bool
    left_out: tuple[int, ...]
    warnings: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Lens:
    """Whether the lens was clear, as media.lens tells; shares of the picture in thousandths, of whole cells.

    Attributes:
        verdict: one of LENS_VERDICTS.
        blocked_permille: shows nothing, beside what does, and is darker than it.
        dark_permille: shows nothing and is dark, as night is.
        even_permille: shows nothing and is light, as a sky and a wall are.
        mean_level: of luma, 0 to 255.
    """

    verdict: str
    blocked_permille: int
    dark_permille: int
    even_permille: int
    mean_level: int


@dataclasses.dataclass(frozen=True)
class Storyboard:
    """One JPEG sheet of small pictures, row by row; behind it, one of them as a JPEG of its own.

    Attributes:
        size_bytes: of the file.
        poster_bytes: its last so many are the first small picture that shows something.
        tile_width_px: of each small picture. tile_height_px: the same.
        columns: small pictures in a row.
        every_ms: about how far apart they are.
        times_ms: when each is shown in the recording, rising, from its first presented picture or sound.
        lens: None where there are too few small pictures to tell, or they are too small.
    """

    size_bytes: int
    poster_bytes: int
    tile_width_px: int
    tile_height_px: int
    columns: int
    every_ms: int
    times_ms: tuple[int, ...]
    lens: Lens | None


@dataclasses.dataclass(frozen=True)
class WaveformLevel:
    """The whole recording at one resolution: bin_count pairs of bytes from from_byte on.

    Attributes:
        bin_ms: time that one pair covers; the first begins at 0.
    """

    bin_ms: int
    bin_count: int
    from_byte: int


@dataclasses.dataclass(frozen=True)
class Span:
    """A stretch of time, in ms from the recording's first presented picture or sound."""

    start_ms: int
    end_ms: int


@dataclasses.dataclass(frozen=True)
class Waveform:
    """Lowest and highest sample of each short time, of whichever channel reaches farther.

    A pair is two signed bytes, lowest and highest, where 127 is full scale: (0, 0) is silence, below
    -60 dB of full scale; (127, -128) is no sound at all in the recording at that time.

    Attributes:
        size_bytes: of the file.
        levels: from the finest; each next covers four times the time in a pair.
        silent_count: stretches of at least a second of silence; silent holds the first MAX_SPANS.
        missing_count: stretches of at least a second without sound; missing holds the first MAX_SPANS.
    """

    size_bytes: int
    levels: tuple[WaveformLevel, ...]
    silent_count: int
    silent: tuple[Span, ...]
    missing_count: int
    missing: tuple[Span, ...]


@dataclasses.dataclass(frozen=True)
class Derived:
    """Everything that was made in one go; None for what was not asked or cannot be made."""

    viewing_copy: ViewingCopy | None
    storyboard: Storyboard | None
    waveform: Waveform | None


def derived_to_json(derived: Derived) -> dict[str, Any]:
    """Give the JSON form: objects, lists, strings, integers, booleans and null; no floats."""
    return {"v": VERSION, **_plain(derived)}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def derived_from_json(value: object) -> Derived:
    """Read the JSON form back.

    Args:
        value: what json.loads gave.

    Raises:
        MalformedDerivedError: anything that derived_to_json would not have written.
    """
    try:
        fields = check_record(value, what="result", keys=_keys(Derived) | {"v"})
        return Derived(
            viewing_copy=_maybe(_viewing_copy, fields["viewing_copy"], "viewing_copy"),
            storyboard=_maybe(_storyboard, fields["storyboard"], "storyboard"),
            waveform=_maybe(_waveform, fields["waveform"], "waveform"),
        )
    except FormatError as error:
        raise MalformedDerivedError(str(error)) from error


def _viewing_copy(value: object, what: str) -> ViewingCopy:
    fields = check_record(value, what=what, keys=_keys(ViewingCopy))
    counts = ("size_bytes", "head_bytes", "duration_ms", "picture_count", "repeated_count", "paced_count")
    codes = _list(fields["warnings"], f"{what}.warnings", _code, most=len(WARNINGS))
    if list(codes) != [code for code in WARNINGS if code in codes]:
        raise FormatError(what, "warnings: expected each once, in order")
    if (fields["width_px"] is None) != (fields["height_px"] is None):
        raise FormatError(what, "expected both width and height, or neither")
    if type(fields["has_sound"]) is not bool:
        raise FormatError(what, "has_sound: expected true or false")
    return ViewingCopy(
        **{name: _count(fields[name], what) for name in (*counts, "damaged_count", "backward_count")},
        width_px=_maybe(_positive, fields["width_px"], what),
        height_px=_maybe(_positive, fields["height_px"], what),
        has_sound=fields["has_sound"],
        left_out=_list(fields["left_out"], f"{what}.left_out", _count, most=MAX_STREAMS),
        warnings=codes,
    )


def _storyboard(value: object, what: str) -> Storyboard:
    fields = check_record(value, what=what, keys=_keys(Storyboard))
    times_ms = _list(fields["times_ms"], f"{what}.times_ms", _count, most=MAX_TILES)
    if not times_ms or list(times_ms) != sorted(set(times_ms)):
        raise FormatError(what, "times_ms: expected at least one, rising")
    sizes = ("size_bytes", "poster_bytes", "tile_width_px", "tile_height_px", "columns", "every_ms")
    found = Storyboard(
        **{name: _positive(fields[name], what) for name in sizes},
        times_ms=times_ms,
        lens=_maybe(_lens, fields["lens"], f"{what}.lens"),
    )
    if found.poster_bytes >= found.size_bytes:
        raise FormatError(what, f"poster_bytes: {found.poster_bytes} leave nothing of {found.size_bytes}")
    return found


def _lens(value: object, what: str) -> Lens:
    fields = check_record(value, what=what, keys=_keys(Lens))
    verdict = fields["verdict"]
    if not isinstance(verdict, str) or verdict not in LENS_VERDICTS:
        raise FormatError(what, f"verdict: expected one of {', '.join(LENS_VERDICTS)}")
    shares = ("blocked_permille", "dark_permille", "even_permille")
    counts = {name: _count(fields[name], what) for name in (*shares, "mean_level")}
    found = Lens(verdict=verdict, **counts)
    if sum(counts[name] for name in shares) > 1000 or found.mean_level > 255:
        raise FormatError(what, "expected shares of at most 1000 together, and a level of at most 255")
    return found


def _waveform(value: object, what: str) -> Waveform:
    fields = check_record(value, what=what, keys=_keys(Waveform))
    size_bytes = _positive(fields["size_bytes"], what)
    levels = _list(fields["levels"], f"{what}.levels", _level, most=MAX_LEVELS)
    at = 0
    for level in levels:
        if level.from_byte != at:
            raise FormatError(what, "levels: expected one after the other")
        at += 2 * level.bin_count
    if not levels or at != size_bytes:
        raise FormatError(what, f"levels: {at} bytes do not fill {size_bytes}")
    return Waveform(
        size_bytes=size_bytes,
        levels=levels,
        silent_count=_count(fields["silent_count"], what),
        silent=_list(fields["silent"], f"{what}.silent", _span, most=MAX_SPANS),
        missing_count=_count(fields["missing_count"], what),
        missing=_list(fields["missing"], f"{what}.missing", _span, most=MAX_SPANS),
    )


def _level(value: object, what: str) -> WaveformLevel:
    fields = check_record(value, what=what, keys=_keys(WaveformLevel))
    return WaveformLevel(
        bin_ms=_positive(fields["bin_ms"], what),
        bin_count=_positive(fields["bin_count"], what),
        from_byte=_count(fields["from_byte"], what),
    )


def _span(value: object, what: str) -> Span:
    fields = check_record(value, what=what, keys=_keys(Span))
    span = Span(start_ms=_count(fields["start_ms"], what), end_ms=_count(fields["end_ms"], what))
    if span.end_ms <= span.start_ms:
        raise FormatError(what, f"ends at {span.end_ms} ms, not after its start at {span.start_ms} ms")
    return span


def _keys(form: type) -> frozenset[str]:
    return frozenset(field.name for field in dataclasses.fields(form))


def _maybe(read: Callable[[object, str], Any], value: object, what: str) -> Any:
    return None if value is None else read(value, what)


def _list(value: object, what: str, read: Callable[[object, str], Any], *, most: int) -> tuple[Any, ...]:
    if not isinstance(value, list) or len(value) > most:
        raise FormatError(what, f"expected a list of at most {most}")
    return tuple(read(item, f"{what}.{i}") for i, item in enumerate(value))


def _count(value: object, what: str) -> int:
    number = check_count(value, what=what, field="number")
    if number >= 2**53:
        raise FormatError(what, "expected a whole number below 2**53")
    return number


def _positive(value: object, what: str) -> int:
    return check_count(_count(value, what), what=what, field="number", at_least=1)


def _code(value: object, what: str) -> str:
    if not isinstance(value, str) or value not in WARNINGS:
        raise FormatError(what, f"expected one of {', '.join(WARNINGS)}")
    return value

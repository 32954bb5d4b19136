"""What probe found out, and its one JSON form.

The JSON crosses from the decoder jail, which hostile bytes may have taken over, so reading it
back accepts only what probe could have written.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast, get_args

from plainview.media.chunk_spans import ChunkSpan
from plainview.media.errors import MalformedProbeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VERSION: Final = 1
MAX_STREAMS: Final = 32
MAX_GAPS: Final = 100
MAX_TAGS: Final = 32
MAX_TAG_CHARS: Final = 200

Kind: TypeAlias = Literal["video", "audio", "subtitle", "data"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

# The closed set of warnings on a usable file. The sentence is what a person reads.
WARNINGS: Final[Mapping[str, str]] = {
    "ends_early": "The file is cut off; what is before the cut plays.",
    "damaged_part": "Some of the file cannot be read.",
    "undecodable_part": "A part of this stream that was tried could not be decoded.",
    "undecodable_stream": "No part of this stream that was tried could be decoded.",
    "unknown_codec": "This stream is coded in a way that Plainview does not read.",
    "empty_stream": "This stream is declared but holds nothing.",
    "gaps": "This stream stops and goes on again.",
    "timestamps_go_back": "The times in this stream go backwards.",
    "unreadable_start_time": "The file states a start time that cannot be read.",
}

# Which kinds of signatures a file can carry. The words are what a person reads; nothing here was checked.
SIGNATURES: Final[Mapping[str, str]] = {
    "onvif_media_signing": "ONVIF Media Signing",
    "axis_signed_video": "Axis signed video",
    "c2pa": "C2PA Content Credentials",
    "plainview_journal": "a Plainview camera's journal",
}


@dataclasses.dataclass(frozen=True)
class Gap:
    """A stretch without packets, in ms from the file's first presented picture or sound."""

    start_ms: int
    end_ms: int


@dataclasses.dataclass(frozen=True)
class Stream:
    """One stream.

    Attributes:
        index: as FFmpeg counts, from 0.
        codec: FFmpeg's name, such as "h264"; None where it is not known.
        is_decoded: something in it was decoded; None for streams that are not tried (subtitle, data,
            cover pictures, codecs that are not read).
        start_ms: first presentation, from the file's first presented picture or sound; None without packets.
        duration_ms: from its first presentation to the end of its last.
        packet_count: packets that are presented (an edit list may hide some).
        backward_count: how often a decoding time is before the one before it.
        gap_count: all gaps; gaps holds the first MAX_GAPS of them.
        width: of the stored picture, before rotation; None where there is no picture. height: the same.
        rotation_deg: how far to turn the picture anticlockwise to stand upright: 0, 90, 180 or 270; None
            where no frame was decoded, or the turn is not a quarter.
        frame_rate: frames a second, the mean where it varies.
        is_variable_rate: pictures are unevenly spaced; None where fewer than three say.
        sample_rate_hz: of sound, else None. channels: the same.
        pixel_format: FFmpeg's name, such as "yuv420p", of the first decoded picture; None where none was.
        is_interlaced: the first decoded picture holds two fields; None where none was decoded.
    """

    index: int
    kind: Kind
    codec: str | None
    is_decoded: bool | None
    start_ms: int | None
    duration_ms: int | None
    packet_count: int
    backward_count: int
    gap_count: int
    gaps: tuple[Gap, ...]
    width: int | None = None
    height: int | None = None
    rotation_deg: int | None = None
    frame_rate: Fraction | None = None
    is_variable_rate: bool | None = None
    sample_rate_hz: int | None = None
    channels: int | None = None
    pixel_format: str | None = None
    is_interlaced: bool | None = None


@dataclasses.dataclass(frozen=True)
class Tag:
    """Something the file says of what made it, as it says it; control characters left out."""

    name: str
    value: str


@dataclasses.dataclass(frozen=True)
class ProbeWarning:
    """One thing a person should know. code: a key of WARNINGS. stream: its index, or None for the file."""

    code: str
    stream: int | None = None


@dataclasses.dataclass(frozen=True)
class Probe:
    """What a usable recording is made of.

    Attributes:
        container: the demuxer's name, such as "mov" (MP4 and MOV) or "matroska".
        size_bytes: of the file.
        origin_us: the first presented picture or sound, in microseconds on the file's own clock; what reads
            the file again takes this off every time that it meets.
        duration_ms: from the first presented picture or sound to the end of the last, as counted.
        declared_duration_ms: what the file's header claims, or None. A file that was cut keeps its claim.
        started_at: the creation time that the file states, aware UTC; None where it states none. A fact
            about the file, not about the world: cameras' clocks are wrong.
        chunk_bytes: length of each chunk of chunk_spans.
        chunk_spans: one entry a chunk, None where the chunk carries no picture or sound. Data tracks do not
            count: one timecode packet can last as long as the file.
        signatures: which of SIGNATURES its beginning carries; present, not checked.
    """

    container: str
    size_bytes: int
    origin_us: int
    duration_ms: int
    declared_duration_ms: int | None
    started_at: dt.datetime | None
    streams: tuple[Stream, ...]
    chunk_bytes: int
    chunk_spans: tuple[ChunkSpan | None, ...]
    tags: tuple[Tag, ...]
    warnings: tuple[ProbeWarning, ...]
    signatures: tuple[str, ...] = ()


def probe_to_json(probe: Probe) -> dict[str, Any]:
    """Give the JSON form: objects, lists, strings, integers, booleans and null; no floats.

    Times are RFC 3339 with a Z, frame rates are "30000/1001", spans are [start_ms, end_ms] or null.
    """
    value = dataclasses.asdict(probe)
    value["v"] = VERSION
    value["started_at"] = None if probe.started_at is None else _format_time(probe.started_at)
    value["chunk_spans"] = [None if span is None else list(span) for span in probe.chunk_spans]
    for name in ("streams", "tags", "warnings", "signatures"):
        value[name] = list(value[name])
    for stream in value["streams"]:
        stream["gaps"] = list(stream["gaps"])
        rate = stream["frame_rate"]
        stream["frame_rate"] = None if rate is None else f"{rate.numerator}/{rate.denominator}"
    return value


def probe_from_json(value: object) -> Probe:
    """Read the JSON form back.

    Args:
        value: what json.loads gave.

    Raises:
        MalformedProbeError: anything that probe_to_json would not have written.
    """
    # What was examined before signatures were looked for says nothing of them.
    known = {"signatures": [], **value} if isinstance(value, dict) else value
    fields = _object(known, "", {*_names(Probe), "v"})
    if fields["v"] != VERSION or isinstance(fields["v"], bool):
        raise MalformedProbeError("v", f"expected version {VERSION}")
    size_bytes = _count(fields["size_bytes"], "size_bytes", least=1)
    chunk_bytes = _count(fields["chunk_bytes"], "chunk_bytes", least=1)
    spans = _list(fields["chunk_spans"], "chunk_spans", _span, most=-(-size_bytes // chunk_bytes))
    if len(spans) != -(-size_bytes // chunk_bytes):
        raise MalformedProbeError("chunk_spans", f"{len(spans)} entries do not cover {size_bytes} bytes")
    streams = _list(fields["streams"], "streams", _stream, most=MAX_STREAMS)
    if [s.index for s in streams] != list(range(len(streams))):
        raise MalformedProbeError("streams", "indices are not 0, 1, 2 ...")
    return Probe(
        container=_word(fields["container"], "container"),
        size_bytes=size_bytes,
        origin_us=_whole(fields["origin_us"], "origin_us"),
        duration_ms=_count(fields["duration_ms"], "duration_ms"),
        declared_duration_ms=_optional(_count, fields["declared_duration_ms"], "declared_duration_ms"),
        started_at=_optional(_time, fields["started_at"], "started_at"),
        streams=streams,
        chunk_bytes=chunk_bytes,
        chunk_spans=spans,
        tags=_list(fields["tags"], "tags", _tag, most=MAX_TAGS),
        warnings=_list(fields["warnings"], "warnings", _warning, most=len(WARNINGS) * (MAX_STREAMS + 1)),
        signatures=_list(fields["signatures"], "signatures", _signature, most=len(SIGNATURES)),
    )


def _stream(value: object, where: str) -> Stream:
    fields = _object(value, where, _names(Stream))

    def get(name: str, read: Callable[[object, str], Any]) -> Any:
        return read(fields[name], f"{where}.{name}")

    def maybe(name: str, read: Callable[[object, str], Any]) -> Any:
        return _optional(read, fields[name], f"{where}.{name}")

    return Stream(
        index=get("index", _count),
        kind=get("kind", _kind),
        codec=maybe("codec", _word),
        is_decoded=maybe("is_decoded", _bool),
        start_ms=maybe("start_ms", _whole),
        duration_ms=maybe("duration_ms", _count),
        packet_count=get("packet_count", _count),
        backward_count=get("backward_count", _count),
        gap_count=get("gap_count", _count),
        gaps=_list(fields["gaps"], f"{where}.gaps", _gap, most=MAX_GAPS),
        width=maybe("width", _positive),
        height=maybe("height", _positive),
        rotation_deg=maybe("rotation_deg", _quarter_turn),
        frame_rate=maybe("frame_rate", _rate),
        is_variable_rate=maybe("is_variable_rate", _bool),
        sample_rate_hz=maybe("sample_rate_hz", _positive),
        channels=maybe("channels", _positive),
        pixel_format=maybe("pixel_format", _word),
        is_interlaced=maybe("is_interlaced", _bool),
    )


def _signature(value: object, where: str) -> str:
    if not isinstance(value, str) or value not in SIGNATURES:
        raise MalformedProbeError(where, f"expected one of {', '.join(SIGNATURES)}")
    return value


def _names(form: type) -> set[str]:
    return {field.name for field in dataclasses.fields(form)}


def _object(value: object, where: str, names: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != names:
        raise MalformedProbeError(where, f"expected an object with exactly {', '.join(sorted(names))}")
    return cast("dict[str, Any]", value)


def _list(value: object, where: str, read: Callable[[object, str], Any], *, most: int) -> tuple[Any, ...]:
    if not isinstance(value, list) or len(value) > most:
        raise MalformedProbeError(where, f"expected a list of at most {most}")
    return tuple(read(item, f"{where}.{i}") for i, item in enumerate(value))


def _optional(read: Callable[[object, str], Any], value: object, where: str) -> Any:
    return None if value is None else read(value, where)


def _whole(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**53:
        raise MalformedProbeError(where, "expected a whole number below 2**53")
    return value


def _count(value: object, where: str, *, least: int = 0) -> int:
    number = _whole(value, where)
    if number < least:
        raise MalformedProbeError(where, f"expected at least {least}, got {number}")
    return number


def _positive(value: object, where: str) -> int:
    return _count(value, where, least=1)


def _quarter_turn(value: object, where: str) -> int:
    if _whole(value, where) not in (0, 90, 180, 270):
        raise MalformedProbeError(where, "expected 0, 90, 180 or 270")
    return cast("int", value)


def _bool(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise MalformedProbeError(where, "expected true or false")
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_TAG_CHARS or not value.isprintable():
        raise MalformedProbeError(where, f"expected at most {MAX_TAG_CHARS} printable characters")
    return value


def _word(value: object, where: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,31}", value):
        raise MalformedProbeError(where, "expected a short lower-case name")
    return value


def _kind(value: object, where: str) -> Kind:
    if value not in KINDS:
        raise MalformedProbeError(where, f"expected one of {', '.join(KINDS)}")
    return value


def _rate(value: object, where: str) -> Fraction:
    match = re.fullmatch(r"([1-9][0-9]{0,9})/([1-9][0-9]{0,9})", value) if isinstance(value, str) else None
    if match is None:
        raise MalformedProbeError(where, 'expected a rate such as "30000/1001"')
    rate = Fraction(int(match[1]), int(match[2]))
    if value != f"{rate.numerator}/{rate.denominator}":
        raise MalformedProbeError(where, "expected the rate in lowest terms")
    return rate


def _format_time(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _time(value: object, where: str) -> dt.datetime:
    try:
        at = dt.datetime.strptime(str(value), "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=dt.UTC)
    except ValueError:
        at = None
    if at is None or _format_time(at) != value:
        raise MalformedProbeError(where, "expected a time such as 2026-03-14T22:31:05.000000Z")
    return at


def _span(value: object, where: str) -> ChunkSpan | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 2:
        raise MalformedProbeError(where, "expected [start_ms, end_ms] or null")
    return ChunkSpan(*_in_order(_count(value[0], where), _count(value[1], where), where))


def _gap(value: object, where: str) -> Gap:
    fields = _object(value, where, _names(Gap))
    return Gap(*_in_order(_whole(fields["start_ms"], where), _whole(fields["end_ms"], where), where))


def _in_order(start_ms: int, end_ms: int, where: str) -> tuple[int, int]:
    if end_ms < start_ms:
        raise MalformedProbeError(where, f"ends at {end_ms} ms, before its start at {start_ms} ms")
    return start_ms, end_ms


def _tag(value: object, where: str) -> Tag:
    fields = _object(value, where, _names(Tag))
    return Tag(name=_text(fields["name"], where), value=_text(fields["value"], where))


def _warning(value: object, where: str) -> ProbeWarning:
    fields = _object(value, where, _names(ProbeWarning))
    if not isinstance(fields["code"], str) or fields["code"] not in WARNINGS:
        raise MalformedProbeError(where, f"expected one of {', '.join(WARNINGS)}")
    return ProbeWarning(code=fields["code"], stream=_optional(_count, fields["stream"], f"{where}.stream"))

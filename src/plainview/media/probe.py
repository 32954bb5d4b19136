"""Find out what a recording is made of, from bytes that nobody has checked.

Every packet is read once, for counts, times and the table from chunk to time; then a few pictures
and a little sound of each stream are decoded, at the start, the middle and near the end, to show
that the recording can be played. Memory and time are bounded by the decoder jail, counts here.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from typing import TYPE_CHECKING, Any, Final

from plainview.media.boxes import count_missing_bytes, read_outer_boxes
from plainview.media.chunk_spans import ChunkTable
from plainview.media.errors import UnusableMediaError
from plainview.media.facts import (
    MAX_STREAMS,
    MAX_TAG_CHARS,
    MAX_TAGS,
    Gap,
    Kind,
    Probe,
    ProbeWarning,
    Stream,
    Tag,
)
from plainview.media.hostile_file import DECODERS, LIBRARY_ERRORS, HostileFile, open_hostile
from plainview.media.identify import identify
from plainview.media.signatures import SeiScan, box_signatures, in_order
from plainview.media.tally import GAP_US, Tally

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import BinaryIO

    import av
    from av.container import InputContainer

CHUNK_BYTES: Final = 1 << 20

# Twelve hours at 120 pictures a second with four sounds is 14 million.
_MAX_PACKETS: Final = 50_000_000
_MAX_SIDE_PX: Final = 16_384
_MAX_SAMPLE_RATE_HZ: Final = 768_000
_MAX_CHANNELS: Final = 64
_MAX_EXTRADATA_BYTES: Final = 1 << 20
# How many packets are tried, of all streams together, before a place counts as undecodable.
_TRIES_A_PLACE: Final = 2_000
_NEAR_END_US: Final = 1_500_000

# Here a packet's bytes lie scattered up to the stream's next packet, in pages or 188-byte packets.
_SCATTERED: Final = frozenset(("mpegts", "mpeg", "ogg", "asf"))
# These state how long they are meant to be, and are not caught by their outermost sizes.
_DECLARES_DURATION: Final = frozenset(("flac", "flv", "asf"))

# What a file looks like whose missing end held what matters.
_FOR_WANT_OF_BYTES: Final = frozenset(("unreadable", "no_sound_or_picture", "empty_stream", "undecodable"))

_TAG_NAMES: Final = frozenset(
    ("encoder", "firmware", "make", "model", "software", "timecode", "artist", "title")
)
_TAG_PREFIX: Final = "com.apple.quicktime."


def probe(file: BinaryIO, *, chunk_bytes: int = CHUNK_BYTES) -> Probe:
    """Say what the recording is made of, having shown that it can be played.

    Args:
        file: seekable, readable, of any content. Only read and seek are called.
        chunk_bytes: length of the chunks of Probe.chunk_spans.

    Returns:
        The facts, with a warning for each thing about a playable file that a person should know.

    Raises:
        UnusableMediaError: nothing in it can be played; jail_reason says why.
        Exception: whatever reading the file raises, unchanged: it is not the media's fault.
    """
    reader = HostileFile(file)
    try:
        return _probe(reader, chunk_bytes)
    except UnusableMediaError:
        if reader.failure is None:
            raise
    finally:
        if reader.failure is not None:
            raise reader.failure


def _probe(reader: HostileFile, chunk_bytes: int) -> Probe:
    container = identify(reader.as_binary())
    if container == "mov":
        _check_index(reader)
    missing_bytes = count_missing_bytes(reader.as_binary(), container=container, size_bytes=reader.size_bytes)
    try:
        with open_hostile(reader, container) as opened:
            scan = _scan(opened, container, reader.size_bytes, chunk_bytes)
            _check_anything_inside(scan)
        if container == "mov":
            scan.signatures |= box_signatures(reader.as_binary(), size_bytes=reader.size_bytes)
        with open_hostile(reader, container) as opened:
            decoded = _decode_samples(opened, scan)
        _check_anything_plays(scan, decoded)
    except UnusableMediaError as error:
        if missing_bytes and error.jail_reason in _FOR_WANT_OF_BYTES:
            raise UnusableMediaError("truncated", f"{missing_bytes} bytes are missing.") from error
        raise
    return _facts(scan, decoded, container, reader.size_bytes, chunk_bytes, is_cut=missing_bytes > 0)


def _check_index(reader: HostileFile) -> None:
    boxes = read_outer_boxes(reader.as_binary(), size_bytes=reader.size_bytes)
    if not boxes.has_index:
        raise UnusableMediaError("no_index" if boxes.has_media else "not_media")


# Reading every packet.


@dataclasses.dataclass(frozen=True)
class _Header:
    """What a stream declares; is_tried where decoding it is worth trying."""

    index: int
    kind: Kind
    codec: str | None
    is_tried: bool
    width: int | None
    height: int | None
    frame_rate: Any
    sample_rate_hz: int | None
    channels: int | None


@dataclasses.dataclass
class _Scan:
    """Everything that demuxing told."""

    headers: list[_Header]
    tallies: list[Tally]
    table: ChunkTable
    tags: dict[str, str]
    declared_ms: int | None
    corrupt_count: int = 0
    stopped_early: bool = False
    signatures: set[str] = dataclasses.field(default_factory=set)

    def origin_us(self) -> int:
        """First presentation of any picture or sound."""
        return min(self._ends("first_us"), default=0)

    def end_us(self) -> int:
        """End of the last."""
        return max(self._ends("end_us"), default=0)

    def is_damaged(self, *, is_cut: bool) -> bool:
        """Say whether something inside cannot be read; a cut leaves each stream's last packet short."""
        if is_cut:
            return self.corrupt_count > len(self.headers)
        return self.corrupt_count > 0 or self.stopped_early

    def _ends(self, name: str) -> list[int]:
        pairs = list(zip(self.headers, self.tallies, strict=True))
        shown = [getattr(t, name) for h, t in pairs if h.kind in ("video", "audio")]
        return [at for at in shown if at is not None]


def _scan(opened: InputContainer, container: str, size_bytes: int, chunk_bytes: int) -> _Scan:
    streams = list(opened.streams)
    if len(streams) > MAX_STREAMS:
        raise UnusableMediaError("too_many_streams", f"Expected at most {MAX_STREAMS}, got {len(streams)}.")
    headers = [_header(stream) for stream in streams]
    tallies = [Tally(time_base=s.time_base, gap_us=_gap_us(h)) for s, h in zip(streams, headers, strict=True)]
    scan = _Scan(
        headers=headers,
        tallies=tallies,
        table=ChunkTable(size_bytes=size_bytes, chunk_bytes=chunk_bytes),
        tags=_metadata(opened.metadata, *(s.metadata for s in streams)),
        declared_ms=opened.duration // 1000 if opened.duration and 0 < opened.duration < 1 << 62 else None,
    )
    place = _Scattered(scan.table) if container in _SCATTERED else _Together(scan.table)
    looks = [_sei_scan(stream, header) for stream, header in zip(streams, headers, strict=True)]
    for packet in _packets(opened, scan):
        tally = tallies[packet.stream_index]
        if looks[packet.stream_index].wants(packet.size):
            looks[packet.stream_index].look(bytes(packet))
        span = tally.span_us(packet) if packet.is_discard else tally.add(packet)
        is_shown = headers[packet.stream_index].kind in ("video", "audio")
        if span is not None and is_shown and packet.pos is not None and packet.pos >= 0:
            place.add(packet.stream_index, packet.pos, packet.size, span)
    place.close(size_bytes)
    scan.signatures.update(*(each.found for each in looks))
    return scan


def _sei_scan(stream: Any, header: _Header) -> SeiScan:
    is_looked_at = header.kind == "video" and stream.codec_context is not None
    extradata = stream.codec_context.extradata if is_looked_at else None
    return SeiScan(codec=header.codec if is_looked_at else None, extradata=extradata or b"")


def _packets(opened: InputContainer, scan: _Scan) -> Iterator[av.Packet[Any]]:
    """Give every real packet; damage ends the reading and is noted."""
    packets = opened.demux()
    for count in itertools.count():
        try:
            packet = next(packets, None)
        except LIBRARY_ERRORS:
            scan.stopped_early = True
            return
        if packet is None:
            return
        if count > _MAX_PACKETS:
            raise UnusableMediaError("absurd_header", f"Expected at most {_MAX_PACKETS} packets.")
        is_end_marker = packet.size == 0 and packet.dts is None
        if not is_end_marker and packet.stream_index < len(scan.tallies):
            scan.corrupt_count += packet.is_corrupt
            yield packet


class _Together:
    """Places packets whose bytes lie in one piece."""

    def __init__(self, table: ChunkTable) -> None:
        self._table = table

    def add(self, stream: int, pos: int, size: int, span: tuple[int, int]) -> None:
        del stream
        self._table.add(from_byte=pos, to_byte=pos + size, start_us=span[0], end_us=span[1])

    def close(self, size_bytes: int) -> None:
        """Nothing waits."""


class _Scattered:
    """Places packets whose bytes reach to where their stream's next one begins."""

    def __init__(self, table: ChunkTable) -> None:
        self._table = table
        self._waiting: dict[int, tuple[int, int, int]] = {}

    def add(self, stream: int, pos: int, size: int, span: tuple[int, int]) -> None:
        del size
        waiting = self._waiting.get(stream)
        if waiting is None:
            self._waiting[stream] = (pos, *span)
        elif pos <= waiting[0]:  # several packets share a page
            self._waiting[stream] = (waiting[0], min(waiting[1], span[0]), max(waiting[2], span[1]))
        else:
            self._place(waiting, pos)
            self._waiting[stream] = (pos, *span)

    def close(self, size_bytes: int) -> None:
        for waiting in self._waiting.values():
            self._place(waiting, size_bytes)

    def _place(self, waiting: tuple[int, int, int], to_byte: int) -> None:
        self._table.add(from_byte=waiting[0], to_byte=to_byte, start_us=waiting[1], end_us=waiting[2])


def _gap_us(header: _Header) -> int | None:
    """Allow a slow time-lapse three of its own frames, and subtitles and data any silence."""
    if header.kind not in ("video", "audio"):
        return None
    return max(GAP_US, int(3_000_000 / header.frame_rate)) if header.frame_rate else GAP_US


# What a stream declares.


def _header(stream: Any) -> _Header:
    context = stream.codec_context
    kind = _kind(stream)
    header = _Header(
        index=stream.index,
        kind=kind,
        codec=None if context is None else context.name,
        is_tried=kind in ("video", "audio") and context is not None and context.name in DECODERS,
        width=(context.width or None) if kind == "video" and context is not None else None,
        height=(context.height or None) if kind == "video" and context is not None else None,
        frame_rate=_sane_rate(stream.average_rate or stream.base_rate) if kind == "video" else None,
        sample_rate_hz=(context.sample_rate or None) if kind == "audio" and context is not None else None,
        channels=(context.channels or None) if kind == "audio" and context is not None else None,
    )
    _check_header(header, 0 if context is None else context.extradata_size)
    return header


def _kind(stream: Any) -> Kind:
    is_cover = bool(stream.disposition & type(stream.disposition).attached_pic)
    if stream.type == "video" and not is_cover:
        return "video"
    if stream.type == "audio":
        return "audio"
    return "subtitle" if stream.type == "subtitle" else "data"


def _sane_rate(rate: Any) -> Any:
    return rate if rate and 0 < rate.numerator < 10**10 and rate.denominator < 10**10 else None


def _check_header(header: _Header, extradata_bytes: int) -> None:
    for name, got, most in (
        ("width", header.width, _MAX_SIDE_PX),
        ("height", header.height, _MAX_SIDE_PX),
        ("sample rate", header.sample_rate_hz, _MAX_SAMPLE_RATE_HZ),
        ("channel count", header.channels, _MAX_CHANNELS),
        ("decoder set-up", extradata_bytes, _MAX_EXTRADATA_BYTES),
    ):
        if got is not None and not 0 <= got <= most:
            raise UnusableMediaError(
                "absurd_header", f"Expected a {name} of at most {most}, got {got} in stream {header.index}."
            )


def _metadata(*groups: Mapping[str, str]) -> dict[str, str]:
    """Merge what the file and its streams say, the file first; names in lower case."""
    merged: dict[str, str] = {}
    for name, value in itertools.chain.from_iterable(group.items() for group in groups):
        merged.setdefault(_printable(name).lower(), _printable(value))
    return merged


def _printable(text: str) -> str:
    return "".join(c for c in text if c.isprintable())[:MAX_TAG_CHARS]


# Showing that it plays.


@dataclasses.dataclass
class _Decoded:
    """What decoding one stream gave; places counts where it was tried and where it went well."""

    tried: int = 0
    worked: int = 0
    width: int | None = None
    height: int | None = None
    rotation_deg: int | None = None
    pixel_format: str | None = None
    is_interlaced: bool | None = None


def _decode_samples(opened: InputContainer, scan: _Scan) -> dict[int, _Decoded]:
    """Decode each stream at its start, its middle and near its end."""
    results: dict[int, _Decoded] = {}
    for header, tally in zip(scan.headers, scan.tallies, strict=True):
        if not header.is_tried or not tally.packet_count:
            continue
        result = results[header.index] = _Decoded()
        for at_us in _places(tally):
            result.tried += 1
            frame = _decode_one(opened, header.index, at_us)
            if frame is not None:
                _note_frame(result, frame, header)
    return results


def _places(tally: Tally) -> list[int | None]:
    if tally.first_us is None or tally.end_us is None:
        return [None]
    middle = (tally.first_us + tally.end_us) // 2
    return [tally.first_us, middle, max(middle, tally.end_us - _NEAR_END_US)]


def _decode_one(opened: InputContainer, index: int, at_us: int | None) -> Any:
    """Give the first whole frame at or soon after a time, or None."""
    if at_us is not None:
        try:
            opened.seek(at_us)
        except LIBRARY_ERRORS:
            return None
    packets = opened.demux(opened.streams[index])
    for _ in range(_TRIES_A_PLACE):
        try:
            packet = next(packets, None)
        except LIBRARY_ERRORS:
            return None
        if packet is None:
            return None
        frame = _whole_frame(packet)
        if frame is not None:
            return frame
    return None


def _whole_frame(packet: Any) -> Any:
    try:
        return next((frame for frame in packet.decode() if not frame.is_corrupt), None)
    except LIBRARY_ERRORS:
        return None


def _note_frame(result: _Decoded, frame: Any, header: _Header) -> None:
    result.worked += 1
    if header.kind == "video" and result.worked == 1:
        result.width, result.height = frame.width, frame.height
        turn = round(frame.rotation) % 360
        result.rotation_deg = turn if turn in (0, 90, 180, 270) else None
        result.pixel_format, result.is_interlaced = frame.format.name, frame.interlaced_frame


def _check_anything_inside(scan: _Scan) -> None:
    shown = [h for h in scan.headers if h.kind in ("video", "audio")]
    if not shown:
        raise UnusableMediaError("no_sound_or_picture")
    if not any(scan.tallies[h.index].packet_count for h in shown):
        raise UnusableMediaError("empty_stream")
    if not any(h.is_tried for h in shown):
        raise UnusableMediaError("unknown_codec")


def _check_anything_plays(scan: _Scan, decoded: Mapping[int, _Decoded]) -> None:
    if not decoded:
        raise UnusableMediaError("empty_stream")
    if not any(result.worked for result in decoded.values()):
        raise UnusableMediaError("undecodable", f"{len(decoded)} of {len(scan.headers)} streams were tried.")


# Putting the facts together.


def _facts(
    scan: _Scan,
    decoded: Mapping[int, _Decoded],
    container: str,
    size_bytes: int,
    chunk_bytes: int,
    *,
    is_cut: bool,
) -> Probe:
    origin_us = scan.origin_us()
    duration_ms = (scan.end_us() - origin_us) // 1000
    started_at, start_warnings = _started_at(scan.tags)
    is_cut = is_cut or (container in _DECLARES_DURATION and _is_short(scan.declared_ms, duration_ms))
    file_codes = ["ends_early"] * is_cut + ["damaged_part"] * scan.is_damaged(is_cut=is_cut) + start_warnings
    streams = tuple(
        _stream(header, tally, decoded.get(header.index), origin_us)
        for header, tally in zip(scan.headers, scan.tallies, strict=True)
    )
    return Probe(
        container=container,
        size_bytes=size_bytes,
        origin_us=origin_us,
        duration_ms=duration_ms,
        declared_duration_ms=scan.declared_ms,
        started_at=started_at,
        streams=streams,
        chunk_bytes=chunk_bytes,
        chunk_spans=scan.table.spans(origin_us=origin_us),
        tags=_tags(scan.tags),
        warnings=(
            *(ProbeWarning(code) for code in file_codes),
            *itertools.chain.from_iterable(
                _stream_warnings(s, scan.headers[s.index], decoded.get(s.index)) for s in streams
            ),
        ),
        signatures=in_order(scan.signatures),
    )


def _is_short(declared_ms: int | None, counted_ms: int) -> bool:
    return declared_ms is not None and declared_ms - counted_ms > max(1000, declared_ms // 50)


def _stream(header: _Header, tally: Tally, decoded: _Decoded | None, origin_us: int) -> Stream:
    has_time = tally.first_us is not None and tally.end_us is not None
    result = decoded or _Decoded()
    return Stream(
        index=header.index,
        kind=header.kind,
        codec=header.codec,
        is_decoded=None if decoded is None else decoded.worked > 0,
        start_ms=(tally.first_us - origin_us) // 1000 if tally.first_us is not None else None,
        duration_ms=((tally.end_us or 0) - (tally.first_us or 0)) // 1000 if has_time else None,
        packet_count=tally.packet_count,
        backward_count=tally.backward_count,
        gap_count=tally.gap_count,
        gaps=tuple(Gap((a - origin_us) // 1000, (b - origin_us) // 1000) for a, b in tally.gaps_us),
        width=result.width or header.width,
        height=result.height or header.height,
        rotation_deg=result.rotation_deg,
        frame_rate=header.frame_rate,
        is_variable_rate=tally.is_variable() if header.kind == "video" else None,
        sample_rate_hz=header.sample_rate_hz,
        channels=header.channels,
        pixel_format=result.pixel_format,
        is_interlaced=result.is_interlaced,
    )


def _stream_warnings(stream: Stream, header: _Header, decoded: _Decoded | None) -> Iterator[ProbeWarning]:
    if stream.kind not in ("video", "audio"):
        return
    found = {
        "unknown_codec": not header.is_tried,
        "empty_stream": stream.packet_count == 0,
        "undecodable_stream": decoded is not None and decoded.worked == 0,
        "undecodable_part": decoded is not None and 0 < decoded.worked < decoded.tried,
        "gaps": stream.gap_count > 0,
        "timestamps_go_back": stream.backward_count > 0,
    }
    for code, is_found in found.items():
        if is_found:
            yield ProbeWarning(code, stream.index)


def _started_at(tags: Mapping[str, str]) -> tuple[dt.datetime | None, list[str]]:
    """Read the stated creation time; a form without a zone is not guessed at."""
    if "creation_time" not in tags:
        return None, []
    at = _instant(tags["creation_time"])
    if at is None:
        return None, ["unreadable_start_time"]
    # MP4 keeps whole seconds of it. Some cameras write the rest into a tag, which counts where it says the same.
    exact = _instant(tags.get("date", ""))
    is_same = exact is not None and exact.replace(microsecond=0) == at
    return exact if is_same else at, []


def _instant(text: str) -> dt.datetime | None:
    """Read a time with its zone; None is anything else."""
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    if at.tzinfo is None or not 1904 <= at.year < 9999:
        return None
    return at.astimezone(dt.UTC)


def _tags(merged: Mapping[str, str]) -> tuple[Tag, ...]:
    wanted = (n for n in sorted(merged) if n in _TAG_NAMES or n.startswith(_TAG_PREFIX))
    return tuple(Tag(name, merged[name]) for name in itertools.islice(wanted, MAX_TAGS) if merged[name])


__all__: Sequence[str] = ("CHUNK_BYTES", "probe")

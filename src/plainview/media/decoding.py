"""Decode the chosen picture and sound once, and hand every frame to whoever asked for it."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING, Any, Final, Protocol

from av.stream import Discard

from plainview.media.errors import UnderivableMediaError
from plainview.media.hostile_file import DECODERS, LIBRARY_ERRORS, HostileFile, open_hostile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import BinaryIO

    from av import AudioFrame, VideoFrame
    from av.container import InputContainer

    from plainview.media.facts import Kind, Probe, Stream

# No shift lasts longer, and the sizes of everything that is made follow from the length.
LONGEST_MS: Final = 48 * 3600 * 1000
# A last picture or sound may begin a little after probe's end; anything later has a damaged time.
PAST_END_US: Final = 1_000_000
_UNTIMED_STEP_US: Final = 40_000


class Observer(Protocol):
    """Sees what is decoded, in the order of decoding.

    A frame belongs to the observer only until it returns, and its timestamps and type must not be
    relied upon: at_us is its presentation in microseconds from the recording's first presented picture
    or sound. Times may repeat or go backwards where the recording's do; they are never before 0 for a
    picture, and never more than a second after the end that probe found.
    """

    def picture(self, frame: VideoFrame, at_us: int) -> None: ...  # noqa: D102

    def sound(self, frame: AudioFrame, at_us: int) -> None: ...  # noqa: D102


@dataclasses.dataclass
class Damage:
    """What could not be handed on.

    Attributes:
        undecodable_count: packets that gave an error.
        corrupt_count: packets that the container or frames that the decoder found faults in; they are used.
        astray_count: frames with a time outside the recording.
        stopped_early: the file could not be read to its end.
    """

    undecodable_count: int = 0
    corrupt_count: int = 0
    astray_count: int = 0
    stopped_early: bool = False


def first_decodable(probed: Probe, kind: Kind) -> Stream | None:
    """Give the first stream of a kind of which probe could decode something."""
    return next((s for s in probed.streams if s.kind == kind and s.is_decoded), None)


def left_out(probed: Probe, *chosen: Stream | None) -> tuple[int, ...]:
    """Give the indices of the other picture and sound streams."""
    kept = [s.index for s in chosen if s is not None]
    return tuple(s.index for s in probed.streams if s.kind in ("video", "audio") and s.index not in kept)


def check_length(probed: Probe) -> None:
    """Refuse a recording that claims to be longer than anything that is recorded in one piece.

    Raises:
        UnderivableMediaError: too_long.
    """
    if probed.duration_ms > LONGEST_MS:
        hours = probed.duration_ms // 3_600_000
        raise UnderivableMediaError(
            "too_long", f"Expected at most {LONGEST_MS // 3_600_000} hours, got {hours}."
        )


@contextlib.contextmanager
def open_probed(source: BinaryIO, probed: Probe) -> Iterator[InputContainer]:
    """Open a recording that was probed; what reading it raises is raised again, unchanged.

    Raises:
        UnderivableMediaError: another_file, where the streams are not those that were probed.
        UnusableMediaError: absurd_header or unreadable.
    """
    check_length(probed)
    reader = HostileFile(source)
    try:
        with open_hostile(reader, probed.container) as opened:
            names = [None if s.codec_context is None else s.codec_context.name for s in opened.streams]
            if names[: len(probed.streams)] != [s.codec for s in probed.streams]:
                raise UnderivableMediaError("another_file")
            yield opened
    finally:
        if reader.failure is not None:
            raise reader.failure


def choose(opened: InputContainer, *chosen: Stream | None, threads: int = 1) -> list[Any]:
    """Have only these streams read, and give them as the library's own.

    Args:
        opened: nothing of it was decoded yet.
        chosen: from the probe; None for a kind that is not wanted.
        threads: for decoding, each.
    """
    indices = [s.index for s in chosen if s is not None]
    for stream in opened.streams:
        stream.discard = Discard.default if stream.index in indices else Discard.all
    streams: list[Any] = [opened.streams[i] for i in indices]
    for stream in streams:
        if stream.codec_context.name not in DECODERS:
            raise UnderivableMediaError("another_file")
        if threads > 1 and stream.type == "video":
            stream.codec_context.thread_count, stream.codec_context.thread_type = threads, "AUTO"
    return streams


def decode_streams(
    opened: InputContainer,
    probed: Probe,
    streams: Sequence[Any],
    observers: Sequence[Observer],
    *,
    on_progress: Callable[[float], None] | None = None,
) -> Damage:
    """Decode from the present position to the end; damage is counted and passed over.

    Args:
        opened: the recording.
        probed: what probe said of it.
        streams: as choose() gave them, at most one of each kind.
        observers: each gets every frame.
        on_progress: called with the share that is done, rising, some hundred times.
    """
    run = _Run(probed, observers, on_progress or (lambda _: None))
    for packet in _packets(opened, streams, run.damage):
        run.damage.corrupt_count += packet.is_corrupt
        try:
            frames = packet.decode()
        except LIBRARY_ERRORS:
            run.damage.undecodable_count += 1
            continue
        for frame in frames:
            run.hand_on(frame, packet.stream)
    return run.damage


def _packets(opened: InputContainer, streams: Sequence[Any], damage: Damage) -> Iterator[Any]:
    packets = opened.demux(*streams)
    while True:
        try:
            packet = next(packets, None)
        except LIBRARY_ERRORS:
            damage.stopped_early = True
            return
        if packet is None:
            return
        yield packet


class _Run:
    """One decoding: frames in, observers called."""

    def __init__(
        self, probed: Probe, observers: Sequence[Observer], on_progress: Callable[[float], None]
    ) -> None:
        self.damage = Damage()
        self._origin_us = probed.origin_us
        self._length_us = max(1, probed.duration_ms * 1000)
        self._observers = observers
        self._on_progress = on_progress
        self._percent = 0
        self._last_us: dict[int, int] = {}

    def hand_on(self, frame: Any, stream: Any) -> None:
        """Find the frame's time, and give it to every observer if it has a sensible one."""
        at_us = self._time_us(frame, stream)
        is_picture = stream.type == "video"
        if at_us > self._length_us + PAST_END_US or (is_picture and at_us < 0):
            self.damage.astray_count += 1
            return
        self._last_us[stream.index] = at_us
        self.damage.corrupt_count += frame.is_corrupt
        for observer in self._observers:
            (observer.picture if is_picture else observer.sound)(frame, at_us)
        self._tell(at_us)

    def _time_us(self, frame: Any, stream: Any) -> int:
        ticks = frame.dts if frame.pts is None else frame.pts
        if ticks is None:
            return self._last_us.get(stream.index, -_UNTIMED_STEP_US) + _UNTIMED_STEP_US
        base = stream.time_base
        return int(ticks * base.numerator * 1_000_000 // base.denominator - self._origin_us)

    def _tell(self, at_us: int) -> None:
        percent = min(99, at_us * 100 // self._length_us)
        if percent > self._percent:
            self._percent = percent
            self._on_progress(percent / 100)

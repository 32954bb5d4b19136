"""Find where somebody may be speaking, so that an engine hears that and nothing else.

It errs towards hearing too much: what is passed over here, no search finds.
"""

from __future__ import annotations

import dataclasses
import struct
from collections import deque
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import pocketsphinx

from plainview.formats.errors import FormatError
from plainview.formats.fields import check_count, check_record
from plainview.media.decoding import (
    LONGEST_MS,
    PAST_END_US,
    choose,
    decode_streams,
    first_decodable,
    left_out,
    open_probed,
)
from plainview.media.errors import MalformedSpeechError
from plainview.media.facts import MAX_STREAMS
from plainview.media.probe import probe
from plainview.media.sound import Continuous

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import BinaryIO

    from av import AudioFrame, VideoFrame
    from numpy.typing import NDArray

    from plainview.media.facts import Probe

RATE_HZ: Final = 16_000
_FRAME_MS: Final = 30
_FRAME: Final = RATE_HZ * _FRAME_MS // 1000
_BLOCK: Final = 100 * _FRAME
# Levels are compared within a block; one that is shorter says too little.
_LEAST_BLOCK: Final = 33 * _FRAME

# Of the detector's four modes the second loosest: it keeps speech across a room, which stricter ones lose.
_VAD_MODE: Final = 1
_SILENT_RMS: Final = 6.0  # -75 dB of full scale
# Syllables come and go by 10 dB and more. What is this even for 3 s is a hum, a tone or a steady noise.
_STEADY_DB: Final = 2.0
_ONSET_FRAMES: Final = 10
_ONSET_VOICED: Final = 5
_PAUSE_FRAMES: Final = 20
_PAD_FRAMES: Final = 10
_LONG_FRAMES: Final = 800  # from here on the next unvoiced moment ends a span
_LONGEST_FRAMES: Final = 933  # 27.99 s: engines take half a minute at a time
# A few lost packets are no reason to end a sentence.
_BRIDGED: Final = RATE_HZ

LONGEST_SAMPLES: Final = _LONGEST_FRAMES * _FRAME

# What a transcript says about how its speech was found.
SETTINGS: Final[Mapping[str, str | int | float]] = {
    "speech_detector": "webrtc",
    "speech_detector_mode": _VAD_MODE,
    "speech_steady_db": _STEADY_DB,
    "speech_silent_rms": _SILENT_RMS,
    "speech_onset_ms": _ONSET_VOICED * _FRAME_MS,
    "speech_pause_ms": _PAUSE_FRAMES * _FRAME_MS,
    "speech_pad_ms": _PAD_FRAMES * _FRAME_MS,
    "speech_longest_ms": _LONGEST_FRAMES * _FRAME_MS,
}


@dataclasses.dataclass(frozen=True, eq=False)
class Speech:
    """A stretch in which somebody may be speaking.

    Attributes:
        start: number of its first sample, at RATE_HZ from the recording's first picture or sound.
        samples: int16 [n], one channel at RATE_HZ; at most LONGEST_SAMPLES.
    """

    start: int
    samples: NDArray[np.int16]


@dataclasses.dataclass(frozen=True)
class SpeechReport:
    """What looking for speech found out about the sound as a whole.

    Attributes:
        has_sound: a sound stream could be decoded.
        left_out: indices of the other sound streams.
        damaged_count: packets and frames that gave errors.
        is_cut_short: the file could not be read to its end.
    """

    has_sound: bool
    left_out: tuple[int, ...]
    damaged_count: int
    is_cut_short: bool


_NO_SOUND: Final = SpeechReport(has_sound=False, left_out=(), damaged_count=0, is_cut_short=False)


def find_speech(
    source: BinaryIO,
    *,
    on_speech: Callable[[Speech], None],
    on_progress: Callable[[float], None] | None = None,
    probed: Probe | None = None,
) -> SpeechReport:
    """Decode the first sound stream and hand on every stretch that may be speech.

    Memory does not grow with the recording's length.

    Args:
        source: seekable, readable, of any content.
        on_speech: called with each stretch, in order; they do not overlap.
        on_progress: called with the share that is done, rising to 1.
        probed: what probe says of source; probed anew where not given.

    Raises:
        UnusableMediaError: nothing in it can be played.
        UnderivableMediaError: too_long or another_file.
        Exception: whatever reading source or on_speech raises, unchanged.
    """
    probed = probe(source) if probed is None else probed
    sound = first_decodable(probed, "audio")
    if sound is None:
        return _done(on_progress, _NO_SOUND)
    picture_streams = {stream.index for stream in probed.streams if stream.kind == "video"}
    others = tuple(i for i in left_out(probed, sound) if i not in picture_streams)
    finder = SpeechFinder(on_speech)
    ear = _Ear(finder)
    with open_probed(source, probed) as opened:
        streams = choose(opened, sound)
        damage = decode_streams(opened, probed, streams, [ear], on_progress=on_progress)
    ear.close()
    return _done(
        on_progress,
        SpeechReport(
            has_sound=True,
            left_out=others,
            damaged_count=damage.undecodable_count + damage.corrupt_count + damage.astray_count,
            is_cut_short=damage.stopped_early or any(w.code == "ends_early" for w in probed.warnings),
        ),
    )


def _done(on_progress: Callable[[float], None] | None, report: SpeechReport) -> SpeechReport:
    if on_progress is not None:
        on_progress(1.0)
    return report


class _Ear:
    """Brings whatever is decoded to one channel of 16-bit samples at RATE_HZ."""

    def __init__(self, finder: SpeechFinder) -> None:
        self._finder = finder
        self._sound = Continuous(rate_hz=RATE_HZ, layout="mono", form="s16", fills_gaps=False)

    def picture(self, frame: VideoFrame, at_us: int) -> None:
        """Nothing is heard of pictures."""

    def sound(self, frame: AudioFrame, at_us: int) -> None:
        """Take decoded sound, of any format, rate and layout."""
        self._hand_on(self._sound.put(frame, at_us))

    def close(self) -> None:
        """Give what is held back."""
        self._hand_on(self._sound.close())
        self._finder.close()

    def _hand_on(self, frames: Iterator[AudioFrame]) -> None:
        for frame in frames:
            assert frame.pts is not None
            # Not to_ndarray: for frames this short it costs more than looking for speech in them.
            plane = np.frombuffer(cast("Any", frame.planes[0]), np.int16, frame.samples)
            self._finder.put(plane.copy(), frame.pts)


class SpeechFinder:
    """Takes sound as it comes and gives the stretches that may be speech.

    Args:
        on_speech: called with each, in order.
    """

    def __init__(self, on_speech: Callable[[Speech], None]) -> None:
        self._on_speech = on_speech
        self._vad = pocketsphinx.Vad(_VAD_MODE, RATE_HZ, _FRAME_MS / 1000)
        self._waiting: list[NDArray[np.int16]] = []
        self._waiting_count = 0
        self._next = 0
        self._spans = _Spans(0)

    def put(self, samples: NDArray[np.int16], at: int) -> None:
        """Take sound; what lies between it and the last, if anything, is silence.

        Args:
            samples: int16 [n], one channel at RATE_HZ.
            at: number of the first; before the end of the last call's it is taken as following on.
        """
        missing = at - self._next
        if missing > _BRIDGED:
            self.close()
            self._next, self._spans = at, _Spans(at)
        elif missing > 0:
            self._wait(np.zeros(missing, np.int16))
        self._wait(samples)
        if self._waiting_count >= _BLOCK:
            self._look()

    def close(self) -> None:
        """Give what is held back."""
        self._look(is_end=True)
        self._give(self._spans.close())

    def _wait(self, samples: NDArray[np.int16]) -> None:
        self._waiting.append(samples)
        self._waiting_count += len(samples)
        self._next += len(samples)

    def _look(self, *, is_end: bool = False) -> None:
        """Go through all whole blocks that wait; at the end through the rest too."""
        if not self._waiting_count:
            return
        sound = np.concatenate(self._waiting)
        whole = len(sound) if is_end else len(sound) // _BLOCK * _BLOCK
        for at in range(0, whole, _BLOCK):
            block = sound[at : min(at + _BLOCK, whole)]
            self._give(self._spans.put(block, self._voiced(block)))
        self._waiting, self._waiting_count = [sound[whole:]], len(sound) - whole

    def _give(self, found: list[Speech]) -> None:
        for speech in found:
            self._on_speech(speech)

    def _voiced(self, block: NDArray[np.int16]) -> list[bool]:
        """Say of each frame, the last one filled up with silence, whether it may be a voice."""
        frames = np.pad(block, (0, -len(block) % _FRAME)).reshape(-1, _FRAME)
        levels = _levels(frames)
        if not _may_speak(levels, is_short=len(block) < _LEAST_BLOCK):
            return [False] * len(frames)
        is_speech = self._vad.is_speech
        pairs = zip(frames, levels >= _SILENT_RMS**2, strict=True)
        return [bool(is_loud) and is_speech(frame.tobytes()) for frame, is_loud in pairs]


def _levels(frames: NDArray[np.int16]) -> NDArray[np.float32]:
    """Give the mean square of each frame."""
    exact = frames.astype(np.float32)
    return np.asarray(np.einsum("ij,ij->i", exact, exact) / _FRAME, dtype=np.float32)


def _may_speak(levels: NDArray[np.float32], *, is_short: bool) -> bool:
    """Say whether the level comes and goes as speech does; costs little where it does not."""
    ranked = np.sort(levels)
    low, high = ranked[len(ranked) // 20], ranked[-1 - len(ranked) // 20]
    if high < _SILENT_RMS**2:
        return False
    return is_short or bool(high > low * 10 ** (_STEADY_DB / 10))


class _Spans:
    """Turns frames that may be voice into stretches worth hearing, with room around them.

    Args:
        origin: number of the first sample.
    """

    def __init__(self, origin: int) -> None:
        self._held = np.zeros(0, np.int16)
        self._held_at = origin  # number of the first sample held
        self._frame = 0  # frames seen, counted from origin
        self._origin = origin
        self._recent: deque[bool] = deque(maxlen=_ONSET_FRAMES)
        self._start: int | None = None  # first frame of the present stretch
        self._last = -1  # last voiced frame
        self._free = 0  # first frame that no stretch has yet

    def put(self, block: NDArray[np.int16], voiced: list[bool]) -> list[Speech]:
        self._held = np.concatenate((self._held, block))
        found = []
        for is_voiced in voiced:
            speech = self._step(is_voiced=is_voiced)
            if speech is not None:
                found.append(speech)
        keep = self._frame - _ONSET_FRAMES - _PAD_FRAMES if self._start is None else self._start
        drop = min(max(0, self._origin + keep * _FRAME - self._held_at), len(self._held))
        self._held, self._held_at = self._held[drop:], self._held_at + drop
        return found

    def close(self) -> list[Speech]:
        speech = self._end(self._last + 1 + _PAD_FRAMES)
        return [] if speech is None else [speech]

    def _step(self, *, is_voiced: bool) -> Speech | None:
        now, self._frame = self._frame, self._frame + 1
        self._recent.append(is_voiced)
        if is_voiced:
            self._last = now
        if self._start is None:
            if is_voiced and self._recent.count(True) >= _ONSET_VOICED:
                first = now + 1 - len(self._recent) + self._recent.index(True)
                self._start = max(self._free, first - _PAD_FRAMES)
            return None
        if now - self._last >= _PAUSE_FRAMES:
            return self._end(self._last + 1 + _PAD_FRAMES)
        length = now + 1 - self._start
        if length < _LONGEST_FRAMES and (length < _LONG_FRAMES or is_voiced):
            return None
        cut = self._end(now + 1)
        self._start = now + 1
        return cut

    def _end(self, frame: int) -> Speech | None:
        """Give the present stretch up to a frame, unless nothing in it is voiced."""
        start, self._start = self._start, None
        self._recent.clear()
        if start is None or self._last < start:
            return None
        self._free = min(frame, self._frame)
        at = self._origin + start * _FRAME
        samples = self._held[at - self._held_at :][: (frame - start) * _FRAME]
        return Speech(start=at, samples=samples[:LONGEST_SAMPLES].copy())


# --- across a process border: the decoder jail gives speech, an engine outside hears it.

_HEAD: Final = struct.Struct(">QI")
_LAST_START: Final = (LONGEST_MS + PAST_END_US // 1000) * RATE_HZ // 1000


def pack_speech(speech: Speech) -> bytes:
    """Give a stretch's bytes: where it starts, how many samples, and those as signed 16-bit little-endian."""
    return _HEAD.pack(speech.start, len(speech.samples)) + speech.samples.astype("<i2").tobytes()


def unpack_speech(data: Iterable[bytes]) -> Iterator[Speech]:
    """Read what pack_speech gave, one after the other, as the bytes come in.

    Args:
        data: in pieces of any length.

    Raises:
        MalformedSpeechError: anything that find_speech would not have given.
    """
    held, free = bytearray(), 0
    for piece in data:
        held += piece
        while (size_bytes := _size_bytes(held, free)) is not None and len(held) >= size_bytes:
            (start, _) = _HEAD.unpack_from(held)
            samples = np.frombuffer(bytes(held[_HEAD.size : size_bytes]), "<i2").astype(np.int16)
            del held[:size_bytes]
            free = start + len(samples)
            yield Speech(start=start, samples=samples)
    if held:
        raise MalformedSpeechError(f"it ends inside a stretch, after {len(held)} bytes of it")


def _size_bytes(held: bytearray, free: int) -> int | None:
    """Say how long the first stretch is once its head is there, having checked that."""
    if len(held) < _HEAD.size:
        return None
    start, count = _HEAD.unpack_from(held)
    if not free <= start <= _LAST_START:
        raise MalformedSpeechError(f"a start from {free} to {_LAST_START} was expected, not {start}")
    if not 0 < count <= LONGEST_SAMPLES:
        raise MalformedSpeechError(f"1 to {LONGEST_SAMPLES} samples were expected, not {count}")
    return int(_HEAD.size + 2 * count)


def speech_report_to_json(report: SpeechReport) -> dict[str, Any]:
    """Give the JSON form."""
    return {**dataclasses.asdict(report), "left_out": list(report.left_out)}


def speech_report_from_json(value: object) -> SpeechReport:
    """Read the JSON form back.

    Raises:
        MalformedSpeechError: anything that speech_report_to_json would not have written.
    """
    try:
        return _report(value)
    except FormatError as error:
        raise MalformedSpeechError(str(error)) from error


def _report(value: object) -> SpeechReport:
    what = "speech report"
    names = frozenset(field.name for field in dataclasses.fields(SpeechReport))
    fields = check_record(value, what=what, keys=names)
    for name in ("has_sound", "is_cut_short"):
        if type(fields[name]) is not bool:
            raise FormatError(what, f"{name}: expected true or false")
    streams = fields["left_out"]
    if not isinstance(streams, list) or len(streams) > MAX_STREAMS:
        raise FormatError(what, f"left_out: expected a list of at most {MAX_STREAMS}")
    return SpeechReport(
        has_sound=fields["has_sound"],
        left_out=tuple(check_count(i, what=what, field="left_out") for i in streams),
        damaged_count=check_count(fields["damaged_count"], what=what, field="damaged_count"),
        is_cut_short=fields["is_cut_short"],
    )

"""Turn a recording's speech into cues: only what may be speech reaches an engine, and every word gets its time."""

from __future__ import annotations

import bisect
import itertools
from typing import TYPE_CHECKING, Final

import numpy as np

from plainview.media.speech import LONGEST_SAMPLES, RATE_HZ, SETTINGS, find_speech
from plainview.media.transcript import (
    MAX_TEXT_CHARS,
    WARNINGS,
    Cue,
    TranscriptFound,
    Word,
    plain_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import BinaryIO

    from plainview.media.facts import Probe
    from plainview.media.listening import Engine, HeardWord
    from plainview.media.speech import Speech, SpeechReport

# A search lands on a cue's start: it should be near the words, and short enough to read at a glance.
_PAUSE_MS: Final = 700
_LONGEST_CUE_MS: Final = 10_000


def transcribe(
    source: BinaryIO,
    *,
    engine: Engine,
    on_progress: Callable[[float], None] | None = None,
    probed: Probe | None = None,
) -> TranscriptFound:
    """Write down what is said in a recording's first sound stream.

    Decoding and hearing happen in this process. Where the bytes are hostile, call find_speech in the decoder
    jail and give what it finds to a Transcription outside.

    Args:
        source: seekable, readable, of any content.
        engine: as find_engine gave it; can be used for one recording after another.
        on_progress: called with the share that is done, rising to 1.
        probed: what probe says of source; probed anew where not given.

    Returns:
        The transcript; without cues, and with the reason, where there is no sound or no speech.

    Raises:
        UnusableMediaError: nothing in it can be played.
        UnderivableMediaError: too_long or another_file.
        Exception: whatever reading source or the engine raises, unchanged.
    """
    transcription = Transcription(engine)
    report = find_speech(source, on_speech=transcription.put, on_progress=on_progress, probed=probed)
    return transcription.found(report)


class Transcription:
    """Takes stretches of speech in order, has an engine hear them, and makes cues of its words.

    Args:
        engine: what hears.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._listener = engine.begin()
        self._waiting: list[Speech] = []
        self._speech_samples = 0
        self._cues: list[Cue] = []

    def put(self, speech: Speech) -> None:
        """Take the next stretch; what the engine makes of it is kept."""
        if sum(len(each.samples) for each in self._waiting) + len(speech.samples) > self._batch_samples():
            self._hear()
        self._waiting.append(speech)
        self._speech_samples += len(speech.samples)

    def found(self, report: SpeechReport) -> TranscriptFound:
        """Hear what is left and give the whole transcript.

        Args:
            report: what finding the speech said in the end.
        """
        self._hear()
        engine = self._engine
        return TranscriptFound(
            engine=engine.name,
            model=engine.model,
            version=engine.version,
            settings={**SETTINGS, **engine.settings},
            language=self._listener.language,
            notice=engine.notice,
            reason=None if self._cues else self._reason(report),
            warnings=_warnings(report),
            left_out=report.left_out,
            speech_ms=self._speech_samples * 1000 // RATE_HZ,
            cues=tuple(self._cues),
        )

    def _batch_samples(self) -> int:
        return max(self._engine.batch_samples, LONGEST_SAMPLES) if self._engine.batch_samples else 0

    def _hear(self) -> None:
        if not self._waiting:
            return
        pieces, self._waiting = self._waiting, []
        phrases = self._listener.hear(np.concatenate([piece.samples for piece in pieces]))
        self._cues += cues_of(phrases, pieces, not_before_ms=self._cues[-1].end_ms if self._cues else 0)

    def _reason(self, report: SpeechReport) -> str:
        if not report.has_sound:
            return "no_sound"
        return "no_words" if self._speech_samples else "no_speech"


def cues_of(
    phrases: Sequence[Sequence[HeardWord]], pieces: Sequence[Speech], *, not_before_ms: int
) -> list[Cue]:
    """Give the words their times in the recording, and cut them into cues.

    Args:
        phrases: with times from the start of all pieces laid end to end.
        pieces: where that sound was in the recording.
        not_before_ms: end of the last cue there is already.
    """
    clock = _Clock(pieces)
    cues: list[Cue] = []
    for phrase in phrases:
        placed = []
        for heard in phrase:
            piece, word = clock.place(heard, not_before_ms)
            if word.text:
                not_before_ms = word.end_ms
                placed.append((piece, heard.text, word))
        cues += [_cue(group) for group in _cut(placed)]
    return cues


class _Clock:
    """Knows when, in the recording, a moment of the joined pieces was."""

    def __init__(self, pieces: Sequence[Speech]) -> None:
        self._pieces = pieces
        self._starts = [0, *itertools.accumulate(len(piece.samples) for piece in pieces[:-1])]

    def place(self, heard: HeardWord, not_before_ms: int) -> tuple[int, Word]:
        """Give the piece a word is in, by its middle, and the word kept inside it and behind the last."""
        middle = (heard.start_s + heard.end_s) / 2 * RATE_HZ
        i = max(0, bisect.bisect_right(self._starts, middle) - 1)
        piece = self._pieces[i]
        last = len(piece.samples)
        at = [min(max(0.0, s * RATE_HZ - self._starts[i]), last) for s in (heard.start_s, heard.end_s)]
        start_ms, end_ms = (round((piece.start + each) * 1000 / RATE_HZ) for each in at)
        start_ms = max(start_ms, not_before_ms)
        text = plain_text(heard.text)[:MAX_TEXT_CHARS].strip()
        return i, Word(start_ms, max(start_ms, end_ms), text, _rounded(heard.confidence))


def _rounded(confidence: float | None) -> float | None:
    return None if confidence is None else round(min(1.0, max(0.0, confidence)), 3)


_Placed = tuple[int, str, Word]


def _cut(placed: Sequence[_Placed]) -> Iterator[list[_Placed]]:
    """Begin a new cue where another stretch of speech begins, after a pause, and before one grows too long."""
    group: list[_Placed] = []
    for item in placed:
        if group:
            (piece, _, word), (_, _, first), (last_piece, _, last) = item, group[0], group[-1]
            if (
                piece != last_piece
                or word.start_ms - last.end_ms >= _PAUSE_MS
                or word.end_ms - first.start_ms > _LONGEST_CUE_MS
            ):
                yield group
                group = []
        group.append(item)
    if group:
        yield group


def _cue(group: Sequence[_Placed]) -> Cue:
    words = tuple(word for _, _, word in group)
    text = plain_text("".join(raw for _, raw, _ in group))[:MAX_TEXT_CHARS].strip()
    return Cue(words[0].start_ms, words[-1].end_ms, text, words)


def _warnings(report: SpeechReport) -> tuple[str, ...]:
    is_so = {
        "other_sound": bool(report.left_out),
        "damaged_part": report.damaged_count > 0,
        "ends_early": report.is_cut_short,
    }
    return tuple(code for code in WARNINGS if is_so[code])

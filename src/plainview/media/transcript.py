"""A transcript as a machine made it, and its one JSON form.

The JSON crosses from the process that hears, so reading it back accepts only what would have been written.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from plainview.formats.errors import FormatError
from plainview.formats.fields import LINE, check_count, check_record, check_text
from plainview.media.errors import MalformedTranscriptError
from plainview.media.facts import MAX_STREAMS

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION: Final = 1
MAX_CUES: Final = 200_000
MAX_WORDS: Final = 2_000
MAX_TEXT_CHARS: Final = 20_000
MAX_SETTINGS: Final = 60
_LANGUAGE: Final = re.compile(r"[a-z]{0,8}\Z")

Setting = str | int | float | bool

# How far to trust a transcript. The sentence stands above it wherever it is shown.
NOTICES: Final[Mapping[str, str]] = {
    "machine": "Written by a machine and checked by nobody. Listen before you rely on a word.",
    "hint": "A search hint, mostly wrong: a simple engine guessed these words. Listen before you rely on one.",
    "sample": "Sample transcript, typed from the demonstration's script.",
}
# Why a transcript has no cues.
REASONS: Final[Mapping[str, str]] = {
    "no_sound": "The recording has no sound that can be decoded.",
    "no_speech": "No speech was found in the recording.",
    "no_words": "Something like speech was found, and the engine made no words of it.",
}
# What else a person should know, in this order.
WARNINGS: Final[Mapping[str, str]] = {
    "other_sound": "The recording has more than one sound track; only the first was transcribed.",
    "damaged_part": "Some of the sound could not be decoded or shows faults; words may be missing there.",
    "ends_early": "The recording could not be read to its end; the transcript ends there.",
}


@dataclasses.dataclass(frozen=True)
class Word:
    """One word, in ms from the recording's first presented picture or sound.

    Attributes:
        confidence: 0 to 1 as the engine sees it, to three places; None where it says nothing.
    """

    start_ms: int
    end_ms: int
    text: str
    confidence: float | None


@dataclasses.dataclass(frozen=True)
class Cue:
    """A piece of transcript; its words lie inside it, in order, and do not overlap."""

    start_ms: int
    end_ms: int
    text: str
    words: tuple[Word, ...]


@dataclasses.dataclass(frozen=True)
class TranscriptFound:
    """Everything an engine made of a recording's speech.

    Attributes:
        engine: which program.
        model: which model, as it was installed.
        version: of the program.
        settings: what it was told, and how the speech was found.
        language: ISO 639 code, or "" where the engine did not say.
        notice: a key of NOTICES.
        reason: None, or where there are no cues a key of REASONS.
        warnings: keys of WARNINGS, in its order.
        left_out: indices of sound streams that were not transcribed.
        speech_ms: how much was given to the engine.
        cues: in order; one may begin before the last one ends only where samples are typed so.
    """

    engine: str
    model: str
    version: str
    settings: Mapping[str, Setting]
    language: str
    notice: str
    reason: str | None
    warnings: tuple[str, ...]
    left_out: tuple[int, ...]
    speech_ms: int
    cues: tuple[Cue, ...]


def plain_text(text: str) -> str:
    """Return text on one line, without what could steer a terminal or turn the reading order."""
    spaced = " ".join(text.split())
    return "".join(c for c in spaced if c == " " or unicodedata.category(c)[0] not in "CZ")


def transcript_to_json(found: TranscriptFound) -> dict[str, Any]:
    """Give the JSON form."""
    plain = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
    lists = {name: list(plain[name]) for name in ("warnings", "left_out")}
    return {
        "v": VERSION,
        **plain,
        **lists,
        "settings": dict(found.settings),
        "cues": [cue_to_json(cue) for cue in found.cues],
    }


def cue_to_json(cue: Cue) -> dict[str, Any]:
    """Give a cue's JSON form; its words are lists of start_ms, end_ms, text and confidence."""
    return {
        "start_ms": cue.start_ms,
        "end_ms": cue.end_ms,
        "text": cue.text,
        "words": [[word.start_ms, word.end_ms, word.text, word.confidence] for word in cue.words],
    }


def transcript_from_json(value: object) -> TranscriptFound:
    """Read the JSON form back.

    Args:
        value: what json.loads gave.

    Raises:
        MalformedTranscriptError: anything that transcript_to_json would not have written.
    """
    try:
        return _transcript(value)
    except FormatError as error:
        raise MalformedTranscriptError(str(error)) from error


def _transcript(value: object) -> TranscriptFound:
    what = "transcript"
    names = frozenset(field.name for field in dataclasses.fields(TranscriptFound))
    fields = check_record(value, what=what, keys=names | {"v"})
    cues = cues_from_json(fields["cues"])
    reason = fields["reason"]
    if (reason is None) != bool(cues) or not (reason is None or _is_key(reason, REASONS)):
        raise FormatError(what, f"reason: expected one of {', '.join(REASONS)} where there are no cues")
    if not _is_key(fields["notice"], NOTICES):
        raise FormatError(what, f"notice: expected one of {', '.join(NOTICES)}")
    return TranscriptFound(
        **{name: _line(fields[name], name, most=limit) for name, limit in _NAMES.items()},
        settings=_settings(fields["settings"]),
        language=check_text(fields["language"], what=what, field="language", pattern=_LANGUAGE),
        notice=fields["notice"],
        reason=reason,
        warnings=_warnings(fields["warnings"]),
        left_out=_left_out(fields["left_out"]),
        speech_ms=check_count(fields["speech_ms"], what=what, field="speech_ms"),
        cues=cues,
    )


# What the columns of a transcript hold.
_NAMES: Final = {"engine": 32, "model": 128, "version": 64}


def cues_from_json(value: object) -> tuple[Cue, ...]:
    """Read a list of cues back.

    Raises:
        FormatError: anything that cue_to_json would not have written, or cues out of order.
    """
    if not isinstance(value, list) or len(value) > MAX_CUES:
        raise FormatError("cues", f"expected a list of at most {MAX_CUES}")
    cues = tuple(_cue(item, f"cues.{i}") for i, item in enumerate(value))
    for i, (before, after) in enumerate(itertools.pairwise(cues)):
        if after.start_ms < before.start_ms:
            raise FormatError(f"cues.{i + 1}", f"starts at {after.start_ms} ms, before the one before it")
    return cues


def _cue(value: object, what: str) -> Cue:
    fields = check_record(value, what=what, keys=frozenset(("start_ms", "end_ms", "text", "words")))
    if not isinstance(fields["words"], list) or len(fields["words"]) > MAX_WORDS:
        raise FormatError(what, f"words: expected a list of at most {MAX_WORDS}")
    start_ms, end_ms = _span(fields["start_ms"], fields["end_ms"], what)
    words = tuple(_word(item, f"{what}.words.{i}") for i, item in enumerate(fields["words"]))
    free_ms = start_ms
    for i, word in enumerate(words):
        if not free_ms <= word.start_ms <= word.end_ms <= end_ms:
            raise FormatError(f"{what}.words.{i}", "expected words in order, inside their cue")
        free_ms = word.end_ms
    return Cue(start_ms, end_ms, _spoken(fields["text"], what), words)


def _word(value: object, what: str) -> Word:
    if not isinstance(value, list) or len(value) != 4:
        raise FormatError(what, "expected start_ms, end_ms, text and confidence")
    start_ms, end_ms = _span(value[0], value[1], what)
    return Word(start_ms, end_ms, _spoken(value[2], what), _confidence(value[3], what))


def _span(start_ms: object, end_ms: object, what: str) -> tuple[int, int]:
    start = check_count(start_ms, what=what, field="start_ms")
    end = check_count(end_ms, what=what, field="end_ms", at_least=start)
    if end >= 2**53:
        raise FormatError(what, "end_ms: expected a whole number below 2**53")
    return start, end


def _spoken(value: object, what: str) -> str:
    text = check_text(value, what=what, field="text")
    if not text or len(text) > MAX_TEXT_CHARS or text != plain_text(text):
        raise FormatError(
            what, f"text: expected one line of at most {MAX_TEXT_CHARS} characters, got {text[:80]!a}"
        )
    return text


def _confidence(value: object, what: str) -> float | None:
    if value is None:
        return None
    if type(value) not in (int, float) or not 0 <= value <= 1:  # type: ignore[operator]  # a number by now
        raise FormatError(what, f"confidence: expected 0 to 1 or null, got {value!r:.40}")
    return float(value)  # type: ignore[arg-type]  # a number by now


def _settings(value: object) -> dict[str, Setting]:
    what = "settings"
    if not isinstance(value, dict) or len(value) > MAX_SETTINGS:
        raise FormatError(what, f"expected an object of at most {MAX_SETTINGS}")
    for name, setting in value.items():
        _line(name, what, most=100)
        if isinstance(setting, str):
            _line(setting, what, most=500)
        elif not isinstance(setting, (int, float)) or not math.isfinite(setting):
            raise FormatError(what, f"{name}: expected text, a number, true or false")
    return value


def _warnings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or value != [code for code in WARNINGS if code in value]:
        raise FormatError("warnings", f"expected each once and in order, of {', '.join(WARNINGS)}")
    return tuple(value)


def _left_out(value: object) -> tuple[int, ...]:
    if not isinstance(value, list) or len(value) > MAX_STREAMS:
        raise FormatError("left_out", f"expected a list of at most {MAX_STREAMS}")
    return tuple(check_count(item, what="left_out", field="index") for item in value)


def _line(value: object, field: str, *, most: int) -> str:
    text = check_text(value, what="transcript", field=field, pattern=LINE)
    if len(text) > most:
        raise FormatError("transcript", f"{field}: expected at most {most} characters, got {len(text)}")
    return text


def _is_key(value: object, table: Mapping[str, str]) -> bool:
    return isinstance(value, str) and value in table

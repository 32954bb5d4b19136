"""Speak lines with espeak-ng, and say when each word begins.

espeak-ng (GPL-3) comes with the package `espeakng-loader`, which only a demonstration needs. Where it is not
installed, a voice-like tone with the same rhythm stands in, so that everything but the words still works.
"""

from __future__ import annotations

import _ctypes
import ctypes
import dataclasses
import functools
import importlib
import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from plainview.demo.sound import RATE_HZ

if TYPE_CHECKING:
    from numpy.typing import NDArray

_AUDIO_SYNCHRONOUS: Final = 2  # without a thread of its own
_DO_NOT_EXIT: Final = 0x8000
_UTF8: Final = 1
_BY_CHARACTER: Final = 1
_RATE, _PITCH = 1, 3
_EVENT_END, _EVENT_WORD = 0, 1


class SpeechError(Exception):
    """The speech library is there but refuses: what was asked, and the code it gave."""

    def __init__(self, asked: str, code: int) -> None:
        self.asked, self.code = asked, code
        super().__init__(f"espeak-ng could not {asked}: expected 0, got {code}; reinstall espeakng-loader")


@dataclasses.dataclass(frozen=True)
class Word:
    """One word, in seconds from the beginning of what is said."""

    text: str
    from_s: float
    to_s: float


@dataclasses.dataclass(frozen=True)
class Speech:
    """What was said.

    Attributes:
        samples: float32 [samples] at RATE_HZ; the loudest is 1.
        words: in order.
        synthetic: False where the tone stands in for a voice.
    """

    samples: NDArray[np.float32]
    words: tuple[Word, ...]
    synthetic: bool


@functools.lru_cache(maxsize=256)
def say(words: str, voice: str, pitch: int, speed: int) -> Speech:
    """Speak.

    Args:
        words: English.
        voice: name of an espeak-ng voice, such as "en-us+m3".
        pitch: 0 to 99.
        speed: words a minute.

    Returns:
        The speech; shared, and not to be changed.

    Raises:
        SpeechError: the library is installed and failed, or does not know the voice.
    """
    library = _library()
    if library is None:
        return _hummed(words, pitch, speed)
    heard, starts = _spoken(library, words, voice, pitch, speed)
    samples = _resampled(heard, library.rate_hz)
    return Speech(samples, _timed(words, starts, len(samples) / RATE_HZ), synthetic=True)


def has_voice() -> bool:
    """Say whether espeak-ng is installed."""
    return _library() is not None


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class _Library:
    """espeak-ng, loaded anew for each line: it keeps a state in itself that colours what it says next."""

    def __init__(self, loader: Any) -> None:
        self._file, self._data = loader.get_library_path(), str(loader.get_data_path()).encode()
        self.calls = ctypes.CDLL(self._file)
        self.rate_hz = 0

    def start_anew(self) -> None:
        if self.rate_hz:
            self.calls.espeak_Terminate()
            _ctypes.dlclose(self.calls._handle)  # noqa: SLF001 ctypes has no other way to unload
            self.calls = ctypes.CDLL(self._file)
        self.calls.espeak_SetSynthCallback.restype = None
        self.rate_hz = int(self.calls.espeak_Initialize(_AUDIO_SYNCHRONOUS, 0, self._data, _DO_NOT_EXIT))
        if self.rate_hz <= 0:
            raise SpeechError("start", self.rate_hz)
        self.calls.espeak_ng_SetRandSeed(ctypes.c_long(417))  # of its own noise,
        ctypes.CDLL(None).srand(417)  # and of the C library's, which it uses as well


@functools.lru_cache(maxsize=1)
def _library() -> _Library | None:
    try:
        loader = importlib.import_module("espeakng_loader")
    except ImportError:
        return None
    return _Library(loader)


def _spoken(
    library: _Library, words: str, voice: str, pitch: int, speed: int
) -> tuple[NDArray[np.int16], list[tuple[int, float]]]:
    """Give the samples, and where each word begins: its character, from 0, and seconds."""
    heard: list[NDArray[np.int16]] = []
    starts: list[tuple[int, float]] = []

    def take(wave: Any, count: int, events: Any) -> int:
        if wave and count > 0:
            heard.append(np.ctypeslib.as_array(wave, (count,)).copy())
        i = 0
        while events[i].type != _EVENT_END:
            if events[i].type == _EVENT_WORD:
                starts.append((events[i].text_position - 1, events[i].audio_position / 1000))
            i += 1
        return 0

    library.start_anew()
    calls, callback = library.calls, _Callback(take)
    calls.espeak_SetSynthCallback(callback)
    text = words.encode()
    for asked, code in (
        (f"use the voice {voice}", calls.espeak_SetVoiceByName(voice.encode())),
        ("set the pitch", calls.espeak_SetParameter(_PITCH, pitch, 0)),
        ("set the speed", calls.espeak_SetParameter(_RATE, speed, 0)),
        ("speak", calls.espeak_Synth(text, len(text) + 1, 0, _BY_CHARACTER, 0, _UTF8, None, None)),
        ("finish", calls.espeak_Synchronize()),
    ):
        if code != 0:
            raise SpeechError(asked, code)
    return np.concatenate(heard) if heard else np.zeros(1, dtype=np.int16), starts


def _timed(words: str, starts: list[tuple[int, float]], end_s: float) -> tuple[Word, ...]:
    """Give each written word the time of the event that lies in it; one without takes its neighbours'."""
    told = [(match.group(), match.start(), match.end()) for match in re.finditer(r"\S+", words)]
    at: list[float] = []
    for _, first, last in told:
        inside = [when for character, when in starts if first <= character < last]
        at.append(min(inside) if inside else (at[-1] if at else 0.0))
    ends = [*at[1:], end_s]
    return tuple(
        Word(text, round(a, 3), round(max(a, b), 3))
        for (text, _, _), a, b in zip(told, at, ends, strict=True)
    )


def _resampled(heard: NDArray[np.int16], rate_hz: int) -> NDArray[np.float32]:
    count = round(len(heard) * RATE_HZ / rate_hz)
    spectrum = np.fft.rfft(heard / 32768)
    wide = np.zeros(count // 2 + 1, dtype=complex)
    wide[: min(len(spectrum), len(wide))] = spectrum[: len(wide)]
    samples = np.fft.irfft(wide, count)
    return np.asarray(samples / max(1e-9, np.abs(samples).max()), dtype=np.float32)


def _hummed(words: str, pitch: int, speed: int) -> Speech:
    told, at_s, spans = words.split(), 0.05, []
    for text in told:
        long_s = (0.09 + 0.055 * len(text.strip(",.!?"))) * 165 / speed
        spans.append(Word(text, round(at_s, 3), round(at_s + long_s, 3)))
        at_s += long_s + (0.25 if text[-1] in ",.!?" else 0.05)
    samples = np.zeros(round((at_s + 0.1) * RATE_HZ))
    for i, word in enumerate(spans):
        first, last = round(word.from_s * RATE_HZ), round(word.to_s * RATE_HZ)
        t = np.arange(last - first) / RATE_HZ
        hz = (80 + 1.6 * pitch) * (1 + 0.06 * np.sin(2.1 * i) - 0.1 * t)
        phase = 2 * np.pi * np.cumsum(hz) / RATE_HZ
        voice = sum(np.sin(phase * k) / k**0.8 for k in range(1, 14))
        syllables = 0.6 + 0.4 * np.sin(2 * np.pi * 4.5 * t + i)
        edge = np.minimum(1, np.minimum(t, t[::-1]) / 0.02)
        samples[first:last] = voice * syllables * edge
    return Speech((samples / np.abs(samples).max()).astype(np.float32), tuple(spans), synthetic=False)

"""The better engine: faster-whisper with a model that somebody installed. It never asks a network for anything."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from plainview.media.listening import HeardWord

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from plainview.media.speech_models import ModelManifest
    from plainview.media.transcript import Setting

# Half a minute is one pass of the model, however little of it is filled.
_BATCH_SAMPLES: Final = 30 * 16_000
# More repetitive than language is: the sign of a model caught in a loop.
# Source: Radford et al., Robust Speech Recognition via Large-Scale Weak Supervision, section 4.5.
_LOOPING_RATIO: Final = 2.4
_LOOPING_CONFIDENCE: Final = 0.2

# Greedy and without chance, so that the same sound gives the same words. Nothing that the model doubts is
# dropped: the doubt goes into the confidence. Each window is heard by itself, because a mistake that is handed
# on as context repeats; and in its own language, because a model told "English" writes English over Spanish.
_OPTIONS: Final[Mapping[str, Any]] = {
    "beam_size": 1,
    "temperature": 0.0,
    "word_timestamps": True,
    "vad_filter": False,
    "condition_on_previous_text": False,
    "no_speech_threshold": None,
    "log_prob_threshold": None,
    "compression_ratio_threshold": None,
}


class WhisperEngine:
    """Faster-whisper, loaded; see Engine.

    Args:
        folder: of an installed model.
        manifest: what read_manifest said of it.
        threads: for hearing.
    """

    name = "faster-whisper"
    notice = "machine"
    batch_samples = _BATCH_SAMPLES

    def __init__(self, folder: Path, manifest: ModelManifest, *, threads: int) -> None:
        # An extra of its own, slow to load, and without types.
        from faster_whisper import WhisperModel  # type: ignore[import-untyped]  # noqa: PLC0415

        self.model = manifest.name
        self.version = importlib.metadata.version("faster-whisper")
        self._model = WhisperModel(
            str(folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
        )
        self.settings: Mapping[str, Setting] = {
            "model_sha256": manifest.sha256,
            "runtime": f"ctranslate2 {importlib.metadata.version('ctranslate2')}",
            "compute_type": "int8",
            "beam_size": 1,
            "temperature": 0.0,
            "language_of": "each window" if self._model.model.is_multilingual else "the model",
            "condition_on_previous_text": False,
            "confidence": "word probability times (1 - no speech probability); at most "
            f"{_LOOPING_CONFIDENCE} where text compresses over {_LOOPING_RATIO} times",
        }

    def begin(self) -> WhisperListener:
        """Begin a recording."""
        return WhisperListener(self._model)


class WhisperListener:
    """Faster-whisper hearing one recording; see Listener."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.language = ""

    def hear(self, samples: NDArray[np.int16]) -> Sequence[Sequence[HeardWord]]:
        """Give the segments of half a minute of speech. The language is the one of the first."""
        segments, info = self._model.transcribe(
            samples.astype(np.float32) / 32768,
            language=self.language or None,
            multilingual=self._model.model.is_multilingual,
            **_OPTIONS,
        )
        self.language = info.language
        return [phrase_of(segment) for segment in segments]


def phrase_of(segment: Any) -> list[HeardWord]:
    """Give the words of one of the library's segments; the signs of invented text lower their confidence."""
    if not segment.words:
        return [HeardWord(segment.start, segment.end, segment.text, None)]
    most = _LOOPING_CONFIDENCE if segment.compression_ratio > _LOOPING_RATIO else 1.0
    heard = 1.0 - segment.no_speech_prob
    return [
        HeardWord(
            start_s=float(word.start),
            end_s=float(word.end),
            text=word.word,
            confidence=min(most, float(word.probability) * heard),
        )
        for word in segment.words
    ]

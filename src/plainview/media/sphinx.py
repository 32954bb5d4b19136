"""The engine that is always there: pocketsphinx with the small English model it brings.

It gets most words wrong; what it writes is good for finding moments, and for nothing else.
"""

from __future__ import annotations

import importlib.metadata
import re
from typing import TYPE_CHECKING, Any, Final

import pocketsphinx

from plainview.media.listening import HeardWord

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from plainview.media.transcript import Setting

# Half of the default's work at about the default's error rate, which is high in either case.
_SETTINGS: Final[Mapping[str, Setting]] = {"maxhmmpf": 3000, "maxwpf": 10, "pl_window": 5}
_FRAMES_A_SECOND: Final = 100
# "leisure(2)" is the dictionary's second way to say it; "<sil>" and "[NOISE]" are no words.
_VARIANT: Final = re.compile(r"\(\d+\)\Z")
_NO_WORD: Final = ("<", "[", "+")


class SphinxEngine:
    """Pocketsphinx, loaded; see Engine."""

    name = "pocketsphinx"
    model = "en-us, as bundled"
    notice = "hint"
    batch_samples = 0

    def __init__(self) -> None:
        self.version = importlib.metadata.version("pocketsphinx")
        self.settings = _SETTINGS
        self._decoder = pocketsphinx.Decoder(loglevel="FATAL", **_SETTINGS)

    def begin(self) -> SphinxListener:
        """Begin a recording; the decoder forgets the last one's microphone."""
        self._decoder.reinit_feat()
        return SphinxListener(self._decoder)


class SphinxListener:
    """Pocketsphinx hearing one recording; see Listener."""

    language = "en"

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder

    def hear(self, samples: NDArray[np.int16]) -> Sequence[Sequence[HeardWord]]:
        """Give one phrase: it does not know sentences."""
        decoder = self._decoder
        decoder.start_utt()
        try:
            decoder.process_raw(samples.tobytes(), full_utt=True)
        finally:
            decoder.end_utt()
        if decoder.hyp() is None:
            return []
        return [[_heard(each) for each in decoder.seg() if not each.word.startswith(_NO_WORD)]]


def _heard(segment: Any) -> HeardWord:
    return HeardWord(
        start_s=segment.start_frame / _FRAMES_A_SECOND,
        end_s=(segment.end_frame + 1) / _FRAMES_A_SECOND,
        text=" " + _VARIANT.sub("", segment.word),
        confidence=float(segment.prob),
    )

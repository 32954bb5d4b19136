"""What every engine that turns speech into words offers; the rest of transcribing knows no more of it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from plainview.media.transcript import Setting


@dataclasses.dataclass(frozen=True)
class HeardWord:
    """A word in a stretch of sound.

    Attributes:
        start_s: from the stretch's first sample.
        end_s: the same.
        text: as the engine writes it; where its language puts a space before a word, with it.
        confidence: 0 to 1; None where the engine says nothing.
    """

    start_s: float
    end_s: float
    text: str
    confidence: float | None


class Listener(Protocol):
    """One engine hearing one recording, from its start to its end."""

    def hear(self, samples: NDArray[np.int16]) -> Sequence[Sequence[HeardWord]]:
        """Give the phrases, each of words in order, in a stretch of sound.

        Args:
            samples: int16 [n], one channel at 16 kHz, about as much as the engine wants at once.
        """
        ...

    @property
    def language(self) -> str:
        """Give the ISO 639 code of what was heard so far, or "" where it is not known."""
        ...


class Engine(Protocol):
    """A loaded engine; the attributes of the same names go into every transcript it makes.

    Attributes:
        batch_samples: how much speech it wants at once, at 16 kHz; 0 for each stretch by itself.
    """

    name: str
    model: str
    version: str
    notice: str
    settings: Mapping[str, Setting]
    batch_samples: int

    def begin(self) -> Listener:
        """Begin a recording; nothing of an earlier one is remembered."""
        ...

"""The light: a colour and a rhythm for every state, so that one who cannot tell the colours reads the rhythm.

On is not recording: a camera that waits blinks slowly and rarely, one that records twice and quickly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plainview.camera.effects import Shown

Colour: TypeAlias = Literal["dark", "green", "red", "blue", "white", "amber"]


@dataclass(frozen=True)
class Rhythm:
    """What a light does, again and again.

    Attributes:
        steps: colour and how long it lasts, milliseconds.
        words: the same for a person.
        meaning: what it tells, for a person.
    """

    steps: tuple[tuple[Colour, int], ...]
    words: str
    meaning: str

    @property
    def period_ms(self) -> int:
        """How long it takes until it begins again."""
        return sum(lasting_ms for _, lasting_ms in self.steps)


RHYTHMS: Final[Mapping[Shown, Rhythm]] = {
    "dark": Rhythm((("dark", 1000),), "dark", "Off. Nothing is recorded."),
    "ready": Rhythm(
        (("green", 300), ("dark", 2700)),
        "one green blink every three seconds",
        "On, not recording. Press to record.",
    ),
    "recording": Rhythm(
        (("red", 120), ("dark", 130), ("red", 120), ("dark", 630)),
        "two quick red blinks every second",
        "Recording. Hold to stop.",
    ),
    "muted": Rhythm(
        (("red", 120), ("dark", 130), ("blue", 750), ("dark", 500)),
        "a quick red blink and a long blue one",
        "Recording, with the sound muted. Hold to stop.",
    ),
    "covert": Rhythm((("dark", 1000),), "dark, as somebody allowed", "Recording. Lights and sounds are off."),
    "docked": Rhythm((("white", 1000),), "steady white", "In a dock. Nothing is recorded."),
    "fault": Rhythm(
        (("amber", 100), ("dark", 100)) * 4 + (("dark", 700),),
        "four very quick amber blinks, then a pause",
        "Something is wrong. Nothing is recorded now.",
    ),
}


def light_at(shown: Shown, mono_ms: int) -> Colour:
    """Return the colour the light has at a moment.

    Args:
        shown: what it tells.
        mono_ms: since the camera was switched on, or since anything else: rhythms have no beginning.
    """
    rhythm = RHYTHMS[shown]
    left_ms = mono_ms % rhythm.period_ms
    for colour, lasting_ms in rhythm.steps[:-1]:
        if left_ms < lasting_ms:
            return colour
        left_ms -= lasting_ms
    return rhythm.steps[-1][0]

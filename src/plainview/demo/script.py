"""Write the sample department's script down as transcripts, one for each recording, in the recording's own time.

Typed from the script, not made by a machine: labelled so wherever it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview.demo import ordinary
from plainview.demo.speech import say
from plainview.demo.story import CAMERAS, LINES, PEOPLE

if TYPE_CHECKING:
    from plainview.demo.speech import Speech
    from plainview.demo.story import Camera, Person


@dataclass(frozen=True)
class Spoken:
    """One line of the script as a recording heard it.

    Attributes:
        start_ms, end_ms: of the recording.
        text: what was said.
        words: (start_ms, end_ms, word), in order.
    """

    start_ms: int
    end_ms: int
    text: str
    words: tuple[tuple[int, int, str], ...]


def spoken_in(key: str) -> tuple[Spoken, ...]:
    """Return what is said in a recording of the sample department, in order.

    Args:
        key: of a camera of the incident, or of an ordinary recording.

    Raises:
        KeyError: there is no such recording.
    """
    if key in CAMERAS:
        return tuple(_incident(CAMERAS[key]))
    recording = {each.key: each for each in ordinary.RECORDINGS}[key]
    people = ordinary.cast(recording)
    return tuple(_line(at_s, text, _said(people[by], text), rate=1.0) for at_s, by, text in recording.said)


def _incident(camera: Camera) -> list[Spoken]:
    rate = 1 + camera.drift_ppm * 1e-6
    return [
        _line(camera.media_s(line.at_s), line.words, _said(PEOPLE[line.by], line.words), rate=rate)
        for line in LINES
        if camera.sound_from_s <= line.at_s < camera.ends_s
    ]


def _said(person: Person, text: str) -> Speech:
    # As the sound is made: a shout is spoken higher.
    return say(text, person.voice, person.pitch + (12 if "!" in text else 0), person.speed)


def _line(at_s: float, text: str, said: Speech, *, rate: float) -> Spoken:
    words = tuple(
        (_ms(at_s + word.from_s * rate), _ms(at_s + word.to_s * rate), word.text) for word in said.words
    )
    return Spoken(words[0][0] if words else _ms(at_s), words[-1][1] if words else _ms(at_s), text, words)


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))

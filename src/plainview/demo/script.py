"""Write the sample department's script down as transcripts, one for each recording, in the recording's own time.

Typed from the script, not made by a machine: labelled so wherever it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview.demo import ordinary
from plainview.demo.cameras import length_s
from plainview.demo.speech import say
from plainview.demo.story import CAMERAS, LINES, PEOPLE

if TYPE_CHECKING:
    from plainview.demo.speech import Speech
    from plainview.demo.story import Person


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
        camera = CAMERAS[key]
        rate = 1 + camera.drift_ppm * 1e-6
        said = [
            (camera.media_s(line.at_s), line.words, PEOPLE[line.by])
            for line in LINES
            if camera.sound_from_s <= line.at_s < camera.ends_s
        ]
        return _written(said, rate=rate, until_ms=_ms(length_s(camera)))
    recording = {each.key: each for each in ordinary.RECORDINGS}[key]
    people = ordinary.cast(recording)
    said = [(at_s, text, people[by]) for at_s, by, text in recording.said]
    return _written(said, rate=1.0, until_ms=_ms(recording.seconds))


def _written(said: list[tuple[float, str, Person]], *, rate: float, until_ms: int) -> tuple[Spoken, ...]:
    lines = [_line(at_s, _spoken(person, text), rate=rate, until_ms=until_ms) for at_s, text, person in said]
    return tuple(line for line in lines if line.words)


def _spoken(person: Person, text: str) -> Speech:
    # As the sound is made: a shout is spoken higher.
    return say(text, person.voice, person.pitch + (12 if "!" in text else 0), person.speed)


def _line(at_s: float, said: Speech, *, rate: float, until_ms: int) -> Spoken:
    """Write down what is heard of a line: the recording may end before it does."""
    times = [(_ms(at_s + word.from_s * rate), _ms(at_s + word.to_s * rate), word.text) for word in said.words]
    words = tuple(
        (start_ms, min(end_ms, until_ms), text) for start_ms, end_ms, text in times if start_ms < until_ms
    )
    end_ms = words[-1][1] if words else 0
    return Spoken(words[0][0] if words else 0, end_ms, " ".join(text for _, _, text in words), words)


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))

"""What the check at the start of a shift found, in words; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from plainview.web.capture_words import WORN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from plainview.evidence.capture_queries import KnownEvent

# What a machine found in the picture: whether somebody should look, and what is said of it.
_LENS: Final[Mapping[str, tuple[bool, str]]] = {
    "clear": (False, "Lens clear: {blocked} of the picture blocked"),
    "partly_blocked": (True, "Lens partly blocked: {blocked} of the picture"),
    "blocked": (True, "Lens blocked: {blocked} of the picture"),
    "even": (True, "The picture shows an even surface: one in front of the camera, or something on the lens"),
    "too_dark": (True, "Too dark to tell whether the lens is clear"),
}

UNKNOWN: Final = "not known"


@dataclass(frozen=True)
class CheckWords:
    """A check as pages show it.

    Attributes:
        at: when it ended, by the camera's clock; None where its journal does not say.
        charge, sound, worn: as the camera says.
        lens: what was computed from the picture.
        is_lens_doubted: whether somebody should look at the picture.
    """

    at: datetime | None
    charge: str
    sound: str
    worn: str
    lens: str
    is_lens_doubted: bool


def check_words(events: Sequence[KnownEvent], lens: Mapping[str, Any] | None) -> CheckWords:
    """Say what a check found.

    Args:
        events: of its journal; what the camera says may be anything.
        lens: as media.derived writes it; None where it is not known.
    """
    checked = next((event for event in reversed(events) if event.event == "checked"), None)
    facts: Mapping[str, Any] = {} if checked is None else checked.facts
    is_doubted, said = _lens_words(lens)
    return CheckWords(
        at=None if checked is None else checked.at,
        charge=_number(facts.get("charge_percent"), "{}%"),
        sound=_sound_words(facts.get("sound_dbfs")),
        worn=WORN.get(str(facts.get("worn")), UNKNOWN),
        lens=said,
        is_lens_doubted=is_doubted,
    )


def _lens_words(lens: Mapping[str, Any] | None) -> tuple[bool, str]:
    if lens is None:
        return False, "Lens: not known"
    is_doubted, said = _LENS[lens["verdict"]]
    return is_doubted, said.format(blocked=f"{round(lens['blocked_permille'] / 10)}%")


def _sound_words(level: Any) -> str:
    if level == "no_sound":
        return "no sound was heard: there is no microphone, or it gave nothing"
    said = _number(level, "sound heard at {} dBFS")
    return f"sound level {said}" if said == UNKNOWN else said


def _number(value: Any, words: str) -> str:
    return words.format(value) if isinstance(value, int) and not isinstance(value, bool) else UNKNOWN

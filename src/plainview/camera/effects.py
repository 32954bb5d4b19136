"""What a camera does about what happened, as values: the rules say which, the recorder carries them out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plainview.formats.capture import CaptureFact

Shown: TypeAlias = Literal["dark", "ready", "recording", "muted", "covert", "docked", "fault"]
Sound: TypeAlias = Literal["on", "off", "muted"]
Journals: TypeAlias = Literal["both", "shift", "recording"]


@dataclass(frozen=True)
class BeginShift:
    """Begin the journal of the shift."""


@dataclass(frozen=True)
class EndShift:
    """Close the journal of the shift; reason is a key of capture.STOPS."""

    reason: str


@dataclass(frozen=True)
class Begin:
    """Begin a recording.

    Attributes:
        purpose: one of capture.PURPOSES. trigger: a key of capture.TRIGGERS.
        keeps_buffer: whether what was buffered belongs to it; not where it goes on from another.
    """

    purpose: str
    trigger: str
    keeps_buffer: bool


@dataclass(frozen=True)
class End:
    """Close the recording; reason is a key of capture.STOPS."""

    reason: str


@dataclass(frozen=True)
class Check:
    """Write down how the check at the start of the shift went, into the recording that it made."""


@dataclass(frozen=True)
class Phase:
    """What comes from now on is "recording" or "post"."""

    phase: Literal["recording", "post"]


@dataclass(frozen=True)
class SetSound:
    """Sound from now on: as it is heard, or silence because it is off or muted."""

    sound: Sound


@dataclass(frozen=True)
class Forget:
    """Drop what was buffered; nothing is buffered from now on."""


@dataclass(frozen=True)
class Log:
    """Write an event into a journal: the shift's, the recording's, or both where both are open."""

    event: str
    facts: Mapping[str, CaptureFact] = field(default_factory=dict)
    to: Journals = "both"


@dataclass(frozen=True)
class Show:
    """Let the light show this."""

    shown: Shown


@dataclass(frozen=True)
class Beep:
    """Sound and vibrate so often: two for a start and a reminder, one for a stop, three for a refusal."""

    times: Literal[1, 2, 3]


Effect: TypeAlias = (
    BeginShift | EndShift | Begin | End | Check | Phase | SetSound | Forget | Log | Show | Beep
)

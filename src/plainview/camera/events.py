"""What can happen to a camera, as values: buttons, triggers, power, storage, sources, time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plainview.formats.capture import CaptureFact


@dataclass(frozen=True)
class Event:
    """Something that happened, mono_ms after the camera was switched on."""

    mono_ms: int


class Tick(Event):
    """Time has passed."""


class Press(Event):
    """The record button was pressed."""


class Mute(Event):
    """The mute button was pressed: sound off, or on again."""


class Marker(Event):
    """The marker button was pressed."""


class Covert(Event):
    """Lights and sounds off, or on again, was asked for."""


class Taken(Event):
    """The camera was taken from its dock."""


@dataclass(frozen=True)
class Hold(Event):
    """The record button was held for held_ms."""

    held_ms: int


@dataclass(frozen=True)
class PowerOn(Event):
    """The camera was switched on.

    Attributes:
        with_check: whether the check at the start of the shift is to be made.
        has_picture: whether a picture comes already; where not, nothing begins before the first.
    """

    with_check: bool = False
    has_picture: bool = True


@dataclass(frozen=True)
class PowerOff(Event):
    """The camera is being switched off: "power_off", "battery", or "end" where its source has no more."""

    reason: str = "power_off"


@dataclass(frozen=True)
class Trigger(Event):
    """Something else asked for a recording: a key of capture.TRIGGERS, and more about it."""

    source: str
    facts: Mapping[str, CaptureFact] = field(default_factory=dict)


@dataclass(frozen=True)
class RefusedTrigger(Event):
    """Something asked for a recording that this camera does not obey; facts say why."""

    facts: Mapping[str, CaptureFact] = field(default_factory=dict)


@dataclass(frozen=True)
class Storage(Event):
    """The storage is "ok", "low", "full" or at "fault"."""

    level: Literal["ok", "low", "full", "fault"]
    facts: Mapping[str, CaptureFact] = field(default_factory=dict)


@dataclass(frozen=True)
class SourceLost(Event):
    """Picture or sound stopped coming."""

    what: Literal["picture", "sound"] = "picture"


@dataclass(frozen=True)
class SourceBack(Event):
    """Picture or sound came again."""

    what: Literal["picture", "sound"] = "picture"


@dataclass(frozen=True)
class Docked(Event):
    """The camera was put into a dock."""

    dock: str = ""


@dataclass(frozen=True)
class Noted(Event):
    """Something that changes nothing but belongs on the record: a key of capture.EVENTS with its facts."""

    event: str
    facts: Mapping[str, CaptureFact] = field(default_factory=dict)

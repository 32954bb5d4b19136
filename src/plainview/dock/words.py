"""What a bay says, in words: pure, and the same in the terminal, on the wall and in the log."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plainview.dock.rules import FileState, is_safe_to_take, time_left_s

if TYPE_CHECKING:
    from collections.abc import Sequence

SAFE = "Safe to take"
# The shapes of the wall: they and the words say it, not the colour.
SHAPES = ("safe", "busy", "waits", "attention")
# Below this a clock is as right as anybody needs.
CLOCK_SHOWN_MS = 100


@dataclass(frozen=True)
class Bay:
    """One camera at the dock, as it stands now.

    Attributes:
        key: where it was found: unlike that of every other bay.
        make, model, serial: of the camera.
        wearer: whose it is today; empty where nobody's.
        files: each file on it and how far it is.
        is_listed: whether all that is on it is known.
        is_recording: whether the camera goes on recording.
        is_gone: whether it was taken out.
        admission: waiting, admitted, refused, revoked; empty where the camera has no key of its own.
        fingerprint: of its key, for a person who is asked to admit it.
        clock_error_ms: by how much its clock is ahead; None where it cannot be asked.
        clock_doubt_ms: the truth lies within so much of that.
        battery_percent: None where the camera does not say.
        trouble: what holds it up just now: one sentence; empty where nothing does.
        warning: what somebody should look at, though it holds nothing up; empty where there is nothing.
    elapsed_s: since the first byte was sent.
        left_on_it: files that stay on it because nothing is in them, or because they are not footage.
    """

    key: str
    make: str = ""
    model: str = ""
    serial: str = ""
    wearer: str = ""
    files: tuple[FileState, ...] = field(default=())
    is_listed: bool = False
    is_recording: bool = False
    is_gone: bool = False
    admission: str = ""
    fingerprint: str = ""
    clock_error_ms: int | None = None
    clock_doubt_ms: int | None = None
    battery_percent: int | None = None
    trouble: str = ""
    warning: str = ""
    elapsed_s: float = 0.0
    left_on_it: int = 0

    @property
    def checked(self) -> int:
        """How many files have a checked receipt."""
        return sum(each.is_checked for each in self.files)

    @property
    def is_safe(self) -> bool:
        """Whether a person may take it."""
        return not self.is_gone and is_safe_to_take(
            self.files, is_listed=self.is_listed, is_recording=self.is_recording
        )

    @property
    def sent_bytes(self) -> int:
        """How much the server has."""
        return sum(each.sent_bytes for each in self.files)

    @property
    def size_bytes(self) -> int:
        """How much there is."""
        return sum(each.file.size_bytes for each in self.files)

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with single files, each sentence once."""
        return tuple(dict.fromkeys(each.why for each in self.files if each.why))


@dataclass(frozen=True)
class BayWords:
    """What is shown of a bay: one of SHAPES, a headline, one line below it, and what is wrong."""

    shape: str
    headline: str
    line: str
    problems: tuple[str, ...] = ()


def say_bay(bay: Bay) -> BayWords:
    """Put a bay into words."""
    problems = tuple(text for text in (bay.trouble, bay.warning, *bay.problems) if text)
    shape, headline = _headline(bay, problems)
    parts = [_count(bay), say_clock(bay.clock_error_ms, bay.clock_doubt_ms), say_battery(bay.battery_percent)]
    if shape == "busy" and bay.files:
        parts.append(say_time_left(_left_s(bay)))
    return BayWords(shape, headline, ", ".join(part for part in parts if part), problems)


def _headline(bay: Bay, problems: Sequence[str]) -> tuple[str, str]:
    is_sending = any(each.state in ("waiting", "sending", "sent") for each in bay.files)
    cases = (
        (bay.is_gone, "attention", "Taken too soon: put it back"),
        (bay.is_recording, "waits", "Still recording: hold its button to stop"),
        (
            bay.admission in ("refused", "revoked"),
            "attention",
            f"This camera was {bay.admission}: ask an administrator",
        ),
        (
            bay.admission == "waiting" and not bay.files,
            "waits",
            f"Waiting to be admitted: {bay.fingerprint}",
        ),
        (bay.is_safe, "safe", SAFE),
        (bool(problems) and not is_sending, "attention", "Leave it here: not all of it is checked"),
    )
    return next(((shape, text) for holds, shape, text in cases if holds), ("busy", "Leave it here"))


def _count(bay: Bay) -> str:
    if not bay.is_listed:
        return "looking at what is on it"
    if not bay.files:
        return "nothing on it"
    return f"{bay.checked} of {len(bay.files)} checked"


def _left_s(bay: Bay) -> float | None:
    left_bytes = bay.size_bytes - bay.sent_bytes
    return time_left_s(left_bytes=left_bytes, sent_bytes=bay.sent_bytes, elapsed_s=bay.elapsed_s)


def say_clock(error_ms: int | None, doubt_ms: int | None) -> str:
    """Say how wrong a clock is: "clock +2.3 s"; a clock that is right within its doubt is "clock right"."""
    if error_ms is None:
        return ""
    if abs(error_ms) <= max(CLOCK_SHOWN_MS, doubt_ms or 0):
        return "clock right"
    if abs(error_ms) < 120_000:
        return f"clock {error_ms / 1000:+.1f} s"
    hours = abs(error_ms) / 3_600_000
    ahead = "ahead" if error_ms > 0 else "behind"
    if hours < 1:
        return f"clock {abs(error_ms) // 60_000} min {ahead}"
    return f"clock {hours:.0f} h {ahead}" if hours < 48 else f"clock {hours / 24:.0f} days {ahead}"


def say_battery(percent: int | None) -> str:
    """Say the charge of a battery; nothing where it is not known."""
    return "" if percent is None else f"battery {percent}%"


def say_time_left(left_s: float | None) -> str:
    """Say about how long it takes; nothing where that is not known yet."""
    if left_s is None:
        return ""
    if left_s < 60:
        return "less than a minute"
    return f"about {round(left_s / 60)} min" if left_s < 5400 else f"about {left_s / 3600:.1f} h"


def say_camera(make: str, model: str, serial: str) -> str:
    """Name a camera as people do."""
    return " ".join(part for part in (make, model, serial) if part) or "A camera without a name"

"""Pure rules about recordings: years, names of files, what a probe's answer makes of a file."""

from __future__ import annotations

import itertools
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from plainview.evidence.errors import TimesError

# "attached" is kept as received and belongs to something that can be played, or to a camera.
ORIGINAL_STATES = ("usable", "quarantined", "adopted", "attached")
CLOCK_SOURCES = ("file", "camera", "person", "unknown")
RECORDING_SOURCES = ("import", "camera", "outside")
# What is done with every original once it is received, in the order in which it is useful to people.
STEPS = ("derive", "transcript")
STEP_STATES = ("waiting", "doing", "done", "parked")
DERIVATIVE_KINDS = ("viewing_copy", "storyboard", "waveform")
# How far a transcript can be trusted: a machine's, a search hint that is mostly wrong, a sample typed by hand.
NOTICES = ("machine", "hint", "sample")
UPLOAD_STATES = ("receiving", "stored", "received", "duplicate", "quarantined", "refused", "dropped")
NAME_LIMIT = 255
# Before the first camera that an officer wore; an unset clock says 1904, 1970 or 1980.
EARLIEST_CLOCK = datetime(1990, 1, 1, tzinfo=UTC)
# A zone that was mistaken, and a clock that is badly off.
AHEAD_AT_MOST = timedelta(days=2)

# Characters that hide, reorder or break a name on screen, in a log or in a spreadsheet.
_HIDDEN_CATEGORIES = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


@dataclass(frozen=True)
class OriginalFacts:
    """What the vault found out while receiving: ids and digests in hexadecimal, sizes in bytes."""

    object_id: str
    object_bytes: int
    object_sha256: str
    sha256: str
    chunk_root: str
    size_bytes: int


@dataclass(frozen=True)
class DeviceKey:
    """A device as other packages refer to it: the row's key, and the name the custody log knows."""

    pk: int
    pseudonym: str


@dataclass(frozen=True)
class KnownOriginal:
    """An original as other packages see it.

    Attributes:
        key: of its row.
        facts: ids, digests and sizes.
        state: usable, quarantined, or adopted (stored, no recording yet).
        reason: why it is quarantined, as a code; None otherwise.
        reason_text: the same for people.
        offered_name: the name it came with, made printable.
    """

    key: int
    facts: OriginalFacts
    state: str
    reason: str | None
    reason_text: str
    offered_name: str


@dataclass(frozen=True)
class KnownRecording:
    """A recording as other packages see it.

    Attributes:
        key: of its row.
        identifier: such as R-26-00004217-5.
        received_at: when; aware UTC.
        times: when it was made.
    """

    key: int
    identifier: str
    received_at: datetime
    times: CaptureTimes


@dataclass(frozen=True)
class CaptureTimes:
    """When a recording was made, as far as anything says so.

    Attributes:
        started_at: first frame, buffer included; aware UTC; None is unknown.
        ended_at: last frame; None is unknown.
        zone: IANA zone of the place.
        clock_source: whose clock said so.
    """

    started_at: datetime | None
    ended_at: datetime | None
    zone: str
    clock_source: str


@dataclass(frozen=True)
class Trigger:
    """What started and ended a recording, as its camera says; the buffer is on_at minus the recording's start.

    Attributes:
        on_at: when it was told to record; aware UTC; None is unknown.
        on_reason: by what, in the camera's words, at most 64 characters.
        off_at: when it was told to stop.
        off_reason: by what.
    """

    on_at: datetime | None = None
    on_reason: str = ""
    off_at: datetime | None = None
    off_reason: str = ""


NO_TRIGGER = Trigger()


def check_times(times: CaptureTimes) -> None:
    """Raise unless the times make sense together.

    Raises:
        TimesError: an end before the start, an end without a start, or a source for a time nobody knows.
    """
    if times.clock_source not in CLOCK_SOURCES:
        raise TimesError(f"Clock source {times.clock_source!r}: expected one of {', '.join(CLOCK_SOURCES)}.")
    if (times.started_at is None) != (times.clock_source == "unknown"):
        raise TimesError("A start needs the clock it came from, and an unknown start has none.")
    if times.ended_at is not None and (times.started_at is None or times.ended_at < times.started_at):
        raise TimesError("A recording cannot end before it starts, or end without a start.")


def identifier_year(times: CaptureTimes, *, received_at: datetime) -> int:
    """Return the year an identifier carries: of capture at the place or, where nobody can know that, of receipt."""
    return filed_at(times.started_at, received_at=received_at).astimezone(ZoneInfo(times.zone)).year


def filed_at(started_at: datetime | None, *, received_at: datetime) -> datetime:
    """Return the moment under which lists file a recording: its start or, where no clock can mean that, its receipt.

    What the camera said is kept as it said it. But an unset clock says 1970, and one that runs away says 2040: a
    recording must not vanish to either end of every list, nor bear a year in its identifier that has not come.
    """
    if started_at is None or started_at < EARLIEST_CLOCK or started_at > received_at + AHEAD_AT_MOST:
        return received_at
    return started_at


def printable_name(name: str) -> str:
    """Return a file's name as it can be shown: hidden and control characters spelled out, cut to 255.

    The bytes of the name as offered are kept in the custody log's words; this one is for people.
    """
    shown = "".join(_spell(c) for c in unicodedata.normalize("NFC", name))
    return shown[:NAME_LIMIT] or "unnamed"


def _spell(character: str) -> str:
    if unicodedata.category(character) in _HIDDEN_CATEGORIES:
        return f"<U+{ord(character):04X}>"
    return character


def original_file_name(
    *, identifier: str, started_at: datetime | None, zone: str, extension: str, part: int
) -> str:
    """Return the name an original gets in a package: its local time and identifier, never a person's name.

    Args:
        identifier: of the recording.
        started_at: None leaves the time out.
        zone: IANA zone of the place.
        extension: of the file as offered, kept only if plain.
        part: counted from 1; parts after the first are numbered.
    """
    when = "" if started_at is None else started_at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d_%H%M_")
    number = "" if part == 1 else f"_{part}"
    plain = extension.lower() if re.fullmatch(r"\.[A-Za-z0-9]{1,8}", extension) else ".bin"
    return f"{when}{identifier}{number}{plain}"


# --- steps


MOST_ATTEMPTS = 3
# After the first failure and the second; a machine that was only short of memory has time to find some.
_RETRY_AFTER = (timedelta(seconds=30), timedelta(minutes=5))
_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(hours=1)


@dataclass(frozen=True)
class ClaimedStep:
    """A step that one worker is at.

    Attributes:
        key: of its row.
        name: one of STEPS.
        attempt: the how manieth this is; nobody else has the same, so that a worker that was thought dead is known.
        original: what it is about.
        duration_ms: of that, as its examination found; 0 where unknown.
    """

    key: int
    name: str
    attempt: int
    original: KnownOriginal
    duration_ms: int


def is_worth_another(attempt: int, *, is_final: bool) -> bool:
    """Say whether a step that failed is tried again.

    Args:
        attempt: the one that failed, counted from 1.
        is_final: the reason will not go away by trying.
    """
    return attempt < MOST_ATTEMPTS and not is_final


def retry_after(attempt: int) -> timedelta:
    """Return how long to wait after a failed attempt, counted from 1."""
    return _RETRY_AFTER[min(attempt, len(_RETRY_AFTER)) - 1]


def wait_after(times: int) -> timedelta:
    """Return how long a step waits for this machine to be well again.

    Args:
        times: how often in a row it has waited already.
    """
    return min(_LONGEST_WAIT, _FIRST_WAIT * (1 << min(times, 10)))


def step_after(name: str) -> str | None:
    """Return the step that comes after one, or None."""
    return next((after for before, after in itertools.pairwise(STEPS) if before == name), None)

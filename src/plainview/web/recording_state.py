"""What the player of a recording's page is told: once with the page, and again while something is being made."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from plainview.web.played import Played, find_played
from plainview.web.recording_words import step_words
from plainview.web.words import format_time, zone_named

if TYPE_CHECKING:
    from datetime import datetime

    from plainview.evidence.rules import KnownRecording
    from plainview.evidence.watch_queries import Heading, KnownDerivative, StepState, Watched

UNFINISHED = ("waiting", "doing")


def player_state(
    recording: KnownRecording, heading: Heading, part: Watched, *, from_ms: int | None = 0
) -> dict[str, Any]:
    """Return what a player needs to play, draw and say of a part; JSON.

    Args:
        recording: whose part it is.
        heading: of that.
        part: which, and what was made of it.
        from_ms: where the part begins in the recording; None is not known, and so are its times by the clock.

    Returns:
        next: address of the page of the part after this one; None after the last.
        video: address, kind, content type, whether it has picture and sound, rate of pictures; None while there is none.
        storyboard, waveform, transcript: where they are; None while they are not.
        steps: what is being made. busy: whether to ask again. problem: why there will be nothing, or "".
    """
    played, identifier = find_played(part), recording.identifier
    derive, started_at = part.steps.get("derive"), part_started_at(recording, from_ms)
    duration_ms = _duration_ms(part, heading)
    address = partial(address_of_part, identifier=identifier, number=part.number)
    return {
        "identifier": identifier,
        "next": None
        if part.number >= part.part_count
        else address_of_part("recording", identifier=identifier, number=part.number + 1),
        "video": None if played is None else _video(played, address("recording_video")),
        "duration_ms": duration_ms,
        "started_ms": None if started_at is None else _milliseconds(started_at),
        "offsets": [] if started_at is None else clock_offsets(started_at, duration_ms, recording.times.zone),
        "storyboard": _storyboard(part.derivatives.get("storyboard"), address("recording_storyboard")),
        "waveform": address("recording_waveform") if "waveform" in part.derivatives else None,
        "transcript": address("recording_transcript") if part.transcript else None,
        "steps": [
            _step(step, is_played=played is not None) for step in part.steps.values() if step.state != "done"
        ],
        "busy": any(step.state in UNFINISHED for step in part.steps.values()),
        "problem": _problem(derive) if played is None else "",
    }


def address_of_part(name: str, *, identifier: str, number: int) -> str:
    """Return an address that is about a recording's part; the first needs no number."""
    address = reverse(name, args=[identifier])
    return address if number == 1 else f"{address}?part={number}"


def part_started_at(recording: KnownRecording, from_ms: int | None) -> datetime | None:
    """Return when a part began that begins so far into its recording; None where nobody knows."""
    started_at = recording.times.started_at
    return None if started_at is None or from_ms is None else started_at + timedelta(milliseconds=from_ms)


def _video(played: Played, address: str) -> dict[str, Any]:
    return {
        "address": address,
        "kind": played.kind,
        "type": played.content_type,
        "has_picture": played.has_picture,
        "has_sound": played.has_sound,
        "frame_rate": played.frame_rate,
        "is_even": played.is_even,
        "first_ms": played.first_ms,
    }


def _storyboard(board: KnownDerivative | None, address: str) -> dict[str, Any] | None:
    if board is None:
        return None
    names = ("tile_width_px", "tile_height_px", "columns", "times_ms")
    return {
        "address": address,
        **{name: board.facts[name] for name in names},
    }


def _step(step: StepState, *, is_played: bool) -> dict[str, Any]:
    return {
        "name": step.name,
        "state": step.state,
        "fraction": step.fraction,
        "words": step_words(step, is_played=is_played),
    }


def _problem(derive: StepState | None) -> str:
    """Say why there is nothing to play and nothing to wait for."""
    if derive is not None and derive.state in UNFINISHED:
        return ""
    if derive is not None and derive.state == "parked":
        return f"{step_words(derive, is_played=False)} The custodian was asked what to do. The original is kept, and can be exported."
    return (
        "No viewing copy could be made of this recording, and browsers do not play the original as it is. The original "
        "is kept, and can be exported."
    )


def _duration_ms(part: Watched, heading: Heading) -> int:
    copy = part.derivatives.get("viewing_copy")
    if copy is not None:
        return int(copy.facts["duration_ms"])
    whole_ms = heading.duration_ms if part.part_count == 1 else None
    return int(part.found.get("duration_ms") or whole_ms or 0)


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def clock_offsets(started_at: datetime, duration_ms: int, zone: str) -> list[tuple[int, int, str]]:
    """Return from when on the clocks of the place show how many seconds more than UTC, and what that is called.

    No recording lasts long enough for clocks to be put forward or back twice.
    """
    first, last = started_at, started_at + timedelta(milliseconds=duration_ms)
    found = [_offset(first, zone)]
    if _offset(last, zone)[1:] == found[0][1:]:
        return found
    while last - first > timedelta(seconds=1):
        middle = first + (last - first) / 2
        if _offset(middle, zone)[1:] == found[0][1:]:
            first = middle
        else:
            last = middle
    # Clocks are changed on whole seconds.
    return [*found, _offset(last.replace(microsecond=0), zone)]


def _offset(at: datetime, zone: str) -> tuple[int, int, str]:
    offset = at.astimezone(zone_named(zone)).utcoffset() or timedelta()
    # "14 Mar 2026 23:52:07.3 PDT (UTC-7)": what follows the time.
    return _milliseconds(at), int(offset.total_seconds()), format_time(at, zone).split(" ", 4)[4]

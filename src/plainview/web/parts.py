"""Which file of a recording a page or a player asks for: a camera may have split what one press made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.http import Http404

from plainview.web import words
from plainview.web.recording_state import address_of_part, part_started_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plainview.evidence.rules import KnownRecording
    from plainview.evidence.watch_queries import KnownPart
    from plainview.web.viewer import Request

# More digits than any camera's parts have.
LONGEST = 4


@dataclass(frozen=True)
class Choice:
    """A part as the switcher offers it.

    Attributes:
        number: counted from 1.
        address: of the same page about this part.
        span: when it was made, or how long it is, in words.
        is_here: whether it is the one that is shown.
    """

    number: int
    address: str
    span: str
    is_here: bool


def part_number(request: Request) -> int:
    """Return which part is asked for; the first where nothing is said.

    Raises:
        Http404: what stands there is no number of a part.
    """
    given = request.GET.get("part", "1")
    if not (given.isascii() and given.isdigit() and len(given) <= LONGEST and int(given) >= 1):
        raise Http404
    return int(given)


def switcher(
    parts: Sequence[KnownPart], *, recording: KnownRecording, number: int, page: str
) -> list[Choice]:
    """Return the parts to choose from; none where there is only one.

    Args:
        parts: of the recording.
        recording: whose.
        number: of the part that is shown.
        page: the name of the page's address.
    """
    if len(parts) == 1:
        return []
    return [
        Choice(
            number=part.number,
            address=address_of_part(page, identifier=recording.identifier, number=part.number),
            span=_span(recording, part),
            is_here=part.number == number,
        )
        for part in parts
    ]


def _span(recording: KnownRecording, part: KnownPart) -> str:
    """Write when a part was made: 23:12:04 to 23:17:04; or how long it is, where nobody knows when."""
    if part.duration_ms is None:
        return "length unknown"
    begins_at = part_started_at(recording, part.start_ms)
    if begins_at is None:
        return words.format_duration(part.duration_ms)
    local = begins_at.astimezone(words.zone_named(recording.times.zone))
    return f"{local:%H:%M:%S} to {local + timedelta(milliseconds=part.duration_ms):%H:%M:%S}"

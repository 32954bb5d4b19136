"""The two rows under a recording's timeline: the button and the sound, and what the light showed; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from plainview.formats.capture import TRIGGERS
from plainview.web.bands import (
    Drawn,
    Span,
    Tick,
    as_percent,
    clipped,
    legend_of,
    light_spans,
    muted_spans,
    within,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from plainview.evidence.capture_queries import KnownEvent, KnownJournal, KnownMarker
    from plainview.evidence.rules import Trigger

STARTED: Final = "started"
MARKER: Final = "marker"


@dataclass(frozen=True)
class CameraRows:
    """What stands under a part's timeline.

    Attributes:
        button: what was kept from before the start, and where the sound was muted.
        ticks: when it was started, and markers.
        light: what the light showed; empty where the camera does not say.
        legend: one of each kind of span that is drawn.
        table: the same, by time.
    """

    button: list[Drawn]
    ticks: list[Drawn]
    light: list[Drawn]
    legend: list[Span]
    table: list[Span | Tick]

    @property
    def has_markers(self) -> bool:
        """Whether any marker is drawn."""
        return any(each.what.kind == MARKER for each in self.ticks)


@dataclass(frozen=True)
class Said:
    """What a camera, and whatever else came along, says of a recording.

    Attributes:
        journal: None where its camera wrote none.
        events: the journal's.
        lights: what the shift's journal adds of the time before the button.
        trigger: what started it.
        started_at: when its first picture was taken; None is not known.
        markers: what came marked.
    """

    journal: KnownJournal | None
    events: Sequence[KnownEvent]
    lights: Sequence[KnownEvent]
    trigger: Trigger
    started_at: datetime | None
    markers: Sequence[KnownMarker]


def camera_rows(said: Said, *, from_ms: int, length_ms: int) -> CameraRows | None:
    """Return the rows of a part; None where nothing says anything.

    Args:
        said: of the whole recording.
        from_ms: where the part begins in it.
        length_ms: of the part.
    """
    end_ms = from_ms + length_ms
    buffer_ms = buffer_of(said)
    button = muted_spans(said.events, length_ms=end_ms)
    if buffer_ms:
        button.insert(0, Span("buffer", _buffer_words(said.journal), 0, buffer_ms))
    ticks = _ticks(said, buffer_ms)
    light = [] if said.journal is None else light_spans([*said.lights, *_own(said.events)], length_ms=end_ms)
    if length_ms <= 0 or not (button or ticks or light):
        return None
    window = {"from_ms": from_ms, "length_ms": length_ms}
    button, ticks, light = clipped(button, **window), within(ticks, **window), clipped(light, **window)
    return CameraRows(
        button=as_percent(button, length_ms),
        ticks=as_percent(ticks, length_ms),
        light=as_percent(light, length_ms),
        legend=legend_of([*button, *light]),
        table=sorted([*button, *ticks, *light], key=lambda each: each.start_ms),
    )


def buffer_of(said: Said) -> int | None:
    """Return how much of the time before the start was kept, in milliseconds; None where nothing says so."""
    if said.journal is not None and "buffer_ms" in said.journal.start:
        return int(said.journal.start["buffer_ms"])
    if said.trigger.on_at is None or said.started_at is None:
        return None
    return max(0, round((said.trigger.on_at - said.started_at).total_seconds() * 1000))


def trigger_words(said: Said) -> str:
    """Say what started a recording; empty where nothing says so."""
    if said.journal is not None:
        return TRIGGERS.get(str(said.journal.start.get("trigger", "")), "")
    reason = said.trigger.on_reason
    return TRIGGERS.get(reason, f"The camera says: {reason}." if reason else "")


def _own(events: Iterable[KnownEvent]) -> list[KnownEvent]:
    return [event for event in events if event.event == "light"]


def _buffer_words(journal: KnownJournal | None) -> str:
    words = "Before the start"
    if journal is None:
        return words
    if journal.start.get("trigger") == "button":
        words = "Before the button"
    return f"{words}, with sound" if journal.start.get("has_buffer_sound") else f"{words}, without sound"


def _ticks(said: Said, buffer_ms: int | None) -> list[Tick]:
    found = []
    if buffer_ms is not None:
        found.append(Tick(STARTED, f"Started. {trigger_words(said)}".rstrip(), buffer_ms))
    markers = [
        Tick(MARKER, _marker_words(each), each.start_ms) for each in said.markers if each.start_ms is not None
    ]
    return [*found, *sorted(markers, key=lambda tick: tick.start_ms)]


def _marker_words(marker: KnownMarker) -> str:
    words = ", ".join(filter(None, (marker.category, marker.text)))
    if words:
        return f"Marker: {words}"
    return "Marker set by the wearer" if marker.source == "camera" else "Marker without words"

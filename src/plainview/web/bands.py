"""What a camera showed and did over time, as bands that are drawn to scale and read as a table; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from plainview.evidence.capture_queries import KnownEvent, KnownJournal

UNKNOWN: Final = "unknown"
# What a camera's light can tell, and how a person says that.
SHOWN: Final[Mapping[str, str]] = {
    "recording": "Light: recording",
    "muted": "Light: recording without sound",
    "ready": "Light: on, not recording",
    "covert": "No light: covert, as somebody allowed",
    "docked": "Light: in a dock",
    "fault": "Light: fault",
    "dark": "No light: switched off",
    UNKNOWN: "Light unknown: the camera does not say",
}
# What a camera can be doing, as its journal of a shift says.
DOES: Final[Mapping[str, str]] = {
    "off": "Off",
    "docked": "In a dock",
    "buffering": "On, not recording",
    "checking": "Check at the start of the shift",
    "recording": "Recording",
    "muted": "Recording without sound",
    "covert": "Recording, covert",
    "fault": "Fault, nothing was recorded",
    UNKNOWN: "Unknown, the camera says nothing",
}
# How each is drawn: what looks alike means alike.
FILLS: Final[Mapping[str, str]] = {"off": "dark", "buffering": "ready", "checking": "recording"}


@dataclass(frozen=True)
class Span:
    """Something that holds for a while.

    Attributes:
        kind: what.
        words: the same for a person.
        start_ms: from when, counted from the band's beginning.
        end_ms: until when.
    """

    kind: str
    words: str
    start_ms: int
    end_ms: int

    @property
    def fill(self) -> str:
        """How it is drawn."""
        return FILLS.get(self.kind, self.kind)


@dataclass(frozen=True)
class Tick:
    """Something that happened at a moment: what, where, and in words."""

    kind: str
    words: str
    start_ms: int


@dataclass(frozen=True)
class Drawn:
    """A span or tick with where it stands in the drawing, in percent of its width."""

    what: Span | Tick
    left: str
    width: str


def drawn(each: Span | Tick, length_ms: int) -> Drawn:
    """Return where something stands in a drawing of so many milliseconds."""
    width_ms = each.end_ms - each.start_ms if isinstance(each, Span) else 0
    return Drawn(each, f"{100 * each.start_ms / length_ms:.3f}%", f"{100 * width_ms / length_ms:.3f}%")


def clipped(spans: Iterable[Span], *, from_ms: int, length_ms: int) -> list[Span]:
    """Return what of these spans lies in a window, counted from the window's beginning."""
    found = [
        replace(span, start_ms=max(0, span.start_ms - from_ms), end_ms=min(length_ms, span.end_ms - from_ms))
        for span in spans
    ]
    return [span for span in found if span.end_ms > span.start_ms]


def within(ticks: Iterable[Tick], *, from_ms: int, length_ms: int) -> list[Tick]:
    """Return which of these moments lie in a window, counted from the window's beginning."""
    moved = [replace(tick, start_ms=tick.start_ms - from_ms) for tick in ticks]
    return [tick for tick in moved if 0 <= tick.start_ms < length_ms]


def spans_from(changes: Sequence[tuple[int, str]], words: Mapping[str, str], *, length_ms: int) -> list[Span]:
    """Return spans out of moments at which something changed, from 0 to the end; before the first it is unknown.

    Args:
        changes: when, and to what; in order, the first may lie before 0. What has no words is unknown.
        words: for each kind.
        length_ms: of the band.
    """
    found: list[Span] = []
    known = [(0, UNKNOWN), *((at_ms, kind if kind in words else UNKNOWN) for at_ms, kind in changes)]
    for (from_ms, kind), (to_ms, _) in zip(known, [*known[1:], (length_ms, "")], strict=True):
        begin_ms, end_ms = max(0, from_ms), min(length_ms, to_ms)
        if end_ms <= begin_ms:
            continue
        if found and found[-1].kind == kind:
            found[-1] = replace(found[-1], end_ms=end_ms)
        else:
            found.append(Span(kind, words[kind], begin_ms, end_ms))
    return found


def light_spans(events: Iterable[KnownEvent], *, length_ms: int) -> list[Span]:
    """Return what the light showed over a recording, as its events say."""
    changes = [
        (event.position_ms, str(event.facts.get("shows", UNKNOWN)))
        for event in events
        if event.event == "light" and event.position_ms is not None
    ]
    return spans_from(changes, SHOWN, length_ms=length_ms)


def muted_spans(events: Iterable[KnownEvent], *, length_ms: int) -> list[Span]:
    """Return when the sound of a recording was muted, as its events say."""
    found: list[Span] = []
    since_ms: int | None = None
    for event in events:
        if event.position_ms is None:
            continue
        if event.event == "muted" and since_ms is None:
            since_ms = event.position_ms
        elif event.event == "unmuted" and since_ms is not None:
            found.append(Span("muted", "Sound muted", since_ms, event.position_ms))
            since_ms = None
    if since_ms is not None:
        found.append(Span("muted", "Sound muted", since_ms, length_ms))
    return found


def state_changes(events: Iterable[KnownEvent]) -> list[tuple[int, str]]:
    """Return what a shift's journal says its camera did: since when it was switched on, and what.

    Mute and covert mode are told apart from recording by events of their own.
    """
    mode, is_muted, is_covert = UNKNOWN, False, False
    found = []
    for event in events:
        if event.event == "state":
            mode = str(event.facts.get("state", UNKNOWN))
            mode = "recording" if mode == "post" else mode
            is_muted, is_covert = is_muted and mode == "recording", is_covert and mode == "recording"
        elif event.event in {"muted", "unmuted"}:
            is_muted = event.event == "muted"
        elif event.event in {"covert_on", "covert_off"}:
            is_covert = event.event == "covert_on"
        else:
            continue
        shown = mode
        if mode == "recording":
            shown = "covert" if is_covert else "muted" if is_muted else "recording"
        found.append((event.mono_ms, shown))
    return found


def shift_spans(journal: KnownJournal, events: Iterable[KnownEvent]) -> tuple[list[Span], int]:
    """Return what a camera did over a shift, and how long that was, in milliseconds.

    Until a journal that was not closed is closed, the camera is known for no longer than its last word.
    """
    told = list(events)
    begin_ms = int(journal.start.get("mono_ms") or 0)
    ended_ms = 0
    if journal.ended_at is not None:
        ended_ms = round((journal.ended_at - journal.started_at).total_seconds() * 1000)
    length_ms = max(1, ended_ms, *(event.mono_ms - begin_ms for event in told))
    changes = [(at_ms - begin_ms, kind) for at_ms, kind in state_changes(told)]
    return spans_from(changes, DOES, length_ms=length_ms), length_ms


def legend_of(spans: Iterable[Span]) -> list[Span]:
    """Return one of each kind, in the order in which they come."""
    found: dict[str, Span] = {}
    for span in spans:
        found.setdefault(span.kind, span)
    return list(found.values())


def total_ms(spans: Iterable[Span], kind: str) -> int:
    """Return for how long something held."""
    return sum(span.end_ms - span.start_ms for span in spans if span.kind == kind)


def as_percent(row: Iterable[Any], length_ms: int) -> list[Drawn]:
    """Return spans or ticks with where each stands in the drawing."""
    return [drawn(each, length_ms) for each in row]

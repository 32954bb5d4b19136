"""What a camera signed of a recording, in words; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from plainview.verify import verdicts
from plainview.web import words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plainview.evidence.capture_queries import KnownJournal

# The checker's words for what the records spell in the database's way, with what each means for a recording.
VERDICTS: Final[Mapping[str, tuple[str, str]]] = {
    "ok": (verdicts.OK, "Every fragment is, byte for byte, what the camera signed."),
    "altered": (verdicts.ALTERED, "Some of the footage is not what the camera signed."),
    "missing": (verdicts.MISSING, "Something that the camera signed is not here."),
    "unproven": (verdicts.UNPROVEN, "Of some of the footage nothing shows that the camera made it."),
    "not_closed": (
        verdicts.NOT_CLOSED,
        "What is here is as the camera recorded it; whether more was recorded cannot be told.",
    ),
    "signer_unknown": (
        verdicts.SIGNER_UNKNOWN,
        "The footage fits its journal, but nobody has admitted the key that signed it.",
    ),
}
STATES: Final[Mapping[str, str]] = {
    "ok": "ready",
    "not_closed": "attention",
    "signer_unknown": "attention",
    "unproven": "attention",
}
DOES_NOT_PROVE: Final = (
    "It shows that these bytes were signed with this camera's key while it recorded. It does not show that its clock was "
    "right, what was in front of the lens, or that nobody used the key elsewhere."
)
UNKNOWN: Final = "Unknown: this camera does not report."
CLOCKS: Final[Mapping[str, str]] = {
    "unset": "never set",
    "rtc": "the camera's own, kept by its battery",
    "ntp": "set over a network",
    "gps": "set by satellite",
    "dock": "set by a dock",
    "simulated": "simulated: this is a demonstration or a test",
}
WORN: Final[Mapping[str, str]] = {
    "chest": "on the chest",
    "belt": "on the belt",
    "head": "on the head",
    "shoulder": "on the shoulder",
    "car": "in a car",
    "other": "elsewhere",
    "unknown": "not known",
}
PURPOSES: Final[Mapping[str, str]] = {
    "recording": "a recording",
    "function_check": "the check at the start of a shift",
    "shift": "a shift, without footage",
}
ATTACHMENTS: Final[Mapping[str, str]] = {
    "journal": "Journal, signed by the camera",
    "key": "Key it was encrypted with",
    "track": "Location track",
    "bookmark": "Bookmarks",
    "audit_trail": "Audit trail of the system it came from",
    "sidecar": "Particulars that came beside it",
    "subtitles": "Subtitles",
    "settings": "The camera's settings",
}
SOURCES: Final[Mapping[str, str]] = {"camera": "the camera", "person": "a person"}


@dataclass(frozen=True)
class Finding:
    """Where footage and journal do not fit: a range of time, the verdict, and why."""

    range: str
    verdict: str
    why: str


def verdict_words(verdict: str) -> tuple[str, str]:
    """Return the checker's word for a verdict of the records, and what it means."""
    return VERDICTS[verdict]


def fact_words(journal: KnownJournal) -> str:
    """Say how much is as signed: 43 of 43 fragments as signed, closed."""
    closed = "closed" if journal.is_closed else "not closed"
    if journal.purpose == "shift":
        return f"A shift's journal, without footage, {closed}"
    count = words.plural(journal.fragments, "fragment")
    return f"{words.format_count(journal.proven_fragments)} of {count} as signed, {closed}"


def findings_of(journal: KnownJournal) -> list[Finding]:
    """Return what does not fit, neighbours with the same verdict and reason as one range."""
    merged: list[dict[str, Any]] = []
    for each in journal.findings:
        if merged and _goes_on(merged[-1], each):
            merged[-1]["end_ms"] = each.get("end_ms")
        else:
            merged.append(dict(each))
    return [Finding(_range(each), _verdict(each), str(each.get("why") or "")) for each in merged]


def buffer_words(start: Mapping[str, Any]) -> str:
    """Say how much of the time before the start was kept: 30 s kept of 30 s set, without sound."""
    if "buffer_ms" not in start:
        return "not known"
    kept_ms, set_ms = int(start.get("buffer_ms") or 0), int(start.get("buffer_setting_ms") or 0)
    if not set_ms and not kept_ms:
        return "none: none is set"
    sound = "with sound" if start.get("has_buffer_sound") else "without sound"
    return f"{_seconds(kept_ms)} kept of {_seconds(set_ms)} set, {sound}"


def previous_words(journal: KnownJournal) -> str:
    """Say which journal this one follows, by the camera's own count."""
    if not journal.previous_stream:
        return "none: it is the camera's first"
    previous = journal.start.get("previous") or {}
    size = previous.get("size")
    told = f", {words.plural(size, 'entry', 'entries')} long then" if isinstance(size, int) else ""
    return f"{journal.previous_stream}{told}"


def _goes_on(finding: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    is_next = finding.get("end_ms") is not None and finding["end_ms"] == after.get("start_ms")
    return is_next and all(finding.get(name) == after.get(name) for name in ("verdict", "why"))


def _range(finding: Mapping[str, Any]) -> str:
    start_ms, end_ms = finding.get("start_ms"), finding.get("end_ms")
    if not isinstance(start_ms, int):
        return "the whole" if end_ms is None else f"up to {words.format_position(int(end_ms))}"
    if not isinstance(end_ms, int):
        return f"from {words.format_position(start_ms)}"
    return f"{words.format_position(start_ms)} to {words.format_position(end_ms)}"


def _verdict(finding: Mapping[str, Any]) -> str:
    given = str(finding.get("verdict", ""))
    return VERDICTS.get(given.lower().replace(" ", "_"), (given, ""))[0]


def _seconds(length_ms: int) -> str:
    return f"{length_ms / 1000:g} s"

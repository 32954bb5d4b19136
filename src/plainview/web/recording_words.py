"""Sentences of a recording's page; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plainview.evidence.rules import printable_name
from plainview.media.facts import SIGNATURES
from plainview.media.facts import WARNINGS as FILE_WARNINGS
from plainview.web import words
from plainview.web.capture_words import VERDICTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plainview.evidence.watch_queries import KnownTranscript, StepState
    from plainview.media.facts import Probe, Stream

# Whose clock said when a recording was made.
CLOCKS: Final[Mapping[str, str]] = {
    "file": "The time is what the file says, by the clock of what made it; nobody has compared that clock with another.",
    "camera": "The time is by the camera's own clock; nobody has compared it with another.",
    "person": "The time is what a person said.",
    "unknown": "The file does not say when it was made.",
}
BASES: Final[Mapping[str, str]] = {
    "assignment": "the camera was assigned to them at that time",
    "camera": "the camera says so",
    "person": "a person said so",
}
SOURCES: Final[Mapping[str, str]] = {
    "import": "handed in as a file",
    "camera": "offloaded from a camera",
    "outside": "handed in from outside the department",
}
KINDS: Final[Mapping[str, str]] = {
    "video": "Picture",
    "audio": "Sound",
    "subtitle": "Text",
    "data": "Data",
}
CONTAINERS: Final[Mapping[str, str]] = {
    "mov": "MP4 or QuickTime",
    "matroska": "Matroska or WebM",
    "mpegts": "MPEG transport stream",
    "avi": "AVI",
    "wav": "WAV",
    "mp3": "MP3",
    "flac": "FLAC",
}
# What each step makes, and what it is called while it does.
_STEPS: Final[Mapping[str, tuple[str, str]]] = {
    "derive": ("The viewing copy", "is"),
    "derive_rest": ("Storyboard and waveform", "are"),
    "transcript": ("The transcript", "is"),
}
# Facts of an act that say something to a person; the rest are identities for checkers.
_TOLD_FACTS: Final[Mapping[str, str]] = {
    "sha256": "SHA-256",
    "size_bytes": "bytes",
    "tool": "made with",
    "kind": "kind",
    "engine": "engine",
    "model": "model",
    "cues": "cues",
    "viewing_copy_sha256": "SHA-256 of the viewing copy",
    "storyboard_sha256": "SHA-256 of the storyboard",
    "waveform_sha256": "SHA-256 of the waveform",
    "package_sha256": "SHA-256 of package.json",
    "answer": "answer",
    "part": "part",
    "verdict": "verdict",
    "fragments": "fragments",
    "proven": "as signed",
    "stream": "journal",
    "counter": "number",
    "camera": "camera",
}
_TOLD_DETAIL: Final[Mapping[str, str]] = {
    "offered_name": "file",
    "reason": "reason",
    "recipient": "recipient",
    "purpose": "purpose",
    "why": "why",
}


def step_words(step: StepState, *, is_played: bool) -> str:
    """Say how far a step is; nothing of one that is done.

    Args:
        step: which.
        is_played: whether the recording plays without what the step makes.
    """
    name = "derive_rest" if step.name == "derive" and is_played else step.name
    what, verb = _STEPS.get(name, (step.name, "is"))
    if step.state == "waiting":
        return f"{what} {verb} waiting to be made. {step.reason_text}".rstrip()
    if step.state == "doing":
        return f"{what} {verb} being made: {words.format_percent(step.fraction)}."
    if step.state == "parked":
        return f"{what} could not be made. {step.reason_text}".rstrip()
    return ""


def stream_words(stream: Stream) -> str:
    """Say in one line what a stream holds."""
    said = [stream.codec or "of an unknown coding"]
    if stream.width and stream.height:
        said.append(f"{stream.width} by {stream.height}")
    if stream.rotation_deg:
        said.append(f"turned by {stream.rotation_deg} degrees")
    if stream.frame_rate is not None:
        spacing = ", unevenly spaced" if stream.is_variable_rate else ""
        said.append(f"{float(stream.frame_rate):.4g} pictures a second{spacing}")
    if stream.sample_rate_hz:
        said.append(f"{words.format_count(stream.sample_rate_hz)} Hz")
    if stream.channels:
        said.append(words.plural(stream.channels, "channel"))
    return ", ".join(said)


def warning_words(probed: Probe) -> list[str]:
    """Say what a person should know of a file, with the stream it is about."""
    return [
        FILE_WARNINGS[warning.code]
        if warning.stream is None
        else f"Stream {warning.stream}: {FILE_WARNINGS[warning.code]}"
        for warning in probed.warnings
    ]


def signature_words(probed: Probe) -> list[str]:
    """Say which kinds of signatures a file carries; none of them was checked in being found."""
    return [
        "Signed as it was recorded (a Plainview camera's journal); whether it fits is said under What the camera signed."
        if code == "plainview_journal"
        else f"Signed by what made it ({SIGNATURES[code]}): present, not checked here."
        for code in probed.signatures
    ]


def transcript_words(transcript: KnownTranscript) -> str:
    """Say which machine wrote down the speech; a sample was typed by hand."""
    if transcript.notice == "sample":
        return "sample, typed by hand"
    said = " ".join(filter(None, (transcript.engine, transcript.model, transcript.version)))
    return f"{said}, language {transcript.language}" if transcript.language else said


def told(facts: Mapping[str, Any], detail: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Return what of an act's facts and words a person reads beside it: names and values, the words first."""
    said = [
        (_TOLD_DETAIL[name], _spelled(str(value)))
        for name, value in (detail or {}).items()
        if name in _TOLD_DETAIL
    ]
    said += [
        (_TOLD_FACTS[name], _fact_words(name, value)) for name, value in facts.items() if name in _TOLD_FACTS
    ]
    return [(name, value) for name, value in said if value not in {"", "none"}]


def _fact_words(name: str, value: Any) -> str:
    if name == "verdict" and value in VERDICTS:
        return VERDICTS[value][0]
    return words.format_count(value) if isinstance(value, int) else str(value)


def _spelled(text: str) -> str:
    # The log keeps words as they were offered; what hides or reorders them is spelled out, letter by letter.
    return "".join(map(printable_name, text))

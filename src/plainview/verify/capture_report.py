"""Write what a check of footage against its camera's journal found: for a person, or as one JSON document."""

from __future__ import annotations

import json
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Any, Iterator

from plainview.formats.capture import EVENTS, STOPS, TRIGGERS
from plainview.formats.times import format_at
from plainview.verify.original import MAX_PLACES_SHOWN, format_footage_time
from plainview.verify.report import shown
from plainview.verify.verdicts import (
    ALTERED,
    MISSING,
    NOT_CLOSED,
    OK,
    SIGNER_UNKNOWN,
    UNPROVEN,
    VERDICTS,
)

if TYPE_CHECKING:
    from plainview.formats.capture import CaptureStart
    from plainview.verify.capture import CaptureReport
    from plainview.verify.capture_fragments import FragmentFinding

CAPTURE_REPORT_KIND = "plainview-capture-verification"
# What the whole amounts to, by its gravest verdict.
CAPTURE_CONCLUSIONS = {
    ALTERED: "Something here is not as the camera recorded it. Rely on nothing but the times marked OK.",
    MISSING: "Something that the camera recorded is not here. The times marked OK are as it recorded them.",
    UNPROVEN: "Nothing that checks speaks for a part of this. The times marked OK are as the camera recorded them.",
    NOT_CLOSED: "What is here is as the camera recorded it; whether more was recorded cannot be told from this file.",
    SIGNER_UNKNOWN: "Everything fits together; whose key signed it has not been checked. Get the camera's key from "
    "the department or from a package, and run this again with --camera-key.",
    OK: "This is what the camera signed while it recorded, whole and in its order, under the key that was given.",
}
CAPTURE_LIMITS = (
    "It does not show that what was before the camera was real, or that its clock was right.",
    "It does not bind whoever holds the camera's own key: they can sign what never was.",
    "It does not show that nothing else was recorded. The first entry of the camera's next recording names this one.",
)


def describe_capture(report: CaptureReport) -> str:
    """Say in one line who recorded this and how much of it is as signed."""
    closed = "closed" if report.is_closed else "not closed"
    whose = "" if report.is_signer_known else ", by a key nobody vouches for"
    if report.start is not None and report.start.init is None:
        return shown(f"Journal of a shift of camera {report.camera}, {closed}{whose}")
    count = f"{report.proven_count} of {report.fragment_count} fragments as signed"
    return shown(f"Recorded by camera {report.camera}: {count}, {closed}{whose}")


def format_capture_report(report: CaptureReport) -> str:
    """Write a report for a person: one line a stretch of time, what it amounts to, facts, and what it does not show."""
    sections = [
        list(_stretch_lines(report)),
        [*_capture_conclusion(report), *(f"  {shown(each.text)}" for each in report.problems)],
        [shown(line) for line in _capture_facts(report)],
        ["What this does not show:", *(f"  - {limit}" for limit in CAPTURE_LIMITS)],
    ]
    return "\n".join("\n".join(section) + "\n" for section in sections if section)


def _stretch_lines(report: CaptureReport) -> Iterator[str]:
    if report.init_verdict != OK:
        yield f"{report.init_verdict:<14}  what stands before the first fragment"
    for _, group in groupby(report.fragments, key=_sameness):
        findings = list(group)
        first, last = findings[0], findings[-1]
        reason = first.reason
        if first.moved_bytes:
            reason = f"as signed, {first.moved_bytes:+d} bytes from its place"
        line = f"{first.verdict:<14}  {_footage_span(first, last)}"
        yield f"{line}  ({shown(reason)})" if reason else line
    for first_seq, last_seq in report.gaps:
        entries = f"entry {first_seq}" if first_seq == last_seq else f"entries {first_seq} to {last_seq}"
        yield f"{UNPROVEN:<14}  {entries} of the journal  (not here, or not one that checks)"
    for refused in report.refused[:MAX_PLACES_SHOWN]:
        yield f"{UNPROVEN:<14}  {refused.where}  ({shown(refused.reason)})"
    more = len(report.refused) - MAX_PLACES_SHOWN
    if more > 0:
        yield f"{UNPROVEN:<14}  {more} more lines of journals that do not check"


def _sameness(finding: FragmentFinding) -> tuple[str, str, int]:
    return finding.verdict, finding.reason, finding.moved_bytes


def _footage_span(first: FragmentFinding, last: FragmentFinding) -> str:
    if first.begins_ms is None and last.ends_ms is None:
        return "no time known"
    begin = format_footage_time(first.begins_ms or 0)
    return f"{begin} to " + ("the end" if last.ends_ms is None else format_footage_time(last.ends_ms))


def _capture_conclusion(report: CaptureReport) -> list[str]:
    counts = Counter(each.verdict for each in report.fragments)
    tally = ", ".join(
        f"{counts[verdict.word]} {verdict.word}" for verdict in VERDICTS if counts[verdict.word]
    )
    word = report.verdict.word
    lines = [f"Result: {word}. Fragments: {tally or 'none'}.", CAPTURE_CONCLUSIONS[word]]
    if not report.is_signer_known and word != SIGNER_UNKNOWN and report.stream:
        lines.append(CAPTURE_CONCLUSIONS[SIGNER_UNKNOWN])
    return lines


def _capture_facts(report: CaptureReport) -> Iterator[str]:
    if not report.stream:
        return
    yield describe_capture(report)
    yield f"Journal {report.stream}, signed by the key {report.key_id}"
    if report.start is not None:
        yield from _start_facts(report.start)
    for event, count in Counter(each.event for each in report.events).items():
        yield f"  {EVENTS[event]}" + (f" ({count} times)" if count > 1 else "")
    if report.stop is not None:
        yield f"Ended {format_at(report.stop.at)}: {STOPS[report.stop.reason]}"


def _start_facts(start: CaptureStart) -> Iterator[str]:
    why = f": {TRIGGERS[start.trigger]}" if start.trigger else ""
    yield f"Began {format_at(start.at)} by the camera's clock ({start.clock}){why}"
    yield f"  {start.make} {start.model}, serial number {start.serial}, {start.firmware}; its journal number {start.counter}"
    if start.buffer_ms:
        sound = "with sound" if start.has_buffer_sound else "without sound"
        yield f"  {start.buffer_ms / 1000:.1f} s from before that are kept, {sound}"


def format_capture_report_json(report: CaptureReport) -> str:
    """Write a report as one JSON document, described in docs/formats/capture.md."""
    document: dict[str, Any] = {
        "v": 1,
        "kind": CAPTURE_REPORT_KIND,
        "verdict": report.verdict.word,
        "exit_code": report.verdict.exit_code,
        "error": None,
        "camera": report.camera,
        "stream": report.stream,
        "key_id": report.key_id,
        "is_signer_known": report.is_signer_known,
        "is_closed": report.is_closed,
        "init": report.init_verdict,
        "fragments": [
            {
                "verdict": each.verdict,
                "begins_ms": each.begins_ms,
                "ends_ms": each.ends_ms,
                "seq": each.seq,
                "offset": each.offset,
                "bytes": each.size_bytes,
                "moved_bytes": each.moved_bytes,
                "reason": each.reason,
            }
            for each in report.fragments
        ],
        "gaps": [list(gap) for gap in report.gaps],
        "refused": [{"where": each.where, "reason": each.reason} for each in report.refused],
        "problems": [{"verdict": each.verdict, "text": each.text} for each in report.problems],
        "previous": report.previous
        and {
            "stream": report.previous.stream,
            "size": report.previous.size,
            "root": report.previous.root,
        },
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"

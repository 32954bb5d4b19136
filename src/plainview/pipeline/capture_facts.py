"""Turn what checking a camera's journal found into what the records keep."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from plainview.evidence.camera_rules import may_replace
from plainview.evidence.capture_actions import EventFacts, JournalFacts
from plainview.evidence.rules import NO_TRIGGER, CaptureTimes, Trigger
from plainview.formats.capture import format_capture_leaf
from plainview.verify.capture import CaptureReport, check_capture
from plainview.verify.errors import VerificationError
from plainview.verify.verdicts import OK, SIGNER_UNKNOWN, UNPROVEN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from typing import BinaryIO

    from plainview.evidence.camera_queries import KnownCameraKey
    from plainview.evidence.rules import DeviceKey
    from plainview.formats.leaf import Fact
    from plainview.formats.sealed_file import SealedHeader

# What a column of the database holds; a camera that counts beyond it is counted as this.
COUNT_LIMIT = (1 << 31) - 1
FINDING_LIMIT = 2000
CLEAN = ("ok", "not_closed")


def check_journal(
    footage: BinaryIO | None,
    *,
    header: SealedHeader,
    key: KnownCameraKey | None,
    lines: Sequence[bytes] | None,
    device: DeviceKey,
    now: datetime,
) -> tuple[CaptureReport | None, JournalFacts]:
    """Compare footage with what its camera signed.

    Lines from beside that only spoil what the footage proves by itself, and contradict nothing, are left out.

    Args:
        footage: opened; None for a journal that has none, or none yet.
        header: of the sealed file: whose it should be.
        key: the camera's, if one is admitted.
        lines: from beside the footage.
        device: the camera.
        now: when; the start of what says none.

    Returns:
        The report, None for what cannot be read at all; and what the records keep of it.
    """
    report, facts = _check(footage, lines, header=header, key=key, device=device, now=now)
    if footage is None or not lines or facts.verdict in CLEAN:
        return report, facts
    alone = _check(footage, None, header=header, key=key, device=device, now=now)
    return (report, facts) if may_replace(facts.verdict, alone[1].verdict) else alone


def _check(
    footage: BinaryIO | None,
    lines: Sequence[bytes] | None,
    *,
    header: SealedHeader,
    key: KnownCameraKey | None,
    device: DeviceKey,
    now: datetime,
) -> tuple[CaptureReport | None, JournalFacts]:
    try:
        report = check_capture(
            footage,
            camera=header.camera,
            stream=header.stream,
            public_key=None if key is None else key.public_key,
            journal=lines,
        )
    except VerificationError as error:
        return None, _facts(None, header, None, device, now, why=str(error))
    counts = key if report.is_signer_known else None
    return report, _facts(report, header, counts, device, now)


def camera_times(report: CaptureReport | None, *, duration_ms: int, zone: str) -> CaptureTimes | None:
    """Return when a recording was made by its camera's clock, as signed; None where nothing signed says so.

    Args:
        report: what was found.
        duration_ms: of the footage, as its examination found.
        zone: IANA zone of the place, for a camera that names none.
    """
    if report is None or report.start is None or report.start.trigger_at is None:
        return None
    start = report.start
    assert start.trigger_at is not None, "asked above"
    try:
        started_at = start.trigger_at - timedelta(milliseconds=start.buffer_ms)
        ended_at = started_at + timedelta(
            milliseconds=max(duration_ms, report.stop.duration_ms if report.stop else 0)
        )
    except OverflowError:
        return None
    return CaptureTimes(started_at, ended_at, _known_zone(start.zone, zone), "camera")


def trigger_of(report: CaptureReport | None) -> Trigger:
    """Return what started and ended a recording, as signed."""
    if report is None or report.start is None:
        return NO_TRIGGER
    stop = report.stop
    return Trigger(
        on_at=report.start.trigger_at,
        on_reason=report.start.trigger,
        off_at=None if stop is None else stop.at,
        off_reason="" if stop is None else stop.reason,
    )


def _known_zone(zone: str, default: str) -> str:
    try:
        return ZoneInfo(zone).key[:64]
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return default


def _facts(
    report: CaptureReport | None,
    header: SealedHeader,
    key: KnownCameraKey | None,
    device: DeviceKey,
    now: datetime,
    *,
    why: str = "",
) -> JournalFacts:
    start = None if report is None else report.start
    stop = None if report is None else report.stop
    total = 0 if report is None else min(report.fragment_count, COUNT_LIMIT)
    return JournalFacts(
        device=device,
        camera_key=None if key is None else key.key,
        stream=header.stream,
        purpose=header.purpose if start is None else start.purpose,
        boot=0 if start is None else min(start.boot, COUNT_LIMIT),
        counter=min(header.counter if start is None else start.counter, COUNT_LIMIT),
        previous_stream="" if start is None or start.previous is None else start.previous.stream,
        started_at=now if start is None else start.at,
        ended_at=None if stop is None else stop.at,
        verdict=verdict_word(UNPROVEN if report is None else report.verdict.word),
        is_closed=stop is not None,
        fragments=total,
        proven_fragments=0 if report is None else min(report.proven_count, total),
        start={} if start is None else json.loads(format_capture_leaf(start)),
        findings=_findings(report, why),
        events=() if report is None else _events(report),
        root="" if report is None or not report.roots else report.roots[max(report.roots)].hex(),
    )


def verdict_word(word: str) -> str:
    """Return a verdict of the checker in the database's spelling: "NOT CLOSED" is not_closed."""
    return word.lower().replace(" ", "_")


def _findings(report: CaptureReport | None, why: str) -> list[dict[str, Fact | None]]:
    if report is None:
        return [_finding(UNPROVEN, None, None, why)]
    found = [_finding(each.verdict, None, None, each.text) for each in report.problems]
    if report.init_verdict != OK:
        found.append(
            _finding(report.init_verdict, None, None, "What stands in front of the picture is not as signed.")
        )
    found += [
        _finding(each.verdict, each.begins_ms, each.ends_ms, each.reason)
        for each in report.fragments
        if each.verdict != OK
    ]
    found += [_finding(UNPROVEN, None, None, f"{each.where}: {each.reason}") for each in report.refused]
    if not report.is_signer_known and not report.problems:
        found.append(_finding(SIGNER_UNKNOWN, None, None, "No key of this camera is admitted."))
    return found[:FINDING_LIMIT]


def _finding(verdict: str, start_ms: int | None, end_ms: int | None, why: str) -> dict[str, Fact | None]:
    return {"verdict": verdict_word(verdict), "start_ms": start_ms, "end_ms": end_ms, "why": why}


def _events(report: CaptureReport) -> list[EventFacts]:
    return [
        EventFacts(each.seq, each.at, each.mono_ms, each.position_ms, each.event, each.facts)
        for each in report.events
        if each.seq <= COUNT_LIMIT
    ]

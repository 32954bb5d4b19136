"""A library of recordings as rows, without their files: for tests of lists and searches, and for their benchmarks."""

from datetime import timedelta

from plainview.accounts.actions import new_pseudonym
from plainview.accounts.models import Officer, Unit
from plainview.evidence.models import (
    Cue,
    Derivative,
    Device,
    Original,
    Part,
    Recording,
    SearchRow,
    Step,
    Transcript,
)
from plainview.evidence.search_actions import refresh_search_row
from plainview.formats.ids import format_identifier
from simulators.custody_rows import START
from simulators.roster import digest, original


def unit_row(code):
    return Unit.objects.create(code=code, name=f"Unit {code}", added_at=START)


def officer_row(name, badge):
    return Officer.objects.create(name=name, badge=badge, pseudonym=new_pseudonym(), added_at=START)


def device_row(serial, **more):
    given = {"make": "Axis", "model": "W110", "kind": "body", "added_at": START} | more
    return Device.objects.create(serial=serial, pseudonym=new_pseudonym(), **given)


def add_recording(number, *, minutes=0, is_dated=True, parts=1, steps=(), duration_ms=61_000, **row):
    """Add a recording with its search row: `row` is unit, wearer, device, is_restricted; `steps` are (name, state)."""
    at = START + timedelta(minutes=minutes)
    recording = Recording.objects.create(
        identifier=format_identifier(kind="R", year=2026, number=number),
        source="import",
        device=row.get("device"),
        received_at=at,
        started_at=at if is_dated else None,
        zone="America/New_York",
        clock_source="file" if is_dated else "unknown",
    )
    for part in range(1, parts + 1):
        facts = original(f"{number}/{part}")
        columns = {name: getattr(facts, name) for name in facts.__dataclass_fields__}
        bytes_ = Original.objects.create(**columns, received_at=at, state="usable", offered_name="clip.mp4")
        Part.objects.create(recording=recording, number=part, original=bytes_, offered_name="clip.mp4")
        for name, state in steps:
            Step.objects.create(
                original=bytes_,
                name=name,
                state=state,
                fraction=0.5 if state == "doing" else 0,
                queued_at=at,
                reason="no_video" if state == "parked" else "",
            )
    SearchRow.objects.create(recording=recording, shown_at=at, duration_ms=duration_ms, **row)
    refresh_search_row(recording.pk)
    return recording


def add_transcript(recording, *texts, part=1, minutes=0, notice="machine"):
    """Have a machine write down what was said in a part: one cue a text, two seconds each."""
    transcript = Transcript.objects.create(
        original=recording.parts.get(number=part).original,
        engine="none",
        model="",
        version="1",
        settings={},
        input_sha256=digest("input"),
        notice=notice,
        made_at=START + timedelta(minutes=minutes),
    )
    Cue.objects.bulk_create(
        Cue(
            transcript=transcript,
            number=number,
            start_ms=2000 * number,
            end_ms=2000 * number + 1900,
            text=text,
            words=[],
        )
        for number, text in enumerate(texts, start=1)
    )
    refresh_search_row(recording.pk)
    return transcript


def add_storyboard(recording):
    part = recording.parts.get(number=1)
    Derivative.objects.create(
        original=part.original,
        kind="storyboard",
        object_id=digest("storyboard", recording.identifier)[:32],
        object_bytes=1000,
        object_sha256=digest("ciphertext"),
        sha256=digest("bytes"),
        size_bytes=900,
        made_at=START,
        tool="plainview.media 0.1.0",
        settings={},
        facts={},
    )

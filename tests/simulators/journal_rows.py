"""What cameras said, as rows without their files: for tests of pages that show it."""

from datetime import timedelta
from hashlib import sha256

from plainview.evidence.camera_models import (
    Attachment,
    CameraEvent,
    CameraJournal,
    CameraKey,
    Marker,
    Track,
)
from plainview.evidence.models import Original
from simulators.custody_rows import START
from simulators.roster import digest, original

MINUTE = timedelta(minutes=1)


def add_key(device, *, state="admitted", word="1", at=START):
    """Let a camera have asked with a key, and be in this state."""
    return CameraKey.objects.create(
        device=device,
        name=f"cam.example.org/{device.serial}",
        public_key=sha256(f"{device.serial} {word}".encode()).hexdigest(),
        state=state,
        asked_at=at,
        admitted_at=at if state in {"admitted", "revoked"} else None,
        ended_at=at if state in {"refused", "revoked"} else None,
    )


def add_journal(device, *, counter=1, at=START, length_ms=60_000, events=(), **more):
    """Let a camera have written a journal; `events` are (milliseconds from the first picture, event, facts)."""
    purpose = more.get("purpose", "recording")
    start = {
        "mono_ms": more.pop("mono_ms", 1_000_000),
        "trigger": "button",
        "buffer_ms": 30_000,
        "buffer_setting_ms": 30_000,
        "has_buffer_sound": False,
        "clock": "dock",
        "worn": "chest",
        "firmware": "plainview 0.1.0",
        "previous": None,
    } | more.pop("start", {})
    told = {
        "camera_key": None,
        "recording": None,
        "stream": f"{counter:06d}-0badcafe",
        "purpose": purpose,
        "boot": 1,
        "counter": counter,
        "previous_stream": "",
        "started_at": at,
        "ended_at": at + timedelta(milliseconds=length_ms),
        "verdict": "ok",
        "is_closed": True,
        "fragments": 30,
        "proven_fragments": 30,
        "start": start,
        "findings": [],
        "checked_at": at + MINUTE,
    } | more
    journal = CameraJournal.objects.create(device=device, **told)
    # A journal begins with the trigger, and its events are counted from the first picture.
    first_ms = start["mono_ms"] - (0 if purpose == "shift" else start["buffer_ms"])
    CameraEvent.objects.bulk_create(
        CameraEvent(
            journal=journal,
            seq=number,
            at=at + timedelta(milliseconds=after_ms),
            mono_ms=first_ms + after_ms,
            position_ms=None if purpose == "shift" else after_ms,
            event=event,
            facts=facts,
        )
        for number, (after_ms, event, facts) in enumerate(events, start=1)
    )
    return journal


def add_marker(recording, start_ms, text, *, source="import", **more):
    return Marker.objects.create(
        recording=recording, source=source, start_ms=start_ms, text=text, recorded_at=START, **more
    )


def add_track(recording, points, *, source="sidecar"):
    return Track.objects.create(recording=recording, source=source, points=points, made_at=START)


def add_attachment(recording, name, *, kind="audit_trail"):
    """Let a file have come along with a recording; its bytes lie nowhere."""
    facts = original(digest("attachment", name))
    columns = {field: getattr(facts, field) for field in facts.__dataclass_fields__}
    kept = Original.objects.create(**columns, received_at=START, state="attached", offered_name=name)
    return Attachment.objects.create(
        original=kept, recording=recording, kind=kind, offered_name=name, received_at=START
    )

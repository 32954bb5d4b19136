"""What came with a recording from its camera: what it signed and says happened, where it was, attached files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from django.db import close_old_connections
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from plainview.evidence.camera_queries import clock_error_ms_at
from plainview.evidence.capture_queries import (
    attachment_of,
    attachments_of,
    events_of,
    journal_of,
    lights_before,
    markers_of,
    tracks_of,
    trigger_of,
)
from plainview.evidence.queries import access_recording
from plainview.evidence.rules import DeviceKey
from plainview.formats.camera_orders import key_fingerprint
from plainview.formats.capture import STOPS
from plainview.vault.errors import KeyMissingError, VaultError
from plainview.vault.reader import open_object
from plainview.web import capture_words, here
from plainview.web.camera_rows import Said, camera_rows, trigger_words
from plainview.web.camera_words import clock_words
from plainview.web.check_words import check_words
from plainview.web.guard import guarded
from plainview.web.location import draw_track
from plainview.web.recording_words import CLOCKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plainview.evidence.capture_queries import KnownAttachment, KnownJournal
    from plainview.evidence.rules import KnownRecording
    from plainview.evidence.watch_queries import KnownDerivative
    from plainview.vault.reader import SealedReader
    from plainview.web.camera_rows import CameraRows
    from plainview.web.viewer import Request

READ_BYTES: Final = 1 << 20


def said_of(recording: KnownRecording) -> Said:
    """Return what a recording's camera, and whatever else came along, says of it."""
    journal = journal_of(recording)
    return Said(
        journal=journal,
        events=[] if journal is None else events_of(journal),
        lights=[] if journal is None else lights_before(journal),
        trigger=trigger_of(recording),
        started_at=recording.times.started_at,
        markers=markers_of(recording),
    )


def rows_under_timeline(
    recording: KnownRecording, *, from_ms: int | None, length_ms: int
) -> CameraRows | None:
    """Return what stands under the timeline of a part; None where nothing is said of it."""
    if from_ms is None:
        return None
    return camera_rows(said_of(recording), from_ms=from_ms, length_ms=length_ms)


def clock_sentence(recording: KnownRecording) -> str:
    """Say whose clock a recording's times are by, and how far off that was found."""
    source = recording.times.clock_source
    journal = journal_of(recording) if source == "camera" else None
    if journal is not None:
        error_ms = clock_error_ms_at(DeviceKey(journal.device, ""), at=recording.received_at)
        if error_ms is not None:
            off = clock_words(error_ms, None)
            return f"The time is by the camera's own clock, uncorrected; it was {off} when it was docked."
    return CLOCKS[source]


def capture_facts(recording: KnownRecording, *, board: KnownDerivative | None) -> dict[str, Any]:
    """Return what the page of facts says of the camera's own account, of places, and of attached files.

    Args:
        recording: which.
        board: the storyboard of the part that is shown; None where there is none.
    """
    said = said_of(recording)
    journal = said.journal
    return {
        "journal": journal,
        "capture": None if journal is None else _capture(journal),
        "check": None
        if journal is None or journal.purpose != "function_check"
        else check_words(said.events, None if board is None else board.facts.get("lens")),
        "stop_words": _stop_words(said),
        "trigger_words": trigger_words(said),
        "trigger": said.trigger,
        "capture_unknown": capture_words.UNKNOWN,
        "does_not_prove": capture_words.DOES_NOT_PROVE,
        "tracks": [
            (capture_words.SOURCES.get(track.source, "a file that came along"), drawn)
            for track in tracks_of(recording)
            if (drawn := draw_track(track)) is not None
        ],
        "markers": said.markers,
        "attachments": [(capture_words.ATTACHMENTS[each.kind], each) for each in attachments_of(recording)],
    }


@require_safe
@guarded("recording.export")
def attachment(request: Request, identifier: str, key: str) -> HttpResponse:
    """Send a file that came along with a recording, as it was received."""
    recording = access_recording(viewer=request.viewer, identifier=identifier, to="recording.export")
    found = attachment_of(recording, key=int(key))
    if found is None:
        raise Http404
    installation = here.installation()
    try:
        reader = open_object(installation.store, installation.keys, found.object_id)
    except KeyMissingError:
        return HttpResponse("It was deleted: its key was destroyed.", status=410, content_type="text/plain")
    except VaultError:
        words = "The stored file cannot be read. Tell the administrator."
        return HttpResponse(words, status=500, content_type="text/plain")
    close_old_connections()
    answer = StreamingHttpResponse(
        _pieces(reader),
        content_type="application/octet-stream",
        headers={
            "Content-Length": str(found.size_bytes),
            "Content-Disposition": f'attachment; filename="{_file_name(recording, found)}"',
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )
    # To Django the two are unrelated; to whoever wraps a view they are answers alike.
    return cast("HttpResponse", answer)


def _capture(journal: KnownJournal) -> dict[str, Any]:
    start = journal.start
    word, sentence = capture_words.verdict_words(journal.verdict)
    key = journal.camera_key
    return {
        "word": word,
        "state": capture_words.STATES.get(journal.verdict, "stop"),
        "sentence": sentence,
        "fact": capture_words.fact_words(journal),
        "purpose": capture_words.PURPOSES[journal.purpose],
        "buffer": capture_words.buffer_words(start),
        "clock": capture_words.CLOCKS.get(str(start.get("clock")), "not known"),
        "worn": capture_words.WORN.get(str(start.get("worn")), "not known"),
        "firmware": str(start.get("firmware") or "not known"),
        "previous": capture_words.previous_words(journal),
        "findings": capture_words.findings_of(journal),
        "key": key,
        "fingerprint": "" if key is None else key_fingerprint(bytes.fromhex(key.public_key)),
    }


def _stop_words(said: Said) -> str:
    """Say why a recording ended; empty where nothing says so."""
    reason = said.trigger.off_reason
    return STOPS.get(reason, f"The camera says: {reason}." if reason else "")


def _file_name(recording: KnownRecording, found: KnownAttachment) -> str:
    """Return a name without anything that a header or a file system takes amiss."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in found.offered_name)
    return f"{recording.identifier}-{kept[-80:].lstrip('.')}"


def _pieces(reader: SealedReader) -> Iterator[bytes]:
    with reader:
        while data := reader.read(READ_BYTES):
            yield data

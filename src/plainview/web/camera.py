"""Department: one camera, its key, dockings, clock, shifts, and who allowed it to record covertly."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from plainview.accounts.name_queries import names_of
from plainview.accounts.rules import decide_place
from plainview.evidence.camera_actions import (
    admit_camera,
    allow_covert,
    end_covert,
    refuse_camera,
    revoke_camera,
)
from plainview.evidence.camera_queries import (
    camera_keys_of,
    covert_leave_at,
    covert_leaves_of,
    dockings_of,
    known_camera,
)
from plainview.evidence.camera_rules import MISSING_LIMIT
from plainview.evidence.capture_queries import (
    device_named,
    events_of_each,
    journals_of_devices,
    last_check_of,
    newest_journals_of,
    shift_journals_of,
)
from plainview.evidence.errors import FingerprintDiffersError, NotWaitingError
from plainview.formats.fields import LINE
from plainview.web import capture_words
from plainview.web.acting import actor_of
from plainview.web.bands import DOES, as_percent, legend_of, shift_spans, total_ms
from plainview.web.camera_words import (
    KEY_STATES,
    FormValueError,
    clock_words,
    local_words,
    read_local,
    settings_words,
)
from plainview.web.cameras import MEND, check_mender, overdue_after, settings_in_force
from plainview.web.check_words import check_words
from plainview.web.guard import guarded

if TYPE_CHECKING:
    from datetime import datetime

    from plainview.evidence.camera_queries import KnownCamera
    from plainview.evidence.capture_queries import KnownEvent, KnownJournal
    from plainview.web.bands import Drawn, Span
    from plainview.web.viewer import Request

DOCKINGS: Final = 50
SHIFTS: Final = 14
JOURNALS: Final = 20
STATES_TOLD: Final = ("state", "muted", "unmuted", "covert_on", "covert_off")
# Nobody allows more in one go: whoever needs longer says so again.
LONGEST_LEAVE: Final = timedelta(days=31)


@dataclass(frozen=True)
class Shift:
    """A shift as its band shows it.

    Attributes:
        journal: that says so.
        verdict: the checker's word for it.
        spans: what the camera did, by time; length_ms: of all of it.
        drawn: the same, with where each stands.
        table: each span with when it began and ended, by the camera's clock.
        totals: each state with how long it held.
    """

    journal: KnownJournal
    verdict: str
    spans: list[Span]
    length_ms: int
    drawn: list[Drawn]
    table: list[tuple[datetime, datetime, Span]]
    totals: list[tuple[str, int]]


@require_http_methods(["GET", "HEAD", "POST"])
@guarded("cameras.read")
def camera(request: Request, pseudonym: str) -> HttpResponse:
    """Show one camera; who may mend it admits, refuses or revokes its key, and allows covert recording."""
    device = device_named(pseudonym)
    if device is None:
        raise Http404
    known = known_camera(
        make=device.make, serial=device.serial, at=request.now, overdue_after=overdue_after()
    )
    errors = _change(request, known) if request.method == "POST" else {}
    if request.method == "POST" and not errors:
        return redirect("camera", pseudonym)
    leaves = covert_leaves_of(known.device)
    names = names_of(leave.allowed_by for leave in leaves)
    shifts = shift_journals_of(device=device.key, limit=SHIFTS)
    events = events_of_each(shifts, kinds=STATES_TOLD)
    bands = [_shift(journal, events[journal.key]) for journal in shifts]
    check = last_check_of(device=device.key)
    return render(
        request,
        "web/camera.html",
        {
            "camera": known,
            "keys": [(KEY_STATES[key.state], key) for key in camera_keys_of(known.device)],
            "dockings": [
                (each, clock_words(each.clock_error_ms, each.clock_doubt_ms))
                for each in dockings_of(known.device, limit=DOCKINGS)
            ],
            "summary": journals_of_devices(device=device.key).get(device.key),
            "check": None if check is None else (check.started_at, check_words(check.events, check.lens)),
            "shifts": bands,
            "legend": legend_of(span for band in bands for span in band.spans),
            "journals": [
                (capture_words.verdict_words(each.verdict)[0], capture_words.PURPOSES[each.purpose], each)
                for each in newest_journals_of(device=device.key, limit=JOURNALS)
            ],
            "leaves": [(names.get(leave.allowed_by, "somebody"), leave) for leave in leaves],
            "leave_now": covert_leave_at(known.device, at=request.now),
            "has_leave": any(leave.valid_to > request.now for leave in leaves),
            "settings": settings_words(settings_in_force(request)),
            "most_missing": MISSING_LIMIT,
            "unknown": capture_words.UNKNOWN,
            "may_mend": decide_place(request.viewer, MEND),
            "leave_from": local_words(request.now, zone=settings.PLAINVIEW_ZONE),
            "leave_to": local_words(request.now + timedelta(hours=12), zone=settings.PLAINVIEW_ZONE),
            "errors": errors,
            "given": request.POST,
            "now": request.now,
        },
        status=400 if errors else 200,
    )


def _change(request: Request, known: KnownCamera) -> dict[str, str]:
    """Do what was asked, and return what is wrong with it, by field."""
    check_mender(request)
    deed, reason = request.POST.get("deed", ""), request.POST.get("reason", "").strip()
    if deed not in DONE:
        raise Http404
    if deed != "admit" and (not reason or not LINE.match(reason)):
        return {"reason": "Say why, in one line of at most 500 characters.", "deed": deed}
    by: dict[str, Any] = {"actor": actor_of(request), "now": request.now}
    try:
        _do(request, known, deed, reason, by)
    except FormValueError as error:
        return {"time": str(error), "deed": deed}
    except (NotWaitingError, FingerprintDiffersError) as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, DONE[deed])
    return {}


# What a form of the page asks for, and what is said when it is done.
DONE: Final = {
    "admit": "Admitted: what it signs counts as this camera's.",
    "refuse": "Refused: what this key signs counts for nothing.",
    "revoke": "The key counts no longer. What it signed before stays as it was compared.",
    "covert": "Allowed. The camera hears of it when it is docked next.",
    "end_covert": "No longer allowed. The camera hears of it when it is docked next.",
}


def _do(request: Request, known: KnownCamera, deed: str, reason: str, by: dict[str, Any]) -> None:
    if deed == "covert":
        valid_from, valid_to = _leave_span(request)
        allow_covert(
            device=known.device,
            allowed_by=request.viewer.user or 0,
            reason=reason,
            valid_from=valid_from,
            valid_to=valid_to,
            **by,
        )
    elif deed == "end_covert":
        end_covert(device=known.device, reason=reason, **by)
    else:
        _answer_key(request, known, deed, reason, by)


def _answer_key(request: Request, known: KnownCamera, deed: str, reason: str, by: dict[str, Any]) -> None:
    """Admit, refuse or revoke the key that the form names; it must be one of this camera's."""
    given = request.POST.get("key", "")
    key = next((each for each in camera_keys_of(known.device) if str(each.key) == given), None)
    if key is None:
        raise Http404
    if deed == "admit":
        if not request.POST.get("compared"):
            raise FormValueError("Compare the digits with those the camera shows, and say so.")
        # What stood on the page is what was compared.
        admit_camera(key=key.key, fingerprint=request.POST.get("fingerprint", ""), **by)
    elif deed == "refuse":
        refuse_camera(key=key.key, reason=reason, **by)
    else:
        revoke_camera(key=key.key, reason=reason, **by)


def _leave_span(request: Request) -> tuple[datetime, datetime]:
    zone = settings.PLAINVIEW_ZONE
    valid_from, valid_to = (read_local(request.POST.get(name, ""), zone=zone) for name in ("from", "to"))
    if valid_to <= valid_from or valid_to <= request.now:
        raise FormValueError("It must end after it begins, and later than now.")
    if valid_to - valid_from > LONGEST_LEAVE:
        raise FormValueError(f"Allow at most {LONGEST_LEAVE.days} days at a time.")
    return valid_from, valid_to


def _shift(journal: KnownJournal, events: list[KnownEvent]) -> Shift:
    spans, length_ms = shift_spans(journal, events)
    begun = journal.started_at
    kinds = legend_of(spans)
    return Shift(
        journal=journal,
        verdict=capture_words.verdict_words(journal.verdict)[0],
        spans=spans,
        length_ms=length_ms,
        drawn=as_percent(spans, length_ms),
        table=[
            (begun + timedelta(milliseconds=s.start_ms), begun + timedelta(milliseconds=s.end_ms), s)
            for s in spans
        ],
        totals=[(DOES[span.kind], total_ms(spans, span.kind)) for span in kinds],
    )

"""One recording: watch it, its facts, its custody, export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from plainview.accounts.name_queries import names_of, officer_key_with_badge, officers
from plainview.accounts.rules import decide
from plainview.custody.act_queries import acts_on_recording
from plainview.evidence.actions import lift_restriction, note_opened, restrict_recording, set_wearer
from plainview.evidence.capture_queries import attachments_of
from plainview.evidence.queries import access_recording
from plainview.evidence.watch_queries import (
    cues_of,
    heading_of,
    parts_of,
    restriction_of,
    watched,
    wearers_of,
)
from plainview.formats.fields import LINE
from plainview.formats.receipt import format_receipt, make_receipt
from plainview.media.derived import WARNINGS as COPY_WARNINGS
from plainview.media.playable import COPY_REASONS, needs_copy
from plainview.media.transcript import NOTICES
from plainview.web import here, recording_custody, recording_words
from plainview.web.acting import actor_of
from plainview.web.guard import guarded
from plainview.web.parts import part_number, switcher
from plainview.web.played import find_played, probe_of
from plainview.web.recording_capture import capture_facts, clock_sentence, rows_under_timeline
from plainview.web.recording_state import address_of_part, part_started_at, player_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plainview.accounts.rules import OfficerKey
    from plainview.evidence.rules import KnownRecording
    from plainview.evidence.watch_queries import Heading, KnownPart, Watched
    from plainview.web.viewer import Request

TABS: Final = (
    ("Watch", "recording"),
    ("Facts", "recording_facts"),
    ("Custody", "recording_custody"),
    ("Export", "recording_export"),
)
# A list to choose from; with more, the badge number is typed.
OFFERED_OFFICERS: Final = 500


@require_safe
@guarded("recording.see")
def watch(request: Request, identifier: str) -> HttpResponse:
    """Show a recording to watch; that it was opened is an act."""
    recording = access_recording(viewer=request.viewer, identifier=identifier)
    if recording.identifier != identifier:
        return redirect("recording", recording.identifier)
    if request.method == "GET":
        note_opened(recording=recording, actor=actor_of(request), now=request.now)
    heading, (part, parts, from_ms) = heading_of(recording), _asked_part(request, recording)
    state = player_state(recording, heading, part, from_ms=from_ms)
    return page_of(
        request,
        recording,
        heading,
        "recording",
        part=part,
        parts=switcher(parts, recording=recording, number=part.number, page="recording"),
        part_started_at=part_started_at(recording, from_ms),
        state=state,
        progress=address_of_part("recording_progress", identifier=recording.identifier, number=part.number),
        rows=rows_under_timeline(recording, from_ms=from_ms, length_ms=state["duration_ms"]),
        clock_words=clock_sentence(recording),
    )


@require_safe
@guarded("recording.see")
def progress(request: Request, identifier: str) -> HttpResponse:
    """Say how far what is being made of a recording is; asking is not opening."""
    recording = access_recording(viewer=request.viewer, identifier=identifier)
    part, _, from_ms = _asked_part(request, recording)
    response = JsonResponse(player_state(recording, heading_of(recording), part, from_ms=from_ms))
    response["Cache-Control"] = "private, no-store"
    return response


@require_safe
@guarded("recording.see")
def transcript(request: Request, identifier: str) -> HttpResponse:
    """Send what a machine took the speech to be, with how far that can be trusted."""
    recording = access_recording(viewer=request.viewer, identifier=identifier)
    found = watched(recording, number=part_number(request)).transcript
    if found is None:
        raise Http404
    cues = [
        {
            "start_ms": cue.start_ms,
            "end_ms": cue.end_ms,
            "words": cue.words or [[cue.start_ms, cue.end_ms, cue.text, None]],
        }
        for cue in cues_of(found)
    ]
    made = recording_words.transcript_words(found)
    response = JsonResponse({"notice": NOTICES[found.notice], "made": made, "cues": cues})
    response["Cache-Control"] = "private, no-store"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@guarded("recording.see")
def facts(request: Request, identifier: str) -> HttpResponse:
    """Show what is known of a recording; a custodian corrects who wore the camera, and restricts it."""
    recording = access_recording(viewer=request.viewer, identifier=identifier)
    errors = _change(request, recording) if request.method == "POST" else {}
    if request.method == "POST" and not errors:
        return redirect("recording_facts", recording.identifier)
    heading, (part, parts, _) = heading_of(recording), _asked_part(request, recording)
    probed = probe_of(part.found)
    may_mend = decide(request.viewer, "recording.mend", heading.footage)
    may_restrict = decide(request.viewer, "recording.restrict", heading.footage)
    return page_of(
        request,
        recording,
        heading,
        "recording_facts",
        part=part,
        parts=switcher(parts, recording=recording, number=part.number, page="recording_facts"),
        **capture_facts(recording, board=part.derivatives.get("storyboard")),
        may_export=decide(request.viewer, "recording.export", heading.footage),
        made=_made(part),
        transcript_words=recording_words.transcript_words(part.transcript) if part.transcript else "",
        probed=probed,
        container=""
        if probed is None
        else recording_words.CONTAINERS.get(probed.container, probed.container),
        streams=[]
        if probed is None
        else [
            (recording_words.KINDS[stream.kind], recording_words.stream_words(stream), stream)
            for stream in probed.streams
        ],
        warnings=[] if probed is None else recording_words.warning_words(probed),
        # What was examined before signatures were looked for says nothing of them.
        signatures=None
        if probed is None or "signatures" not in part.found
        else recording_words.signature_words(probed),
        clock_words=clock_sentence(recording),
        wearers=[(wearer, recording_words.BASES[wearer.basis]) for wearer in wearers_of(recording)],
        may_mend=may_mend,
        may_restrict=may_restrict,
        restriction=restriction_of(recording) if may_restrict else None,
        officers=officers(limit=OFFERED_OFFICERS) if may_mend else [],
        errors=errors,
        given=request.POST,
        status=400 if errors else 200,
    )


@require_safe
@guarded("recording.see")
def custody(request: Request, identifier: str) -> HttpResponse:
    """Show everything that was done to a recording, and what of it a signed checkpoint covers."""
    recording = access_recording(viewer=request.viewer, identifier=identifier)
    parts = parts_of(recording)
    # A journal that came before its footage was received under its own name.
    kept = [part.object_id for part in parts] + [each.object_id for each in attachments_of(recording)]
    acts = acts_on_recording(recording.identifier, objects=[f"original:{each}" for each in kept])
    rows = recording_custody.rows(
        acts, installation=here.installation(), names=names_of(a.actor for a in acts)
    )
    return page_of(
        request,
        recording,
        heading_of(recording),
        "recording_custody",
        rows=rows,
        checkpoint=recording_custody.newest_checkpoint(here.installation()),
        receipts=[
            (part.number, address_of_part("recording_receipt", identifier=identifier, number=part.number))
            for part in parts
            if recording_custody.received(acts, sha256=part.sha256) is not None
        ],
        waiting_count=sum(not row.is_covered for row in rows),
    )


@require_safe
@guarded("recording.see")
def receipt(request: Request, identifier: str) -> HttpResponse:
    """Send the receipt of a part's original: its leaf, and the proof that it is in the log."""
    recording = access_recording(viewer=request.viewer, identifier=identifier)
    acts = acts_on_recording(recording.identifier)
    part = watched(recording, number=part_number(request))
    act = recording_custody.received(acts, sha256=part.sha256)
    if act is None or act.epoch is None or act.index is None:
        raise Http404
    log = here.installation().log_of(act.epoch)
    if act.index >= log.size():
        raise Http404
    data = format_receipt(make_receipt(log.entry(act.index), log.prove(act.index)))
    response = HttpResponse(data, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{_receipt_name(recording, part)}"'
    return response


def _receipt_name(recording: KnownRecording, part: Watched) -> str:
    return f"{recording.identifier}{'' if part.number == 1 else f'_{part.number}'}-receipt.json"


def _asked_part(
    request: Request, recording: KnownRecording
) -> tuple[Watched, Sequence[KnownPart], int | None]:
    """Return the part that is asked for, every part, and where the one asked for begins in the recording."""
    part, parts = watched(recording, number=part_number(request)), parts_of(recording)
    return part, parts, next(each.start_ms for each in parts if each.number == part.number)


def page_of(
    request: Request,
    recording: KnownRecording,
    heading: Heading,
    name: str,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    """Answer one of a recording's pages, with what stands above all of them."""
    tabs = [(words, reverse(tab, args=[recording.identifier]), tab == name) for words, tab in TABS]
    if not decide(request.viewer, "recording.export", heading.footage):
        tabs = [tab for tab in tabs if tab[0] != "Export"]
    return render(
        request,
        f"web/{name}.html",
        {"recording": recording, "heading": heading, "tabs": tabs, "zone": recording.times.zone, **more},
        status=status,
    )


def _change(request: Request, recording: KnownRecording) -> dict[str, str]:
    """Do what was asked, and return what is wrong with it, by field."""
    reason = request.POST.get("reason", "").strip()
    deed = request.POST.get("deed", "")
    if deed not in DEEDS:
        raise Http404
    access_recording(viewer=request.viewer, identifier=recording.identifier, to=DEEDS[deed])
    if not reason or not LINE.match(reason):
        return {"reason": "Say why, in one line of at most 500 characters.", "deed": deed}
    by: dict[str, Any] = {"actor": actor_of(request), "now": request.now, "reason": reason}
    if deed == "wearer":
        try:
            officer = _officer(request.POST.get("badge", "").strip())
        except LookupError:
            return {"badge": "There is nobody on the roster with this badge number.", "deed": deed}
        set_wearer(recording=recording, officer=officer, **by)
        messages.success(request, "The wearer was corrected. What was believed before stays readable below.")
    elif deed == "restrict":
        restrict_recording(recording=recording, **by)
        messages.success(request, "Restricted: that it exists is shown, what it holds is not.")
    else:
        lift_restriction(recording=recording, **by)
        messages.success(request, "The restriction was lifted.")
    return {}


# What a form of the facts page asks for, and the leave it needs.
DEEDS: Final = {"wearer": "recording.mend", "restrict": "recording.restrict", "lift": "recording.restrict"}


def _officer(badge: str) -> OfficerKey | None:
    """Return who has a badge number; an empty one is "nobody known".

    Raises:
        LookupError: nobody has it.
    """
    if not badge:
        return None
    officer = officer_key_with_badge(badge)
    if officer is None:
        raise LookupError(badge)
    return officer


def _made(part: Watched) -> list[dict[str, Any]]:
    """Return what was made of the original, each with what a person should know of it."""
    names = {"viewing_copy": "Viewing copy", "storyboard": "Storyboard", "waveform": "Waveform"}
    made: list[dict[str, Any]] = [
        {
            "name": names[kind],
            "row": part.derivatives[kind],
            "warnings": [COPY_WARNINGS[code] for code in part.derivatives[kind].facts.get("warnings", ())],
        }
        for kind in names
        if kind in part.derivatives
    ]
    probed, played = probe_of(part.found), find_played(part)
    if "viewing_copy" not in part.derivatives and probed is not None:
        why = needs_copy(probed)
        said = "None is needed: browsers play the original." if why is None else COPY_REASONS[why]
        is_none = why is None and played is not None
        made.insert(
            0, {"name": "Viewing copy", "words": said if is_none else f"Not made yet. {said}", "warnings": []}
        )
    return made

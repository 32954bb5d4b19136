"""Department: every camera, those overdue first, and the docks."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from plainview.accounts.rules import decide_place
from plainview.evidence.camera_actions import add_dock, close_dock
from plainview.evidence.camera_queries import has_open_dock, known_cameras, known_docks, settings_at
from plainview.evidence.camera_rules import MISSING_LIMIT
from plainview.evidence.capture_queries import journals_of_devices
from plainview.evidence.errors import DockNameTakenError, NoSuchDockError
from plainview.formats.camera_orders import CameraSettings
from plainview.formats.fields import LINE
from plainview.web import capture_words
from plainview.web.acting import actor_of
from plainview.web.camera_words import KEY_STATES, clock_words, settings_words
from plainview.web.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plainview.evidence.camera_queries import KnownCamera
    from plainview.evidence.capture_queries import JournalsSummary
    from plainview.web.viewer import Request

# More than a person looks through; the rest is found by its number or its wearer.
SHOWN: Final = 300
LONGEST_NAME: Final = 64
TOKEN_BYTES: Final = 32
MEND: Final = "cameras.mend"


@dataclass(frozen=True)
class CameraRow:
    """A camera as its row shows it.

    Attributes:
        camera: as it is known.
        key_words: what stands of its key; empty for one that does not sign.
        clock: how far off its clock was when it was docked last.
        journals: what its own journals say; None where it hands in none.
        missing: how many recordings its own count leaves out.
        verdict: the checker's word for its newest journal.
    """

    camera: KnownCamera
    key_words: str
    clock: str
    journals: JournalsSummary | None
    missing: int
    verdict: str


@require_http_methods(["GET", "HEAD", "POST"])
@guarded("cameras.read")
def cameras(request: Request) -> HttpResponse:
    """Show cameras and docks; who may mend them adds and closes docks."""
    errors: dict[str, str] = {}
    token = ""
    if request.method == "POST":
        token, errors = _change(request)
        if not token and not errors:
            return redirect("cameras")
    asked = request.GET.get("q", "").strip()[:100]
    found = known_cameras(at=request.now, overdue_after=overdue_after())
    fitting = [camera for camera in found if _fits(camera, asked)]
    # What asks for somebody first; the rest as it came, by make and number.
    fitting.sort(key=lambda camera: (not camera.is_overdue, not _waits(camera)))
    journals = journals_of_devices()
    docks = known_docks()
    response = render(
        request,
        "web/cameras.html",
        {
            "rows": [_row(camera, journals) for camera in fitting[:SHOWN]],
            "fitting": len(fitting),
            "count": len(found),
            "overdue": sum(camera.is_overdue for camera in found),
            "asked": asked,
            "waiting": [camera.key for camera in found if _waits(camera)],
            "docks": docks,
            "settings": settings_words(settings_in_force(request)),
            "may_mend": decide_place(request.viewer, MEND),
            "unknown": capture_words.UNKNOWN,
            "most_missing": MISSING_LIMIT,
            "token": token,
            "errors": errors,
            "given": request.POST,
            "now": request.now,
        },
        status=400 if errors else 200,
    )
    # A token is shown once: no browser keeps the page that has it.
    response["Cache-Control"] = "private, no-store"
    return response


def overdue_after() -> timedelta:
    """Return how long a camera may stay away from every dock; for ever, where there is none."""
    after: timedelta = settings.PLAINVIEW_OVERDUE_AFTER
    return after if has_open_dock() else timedelta.max


def settings_in_force(request: Request) -> CameraSettings:
    """Return how cameras record now."""
    return settings_at(request.now, default=CameraSettings(zone=settings.PLAINVIEW_ZONE))


def check_mender(request: Request) -> None:
    """Raise unless whoever asks may change cameras and docks.

    Raises:
        Http404: they may not; what they asked for is not there for them.
    """
    if not decide_place(request.viewer, MEND):
        raise Http404


def _change(request: Request) -> tuple[str, dict[str, str]]:
    """Do what was asked.

    Returns:
        The token of a dock that was added, or ""; and what is wrong with the form, by field.
    """
    check_mender(request)
    deed, name = request.POST.get("deed", ""), request.POST.get("name", "").strip()
    by: dict[str, Any] = {"actor": actor_of(request), "now": request.now}
    if deed == "add_dock":
        if not name or len(name) > LONGEST_NAME or not LINE.match(name):
            return "", {"name": f"Give it a name, in one line of at most {LONGEST_NAME} characters."}
        token = secrets.token_urlsafe(TOKEN_BYTES)
        try:
            add_dock(name=name, token_sha256=hashlib.sha256(token.encode()).hexdigest(), **by)
        except DockNameTakenError as error:
            return "", {"name": str(error)}
        return token, {}
    if deed != "close_dock":
        raise Http404
    try:
        close_dock(name=name, **by)
    except NoSuchDockError:
        messages.warning(request, "That dock is closed already, or was never there. Nothing was changed.")
    else:
        messages.success(request, f"{name} is closed: it can hand in nothing any more.")
    return "", {}


def _row(camera: KnownCamera, journals: Mapping[int, JournalsSummary]) -> CameraRow:
    own = journals.get(camera.device.pk)
    docking = camera.docking
    return CameraRow(
        camera=camera,
        key_words="" if camera.key is None else KEY_STATES[camera.key.state],
        clock="" if docking is None else clock_words(docking.clock_error_ms, docking.clock_doubt_ms),
        journals=own,
        missing=0 if own is None else len(own.missing),
        verdict="" if own is None else capture_words.verdict_words(own.last_verdict)[0],
    )


def _waits(camera: KnownCamera) -> bool:
    return camera.key is not None and camera.key.state == "waiting"


def _fits(camera: KnownCamera, asked: str) -> bool:
    said = f"{camera.make} {camera.model} {camera.serial} {camera.name} {camera.badge}".casefold()
    return all(word in said for word in asked.casefold().split())

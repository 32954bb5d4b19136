"""Department: how cameras record, from when on, and how they did before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from plainview.accounts.rules import decide_place
from plainview.evidence.camera_actions import set_camera_settings
from plainview.evidence.camera_queries import policies
from plainview.formats.fields import LINE
from plainview.web.acting import actor_of
from plainview.web.camera_words import (
    NUMBERS,
    SIZES,
    FormValueError,
    limits_words,
    local_words,
    number_words,
    read_local,
    read_settings,
    settings_words,
    size_words,
)
from plainview.web.cameras import MEND, check_mender, settings_in_force
from plainview.web.capture_words import WORN
from plainview.web.guard import guarded

if TYPE_CHECKING:
    from django.http import HttpResponse

    from plainview.formats.camera_orders import CameraSettings
    from plainview.web.viewer import Request


@require_http_methods(["GET", "HEAD", "POST"])
@guarded("cameras.read")
def camera_settings(request: Request) -> HttpResponse:
    """Show how cameras record, and let whoever may mend them set it."""
    before = settings_in_force(request)
    errors: dict[str, str] = {}
    if request.method == "POST":
        check_mender(request)
        errors = _change(request, before)
        if not errors:
            messages.success(request, "Set. Each camera hears of it when it is docked next.")
            return redirect("camera_settings")
    return render(
        request,
        "web/camera_settings.html",
        {
            "now_in_force": settings_words(before),
            "policies": [(settings_words(each.settings), each) for each in policies()],
            "numbers": [_field(name, before, request, errors) for name in NUMBERS],
            "sizes": [size_words(size) for size in sorted({*SIZES, (before.width_px, before.height_px)})],
            "size": request.POST.get("size") or size_words((before.width_px, before.height_px)),
            "worn": WORN.items(),
            "worn_now": request.POST.get("worn") or before.worn,
            "has_buffer_sound": bool(request.POST.get("has_buffer_sound"))
            if request.method == "POST"
            else before.has_buffer_sound,
            "from": request.POST.get("from") or local_words(request.now, zone=settings.PLAINVIEW_ZONE),
            "may_mend": decide_place(request.viewer, MEND),
            "errors": errors,
            "given": request.POST,
            "now": request.now,
        },
        status=400 if errors else 200,
    )


def _change(request: Request, before: CameraSettings) -> dict[str, str]:
    """Set what was asked for, and return what is wrong with it, by field."""
    found, errors = read_settings(request.POST.dict(), before=before)
    reason = request.POST.get("reason", "").strip()
    if not reason or not LINE.match(reason):
        errors["reason"] = "Say why, in one line of at most 500 characters."
    valid_from = request.now
    try:
        # The field has no seconds: what it says of this minute is now. What was in force in the past stays so.
        valid_from = max(request.now, read_local(request.POST.get("from", ""), zone=settings.PLAINVIEW_ZONE))
    except FormValueError as error:
        errors["from"] = str(error)
    if not errors:
        set_camera_settings(
            settings=found, valid_from=valid_from, reason=reason, actor=actor_of(request), now=request.now
        )
    return errors


def _field(name: str, before: CameraSettings, request: Request, errors: dict[str, str]) -> dict[str, str]:
    label, unit, scale = NUMBERS[name]
    return {
        "name": name,
        "label": f"{label}, {unit}" if unit else label,
        "limits": limits_words(name),
        "value": request.POST.get(name) or number_words(getattr(before, name), scale),
        "error": errors.get(name, ""),
    }

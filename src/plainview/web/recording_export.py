"""Make a package of a recording for one named recipient, and hand it over."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final, cast

from django.db import close_old_connections
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from plainview.evidence.queries import access_recording, originals_of
from plainview.evidence.watch_queries import heading_of
from plainview.formats.fields import LINE
from plainview.formats.note import format_vkey
from plainview.pipeline.errors import PipelineError
from plainview.vault.errors import VaultError
from plainview.web import here, packages
from plainview.web.acting import actor_of
from plainview.web.guard import guarded
from plainview.web.recording import page_of
from plainview.web.words import format_size

if TYPE_CHECKING:
    from plainview.evidence.rules import KnownRecording
    from plainview.web.viewer import Request

DO: Final = "recording.export"
FIELDS: Final = {"recipient": "for whom it is", "purpose": "what it is for"}


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(DO)
def export(request: Request, identifier: str) -> HttpResponse:
    """Ask for whom and for what; make the package, and offer it."""
    recording = access_recording(viewer=request.viewer, identifier=identifier, to=DO)
    packages.drop_old_packages(here.installation(), now=request.now)
    size_bytes = sum(original.facts.size_bytes for original in originals_of(recording))
    errors: dict[str, str] = {}
    if request.method == "POST":
        errors = _wrong(request, size_bytes)
        made = None if errors else _make(request, recording, errors)
        if made is not None:
            address = reverse("recording_export", args=[recording.identifier])
            return redirect(f"{address}?package={made}")
    return page_of(
        request,
        recording,
        heading_of(recording),
        "recording_export",
        size_bytes=size_bytes,
        is_large=size_bytes > packages.MOST_BYTES,
        package=_offered(request, recording),
        key=format_vkey(here.installation().signer.key),
        errors=errors,
        given=request.POST,
        status=400 if errors else 200,
    )


@require_safe
@guarded(DO)
def package(request: Request, identifier: str, name: str) -> HttpResponse:
    """Send a package to who made it."""
    recording = access_recording(viewer=request.viewer, identifier=identifier, to=DO)
    path = packages.find_package(here.installation(), name=name, owner=request.viewer.pseudonym)
    if path is None:
        raise Http404
    size_bytes = path.stat().st_size
    pieces = packages.pieces_of(path)
    try:
        next(pieces)
    except packages.BusyError:
        return HttpResponse(
            "As many packages are being fetched as may be at once. Try again in a minute.",
            status=503,
            content_type="text/plain",
            headers={"Retry-After": "60"},
        )
    close_old_connections()
    answer = StreamingHttpResponse(
        pieces,
        content_type="application/zip",
        headers={
            "Content-Length": str(size_bytes),
            "Content-Disposition": f'attachment; filename="{recording.identifier}-package.zip"',
            "Cache-Control": "private, no-store",
        },
    )
    # To Django the two are unrelated; to whoever wraps a view they are answers alike.
    return cast("HttpResponse", answer)


def _wrong(request: Request, size_bytes: int) -> dict[str, str]:
    errors = {
        name: f"Say {what}, in one line of at most 500 characters."
        for name, what in FIELDS.items()
        if not (said := request.POST.get(name, "").strip()) or not LINE.match(said)
    }
    if size_bytes > packages.MOST_BYTES:
        errors["package"] = f"It is larger than {format_size(packages.MOST_BYTES)}; use the command line."
    return errors


def _make(request: Request, recording: KnownRecording, errors: dict[str, str]) -> str | None:
    """Make the package and return its name, or say what kept it from being made."""
    try:
        return packages.make_package(
            here.installation(),
            recording=recording,
            recipient=request.POST["recipient"].strip(),
            purpose=request.POST["purpose"].strip(),
            owner=request.viewer.pseudonym,
            actor=actor_of(request),
            now=request.now,
        )
    except packages.BusyError:
        errors["package"] = "Another package is being made. Try again in a minute."
    except (PipelineError, VaultError) as error:
        errors["package"] = str(error)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        errors["package"] = "The disk is full. Nothing was made; tell the administrator."
    return None


def _offered(request: Request, recording: KnownRecording) -> str | None:
    """Return where the package that was just made is to be fetched."""
    name = request.GET.get("package", "")
    if packages.find_package(here.installation(), name=name, owner=request.viewer.pseudonym) is None:
        return None
    return reverse("recording_package", args=[recording.identifier, name])

"""Hand in files, resumably: tus 1.0.

The bytes go straight into the vault, encrypted (vault.incoming); what is acknowledged is on the disk, and survives
whatever happens to this process. No connection to the database is held while bytes flow: who asks is decided before,
and what came is noted after. When all has come, a job takes the file in (pipeline.uploads), and the same address says
what became of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.http import http_date

from plainview.evidence.errors import NoSuchUploadError, TooManyUploadsError
from plainview.evidence.upload_actions import begin_upload, store_upload
from plainview.evidence.upload_queries import access_upload
from plainview.pipeline.handing_in import REFUSED, check_room, drain, refusal_of, take_piece
from plainview.pipeline.uploads import give_up
from plainview.service import tus
from plainview.service.tus import RequestError
from plainview.vault.incoming import begin_incoming, drop_incoming, incoming_offset
from plainview.web import here
from plainview.web.acting import actor_of
from plainview.web.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plainview.evidence.upload_queries import KnownUpload
    from plainview.web.viewer import Request

# What the records may answer, as the statuses that tus clients know.
STATUSES: dict[type[Exception], int] = {NoSuchUploadError: 404, TooManyUploadsError: 429}


@guarded("uploads.make")
def uploads(request: Request) -> HttpResponse:
    """Say what is spoken here, or make place for a file."""
    return _answer(request, {"OPTIONS": _options, "POST": _create})


@guarded("uploads.make")
def upload(request: Request, name: str) -> HttpResponse:
    """Add to a file, say how much of it has come or what became of it, or give it up."""
    deeds: dict[str, Callable[..., HttpResponse]]
    deeds = {"OPTIONS": _options, "GET": _result, "HEAD": _offset, "PATCH": _add, "DELETE": _cancel}
    return _answer(request, deeds, name=name)


def _answer(request: Request, deeds: dict[str, Callable[..., HttpResponse]], **given: str) -> HttpResponse:
    method = request.method or ""
    if method == "POST":
        # Some networks let nothing else through.
        method = request.headers.get("X-HTTP-Method-Override", method).upper()
    try:
        _check_method(request, method, deeds)
        response = deeds[method](request, **given)
    except REFUSED as error:
        said = refusal_of(error)
        response = _refusal(request, said.status, said.text, said.headers)
    except tuple(STATUSES) as error:
        status = next(status for kind, status in STATUSES.items() if isinstance(error, kind))
        response = _refusal(request, status, str(error), {})
    response["Tus-Resumable"] = tus.VERSION
    response["Cache-Control"] = "no-store"
    return response


def _check_method(request: Request, method: str, deeds: dict[str, Callable[..., HttpResponse]]) -> None:
    if method not in deeds:
        raise RequestError(405, "Not here.", {"Allow": ", ".join(deeds)})
    if method not in {"OPTIONS", "GET"}:
        tus.check_version(request.headers)


def _refusal(request: Request, status: int, text: str, headers: Mapping[str, str]) -> HttpResponse:
    drain(request, status)
    return HttpResponse(text, status=status, headers=headers, content_type="text/plain; charset=utf-8")


def _options(request: Request, **_: str) -> HttpResponse:  # noqa: ARG001 - it is the same for all
    return HttpResponse(
        status=204,
        headers={
            "Tus-Version": tus.VERSION,
            "Tus-Extension": tus.EXTENSIONS,
            "Tus-Checksum-Algorithm": ",".join(tus.ALGORITHMS),
            "Tus-Max-Size": str(tus.LIMIT_BYTES),
        },
    )


def _create(request: Request) -> HttpResponse:
    announced = tus.parse_announcement(request.headers)
    check_room(here.installation(), announced.size_bytes)
    user = request.viewer.user
    assert user is not None, "the guard lets nobody in who is not signed in"
    store, keys = here.installation().store, here.installation().keys
    name = begin_incoming(store, keys, size_bytes=announced.size_bytes)
    try:
        begin_upload(
            name=name,
            user=user,
            offered_name=announced.offered_name,
            size_bytes=announced.size_bytes,
            actor=actor_of(request),
            now=request.now,
        )
    except BaseException:
        drop_incoming(store, keys, name)
        raise
    ours = access_upload(viewer=request.viewer, name=name)
    response = HttpResponse(status=201, headers={"Location": reverse("upload", kwargs={"name": name})})
    if request.headers.get("Content-Type") == tus.PIECE_TYPE:
        _say_offset(response, ours, _take_piece(request, ours, 0))
    return _say_expiry(response, ours)


def _offset(request: Request, name: str) -> HttpResponse:
    ours = _ours(request, name)
    offset = ours.size_bytes
    if ours.state == "receiving":
        offset = incoming_offset(here.installation().store, name)
        if offset == ours.size_bytes:
            # Who sent the last piece was stopped before that could be noted.
            store_upload(name=name)
    response = _say_offset(HttpResponse(), ours, offset)
    response["Upload-Length"] = str(ours.size_bytes)
    return _say_expiry(response, ours)


def _add(request: Request, name: str) -> HttpResponse:
    ours = _ours(request, name)
    tus.check_piece_type(request.headers)
    offset = tus.parse_offset(request.headers)
    if ours.state != "receiving":
        raise RequestError(409, f"All {ours.size_bytes} bytes have come.")
    offset = _take_piece(request, ours, offset)
    return _say_expiry(_say_offset(HttpResponse(status=204), ours, offset), ours)


def _cancel(request: Request, name: str) -> HttpResponse:
    ours = _ours(request, name)
    text = "Given up by whoever sent it."
    if not give_up(here.installation(), ours, "cancelled", text, actor_of(request), now=request.now):
        raise RequestError(409, "All of it has come already, so it cannot be given up.")
    return HttpResponse(status=204)


def _result(request: Request, name: str) -> HttpResponse:
    """Say what became of it; see docs/ingest.md."""
    ours = access_upload(viewer=request.viewer, name=name)
    address = None if ours.recording is None else reverse("recording", args=[ours.recording])
    return JsonResponse(
        {
            "state": ours.state,
            "identifier": ours.recording,
            "address": address,
            "reason": ours.reason or None,
            "reason_text": ours.reason_text or None,
        }
    )


def _ours(request: Request, name: str) -> KnownUpload:
    """Return the viewer's own upload, if its bytes are here or became something."""
    ours = access_upload(viewer=request.viewer, name=name)
    if ours.is_gone(request.now):
        raise RequestError(410, ours.reason_text or "The rest did not come in time. Begin anew.")
    return ours


def _take_piece(request: Request, ours: KnownUpload, offset: int) -> int:
    """Keep what the body holds, as far as it fills chunks, and return the new offset, durable."""
    taken = take_piece(
        here.installation(), request, name=ours.name, size_bytes=ours.size_bytes, offset=offset
    )
    if taken.is_whole:
        store_upload(name=ours.name)
    return taken.offset


def _say_offset(response: HttpResponse, ours: KnownUpload, offset: int) -> HttpResponse:
    response["Upload-Offset"] = str(min(offset, ours.size_bytes))
    return response


def _say_expiry(response: HttpResponse, ours: KnownUpload) -> HttpResponse:
    if ours.state == "receiving":
        response["Upload-Expires"] = http_date(ours.expires_at.timestamp())
    return response

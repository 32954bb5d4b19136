"""Bytes of a recording and of what is derived from it.

A video is answered in pieces (web.ranges), each read and checked whole before its first byte leaves: at most 4 MiB in
memory for a player that stops reading, and neither a thread nor a database connection that waits for it. A chunk that
is not what was sealed is an error with a sentence, not a picture that breaks off.

Nothing of a video is kept by the browser: stations are shared, and a restriction placed now holds now. A poster or a
storyboard may be kept for minutes, by one browser and for one session, so that a list does not ask for fifty again.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from django.db import close_old_connections
from django.http import Http404, HttpResponse, JsonResponse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from plainview.evidence.queries import access_recording
from plainview.evidence.watch_queries import derivative_of, playable_part
from plainview.vault.derivative import open_derivative
from plainview.vault.errors import KeyMissingError, VaultError
from plainview.vault.reader import open_object
from plainview.web import here, peaks
from plainview.web.guard import guarded
from plainview.web.parts import part_number
from plainview.web.played import ORIGINAL, Played, find_played
from plainview.web.ranges import Piece, find_piece, range_applies

if TYPE_CHECKING:
    from collections.abc import Callable

    from plainview.evidence.watch_queries import KnownDerivative
    from plainview.vault.reader import SealedReader
    from plainview.web.viewer import Request

NOT_KEPT: Final = "private, no-store"
KEPT_MINUTES: Final = "private, max-age=300"

_log = logging.getLogger(__name__)


@require_safe
@guarded("recording.see")
def video(request: Request, identifier: str) -> HttpResponse:
    """Send one run of bytes of what is played; absent while there is nothing to play."""
    recording = access_recording(viewer=request.viewer, identifier=identifier)
    played = find_played(playable_part(recording, number=part_number(request)))
    if played is None:
        raise Http404
    return _send_piece(request, played)


@require_safe
@guarded("recording.see")
def storyboard(request: Request, identifier: str) -> HttpResponse:
    """Send the sheet of small pictures; what is in it stands in the page."""
    found = _derivative(request, identifier, "storyboard")
    sheet_bytes = found.size_bytes - _poster_bytes(found)
    piece = Piece(0, sheet_bytes - 1, found.size_bytes)
    return _send_part(request, found, piece, name="sheet", answer=_picture)


@require_safe
@guarded("recording.see")
def poster(request: Request, identifier: str) -> HttpResponse:
    """Send the one small picture that stands for the recording in lists."""
    found = _derivative(request, identifier, "storyboard")
    first = found.size_bytes - _poster_bytes(found)
    if first == found.size_bytes:
        raise Http404
    piece = Piece(first, found.size_bytes - 1, found.size_bytes)
    return _send_part(request, found, piece, name="poster", answer=_picture)


@require_safe
@guarded("recording.see")
def waveform(request: Request, identifier: str) -> HttpResponse:
    """Send the loudness of a recording, at one resolution that a screen can show."""
    found = _derivative(request, identifier, "waveform")
    level = peaks.fitting_level(found.facts["levels"])
    first = level["from_byte"]
    piece = Piece(first, first + 2 * level["bin_count"] - 1, found.size_bytes)

    def drawn(data: memoryview) -> HttpResponse:
        return JsonResponse(peaks.for_page(found.facts, level, data))

    return _send_part(request, found, piece, name="waveform", answer=drawn)


def _derivative(request: Request, identifier: str, kind: str) -> KnownDerivative:
    recording = access_recording(viewer=request.viewer, identifier=identifier)
    found = derivative_of(recording, kind, number=part_number(request))
    if found is None:
        raise Http404
    return found


def _poster_bytes(found: KnownDerivative) -> int:
    return int(found.facts.get("poster_bytes", 0))


def _picture(data: memoryview) -> HttpResponse:
    return HttpResponse(data, content_type="image/jpeg")


def _send_part(
    request: Request,
    found: KnownDerivative,
    part: Piece,
    *,
    name: str,
    answer: Callable[[memoryview], HttpResponse],
) -> HttpResponse:
    """Send a part of a derivative; whoever has it already is told so, which costs next to nothing."""
    etag = f'"{found.sha256[:32]}-{name}"'
    if request.headers.get("If-None-Match") == etag:
        response = HttpResponse(status=HTTPStatus.NOT_MODIFIED)
    else:
        try:
            response = answer(_read(_open_derivative(found), part))
        except VaultError as error:
            return _unreadable(error)
    response["ETag"] = etag
    return _guarded_bytes(response, KEPT_MINUTES)


def _send_piece(request: Request, played: Played) -> HttpResponse:
    etag = f'"{played.sha256}"'
    # A range is a range of a GET; a HEAD says what the whole would be (RFC 9110 section 14.2).
    if request.method == "HEAD":
        response = HttpResponse(content_type=played.content_type)
        response["Content-Length"] = str(played.size_bytes)
        return _with_ranges(response, etag)
    applies = range_applies(request.headers.get("If-Range"), etag=etag)
    piece = find_piece(request.headers.get("Range") if applies else None, size_bytes=played.size_bytes)
    if piece is None:
        response = HttpResponse(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        response["Content-Range"] = f"bytes */{played.size_bytes}"
        return _with_ranges(response, etag)
    try:
        data = _read(_open_played(played), piece)
    except VaultError as error:
        return _unreadable(error)
    is_asked_whole = piece.is_whole and "Range" not in request.headers
    status = HTTPStatus.OK if is_asked_whole else HTTPStatus.PARTIAL_CONTENT
    response = HttpResponse(data, content_type=played.content_type, status=status)
    if not is_asked_whole:
        response["Content-Range"] = piece.content_range
    return _with_ranges(response, etag)


def _with_ranges(response: HttpResponse, etag: str) -> HttpResponse:
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    return _guarded_bytes(response, NOT_KEPT)


def _guarded_bytes(response: HttpResponse, cache: str) -> HttpResponse:
    """Say of bytes that came from outside that they are what we call them, and are kept by nobody in between."""
    response.headers.setdefault("Content-Length", str(len(response.content)))
    response["Cache-Control"] = cache
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    patch_vary_headers(response, ["Cookie"])
    return response


def _open_played(played: Played) -> SealedReader:
    installation = here.installation()
    if played.kind == ORIGINAL:
        return open_object(installation.store, installation.keys, played.object_id)
    return open_derivative(
        here.derived(), installation.keys, played.object_id, original_id=played.original_id
    )


def _open_derivative(found: KnownDerivative) -> SealedReader:
    return open_derivative(
        here.derived(), here.installation().keys, found.object_id, original_id=found.original_id
    )


def _read(reader: SealedReader, piece: Piece) -> memoryview:
    # What the database had to say is said.
    close_old_connections()
    with reader:
        data = bytearray(piece.length)
        reader.seek(piece.first)
        reader.readinto(data)
    return memoryview(data)


def _unreadable(error: VaultError) -> HttpResponse:
    """Say that the bytes are not to be had, in a sentence that the player shows."""
    if isinstance(error, KeyMissingError):
        return HttpResponse("It was deleted: its key was destroyed.", status=410, content_type="text/plain")
    _log.error("recording cannot be read", exc_info=error)
    return HttpResponse(
        "The stored file cannot be read. Tell the administrator; the log says why.",
        status=HTTPStatus.INTERNAL_SERVER_ERROR,
        content_type="text/plain",
    )

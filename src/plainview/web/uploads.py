"""Hand in files, resumably: tus 1.0.

The bytes go straight into the vault, encrypted (vault.incoming); what is acknowledged is on the disk, and survives
whatever happens to this process. No connection to the database is held while bytes flow: who asks is decided before,
and what came is noted after. When all has come, a job takes the file in (pipeline.uploads), and the same address says
what became of it.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from functools import cache
from typing import TYPE_CHECKING

from django.db import connection
from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.http import http_date

from plainview.evidence.errors import NoSuchUploadError, TooManyUploadsError
from plainview.evidence.upload_actions import begin_upload, store_upload
from plainview.evidence.upload_queries import access_upload
from plainview.pipeline.uploads import give_up
from plainview.service.peers import notice_lost_peers
from plainview.vault.errors import KeyMissingError, KeyStoreFullError, StoreFullError
from plainview.vault.incoming import begin_incoming, drop_incoming, incoming_offset, open_incoming
from plainview.vault.incoming_errors import (
    IncomingBusyError,
    IncomingDamagedError,
    IncomingDiffersError,
    IncomingMissingError,
    IncomingOffsetError,
)
from plainview.web import here, tus
from plainview.web.acting import actor_of
from plainview.web.guard import guarded
from plainview.web.turns import NoTurnError, Turns
from plainview.web.tus import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from plainview.evidence.upload_queries import KnownUpload
    from plainview.web.turns import Turn
    from plainview.web.viewer import Request

# A piece with a checksum waits in memory until it is known to be right: what is sealed once stays as it is.
CHECKED_PIECE_BYTES = 16 << 20
# What a page is built with, the log, the database: they need room when the originals have none.
SPARE_BYTES = 1 << 30
READ_BYTES = 1 << 20
CHUNK_BYTES = 1 << 20
BUSY_S = 1
# A refused piece of this size is read to its end: some clients look for an answer only then.
DRAINED_BYTES = 16 << 20

# Measured with pages beside (docs/benchmarks.md): more fast ones take the processor from the pages; each takes a thread.
_turns = Turns(fast=max(2, os.cpu_count() or 1), slow=12, waiting=8, wait_s=5.0)
# Once: the socket that listens hands it on.
_notice_lost_senders = cache(notice_lost_peers)

# What the vault may answer, as the statuses that tus clients know.
STATUSES: dict[type[Exception], int] = {
    NoSuchUploadError: 404,
    TooManyUploadsError: 429,
    IncomingMissingError: 410,
    IncomingDamagedError: 410,
    KeyMissingError: 410,
    IncomingOffsetError: 409,
    IncomingBusyError: 423,
    # Not 409 or 460, which clients take for "try again".
    IncomingDiffersError: 422,
    StoreFullError: 507,
    KeyStoreFullError: 507,
}


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
    except RequestError as error:
        response = _refusal(request, error.status, str(error), error.headers)
    except NoTurnError:
        text = "Many are sending. Try again in a moment."
        response = _refusal(request, 503, text, {"Retry-After": str(BUSY_S)})
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


def _refusal(request: Request, status: int, text: str, headers: dict[str, str]) -> HttpResponse:
    if status != 503 and int(request.META.get("CONTENT_LENGTH") or 0) <= DRAINED_BYTES:
        with contextlib.suppress(OSError):
            while request.read(READ_BYTES):
                pass
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
    _check_room(announced.size_bytes)
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
    length, checksum = tus.parse_length(request.headers), tus.parse_checksum(request.headers)
    if length > ours.size_bytes - offset:
        raise RequestError(413, f"{ours.size_bytes} bytes were announced; this piece ends beyond them.")
    if checksum is not None and length > CHECKED_PIECE_BYTES:
        raise RequestError(
            413, f"A piece with a checksum may have {CHECKED_PIECE_BYTES} bytes, got {length}."
        )
    _check_room(length)
    _notice_lost_senders()
    # It may take minutes, and others need the connection.
    connection.close()
    with _turns.turn() as turn:
        body = _Body(request, turn)
        read = body.read if checksum is None else io.BytesIO(body.read_checked(length, checksum)).read
        installation = here.installation()
        with open_incoming(installation.store, installation.keys, ours.name) as arriving:
            done = arriving.append(read, offset_bytes=offset)
            is_whole = arriving.is_whole
    if is_whole:
        store_upload(name=ours.name)
    elif done == offset and length and not body.is_cut:
        raise RequestError(400, f"What is kept are whole MiB: send at least {CHUNK_BYTES} bytes at a time.")
    return done


class _Body:
    """A request's body, read as it comes; one that breaks off ends there.

    Attributes:
        is_cut: whether it broke off.
    """

    def __init__(self, request: Request, turn: Turn) -> None:
        self._request, self._turn = request, turn
        self._missing = tus.parse_length(request.headers)
        self.is_cut = False

    def read(self, length: int) -> bytes:
        data = b""
        with contextlib.suppress(OSError):
            data = self._request.read(min(length, self._missing))
        self._missing -= len(data)
        self._turn.note(len(data))
        self.is_cut = not data and self._missing > 0
        return data

    def read_checked(self, length: int, checksum: tus.Checksum) -> bytes:
        pieces = list(iter(lambda: self.read(READ_BYTES), b""))
        data = b"".join(pieces)
        if len(data) != length or not checksum.fits(data):
            raise RequestError(
                tus.CHECKSUM_MISMATCH, "The piece is not what its checksum says; nothing of it was kept."
            )
        return data


def _check_room(wanted_bytes: int) -> None:
    free_bytes = shutil.disk_usage(here.installation().store.root).free
    if free_bytes < wanted_bytes + SPARE_BYTES:
        raise RequestError(507, "The server has no room for it. Tell whoever keeps the server.")


def _say_offset(response: HttpResponse, ours: KnownUpload, offset: int) -> HttpResponse:
    response["Upload-Offset"] = str(min(offset, ours.size_bytes))
    return response


def _say_expiry(response: HttpResponse, ours: KnownUpload) -> HttpResponse:
    if ours.state == "receiving":
        response["Upload-Expires"] = http_date(ours.expires_at.timestamp())
    return response

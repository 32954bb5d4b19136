"""Take what docks hand in, resumably: tus 1.0, as pages take files from people; see docs/formats/dock-api.md.

No connection to the database is held while bytes flow, and few send at once: the rest are told when to come again.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.http import http_date

from plainview.api import here
from plainview.api.docks import named_device
from plainview.api.guard import AnswerError, check_method, for_docks
from plainview.evidence.camera_rules import OFFLOAD_KINDS
from plainview.evidence.errors import NoSuchOffloadError, TooManyOffloadsError
from plainview.evidence.offload_actions import OfferedFile, begin_offload, store_offload
from plainview.evidence.offload_queries import access_offload, offload_of_bytes
from plainview.formats.capture import STREAM_ID
from plainview.pipeline.handing_in import check_room, take_piece
from plainview.pipeline.offloads import give_up
from plainview.pipeline.receipts import receipt_of
from plainview.service import tus
from plainview.vault.errors import KeyMissingError
from plainview.vault.incoming import begin_incoming, drop_incoming, incoming_offset
from plainview.vault.incoming_errors import IncomingDamagedError, IncomingMissingError

if TYPE_CHECKING:
    from plainview.api.guard import DockRequest
    from plainview.evidence.offload_queries import KnownOffload
    from plainview.evidence.rules import DeviceKey

DIGEST = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)
ANSWERS: dict[type[Exception], tuple[int, str]] = {
    NoSuchOffloadError: (404, "no_offload"),
    TooManyOffloadsError: (429, "too_many"),
}
# What came is gone; the camera still has it.
GONE = (IncomingMissingError, IncomingDamagedError, KeyMissingError)
GONE_TEXT = "What had been sent is gone. The camera still has it: begin anew."


@for_docks(answers=ANSWERS)
def offloads(request: DockRequest) -> HttpResponse:
    """Make place for a file, or say what became of the same bytes when they came before."""
    check_method(request, "POST")
    tus.check_version(request.headers)
    announced = tus.parse_announcement(request.headers)
    said = tus.parse_metadata(request.headers.get("Upload-Metadata", ""))
    file = _offered(said, announced)
    device = _device(request, said, file)
    before = offload_of_bytes(device=device, sha256=file.sent_sha256, size_bytes=file.size_bytes)
    if before is not None:
        return JsonResponse(_record(before))
    installation = here.installation()
    check_room(installation, file.size_bytes)
    name = begin_incoming(installation.store, installation.keys, size_bytes=file.size_bytes)
    try:
        begin_offload(
            name=name,
            dock=request.dock.key,
            device=device,
            file=file,
            actor=request.actor,
            now=request.now,
        )
    except BaseException:
        drop_incoming(installation.store, installation.keys, name)
        raise
    return HttpResponse(status=201, headers={"Location": reverse("dock_offload", kwargs={"name": name})})


@for_docks(answers=ANSWERS)
def offload(request: DockRequest, name: str) -> HttpResponse:
    """Say how much of a file has come or what became of it, add to it, or give it up."""
    check_method(request, "GET", "HEAD", "PATCH", "DELETE")
    ours = access_offload(name)
    if request.method == "GET":
        return JsonResponse(_record(ours))
    tus.check_version(request.headers)
    if ours.is_gone:
        raise AnswerError(410, ours.reason or "gone", ours.reason_text or GONE_TEXT)
    try:
        if request.method == "HEAD":
            return _offset(ours)
        return _add(request, ours) if request.method == "PATCH" else _cancel(request, ours)
    except GONE as error:
        give_up(here.installation(), ours, ("lost", GONE_TEXT), request.actor, now=request.now)
        raise AnswerError(410, "lost", GONE_TEXT) from error


def _offset(ours: KnownOffload) -> HttpResponse:
    offset = ours.size_bytes
    if ours.state == "receiving":
        offset = incoming_offset(here.installation().store, ours.name)
        if offset == ours.size_bytes:
            # Who sent the last piece was stopped before that could be noted.
            store_offload(name=ours.name)
    response = _say_offset(HttpResponse(), ours, offset)
    response["Upload-Length"] = str(ours.size_bytes)
    return response


def _add(request: DockRequest, ours: KnownOffload) -> HttpResponse:
    tus.check_piece_type(request.headers)
    offset = tus.parse_offset(request.headers)
    if ours.state != "receiving":
        raise AnswerError(409, "whole", f"All {ours.size_bytes} bytes have come.")
    taken = take_piece(
        here.installation(), request, name=ours.name, size_bytes=ours.size_bytes, offset=offset
    )
    if taken.is_whole:
        store_offload(name=ours.name)
    return _say_offset(HttpResponse(status=204), ours, taken.offset)


def _cancel(request: DockRequest, ours: KnownOffload) -> HttpResponse:
    said = ("cancelled", "Given up by the dock. The camera still has it.")
    if not give_up(here.installation(), ours, said, request.actor, now=request.now):
        raise AnswerError(409, "whole", "All of it has come already, so it cannot be given up.")
    return HttpResponse(status=204)


def _say_offset(response: HttpResponse, ours: KnownOffload, offset: int) -> HttpResponse:
    response["Upload-Offset"] = str(min(offset, ours.size_bytes))
    if ours.state == "receiving":
        response["Upload-Expires"] = http_date(ours.expires_at.timestamp())
    return response


def _record(ours: KnownOffload) -> dict[str, Any]:
    """Return what became of an offload; what no receipt proves yet is only stored."""
    receipt = receipt_of(here.installation(), ours)
    is_open = ours.act_id is not None and receipt is None
    return {
        "name": ours.name,
        "state": "stored" if is_open else ours.state,
        "recording": None if is_open else ours.recording,
        "reason": ours.reason or None,
        "text": ours.reason_text or None,
        "receipt": None if receipt is None else json.loads(receipt),
    }


def _offered(said: dict[str, str], announced: tus.Announcement) -> OfferedFile:
    kind, stream, digest = said.get("kind", ""), said.get("stream", ""), said.get("sha256", "")
    if kind not in OFFLOAD_KINDS:
        raise AnswerError(400, "field", f"kind: expected one of {', '.join(OFFLOAD_KINDS)}.")
    if DIGEST.match(digest) is None:
        raise AnswerError(400, "field", "sha256: expected 64 lower-case hexadecimal digits.")
    if kind != "file" and STREAM_ID.match(stream) is None:
        raise AnswerError(400, "field", "stream: expected the id of a journal.")
    return OfferedFile(
        kind=kind,
        stream="" if kind == "file" else stream,
        offered_name=announced.offered_name,
        size_bytes=announced.size_bytes,
        sent_sha256=digest,
        particulars=_particulars(said.get("particulars", "")),
    )


def _device(request: DockRequest, said: dict[str, str], file: OfferedFile) -> DeviceKey | None:
    make, serial = said.get("make", ""), said.get("serial", "")
    if file.kind == "file" and not (make and serial):
        return None
    return named_device(request, make=make, serial=serial)


def _particulars(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise AnswerError(400, "field", "particulars: expected a JSON record.") from error
    # What the database cannot keep in JSON.
    if not isinstance(found, dict) or "\\u0000" in json.dumps(found):
        raise AnswerError(400, "field", "particulars: expected a JSON record without zero characters.")
    return found

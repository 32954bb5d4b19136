"""What docks tell and ask about cameras; see docs/formats/dock-api.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse, JsonResponse

from plainview.api import here
from plainview.api.guard import AnswerError, check_method, for_docks, read_record
from plainview.evidence.camera_actions import begin_docking, check_out, ensure_device, update_docking
from plainview.evidence.camera_queries import camera_key_named, known_camera, known_cameras
from plainview.evidence.errors import (
    CameraNameTakenError,
    NoSuchBadgeError,
    NoSuchCameraError,
    NoSuchDockingError,
    TooManyRequestsError,
    WornByAnotherError,
)
from plainview.formats.fields import LINE
from plainview.formats.times import format_at
from plainview.pipeline.orders import ask_for_admission, department_vkey, log_vkeys, orders_for
from plainview.vault.intake_keys import intake_public
from plainview.verify.errors import VerificationError

if TYPE_CHECKING:
    from plainview.api.guard import DockRequest
    from plainview.evidence.rules import DeviceKey

PIECE_BYTES = 8 << 20
MAKE_LIMIT = 64
# Further than this no clock is off that was ever set: what is beyond does not fit where numbers are kept.
CLOCK_LIMIT_MS = 1 << 47
FILES_LIMIT = 1_000_000
INTEGER, TEXT, NOTHING = (int,), (str,), type(None)


@for_docks(answers={})
def hello(request: DockRequest) -> HttpResponse:
    """Say who is there, and by what keys it is known."""
    check_method(request, "GET")
    installation = here.installation()
    return JsonResponse(
        {
            "dock": request.dock.name,
            "at": _at(request),
            "department_key": department_vkey(installation),
            "log_keys": list(log_vkeys()),
            "seal_to": intake_public(installation.keys).hex(),
            "piece_bytes": PIECE_BYTES,
        }
    )


@for_docks(answers={CameraNameTakenError: (409, "name_taken"), TooManyRequestsError: (429, "too_many")})
def cameras(request: DockRequest) -> HttpResponse:
    """Say which cameras there are; or note that one asks to be admitted, and answer with its orders."""
    check_method(request, "GET", "POST")
    if request.method == "GET":
        return JsonResponse({"cameras": _wall(request)})
    note = read_record(request, request=TEXT)["request"]
    try:
        key = ask_for_admission(note, actor=request.actor, now=request.now)
    except VerificationError as error:
        raise AnswerError(400, "not_signed", str(error)) from error
    is_admitted = key.state == "admitted"
    orders = orders_for(here.installation(), key, now=request.now) if is_admitted else None
    return JsonResponse({"state": key.state, "fingerprint": key.fingerprint, "orders": orders})


@for_docks(answers={})
def dockings(request: DockRequest) -> HttpResponse:
    """Note that a camera was put in."""
    check_method(request, "POST")
    record = read_record(
        request,
        camera=(str, NOTHING),
        make=TEXT,
        serial=TEXT,
        clock_error_ms=(int, NOTHING),
        clock_doubt_ms=(int, NOTHING),
        battery_percent=(int, NOTHING),
        files=INTEGER,
    )
    with transaction.atomic():
        device = _device(request, record)
        docking = begin_docking(
            dock=request.dock.key,
            device=device,
            clock_error_ms=_within(record, "clock_error_ms", -CLOCK_LIMIT_MS, CLOCK_LIMIT_MS),
            clock_doubt_ms=_within(record, "clock_doubt_ms", 0, CLOCK_LIMIT_MS),
            battery_percent=_within(record, "battery_percent", 0, 100),
            files=_within(record, "files", 0, FILES_LIMIT) or 0,
            actor=request.actor,
            now=request.now,
        )
    camera = known_camera(
        make=record["make"] if record["camera"] is None else _make_of(record, device),
        serial=record["serial"],
        at=request.now,
        overdue_after=settings.PLAINVIEW_OVERDUE_AFTER,
    )
    critical = record.get("critical")
    return JsonResponse(
        {
            "docking": docking.key,
            "assigned": camera.assigned,
            "critical": [each for each in critical if isinstance(each, str)]
            if isinstance(critical, list)
            else [],
        }
    )


@for_docks(answers={NoSuchDockingError: (404, "no_docking")})
def docking(request: DockRequest, key: int) -> HttpResponse:
    """Note how far a docking is."""
    check_method(request, "POST")
    record = read_record(request, files=INTEGER, checked=INTEGER, is_taken=(bool,))
    if key >= 1 << 63:
        raise NoSuchDockingError(key)
    update_docking(
        key=key,
        dock=request.dock.key,
        files=_within(record, "files", 0, FILES_LIMIT) or 0,
        checked_files=_within(record, "checked", 0, FILES_LIMIT) or 0,
        is_taken=record["is_taken"],
        now=request.now,
    )
    return HttpResponse(status=204)


@for_docks(
    answers={
        NoSuchBadgeError: (404, "no_badge"),
        NoSuchCameraError: (404, "no_camera"),
        WornByAnotherError: (409, "worn"),
    }
)
def checkouts(request: DockRequest) -> HttpResponse:
    """Give a camera to whoever has a badge number."""
    check_method(request, "POST")
    record = read_record(request, badge=TEXT, make=TEXT, serial=TEXT)
    assigned = check_out(
        badge=record["badge"].strip().replace("\0", ""),
        make=record["make"].replace("\0", ""),
        serial=record["serial"].replace("\0", ""),
        is_sure=record.get("is_sure") is True,
        actor=request.actor,
        now=request.now,
    )
    return JsonResponse({"assigned": assigned})


def named_device(request: DockRequest, *, make: str, serial: str) -> DeviceKey:
    """Return the camera that a dock names, added now where it is not known.

    Raises:
        AnswerError: 400 for a make or serial number that is none.
    """
    for name, text in (("make", make), ("serial", serial)):
        if not text or len(text) > MAKE_LIMIT or LINE.match(text) is None:
            raise AnswerError(400, "field", f"{name}: expected one line of 1 to {MAKE_LIMIT} characters.")
    return ensure_device(make=make, model="", serial=serial, actor=request.actor, now=request.now)


def _device(request: DockRequest, record: dict[str, Any]) -> DeviceKey:
    key = None if record["camera"] is None else camera_key_named(record["camera"].replace("\0", ""))
    return named_device(request, make=record["make"], serial=record["serial"]) if key is None else key.device


def _make_of(record: dict[str, Any], device: DeviceKey) -> str:
    key = camera_key_named(str(record["camera"]).replace("\0", ""))
    return str(record["make"]) if key is None or key.device != device else key.make


def _wall(request: DockRequest) -> list[dict[str, Any]]:
    found = known_cameras(at=request.now, overdue_after=settings.PLAINVIEW_OVERDUE_AFTER)
    return [
        {
            "make": camera.make,
            "serial": camera.serial,
            "assigned": camera.assigned,
            "docked_at": None if camera.docked_at is None else _spelled(camera.docked_at),
            "is_overdue": camera.is_overdue,
        }
        for camera in found
    ]


def _within(record: dict[str, Any], name: str, least: int, greatest: int) -> int | None:
    value = record[name]
    if value is None:
        return None
    if not least <= value <= greatest:
        raise AnswerError(400, "field", f"{name}: expected {least} to {greatest}, got {value!a:.40}.")
    return int(value)


def _at(request: DockRequest) -> str:
    return _spelled(request.now)


def _spelled(at: Any) -> str:
    return format_at(at.replace(microsecond=at.microsecond // 1000 * 1000))

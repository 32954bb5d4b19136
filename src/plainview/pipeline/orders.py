"""What a department tells its cameras: whether they are admitted, and how to record."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from plainview.custody.sequence import all_epochs
from plainview.evidence.camera_actions import request_admission
from plainview.evidence.camera_queries import covert_leave_at, settings_at
from plainview.formats.camera_orders import (
    CameraOrders,
    CameraSettings,
    format_camera_orders,
    parse_camera_request,
)
from plainview.formats.errors import FormatError
from plainview.formats.note import ED25519, VerifierKey, format_vkey, parse_note, parse_vkey
from plainview.vault.intake_keys import department_key, intake_public, sign_as_department
from plainview.verify.note import open_note

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from plainview.custody.record import Actor
    from plainview.evidence.camera_queries import KnownCameraKey
    from plainview.pipeline.installation import Installation

# Light bars, holsters, weapon logs and cameras close by, as somebody trusted them by putting their key here.
TRIGGERS = "trust/triggers"

# As much of a make, model or serial number as a device's row holds.
NAME_LIMIT = 64


def ask_for_admission(note: str, *, actor: Actor, now: datetime) -> KnownCameraKey:
    """Note a camera's request to be admitted, if the camera signed it with the key that it is about.

    Args:
        note: the signed note, as a dock handed it on.
        actor: the dock.
        now: when.

    Raises:
        FormatError: it is no request, malformed, or a name in it is too long.
        VerificationError: it is not signed with the key that it names.
        CameraNameTakenError: the name or the key is another camera's.
        TooManyRequestsError: too many wait already.
    """
    request = parse_camera_request(parse_note(note).text)
    key = VerifierKey(name=request.camera, algorithm=ED25519, public_key=request.public_key)
    open_note(note, [key])
    for name in ("make", "model", "serial"):
        if len(getattr(request, name)) > NAME_LIMIT:
            raise FormatError("camera request", f"{name}: expected at most {NAME_LIMIT} characters")
    return request_admission(request=request, actor=actor, now=now)


def orders_for(installation: Installation, key: KnownCameraKey, *, now: datetime) -> str:
    """Return the orders of an admitted camera as a signed note, as of now.

    Args:
        installation: with the keys.
        key: the camera's, admitted.
        now: when they are given: a camera sets its clock by them.

    Raises:
        KeyStoreError: the key store failed.
    """
    # Milliseconds, as every time in our formats.
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    leave = covert_leave_at(key.device, at=now)
    orders = CameraOrders(
        camera=key.name,
        public_key=key.public_key,
        department_key=department_vkey(installation),
        seal_to=intake_public(installation.keys),
        log_keys=log_vkeys(),
        trigger_keys=trigger_vkeys(installation.data),
        covert_allowed_by="" if leave is None else leave.allowed_by,
        settings=settings_at(now, default=default_settings(installation)),
        at=now,
    )
    return sign_as_department(installation.keys, log_name(installation), format_camera_orders(orders))


def default_settings(installation: Installation) -> CameraSettings:
    """Return how cameras record where nobody has said anything: in the zone of the place."""
    return replace(CameraSettings(), zone=installation.zone)


def log_vkeys() -> tuple[str, ...]:
    """Return the verifier keys of the custody log, one for each of its epochs, the running one's last."""
    return tuple(each.vkey for each in all_epochs())


def trigger_vkeys(data: Path) -> tuple[str, ...]:
    """Return the keys whose triggers cameras obey: each file trust/triggers/*.vkey in the data directory holds one.

    Raises:
        FormatError: one of them holds something else.
    """
    paths = sorted((data / TRIGGERS).glob("*.vkey"))
    return tuple(format_vkey(parse_vkey(path.read_text("utf-8").strip())) for path in paths)


def department_vkey(installation: Installation) -> str:
    """Return the verifier key of the department, which signs orders."""
    return format_vkey(department_key(installation.keys, log_name(installation)))


def log_name(installation: Installation) -> str:
    """Return what the custody log is called, without its epoch."""
    return installation.signer.key.name.rpartition("/custody/")[0]

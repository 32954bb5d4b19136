"""Admit cameras, say how they record, add docks, and note who docked what; each is one transaction with its act."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from plainview.accounts.actions import new_pseudonym
from plainview.accounts.name_queries import officer_key_with_badge
from plainview.accounts.spans import broken_constraint
from plainview.custody.record import Actor, record
from plainview.evidence.actions import add_device, assign_device
from plainview.evidence.camera_models import CameraKey, CameraPolicy, CovertLeave, Dock, Docking
from plainview.evidence.camera_queries import (
    has_open_dock,
    known_camera,
    known_camera_key,
    known_cameras,
    known_docking,
)
from plainview.evidence.camera_rules import CLOCK_LIMIT_MS, is_clock_off
from plainview.evidence.errors import (
    CameraNameTakenError,
    DeviceTakenError,
    DockNameTakenError,
    FingerprintDiffersError,
    NoSuchBadgeError,
    NoSuchDockError,
    NoSuchDockingError,
    NotWaitingError,
    TooManyRequestsError,
    WornByAnotherError,
)
from plainview.evidence.models import Device
from plainview.evidence.queries import device_key
from plainview.evidence.rules import DeviceKey
from plainview.formats.camera_orders import CameraSettings, parse_camera_settings
from plainview.tasks.actions import open_task, settle_task
from plainview.tasks.queries import was_asked

if TYPE_CHECKING:
    from datetime import datetime

    from plainview.evidence.camera_queries import KnownCameraKey, KnownDocking
    from plainview.formats.camera_orders import CameraRequest

WAITING_LIMIT = 200
# A dock that asks every second must not be a write every second.
SEEN_AGAIN = timedelta(minutes=1)
DOCK_NAME_ONCE = "evidence_dock_name_key"


# --- cameras' keys


@transaction.atomic
def request_admission(*, request: CameraRequest, actor: Actor, now: datetime) -> KnownCameraKey:
    """Note that a camera asks to be admitted, and ask a person; asking again changes nothing.

    Args:
        request: as it stands in the note; that the camera signed it with its key has been checked.
        actor: the dock that hands it on.
        now: when.

    Raises:
        CameraNameTakenError: the name or the key is another camera's.
        TooManyRequestsError: too many wait already.
    """
    device = ensure_device(
        make=request.make, model=request.model, serial=request.serial, actor=actor, now=now
    )
    Device.objects.select_for_update().get(pk=device.pk)
    # A dock that heard of it before its request knew no model.
    Device.objects.filter(pk=device.pk, model="").update(model=request.model)
    row = CameraKey.objects.filter(public_key=request.public_key.hex()).select_related("device").first()
    others = CameraKey.objects.filter(name=request.camera).exclude(device_id=device.pk)
    if others.exists() or (row is not None and (row.device_id, row.name) != (device.pk, request.camera)):
        raise CameraNameTakenError(request.camera)
    if row is not None:
        return known_camera_key(row)
    if CameraKey.objects.filter(state="waiting").count() >= WAITING_LIMIT:
        raise TooManyRequestsError(WAITING_LIMIT)
    row = CameraKey.objects.create(
        device_id=device.pk, name=request.camera, public_key=request.public_key.hex(), asked_at=now
    )
    known = known_camera_key(CameraKey.objects.select_related("device").get(pk=row.pk))
    why = f"{request.make} {request.serial} asks with the key {known.fingerprint}."
    open_task(kind="camera_request", about=about_device(device), why=why, actor=actor, now=now)
    return known


@transaction.atomic
def admit_camera(*, key: int, fingerprint: str, actor: Actor, now: datetime) -> None:
    """Let what a key signs count as its camera's; a key that counted before for that camera counts no longer.

    Args:
        key: of the key's row.
        fingerprint: as the person who admits it read it from the camera; spaces and case do not matter.
        actor: who admits it.
        now: when.

    Raises:
        NotWaitingError: it does not wait.
        FingerprintDiffersError: the camera that asks has another key.
    """
    row = _waiting(key)
    known = known_camera_key(row)
    if _plain(fingerprint) != _plain(known.fingerprint):
        raise FingerprintDiffersError(known.fingerprint, fingerprint)
    for before in CameraKey.objects.select_for_update().filter(device=row.device, state="admitted"):
        _end(before, "revoked", why="replaced", reason="", actor=actor, now=now)
    row.state, row.admitted_at = "admitted", now
    row.save(update_fields=["state", "admitted_at"])
    record(
        "camera.admitted",
        object=about_device(known.device),
        actor=actor,
        now=now,
        facts={"camera": row.name, "public_key": row.public_key},
    )
    settle_task(
        kind="camera_request", about=about_device(known.device), answer="admitted", actor=actor, now=now
    )


@transaction.atomic
def refuse_camera(*, key: int, reason: str, actor: Actor, now: datetime) -> None:
    """Let what a key signs not count.

    Raises:
        NotWaitingError: it does not wait.
    """
    row = _waiting(key)
    _end(row, "refused", why=None, reason=reason, actor=actor, now=now)
    about = about_device(known_camera_key(row).device)
    settle_task(kind="camera_request", about=about, answer="refused", actor=actor, now=now)


@transaction.atomic
def revoke_camera(*, key: int, reason: str, actor: Actor, now: datetime) -> None:
    """Let what a key signs count no longer: its camera is lost, or was replaced.

    Raises:
        NotWaitingError: it does not count.
    """
    row = CameraKey.objects.select_for_update(of=("self",)).select_related("device").filter(pk=key).first()
    if row is None or row.state != "admitted":
        raise NotWaitingError("this camera" if row is None else row.name, "" if row is None else row.state)
    _end(row, "revoked", why=None, reason=reason, actor=actor, now=now)


def ensure_device(*, make: str, model: str, serial: str, actor: Actor, now: datetime) -> DeviceKey:
    """Return a camera, added now where it is not known; the caller holds a transaction or lets this be one."""
    found = device_key(make=make, serial=serial)
    if found is not None:
        return found
    try:
        device = add_device(make=make, model=model, serial=serial, kind="body", actor=actor, now=now)
    except DeviceTakenError:
        # By somebody else, a moment ago.
        found = device_key(make=make, serial=serial)
        if found is None:
            raise
        return found
    return DeviceKey(device.pk, device.pseudonym)


def about_device(device: DeviceKey) -> str:
    """Return a camera as the custody log and tasks name it."""
    return f"device:{device.pseudonym}"


def _waiting(key: int) -> CameraKey:
    row = CameraKey.objects.select_for_update(of=("self",)).select_related("device").filter(pk=key).first()
    if row is None or row.state != "waiting":
        raise NotWaitingError("this camera" if row is None else row.name, "" if row is None else row.state)
    return row


def _end(row: CameraKey, state: str, *, why: str | None, reason: str, actor: Actor, now: datetime) -> None:
    row.state, row.ended_at = state, now
    row.save(update_fields=["state", "ended_at"])
    record(
        f"camera.{state}",
        object=f"device:{row.device.pseudonym}",
        actor=actor,
        now=now,
        facts={"camera": row.name, "public_key": row.public_key},
        why=why,
        detail={"reason": reason} if reason else None,
    )


def _plain(fingerprint: str) -> str:
    return "".join(fingerprint.split()).replace(":", "").replace("-", "").lower()


# --- how cameras record


@transaction.atomic
def set_camera_settings(
    *, settings: CameraSettings, valid_from: datetime, reason: str, actor: Actor, now: datetime
) -> None:
    """Say how cameras record from a moment on; what was in force before stays readable.

    Args:
        settings: of every camera.
        valid_from: from when.
        reason: why, in one line.
        actor: who says so.
        now: when.

    Raises:
        FormatError: a setting outside its limits.
    """
    words = {each.name: getattr(settings, each.name) for each in fields(CameraSettings)}
    parse_camera_settings(words)
    rows = CameraPolicy.objects.select_for_update().filter(superseded_at__isnull=True)
    touched = list(rows.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=valid_from)))
    for row in touched:
        row.superseded_at = now
        row.save(update_fields=["superseded_at"])
        if row.valid_from < valid_from:
            CameraPolicy.objects.create(
                settings=row.settings, valid_from=row.valid_from, valid_to=valid_from, recorded_at=now
            )
    CameraPolicy.objects.create(settings=words, valid_from=valid_from, recorded_at=now)
    record(
        "camera.settings_set",
        object="cameras",
        actor=actor,
        now=now,
        facts={name: int(value) if isinstance(value, bool) else value for name, value in words.items()},
        detail={"reason": reason, "from": valid_from.isoformat()},
    )


@transaction.atomic
def allow_covert(
    *,
    device: DeviceKey,
    allowed_by: int,
    reason: str,
    valid_from: datetime,
    valid_to: datetime,
    actor: Actor,
    now: datetime,
) -> None:
    """Allow a camera to record without lights and sounds for a span of time.

    Args:
        device: which.
        allowed_by: key of the row of who allows it; the camera's journal names them by their pseudonym.
        reason: why, in one line.
        valid_from: from when.
        valid_to: until when; later than valid_from.
        actor: who writes it down.
        now: when.
    """
    CovertLeave.objects.create(
        device_id=device.pk,
        allowed_by_id=allowed_by,
        reason=reason,
        valid_from=valid_from,
        valid_to=valid_to,
    )
    record(
        "camera.covert_set",
        object=about_device(device),
        actor=actor,
        now=now,
        facts={"is_allowed": 1},
        detail={"reason": reason, "from": valid_from.isoformat(), "to": valid_to.isoformat()},
    )


@transaction.atomic
def end_covert(*, device: DeviceKey, reason: str, actor: Actor, now: datetime) -> bool:
    """Allow it no longer; a camera hears of it when it is docked next.

    Returns:
        Whether it was allowed now or later.
    """
    rows = CovertLeave.objects.select_for_update().filter(device_id=device.pk, valid_to__gt=now)
    ended = (
        rows.filter(valid_from__lt=now).update(valid_to=now) + rows.filter(valid_from__gte=now).delete()[0]
    )
    if ended:
        record(
            "camera.covert_set",
            object=about_device(device),
            actor=actor,
            now=now,
            facts={"is_allowed": 0},
            detail={"reason": reason},
        )
    return ended > 0


# --- docks


@transaction.atomic
def add_dock(*, name: str, token_sha256: str, actor: Actor, now: datetime) -> None:
    """Add a dock.

    Args:
        name: one line, as people call it.
        token_sha256: of the token it will show, 64 hex digits; the token itself is kept nowhere.
        actor: who adds it.
        now: when.

    Raises:
        DockNameTakenError: there is one of this name, perhaps a closed one.
    """
    try:
        with transaction.atomic():
            row = Dock.objects.create(
                name=name, pseudonym=new_pseudonym(), token_sha256=token_sha256, added_at=now
            )
    except IntegrityError as error:
        if broken_constraint(error) != DOCK_NAME_ONCE:
            raise
        raise DockNameTakenError(name) from error
    record("dock.added", object=f"dock:{row.pseudonym}", actor=actor, now=now, detail={"name": name})


@transaction.atomic
def close_dock(*, name: str, actor: Actor, now: datetime) -> None:
    """Let a dock hand in nothing any more.

    Raises:
        NoSuchDockError: there is no open dock of this name.
    """
    row = Dock.objects.select_for_update().filter(name=name, closed_at__isnull=True).first()
    if row is None:
        raise NoSuchDockError(name)
    row.closed_at = now
    row.save(update_fields=["closed_at"])
    record("dock.closed", object=f"dock:{row.pseudonym}", actor=actor, now=now, detail={"name": name})


def note_dock_seen(*, dock: int, now: datetime) -> None:
    """Note that a dock was heard of; within a minute it is noted once."""
    rows = Dock.objects.filter(Q(seen_at__isnull=True) | Q(seen_at__lt=now - SEEN_AGAIN), pk=dock)
    rows.update(seen_at=now)


# --- dockings


@transaction.atomic
def begin_docking(
    *,
    dock: int,
    device: DeviceKey,
    clock_error_ms: int | None,
    clock_doubt_ms: int | None,
    battery_percent: int | None,
    files: int,
    actor: Actor,
    now: datetime,
) -> KnownDocking:
    """Note that a camera was put into a dock; whatever dock it was in before, it is there no longer.

    A dock that begins anew with a camera that it holds already goes on with the docking that runs.

    Args:
        dock: key of the dock's row.
        device: the camera.
        clock_error_ms: the camera's clock minus ours; None where it has none to ask.
        clock_doubt_ms: how far that can be off; None is unknown.
        battery_percent: 0 to 100, or None.
        files: how many it brings.
        actor: the dock.
        now: when.
    """
    # One after the other: a camera is in one dock at a time.
    Device.objects.select_for_update().get(pk=device.pk)
    said: dict[str, Any] = {
        "clock_error_ms": clock_error_ms,
        "clock_doubt_ms": clock_doubt_ms,
        "battery_percent": battery_percent,
        "files": files,
    }
    running = Docking.objects.filter(device_id=device.pk, taken_at__isnull=True).first()
    if running is not None and running.dock_id == dock:
        Docking.objects.filter(pk=running.pk).update(**said)
        return known_docking(Docking.objects.select_related("dock").get(pk=running.pk))
    if running is not None:
        Docking.objects.filter(pk=running.pk).update(taken_at=now)
    row = Docking.objects.create(dock_id=dock, device_id=device.pk, docked_at=now, **said)
    pseudonym = Dock.objects.values_list("pseudonym", flat=True).get(pk=dock)
    record(
        "camera.docked",
        object=about_device(device),
        actor=actor,
        now=now,
        facts={"dock": pseudonym} | {name: fact for name, fact in said.items() if fact is not None},
    )
    settle_task(kind="overdue_camera", about=about_device(device), actor=actor, now=now)
    _ask_about_clock(device, clock_error_ms, clock_doubt_ms, actor, now)
    return known_docking(Docking.objects.select_related("dock").get(pk=row.pk))


@transaction.atomic
def update_docking(
    *, key: int, dock: int, files: int, checked_files: int, is_taken: bool, now: datetime
) -> None:
    """Note how far a docking is, and that its camera was taken.

    Raises:
        NoSuchDockingError: it is none of this dock's.
    """
    row = Docking.objects.select_for_update().filter(pk=key, dock_id=dock).first()
    if row is None:
        raise NoSuchDockingError(key)
    row.files, row.checked_files = files, checked_files
    if is_taken and row.taken_at is None:
        row.taken_at = max(now, row.docked_at)
    row.save(update_fields=["files", "checked_files", "taken_at"])


@transaction.atomic
def check_out(*, badge: str, make: str, serial: str, is_sure: bool, actor: Actor, now: datetime) -> str:
    """Give a camera to whoever has a badge number, from now on.

    Args:
        badge: of the officer.
        make: of the camera.
        serial: of the camera.
        is_sure: whether it may be taken from somebody whose it is now.
        actor: the dock where it was asked.
        now: when.

    Returns:
        Whose it is now, as the wall shows it.

    Raises:
        NoSuchCameraError: there is no such camera.
        NoSuchBadgeError: nobody has this badge number.
        WornByAnotherError: it is somebody else's, and nobody said that they are sure.
    """
    officer = officer_key_with_badge(badge)
    if officer is None:
        raise NoSuchBadgeError(badge)
    asked: dict[str, Any] = {"make": make, "serial": serial, "at": now, "overdue_after": timedelta(0)}
    camera = known_camera(**asked)
    device = Device.objects.select_for_update().get(pk=camera.device.pk)
    # Read again under the lock: two people at two kiosks.
    camera = known_camera(**asked)
    if camera.badge == badge:
        return camera.assigned
    if camera.badge and not is_sure:
        raise WornByAnotherError(camera.assigned)
    assign_device(device=device, officer=officer, valid_from=now, valid_to=None, actor=actor, now=now)
    return known_camera(**asked).assigned


def ask_where_cameras_are(*, now: datetime, overdue_after: timedelta, actor: Actor) -> int:
    """Ask about each camera that should have been docked by now, and withdraw what is no longer to ask.

    Where no dock was ever added cameras are handed in otherwise, and none is overdue.

    Returns:
        How many are overdue, asked about before or now.
    """
    if not has_open_dock():
        return 0
    overdue = [camera for camera in known_cameras(at=now, overdue_after=overdue_after) if camera.is_overdue]
    for camera in overdue:
        seen = None if camera.docking is None else camera.docking.taken_at
        since_at = max(at for at in (camera.assigned_at, seen) if at is not None)
        # Once for each time it stays away: an answer is an answer until it was docked again.
        if was_asked(kind="overdue_camera", about=about_device(camera.device), since=since_at):
            continue
        since = (
            "It was never docked." if seen is None else f"It was last docked at {seen:%Y-%m-%d %H:%M} UTC."
        )
        why = f"{camera.make} {camera.serial}, {camera.assigned}. {since}"
        open_task(kind="overdue_camera", about=about_device(camera.device), why=why, actor=actor, now=now)
    return len(overdue)


def _ask_about_clock(
    device: DeviceKey, error_ms: int | None, doubt_ms: int | None, actor: Actor, now: datetime
) -> None:
    if is_clock_off(error_ms, doubt_ms):
        assert error_ms is not None, "a clock that cannot be asked is not off"
        way = "ahead" if error_ms > 0 else "behind"
        why = f"Its clock was {abs(error_ms) / 1000:.1f} s {way}; up to {CLOCK_LIMIT_MS // 1000} s is usual."
        open_task(kind="camera_clock", about=about_device(device), why=why, actor=actor, now=now)
    elif error_ms is not None:
        settle_task(kind="camera_clock", about=about_device(device), actor=actor, now=now)

"""Read cameras: their keys, docks, dockings, settings in force, and what their own count says is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import Q

from plainview.accounts.spans import believed_at, valid_at
from plainview.evidence.camera_models import (
    CameraJournal,
    CameraKey,
    CameraPolicy,
    CovertLeave,
    Dock,
    Docking,
)
from plainview.evidence.camera_rules import MISSING_LIMIT, is_overdue, missing_counters
from plainview.evidence.errors import NoSuchCameraError
from plainview.evidence.models import Device, DeviceAssignment
from plainview.evidence.rules import DeviceKey
from plainview.formats.camera_orders import CameraSettings, key_fingerprint, parse_camera_settings

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from django.db.models import QuerySet

# Each place where a camera's count jumps: the number before and the one after, if that one, or a later one, came long
# enough ago.
_GAPS = """
SELECT device_id, pseudonym, previous, counter FROM (
    SELECT j.device_id, d.pseudonym, j.counter, coalesce(lag(j.counter) OVER by_count, 0) AS previous,
           max(j.counter) FILTER (WHERE j.checked_at < %(before)s) OVER (PARTITION BY j.camera_key_id) AS settled
    FROM evidence_camera_journal j JOIN evidence_device d ON d.id = j.device_id
    WHERE j.camera_key_id IS NOT NULL
    WINDOW by_count AS (PARTITION BY j.camera_key_id ORDER BY j.counter)
) AS journal WHERE counter > previous + 1 AND counter <= settled ORDER BY device_id, counter
"""


@dataclass(frozen=True)
class KnownCameraKey:
    """A camera's own key.

    Attributes:
        key: of its row.
        device: whose it is. make, serial: of that.
        name: cam.<department's host name>/<serial number>.
        public_key: 32 bytes. fingerprint: of it, as people compare it.
        state: waiting, admitted, refused or revoked.
        asked_at: when it first asked. admitted_at: when it was admitted, or None. ended_at: when it was refused or
            revoked, or None.
    """

    key: int
    device: DeviceKey
    make: str
    serial: str
    name: str
    public_key: bytes
    fingerprint: str
    state: str
    asked_at: datetime
    admitted_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class KnownDocking:
    """A camera in a dock, from when it was put in to when it was taken.

    Attributes:
        key: of its row.
        dock: name of the dock.
        docked_at: when. taken_at: when, or None while it is in.
        clock_error_ms: the camera's clock minus ours, or None. clock_doubt_ms: how far that can be off, or None.
        battery_percent: or None.
        files: how many it brought. checked_files: of how many the dock has a receipt.
    """

    key: int
    dock: str
    docked_at: datetime
    taken_at: datetime | None
    clock_error_ms: int | None
    clock_doubt_ms: int | None
    battery_percent: int | None
    files: int
    checked_files: int


@dataclass(frozen=True)
class KnownCamera:
    """A camera as walls and lists show it.

    Attributes:
        device: the row's key and the log's name. make, model, serial: of it.
        key: the key that counts or waits, or the newest that did; None for a camera that does not sign.
        badge, name: of whoever it is assigned to; empty where nobody.
        assigned_at: since when; None where nobody.
        docking: the newest, or None.
        is_overdue: whether it should have been docked by now.
    """

    device: DeviceKey
    make: str
    model: str
    serial: str
    key: KnownCameraKey | None
    badge: str
    name: str
    assigned_at: datetime | None
    docking: KnownDocking | None
    is_overdue: bool

    @property
    def assigned(self) -> str:
        """Whose it is: name and badge number, or nothing."""
        return f"{self.name}, {self.badge}" if self.badge else ""

    @property
    def docked_at(self) -> datetime | None:
        """Since when it is in a dock; None where it is in none."""
        return None if self.docking is None or self.docking.taken_at else self.docking.docked_at


@dataclass(frozen=True)
class KnownDock:
    """A dock: its row's key, name, the log's name for it, and when it was added, closed and last heard of."""

    key: int
    name: str
    pseudonym: str
    added_at: datetime
    closed_at: datetime | None
    seen_at: datetime | None


@dataclass(frozen=True)
class KnownPolicy:
    """How cameras record from a moment on, until another."""

    settings: CameraSettings
    valid_from: datetime
    valid_to: datetime | None
    recorded_at: datetime


@dataclass(frozen=True)
class KnownLeave:
    """A span for which somebody allowed a camera to record without lights and sounds; by whom, as the log knows them."""

    key: int
    allowed_by: str
    reason: str
    valid_from: datetime
    valid_to: datetime


# --- cameras


def known_cameras(*, at: datetime, overdue_after: timedelta) -> list[KnownCamera]:
    """Return every camera, by make and serial number."""
    keys = _newest_keys()
    dockings = _newest_dockings()
    worn = {row.device_id: row for row in _assignments(at)}
    return [
        _camera(
            row,
            keys.get(row.pk),
            worn.get(row.pk),
            dockings.get(row.pk),
            at=at,
            overdue_after=overdue_after,
        )
        for row in Device.objects.order_by("make", "serial")
    ]


def known_camera(*, make: str, serial: str, at: datetime, overdue_after: timedelta) -> KnownCamera:
    """Return one camera.

    Raises:
        NoSuchCameraError: there is none.
    """
    row = Device.objects.filter(make=make, serial=serial).first()
    if row is None:
        raise NoSuchCameraError(serial)
    worn = _assignments(at).filter(device=row).first()
    docking = Docking.objects.filter(device=row).select_related("dock").order_by("-docked_at", "-pk").first()
    key = _newest_keys(device=row).get(row.pk)
    return _camera(row, key, worn, docking, at=at, overdue_after=overdue_after)


def device_with_serial(serial: str, *, make: str | None = None) -> DeviceKey:
    """Return the one camera with a serial number.

    Raises:
        NoSuchCameraError: there is none, or several makers have one.
    """
    rows = Device.objects.filter(serial=serial, **({} if make is None else {"make": make}))
    found = list(rows.values_list("pk", "pseudonym")[:2])
    if len(found) != 1:
        said = "There is no camera" if not found else "Name the make too: there are several cameras"
        raise NoSuchCameraError(serial, said)
    return DeviceKey(*found[0])


def dockings_of(device: DeviceKey, *, limit: int = 100) -> list[KnownDocking]:
    """Return a camera's dockings, the newest first."""
    rows = Docking.objects.filter(device_id=device.pk).select_related("dock").order_by("-docked_at", "-pk")
    return [known_docking(row) for row in rows[:limit]]


def clock_error_ms_at(device: DeviceKey, *, at: datetime) -> int | None:
    """Return how far off a camera's clock was found at the newest docking until a moment, or None."""
    rows = Docking.objects.filter(device_id=device.pk, docked_at__lte=at, clock_error_ms__isnull=False)
    newest = rows.order_by("-docked_at", "-pk").first()
    return None if newest is None else newest.clock_error_ms


# --- keys


def camera_key_named(name: str) -> KnownCameraKey | None:
    """Return the admitted key of the camera with this name, or None."""
    row = CameraKey.objects.filter(name=name, state="admitted").select_related("device").first()
    return None if row is None else known_camera_key(row)


def camera_key_with(public_key: bytes) -> KnownCameraKey | None:
    """Return what is known of a public key, or None."""
    row = CameraKey.objects.filter(public_key=public_key.hex()).select_related("device").first()
    return None if row is None else known_camera_key(row)


def camera_keys_of(device: DeviceKey) -> list[KnownCameraKey]:
    """Return every key a camera ever asked with, the newest first."""
    rows = CameraKey.objects.filter(device_id=device.pk).select_related("device").order_by("-pk")
    return [known_camera_key(row) for row in rows]


def waiting_keys() -> list[KnownCameraKey]:
    """Return the keys of cameras that wait to be admitted, first asked first."""
    rows = CameraKey.objects.filter(state="waiting").select_related("device").order_by("asked_at", "pk")
    return [known_camera_key(row) for row in rows]


# --- settings


def settings_at(at: datetime, *, default: CameraSettings) -> CameraSettings:
    """Return how cameras record at a moment, as believed now; where nobody has said, the default."""
    row = CameraPolicy.objects.filter(valid_at(at), believed_at(None)).first()
    return default if row is None else parse_camera_settings(row.settings)


def policies() -> list[KnownPolicy]:
    """Return what is believed now about how cameras record, the newest first."""
    rows = CameraPolicy.objects.filter(superseded_at__isnull=True).order_by("-valid_from")
    return [
        KnownPolicy(parse_camera_settings(row.settings), row.valid_from, row.valid_to, row.recorded_at)
        for row in rows
    ]


def covert_leave_at(device: DeviceKey, *, at: datetime) -> KnownLeave | None:
    """Return the leave in force for a camera at a moment, or None."""
    rows = CovertLeave.objects.filter(device_id=device.pk, valid_from__lte=at, valid_to__gt=at)
    row = rows.select_related("allowed_by").order_by("-pk").first()
    return None if row is None else _leave(row)


def covert_leaves_of(device: DeviceKey) -> list[KnownLeave]:
    """Return every leave a camera was ever given, the newest first."""
    rows = CovertLeave.objects.filter(device_id=device.pk).select_related("allowed_by").order_by("-pk")
    return [_leave(row) for row in rows]


# --- docks


def known_docks() -> list[KnownDock]:
    """Return every dock, the open ones first, by name."""
    rows = sorted(Dock.objects.all(), key=lambda row: (row.closed_at is not None, row.name))
    return [_dock(row) for row in rows]


def dock_with_token(token_sha256: str) -> tuple[KnownDock, str] | None:
    """Return the dock whose token has this digest, with the digest that is kept; None where there is none."""
    row = Dock.objects.filter(token_sha256=token_sha256).first()
    return None if row is None else (_dock(row), row.token_sha256)


def has_open_dock() -> bool:
    """Say whether the department docks cameras at all."""
    return Dock.objects.filter(closed_at__isnull=True).exists()


# --- what is missing


def missing_of(device: DeviceKey) -> list[int]:
    """Return which numbers a camera's own count leaves out among what it has handed in."""
    rows = CameraJournal.objects.filter(device_id=device.pk, camera_key__isnull=False)
    by_key: dict[int, list[int]] = {}
    for key, counter in rows.values_list("camera_key_id", "counter"):
        by_key.setdefault(key, []).append(counter)
    return [number for counters in by_key.values() for number in missing_counters(counters)]


def cameras_with_gaps(*, checked_before: datetime) -> dict[DeviceKey, list[int]]:
    """Return the numbers that cameras' journals leave out, the first MISSING_LIMIT of each camera.

    Args:
        checked_before: journals that came later count as here, and show no gap before them yet.
    """
    found: dict[DeviceKey, list[int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_GAPS, {"before": checked_before})
        for device, pseudonym, previous, counter in cursor:
            missing = found.setdefault(DeviceKey(device, pseudonym), [])
            end = min(counter, previous + 1 + MISSING_LIMIT - len(missing))
            missing.extend(range(previous + 1, end))
    return found


def known_camera_key(row: CameraKey) -> KnownCameraKey:
    """Return a key's row as other packages see it."""
    public = bytes.fromhex(row.public_key)
    return KnownCameraKey(
        key=row.pk,
        device=DeviceKey(row.device.pk, row.device.pseudonym),
        make=row.device.make,
        serial=row.device.serial,
        name=row.name,
        public_key=public,
        fingerprint=key_fingerprint(public),
        state=row.state,
        asked_at=row.asked_at,
        admitted_at=row.admitted_at,
        ended_at=row.ended_at,
    )


def known_docking(row: Docking) -> KnownDocking:
    """Return a docking's row as other packages see it."""
    return KnownDocking(
        key=row.pk,
        dock=row.dock.name,
        docked_at=row.docked_at,
        taken_at=row.taken_at,
        clock_error_ms=row.clock_error_ms,
        clock_doubt_ms=row.clock_doubt_ms,
        battery_percent=row.battery_percent,
        files=row.files,
        checked_files=row.checked_files,
    )


def _newest_keys(device: Device | None = None) -> dict[int, CameraKey]:
    """Return, for each device, the key that counts; else the one that waits; else the newest."""
    rows = CameraKey.objects.filter(Q() if device is None else Q(device=device)).select_related("device")
    order = {"admitted": 2, "waiting": 1}
    found: dict[int, CameraKey] = {}
    for row in rows.order_by("pk"):
        before = found.get(row.device_id)
        if before is None or order.get(row.state, 0) >= order.get(before.state, 0):
            found[row.device_id] = row
    return found


def _newest_dockings() -> dict[int, Docking]:
    rows = Docking.objects.order_by("device", "-docked_at", "-pk").distinct("device").select_related("dock")
    return {row.device_id: row for row in rows}


def _assignments(at: datetime) -> QuerySet[DeviceAssignment]:
    rows = DeviceAssignment.objects.filter(valid_at(at), believed_at(None), officer__isnull=False)
    return rows.select_related("officer")


def _camera(
    row: Device,
    key: CameraKey | None,
    worn: DeviceAssignment | None,
    docking: Docking | None,
    *,
    at: datetime,
    overdue_after: timedelta,
) -> KnownCamera:
    officer = None if worn is None else worn.officer
    return KnownCamera(
        device=DeviceKey(row.pk, row.pseudonym),
        make=row.make,
        model=row.model,
        serial=row.serial,
        key=None if key is None else known_camera_key(key),
        badge="" if officer is None else officer.badge,
        name="" if officer is None else officer.name,
        assigned_at=None if worn is None else worn.valid_from,
        docking=None if docking is None else known_docking(docking),
        is_overdue=is_overdue(
            assigned_at=None if worn is None else worn.valid_from,
            seen_at=None if docking is None else docking.taken_at,
            is_docked=docking is not None and docking.taken_at is None,
            now=at,
            after=overdue_after,
        ),
    )


def _leave(row: CovertLeave) -> KnownLeave:
    by = f"user:{row.allowed_by.pseudonym}"
    return KnownLeave(row.pk, by, row.reason, row.valid_from, row.valid_to)


def _dock(row: Dock) -> KnownDock:
    return KnownDock(row.pk, row.name, row.pseudonym, row.added_at, row.closed_at, row.seen_at)

"""plainview cameras: which there are, whether their keys count, and how they record."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from plainview.accounts.queries import user_named
from plainview.cli.start import opened, utc_now
from plainview.cli.talk import answer, answer_json, say
from plainview.evidence import camera_actions as actions
from plainview.evidence import camera_queries as queries
from plainview.evidence.errors import NotWaitingError
from plainview.formats.camera_orders import CameraSettings
from plainview.formats.times import format_at
from plainview.pipeline.installation import publish
from plainview.pipeline.orders import default_settings
from plainview.vault.intake_keys import intake_public, rotate_intake_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from plainview.cli.start import Opened
    from plainview.evidence.camera_queries import KnownCamera, KnownCameraKey


class SpanError(Exception):
    """A time that was given makes no sense."""


@dataclass(frozen=True)
class Leave:
    """Leave to record without lights and sounds: who allows it, from when until when."""

    allowed_by: str
    valid_from: datetime
    valid_to: datetime


def show(data: Path, *, as_json: bool) -> None:
    """List every camera; those that wait to be admitted with the fingerprint to compare."""
    with opened(data, command="plainview cameras list", say=say):
        found = queries.known_cameras(at=utc_now(), overdue_after=settings.PLAINVIEW_OVERDUE_AFTER)
        for camera in found:
            missing = queries.missing_of(camera.device)
            if as_json:
                answer_json(_record(camera, missing))
            else:
                answer("  ".join(_words(camera, missing)))


def admit(data: Path, serial: str, *, make: str | None, fingerprint: str) -> None:
    """Let what a camera signs count as its own, if its fingerprint is the one that a person read from it."""
    with _changing(data, "plainview cameras admit") as (_, by):
        key = _key_of(serial, make, "waiting")
        actions.admit_camera(key=key.key, fingerprint=fingerprint, **by)
    answer(f"{key.name} is admitted")


def refuse(data: Path, serial: str, *, make: str | None, reason: str) -> None:
    """Refuse a camera that asks to be admitted."""
    with _changing(data, "plainview cameras refuse") as (_, by):
        key = _key_of(serial, make, "waiting")
        actions.refuse_camera(key=key.key, reason=reason, **by)
    answer(f"{key.name} is refused")


def revoke(data: Path, serial: str, *, make: str | None, reason: str) -> None:
    """Let what a camera signs count no longer."""
    with _changing(data, "plainview cameras revoke") as (_, by):
        key = _key_of(serial, make, "admitted")
        actions.revoke_camera(key=key.key, reason=reason, **by)
    answer(f"{key.name} counts no longer")


def set_settings(
    data: Path, changes: dict[str, Any], *, valid_from: datetime | None, reason: str, as_json: bool
) -> None:
    """Say how cameras record from a moment on; without changes, say how they do now."""
    if not changes:
        with opened(data, command="plainview cameras settings", say=say) as here:
            now = utc_now()
            _say_settings(
                queries.settings_at(now, default=default_settings(here.installation)), as_json=as_json
            )
        return
    with _changing(data, "plainview cameras settings") as (here, by):
        at = valid_from or by["now"]
        if at < by["now"]:
            raise SpanError("Settings hold from now or later: what cameras did before cannot be changed.")
        before = queries.settings_at(at, default=default_settings(here.installation))
        wanted = replace(before, **changes)
        actions.set_camera_settings(settings=wanted, valid_from=at, reason=reason, **by)
    _say_settings(wanted, as_json=as_json)


def set_covert(data: Path, serial: str, *, make: str | None, leave: Leave | None, reason: str) -> None:
    """Allow a camera to record without lights and sounds, or no longer."""
    with _changing(data, "plainview cameras covert") as (_, by):
        device = queries.device_with_serial(serial, make=make)
        if leave is None:
            is_ended = actions.end_covert(device=device, reason=reason, **by)
            said = "is allowed no longer" if is_ended else "was not allowed"
        elif leave.valid_to <= leave.valid_from:
            raise SpanError("It has to end later than it begins.")
        else:
            user = user_named(leave.allowed_by)
            by |= {"valid_from": leave.valid_from, "valid_to": leave.valid_to}
            actions.allow_covert(device=device, allowed_by=user.pk, reason=reason, **by)
            said = f"is allowed until {format_at(leave.valid_to)}"
    answer(f"{serial}: recording without lights and sounds {said}. The camera hears of it when it is docked.")


def rotate_key(data: Path) -> None:
    """Make a new key for cameras to seal to; those before it go on opening what was sealed to them."""
    with opened(data, command="plainview cameras rotate-key", say=say) as here:
        before = intake_public(here.installation.keys)
        after = rotate_intake_key(here.installation.keys)
    answer(f"{before.hex()} -> {after.hex()}")
    say(
        "Cameras seal to it from their next docking on. Make a backup now: its key escrow has to hold the new key."
    )


@contextmanager
def _changing(data: Path, command: str) -> Iterator[tuple[Opened, dict[str, Any]]]:
    """Open the data directory and hold one transaction; yield what is open, and who acts and when."""
    with opened(data, command=command, say=say) as here:
        with transaction.atomic():
            yield here, {"actor": here.actor, "now": utc_now()}
        publish(here.installation)


def _key_of(serial: str, make: str | None, state: str) -> KnownCameraKey:
    device = queries.device_with_serial(serial, make=make)
    keys = queries.camera_keys_of(device)
    found = [key for key in keys if key.state == state]
    if not found:
        raise NotWaitingError(serial, keys[0].state if keys else "")
    return found[0]


def _say_settings(found: CameraSettings, *, as_json: bool) -> None:
    if as_json:
        answer_json(asdict(found))
        return
    for each in fields(CameraSettings):
        answer(f"{each.name}  {getattr(found, each.name)}")


def _words(camera: KnownCamera, missing: list[int]) -> list[str]:
    words = [camera.make, camera.serial, camera.assigned or "nobody's"]
    if camera.key is None:
        words.append("does not sign")
    elif camera.key.state == "waiting":
        words.append(f"waits to be admitted: {camera.key.fingerprint}")
    else:
        words.append(camera.key.state)
    if camera.docked_at is not None and camera.docking is not None:
        words.append(f"in {camera.docking.dock} since {format_at(camera.docked_at)}")
    elif camera.docking is not None:
        words.append(f"last docked {format_at(camera.docking.docked_at)}")
    if camera.is_overdue:
        words.append("overdue")
    if missing:
        words.append(f"missing by its own count: {', '.join(map(str, missing))}")
    return words


def _record(camera: KnownCamera, missing: list[int]) -> dict[str, Any]:
    key, docking = camera.key, camera.docking
    return {
        "make": camera.make,
        "model": camera.model,
        "serial": camera.serial,
        "badge": camera.badge or None,
        "key": None
        if key is None
        else {"state": key.state, "fingerprint": key.fingerprint, "public_key": key.public_key.hex()},
        "docked_at": None if camera.docked_at is None else format_at(camera.docked_at),
        "dock": None if docking is None else docking.dock,
        "clock_error_ms": None if docking is None else docking.clock_error_ms,
        "is_overdue": camera.is_overdue,
        "missing": missing,
    }

"""Issue the department's cameras and its dock: made, admitted, ordered how to record, and known to the server."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from plainview.camera.identity import create_camera, open_camera
from plainview.demo.department import ENTERED_AT
from plainview.demo.recorded import MAKE, MODEL, SETTINGS, home_of, storage_of
from plainview.demo.rendering import NEW, SERIALS, remember_new
from plainview.dock.home import DockSetting, write_setting
from plainview.evidence.camera_actions import add_dock, admit_camera, set_camera_settings
from plainview.evidence.camera_queries import camera_key_with
from plainview.formats.note import parse_vkey
from plainview.pipeline.orders import ask_for_admission, department_vkey, log_vkeys, orders_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from plainview.custody.record import Actor
    from plainview.pipeline.installation import Installation

DOCK_NAME: Final = "Station 12, roll call"
HOST: Final = "demo.plainview.example"


def camera_folder(folder: Path, serial: str) -> Path:
    """Return the folder of one camera."""
    return folder / serial


def issue_cameras(
    folder: Path, installation: Installation, *, actor: Actor, clock: Callable[[], datetime]
) -> None:
    """Make each camera that records in the story, admit its key and give it its orders; once.

    Args:
        folder: of all cameras.
        installation: whose cameras they are.
        actor: who admits them.
        clock: the time; orders must be newer than what they are about.
    """
    missing = [serial for serial in SERIALS if not _is_issued(camera_folder(folder, serial))]
    if len(missing) == len(SERIALS):
        settings = replace(SETTINGS, zone=installation.zone)
        reason = "how the sample department's cameras record"
        set_camera_settings(settings=settings, valid_from=ENTERED_AT, reason=reason, actor=actor, now=clock())
    for serial in missing:
        _issue(camera_folder(folder, serial), serial, installation, actor, clock)


def _is_issued(folder: Path) -> bool:
    return (folder / NEW).exists()


def _issue(
    folder: Path, serial: str, installation: Installation, actor: Actor, clock: Callable[[], datetime]
) -> None:
    # One that an interruption left half made is of no use to anybody.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    name = f"cam.{HOST}/{serial}"
    create_camera(home_of(folder), storage_of(folder), name=name, make=MAKE, model=MODEL, now=_now(clock))
    key = ask_for_admission(
        (storage_of(folder) / "request.note").read_text(encoding="utf-8"), actor=actor, now=clock()
    )
    admit_camera(key=key.key, fingerprint=key.fingerprint, actor=actor, now=clock())
    admitted = camera_key_with(key.public_key)
    assert admitted is not None, "it was admitted a line ago"
    camera = open_camera(home_of(folder), storage_of(folder), is_power_on=False)
    camera.take_orders(orders_for(installation, admitted, now=clock()))
    remember_new(folder)


def issue_dock(folder: Path, installation: Installation, *, actor: Actor, now: datetime) -> None:
    """Add the department's dock, and write down for it what `plainview dock init` would.

    Args:
        folder: of the dock's own.
        installation: whose dock it is.
        actor: who adds it.
        now: when.
    """
    token = secrets.token_urlsafe(32)
    add_dock(name=DOCK_NAME, token_sha256=hashlib.sha256(token.encode()).hexdigest(), actor=actor, now=now)
    setting = DockSetting(
        server="http://127.0.0.1",
        token=token,
        dock=DOCK_NAME,
        department_key=parse_vkey(department_vkey(installation)),
        log_keys=tuple(parse_vkey(each) for each in log_vkeys()),
    )
    write_setting(folder, setting)


def _now(clock: Callable[[], datetime]) -> datetime:
    """Return the time to the millisecond, as formats hold it."""
    at = clock()
    return at.replace(microsecond=at.microsecond // 1000 * 1000)

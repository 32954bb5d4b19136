"""The commands about cameras and docks, and their options."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from plainview.cli.options import Data, Json, data_of

cameras_app = typer.Typer(
    name="cameras",
    help="Cameras: admit their keys, say how they record, see which are docked, overdue or miss recordings.",
    no_args_is_help=True,
)
docks_app = typer.Typer(
    name="docks",
    help="Docks: the places where cameras hand in what they recorded. Each shows a token of its own.",
    no_args_is_help=True,
)

Serial = Annotated[str, typer.Argument(help="The camera's serial number.")]
Make = Annotated[
    str | None,
    typer.Option(help="Its make, where several makers have this serial number.", show_default=False),
]
Reason = Annotated[str, typer.Option(help="Why, in one line; only a commitment to it enters the log.")]
Moment = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"], help="A moment in UTC.", show_default=False
    ),
]


def _utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(tzinfo=UTC)


@cameras_app.command("list")
def list_cameras(data: Data = None, as_json: Json = False) -> None:
    """List every camera: whose it is, whether its key counts, where it is, and what is missing by its own count."""
    from plainview.cli.cameras import show

    show(data_of(data), as_json=as_json)


@cameras_app.command("admit")
def admit_camera(
    serial: Serial,
    fingerprint: Annotated[str, typer.Option(help="Of its key, as the camera itself shows it.")],
    make: Make = None,
    data: Data = None,
) -> None:
    """Admit a camera: from then on what its key signs counts as that camera's."""
    from plainview.cli.cameras import admit

    admit(data_of(data), serial, make=make, fingerprint=fingerprint)


@cameras_app.command("refuse")
def refuse_camera(serial: Serial, reason: Reason, make: Make = None, data: Data = None) -> None:
    """Refuse a camera that asks to be admitted."""
    from plainview.cli.cameras import refuse

    refuse(data_of(data), serial, make=make, reason=reason)


@cameras_app.command("revoke")
def revoke_camera(serial: Serial, reason: Reason, make: Make = None, data: Data = None) -> None:
    """Let a camera's key count no longer: it is lost, or was replaced."""
    from plainview.cli.cameras import revoke

    revoke(data_of(data), serial, make=make, reason=reason)


@cameras_app.command("settings")
def camera_settings(
    buffer: Annotated[
        int | None, typer.Option(help="Seconds kept of the time before the button, 0 to 120.")
    ] = None,
    buffer_sound: Annotated[bool | None, typer.Option(help="Whether that time has sound.")] = None,
    post: Annotated[int | None, typer.Option(help="Seconds it goes on after the stop, 0 to 120.")] = None,
    fragment: Annotated[
        int | None, typer.Option(help="Milliseconds a loss of power can take, 1000 to 2000.")
    ] = None,
    width: Annotated[int | None, typer.Option(help="Of the picture, in pixels.")] = None,
    height: Annotated[int | None, typer.Option(help="Of the picture, in pixels.")] = None,
    frame_rate: Annotated[int | None, typer.Option(help="Pictures a second.")] = None,
    bit_rate: Annotated[int | None, typer.Option(help="Of the picture, in kbit/s.")] = None,
    reminder: Annotated[
        int | None, typer.Option(help="Seconds between reminders that it records, 10 to 600.")
    ] = None,
    worn: Annotated[
        str | None, typer.Option(help="chest, belt, head, shoulder, car, other or unknown.")
    ] = None,
    zone: Annotated[str | None, typer.Option(help="IANA zone of the place.")] = None,
    valid_from: Annotated[
        datetime | None,
        typer.Option(
            "--from",
            formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
            help="From when, in UTC. Default: now.",
            show_default=False,
        ),
    ] = None,
    reason: Reason = "Set at the command line.",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Say how every camera records from a moment on; without options, show how they do now."""
    from plainview.cli.cameras import set_settings

    given: dict[str, Any] = {
        "buffer_ms": None if buffer is None else buffer * 1000,
        "has_buffer_sound": buffer_sound,
        "post_ms": None if post is None else post * 1000,
        "fragment_ms": fragment,
        "width_px": width,
        "height_px": height,
        "frame_rate": frame_rate,
        "bit_rate_bps": None if bit_rate is None else bit_rate * 1000,
        "reminder_ms": None if reminder is None else reminder * 1000,
        "worn": worn,
        "zone": zone,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    set_settings(data_of(data), changes, valid_from=_utc(valid_from), reason=reason, as_json=as_json)


@cameras_app.command("covert")
def covert(
    serial: Serial,
    reason: Reason,
    by: Annotated[str | None, typer.Option(help="User name of who allows it.", show_default=False)] = None,
    until: Moment = None,
    end: Annotated[bool, typer.Option("--end", help="Allow it no longer.")] = False,
    make: Make = None,
    data: Data = None,
) -> None:
    """Allow a camera to record without lights and sounds until a moment, or no longer."""
    from plainview.cli.cameras import Leave, set_covert
    from plainview.cli.start import utc_now

    leave = None
    if not end:
        if by is None or until is None:
            raise typer.BadParameter("Say who allows it and until when (--by, --until), or --end.")
        leave = Leave(by, utc_now(), until.replace(tzinfo=UTC))
    set_covert(data_of(data), serial, make=make, leave=leave, reason=reason)


@cameras_app.command("rotate-key")
def rotate_key(data: Data = None) -> None:
    """Make a new key for cameras to seal to; what was sealed to those before still opens."""
    from plainview.cli.cameras import rotate_key as rotate_it

    rotate_it(data_of(data))


DockName = Annotated[str, typer.Argument(help="What people call it, such as 'Front desk'.")]


@docks_app.command("add")
def add_dock(name: DockName, data: Data = None, as_json: Json = False) -> None:
    """Add a dock, and show its token once."""
    from plainview.cli.docks import add

    add(data_of(data), name, as_json=as_json)


@docks_app.command("list")
def list_docks(data: Data = None, as_json: Json = False) -> None:
    """List the docks."""
    from plainview.cli.docks import show

    show(data_of(data), as_json=as_json)


@docks_app.command("close")
def close_dock(name: DockName, data: Data = None) -> None:
    """Let a dock hand in nothing any more."""
    from plainview.cli.docks import close

    close(data_of(data), name)

"""plainview camera: make a camera of this machine, run it, and tell it what its department ordered.

Answered without typer and without Django: it works where only [camera] is installed.
"""

from __future__ import annotations

import argparse
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from plainview.camera import identity
from plainview.formats.camera_orders import key_fingerprint
from plainview.formats.capture import TRIGGERS
from plainview.formats.note import format_vkey
from plainview.formats.trigger import TRIGGER_SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable

HOME = Path("/var/lib/plainview-camera")
STORAGE = Path("/srv/plainview-camera")


def run(arguments: list[str]) -> int:
    """Run a subcommand.

    Returns:
        The exit code.

    Raises:
        CameraError: what a person can act on.
    """
    given = _parser().parse_args(arguments)
    work: Callable[[argparse.Namespace], int] = given.work
    return work(given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="plainview camera", description="Make this machine a camera, and run it."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    init = _command(commands, "init", _init, "make the camera's key and its request to be admitted")
    init.add_argument("--name", required=True, help="cam.<department's host name>/<serial number>")
    init.add_argument("--make", default="Plainview", help="default: %(default)s")
    init.add_argument("--model", default="recorder", help="default: %(default)s")
    _command(commands, "request", _request, "print the request, for whoever admits cameras")
    orders = _command(commands, "orders", _orders, "take orders from a file, as a dock does over the network")
    orders.add_argument("file", type=Path, help="a signed note of the department")
    _command(commands, "status", _status, "say what the camera is, and what it keeps")
    trigger = commands.add_parser(
        "trigger",
        help="tell cameras around to record, as a light bar or a holster does",
        description="Tell cameras around to record, as a light bar or a holster does.",
    )
    trigger.add_argument(
        "--key", type=Path, required=True, help="the sender's key; made with --sender if missing"
    )
    trigger.add_argument("--sender", help="the name of a new sender, such as car.example.org/12A")
    trigger.add_argument(
        "--source", choices=TRIGGER_SOURCES, default="light_bar", help="default: %(default)s"
    )
    trigger.add_argument("--to", default="255.255.255.255", metavar="ADDRESS", help="default: all around")
    trigger.set_defaults(work=_trigger)
    _add_run(commands)
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    work: Callable[[argparse.Namespace], int],
    text: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text.capitalize() + ".")
    parser.add_argument(
        "--home", type=_folder, default=HOME, help="its key; never leaves the camera (default: %(default)s)"
    )
    parser.add_argument(
        "--storage", type=_folder, default=STORAGE, help="what it records (default: %(default)s)"
    )
    parser.set_defaults(work=work)
    return parser


def _folder(text: str) -> Path:
    # The camera syncs the folder above as well, so it must have a name.
    return Path(text).absolute()


def _add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    run_it = _command(commands, "run", _run, "switch the camera on, until it is told to stop")
    run_it.add_argument("--source", required=True, help="v4l2:/dev/video0, file:PATH or rtsp://...")
    run_it.add_argument("--sound", help="alsa:DEVICE, where the picture's source has none")
    run_it.add_argument("--input-format", default="", help="of a v4l2 device, such as mjpeg")
    run_it.add_argument("--preset", default="ultrafast", help="of the encoder, x264 (default: %(default)s)")
    run_it.add_argument(
        "--led", action="append", default=[], metavar="COLOUR=FOLDER", help="a diode below /sys/class/leds"
    )
    run_it.add_argument(
        "--buzzer", type=Path, metavar="FOLDER", help="a buzzer or motor below /sys/class/leds"
    )
    run_it.add_argument(
        "--keys", action="append", default=[], type=Path, metavar="DEVICE", help="/dev/input/event..."
    )
    run_it.add_argument(
        "--status", default="127.0.0.1:8080", metavar="ADDRESS:PORT", help="default: %(default)s"
    )
    run_it.add_argument("--dock", default="0.0.0.0:8470", metavar="ADDRESS:PORT", help="default: %(default)s")
    run_it.add_argument("--hidden", action="store_true", help="do not announce the camera on the network")
    run_it.add_argument("--triggers", action="store_true", help="obey triggers heard over the network")
    run_it.add_argument(
        "--tell-others", action="store_true", help="trigger cameras close by when a recording begins"
    )
    run_it.add_argument("--no-check", action="store_true", help="skip the check at the start of the shift")
    run_it.add_argument("--press", action="store_true", help="begin to record at once")


# --- what takes no time


def _init(given: argparse.Namespace) -> int:
    for folder in (given.home, given.storage):
        folder.parent.mkdir(parents=True, exist_ok=True)
    identity.create_camera(
        given.home, given.storage, name=given.name, make=given.make, model=given.model, now=datetime.now(UTC)
    )
    camera = identity.open_camera(given.home, given.storage, is_power_on=False)
    print(f"{camera.name} is made. The fingerprint of its key: {key_fingerprint(camera.public_key)}")
    print("Write the fingerprint down for whoever admits it, and put the camera into a dock.")
    return 0


def _request(given: argparse.Namespace) -> int:
    identity.open_camera(given.home, given.storage, is_power_on=False)
    print((given.storage / identity.REQUEST).read_text("utf-8"), end="")
    return 0


def _orders(given: argparse.Namespace) -> int:
    camera = identity.open_camera(given.home, given.storage)
    try:
        is_new = camera.take_orders(given.file.read_text("utf-8"))
    finally:
        camera.switch_off()
    print(f"{camera.name} {'took these orders' if is_new else 'has these orders already'}.")
    return 0


def _status(given: argparse.Namespace) -> int:
    camera = identity.open_camera(given.home, given.storage, is_power_on=False)
    print(f"{camera.name}: {camera.make} {camera.model}")
    print(f"Fingerprint of its key: {key_fingerprint(camera.public_key)}")
    print(f"For other cameras to obey its triggers: {format_vkey(camera.key)}")
    if camera.orders is None:
        print("Nobody has admitted it yet.")
    else:
        print(f"Admitted; orders of {camera.orders.at:%Y-%m-%d %H:%M:%S} UTC.")
    kept = len([path for path in (given.storage / "streams").iterdir() if path.is_dir()])
    print(f"Switched on {camera.boot} times; {kept} journals kept; {camera.free_bytes() / 1e9:.1f} GB free.")
    return 0


def _trigger(given: argparse.Namespace) -> int:
    from plainview.camera.sender import make_sender, open_sender
    from plainview.camera.triggers import make_trigger, say

    if given.sender is not None:
        made = make_sender(given.key, name=given.sender)
        print(f"Made. Cameras obey it once the department trusts this key: {format_vkey(made.key)}")
        return 0
    sender = open_sender(given.key)
    message = make_trigger(
        given.source,
        sender=sender.key.name,
        at=datetime.now(UTC),
        identifier=secrets.token_hex(8),
        sign_note=sender.sign_note,
    )
    say(message, address=given.to)
    print(f"Sent by {sender.key.name}: {TRIGGERS[given.source]}")
    return 0


def _run(given: argparse.Namespace) -> int:
    from plainview.cli.camera_run import Wanted, run_camera

    return run_camera(
        Wanted(
            home=given.home,
            storage=given.storage,
            source=given.source,
            sound=given.sound,
            input_format=given.input_format,
            preset=given.preset,
            leds=tuple(given.led),
            buzzer=given.buzzer,
            keys=tuple(given.keys),
            status=given.status,
            dock=given.dock,
            is_announced=not given.hidden,
            hears_triggers=given.triggers,
            tells_others=given.tell_others,
            has_check=not given.no_check,
            is_pressed=given.press,
        )
    )

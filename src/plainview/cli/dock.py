"""plainview dock: make a dock of this machine, run it, or take in one folder.

Answered without typer and without Django: it works where only [dock] is installed.
"""

from __future__ import annotations

import argparse
import json
import ssl
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from plainview.dock.card import read_pattern
from plainview.dock.errors import ServerError, SetUpError
from plainview.dock.find import Addresses, Announced, Mounted
from plainview.dock.home import (
    DIGESTS_FILE,
    Digests,
    DockSetting,
    read_setting,
    write_setting,
)
from plainview.dock.offload import offload_folder
from plainview.dock.pace import SENDERS, Pace
from plainview.dock.server import HttpServer
from plainview.dock.station import Station
from plainview.dock.wall_server import bay_record, serving_wall
from plainview.dock.words import say_bay, say_camera
from plainview.formats.note import format_vkey

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plainview.dock.find import Finder
    from plainview.dock.words import Bay

HOME = Path("/var/lib/plainview-dock")
WALL = "127.0.0.1:8090"
NOT_SAFE = 1
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def run(arguments: list[str]) -> int:
    """Run a subcommand.

    Returns:
        The exit code: 0, or 1 where not everything in a folder was checked.

    Raises:
        DockError: what a person can act on.
    """
    given = _parser().parse_args(arguments)
    work: Callable[[argparse.Namespace], int] = given.work
    return work(given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="plainview dock",
        description="Take in what cameras recorded, and erase what a checked receipt covers.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    init = _command(commands, "init", _init, "set this dock up, or take the log's new key")
    init.add_argument("--server", required=True, help="address of the department's server, https://...")
    init.add_argument(
        "--token", required=True, help="as `plainview docks add` printed it; - reads it from standard input"
    )
    init.add_argument("--certificate", default="", metavar="FILE", help="of the server's own authority, PEM")
    once = _command(commands, "once", _once, "take in one folder, and end")
    once.add_argument("folder", type=Path, help="a camera's storage, or a card")
    run_it = _command(commands, "run", _run, "wait for cameras, until it is told to stop")
    run_it.add_argument(
        "--watch", action="append", default=[], metavar="PATH", help="where cards appear, such as '/media/*'"
    )
    run_it.add_argument(
        "--camera", action="append", default=[], metavar="HOST:PORT", help="a camera on the network"
    )
    run_it.add_argument(
        "--no-mdns", action="store_true", help="do not listen for cameras that announce themselves"
    )
    run_it.add_argument(
        "--wall", metavar="HOST:PORT", help=f"serve the wall and the check-out there, such as {WALL}"
    )
    run_it.add_argument(
        "--senders", type=int, default=SENDERS, help="pieces on their way at once (default: %(default)s)"
    )
    for each in (once, run_it):
        each.add_argument(
            "--pattern",
            action="append",
            default=[],
            type=Path,
            metavar="FILE",
            help="a folder pattern, for cards of other makers",
        )
        each.add_argument("--zone", default="", help="IANA zone of the place, for patterns that ask for it")
        each.add_argument(
            "--cap-mbps", type=float, default=0.0, metavar="N", help="send at most so many Mbit/s in all"
        )
        each.add_argument("--json", action="store_true", help="print records instead of words")
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    work: Callable[[argparse.Namespace], int],
    text: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text.capitalize() + ".")
    parser.add_argument("--home", type=Path, default=HOME, help="what the dock keeps (default: %(default)s)")
    parser.set_defaults(work=work)
    return parser


def _init(given: argparse.Namespace) -> int:
    """Ask the server who it is, keep its keys, and show them for a person to compare."""
    token = sys.stdin.readline().strip() if given.token == "-" else given.token  # noqa: S105 - asks for it
    address = given.server.rstrip("/")
    try:
        context = ssl.create_default_context(cafile=given.certificate or None)
        server = HttpServer(address, token, context=context if address.startswith("https:") else None)
    except (ValueError, OSError) as error:
        raise SetUpError(f"{given.server}: {error}") from error
    try:
        hello = server.hello()
    except ServerError as error:
        raise SetUpError(f"{given.server} does not take this dock: {error}") from error
    finally:
        server.close()
    setting = DockSetting(address, token, hello.dock, hello.department_key, hello.log_keys, given.certificate)
    write_setting(given.home, setting)
    if address.startswith("http:") and urlsplit(address).hostname not in LOOPBACK:
        print(
            "Warning: whoever listens on this network can read the dock's token. Use https://.",
            file=sys.stderr,
        )
    print(f"This is dock {hello.dock}. It erases nothing without a receipt that one of these keys signed.")
    print("Compare them with what `plainview keys` and `plainview docks add` print on the server:")
    for key in (*hello.log_keys, hello.department_key):
        print(f"  {format_vkey(key)}")
    return 0


def _pace(given: argparse.Namespace, senders: int = SENDERS) -> Pace:
    return Pace(senders=max(1, senders), bytes_per_s=max(0.0, given.cap_mbps) * 1e6 / 8)


def _once(given: argparse.Namespace) -> int:
    setting = read_setting(given.home)
    said: set[str] = set()

    def tell(bay: Bay) -> None:
        words = say_bay(bay)
        line = f"{words.headline}: {words.line}"
        if not given.json and line not in said:
            said.add(line)
            print(line, file=sys.stderr)

    bay = offload_folder(
        given.folder,
        setting.connect(),
        log_keys=setting.log_keys,
        patterns=[read_pattern(path) for path in given.pattern],
        zone=given.zone,
        pace=_pace(given),
        on_change=tell,
    )
    if given.json:
        print(json.dumps(bay_record(bay)))
    else:
        print("\n".join(_said_of_files(bay)))
    return 0 if bay.is_safe else NOT_SAFE


def _said_of_files(bay: Bay) -> Sequence[str]:
    lines = [f"{say_camera(bay.make, bay.model, bay.serial)}: {say_bay(bay).headline}"]
    for each in bay.files:
        what = "erased" if each.is_erased else "kept on the camera"
        told = each.outcome or each.state
        lines.append(
            "  " + ", ".join(part for part in (each.file.path, told, each.recording, what, each.why) if part)
        )
    return lines


def _run(given: argparse.Namespace) -> int:
    setting = read_setting(given.home)
    pace, digests = _pace(given, given.senders), Digests(given.home / DIGESTS_FILE)
    patterns = [read_pattern(path) for path in given.pattern]
    finders: list[Finder] = [
        Addresses(given.camera),
        Mounted(given.watch, log_keys=setting.log_keys, patterns=patterns, zone=given.zone),
    ]
    if not given.no_mdns:
        finders.append(Announced())
    station = Station(
        name=setting.dock,
        connect=setting.connect,
        log_keys=setting.log_keys,
        finders=finders,
        pace=pace,
        digests=digests,
    )
    with ExitStack() as open_things:
        open_things.callback(digests.close)
        if given.wall:
            try:
                address = open_things.enter_context(serving_wall(given.wall, station, setting.connect))
            except (OSError, ValueError) as error:
                raise SetUpError(f"The wall cannot be served at {given.wall}: {error}") from error
            print(f"The wall is at {address}", file=sys.stderr)
        station.run(open_things.enter_context(_telling(given, setting.dock)))
    return 0


def _telling(given: argparse.Namespace, name: str) -> _Teller:
    return _Teller(name, as_json=given.json)


class _Teller:
    """Shows the bays: live in a terminal, else a line whenever one says something new."""

    def __init__(self, name: str, *, as_json: bool) -> None:
        from rich.live import Live  # slow to load

        from plainview.dock.terminal import bays_table

        self._name, self._as_json, self._table = name, as_json, bays_table
        self._live = Live(auto_refresh=False) if sys.stdout.isatty() and not as_json else None
        self._said: dict[str, str] = {}

    def __enter__(self) -> Callable[[list[Bay]], None]:
        if self._live is not None:
            self._live.start()
        return self._tell

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def _tell(self, bays: list[Bay]) -> None:
        if self._live is not None:
            self._live.update(self._table(self._name, bays), refresh=True)
            return
        for bay in bays:
            words = say_bay(bay)
            line = f"{say_camera(bay.make, bay.model, bay.serial)}: {words.headline}: {words.line}"
            line = json.dumps(bay_record(bay)) if self._as_json else "; ".join((line, *words.problems))
            if self._said.get(bay.key) != line:
                self._said[bay.key] = line
                print(line, flush=True)

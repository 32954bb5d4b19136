"""Serve the wall and the kiosk on this machine, to the screen that hangs above the dock."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qs, urlsplit

from plainview.dock.errors import ServerError
from plainview.dock.wall import badge_page, choice_page, sure_page, taken_page, wall_page
from plainview.dock.words import say_bay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from plainview.dock.server import CameraOnWall, Server
    from plainview.dock.station import Station
    from plainview.dock.words import Bay

Said = TypeVar("Said")
FORM_LIMIT_BYTES = 8192
# The server is asked for overdue cameras so often, however many screens there are.
CAMERAS_S = 30.0
STYLE = Path(__file__).with_name("wall.css")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class WallServer(ThreadingHTTPServer):
    """The wall of one station."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], station: Station, connect: Callable[[], Server]) -> None:
        super().__init__(address, _Answering)
        self.station, self.connect = station, connect
        self._lock = threading.Lock()
        self._cameras: tuple[CameraOnWall, ...] = ()
        self._asked_s = float("-inf")

    def overdue(self) -> list[CameraOnWall]:
        """Return the cameras that should be docked and are not, as last heard."""
        with self._lock:
            if time.monotonic() - self._asked_s > CAMERAS_S:
                self._asked_s = time.monotonic()
                # Where the server does not answer the bays say so; what was overdue still is.
                with suppress(ServerError):
                    self._cameras = self._ask(lambda server: server.cameras())
            here = {(bay.make, bay.serial) for bay in self.station.bays()}
            return [
                each for each in self._cameras if each.is_overdue and (each.make, each.serial) not in here
            ]

    def check_out(self, badge: str, bay: Bay, *, is_sure: bool) -> str:
        """Give a camera to whoever has the badge; return the page that says so, or why not."""
        try:
            assigned = self._ask(
                lambda server: server.check_out(
                    badge=badge, make=bay.make, serial=bay.serial, is_sure=is_sure
                )
            )
        except ServerError as error:
            if error.status == 409 and not is_sure:
                return sure_page(badge, bay, str(error))
            return badge_page(str(error))
        self.station.give(bay.key)
        return taken_page(bay, assigned)

    def _ask(self, question: Callable[[Server], Said]) -> Said:
        server = self.connect()
        try:
            return question(server)
        finally:
            server.close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a screen that went away."""


class _Answering(BaseHTTPRequestHandler):
    server: WallServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 30

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it is called by
        """Write no line for each look at the wall."""

    def do_GET(self) -> None:
        """Show a page."""
        path = urlsplit(self.path).path
        if not self._is_asked_by_name():
            self._send(403, b"Open the wall by the address it was given.", "text/plain")
        elif path == "/":
            station = self.server.station
            self._page(wall_page(station.name, station.bays(), self.server.overdue()))
        elif path == "/checkout":
            self._page(badge_page())
        elif path == "/wall.css":
            self._send(200, STYLE.read_bytes(), "text/css; charset=utf-8")
        elif path == "/bays.json":
            self._send(200, bays_json(self.server.station.bays()), "application/json")
        else:
            self._send(404, b"Not here.", "text/plain")

    def do_POST(self) -> None:
        """Take a badge, or a badge and a camera."""
        length = int(self.headers.get("Content-Length") or "0")
        if self.path != "/checkout" or length > FORM_LIMIT_BYTES or not self._is_ours():
            self.close_connection = True
            self._send(403, b"Not here.", "text/plain")
            return
        given = parse_qs(self.rfile.read(length).decode("utf-8", "replace"))
        badge, key = (given.get(name, [""])[0].strip() for name in ("badge", "bay"))
        bays = self.server.station.bays()
        chosen = next((bay for bay in bays if bay.key == key and bay.is_safe), None)
        if not badge:
            self._page(badge_page("Scan or type a badge first."))
        elif not key:
            self._page(choice_page(badge, bays))
        elif chosen is None:
            self._page(badge_page("That camera is not there any more. Choose another."))
        else:
            is_sure = given.get("sure") == ["yes"]
            self._page(self.server.check_out(badge, chosen, is_sure=is_sure))

    def _is_asked_by_name(self) -> bool:
        """Say whether this is asked for by an address: a name could be somebody else's that leads here."""
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname or ""
        if host in ("localhost", self.server.server_name):
            return True
        try:
            ip_address(host)
        except ValueError:
            return False
        return True

    def _is_ours(self) -> bool:
        """Say whether a form comes from a page of ours, and not from one that somebody opened beside it."""
        origin = self.headers.get("Origin")
        is_same = origin is None or urlsplit(origin).netloc == self.headers.get("Host")
        site = self.headers.get("Sec-Fetch-Site", "same-origin")
        return is_same and site in ("same-origin", "none") and self._is_asked_by_name()

    def _page(self, html: str) -> None:
        self._send(200, html.encode(), "text/html; charset=utf-8")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Type": kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def bays_json(bays: list[Bay]) -> bytes:
    """Return every bay as a record, for programs; no receipts."""
    return json.dumps({"bays": [bay_record(bay) for bay in bays]}).encode()


def bay_record(bay: Bay) -> dict[str, object]:
    """Return one bay as a record of JSON."""
    words = say_bay(bay)
    files = [
        {
            "path": each.file.path,
            "kind": each.file.kind,
            "size_bytes": each.file.size_bytes,
            "sha256": each.sha256,
            "state": each.state,
            "outcome": each.outcome,
            "recording": each.recording,
            "is_erased": each.is_erased,
            "why": each.why,
        }
        for each in bay.files
    ]
    said = {name: value for name, value in asdict(bay).items() if name not in ("files", "elapsed_s")}
    return {
        **said,
        "is_safe": bay.is_safe,
        "checked": bay.checked,
        "headline": words.headline,
        "line": words.line,
        "problems": list(words.problems),
        "files": files,
    }


@contextmanager
def serving_wall(address: str, station: Station, connect: Callable[[], Server]) -> Iterator[str]:
    """Serve the wall until the context ends; yield where it is.

    Args:
        address: host:port to listen at; port 0 is any that is free.
        station: whose wall.
        connect: how to reach the server.

    Raises:
        OSError: the address is taken, or not one of this machine's.
    """
    host, _, port = address.rpartition(":")
    server = WallServer((host.strip("[]") or "127.0.0.1", int(port)), station, connect)
    thread = threading.Thread(target=server.serve_forever, name="wall", daemon=True)
    thread.start()
    try:
        yield f"http://{host or '127.0.0.1'}:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""What a dock reads and says over the network: docs/formats/dock-api.md, "Camera to dock".

Nothing here needs a secret. What is read is sealed; orders and receipts are signed, and checked here; and nothing that
is said here stops a recording that runs.
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from plainview.camera.disk import read_file, told_as_storage
from plainview.camera.errors import CameraError
from plainview.camera.folders import (
    SEALED_FILES,
    about_record,
    list_streams,
    read_about,
    stream_path,
)
from plainview.camera.identity import CAMERA_JSON, REQUEST
from plainview.camera.receipts import check_stream_can_be_read, erase_stream, is_being_erased
from plainview.camera.store_errors import NoSuchStreamError
from plainview.formats.camera_orders import ORDERS_LIMIT_BYTES
from plainview.formats.canonical import canonical_json
from plainview.formats.capture import STREAM_ID
from plainview.formats.errors import FormatError
from plainview.formats.fields import LINE
from plainview.formats.receipt import RECEIPT_LIMIT_BYTES, parse_receipt
from plainview.formats.times import format_at

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from datetime import datetime

    from plainview.camera.identity import Camera
    from plainview.formats.camera_orders import CameraOrders
    from plainview.formats.receipt import Receipt

_BLOCK_BYTES = 1 << 20
_PATIENCE_S = 60
_MOST_AT_ONCE = 16
_RANGE = re.compile(r"bytes=([0-9]{1,18})-\Z", re.ASCII)
_STREAM = re.compile(r"/v1/streams/([0-9a-f-]{1,40})/([a-z.]{1,40})\Z", re.ASCII)


@dataclass(frozen=True)
class CameraStatus:
    """How a camera is just now.

    Attributes:
        at: by its clock; aware UTC.
        mono_ms: since it was switched on.
        state: the name of its state, as its journals have it.
        battery_percent: of its battery, 0 to 100; None where nothing measures it.
    """

    at: datetime
    mono_ms: int
    state: str
    battery_percent: int | None


class CameraHooks(Protocol):
    """What the network may ask of the recorder; called from other threads than the recorder's own."""

    def status(self) -> CameraStatus:
        """Return how the camera is just now."""
        ...

    def orders_taken(self, orders: CameraOrders) -> None:
        """Set the clock by `orders.at`, and record as they say from the next recording on."""
        ...

    def docked(self, dock: str) -> bool:
        """Go into the state `docked`, and return True; or False while something is recorded."""
        ...

    def taken(self) -> None:
        """Leave the state `docked`."""
        ...


class CameraServer(ThreadingHTTPServer):
    """The camera's HTTP. Call serve_forever in a thread; shutdown and server_close end it."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], camera: Camera, hooks: CameraHooks) -> None:
        self.camera, self.hooks = camera, hooks
        # One at a time: a dock that lost patience asks again while the camera still reads what it is to erase.
        self.erasing = threading.Lock()
        self._places = threading.BoundedSemaphore(_MOST_AT_ONCE)
        super().__init__(address, _Handler)

    def process_request(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any
    ) -> None:
        """Answer in a thread, a few at once: whoever else asks is hung up on, and may ask again."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any
    ) -> None:
        """Answer, and make room for another."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over a dock that was unplugged in the middle of something."""


class _RefusedError(Exception):
    """An answer other than the one asked for."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status, self.code = status, code


class _Handler(BaseHTTPRequestHandler):
    server: CameraServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Plainview-camera", ""
    timeout = _PATIENCE_S
    # Headers and a short body leave in one packet: a dock asks many small questions.
    wbufsize = 1 << 16
    _fixed: ClassVar[dict[tuple[str, str], str]] = {
        ("GET", "/v1/camera"): "_get_camera",
        ("GET", "/v1/request"): "_get_request",
        ("GET", "/v1/streams"): "_get_streams",
        ("PUT", "/v1/orders"): "_put_orders",
        ("POST", "/v1/docked"): "_post_docked",
        ("POST", "/v1/taken"): "_post_taken",
    }

    def do_GET(self) -> None:
        self._answer("GET")

    def do_PUT(self) -> None:
        self._answer("PUT")

    def do_POST(self) -> None:
        self._answer("POST")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by http.server
        """Keep quiet: what matters is in the camera's journals."""

    def _answer(self, method: str) -> None:
        try:
            name = self._fixed.get((method, self.path))
            if name is not None:
                act: Callable[[], None] = getattr(self, name)
                act()
            else:
                self._answer_for_stream(method)
        except _RefusedError as refused:
            self._refuse(refused.status, refused.code, str(refused))
        except NoSuchStreamError as error:
            self._refuse(404, "no_such_stream", str(error))
        except CameraError as error:
            code = type(error).__name__.removesuffix("Error")
            self._refuse(409, re.sub("(?<!^)(?=[A-Z])", "_", code).lower(), str(error))

    def _answer_for_stream(self, method: str) -> None:
        match = _STREAM.match(self.path)
        if match is None or STREAM_ID.match(match[1]) is None:
            raise _RefusedError(404, "no_such_page", f"there is no {method} {self.path[:80]!a} here")
        if method == "GET" and match[2] in SEALED_FILES:
            self._get_file(match[1], match[2])
        elif method == "POST" and match[2] == "receipt":
            self._post_receipt(match[1])
        else:
            raise _RefusedError(404, "no_such_page", f"there is no {method} {self.path[:80]!a} here")

    # --- what a dock reads

    def _get_camera(self) -> None:
        status = self.server.hooks.status()
        record = json.loads(self._own_file(CAMERA_JSON))
        record.update(
            at=format_at(status.at),
            mono_ms=status.mono_ms,
            state=status.state,
            battery_percent=status.battery_percent,
        )
        self._reply_json(record)

    def _get_request(self) -> None:
        self._reply(200, self._own_file(REQUEST), "text/plain; charset=utf-8")

    def _own_file(self, name: str) -> bytes:
        camera = self.server.camera
        with told_as_storage(name):
            return read_file(camera.disk, f"{camera.home}/{name}", limit_bytes=ORDERS_LIMIT_BYTES)

    def _get_streams(self) -> None:
        camera = self.server.camera
        with told_as_storage("listing what was recorded"):
            streams = [
                {
                    **about_record(read_about(camera.disk, camera.storage, stream)),
                    "files": self._sizes(stream),
                }
                for stream in list_streams(camera.disk, camera.storage)
                if stream not in camera.open_streams and not is_being_erased(camera, stream)
            ]
        self._reply_json({"streams": streams})

    def _sizes(self, stream: str) -> dict[str, int]:
        disk, folder = self.server.camera.disk, stream_path(self.server.camera.storage, stream)
        sizes = {}
        for name in disk.list_folder(folder):
            if name in SEALED_FILES:
                fd = disk.open(f"{folder}/{name}")
                try:
                    sizes[name] = disk.size(fd)
                finally:
                    disk.close(fd)
        return sizes

    def _get_file(self, stream: str, name: str) -> None:
        camera = self.server.camera
        check_stream_can_be_read(camera, stream)
        try:
            fd = camera.disk.open(f"{stream_path(camera.storage, stream)}/{name}")
        except OSError as error:
            raise _RefusedError(404, "no_such_file", f"{stream} has no {name}: {error.strerror}") from error
        try:
            self._send_file(fd, camera.disk.size(fd))
        finally:
            camera.disk.close(fd)

    def _send_file(self, fd: int, size_bytes: int) -> None:
        match = _RANGE.match(self.headers.get("Range", ""))
        offset = int(match[1]) if match else 0
        if match and offset >= size_bytes:
            raise _RefusedError(416, "range", f"the file has {size_bytes} bytes, none from {offset} on")
        self.send_response(206 if match else 200)
        if match:
            self.send_header("Content-Range", f"bytes {offset}-{size_bytes - 1}/{size_bytes}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(size_bytes - offset))
        self.end_headers()
        buffer = memoryview(bytearray(_BLOCK_BYTES))
        while offset < size_bytes:
            # A disk that fails here, or a dock that is gone, leaves the answer too short: the dock asks for the rest.
            got = self.server.camera.disk.read_into(fd, offset, buffer)
            if not got:
                raise ConnectionAbortedError
            self.wfile.write(buffer[:got])
            offset += got

    # --- what a dock says

    def _put_orders(self) -> None:
        camera = self.server.camera
        try:
            note = self._body(2 * ORDERS_LIMIT_BYTES).decode("utf-8")
        except UnicodeDecodeError as error:
            raise _RefusedError(409, "unreadable_orders", "orders are text in UTF-8") from error
        if camera.take_orders(note):
            self.server.hooks.orders_taken(camera.expect_orders())
        self._reply(204)

    def _post_receipt(self, stream: str) -> None:
        record = self._json_body(3 * RECEIPT_LIMIT_BYTES, {"v", "footage", "journal"})
        footage = None if record["footage"] is None else _receipt(record["footage"])
        journal = _receipt(record["journal"])
        with self.server.erasing:
            erase_stream(self.server.camera, stream, footage=footage, journal=journal)
        self._reply(204)

    def _post_docked(self) -> None:
        dock = self._json_body(_BLOCK_BYTES, {"dock"})["dock"]
        if type(dock) is not str or LINE.match(dock) is None:
            raise _RefusedError(400, "malformed", "dock: expected one line of text")
        if not self.server.hooks.docked(dock):
            raise _RefusedError(409, "recording", "the camera records; nothing here stops it")
        self._reply(204)

    def _post_taken(self) -> None:
        self._body(_BLOCK_BYTES)
        self.server.hooks.taken()
        self._reply(204)

    def _json_body(self, limit_bytes: int, keys: set[str]) -> dict[str, Any]:
        try:
            record = json.loads(self._body(limit_bytes))
        except (ValueError, RecursionError) as error:
            raise _RefusedError(400, "malformed", f"expected JSON in UTF-8: {error}") from error
        if type(record) is not dict or record.keys() != keys:
            raise _RefusedError(400, "malformed", f"expected an object with {', '.join(sorted(keys))}")
        return record

    def _body(self, limit_bytes: int) -> bytes:
        length = self.headers.get("Content-Length") or "0"
        if not re.fullmatch("[0-9]{1,12}", length) or int(length) > limit_bytes:
            self.close_connection = True
            raise _RefusedError(413, "too_long", f"expected a body of at most {limit_bytes} bytes")
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            raise ConnectionAbortedError
        return body

    # --- answers

    def _reply(self, status: int, body: bytes = b"", content_type: str = "application/json") -> None:
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _reply_json(self, record: dict[str, Any]) -> None:
        self._reply(200, json.dumps(record, separators=(",", ":")).encode())

    def _refuse(self, status: int, code: str, text: str) -> None:
        # What is left of a body that was not read must not be taken for the next request.
        self.close_connection = True
        body = json.dumps({"error": code, "text": text}).encode()
        self.send_response(status)
        self.send_header("Connection", "close")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _receipt(record: Any) -> Receipt:
    try:
        return parse_receipt(canonical_json(record))
    except FormatError as error:
        raise _RefusedError(409, "receipt_refused", str(error)) from error

"""The camera's two servers: for docks, and for whoever stands before it."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

from plainview.camera.errors import CameraError
from plainview.camera.serve import CameraServer, CameraStatus
from plainview.camera.status_page import StatusServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from socketserver import BaseServer

    from plainview.camera.clocks import Clock
    from plainview.camera.identity import Camera
    from plainview.camera.recorder import Report
    from plainview.camera.serve import CameraHooks
    from plainview.formats.camera_orders import CameraOrders


class AddressError(CameraError):
    """An address to listen on that is none."""

    def __init__(self, text: str) -> None:
        super().__init__(f"expected an address and a port, such as 127.0.0.1:8080, got {text!r}")
        self.text = text


class UntilAdmitted:
    """What a dock may ask of a camera that nobody has admitted yet: it records nothing, and waits for orders."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._has_orders = threading.Event()

    def wait(self, timeout_s: float) -> bool:
        """Return whether orders came."""
        return self._has_orders.wait(timeout_s)

    def status(self) -> CameraStatus:
        """Return how the camera is just now."""
        return CameraStatus(self._clock.now(), self._clock.ticks() // 90, "off", None)

    def orders_taken(self, orders: CameraOrders) -> None:
        """Stop waiting."""
        del orders
        self._has_orders.set()

    def docked(self, dock: str) -> bool:
        """It does nothing else than sit in a dock."""
        del dock
        return True

    def taken(self) -> None:
        """It does nothing yet."""


def parse_address(text: str) -> tuple[str, int]:
    """Read an address and a port.

    Raises:
        AddressError: not ADDRESS:PORT.
    """
    address, _, port = text.rpartition(":")
    if not address or not port.isdecimal() or int(port) > 65_535:
        raise AddressError(text)
    return address, int(port)


@contextlib.contextmanager
def serve_docks(
    camera: Camera, hooks: CameraHooks, address: str, *, is_announced: bool
) -> Iterator[tuple[str, int]]:
    """Answer docks in a thread, and tell the network where; yields the address that was taken."""
    server = CameraServer(parse_address(address), camera, hooks)
    with _served(server), contextlib.ExitStack() as stack:
        if is_announced:
            stack.callback(_announced(camera, server.server_address[1]))
        yield str(server.server_address[0]), server.server_address[1]


@contextlib.contextmanager
def serve_page(address: str, *, camera: str, report: Callable[[], Report]) -> Iterator[tuple[str, int]]:
    """Show the page in a thread; yields the address that was taken."""
    server = StatusServer(parse_address(address), camera=camera, report=report)
    with _served(server):
        yield str(server.server_address[0]), server.server_address[1]


def _announced(camera: Camera, port: int) -> Callable[[], Any]:
    from plainview.camera.announce import announce_camera  # noqa: PLC0415 a camera that hides needs no zeroconf

    try:
        return announce_camera(camera.name, camera.serial, port)
    except OSError:
        # A camera without a network records all the same; a dock finds it by its address later.
        return lambda: None


@contextlib.contextmanager
def _served(server: BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""Say on the local network that a camera is here, so that a dock finds it without being told where.

Source: RFC 6762 (multicast DNS) and RFC 6763 (service discovery).
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from zeroconf import ServiceInfo, Zeroconf, get_all_addresses  # type: ignore[attr-defined]  # not in its types

if TYPE_CHECKING:
    from collections.abc import Callable

SERVICE = "_plainview-camera._tcp.local."


def announce_camera(camera: str, serial: str, port: int) -> Callable[[], None]:
    """Announce a camera until the function that is returned is called.

    Args:
        camera: its name, cam.<department's host name>/<serial number>.
        serial: the end of that.
        port: where its HTTP is, on every address of this machine.

    Raises:
        OSError: no network.
    """
    # A serial number may hold dots, which would end the name of the service.
    label = serial.replace(".", "-")[:50]
    info = ServiceInfo(
        SERVICE,
        f"{label}.{SERVICE}",
        addresses=[socket.inet_aton(address) for address in get_all_addresses()],
        port=port,
        properties={"camera": camera},
        server=f"plainview-{label}.local.",
    )
    network = Zeroconf()
    network.register_service(info)
    return network.close

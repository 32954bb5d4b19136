"""Say on the local network that a camera is here, so that a dock finds it without being told where.

Source: RFC 6762 (multicast DNS) and RFC 6763 (service discovery).
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from zeroconf import ServiceInfo, Zeroconf, get_all_addresses  # type: ignore[attr-defined]  # not in its types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from ipaddress import IPv4Address, IPv6Address

# RFC 6335 section 5.1: at most 15 characters.
SERVICE = "_plainview-cam._tcp.local."


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
        addresses=[address.packed for address in _reachable(get_all_addresses())],
        port=port,
        properties={"camera": camera},
        server=f"plainview-{label}.local.",
    )
    network = Zeroconf()
    network.register_service(info)
    return network.close


def _reachable(addresses: Iterable[str]) -> list[IPv4Address | IPv6Address]:
    """Return those that others can reach; this machine's own where it has no other."""
    found = [ip_address(address) for address in addresses]
    return [address for address in found if not address.is_loopback] or found

"""Where cameras are looked for: addresses, announcements on the network, folders where cards are mounted."""

from __future__ import annotations

import glob
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from plainview.dock.card import Card, fitting_pattern
from plainview.dock.mounted import MountedCamera, is_camera
from plainview.dock.network import NetworkCamera

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from plainview.dock.source import Source
    from plainview.formats.folder_pattern import FolderPattern
    from plainview.formats.note import VerifierKey

SERVICE = "_plainview-cam._tcp.local."


class Finder(Protocol):
    """Something that knows where cameras are."""

    def look(self) -> Mapping[str, Callable[[], Source]]:
        """Return what is there now: by where, how to open it; each opening is for one thread."""
        ...

    def close(self) -> None:
        """Look no longer."""
        ...


class Addresses:
    """Cameras whose addresses somebody gave: host:port."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = tuple(addresses)

    def look(self) -> Mapping[str, Callable[[], Source]]:
        """Return every address; whoever opens one finds out whether anybody is there."""
        return {f"http://{address}": _network(address) for address in self._addresses}

    def close(self) -> None:
        """Do nothing."""


class Announced:
    """Cameras that announce themselves by mDNS (RFC 6762, 6763)."""

    def __init__(self) -> None:
        from zeroconf import ServiceBrowser, Zeroconf  # noqa: PLC0415 - slow to load, and only where it is used

        self._lock = threading.Lock()
        self._found: dict[str, str] = {}
        self._network = Zeroconf()
        self._browser = ServiceBrowser(self._network, SERVICE, handlers=[self._changed])

    def _changed(self, zeroconf: object, service_type: str, name: str, state_change: object) -> None:
        # Called by zeroconf, by these names.
        del zeroconf
        info = None
        if getattr(state_change, "name", "") != "Removed":
            info = self._network.get_service_info(service_type, name, timeout=2000)
        with self._lock:
            self._found.pop(name, None)
            if info is not None and info.port and (hosts := info.parsed_scoped_addresses()):
                host = f"[{hosts[0]}]" if ":" in hosts[0] else hosts[0]
                self._found[name] = f"{host}:{info.port}"

    def look(self) -> Mapping[str, Callable[[], Source]]:
        """Return what is announced now."""
        with self._lock:
            return {f"http://{address}": _network(address) for address in self._found.values()}

    def close(self) -> None:
        """Listen no longer."""
        self._browser.cancel()
        self._network.close()


class Mounted:
    """Cameras and cards that appear as folders, wherever some patterns of a path lead, such as /media/*."""

    def __init__(
        self,
        watched: Sequence[str],
        *,
        log_keys: Sequence[VerifierKey],
        patterns: Sequence[FolderPattern] = (),
        zone: str = "",
    ) -> None:
        self._watched, self._log_keys = tuple(watched), tuple(log_keys)
        self._patterns, self._zone = tuple(patterns), zone
        self._known: dict[str, FolderPattern | None] = {}

    def look(self) -> Mapping[str, Callable[[], Source]]:
        """Return the folders in which there is a camera or card that this dock knows."""
        found: dict[str, Callable[[], Source]] = {}
        roots = {name for watched in self._watched for name in glob.glob(watched)}  # noqa: PTH207 - absolute patterns
        for gone in self._known.keys() - roots:
            del self._known[gone]
        for name in sorted(roots):
            opening = self._opening(Path(name))
            if opening is not None:
                found[name] = opening
        return found

    def _opening(self, root: Path) -> Callable[[], Source] | None:
        if is_camera(root):
            return lambda: MountedCamera(root, log_keys=self._log_keys)
        # A card is looked through once, when it is put in; an empty folder may be a mount that is still to come.
        if self._known.get(str(root)) is None:
            self._known[str(root)] = fitting_pattern(root, self._patterns)
        pattern = self._known[str(root)]
        return None if pattern is None else (lambda: Card(root, pattern, zone=self._zone))

    def close(self) -> None:
        """Do nothing."""


def _network(address: str) -> Callable[[], Source]:
    return lambda: NetworkCamera(address)

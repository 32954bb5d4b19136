"""What the recorder asks of whatever keeps its journals and footage; camera.stream is the real one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from plainview.formats.capture import CaptureFact


@dataclass(frozen=True)
class Beginning:
    """What a journal's first leaf says, apart from what the store knows itself: see capture.CaptureStart."""

    at: dt.datetime
    mono_ms: int
    purpose: str
    clock: str
    zone: str
    worn: str
    trigger: str = ""
    trigger_at: dt.datetime | None = None
    buffer_ms: int = 0
    buffer_setting_ms: int = 0
    has_buffer_sound: bool = False


class Writer(Protocol):
    """A journal that is being written, with its footage; what a call was given is durable when it returns.

    Each raises StorageFullError or StorageFaultError.
    """

    def add_fragment(
        self,
        data: bytes,
        *,
        at: dt.datetime,
        mono_ms: int,
        position_ms: int,
        duration_ms: int,
        phase: str,
        sound: str,
    ) -> None:
        """Write a fragment and its line."""
        ...

    def add_event(
        self,
        event: str,
        *,
        at: dt.datetime,
        mono_ms: int,
        position_ms: int | None,
        facts: Mapping[str, CaptureFact],
    ) -> None:
        """Write the line of an event."""
        ...

    def close(self, reason: str, *, at: dt.datetime, mono_ms: int) -> None:
        """Write the last line."""
        ...

    def abandon(self) -> None:
        """Write nothing more: the storage failed in the middle, and the journal stays without an end."""
        ...


class Store(Protocol):
    """Where journals are kept."""

    def begin(self, beginning: Beginning, init: bytes | None) -> Writer:
        """Begin a journal; init is what stands in front of the footage, None for a shift, which has none.

        Raises:
            StorageFullError, StorageFaultError: it could not be begun.
        """
        ...

    def free_bytes(self) -> int:
        """Return how much room is left."""
        ...

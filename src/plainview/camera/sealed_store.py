"""The store of a real camera: what the recorder begins becomes a sealed and signed stream on its disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview import __version__
from plainview.camera.errors import StorageFaultError
from plainview.camera.stream import StreamStart, begin_stream

if TYPE_CHECKING:
    from plainview.camera.identity import Camera
    from plainview.camera.keeping import Beginning, Writer


@dataclass(frozen=True)
class SealedStore:
    """Keeps journals and footage on a camera's disk.

    Attributes:
        camera: opened at power-on, with orders.
        firmware: what runs on it.
    """

    camera: Camera
    firmware: str = f"plainview {__version__}"

    def begin(self, beginning: Beginning, init: bytes | None) -> Writer:
        """Begin a journal; see stream.begin_stream."""
        start = StreamStart(
            at=beginning.at,
            mono_ms=beginning.mono_ms,
            firmware=self.firmware,
            clock=beginning.clock,
            zone=beginning.zone,
            worn=beginning.worn,
            trigger=beginning.trigger,
            trigger_at=beginning.trigger_at,
            buffer_ms=beginning.buffer_ms,
            buffer_setting_ms=beginning.buffer_setting_ms,
            has_buffer_sound=beginning.has_buffer_sound,
        )
        return begin_stream(self.camera, purpose=beginning.purpose, start=start, init=init)

    def free_bytes(self) -> int:
        """Return how much room the storage has; 0 where it does not say."""
        try:
            return self.camera.free_bytes()
        except StorageFaultError:
            return 0

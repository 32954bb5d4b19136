"""Record what a camera of the sample department saw: the real recorder, on a simulated clock, as fast as it encodes."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Final

from plainview.camera.clocks import SimulatedClock
from plainview.camera.encode import MediaEncoder, shape_of
from plainview.camera.events import Hold, Marker, PowerOff, PowerOn, Press, Trigger
from plainview.camera.identity import open_camera
from plainview.camera.recorder import Recorder
from plainview.camera.rules import Orders
from plainview.camera.sealed_store import SealedStore
from plainview.camera.shots import record_script, shots_of
from plainview.demo.frame import FRAME_RATE, HEIGHT_PX, WIDTH_PX
from plainview.formats.camera_orders import CameraSettings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from plainview.camera.events import Event

MAKE: Final = "Sample"
MODEL: Final = "camera"
# Small, so that all of it is made within minutes; how long the buffer is belongs to the story.
SETTINGS: Final = CameraSettings(
    buffer_ms=30_000,
    width_px=WIDTH_PX,
    height_px=HEIGHT_PX,
    frame_rate=FRAME_RATE,
    bit_rate_bps=600_000,
    zone="America/Los_Angeles",
)
_HELD_MS: Final = 3200
_CRF: Final = 29


@dataclasses.dataclass(frozen=True)
class Session:
    """What a camera did between being switched on and off, by its own clock.

    Attributes:
        on_at, off_at: when; aware UTC.
        first_at: when its first picture of the recording was; None where it made none.
        pressed_s: when it was started, counted from that picture.
        seconds: how long the recording is.
        trigger: "button", "light_bar", or "function_check" for the check at the start of a shift.
        markers_s: when its wearer set markers, counted from the first picture.
        worn: where; one of formats.capture.WORN_POSITIONS.
    """

    on_at: dt.datetime
    off_at: dt.datetime
    first_at: dt.datetime | None = None
    pressed_s: float = 0.0
    seconds: float = 0.0
    trigger: str = "button"
    markers_s: tuple[float, ...] = ()
    worn: str = "unknown"


def record_session(
    folder: Path,
    session: Session,
    pictures: Iterable[NDArray[np.uint8]],
    sound: NDArray[np.float32] | None,
) -> None:
    """Record a session on the camera in a folder, which has orders.

    Args:
        folder: of the camera; see home_of and storage_of.
        session: what happens.
        pictures: uint8 [360, 640, 3] RGB, FRAME_RATE a second, from the first on.
        sound: float32 [samples] at 48 kHz, -1 to 1, from the first picture on; None for none.
    """
    camera = open_camera(home_of(folder), storage_of(folder))
    try:
        settings = dataclasses.replace(camera.expect_orders().settings, worn=session.worn)
        clock = SimulatedClock(session.on_at)
        recorder = Recorder(
            store=SealedStore(camera),
            clock=clock,
            orders=Orders(settings),
            make_encoder=_encoder,
            serial=camera.serial,
        )
        from_ms = 0 if session.first_at is None else _ms(session.first_at - session.on_at)
        shots = shots_of(pictures, sound, frame_rate=FRAME_RATE, from_ms=from_ms)
        record_script(recorder, clock, shots, _script(session, from_ms))
    finally:
        camera.switch_off()


def home_of(folder: Path) -> Path:
    """Return where a camera of the department keeps its key."""
    return folder / "home"


def storage_of(folder: Path) -> Path:
    """Return where it keeps what it recorded."""
    return folder / "storage"


def _encoder(settings: CameraSettings) -> MediaEncoder:
    shape = shape_of(settings, has_sound=True, preset="superfast")
    return MediaEncoder(dataclasses.replace(shape, crf=_CRF))


def _script(session: Session, from_ms: int) -> list[Event]:
    off_ms = _ms(session.off_at - session.on_at)
    is_check = session.trigger == "function_check"
    script: list[Event] = [PowerOn(from_ms if is_check else 0, with_check=is_check), PowerOff(off_ms)]
    if session.first_at is None or is_check:
        return script
    pressed_ms, end_ms = from_ms + round(session.pressed_s * 1000), from_ms + round(session.seconds * 1000)
    started = Press(pressed_ms) if session.trigger == "button" else Trigger(pressed_ms, session.trigger)
    markers = [Marker(from_ms + round(at_s * 1000)) for at_s in session.markers_s]
    script[1:1] = [started, *markers, Hold(end_ms, _HELD_MS)]
    return script


def _ms(span: dt.timedelta) -> int:
    return span // dt.timedelta(milliseconds=1)

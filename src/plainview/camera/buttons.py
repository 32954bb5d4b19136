"""Buttons: keys of a terminal, and keys that Linux reports (a button on a pin is one: see docs/how-to/camera.md)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from plainview.camera.events import Covert, Event, Hold, Marker, Mute, PowerOff, Press

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

# struct input_event: two longs of time, type, code, value.
INPUT_EVENT: Final = struct.Struct("@llHHi")
_EV_KEY: Final = 1
KEY_RECORD, KEY_BOOKMARKS, KEY_MUTE, KEY_DISPLAY_OFF = 167, 156, 113, 245
# Which key does what; a device-tree overlay gives a pin the code it is to have.
INPUT_KEYS: Final[Mapping[int, str]] = {
    KEY_RECORD: "record",
    KEY_BOOKMARKS: "marker",
    KEY_MUTE: "mute",
    KEY_DISPLAY_OFF: "covert",
}
TERMINAL_HELP: Final = "p press, h hold, m mute, k marker, c covert, q off"
_OTHERS: Final[Mapping[str, type[Event]]] = {"marker": Marker, "mute": Mute, "covert": Covert}


def terminal_event(key: str, *, mono_ms: int, hold_ms: int) -> Event | None:
    """Return what a key of a terminal means; None for any other.

    Args:
        key: one character.
        mono_ms: since the camera was switched on.
        hold_ms: how long a button is held to stop: a terminal cannot tell.
    """
    if key == "h":
        return Hold(mono_ms, hold_ms)
    kinds: dict[str, type[Event]] = {
        "p": Press,
        "m": Mute,
        "k": Marker,
        "c": Covert,
        "q": PowerOff,
    }
    return kinds[key](mono_ms) if key in kinds else None


class RecordButton:
    """Tells a press from a hold.

    A press counts when the button goes down, so that nothing is lost while it is held; a hold counts once it has
    lasted, and only if a recording ran when the button went down: a long press does not end what it began.
    """

    def __init__(self, hold_ms: int) -> None:
        self.hold_ms = hold_ms
        self._down_ms: int | None = None

    def down(self, mono_ms: int, *, is_recording: bool) -> Event | None:
        """Take that the button went down."""
        if is_recording:
            self._down_ms = mono_ms
            return None
        return Press(mono_ms)

    def up(self, mono_ms: int) -> Event | None:
        """Take that it came up: what was no hold was a press."""
        if self._down_ms is None:
            return None
        held = self.tick(mono_ms)
        self._down_ms = None
        return held or Press(mono_ms)

    def tick(self, mono_ms: int) -> Event | None:
        """Let time pass: a hold ends a recording without waiting for the finger."""
        if self._down_ms is None or mono_ms - self._down_ms < self.hold_ms:
            return None
        held_ms, self._down_ms = mono_ms - self._down_ms, None
        return Hold(mono_ms, held_ms)


def read_keys(device: BinaryIO) -> list[tuple[str, bool]]:
    """Wait for an event of an input device; return the buttons that went down (True) or came up.

    Args:
        device: /dev/input/event*, opened for reading in binary without a buffer.

    Raises:
        EOFError: the device is gone.

    Source: Linux, include/uapi/linux/input.h and input-event-codes.h.
    """
    data = device.read(INPUT_EVENT.size)
    if not data or len(data) < INPUT_EVENT.size:
        raise EOFError
    _, _, kind, code, value = INPUT_EVENT.unpack(data)
    # 2 is a key that repeats itself while it is held.
    return [(INPUT_KEYS[code], value == 1)] if kind == _EV_KEY and code in INPUT_KEYS and value < 2 else []


def other_event(button: str, mono_ms: int) -> Event | None:
    """Return what a button other than the record button means when it goes down."""
    return _OTHERS[button](mono_ms) if button in _OTHERS else None

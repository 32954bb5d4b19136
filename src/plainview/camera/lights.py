"""Drivers of the light: a terminal, and light-emitting diodes that Linux knows.

The loop that records drives the light too: a recorder that hangs does not go on blinking as if it recorded.
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Final, Protocol

from plainview.camera.indicator import RHYTHMS, light_at

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import TextIO

    from plainview.camera.effects import Shown
    from plainview.camera.indicator import Colour

_ANSI: Final[Mapping[Colour, str]] = {
    "dark": "2;37",
    "green": "1;32",
    "red": "1;31",
    "blue": "1;34",
    "white": "1;37",
    "amber": "1;33",
}
_BEEP_S: Final = 0.2


class Lamp(Protocol):
    """Something that can be lit."""

    def show(self, shown: Shown, colour: Colour) -> None:
        """Have this colour now; shown is what it tells."""
        ...

    def beep(self, times: int) -> None:
        """Sound or vibrate so often, if it can."""
        ...


class Light:
    """What the recorder is given: it remembers what to tell, and gives the lamps their colour of the moment.

    Attributes:
        shown: what it tells.
        failed: how many lamps broke; a lamp that breaks stops no recording, and is on the record.
    """

    def __init__(self, lamps: Sequence[Lamp]) -> None:
        self.shown: Shown = "dark"
        self.failed = 0
        self._lamps = list(lamps)
        self._colour: Colour | None = None

    def show(self, shown: Shown) -> None:
        """Tell this from now on."""
        self.shown, self._colour = shown, None

    def tick(self, mono_ms: int) -> None:
        """Let time pass; call it twenty times a second or more."""
        colour = light_at(self.shown, mono_ms)
        if colour != self._colour:
            self._colour = colour
            self._each(lambda lamp: lamp.show(self.shown, colour))

    def beep(self, times: int) -> None:
        """Sound and vibrate so often."""
        self._each(lambda lamp: lamp.beep(times))

    def _each(self, tell: Callable[[Lamp], None]) -> None:
        for lamp in list(self._lamps):
            try:
                tell(lamp)
            except OSError:
                self._lamps.remove(lamp)
                self.failed += 1


class TerminalLamp:
    """A line in a terminal; it beeps with the terminal's bell."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def show(self, shown: Shown, colour: Colour) -> None:
        """Rewrite the line."""
        mark = " " if colour == "dark" else "\u25cf"
        self._out.write(f"\r\x1b[{_ANSI[colour]}m{mark}\x1b[0m {shown}: {RHYTHMS[shown].meaning}\x1b[K")
        self._out.flush()

    def beep(self, times: int) -> None:
        """Ring the bell."""
        self._out.write("\a" * times)
        self._out.flush()


class LedLamp:
    """Diodes of Linux's LED class: a folder each, with a file `brightness`.

    Source: Linux, Documentation/leds/leds-class.rst.
    """

    def __init__(self, leds: Mapping[Colour, Path]) -> None:
        """Take the folders, such as {"red": Path("/sys/class/leds/record-red")}.

        A colour without a diode of its own is mixed: amber of red and green, white of all there are.
        """
        self._leds = dict(leds)
        self._bright = {
            colour: (folder / "max_brightness").read_text().strip() for colour, folder in leds.items()
        }

    def show(self, shown: Shown, colour: Colour) -> None:
        """Light the diodes of this colour, and no other."""
        del shown
        mixed: dict[Colour, tuple[Colour, ...]] = {
            "amber": ("red", "green"),
            "white": ("red", "green", "blue"),
        }
        lit = (colour,) if colour in self._leds else mixed.get(colour, ())
        for each, folder in self._leds.items():
            (folder / "brightness").write_text(self._bright[each] if each in lit else "0")

    def beep(self, times: int) -> None:
        """A diode makes no sound."""


class Buzzer:
    """Something that sounds or vibrates, which Linux knows as a diode.

    Each beep is a fifth of a second; a thread of its own times them, so that nothing waits for it.
    """

    def __init__(self, folder: Path) -> None:
        """Take its folder, such as /sys/class/leds/buzzer."""
        self._brightness = folder / "brightness"
        self._bright = (folder / "max_brightness").read_text().strip()

    def show(self, shown: Shown, colour: Colour) -> None:
        """It shows nothing."""

    def beep(self, times: int) -> None:
        """Sound so often."""
        self._brightness.write_text("0")  # one that is gone is noticed here, where somebody hears of it
        threading.Thread(target=self._sound, args=(times,), daemon=True).start()

    def _sound(self, times: int) -> None:
        with contextlib.suppress(OSError):
            for _ in range(times):
                self._brightness.write_text(self._bright)
                time.sleep(_BEEP_S)
                self._brightness.write_text("0")
                time.sleep(_BEEP_S)

"""Lamps: what the diodes and the terminal are told."""

import io
import threading

import pytest

from plainview.camera.lights import Buzzer, LedLamp, Light, TerminalLamp


@pytest.fixture
def leds(tmp_path):
    """Make folders as Linux has them for diodes."""
    folders = {}
    for colour, bright in (("red", "255"), ("green", "1"), ("blue", "255")):
        folders[colour] = tmp_path / f"record-{colour}"
        folders[colour].mkdir()
        (folders[colour] / "max_brightness").write_text(bright + "\n")
        (folders[colour] / "brightness").write_text("0")
    return folders


def brightness(leds):
    return {colour: (folder / "brightness").read_text() for colour, folder in leds.items()}


def test_a_diode_is_as_bright_as_it_can_be_and_the_others_are_dark(leds):
    LedLamp(leds).show("recording", "red")
    assert brightness(leds) == {"red": "255", "green": "0", "blue": "0"}


def test_a_colour_without_a_diode_is_mixed(leds):
    lamp = LedLamp(leds)
    lamp.show("fault", "amber")
    assert brightness(leds) == {"red": "255", "green": "1", "blue": "0"}
    lamp.show("docked", "white")
    assert brightness(leds) == {"red": "255", "green": "1", "blue": "255"}
    lamp.show("dark", "dark")
    assert set(brightness(leds).values()) == {"0"}
    lamp.beep(2)


class Watched:
    """A lamp that remembers what it was told."""

    def __init__(self):
        self.told, self.beeps = [], []

    def show(self, shown, colour):
        self.told.append((shown, colour))

    def beep(self, times):
        self.beeps.append(times)


def test_a_lamp_is_told_only_what_changes():
    lamp = Watched()
    light = Light([lamp])
    light.show("recording")
    for at_ms in range(0, 1000, 10):
        light.tick(at_ms)
    assert lamp.told == [("recording", colour) for colour in ("red", "dark", "red", "dark")]
    light.beep(2)
    assert lamp.beeps == [2]


def test_another_state_is_told_even_where_the_colour_is_the_same():
    lamp = Watched()
    light = Light([lamp])
    light.tick(0)
    light.show("covert")
    light.tick(1)
    assert lamp.told == [("dark", "dark"), ("covert", "dark")]


def test_a_terminal_says_it_in_words_too():
    out = io.StringIO()
    lamp = TerminalLamp(out)
    lamp.show("ready", "green")
    lamp.beep(2)
    assert "not recording" in out.getvalue()
    assert out.getvalue().endswith("\a\a")


class Broken(Watched):
    """A lamp that was unplugged."""

    def show(self, shown, colour):
        raise OSError("no such device")


def test_a_lamp_that_breaks_takes_no_other_with_it_and_is_counted():
    whole = Watched()
    light = Light([Broken(), whole])
    light.show("recording")
    light.tick(0)
    light.tick(130)
    assert light.failed == 1
    assert [colour for _, colour in whole.told] == ["red", "dark"]


def test_a_buzzer_is_silent_again_after_its_beeps(leds, monkeypatch):
    monkeypatch.setattr("plainview.camera.lights._BEEP_S", 0.001)
    before = set(threading.enumerate())
    Buzzer(leds["red"]).beep(2)
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
    assert brightness(leds)["red"] == "0"


def test_a_buzzer_that_is_gone_is_noticed(leds):
    buzzer = Buzzer(leds["red"])
    (leds["red"] / "brightness").unlink()
    (leds["red"] / "max_brightness").unlink()
    leds["red"].rmdir()
    light = Light([buzzer])
    light.beep(2)
    assert light.failed == 1

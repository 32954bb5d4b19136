"""The page a camera shows of itself."""

from dataclasses import replace

from plainview.camera import events as e
from plainview.camera.indicator import RHYTHMS
from plainview.camera.rules import State
from plainview.camera.status_page import status_page
from simulators.recorders import SimulatedCamera


def report(*, after_ms=13_000, press=False, **settings):
    camera = SimulatedCamera(**settings)
    camera.happen(e.PowerOn)
    camera.pass_ms(after_ms)
    if press:
        camera.happen(e.Press)
    return camera.recorder.report()


def page(of):
    return status_page(of, camera="cam.example.org/SN42")


def test_it_says_how_much_of_the_buffer_there_is():
    assert "13 s of 120 s" in page(report(buffer_ms=120_000))
    assert "none is kept" in page(report(buffer_ms=0))
    assert "in the recording" in page(report(press=True))


def test_it_tells_the_state_in_words_and_in_rhythm():
    text = page(report(press=True))
    assert "Recording" in text
    assert RHYTHMS["recording"].words in text
    assert "animation: light 1000ms" in text


def test_what_is_wrong_says_what_to_do():
    full = replace(report(), state=State("fault", is_full=True), shown="fault")
    assert "Put the camera into a dock" in page(full)


def test_it_needs_no_script_and_nothing_from_elsewhere():
    text = page(report())
    assert "<script" not in text
    assert "http:" not in text.replace("http-equiv", "")
    assert "src=" not in text
    assert "width=device-width" in text


def test_a_name_cannot_write_into_the_page():
    assert "<b>" not in status_page(report(), camera="<b>")

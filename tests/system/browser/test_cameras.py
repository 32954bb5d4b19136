"""Pages about cameras, and about what one recorded, in a real browser."""

import pytest

from simulators.browser import CONTRAST, DESK, PHONE, until
from simulators.sample_department import RECORDER, SPLIT

PLACE = "document.querySelector('video').currentTime"


def playable(page, path):
    """Open a recording and wait until a picture is there."""
    page.goto(path)
    until(page, "document.querySelector('video').readyState >= 2")


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (DESK, "dark")], ids=["phone", "desk"])
def test_what_a_camera_says_fits_its_window_opened_or_not_and_can_be_read(visit, docked, size, scheme):
    page = visit("custodian", "/department/cameras", size=size, scheme=scheme)
    camera = page.locator("a", has_text=RECORDER).first.get_attribute("href")
    for path in (camera, f"/recordings/{docked}", f"/recordings/{docked}/facts", f"/recordings/{SPLIT}"):
        page.goto(path)
        for details in page.locator("main details").all():
            details.evaluate("details => { details.open = true; }")
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path
        assert page.evaluate(CONTRAST) == [], path


def test_a_marker_is_reached_by_keyboard_said_and_played_from(visit, docked):
    page = visit("investigator")
    playable(page, f"/recordings/{docked}")
    page.locator("a.tick.started").focus()
    page.keyboard.press("Tab")
    said = page.locator("[data-part=row-said]")
    assert said.inner_text() == "0:06.0: Marker set by the wearer"
    page.keyboard.press("Enter")
    until(page, f"{PLACE} >= 5.99")
    assert page.evaluate(PLACE) < 6.1
    assert "Before the button, without sound" in page.locator(".camera-rows-read").inner_text()
    page.goto(f"/recordings/{docked}/facts")
    assert "5 of 5 fragments as signed, closed" in page.locator("main").inner_text()


def test_a_recording_of_several_parts_goes_on_by_itself(visit):
    page = visit("investigator")
    playable(page, f"/recordings/{SPLIT}")
    page.keyboard.press("End")
    page.locator("[data-does=play]").click()
    page.wait_for_url("**part=2*")
    until(page, "document.querySelector('video')?.currentTime > 0.3")
    assert "Part 2 of 2" in page.locator(".parts").inner_text()


def test_a_dock_is_added_and_its_token_is_gone_with_the_page(visit):
    page = visit("administrator", "/department/cameras")
    page.get_by_role("button", name="Add a dock ...").click()
    page.locator("#dock-name").fill("Sally port")
    page.get_by_role("button", name="Add", exact=True).click()
    token = page.locator("#dock-token").inner_text()
    assert len(token) > 40
    page.goto("/department/cameras")
    assert token not in page.content()
    assert "Sally port" in page.locator("main").inner_text()

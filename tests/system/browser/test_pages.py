"""The pages in a real browser, as people of the sample department use them."""

import io
import subprocess
import sys
import zipfile

import pytest

from simulators.browser import CONTRAST, DESK, PHONE, until
from simulators.media_files import MINIMAL_PDF, media_file, numbered_file

OKAFOR = "R-26-00000001-3"  # the first film taken in: her camera, from 23:51:24 on, its first half minute without sound
TAB_LIMIT = 80
PICTURE = """
video => {
  const canvas = document.createElement("canvas");
  canvas.width = 64; canvas.height = 36;
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 64, 36);
  return context.getImageData(0, 0, 64, 36).data.reduce((sum, value, i) => sum + (i % 4 < 3 ? value : 0), 0);
}
"""
EVERY_PAGE = [
    "/to-do",
    "/recordings",
    "/recordings?q=hurting",
    "/recordings?q=nothingsaid",
    "/quarantine",
    f"/recordings/{OKAFOR}",
    f"/recordings/{OKAFOR}/facts",
    f"/recordings/{OKAFOR}/custody",
    f"/recordings/{OKAFOR}/export",
    "/department/cameras",
    "/department/cameras/settings",
]


def playing(page, path=f"/recordings/{OKAFOR}"):
    """Open a recording and return its video once a picture is there."""
    page.goto(path)
    video = page.locator("video")
    until(page, "document.querySelector('video').readyState >= 2")
    return video


def at(video):
    return video.evaluate("video => video.currentTime")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_every_page_fits_its_window_and_can_be_read(visit, size, scheme):
    page = visit("custodian", size=size, scheme=scheme)
    for path in EVERY_PAGE:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path
        assert page.evaluate(CONTRAST) == [], path
        assert page.locator("h1").count() == 1, path


def test_ten_people_can_be_entered_as_and_each_is_told_what_there_is_for_them(visit):
    page = visit(None, "/")
    seats = page.locator("button[name=role]").evaluate_all("buttons => buttons.map(b => b.value)")
    assert len(seats) == 10
    for seat in seats:
        page.context.clear_cookies()
        page.goto("/enter")
        page.locator(f"button[value={seat}]").click()
        assert page.locator("h1").inner_text() in {"To do", "Recordings"}, seat
        assert page.locator(".person .name").inner_text()


def test_a_recording_is_watched_and_its_picture_is_not_black(visit):
    page = visit("investigator")
    video = playing(page)
    page.locator("[data-does=play]").click()
    until(page, "document.querySelector('video').currentTime > 1")
    assert video.evaluate("video => video.videoWidth") == 640
    assert video.evaluate(PICTURE) > 5000


def test_words_that_were_said_are_found_and_played_from_where_they_are(visit):
    page = visit("investigator", "/recordings")
    page.locator("#search").fill("nobody's hurting you")
    page.keyboard.press("Enter")
    page.locator(".moments a").first.click()
    until(page, "document.querySelector('video').currentTime > 30")
    assert (
        30 < at(page.locator("video")) < 33
    )  # "Nobody's hurting you" begins at 31.5 s, and a little before is shown


def test_an_identifier_in_the_search_box_leads_straight_there(visit):
    page = visit("investigator", "/recordings")
    page.locator("#search").fill(OKAFOR.lower())
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/recordings/{OKAFOR}")


def test_a_word_of_the_transcript_is_played_when_it_is_chosen(visit):
    page = visit("investigator")
    video = playing(page)
    page.locator(".cues .word", has_text="hurting").first.click()
    until(page, "document.querySelector('video').currentTime > 31")
    assert at(video) < 34
    assert "Sample transcript" in page.locator("[data-part=notice]").inner_text()


def test_keys_step_and_shuttle_and_do_nothing_while_somebody_types(visit):
    page = visit("investigator")
    video = playing(page)
    page.locator("h1").click()
    page.keyboard.press("ArrowRight")
    until(page, "document.querySelector('video').currentTime >= 0.99")
    before = at(video)
    page.keyboard.press(".")
    until(page, f"document.querySelector('video').currentTime > {before}")
    assert at(video) - before < 0.2
    page.keyboard.press("l")
    until(page, "!document.querySelector('video').paused")
    page.keyboard.press("k")
    until(page, "document.querySelector('video').paused")
    stopped = at(video)
    page.locator("#search").fill("")
    page.locator("#search").type("jkl 9")
    assert at(video) == stopped
    assert video.evaluate("video => video.paused")


def test_the_keys_can_be_switched_off(visit):
    page = visit("investigator")
    video = playing(page)
    page.locator("[data-does=keys]").click()
    page.locator("input[name=keys][value=off]").check()
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)
    assert at(video) == 0


def test_with_the_keyboard_alone_a_recording_is_reached_and_played(visit):
    page = visit("investigator", "/recordings")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
    tab_to(page, f"e => e.getAttribute('href')?.includes('{OKAFOR}')")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/recordings/{OKAFOR}*")
    until(page, "document.querySelector('video').readyState >= 2")
    tab_to(page, "e => e.dataset.does === 'play'")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"
    page.keyboard.press("Enter")
    until(page, "document.querySelector('video').currentTime > 0.5")


def tab_to(page, wanted):
    for _ in range(TAB_LIMIT):
        page.keyboard.press("Tab")
        if page.evaluate(f"({wanted})(document.activeElement) ?? false"):
            return
    pytest.fail(f"{TAB_LIMIT} presses of Tab did not reach {wanted}")


def test_an_officer_sees_their_own_recordings_and_no_others(visit):
    page = visit("officer", "/recordings")
    assert page.locator("a.identifier").all_inner_texts() == [OKAFOR]
    assert page.request.get("/recordings/R-26-00000002-1").status == 404
    assert page.request.get("/recordings/R-26-00000002-1/video").status == 404


def test_files_are_handed_in_and_each_is_told_what_became_of_it(visit, hevc, tmp_path):
    files = {
        "street.mp4": media_file("mp4", seconds=3.0),
        "other camera.mp4": hevc,
        "<img src=x onerror=alert(1)>.mp4": media_file("mp4", seconds=1.0),
        "report.pdf": MINIMAL_PDF,
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    page = visit("custodian", "/recordings")
    page.locator("pv-upload input[type=file]").set_input_files([str(tmp_path / name) for name in files])
    rows = page.locator("pv-upload ol > li")
    until(
        page,
        "[...document.querySelectorAll('pv-upload ol > li')].filter(row => /Received|Kept/.test(row.textContent)).length === 4",
    )
    told = rows.all_inner_texts()
    assert sum("Received" in each for each in told) == 3
    assert [each for each in told if "Kept" in each and "report.pdf" in each]
    page.goto("/to-do")
    assert "The file is a document" in page.locator("main").inner_text()


def test_footage_the_browser_cannot_play_plays_as_a_viewing_copy(visit, tmp_path):
    film = media_file("mp4", video_codec="libx265", seconds=2.5)
    (tmp_path / "camera.mp4").write_bytes(film)
    page = visit("custodian", "/recordings")
    page.locator("pv-upload input[type=file]").set_input_files(str(tmp_path / "camera.mp4"))
    link = page.locator("pv-upload ol a[href*='/recordings/R-']")
    link.wait_for(timeout=60_000)
    address = link.get_attribute("href")
    video = playing(page, address)
    assert video.evaluate("video => video.videoWidth") > 0
    assert video.evaluate(PICTURE) > 5000


# What cameras write and people hand in: each must play, with a picture, whatever it takes.
KINDS = {
    "motion jpeg.avi": lambda: numbered_file("avi", codec="mjpeg", pixel_format="yuvj420p", size=(320, 240)),
    "broadcast.ts": lambda: media_file("mpegts"),
    "recorder.mkv": lambda: media_file("matroska"),
    "upright phone.mp4": lambda: media_file("mp4", rotation_deg=90),
    "four thousand wide.mp4": lambda: numbered_file(size=(3840, 2160), count=6),
    "uneven.mkv": lambda: media_file("matroska", frame_times_ms=[0, 40, 600, 610, 1500, 1900]),
    "one second.mp4": lambda: media_file("mp4", seconds=1.0),
    "several sounds.mp4": lambda: media_file("mp4", audio_streams=3),
    "ten bits.mp4": lambda: numbered_file(pixel_format="yuv420p10le", size=(320, 180)),
}


def test_whatever_cameras_write_plays_with_a_picture(visit, tmp_path):
    for name, make in KINDS.items():
        (tmp_path / name).write_bytes(make())
    page = visit("custodian", "/recordings")
    page.locator("pv-upload input[type=file]").set_input_files([str(tmp_path / name) for name in KINDS])
    links = page.locator("pv-upload ol a[href*='/recordings/R-']")
    until(
        page, f"document.querySelectorAll('pv-upload ol a[href*=\"/recordings/R-\"]').length === {len(KINDS)}"
    )
    for address in links.evaluate_all("links => links.map(link => link.getAttribute('href'))"):
        video = playing(page, address)
        assert video.evaluate("video => video.videoWidth") > 0, address
        assert video.evaluate(PICTURE) > 1000, address


def test_a_wrong_wearer_is_corrected_and_what_was_believed_stays_readable(visit):
    page = visit("custodian", "/recordings/R-26-00000003-0/facts")
    page.get_by_role("button", name="Correct ...").first.click()
    page.locator("#badge").fill("4950")
    page.locator("#wearer-reason").fill("The cameras were swapped at roll call")
    page.get_by_role("button", name="Correct", exact=True).click()
    page.wait_for_load_state()
    assert (
        page.locator("dl.facts", has_text="Believed now")
        .locator("del, s")
        .filter(has_text="Nadia Haddad")
        .count()
        == 1
    )
    assert "Ruth Adeyemi" in page.locator(".recording-heading").inner_text()


def test_a_package_is_made_in_the_browser_and_its_own_checker_says_ok(visit, tmp_path):
    page = visit("investigator", f"/recordings/{OKAFOR}/export")
    page.locator("input[name=recipient]").fill("Public Defender")
    page.locator("input[name=purpose]").fill("review")
    page.get_by_role("button", name="Make the package").click()
    key = page.locator("main code, main .hash").filter(has_text="custody/1+").inner_text()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the package").click()
    zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes())).extractall(tmp_path)
    (checker,) = tmp_path.rglob("verify.py")
    done = subprocess.run(
        [sys.executable, "-I", str(checker), "--key", key], capture_output=True, text=True, check=False
    )
    assert "Result: OK" in done.stdout, done.stdout + done.stderr

"""Recordings: the list, its filters, search results, what is being processed, quarantine."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from plainview.evidence.actions import quarantine_file
from plainview.formats.ids import format_identifier
from plainview.web import recordings as pages
from simulators.custody_rows import CLERK, START
from simulators.library import (
    add_recording,
    add_storyboard,
    add_transcript,
    device_row,
    officer_row,
    unit_row,
)
from simulators.roster import original
from simulators.visitors import anybody, visitor

pytestmark = pytest.mark.usefixtures("undone")


def named(number):
    return format_identifier(kind="R", year=2026, number=number)


def page(client, address="/recordings", **fields):
    answer = client.get(address, fields)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def listed(shown):
    return re.findall(r'class="identifier" href="/recordings/(R-[0-9A-Z-]+)"', shown)


def test_who_has_not_signed_in_is_led_to_do_so():
    assert anybody().get("/recordings")["Location"].startswith("/account/login/")


def test_who_comes_for_no_recordings_finds_no_list():
    assert visitor("administrator").get("/recordings").status_code == 404


def test_an_empty_list_says_so_and_what_to_do():
    assert "No recordings yet" in page(visitor("custodian"))
    assert "Drop files on this page" in page(visitor("custodian"))
    assert "Drop files" not in page(visitor("oversight"))


def test_recordings_stand_under_the_day_at_their_place_with_all_that_is_known_of_them():
    add_recording(
        1,
        wearer=officer_row("Chidi Okafor", "1212"),
        unit=unit_row("12A"),
        device=device_row("BC-0107"),
        duration_ms=108_000,
    )
    shown = page(visitor("custodian"))
    # The library's recordings are of New York, where the 15th has begun.
    for words in (
        "Sunday 15 March 2026",
        "02:52:07.3 EDT",
        "Chidi Okafor",
        "1212, unit 12A",
        "1 min 48 s",
        "Ready",
    ):
        assert words in shown
    assert "Axis W110 BC-0107" in shown
    assert listed(shown) == [named(1)]


def test_what_is_not_known_is_said():
    add_recording(1, is_dated=False, duration_ms=None)
    shown = page(visitor("custodian"))
    for words in ("received</span> <time", "Wearer unknown", "Device unknown", "length unknown"):
        assert words in shown


def test_names_are_only_text():
    add_recording(1, wearer=officer_row("<b>Bobby</b>", "<i>7"), device=device_row("<script>"))
    shown = page(visitor("custodian"))
    assert "<b>Bobby" not in shown
    assert "&lt;b&gt;Bobby" in shown
    assert "<script>" not in shown.replace('<script type="module"', "")


def test_an_officer_is_shown_their_own_and_is_told_nothing_of_others():
    client = visitor("officer")
    own = officer_row("Ana Reyes", "1107")
    own.user = client.user
    own.save()
    add_recording(1, wearer=own)
    add_recording(2, wearer=officer_row("Ben Marsh", "1344"))
    shown = page(client)
    assert listed(shown) == [named(1)]
    assert "1 recording" in shown
    assert "Marsh" not in shown


def test_a_restricted_recording_is_shown_to_exist_and_without_its_picture():
    add_storyboard(add_recording(1, is_restricted=True))
    for role in ("investigator", "custodian"):
        shown = page(visitor(role))
        assert "Recorded, restricted" in shown
        assert "poster.jpg" not in shown


def test_a_picture_is_loaded_late_and_its_room_is_kept():
    add_storyboard(add_recording(1))
    shown = page(visitor("custodian"))
    (picture,) = re.findall(r"<img[^>]*>", shown)
    assert f'src="/recordings/{named(1)}/poster.jpg"' in picture
    assert 'width="96" height="54" loading="lazy"' in picture


def test_pages_follow_each_other_to_the_end(monkeypatch):
    monkeypatch.setattr(pages, "ROWS", 2)
    for number in range(1, 6):
        add_recording(number, minutes=-number)
    client, seen, address = visitor("custodian"), [], "/recordings"
    while address:
        shown = page(client, address)
        seen += listed(shown)
        found = re.search(r'href="([^"]*)" rel="next"', shown)
        address = found and found[1].replace("&amp;", "&")
    assert seen == [named(number) for number in range(1, 6)]
    assert "2 of 5 recordings shown" in page(client)
    assert ">Newest<" in shown


def test_filters_narrow_and_say_what_they_hide():
    a, b = unit_row("12A"), unit_row("12B")
    add_recording(1, unit=a)
    add_recording(2, unit=b)
    add_recording(3, unit=b)
    client = visitor("custodian")
    shown = page(client, unit="12A")
    assert listed(shown) == [named(1)]
    assert "1 recording; 2 hidden by filters" in shown
    assert '<option value="12A" selected>' in shown
    assert '<a href="/recordings">Clear filters</a>' in shown


def test_a_list_changed_in_place_changes_the_address_and_no_more_than_is_set():
    client = visitor("custodian")
    fields = {"unit": "12A", "from": "", "state": ""}
    assert "HX-Replace-Url" not in client.get("/recordings", fields)
    answer = client.get("/recordings", fields, headers={"HX-Request": "true"})
    assert answer["HX-Replace-Url"] == "/recordings?unit=12A"


def test_filters_that_hide_everything_say_so_and_can_be_cleared():
    add_recording(1)
    shown = page(visitor("custodian"), unit="ZZ", state="ready")
    assert "No recordings fit the filters" in shown
    assert "1 is hidden by filters." in shown
    assert "<option selected>ZZ</option>" in shown


def test_an_empty_day_is_named():
    add_recording(1)
    shown = page(visitor("custodian"), **{"from": "2020-01-02", "to": "2020-01-02"})
    assert "No recordings on 2 January 2020" in shown


def test_a_filter_that_is_not_understood_is_said():
    add_recording(1)
    shown = page(visitor("custodian"), **{"from": "soon"})
    assert "is not a date" in shown
    assert listed(shown) == [named(1)]


@pytest.mark.parametrize("after", ["nonsense", "-1.2", "1.99999999999999999999", "9" * 38 + ".1"])
def test_a_place_in_the_list_that_is_none_is_its_beginning(after):
    add_recording(1)
    assert listed(page(visitor("custodian"), after=after)) == [named(1)]


@pytest.mark.parametrize("typed", ["R-26-00000001-3", " r-26-00000001-3 ", "r26000000013"])
def test_an_identifier_in_the_search_box_leads_straight_there(typed):
    answer = visitor("custodian").get("/recordings", {"q": typed})
    assert answer["Location"] == "/recordings/R-26-00000001-3"


def test_an_identifier_alone_is_an_address():
    client = visitor("custodian")
    assert client.get("/r-26-00000001-3")["Location"] == "/recordings/R-26-00000001-3"
    assert client.get("/r-26-00000001-4").status_code == 404


def test_words_lead_to_the_moments_where_they_were_said():
    add_transcript(add_recording(1), "get out of the car", "show me your <hands>", notice="hint")
    shown = page(visitor("custodian"), q="hands")
    assert f'<a href="/recordings/{named(1)}?t=4">0:04.0</a>' in shown
    assert "<mark>&lt;hands&gt;</mark>" in shown
    assert "Search hint, mostly wrong" in shown
    assert "Transcripts are made by machines" in shown
    assert 'value="hands"' in shown


def test_a_moment_of_a_later_part_says_which():
    add_transcript(add_recording(1, parts=2), "hands up", part=2)
    assert f"/recordings/{named(1)}?t=2&amp;part=2" in page(visitor("custodian"), q="hands")


def test_a_search_keeps_its_filters_and_finds_by_name_too():
    add_recording(1, wearer=officer_row("Chidi Okafor", "1212"), unit=unit_row("12A"))
    add_recording(2, unit=unit_row("12B"))
    shown = page(visitor("custodian"), q="okafor", unit="12A")
    assert listed(shown) == [named(1)]
    assert '<input type="hidden" name="q" value="okafor">' in shown


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("...", "There is no word in it"),
        ("-hands", "It says only what not to find"),
        ("giraffe", "Nothing found"),
        ("\0", "No recordings yet"),
    ],
)
def test_what_finds_nothing_says_why(asked, said):
    assert said in page(visitor("custodian"), q=asked)


def test_only_rows_that_are_being_processed_are_asked_about_again():
    add_recording(1, steps=[("derive", "doing"), ("transcript", "waiting")])
    add_recording(2, steps=[("derive", "done"), ("transcript", "done")])
    add_recording(3, steps=[("derive", "done"), ("transcript", "doing")])
    add_recording(4, steps=[("derive", "parked")])
    shown = page(visitor("custodian"))
    (address,) = re.findall(r'id="progress" hx-get="([^"]*)"', shown)
    assert set(re.findall(r"progress=([^&]*)", address)) == {named(1), named(3)}
    assert "Processing 25%" in shown
    assert "Ready; transcript to come" in shown
    assert "Needs attention" in shown


def test_asking_again_stops_when_all_is_done():
    add_recording(1, steps=[("derive", "done"), ("transcript", "done")])
    busy = add_recording(2, steps=[("derive", "doing")])
    client = visitor("custodian")
    shown = page(client, progress=[named(1), named(2)])
    assert f'id="state-{named(1)}" class="state ready" hx-swap-oob="true">Ready<' in shown
    assert f'hx-get="/recordings?progress={named(2)}"' in shown
    busy.parts.get().original.steps.update(state="done")
    assert "hx-get" not in page(client, progress=[named(2)])


def test_progress_is_told_only_of_what_one_may_know():
    add_recording(1, steps=[("derive", "doing")])
    shown = page(visitor("officer"), progress=[named(1), "R-26-99999999-0", "<b>"])
    assert named(1) not in shown
    assert "<b>" not in shown


def test_a_file_is_handed_in_only_by_who_may():
    assert "<pv-upload" in page(visitor("custodian"))
    assert "<pv-upload" not in page(visitor("oversight"))


def test_quarantine_says_which_files_are_kept_and_why(monkeypatch):
    monkeypatch.setattr(pages, "KEPT_FILES", 2)
    for number in range(3):
        quarantine_file(
            original=original(f"text {number}"),
            reason="not_media",
            reason_text="It holds no picture.",
            offered_name=f"<notes>{number}.mp4",
            actor=CLERK,
            now=START,
        )
    client = visitor("custodian")
    first = page(client, "/quarantine")
    assert re.findall(r"&lt;notes&gt;(\d)", first) == ["2", "1"]
    assert "It holds no picture." in first
    (older,) = re.findall(r'href="(\?before=\d+)"', first)
    assert re.findall(r"&lt;notes&gt;(\d)", page(client, f"/quarantine{older}")) == ["0"]
    assert "No older files" in page(client, "/quarantine?before=1")
    assert re.findall(r"&lt;notes&gt;(\d)", page(client, "/quarantine?before=%C2%B2")) == ["2", "1"]
    assert page(client, "/quarantine?before=" + "9" * 400)


def test_quarantine_is_the_custodians():
    assert "Nothing in quarantine" in page(visitor("custodian"), "/quarantine")
    assert visitor("investigator").get("/quarantine").status_code == 404


@pytest.mark.parametrize("busy", [0, 40])
def test_a_page_costs_the_same_few_questions_however_long_it_is(busy):
    for number in range(1, busy + 3):
        add_recording(number, steps=[("derive", "doing")], unit=unit_row(f"U{number}"))
    client = visitor("custodian")
    with CaptureQueriesContext(connection) as asked:
        page(client)
    assert len(asked) <= 14

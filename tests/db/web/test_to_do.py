"""To do: what is asked of somebody, their answer, and nobody else's business."""

import json
import re

import pytest

from plainview.evidence.actions import quarantine_file
from plainview.tasks.actions import open_task
from plainview.tasks.models import Task
from simulators.custody_rows import CLERK, START, SYSTEM, last_act
from simulators.library import add_recording
from simulators.roster import original
from simulators.visitors import anybody, visitor

pytestmark = pytest.mark.usefixtures("undone")


@pytest.fixture
def kept():
    quarantine_file(
        original=original("text"),
        reason="not_media",
        reason_text="It holds no picture.",
        offered_name="<script>notes.mp4",
        actor=CLERK,
        now=START,
    )
    return Task.objects.get(kind="quarantined_file")


def page(client, address="/to-do"):
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_who_has_not_signed_in_is_led_to_do_so():
    answer = anybody().get("/to-do")
    assert answer.status_code == 302
    assert answer["Location"] == "/account/login/?next=/to-do"


def test_nothing_to_do_is_a_good_answer():
    shown = page(visitor("officer"))
    assert "Nothing to do" in shown
    assert "Every file kept in quarantine" not in shown


def test_a_kept_file_is_asked_about_by_its_name_and_links_to_what_is_known_of_it(kept):
    shown = page(visitor("custodian"))
    assert "&lt;script&gt;notes.mp4" in shown
    assert f"/quarantine#{original('text').object_id}" in shown
    assert "It holds no picture." in shown
    assert "Keep it as it is" in shown


def test_what_is_asked_of_a_custodian_is_not_shown_to_an_officer(kept):
    assert "notes.mp4" not in page(visitor("officer"))


def test_an_answer_closes_the_task_writes_an_act_and_is_listed(kept):
    client = visitor("custodian")
    answer = client.post(f"/to-do/{kept.pk}", {"answer": "kept"}, follow=True)
    kept.refresh_from_db()
    act = last_act()
    shown = answer.content.decode()
    assert (kept.answer, kept.closed_by) == ("kept", f"user:{client.user.pseudonym}")
    assert (act["act"], act["actor"], json.loads(act["facts"])) == (
        "task.closed",
        kept.closed_by,
        {"kind": "quarantined_file", "answer": "kept"},
    )
    assert json.loads(act["session_words"])["address"] == "127.0.0.1"
    assert client.session.session_key not in str(act["session_words"])
    assert "Answered: Keep it as it is." in shown
    assert "Answered this week" in shown


def test_the_second_of_two_answers_changes_nothing_and_is_told_so(kept):
    visitor("custodian").post(f"/to-do/{kept.pk}", {"answer": "kept"})
    answer = visitor("custodian", name="Ben Marsh").post(
        f"/to-do/{kept.pk}", {"answer": "asked_again"}, follow=True
    )
    kept.refresh_from_db()
    assert kept.answer == "kept"
    assert "Somebody answered this before you" in answer.content.decode()
    assert ">Ana Reyes</td>" in answer.content.decode()


def test_an_answer_that_does_not_exist_changes_nothing(kept):
    answer = visitor("custodian").post(f"/to-do/{kept.pk}", {"answer": "delete"}, follow=True)
    kept.refresh_from_db()
    assert kept.answer == ""
    assert "not one of the answers" in answer.content.decode()


def test_nobody_answers_what_is_asked_of_others_or_learns_that_it_is(kept):
    client = visitor("officer")
    foreign = client.post(f"/to-do/{kept.pk}", {"answer": "kept"})
    absent = client.post("/to-do/999999", {"answer": "kept"})
    kept.refresh_from_db()
    assert kept.answer == ""
    assert (foreign.status_code, absent.status_code) == (404, 404)


def test_an_answer_needs_the_pages_own_token(kept):
    client = visitor("custodian", enforce_csrf_checks=True)
    assert client.post(f"/to-do/{kept.pk}", {"answer": "kept"}).status_code == 403
    kept.refresh_from_db()
    assert kept.answer == ""


def test_reading_answers_nothing(kept):
    assert visitor("custodian").get(f"/to-do/{kept.pk}?answer=kept").status_code == 405


def test_a_moment_is_linked_to(kept):
    about = "R-26-00004217-I"
    open_task(kind="parked_step", about=about, why="It failed.", moment_ms=52_300, actor=SYSTEM, now=START)
    shown = page(visitor("custodian"))
    assert f'href="/recordings/{about}?t=52.3"' in shown
    assert f"{about} at 0:52.3" in shown


@pytest.mark.parametrize(
    ("role", "place"),
    [
        ("officer", "/to-do"),
        ("custodian", "/to-do"),
        ("investigator", "/recordings"),
        ("administrator", "/to-do"),
    ],
)
def test_everyone_lands_on_what_they_come_for(role, place):
    assert visitor(role).get("/")["Location"] == place


def test_the_rail_holds_the_places_one_has():
    assert ">Recordings<" in page(visitor("officer"))
    assert ">Recordings<" not in page(visitor("administrator"))
    assert 'role="search"' not in page(visitor("administrator"))


def test_the_colours_somebody_chose_are_there_from_the_first_byte():
    client = visitor("officer")
    assert "data-theme" not in page(client)
    client.cookies["plainview_theme"] = "dark"
    assert '<html lang="en" data-theme="dark">' in page(client)
    client.cookies["plainview_theme"] = '"><b>'
    assert "data-theme" not in page(client)


def test_trying_again_has_the_step_of_that_recording_done_again():
    recording = add_recording(1, steps=[("derive", "parked"), ("transcript", "done")])
    open_task(kind="parked_step", about=recording.identifier, why="It failed.", actor=SYSTEM, now=START)
    task = Task.objects.get(kind="parked_step")
    answer = visitor("custodian").post(f"/to-do/{task.pk}", {"answer": "again"}, follow=True)
    steps = recording.parts.get().original.steps
    assert dict(steps.values_list("name", "state")) == {"derive": "waiting", "transcript": "done"}
    assert "Answered: Try again." in answer.content.decode()


def test_leaving_it_changes_nothing_but_the_task():
    recording = add_recording(1, steps=[("derive", "parked")])
    open_task(kind="parked_step", about=recording.identifier, why="It failed.", actor=SYSTEM, now=START)
    task = Task.objects.get(kind="parked_step")
    visitor("custodian").post(f"/to-do/{task.pk}", {"answer": "left"})
    task.refresh_from_db()
    assert task.answer == "left"
    assert recording.parts.get().original.steps.get().state == "parked"


def test_what_is_printed_says_by_whom_and_when():
    assert re.search(
        r'<p class="print-only">Printed by Ana Reyes, <time datetime="', page(visitor("officer"))
    )

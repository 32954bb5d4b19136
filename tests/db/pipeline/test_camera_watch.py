"""Cameras that stay away are asked about once for each time, where cameras are docked at all."""

from datetime import timedelta

import pytest

from plainview.accounts.actions import add_officer
from plainview.accounts.queries import officer_key
from plainview.evidence.actions import add_device, assign_device
from plainview.evidence.camera_actions import add_dock, begin_docking, update_docking
from plainview.evidence.camera_models import CameraJournal, CameraKey, Dock
from plainview.evidence.camera_queries import cameras_with_gaps, device_with_serial, known_cameras, missing_of
from plainview.evidence.camera_rules import MISSING_LIMIT
from plainview.evidence.errors import NoSuchCameraError, NoSuchDockingError
from plainview.pipeline.camera_watch import watch_cameras
from plainview.tasks.actions import settle_task
from plainview.tasks.errors import UnknownAnswerError
from plainview.tasks.models import Task
from simulators.custody_rows import START, SYSTEM

DAY = timedelta(days=1)
BY = {"actor": SYSTEM, "now": START}


@pytest.fixture
def device(undone):
    made = add_device(make="Example", model="One", serial="SN42", kind="body", **BY)
    officer = officer_key(add_officer(badge="4417", name="Reyes", **BY))
    assign_device(device=made, officer=officer, valid_from=START, valid_to=None, **BY)
    return device_with_serial("SN42")


@pytest.fixture
def dock(undone):
    add_dock(name="Front desk", token_sha256="0" * 64, **BY)
    return Dock.objects.get().pk


def dock_and_take(dock, device, *, at):
    given = {"clock_error_ms": 0, "clock_doubt_ms": 0, "battery_percent": 1, "files": 0, "actor": SYSTEM}
    docking = begin_docking(dock=dock, device=device, now=at, **given)
    update_docking(key=docking.key, dock=dock, files=0, checked_files=0, is_taken=True, now=at)
    return docking.key


def watch(at):
    return watch_cameras(now=at, overdue_after=DAY).overdue


def open_tasks():
    return Task.objects.filter(kind="overdue_camera", closed_at__isnull=True)


def test_an_assigned_camera_that_was_never_docked_is_asked_about(dock, device):
    assert watch(START + DAY) == 0
    assert watch(START + 2 * DAY) == 1
    [task] = open_tasks()
    assert task.about == f"device:{device.pseudonym}"
    assert task.why == "Example SN42, Reyes, 4417. It was never docked."


def test_docking_withdraws_the_question_and_staying_away_again_asks_again(dock, device):
    watch(START + 2 * DAY)
    dock_and_take(dock, device, at=START + 3 * DAY)
    assert [task.answer for task in Task.objects.all()] == ["withdrawn"]
    assert watch(START + 4 * DAY) == 0
    assert watch(START + 5 * DAY) == 1
    assert "It was last docked at" in open_tasks().get().why


def test_an_answer_is_an_answer_until_it_was_docked_again(dock, device):
    watch(START + 2 * DAY)
    about = f"device:{device.pseudonym}"
    settle_task(kind="overdue_camera", about=about, answer="lost", actor=SYSTEM, now=START + 2 * DAY)
    watch(START + 3 * DAY)
    assert not open_tasks()


def test_a_question_is_settled_only_as_it_can_be_answered(dock, device):
    watch(START + 2 * DAY)
    about = f"device:{device.pseudonym}"
    with pytest.raises(UnknownAnswerError):
        settle_task(kind="overdue_camera", about=about, answer="eaten", actor=SYSTEM, now=START)
    assert not settle_task(kind="overdue_camera", about="device:none", actor=SYSTEM, now=START)


def test_without_a_dock_no_camera_is_overdue(device):
    assert watch(START + 9 * DAY) == 0


def test_a_camera_in_a_dock_and_one_that_is_nobodys_are_not_overdue(dock, device):
    add_device(make="Example", model="One", serial="SN43", kind="body", **BY)
    given = {"clock_error_ms": None, "clock_doubt_ms": None, "battery_percent": None, "files": 0}
    begin_docking(dock=dock, device=device, **given, **BY)
    assert watch(START + 9 * DAY) == 0
    [first, second] = known_cameras(at=START, overdue_after=DAY)
    assert (first.docked_at, first.assigned, second.docked_at, second.assigned) == (
        START,
        "Reyes, 4417",
        None,
        "",
    )


def test_another_docks_docking_is_not_there(dock, device):
    key = dock_and_take(dock, device, at=START)
    with pytest.raises(NoSuchDockingError):
        update_docking(key=key, dock=dock + 1, files=0, checked_files=0, is_taken=False, now=START)


def test_a_serial_number_of_two_makes_has_to_be_named_with_its_make(device):
    add_device(make="Other", model="", serial="SN42", kind="body", **BY)
    with pytest.raises(NoSuchCameraError, match="Name the make too"):
        device_with_serial("SN42")
    assert device_with_serial("SN42", make="Example") == device
    with pytest.raises(NoSuchCameraError, match="There is no camera"):
        device_with_serial("SN44")


def journals(device, counters, *, key=1, at=START):
    row, _ = CameraKey.objects.get_or_create(
        public_key=f"{key:064x}", defaults={"device_id": device.pk, "asked_at": START, "name": f"cam.{key}"}
    )
    for counter in counters:
        CameraJournal.objects.create(
            device_id=device.pk,
            camera_key=row,
            stream=f"{counter:06d}-{key:08x}",
            purpose="recording",
            boot=1,
            counter=counter,
            started_at=START,
            verdict="ok",
            is_closed=True,
            fragments=1,
            proven_fragments=1,
            start={},
            findings=[],
            checked_at=at,
        )


def test_gaps_are_those_that_a_later_number_shows_for_long_enough(device):
    journals(device, [2, 3, 6])
    journals(device, [9], at=START + DAY)
    assert cameras_with_gaps(checked_before=START) == {}
    assert cameras_with_gaps(checked_before=START + DAY) == {device: [1, 4, 5]}
    assert cameras_with_gaps(checked_before=START + 2 * DAY) == {device: [1, 4, 5, 7, 8]}
    assert missing_of(device) == [1, 4, 5, 7, 8]


def test_each_key_counts_by_itself(device):
    journals(device, [1, 2])
    journals(device, [2], key=2)
    assert cameras_with_gaps(checked_before=START + DAY) == {device: [1]}


def test_a_count_that_jumps_far_is_asked_about_so_far(device):
    journals(device, [1, 2_000_000_000])
    [missing] = cameras_with_gaps(checked_before=START + DAY).values()
    assert missing == list(range(2, 2 + MISSING_LIMIT))

"""The power goes at any call a camera makes to its disk, twice in a row, and any part of what was not synced is lost."""

import contextlib
import random

import pytest

from plainview.camera.erase import remove_stream
from plainview.camera.identity import create_camera, open_camera
from plainview.camera.store_errors import CameraHomeError
from plainview.camera.stream import begin_stream
from simulators.bad_recorders import (
    AppendsAfterRecovery,
    NoFileSync,
    NoFolderSync,
    begin_journal_first,
    blind_power_on,
)
from simulators.power_cut import PowerCut
from simulators.power_cuts import (
    HOME,
    NAME,
    SEVEN,
    STORAGE,
    CameraModelDisk,
    add_fragment,
    new_camera,
    open_again,
    record_through_cuts,
    start_at,
    streams_on,
    violations,
)

RUNS = 150


def run_all(runs, *, disk_kind=CameraModelDisk, new_begin=lambda: begin_stream, until=""):
    """Return every violation found, or the first ones up to the one that is looked for."""
    found = set()
    for seed in runs:
        disk, kept = record_through_cuts(disk_kind(), seed, begin=new_begin())
        found |= violations(disk, kept)
        if until in found:
            break
    return found


@pytest.mark.slow
def test_no_loss_of_power_takes_what_was_acknowledged_or_hides_a_recording():
    assert run_all(range(RUNS)) == set()


@pytest.mark.parametrize(
    ("disk_kind", "violation"),
    [
        (NoFileSync, "a fragment that was acknowledged is lost"),
        (NoFileSync, "an event that was acknowledged is lost"),
        (NoFolderSync, "a stream that was begun is lost"),
    ],
)
def test_a_recorder_that_leaves_out_a_sync_is_caught(disk_kind, violation):
    assert violation in run_all(range(300), disk_kind=disk_kind, until=violation)


def test_a_recorder_that_signs_before_the_fragment_is_on_the_disk_is_caught():
    violation = "a line speaks for footage that is not there"
    assert violation in run_all(range(300), new_begin=lambda: begin_journal_first, until=violation)


def test_a_recorder_that_appends_to_what_a_loss_of_power_ended_is_caught():
    violation = "a fragment that was acknowledged is lost"
    assert violation in run_all(range(300), new_begin=AppendsAfterRecovery, until=violation)


@pytest.mark.parametrize("violation", ["a counter was used twice", "the journals do not follow each other"])
def test_a_camera_that_does_not_look_at_what_is_on_its_disk_is_caught(violation):
    with blind_power_on():
        assert violation in run_all(range(300), until=violation)


def erase_and_cut(seed):
    """Return what the vault could open of a stream before the power went in its erasure, and of all streams after."""
    seeded, disk = random.Random(seed), CameraModelDisk()
    writer = begin_stream(new_camera(disk), purpose="recording", start=start_at(), init=b"init")
    add_fragment(writer, b"fragment")
    writer.close("button", at=SEVEN, mono_ms=1)
    before = streams_on(disk)
    disk.settle()
    disk.cut_at = disk.calls + seeded.randrange(1, 14)
    with contextlib.suppress(PowerCut):
        remove_stream(disk, str(STORAGE), writer.stream)
    disk.killed()
    after = disk.after_cut(seeded)
    assert open_again(after).state.counter == 1
    return before, streams_on(after)


def test_a_loss_of_power_in_an_erasure_leaves_all_of_it_or_nothing():
    results = [erase_and_cut(seed) for seed in range(80)]
    assert all(after in ({}, before) for before, after in results)
    assert {len(after) for _, after in results} == {0, 1}


def make_and_cut(seed):
    """Cut the power while a camera is made, make it again if need be, and return how often it was switched on."""
    seeded, disk = random.Random(seed), CameraModelDisk()
    disk.cut_at = seeded.randrange(1, 110)
    with contextlib.suppress(PowerCut):
        create_camera(HOME, STORAGE, name=NAME, make="A", model="B", now=SEVEN, disk=disk)
    disk.killed()
    after = disk.after_cut(seeded)
    try:
        return open_camera(HOME, STORAGE, disk=after).boot
    except CameraHomeError:
        create_camera(HOME, STORAGE, name=NAME, make="A", model="B", now=SEVEN, disk=after)
        return open_camera(HOME, STORAGE, disk=after).boot


def test_a_loss_of_power_while_a_camera_is_made_leaves_one_or_none():
    assert {make_and_cut(seed) for seed in range(150)} == {1}

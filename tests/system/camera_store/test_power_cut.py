"""The power goes at any call a camera makes to its disk, twice in a row, and any part of what was not synced is lost."""

import pytest

from plainview.camera.stream import begin_stream
from simulators.bad_recorders import (
    AppendsAfterRecovery,
    NoFileSync,
    NoFolderSync,
    begin_journal_first,
    blind_power_on,
)
from simulators.power_cuts import CameraModelDisk, record_through_cuts, violations

RUNS = 250


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

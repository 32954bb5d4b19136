"""A camera's storage for as long as somebody has patience: make torture.

TORTURE_POWER_CUTS (5000) says how often the power goes; TORTURE_SEED begins elsewhere.
"""

import os

import pytest

from simulators.every_call import why_not
from simulators.failing_disks import ERRORS, calls_of_a_run, wrong_after_fault
from simulators.interrupted_recorders import FAULTS, interrupt_all, make_template, new_interrupter
from simulators.power_cuts import CameraModelDisk, record_through_cuts, violations

POWER_CUTS = int(os.environ.get("TORTURE_POWER_CUTS", "5000"))
SEED = int(os.environ.get("TORTURE_SEED", "20260314"))


def test_thousands_of_power_cuts_take_nothing_that_was_acknowledged():
    for seed in range(SEED, SEED + POWER_CUTS // 3):
        disk, kept = record_through_cuts(CameraModelDisk(), seed, cuts=3)
        assert violations(disk, kept) == set(), seed


@pytest.mark.parametrize("error_number", ERRORS)
def test_each_call_that_fails_loses_nothing_promised(error_number):
    for fail_at in range(1, calls_of_a_run() + 1):
        assert wrong_after_fault(fail_at, error_number)[0] == set(), fail_at


@pytest.mark.parametrize("fault", FAULTS)
def test_a_recorder_interrupted_at_each_system_call_loses_nothing_acknowledged(fault, tmp_path):
    if reason := why_not(tmp_path):
        pytest.skip(reason)
    (tmp_path / "scratch").mkdir()
    (tmp_path / "template").mkdir()
    interrupter = new_interrupter(tmp_path / "scratch")
    try:
        template = make_template(tmp_path / "template")
        assert list(interrupt_all(interrupter, template, fault=fault)) == []
    finally:
        interrupter.close()

"""A call that a camera makes to its disk fails: there is a reason to read, and nothing promised is lost."""

import pytest

from simulators.failing_disks import ERRORS, calls_of_a_run, wrong_after_fault

# One call in four here; each of them in make torture.
STEP = 4


@pytest.mark.slow
@pytest.mark.parametrize("error_number", ERRORS)
def test_a_disk_that_fails_at_any_call_loses_nothing_promised(error_number):
    results = [wrong_after_fault(at, error_number) for at in range(1, calls_of_a_run() + 1, STEP)]
    assert set().union(*(wrong for wrong, _ in results)) == set()
    assert sum(was_met for _, was_met in results) > len(results) // 2

"""Kill a real recorder at the system calls it makes, or have one fail: nothing acknowledged is lost.

Here at some of the calls by which it writes and makes things last; at each call it makes, in make torture.
"""

import pytest

from simulators.every_call import why_not
from simulators.interrupted_recorders import interrupt_all, make_template, new_interrupter


@pytest.fixture(scope="module")
def interrupter(tmp_path_factory):
    scratch = tmp_path_factory.mktemp("interrupter")
    if reason := why_not(scratch):
        pytest.skip(reason)
    made = new_interrupter(scratch)
    yield made
    made.close()


@pytest.fixture
def template(tmp_path):
    (tmp_path / "template").mkdir()
    return make_template(tmp_path / "template")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "calls"),
    [("kill", ("fsync", "write", "rename", "unlink")), ("EIO", ("fsync",)), ("ENOSPC", ("write",))],
)
def test_a_recorder_that_is_interrupted_loses_nothing_acknowledged(interrupter, template, fault, calls):
    assert list(interrupt_all(interrupter, template, fault=fault, calls=calls, step=6)) == []


@pytest.mark.slow
def test_a_recorder_that_acknowledges_first_is_caught(interrupter, template):
    found = interrupt_all(interrupter, template, fault="kill", run="acknowledged first", calls=("write",))
    assert any("a fragment that was acknowledged is lost" in violation for violation in found)

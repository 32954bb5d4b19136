"""Interrupt a real recorder process at its system calls, and judge what its folders then hold."""

import shutil

from plainview.camera.disk import SystemDisk
from simulators.every_call import Interrupter
from simulators.failing_disks import FRAGMENTS
from simulators.power_cuts import Kept, new_camera, violations

FAULTS = {"kill": "signal=SIGKILL", "EIO": "error=EIO", "ENOSPC": "error=ENOSPC"}


def new_interrupter(scratch):
    """Start the program that forks recorders."""
    return Interrupter(scratch, child="recorder_child.py")


def make_template(folder):
    """Make a camera with orders, switched off, to be copied for each run."""
    new_camera(SystemDisk(), home=folder / "home", storage=folder / "storage").switch_off()
    return folder


def interrupt_all(interrupter, template, *, fault, run="record", calls=None, step=1):
    """Yield a line for every violation.

    Args:
        interrupter: as new_interrupter returned it.
        template: a folder as make_template left it.
        fault: a key of FAULTS.
        run: a key of recorder_child.RUNS.
        calls: names of the system calls to interrupt; None for all that touch a disk.
        step: interrupt one call in so many.
    """
    folder = template.with_name("camera")
    shutil.copytree(template, folder)
    counts = interrupter.count(run, folder, template)
    assert counts.get("fsync", 0) > 10, counts
    points = [
        (call, number)
        for call, times in sorted(counts.items())
        # writev is the harness's own channel.
        if call != "writev" and (calls is None or call in calls)
        for number in range(1, times + 1)
    ]
    assert points, counts
    for call, number in points[::step]:
        shutil.rmtree(folder)
        shutil.copytree(template, folder)
        outcome = interrupter.inject(run, folder, template, call, number, FAULTS[fault])
        for violation in _judge(folder, outcome):
            yield f"{violation} at {call} number {number}"


def _judge(folder, outcome):
    if outcome.crashed:
        yield f"crashed with {outcome.crashed}"
    kept = Kept()
    for words in outcome.acknowledged:
        what, stream = words.split(" ")
        if what == "begun":
            kept.fragments[stream], kept.events[stream] = [], 0
        elif what == "fragment":
            kept.fragments[stream].append(FRAGMENTS[len(kept.fragments[stream])])
        elif what == "event":
            kept.events[stream] += 1
        else:
            kept.closed.add(stream)
    yield from violations(SystemDisk(), kept, home=folder / "home", storage=folder / "storage")

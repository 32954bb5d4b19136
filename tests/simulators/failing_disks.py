"""A short recording on a disk of which one call fails: what was promised then, and what is wrong afterwards."""

import errno

from plainview.camera.errors import CameraError, StorageFaultError, StorageFullError
from plainview.camera.stream import begin_stream
from simulators.power_cuts import SEVEN, FailingDisk, Kept, add_fragment, at, new_camera, start_at, violations

INIT = bytes(range(200))
FRAGMENTS = [bytes([number]) * (300 + number) for number in range(3)]
ERRORS = {errno.EIO: StorageFaultError, errno.ENOSPC: StorageFullError}


def run_with_fault(fail_at, error_number):
    """Record while call number `fail_at` fails; return the camera, what it promised, and the error it named."""
    disk, kept = FailingDisk(), Kept()
    camera = new_camera(disk)
    disk.calls, disk.fail_at, disk.error_number = 0, fail_at, error_number
    try:
        writer = begin_stream(camera, purpose="recording", start=start_at(), init=INIT)
    except CameraError as error:
        return camera, kept, error
    kept.fragments[writer.stream], kept.events[writer.stream] = [], 0
    try:
        _record(writer, kept)
    except CameraError as error:
        _end(writer)
        return camera, kept, error
    return camera, kept, None


def _record(writer, kept):
    for number, data in enumerate(FRAGMENTS):
        add_fragment(writer, data, number)
        kept.fragments[writer.stream].append(data)
        writer.add_event("marker", at=SEVEN, mono_ms=1, position_ms=0)
        kept.events[writer.stream] += 1
    writer.close("button", at=at(9000), mono_ms=9000)


def _end(writer):
    try:
        writer.close("fault", at=at(9000), mono_ms=9000)
    except (CameraError, ValueError):
        writer.abandon()


def calls_of_a_run():
    """Return how many calls a run makes where none fails."""
    camera, _, _ = run_with_fault(None, errno.EIO)
    return camera.disk.calls


def wrong_after_fault(fail_at, error_number):
    """Return what is wrong after a run with a fault, and whether the recorder met it at all."""
    camera, kept, met = run_with_fault(fail_at, error_number)
    camera.disk.fail_at = None
    wrong = set() if met is None or isinstance(met, ERRORS[error_number]) else {f"named {met!r}"}
    if camera.open_streams:
        wrong.add("a stream is left open")
    begin_stream(camera, purpose="shift", start=start_at(trigger=""), init=None).abandon()
    return wrong | violations(camera.disk, kept), met is not None

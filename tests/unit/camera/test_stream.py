"""Recordings as a camera writes them: sealed, signed, and checked as an outsider would."""

import errno
import io

import pytest

from plainview.camera.errors import StorageFaultError, StorageFullError
from plainview.camera.folders import read_about
from plainview.camera.stream import RESERVE_BYTES, begin_stream
from plainview.formats.capture import CaptureStop, parse_journal_line
from plainview.formats.errors import FormatError
from plainview.verify.capture import check_capture
from plainview.verify.verdicts import NOT_CLOSED, OK
from simulators.power_cuts import (
    NAME,
    SEVEN,
    STORAGE,
    CameraModelDisk,
    FailingDisk,
    Kept,
    add_fragment,
    at,
    new_camera,
    open_again,
    start_at,
    streams_on,
    violations,
)

INIT = bytes(range(200))
FRAGMENTS = [bytes([number]) * (300 + number) for number in range(3)]


@pytest.fixture
def camera():
    return new_camera(CameraModelDisk())


def begin(camera, *, purpose="recording", trigger="button"):
    has_footage = purpose != "shift"
    start = start_at(trigger=trigger if has_footage else "")
    return begin_stream(camera, purpose=purpose, start=start, init=INIT if has_footage else None)


def close(writer, reason="button"):
    writer.close(reason, at=at(9000), mono_ms=9000)


def record(camera, **fields):
    writer = begin(camera, **fields)
    for number, data in enumerate(FRAGMENTS):
        add_fragment(writer, data, number)
        writer.add_event("marker", at=SEVEN, mono_ms=1, position_ms=2000 * number, facts={"count": number})
    close(writer)
    return writer


def check(camera, stream, *, with_journal=True):
    found = streams_on(camera.disk)[stream]
    return check_capture(
        io.BytesIO(found.footage),
        camera=NAME,
        stream=stream,
        public_key=camera.public_key,
        journal=found.lines if with_journal else None,
    )


# --- what is written


def test_a_closed_recording_is_all_as_signed(camera):
    report = check(camera, record(camera).stream)
    assert (report.verdict.word, len(report.fragments), len(report.events)) == (OK, 3, 3)


def test_the_unsealed_footage_proves_itself_without_its_journal(camera):
    writer = record(camera)
    report = check(camera, writer.stream, with_journal=False)
    assert (report.verdict.word, report.start.counter, report.stop.fragments) == (OK, 1, 3)
    assert len(streams_on(camera.disk)[writer.stream].footage) == writer.size_bytes


def test_fragments_lie_where_their_leaves_say(camera):
    stream = record(camera).stream
    found = streams_on(camera.disk)[stream]
    leaves = [parse_journal_line(line).leaf for line in found.lines]
    spans = [(leaf.offset, leaf.size_bytes) for leaf in leaves if hasattr(leaf, "sealed_sha256")]
    assert [found.footage[offset : offset + size] for offset, size in spans] == FRAGMENTS
    assert isinstance(leaves[-1], CaptureStop)
    assert leaves[-1].size_bytes == sum(spans[-1])


def test_a_shift_has_lines_and_no_footage(camera):
    writer = begin(camera, purpose="shift")
    writer.add_event("state", at=SEVEN, mono_ms=1, position_ms=None, facts={"to": "buffering"})
    close(writer, "power_off")
    found = streams_on(camera.disk)[writer.stream]
    assert (found.footage, len(found.lines)) == (b"", 3)
    with pytest.raises(FormatError, match="footage"):
        begin_stream(camera, purpose="shift", start=start_at(trigger=""), init=INIT)


def test_each_journal_names_the_one_begun_before_it_as_far_as_it_had_come(camera):
    shift = begin(camera, purpose="shift")
    shift.add_event("state", at=SEVEN, mono_ms=1, position_ms=None)
    first, second = record(camera), record(camera)
    previous = [check(camera, writer.stream).start.previous for writer in (shift, first, second)]
    assert previous[0] is None
    assert (previous[1].stream, previous[1].size) == (shift.stream, 2)
    assert previous[2] == first.so_far()
    close(shift, "power_off")
    assert violations(camera.disk, Kept()) == set()


def test_the_counter_goes_on_after_a_switch_off(camera):
    record(camera)
    assert record(open_again(camera.disk)).counter == 2


@pytest.mark.parametrize(
    ("purpose", "trigger", "event", "is_critical"),
    [
        ("recording", "button", "", False),
        ("recording", "holster", "", True),
        ("recording", "button", "marker", True),
        ("recording", "button", "trigger", True),
        ("recording", "button", "muted", False),
        ("function_check", "function_check", "marker", False),
        ("shift", "", "trigger", False),
    ],
)
def test_a_dock_is_told_what_is_critical_and_nothing_of_when(camera, purpose, trigger, event, is_critical):
    writer = begin(camera, purpose=purpose, trigger=trigger)
    if event:
        writer.add_event(event, at=SEVEN, mono_ms=1, position_ms=None if purpose == "shift" else 0)
    for is_closed in (False, True):
        about = read_about(camera.disk, str(STORAGE), writer.stream)
        assert (about.purpose, about.is_critical, about.is_closed) == (purpose, is_critical, is_closed)
        if not is_closed:
            close(writer)


def test_a_trigger_that_was_refused_makes_nothing_critical(camera):
    writer = begin(camera)
    writer.add_event("trigger", at=SEVEN, mono_ms=1, position_ms=0, facts={"outcome": "refused"})
    assert not read_about(camera.disk, str(STORAGE), writer.stream).is_critical


def test_nothing_is_appended_to_what_is_closed(camera):
    writer = record(camera)
    with pytest.raises(ValueError, match="is closed"):
        add_fragment(writer, b"more")
    with pytest.raises(ValueError, match="without footage"):
        add_fragment(begin(camera, purpose="shift"), b"more")


def test_a_malformed_event_leaves_the_recording_as_it_was(camera):
    writer = begin(camera)
    with pytest.raises(FormatError):
        writer.add_event("unheard_of", at=SEVEN, mono_ms=1, position_ms=0)
    close(writer)
    assert check(camera, writer.stream).verdict.word == OK


# --- storage that is full or fails


def test_full_storage_takes_no_fragment_and_still_takes_the_reason(camera):
    writer = begin(camera)
    add_fragment(writer, FRAGMENTS[0])
    camera.disk.room_bytes = RESERVE_BYTES + 100
    with pytest.raises(StorageFullError, match="put the camera into a dock"):
        add_fragment(writer, FRAGMENTS[1], 1)
    writer.add_event("storage_full", at=SEVEN, mono_ms=1, position_ms=0)
    close(writer, "storage_full")
    report = check(camera, writer.stream)
    assert (report.verdict.word, report.stop.reason, len(report.fragments)) == (OK, "storage_full", 1)


def test_full_storage_begins_nothing_and_uses_no_number(camera):
    camera.disk.room_bytes = RESERVE_BYTES
    with pytest.raises(StorageFullError):
        begin(camera)
    camera.disk.room_bytes *= 2
    assert record(camera).counter == 1
    assert len(streams_on(camera.disk)) == 1


def test_where_only_the_footage_fails_the_journal_still_says_why_it_ended():
    disk = FailingDisk()
    camera = new_camera(disk)
    writer = begin(camera)
    disk.fail_at = disk.calls + 2  # after free space was asked for, while the fragment is written
    with pytest.raises(StorageFaultError):
        add_fragment(writer, FRAGMENTS[0])
    with pytest.raises(StorageFaultError, match="have to be replaced"):
        add_fragment(writer, FRAGMENTS[0])
    close(writer, "fault")
    report = check(camera, writer.stream)
    assert (report.verdict.word, report.stop.reason, report.stop.fragments) == (OK, "fault", 0)


def test_what_a_failed_line_ends_stays_not_closed():
    disk = FailingDisk()
    camera = new_camera(disk)
    writer = begin(camera)
    add_fragment(writer, FRAGMENTS[0])
    disk.sync = _broken_sync(disk.sync)
    with pytest.raises(StorageFaultError):
        add_fragment(writer, FRAGMENTS[1], 1)
    with pytest.raises(StorageFaultError, match="nothing more is written"):
        close(writer)
    writer.abandon()
    report = check(camera, writer.stream, with_journal=True)
    assert report.verdict.word == NOT_CLOSED


def _broken_sync(sync):
    def broken(fd):
        sync(fd)
        raise OSError(errno.EIO, "Input/output error")

    return broken

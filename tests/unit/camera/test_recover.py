"""What a camera finds at power-on, and what its next journal says of it."""

import io

import pytest

from plainview.camera.folders import read_about, stream_path
from plainview.camera.stream import begin_stream
from plainview.formats.capture import parse_journal_line
from plainview.verify.capture import check_capture
from plainview.verify.capture_chain import check_journal_chain, journal_link
from simulators.power_cuts import (
    HOME,
    SEVEN,
    STORAGE,
    CameraModelDisk,
    add_fragment,
    new_camera,
    open_again,
    start_at,
    streams_on,
)


@pytest.fixture
def camera():
    return new_camera(CameraModelDisk())


def begin(camera, purpose="recording"):
    init = None if purpose == "shift" else b"init"
    trigger = "" if purpose == "shift" else "button"
    return begin_stream(camera, purpose=purpose, start=start_at(trigger=trigger), init=init)


def leaves(disk, stream):
    return [parse_journal_line(line).leaf for line in streams_on(disk)[stream].lines]


def contents(disk, path):
    return disk._written[disk._find(path)[0][path.rpartition("/")[2]]]


def test_what_a_loss_of_power_left_is_as_it_was_and_the_next_journal_names_it(camera):
    cut = begin(camera)
    add_fragment(cut, b"fragment")
    before = streams_on(camera.disk)[cut.stream]
    again = open_again(camera.disk)
    following = begin(again, "shift")
    start, recovered = leaves(camera.disk, following.stream)
    assert streams_on(camera.disk)[cut.stream] == before
    assert start.previous == cut.so_far()
    assert (start.counter, start.boot) == (2, 2)
    assert (recovered.event, recovered.facts) == ("recovered", {"stream": cut.stream, "lines": 2})


def test_each_is_reported_once(camera):
    begin(camera, "shift")
    begin(camera)
    again = open_again(camera.disk)
    first, second = begin(again, "shift"), begin(again)
    assert [leaf.facts["lines"] for leaf in leaves(camera.disk, first.stream)[1:]] == [1, 1]
    assert len(leaves(camera.disk, second.stream)) == 1


def test_one_that_no_journal_could_name_is_reported_after_the_next_loss_too(camera):
    cut = begin(camera)
    open_again(camera.disk)
    following = begin(open_again(camera.disk))
    assert [leaf.facts["stream"] for leaf in leaves(camera.disk, following.stream)[1:]] == [cut.stream]


def test_a_recording_whose_last_line_is_there_is_closed_whatever_was_lost_behind_it(camera):
    writer = begin(camera)
    camera.disk.cut_at = None
    head = f"{HOME}/head.{writer.stream}"
    writer.add_event("marker", at=SEVEN, mono_ms=1, position_ms=0)
    kept = {}
    unlink = camera.disk.unlink
    camera.disk.unlink = lambda path: kept.update({path: 1}) if path == head else unlink(path)
    writer.close("button", at=SEVEN, mono_ms=2)
    about = f"{stream_path(str(STORAGE), writer.stream)}/about.json"
    contents(camera.disk, about)[:] = contents(camera.disk, about).replace(b"true", b"false", 1)
    assert kept
    camera.disk.unlink = unlink
    again = open_again(camera.disk)
    assert read_about(camera.disk, str(STORAGE), writer.stream).is_closed
    assert again.state.unreported == ()


def test_lines_taken_from_the_storage_show_in_the_next_journal(camera):
    cut = begin(camera)
    for number in range(3):
        add_fragment(cut, b"fragment", number)
    journal = contents(camera.disk, f"{stream_path(str(STORAGE), cut.stream)}/journal.sealed")
    del journal[len(journal) - 1000 :]
    following = begin(open_again(camera.disk))
    found = streams_on(camera.disk)
    assert len(found[cut.stream].lines) == 2
    links = [
        journal_link(check_capture(None, stream=stream, public_key=camera.public_key, journal=one.lines))
        for stream, one in found.items()
    ]
    assert leaves(camera.disk, following.stream)[0].previous.size == 3
    assert check_journal_chain(links).problems


@pytest.mark.parametrize("fragments", [0, 1])
def test_a_stream_that_was_taken_away_shows_in_the_next_journal(camera, fragments):
    cut = begin(camera)
    for number in range(fragments):
        add_fragment(cut, b"fragment", number)
    folder = stream_path(str(STORAGE), cut.stream)
    for name in camera.disk.list_folder(folder):
        camera.disk.unlink(f"{folder}/{name}")
    camera.disk.remove_folder(folder)
    following = begin(open_again(camera.disk))
    start = leaves(camera.disk, following.stream)[0]
    assert (start.counter, start.previous.stream) == (2, cut.stream)


def test_a_new_home_on_a_used_storage_repeats_no_counter(camera):
    begin(camera)
    begin(camera)
    contents(camera.disk, f"{HOME}/state.json")[:] = (
        b'{"boot":0,"counter":0,"previous":null,"unreported":[],"v":1}'
    )
    for name in camera.disk.list_folder(str(HOME)):
        if name.startswith("head."):
            camera.disk.unlink(f"{HOME}/{name}")
    assert begin(open_again(camera.disk)).counter == 3
    assert len(streams_on(camera.disk)) == 3


def test_a_stream_whose_first_line_is_not_whole_never_began(camera):
    cut = begin(camera)
    journal = contents(camera.disk, f"{stream_path(str(STORAGE), cut.stream)}/journal.sealed")
    journal[-100:] = bytes(100)
    again = open_again(camera.disk)
    assert streams_on(camera.disk) == {}
    assert not [name for name in camera.disk.list_folder(str(HOME)) if name.startswith("head.")]
    assert begin(again).counter == 1


def test_nothing_else_on_the_storage_is_taken_for_a_stream(camera):
    camera.disk.make_folder(f"{STORAGE}/streams/000009-XYZ")
    camera.disk.close(camera.disk.create(f"{STORAGE}/streams/000009-01234567", 0o644))
    assert begin(open_again(camera.disk)).counter == 1


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"v":1}'])
def test_no_stream_hides_behind_a_damaged_file(camera, damage):
    writer = begin(camera)
    contents(camera.disk, f"{stream_path(str(STORAGE), writer.stream)}/about.json")[:] = damage
    about = read_about(camera.disk, str(STORAGE), writer.stream)
    assert (about.stream, about.counter, about.is_closed, about.is_critical) == (
        writer.stream,
        1,
        False,
        False,
    )


def test_an_erasure_that_a_loss_of_power_interrupted_is_finished(camera):
    writer = begin(camera)
    writer.close("button", at=SEVEN, mono_ms=1)
    folder = stream_path(str(STORAGE), writer.stream)
    camera.disk.close(camera.disk.create(f"{folder}/erase", 0o644))
    assert begin(open_again(camera.disk)).counter == 2
    assert writer.stream not in streams_on(camera.disk)


def test_receipts_for_what_is_gone_are_forgotten(camera):
    writer = begin(camera)
    for stream in (writer.stream, "000009-01234567"):
        camera.disk.close(camera.disk.create(f"{STORAGE}/receipts/{stream}.json", 0o644))
    open_again(camera.disk)
    assert camera.disk.list_folder(f"{STORAGE}/receipts") == [f"{writer.stream}.json"]


def test_folders_that_somebody_removed_from_a_card_are_made_again(camera):
    camera.disk.remove_folder(f"{STORAGE}/receipts")
    camera.disk.remove_folder(f"{STORAGE}/streams")
    camera.disk._removed.clear()
    del camera.disk._names[f"{STORAGE}/receipts"], camera.disk._names[f"{STORAGE}/streams"]
    assert begin(open_again(camera.disk)).counter == 1


def test_a_stream_that_somebody_put_on_a_card_uses_up_no_numbers(camera):
    folder = f"{STORAGE}/streams/999999999-01234567"
    camera.disk.make_folder(folder)
    fd = camera.disk.create(f"{folder}/journal.sealed", 0o644)
    camera.disk.write(fd, memoryview(b"PLVWCAM\x01\0\0\0\0\0\0\0\1x" * 3))
    assert begin(open_again(camera.disk)).counter == 1
    assert camera.disk.is_folder(folder)


@pytest.mark.parametrize("name", ["erase", "journal.sealed"])
def test_what_cannot_be_removed_does_not_keep_a_camera_from_starting(camera, name):
    folder = f"{STORAGE}/streams/000001-01234567"
    camera.disk.make_folder(folder)
    camera.disk.make_folder(f"{folder}/sub")
    camera.disk.close(camera.disk.create(f"{folder}/{name}", 0o644))
    unlink = camera.disk.unlink

    def unlink_files(path):
        if path.endswith("/sub"):
            raise IsADirectoryError(path)
        unlink(path)

    camera.disk.unlink = unlink_files
    again = open_again(camera.disk)
    assert again.state.counter == 1


def test_footage_of_a_cut_recording_checks_as_far_as_it_was_acknowledged(camera):
    cut = begin(camera)
    add_fragment(cut, b"fragment")
    open_again(camera.disk)
    found = streams_on(camera.disk)[cut.stream]
    report = check_capture(io.BytesIO(found.footage), public_key=camera.public_key)
    assert [each.verdict for each in report.fragments] == ["OK"]
    assert report.verdict.word == "NOT CLOSED"

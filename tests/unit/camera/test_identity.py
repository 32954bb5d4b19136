"""Who a camera is, and whose orders it obeys."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from plainview.camera.disk import STORAGE_MODE, write_atomically
from plainview.camera.errors import NoOrdersError, UnreadableOrdersError
from plainview.camera.identity import create_camera, open_camera
from plainview.camera.store_errors import CameraHomeError
from plainview.camera.stream import begin_stream
from plainview.formats.camera_orders import parse_camera_request
from plainview.formats.note import ED25519, VerifierKey, parse_note
from plainview.verify.note import open_note
from simulators.power_cuts import (
    HOME,
    NAME,
    SEVEN,
    STORAGE,
    CameraModelDisk,
    new_camera,
    open_again,
    orders_note,
    read_whole,
    start_at,
)

LATER = SEVEN + timedelta(seconds=1)


@pytest.fixture
def camera():
    return new_camera(CameraModelDisk())


def test_a_new_camera_asks_to_be_admitted_under_its_own_signature(camera):
    note = read_whole(camera.disk, f"{STORAGE}/request.note").decode()
    open_note(note, [camera.key])
    request = parse_camera_request(parse_note(note).text)
    assert (request.camera, request.serial, request.public_key) == (NAME, "SN42", camera.public_key)


def test_its_key_is_nowhere_on_the_storage(camera):
    key = read_whole(camera.disk, f"{HOME}/key")
    names = camera.disk.list_folder(str(STORAGE))
    files = [read_whole(camera.disk, f"{STORAGE}/{name}") for name in names if "." in name]
    assert len(key) == 64
    assert len(files) == 2
    assert not any(key in file or bytes.fromhex(key.decode()) in file for file in files)


def test_a_camera_is_not_made_over_another(camera):
    with pytest.raises(CameraHomeError, match="holds a camera already"):
        create_camera(HOME, STORAGE, name=NAME, make="A", model="B", now=SEVEN, disk=camera.disk)


def test_it_counts_each_time_it_is_switched_on(camera):
    assert camera.boot == 1
    assert open_again(camera.disk).boot == 2


def test_reading_beside_a_running_camera_counts_nothing_and_records_nothing(camera):
    beside = open_camera(HOME, STORAGE, is_power_on=False, disk=camera.disk)
    assert beside.boot == 1
    assert beside.orders == camera.orders
    with pytest.raises(CameraHomeError, match="read only"):
        begin_stream(beside, purpose="recording", start=start_at(), init=b"init")


def test_two_recorders_cannot_run_one_camera(camera):
    with pytest.raises(CameraHomeError, match="running already"):
        open_camera(HOME, STORAGE, disk=camera.disk)
    camera.switch_off()
    assert open_camera(HOME, STORAGE, disk=camera.disk).boot == 2


def test_a_storage_of_another_camera_is_refused(camera):
    other = Path("/disk/other")
    create_camera(other, Path("/disk/card"), name=NAME, make="A", model="B", now=SEVEN, disk=camera.disk)
    with pytest.raises(CameraHomeError, match="another camera's"):
        open_camera(other, STORAGE, disk=camera.disk)


def test_a_new_card_becomes_the_camera_s_own_and_its_count_goes_on(camera):
    begin_stream(camera, purpose="recording", start=start_at(), init=b"init").close(
        "button", at=SEVEN, mono_ms=1
    )
    card = Path("/disk/card")
    camera.disk.make_folder(str(card))
    camera.disk.killed()
    again = open_camera(HOME, card, disk=camera.disk)
    assert read_whole(camera.disk, f"{card}/camera.json") == read_whole(camera.disk, f"{STORAGE}/camera.json")
    assert begin_stream(again, purpose="recording", start=start_at(), init=b"init").counter == 2


def test_a_camera_is_not_made_over_another_s_card(camera):
    with pytest.raises(CameraHomeError, match="another camera's storage"):
        create_camera(Path("/disk/new"), STORAGE, name=NAME, make="A", model="B", now=SEVEN, disk=camera.disk)


def test_no_camera_says_how_to_make_one():
    disk = CameraModelDisk()
    disk.make_folder(str(HOME))
    with pytest.raises(CameraHomeError, match="plainview camera init"):
        open_camera(HOME, STORAGE, disk=disk)


@pytest.mark.parametrize("name", ["state.json", "key", "camera.json", "orders.note"])
def test_a_damaged_camera_says_so(camera, name):
    camera.disk._written[camera.disk._find(f"{HOME}/{name}")[0][name]][:] = b"{\xff}"
    with pytest.raises(CameraHomeError, match="damaged"):
        open_again(camera.disk)


# --- orders


def test_without_orders_nothing_is_recorded():
    disk = CameraModelDisk()
    create_camera(HOME, STORAGE, name=NAME, make="A", model="B", now=SEVEN, disk=disk)
    camera = open_camera(HOME, STORAGE, disk=disk)
    for purpose, init in (("recording", b"init"), ("function_check", b"init"), ("shift", None)):
        with pytest.raises(NoOrdersError, match="admitted"):
            begin_stream(camera, purpose=purpose, start=start_at(), init=init)
    assert disk.list_folder(f"{STORAGE}/streams") == []


def test_newer_orders_are_obeyed_and_kept(camera):
    assert camera.take_orders(orders_note(camera.public_key, at=LATER, log_keys=()))
    assert camera.orders.at == LATER
    assert open_again(camera.disk).orders == camera.orders


def test_orders_that_a_dock_left_on_the_storage_are_taken_when_it_is_switched_on(camera):
    left = orders_note(camera.public_key, at=LATER)
    write_atomically(camera.disk, f"{STORAGE}/orders.note", left.encode(), mode=STORAGE_MODE)
    assert open_again(camera.disk).orders.at == LATER


@pytest.mark.parametrize("left", [b"", b"\xff not orders", orders_note(bytes(32), at=LATER).encode()])
def test_what_was_left_there_and_is_no_orders_of_its_own_changes_nothing(camera, left):
    write_atomically(camera.disk, f"{STORAGE}/orders.note", left, mode=STORAGE_MODE)
    assert open_again(camera.disk).orders.at == SEVEN


def test_the_same_orders_again_change_nothing(camera):
    assert not camera.take_orders(orders_note(camera.public_key))


def test_old_orders_cannot_be_brought_back(camera):
    old = camera.orders_note
    camera.take_orders(orders_note(camera.public_key, at=LATER))
    with pytest.raises(UnreadableOrdersError, match="not newer"):
        camera.take_orders(old)


def test_orders_for_another_camera_are_refused(camera):
    with pytest.raises(UnreadableOrdersError, match="SN43"):
        camera.take_orders(orders_note(camera.public_key, name="cam.example.org/SN43", at=LATER))
    with pytest.raises(UnreadableOrdersError, match="0000"):
        camera.take_orders(orders_note(bytes(32), at=LATER))


def test_orders_of_another_department_are_refused(camera):
    stranger = Ed25519PrivateKey.generate()
    key = VerifierKey("example.org/department", ED25519, stranger.public_key().public_bytes_raw())
    with pytest.raises(UnreadableOrdersError, match="this camera obeys"):
        camera.take_orders(orders_note(camera.public_key, at=LATER, signer=stranger, key=key))


def test_orders_that_name_the_department_but_are_signed_by_somebody_else_are_refused(camera):
    forged = orders_note(camera.public_key, at=LATER, signer=Ed25519PrivateKey.generate())
    with pytest.raises(UnreadableOrdersError, match="cannot be used"):
        camera.take_orders(forged)
    assert camera.orders.at == SEVEN


@pytest.mark.parametrize("note", ["", "nonsense", "a\n\n\u2014 b AAAA\n"])
def test_orders_that_are_none_are_refused(camera, note):
    with pytest.raises(UnreadableOrdersError):
        camera.take_orders(note)

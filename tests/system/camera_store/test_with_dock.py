"""Our dock's own reader against our camera's own HTTP: both sides of docs/formats/dock-api.md."""

import threading
from datetime import timedelta
from hashlib import sha256

import pytest

from plainview.camera.serve import CameraServer, CameraStatus
from plainview.camera.stream import begin_stream
from plainview.dock.network import NetworkCamera
from plainview.dock.rules import FileState
from simulators.power_cuts import (
    NAME,
    SEVEN,
    CameraModelDisk,
    add_fragment,
    new_camera,
    orders_note,
    start_at,
    streams_on,
)
from simulators.vault_receipts import ACTS, SmallVault


class Recorder:
    """A recorder that records or does not."""

    is_recording = False

    def status(self):
        return CameraStatus(SEVEN, 1234, "recording" if self.is_recording else "buffering", 80)

    def orders_taken(self, orders):
        pass

    def docked(self, dock):
        return not self.is_recording

    def taken(self):
        pass


@pytest.fixture
def vault():
    return SmallVault()


@pytest.fixture
def camera(vault):
    return new_camera(CameraModelDisk(), log_keys=vault.keys)


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def bay(camera, recorder):
    server = CameraServer(("127.0.0.1", 0), camera, recorder)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    bay = NetworkCamera(f"127.0.0.1:{server.server_address[1]}")
    yield bay
    bay.close()
    server.shutdown()
    server.server_close()
    thread.join()


def recorded(camera):
    writer = begin_stream(camera, purpose="recording", start=start_at(trigger="holster"), init=b"init")
    add_fragment(writer, b"fragment" * 300)
    writer.close("button", at=SEVEN, mono_ms=1)
    return writer.stream


def read(bay, file, offset=0):
    with bay.read(file, offset) as pieces:
        return b"".join(pieces)


def with_receipts(bay, vault):
    states = []
    for file in bay.files():
        data = read(bay, file)
        act = ACTS[file.path.partition("/")[2]]
        states.append(FileState(file, receipt=vault.receipt(data, act=act), sha256=sha256(data).hexdigest()))
    return states


def test_a_dock_learns_which_camera_it_is(bay, camera):
    about = bay.about()
    assert (about.camera, about.serial, about.battery_percent, about.is_recording) == (
        NAME,
        "SN42",
        80,
        False,
    )
    assert NAME in bay.request()
    assert bay.is_there()


def test_a_dock_reads_every_file_and_goes_on_where_it_stopped(bay, camera):
    stream = recorded(camera)
    files = bay.files()
    assert {file.path for file in files} == {f"{stream}/footage.sealed", f"{stream}/journal.sealed"}
    assert all(file.is_critical and file.counter == 1 for file in files)
    for file in files:
        whole = read(bay, file)
        assert len(whole) == file.size_bytes
        assert read(bay, file, 700) == whole[700:]


def test_a_dock_s_receipts_make_the_camera_erase(bay, camera, vault):
    recorded(camera)
    assert bay.erase(with_receipts(bay, vault)) == ""
    assert streams_on(camera.disk) == {}
    assert bay.files() == []


def test_a_dock_is_told_why_the_camera_keeps_what_it_has(bay, camera, vault):
    stream = recorded(camera)
    footage, journal = sorted(with_receipts(bay, vault), key=lambda state: state.file.path)
    lying = FileState(footage.file, receipt=vault.receipt(b"something else"))
    assert "here lies" in bay.erase([lying, journal])
    assert list(streams_on(camera.disk)) == [stream]


def test_a_dock_brings_orders_and_docks_unless_it_records(bay, camera, recorder):
    assert bay.take_orders(orders_note(camera.public_key, at=SEVEN + timedelta(seconds=1))) == ""
    assert "not newer" in bay.take_orders(orders_note(camera.public_key))
    assert bay.set_docked("Front desk")
    bay.set_taken()
    recorder.is_recording = True
    assert not bay.set_docked("Front desk")

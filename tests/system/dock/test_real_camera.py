"""The camera's own server and the dock: what each believes the other says."""

import threading
from datetime import UTC, datetime

import pytest

from plainview.camera.serve import CameraServer, CameraStatus
from plainview.camera.stream import begin_stream
from plainview.dock.network import NetworkCamera
from plainview.dock.offload import offload
from plainview.dock.server import HttpServer
from plainview.formats.note import format_vkey
from simulators.dock_server import serving_docks
from simulators.power_cuts import SEVEN, CameraModelDisk, add_fragment, new_camera, start_at, streams_on


class Recorder:
    """What the network may ask of a recorder."""

    dock = None

    def status(self):
        return CameraStatus(at=datetime.now(UTC), mono_ms=1234, state="buffering", battery_percent=64)

    def orders_taken(self, orders):
        raise AssertionError(orders)

    def docked(self, dock):
        self.dock = dock
        return True

    def taken(self):
        self.dock = None


@pytest.fixture
def server():
    with serving_docks() as served:
        yield served


@pytest.fixture
def camera(server):
    made = new_camera(CameraModelDisk(), log_keys=[format_vkey(key) for key in server.log_keys])
    for _ in range(2):
        writer = begin_stream(made, purpose="recording", start=start_at(), init=b"init")
        add_fragment(writer, b"fragment" * 20_000)
        writer.close("button", at=SEVEN, mono_ms=1)
    return made


@pytest.fixture
def address(camera):
    recorder = Recorder()
    online = CameraServer(("127.0.0.1", 0), camera, recorder)
    online.recorder = recorder
    thread = threading.Thread(target=online.serve_forever, args=(0.01,))
    thread.start()
    yield f"127.0.0.1:{online.server_address[1]}"
    online.shutdown()
    online.server_close()
    thread.join()


def bring(address, server):
    return offload(NetworkCamera(address), HttpServer(server.address, server.token), log_keys=server.log_keys)


def test_a_camera_erases_what_the_dock_brings_receipts_of(camera, server, address):
    assert len(streams_on(camera.disk)) == 2
    bay = bring(address, server)
    assert (bay.is_safe, bay.checked, bay.problems) == (True, 4, ())
    assert bay.battery_percent == 64
    assert abs(bay.clock_error_ms) <= bay.clock_doubt_ms
    assert not streams_on(camera.disk)


@pytest.mark.parametrize("lie", ["wrong digest", "another log", "forged signature"])
def test_for_a_server_that_lies_the_camera_keeps_everything(camera, server, address, lie):
    server.lie = lie
    assert not bring(address, server).is_safe
    assert len(streams_on(camera.disk)) == 2

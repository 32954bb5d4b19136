"""A dock talks to a camera over a real connection: docs/formats/dock-api.md, "Camera to dock"."""

import http.client
import json
import threading
from datetime import timedelta

import pytest

from plainview.camera.serve import CameraServer, CameraStatus
from plainview.camera.stream import begin_stream
from simulators.opened_files import open_pieces
from simulators.power_cuts import (
    NAME,
    SEVEN,
    VAULT,
    CameraModelDisk,
    add_fragment,
    new_camera,
    orders_note,
    read_whole,
    start_at,
    streams_on,
)
from simulators.vault_receipts import SmallVault

LATER = SEVEN + timedelta(minutes=1)
FOOTAGE, JOURNAL = "footage.sealed", "journal.sealed"


class Recorder:
    """What the network may ask of a recorder."""

    def __init__(self):
        self.is_recording, self.docks, self.clock = False, [], None

    def status(self):
        return CameraStatus(at=SEVEN, mono_ms=1234, state="buffering", battery_percent=None)

    def orders_taken(self, orders):
        self.clock = orders.at

    def docked(self, dock):
        if not self.is_recording:
            self.docks.append(dock)
        return not self.is_recording

    def taken(self):
        self.docks.clear()


class Dock:
    """Asks a camera, one connection a question."""

    def __init__(self, port):
        self.port = port

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        body = body.encode() if isinstance(body, str) else body
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        finally:
            connection.close()

    def json(self, path):
        status, body, _ = self.ask("GET", path)
        assert status == 200
        return json.loads(body)


@pytest.fixture(scope="module")
def vault():
    return SmallVault()


@pytest.fixture
def camera(vault):
    return new_camera(CameraModelDisk(), log_keys=vault.keys)


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def dock(camera, recorder):
    server = CameraServer(("127.0.0.1", 0), camera, recorder)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield Dock(server.server_address[1])
    server.shutdown()
    server.server_close()
    thread.join()


def begin(camera):
    writer = begin_stream(camera, purpose="recording", start=start_at(), init=b"init")
    add_fragment(writer, b"fragment" * 200)
    return writer


def recorded(camera):
    writer = begin(camera)
    writer.close("button", at=SEVEN, mono_ms=1)
    return writer.stream


def receipts_body(vault, camera, stream, **changes):
    receipts = vault.receipts(camera.disk, stream)
    record = {"v": 1, "footage": json.loads(receipts[FOOTAGE]), "journal": json.loads(receipts[JOURNAL])}
    return json.dumps(record | changes)


# --- reading


def test_a_camera_says_which_it_is_and_what_its_clock_says(dock, camera):
    about = dock.json("/v1/camera")
    assert (about["camera"], about["serial"], about["public_key"]) == (NAME, "SN42", camera.public_key.hex())
    assert (about["at"], about["mono_ms"], about["state"], about["battery_percent"]) == (
        "2026-03-15T07:00:00.000Z",
        1234,
        "buffering",
        None,
    )
    status, request, _ = dock.ask("GET", "/v1/request")
    assert status == 200
    assert request == read_whole(camera.disk, f"{camera.storage}/request.note")


def test_streams_are_listed_with_their_sizes_but_not_the_one_being_written(dock, camera):
    stream = recorded(camera)
    writer = begin(camera)
    (listed,) = dock.json("/v1/streams")["streams"]
    folder = f"{camera.storage}/streams/{stream}"
    assert listed == {
        "v": 1,
        "stream": stream,
        "counter": 1,
        "purpose": "recording",
        "is_closed": True,
        "is_critical": False,
        "files": {name: len(read_whole(camera.disk, f"{folder}/{name}")) for name in (FOOTAGE, JOURNAL)},
    }
    assert dock.ask("GET", f"/v1/streams/{writer.stream}/{FOOTAGE}")[0] == 409


def test_a_file_that_was_unplugged_in_the_middle_goes_on_where_it_stopped(dock, camera):
    stream = recorded(camera)
    path = f"/v1/streams/{stream}/{FOOTAGE}"
    status, whole, headers = dock.ask("GET", path)
    assert (status, headers["Accept-Ranges"]) == (200, "bytes")
    connection = http.client.HTTPConnection("127.0.0.1", dock.port, timeout=20)
    connection.request("GET", path)
    began = connection.getresponse().read(700)
    connection.close()
    status, rest, headers = dock.ask("GET", path, Range="bytes=700-")
    assert (status, headers["Content-Range"]) == (206, f"bytes 700-{len(whole) - 1}/{len(whole)}")
    assert began + rest == whole
    assert open_pieces(whole, VAULT)[0] == b"init"


def test_a_range_behind_the_end_and_what_is_not_there_are_said_so(dock, camera):
    stream = recorded(camera)
    assert dock.ask("GET", f"/v1/streams/{stream}/{JOURNAL}", Range="bytes=999999-")[0] == 416
    for path in (
        "/v1/streams/000009-01234567/footage.sealed",
        f"/v1/streams/{stream}/about.json",
        f"/v1/streams/{stream}/..",
        "/v1/streams/../camera.json",
        "/v1/streams/..%2f..%2fhome/key",
        "/",
    ):
        assert dock.ask("GET", path)[0] == 404, path


# --- saying


def test_orders_set_the_clock_once(dock, camera, recorder):
    note = orders_note(camera.public_key, at=LATER)
    assert dock.ask("PUT", "/v1/orders", note)[0] == 204
    assert (camera.orders.at, recorder.clock) == (LATER, LATER)
    recorder.clock = None
    assert dock.ask("PUT", "/v1/orders", note)[0] == 204
    assert recorder.clock is None


@pytest.mark.parametrize("note", ["nonsense", b"\xff", orders_note(bytes(32), at=LATER)])
def test_other_orders_are_refused_and_the_clock_stays(dock, camera, recorder, note):
    status, body, _ = dock.ask("PUT", "/v1/orders", note)
    assert (status, json.loads(body)["error"]) == (409, "unreadable_orders")
    assert (camera.orders.at, recorder.clock) == (SEVEN, None)


def test_docking_is_refused_while_it_records(dock, recorder):
    assert dock.ask("POST", "/v1/docked", '{"dock":"Front desk"}')[0] == 204
    assert recorder.docks == ["Front desk"]
    assert dock.ask("POST", "/v1/taken")[0] == 204
    recorder.is_recording = True
    assert dock.ask("POST", "/v1/docked", '{"dock":"Front desk"}')[0] == 409
    assert recorder.docks == []


@pytest.mark.parametrize("body", ["", "[]", "{", '{"dock":5}', '{"dock":"a\\nb"}', "[" * 100_000])
def test_a_malformed_body_is_refused(dock, body):
    assert dock.ask("POST", "/v1/docked", body)[0] == 400


def test_a_body_without_end_is_refused(dock):
    assert dock.ask("PUT", "/v1/orders", "x", **{"Content-Length": "999999999"})[0] == 413


def test_good_receipts_erase_a_stream_and_a_second_dock_learns_that_it_is_gone(dock, camera, vault):
    stream = recorded(camera)
    body = receipts_body(vault, camera, stream)
    assert dock.ask("POST", f"/v1/streams/{stream}/receipt", body)[0] == 204
    assert streams_on(camera.disk) == {}
    assert dock.ask("POST", f"/v1/streams/{stream}/receipt", body)[0] == 404


@pytest.mark.parametrize("change", [{"footage": None}, {"journal": {}}, {"journal": 5}])
def test_receipts_that_do_not_do_are_refused_with_why(dock, camera, vault, change):
    stream = recorded(camera)
    body = receipts_body(vault, camera, stream, **change)
    status, answer, _ = dock.ask("POST", f"/v1/streams/{stream}/receipt", body)
    assert (status, json.loads(answer)["error"]) == (409, "receipt_refused")
    assert list(streams_on(camera.disk)) == [stream]


def test_what_is_being_written_is_not_erased(dock, camera, vault):
    writer = begin(camera)
    body = receipts_body(vault, camera, writer.stream)
    assert dock.ask("POST", f"/v1/streams/{writer.stream}/receipt", body)[0] == 409
    add_fragment(writer, b"more", 1)


def test_two_docks_read_at_once(dock, camera):
    streams = [recorded(camera) for _ in range(3)]
    answers = []
    threads = [
        threading.Thread(target=lambda s=s: answers.append(dock.ask("GET", f"/v1/streams/{s}/{FOOTAGE}")[0]))
        for s in streams * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 6

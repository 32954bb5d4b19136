"""A real server, a real dock and a real camera: from a request to be admitted to a camera that is empty again."""

import dataclasses
import json
from contextlib import closing
from hashlib import sha256

import pytest

from plainview.camera import events as e
from plainview.camera.clocks import SimulatedClock
from plainview.camera.encode import MediaEncoder, shape_of
from plainview.camera.identity import create_camera, open_camera
from plainview.camera.recorder import Recorder
from plainview.camera.rules import Orders
from plainview.camera.sealed_store import SealedStore
from plainview.camera.shots import record_script, shots_of
from plainview.dock.errors import DockError
from plainview.dock.offload import offload_folder
from plainview.dock.server import Announcement, HttpServer
from simulators.program import plainview
from simulators.recorders import ON_AT, moving_pictures, tone
from simulators.servers import serving

pytestmark = pytest.mark.slow
NAME, SERIAL = "cam.station.example/SN42", "SN42"
SMALL = ("--width", "160", "--height", "96", "--frame-rate", "10", "--bit-rate", "200", "--buffer", "0")


def told(*words, data):
    done = plainview(*words, data=data)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()] if "--json" in words else done.stdout


class Department:
    """A data directory with a dock, and a camera that was admitted and recorded six seconds."""

    def __init__(self, folder):
        self.data, self.home, self.storage = folder / "data", folder / "home", folder / "storage"
        told("init", "--log-name", "station.example", data=self.data)
        [added] = told("docks", "add", "Front desk", "--json", data=self.data)
        self.token = added["token"]
        told("cameras", "settings", *SMALL, data=self.data)
        create_camera(self.home, self.storage, name=NAME, make="Example", model="One", now=ON_AT)

    def announce(self, stream, footage):
        digest = sha256(footage).hexdigest()
        return Announcement(
            "footage", "Example", SERIAL, NAME, stream, "footage.sealed", len(footage), digest, None
        )

    def dock(self, server):
        return HttpServer(server.address, self.token)

    def ask(self, server):
        with closing(self.dock(server)) as dock:
            return dock.ask_admission((self.storage / "request.note").read_text())

    def admit(self, server):
        waiting = self.ask(server)
        assert waiting.state == "waiting"
        told("cameras", "admit", SERIAL, "--fingerprint", waiting.fingerprint, data=self.data)
        open_camera(self.home, self.storage, is_power_on=False).take_orders(self.ask(server).orders)

    def record(self):
        camera = open_camera(self.home, self.storage)
        settings = camera.expect_orders().settings
        clock = SimulatedClock(ON_AT)
        recorder = Recorder(
            store=SealedStore(camera),
            clock=clock,
            orders=Orders(dataclasses.replace(settings, worn="chest")),
            make_encoder=lambda asked: MediaEncoder(shape_of(asked, has_sound=True)),
            serial=SERIAL,
        )
        shots = shots_of(moving_pictures(60), tone(6), frame_rate=10)
        record_script(recorder, clock, shots, [e.PowerOn(0), e.Press(0), e.Marker(2000), e.PowerOff(6000)])
        camera.switch_off()

    def streams(self):
        return sorted(path.name for path in (self.storage / "streams").iterdir())

    def offload(self, server):
        with closing(self.dock(server)) as dock:
            return offload_folder(self.storage, dock, log_keys=dock.hello().log_keys)


def test_from_a_request_to_an_empty_camera_with_the_server_killed_between(tmp_path):
    department = Department(tmp_path)
    with serving(department.data, "--workers", "1") as server:
        department.admit(server)
        department.record()
        shift, pressed = department.streams()
        footage = (department.storage / "streams" / pressed / "footage.sealed").read_bytes()
        with closing(department.dock(server)) as dock:
            announced = dock.begin_offload(department.announce(pressed, footage))
            assert dock.send(announced.name, 0, footage) == len(footage)
        # All of it has come, and nobody has looked at it, or somebody is just looking.
        server.kill_all()
    with serving(department.data, "--workers", "1") as server:
        bay = department.offload(server)
        assert (bay.is_safe, bay.trouble) == (True, "")
        assert department.streams() == []
        [recording] = told("list", "--json", data=department.data)
        assert (recording["clock"], recording["started_at"][:10]) == ("camera", ON_AT.date().isoformat())
        assert {each.recording for each in bay.files if each.recording} == {recording["recording"]}
        assert len(bay.files) == 3, (shift, pressed)
        [camera] = told("cameras", "list", "--json", data=department.data)
        assert (camera["serial"], camera["key"]["state"], camera["missing"]) == (SERIAL, "admitted", [])
        told("cameras", "revoke", SERIAL, "--reason", "Lost.", data=department.data)
        assert department.ask(server).state == "revoked"
        told("docks", "close", "Front desk", data=department.data)
        with pytest.raises(DockError):
            department.ask(server)
    assert "Sound." in told("fsck", data=department.data)

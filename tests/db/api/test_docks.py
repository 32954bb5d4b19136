"""What docks may ask, and what they are answered; who is none is answered nothing and leaves no trace."""

import base64
import json
from hashlib import sha256

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import get_resolver, reverse

from plainview.accounts.actions import add_officer, add_user
from plainview.api import offloads as views
from plainview.evidence import offload_actions
from plainview.evidence.camera_actions import (
    add_dock,
    admit_camera,
    allow_covert,
    close_dock,
    refuse_camera,
    set_camera_settings,
)
from plainview.evidence.camera_models import (
    CameraEvent,
    CameraJournal,
    CameraKey,
    CameraPolicy,
    CovertLeave,
    Dock,
    Docking,
    Offload,
)
from plainview.evidence.camera_queries import device_with_serial, waiting_keys
from plainview.evidence.models import Device, DeviceAssignment
from plainview.formats.camera_orders import (
    CameraRequest,
    CameraSettings,
    format_camera_request,
    parse_camera_orders,
)
from plainview.formats.note import ED25519, NoteSignature, SignedNote, VerifierKey, format_note, parse_vkey
from plainview.formats.times import parse_at
from plainview.pipeline import handing_in
from plainview.pipeline.installation import publish
from plainview.pipeline.offloads import take_in_offload
from plainview.service.turns import Turns
from plainview.tasks.models import Task
from plainview.vault.incoming import incoming_offset
from plainview.vault.intake_keys import intake_public
from plainview.verify.note import open_note
from plainview.verify.receipt import read_receipt
from simulators.custody_rows import START, SYSTEM, LogOfRows, ask
from simulators.databases import copied_database
from simulators.journals import SigningCamera
from simulators.premises import make_installation, make_intake
from simulators.sealed_files import sealed_footage

MIB = 1 << 20
TOKEN = "a token that nobody guesses"
AT = "/api/dock/v1"
TUS = {"Tus-Resumable": "1.0.0"}
PIECE = "application/offset+octet-stream"
ARGUMENTS = {"dock_docking": [7], "dock_offload": ["0" * 32]}


class DockClient:
    """A dock that asks."""

    def __init__(self, installation, token=TOKEN):
        self.installation = installation
        self.client = Client(SERVER_NAME="localhost", headers={"Authorization": f"Bearer {token}"})

    def get(self, path):
        return self.client.get(f"{AT}/{path}")

    def post(self, path, record, **more):
        data = record if isinstance(record, (str, bytes)) else json.dumps(record)
        return self.client.post(f"{AT}/{path}", data, content_type="application/json", **more)

    def announce(self, data, **said):
        given = {
            "kind": "footage",
            "make": "Example",
            "serial": "SN42",
            "camera": "cam.example.org/SN42",
            "stream": "000001-9f2c41aa",
            "filename": "footage.sealed",
            "sha256": sha256(data).hexdigest(),
        } | said
        pairs = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in given.items() if v)
        headers = TUS | {"Upload-Length": str(len(data)), "Upload-Metadata": pairs}
        return self.client.post(f"{AT}/offloads", headers=headers)

    def begin(self, data, **said):
        answer = self.announce(data, **said)
        assert answer.status_code == 201, answer.content
        return answer["Location"]

    def send(self, address, data, offset=0):
        headers = TUS | {"Upload-Offset": str(offset)}
        return self.client.patch(address, data, content_type=PIECE, headers=headers)

    def offset(self, address):
        answer = self.client.head(address, headers=TUS)
        return answer.status_code if answer.status_code != 200 else int(answer["Upload-Offset"])

    def hand_in(self, data, **said):
        address = self.begin(data, **said)
        assert self.send(address, data).status_code == 204
        return address


@pytest.fixture(scope="module")
def installation(postgres, tmp_path_factory):
    data = tmp_path_factory.mktemp("docks")
    with copied_database(postgres):
        log = LogOfRows(data / "log" / "1", data / "checkpoint-store.sqlite")
        log.start(now=START)
        made = make_installation(data, log)
        yield made
        made.keys.close()


@pytest.fixture(autouse=True)
def clean(installation, monkeypatch):
    """Answer for the module's installation, and leave its rows as they were, but for the log."""
    monkeypatch.setattr("plainview.api.here.installation", lambda: installation)
    yield
    for model in (
        Offload,
        Docking,
        Dock,
        CameraEvent,
        CameraJournal,
        CovertLeave,
        CameraPolicy,
        CameraKey,
        DeviceAssignment,
        Task,
    ):
        model.objects.all().delete()


@pytest.fixture
def dock(installation):
    add_dock(name="Front desk", token_sha256=sha256(TOKEN.encode()).hexdigest(), actor=SYSTEM, now=START)
    return DockClient(installation)


@pytest.fixture
def camera():
    return SigningCamera()


def request_note(camera, **changes):
    name = camera.camera
    given = {"make": "Example", "model": "One", "serial": name.partition("/")[2]} | changes
    request = CameraRequest(camera=name, public_key=camera.public_key, at=START, **given)
    text = format_camera_request(request)
    key = VerifierKey(name, ED25519, camera.public_key)
    return format_note(
        SignedNote(text, (NoteSignature(name, key.key_id, camera.private.sign(text.encode())),))
    )


def admitted(dock, camera):
    dock.post("cameras", {"request": request_note(camera)})
    [key] = waiting_keys()
    admit_camera(key=key.key, fingerprint=key.fingerprint.upper(), actor=SYSTEM, now=START)
    return dock.post("cameras", {"request": request_note(camera)}).json()


def act_count():
    return ask("SELECT count(*) FROM custody_act")[0][0]


def addresses():
    names = [
        each for each in get_resolver().reverse_dict if isinstance(each, str) and each.startswith("dock_")
    ]
    assert len(names) == 7
    return [reverse(name, args=ARGUMENTS.get(name, [])) for name in names]


# --- who may


def test_every_address_answers_docks_alone_and_refusals_leave_no_trace(dock, installation):
    before = act_count()
    askers = {
        401: [DockClient(installation, token) for token in ("", "x", "a" * 9999, "é")],
        403: [DockClient(installation)],
    }
    add_dock(name="Closed", token_sha256=sha256(b"closed").hexdigest(), actor=SYSTEM, now=START)
    close_dock(name="Closed", actor=SYSTEM, now=START)
    askers[403] = [DockClient(installation, "closed")]
    acts = act_count()
    for status, clients in askers.items():
        for asker in clients:
            for address in addresses():
                for method in ("get", "post", "head", "patch", "delete", "put", "options"):
                    answer = getattr(asker.client, method)(address)
                    assert answer.status_code == status, (method, address)
    assert act_count() == acts == before + 2
    assert Docking.objects.count() == Offload.objects.count() == 0
    assert Dock.objects.get(name="Closed").seen_at is None


def test_a_basic_password_is_no_token(installation, dock):
    for words in ("Basic " + TOKEN, TOKEN, "Bearer"):
        asked = Client(SERVER_NAME="localhost", headers={"Authorization": words})
        answer = asked.get(f"{AT}/hello")
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="Plainview"')
        assert answer.json()["error"] == "no_dock"


def test_a_dock_is_written_down_as_seen_once_a_minute(dock):
    dock.get("hello")
    first = Dock.objects.get().seen_at
    dock.get("hello")
    assert first is not None
    assert Dock.objects.get().seen_at == first


def test_no_session_and_no_cookie_is_made(dock):
    assert not dock.get("hello").cookies


def test_a_database_that_is_away_is_busy_and_not_a_fault(dock, monkeypatch):
    def away(**_):
        raise OperationalError("the server is starting")

    monkeypatch.setattr("plainview.api.docks.known_cameras", away)
    answer = dock.get("cameras")
    assert (answer.status_code, answer["Retry-After"], answer.json()["error"]) == (503, "5", "busy")


def test_hello_says_by_what_keys_the_department_is_known(dock, installation):
    said = dock.get("hello").json()
    assert said["dock"] == "Front desk"
    assert parse_vkey(said["department_key"]).name.endswith("/department")
    assert [parse_vkey(key) for key in said["log_keys"]] == [installation.signer.key]
    assert said["seal_to"] == intake_public(installation.keys).hex()
    assert parse_at(said["at"], what="answer").tzinfo is not None


# --- cameras


def test_a_camera_that_asks_waits_until_a_person_admits_it_and_gets_signed_orders(dock, camera, installation):
    first = dock.post("cameras", {"request": request_note(camera)}).json()
    again = dock.post("cameras", {"request": request_note(camera)}).json()
    assert first == again
    assert (first["state"], first["orders"]) == ("waiting", None)
    assert Task.objects.get().kind == "camera_request"
    [key] = waiting_keys()
    assert key.fingerprint == first["fingerprint"]
    admit_camera(key=key.key, fingerprint=first["fingerprint"], actor=SYSTEM, now=START)
    said = dock.post("cameras", {"request": request_note(camera)}).json()
    assert said["state"] == "admitted"
    hello = dock.get("hello").json()
    note, _ = open_note(said["orders"], [parse_vkey(hello["department_key"])])
    orders = parse_camera_orders(note.text)
    assert (orders.camera, orders.public_key) == (camera.camera, camera.public_key)
    assert (orders.seal_to.hex(), list(orders.log_keys)) == (hello["seal_to"], hello["log_keys"])
    assert orders.settings == CameraSettings(zone=installation.zone)
    assert Task.objects.get().answer == "admitted"
    [facts] = ask(
        "SELECT facts::text FROM custody_act WHERE act = 'camera.admitted' ORDER BY id DESC LIMIT 1"
    )
    assert json.loads(facts[0]) == {"camera": camera.camera, "public_key": camera.public_key.hex()}


def test_orders_are_those_in_force_and_fresh_each_time(dock, camera):
    admitted(dock, camera)
    set_camera_settings(
        settings=CameraSettings(buffer_ms=60_000), valid_from=START, reason="r", actor=SYSTEM, now=START
    )
    person = add_user(username="chief", name="Chief", password=None, actor=SYSTEM, now=START)
    device = device_with_serial("SN42")
    allow_covert(
        device=device,
        allowed_by=person.pk,
        reason="surveillance",
        valid_from=START,
        valid_to=START.replace(year=START.year + 9),
        actor=SYSTEM,
        now=START,
    )
    notes = [dock.post("cameras", {"request": request_note(camera)}).json()["orders"] for _ in range(2)]
    first, second = (parse_camera_orders(note.partition("\n\n")[0] + "\n") for note in notes)
    assert first.settings.buffer_ms == 60_000
    assert first.covert_allowed_by == f"user:{person.pseudonym}"
    assert first.at <= second.at


def test_a_request_that_its_key_did_not_sign_is_refused(dock, camera):
    other = SigningCamera(seed=2)
    note = (
        request_note(camera).rpartition("\u2014")[0] + "\u2014" + request_note(other).rpartition("\u2014")[2]
    )
    for request, code in (
        (note, "not_signed"),
        ("no note", "malformed"),
        (request_note(camera)[:-30], "malformed"),
    ):
        answer = dock.post("cameras", {"request": request})
        assert (answer.status_code, answer.json()["error"]) == (400, code)
    too_long = dock.post("cameras", {"request": request_note(camera, make="x" * 65)})
    assert (too_long.status_code, too_long.json()["error"]) == (400, "malformed")
    assert CameraKey.objects.count() == 0


def test_a_name_that_is_another_cameras_cannot_be_taken(dock, camera):
    admitted(dock, camera)
    rival = SigningCamera(seed=2)
    answer = dock.post("cameras", {"request": request_note(rival, make="Rival")})
    assert (answer.status_code, answer.json()["error"]) == (409, "name_taken")


def test_a_camera_that_was_made_anew_replaces_its_own_key(dock, camera):
    admitted(dock, camera)
    anew = SigningCamera(seed=2)
    assert admitted(dock, anew)["state"] == "admitted"
    assert dock.post("cameras", {"request": request_note(camera)}).json()["state"] == "revoked"


def test_a_refused_camera_is_told_so(dock, camera):
    dock.post("cameras", {"request": request_note(camera)})
    [key] = waiting_keys()
    refuse_camera(key=key.key, reason="not ours", actor=SYSTEM, now=START)
    said = dock.post("cameras", {"request": request_note(camera)}).json()
    assert (said["state"], said["orders"], Task.objects.get().answer) == ("refused", None, "refused")


# --- dockings


def docked(dock, **changes):
    record = {
        "camera": None,
        "make": "Example",
        "serial": "SN42",
        "clock_error_ms": 12,
        "clock_doubt_ms": 3,
        "battery_percent": 80,
        "files": 3,
        "critical": ["000001-9f2c41aa"],
    }
    return dock.post("dockings", record | changes)


def on_wall(dock, serial="SN42"):
    [row] = [row for row in dock.get("cameras").json()["cameras"] if row["serial"] == serial]
    return row


def test_a_camera_that_is_docked_is_on_the_wall_until_it_is_taken(dock):
    answer = docked(dock).json()
    assert (answer["assigned"], answer["critical"]) == ("", ["000001-9f2c41aa"])
    row = on_wall(dock)
    assert (row["make"], row["docked_at"] is not None, row["is_overdue"]) == ("Example", True, False)
    said = dock.post(f"dockings/{answer['docking']}", {"files": 3, "checked": 3, "is_taken": True})
    assert said.status_code == 204
    assert on_wall(dock)["docked_at"] is None
    row = Docking.objects.get()
    assert (row.clock_error_ms, row.battery_percent, row.files, row.checked_files) == (12, 80, 3, 3)


def test_a_camera_is_in_one_dock_at_a_time(dock, installation):
    add_dock(name="Back door", token_sha256=sha256(b"back").hexdigest(), actor=SYSTEM, now=START)
    first = docked(dock).json()["docking"]
    assert docked(dock).json()["docking"] == first
    second = docked(DockClient(installation, "back")).json()["docking"]
    assert second != first
    assert [row.pk for row in Docking.objects.filter(taken_at__isnull=True)] == [second]
    told = dock.post(f"dockings/{second}", {"files": 1, "checked": 1, "is_taken": True})
    assert (told.status_code, told.json()["error"]) == (404, "no_docking")


@pytest.mark.parametrize(
    ("error_ms", "is_asked"), [(5001, False), (5004, True), (-9000, True), (None, False)]
)
def test_a_clock_that_is_certainly_far_off_is_asked_about(dock, error_ms, is_asked):
    docked(dock, clock_error_ms=error_ms)
    assert Task.objects.filter(kind="camera_clock").exists() == is_asked


def test_a_clock_that_is_right_again_withdraws_the_question(dock, installation):
    add_dock(name="Back door", token_sha256=sha256(b"back").hexdigest(), actor=SYSTEM, now=START)
    docked(dock, clock_error_ms=60_000)
    docked(DockClient(installation, "back"), clock_error_ms=100)
    assert Task.objects.get(kind="camera_clock").answer == "withdrawn"


@pytest.mark.parametrize(
    "change",
    [
        {"clock_error_ms": 1 << 60},
        {"clock_error_ms": "1"},
        {"clock_error_ms": True},
        {"battery_percent": 101},
        {"files": -1},
        {"make": ""},
        {"serial": "x\ny"},
        {"serial": "x" * 65},
        {"camera": 7},
    ],
)
def test_a_docking_that_makes_no_sense_is_refused(dock, change):
    answer = docked(dock, **change)
    assert (answer.status_code, answer.json()["error"]) == (400, "field")


@pytest.mark.parametrize(
    ("body", "status"),
    [("[", 400), ("[]", 400), ("[" * 99_999, 400), ('{"make":"\\ud800"}', 400), (b"\xff", 400)],
)
def test_bodies_that_are_no_record_are_refused(dock, body, status):
    assert dock.post("dockings", body).status_code == status


def test_a_camera_is_handed_to_whoever_shows_a_badge(dock):
    for badge, name in (("4417", "Reyes"), ("4711", "Doe")):
        add_officer(badge=badge, name=name, actor=SYSTEM, now=START)
    docked(dock)
    taken = {"badge": "4417", "make": "Example", "serial": "SN42"}
    assert dock.post("checkouts", taken).json() == {"assigned": "Reyes, 4417"}
    assert dock.post("checkouts", taken).json() == {"assigned": "Reyes, 4417"}
    other = taken | {"badge": "4711"}
    refused = dock.post("checkouts", other)
    assert (refused.status_code, refused.json()["error"]) == (409, "worn")
    assert "Reyes" in refused.json()["text"]
    assert dock.post("checkouts", other | {"is_sure": True}).json() == {"assigned": "Doe, 4711"}
    assert dock.post("checkouts", taken | {"badge": "0"}).status_code == 404
    assert dock.post("checkouts", taken | {"serial": "none"}).status_code == 404
    assert on_wall(dock)["assigned"] == "Doe, 4711"


# --- offloads


def test_footage_comes_in_pieces_and_ends_with_a_receipt(dock, camera, installation):
    admitted(dock, camera)
    made = camera.record(fragments=3, fragment_bytes=MIB)
    data = sealed_footage(made, seal_to=intake_public(installation.keys))
    address = dock.begin(data, stream=made.stream)
    assert dock.send(address, data[: 2 * MIB])["Upload-Offset"] == str(2 * MIB)
    assert dock.offset(address) == 2 * MIB
    assert dock.send(address, data[2 * MIB :], 2 * MIB)["Upload-Offset"] == str(len(data))
    name = address.rpartition("/")[2]
    assert dock.get(f"offloads/{name}").json()["state"] == "stored"
    take_in_offload(make_intake(installation), name)
    waiting = dock.get(f"offloads/{name}").json()
    assert (waiting["state"], waiting["receipt"]) == ("stored", None)
    publish(installation)
    said = dock.get(f"offloads/{name}").json()
    assert (said["state"], said["recording"][:2]) == ("received", "R-")
    receipt = read_receipt(
        json.dumps(said["receipt"], separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
    )
    assert receipt.leaf.facts["sent_sha256"] == sha256(data).hexdigest()
    replay = dock.announce(data, stream=made.stream)
    assert (replay.status_code, replay.json()) == (200, said)


def test_what_another_dock_began_a_camera_that_is_moved_goes_on_with(dock, installation):
    add_dock(name="Back door", token_sha256=sha256(b"back").hexdigest(), actor=SYSTEM, now=START)
    data = bytes(3 * MIB)
    address = dock.begin(data)
    dock.send(address, data[:MIB])
    other = DockClient(installation, "back")
    said = other.announce(data)
    assert (said.status_code, said.json()["state"]) == (200, "receiving")
    assert other.offset(address) == MIB
    assert other.send(address, data[MIB:], MIB).status_code == 204


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "thing"},
        {"kind": ""},
        {"sha256": "A" * 64},
        {"sha256": ""},
        {"stream": "../../etc"},
        {"stream": ""},
        {"make": ""},
        {"serial": "x\0"},
        {"particulars": "{"},
        {"particulars": "[]"},
        {"particulars": '{"a":"\\ud800"}'},
        {"particulars": '{"a":"\\u0000"}'},
    ],
)
def test_announcements_that_make_no_sense_leave_nothing(dock, installation, said):
    before = installation.keys.secret_names("incoming/")
    answer = dock.announce(b"x", **said)
    assert (answer.status_code, answer.json()["error"]) == (400, "field")
    assert installation.keys.secret_names("incoming/") == before
    assert Offload.objects.count() == 0


def test_another_makers_file_needs_no_stream_and_no_camera(dock):
    data = b"text" * 9
    address = dock.begin(data, kind="file", make="", serial="", stream="", particulars='{"title":"a"}')
    row = Offload.objects.get(name=address.rpartition("/")[2])
    assert (row.device, row.stream, row.particulars) == (None, "", {"title": "a"})


def test_pieces_are_refused_as_tus_has_it(dock):
    data = bytes(2 * MIB)
    address = dock.begin(data)
    assert dock.send(address, data, MIB).status_code == 413
    assert dock.send(address, data[:MIB], MIB).status_code == 409
    assert dock.send(address, data[:9], 0).status_code == 400
    assert dock.client.patch(address, data, headers=TUS | {"Upload-Offset": "0"}).status_code == 415
    assert dock.client.patch(address, data, content_type=PIECE).status_code == 412
    assert dock.client.post(address).status_code == 405
    assert dock.get("offloads").status_code == 405
    assert dock.get(f"offloads/{'0' * 32}").status_code == 404
    assert dock.send(address, data).status_code == 204
    assert dock.send(address, b"x", 2 * MIB).status_code == 409
    assert dock.client.delete(address, headers=TUS).status_code == 409


def test_an_offload_can_be_given_up_and_begun_anew(dock, installation):
    data = bytes(2 * MIB)
    address = dock.begin(data)
    dock.send(address, data[:MIB])
    assert dock.client.delete(address, headers=TUS).status_code == 204
    assert dock.offset(address) == 410
    anew = dock.begin(data)
    assert anew != address
    assert dock.offset(anew) == 0


def test_what_the_vault_lost_is_dropped_and_can_be_begun_anew(dock, installation):
    data = bytes(2 * MIB)
    address = dock.begin(data)
    installation.keys.destroy_secret(f"incoming/{address.rpartition('/')[2]}")
    answer = dock.send(address, data)
    assert (answer.status_code, answer.json()["error"]) == (410, "lost")
    assert dock.announce(data).status_code == 201


def test_a_disk_that_is_nearly_full_refuses_before_it_is_full(dock, monkeypatch):
    class Usage:
        free = handing_in.SPARE_BYTES

    monkeypatch.setattr(handing_in.shutil, "disk_usage", lambda _: Usage)
    assert dock.announce(bytes(MIB)).status_code == 507


def test_many_at_once_are_told_when_to_come(dock, monkeypatch):
    turns = Turns(fast=1, slow=0, waiting=0, wait_s=0)
    monkeypatch.setattr(handing_in, "TURNS", turns)
    address = dock.begin(bytes(MIB))
    with turns.turn():
        answer = dock.send(address, bytes(MIB))
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")


def test_no_dock_begins_without_end(dock, monkeypatch):
    monkeypatch.setattr(offload_actions, "OPEN_LIMIT", 1)
    dock.begin(b"one")
    assert dock.announce(b"two").status_code == 429


def test_the_last_byte_that_was_not_noted_is_noted_when_asked_for(dock, installation, monkeypatch):
    data = bytes(MIB)
    address = dock.begin(data)
    name = address.rpartition("/")[2]
    with monkeypatch.context() as broken:
        broken.setattr(views, "store_offload", lambda name: None)
        dock.send(address, data)
    assert dock.get(f"offloads/{name}").json()["state"] == "receiving"
    assert incoming_offset(installation.store, name) == MIB
    assert dock.offset(address) == MIB
    assert dock.get(f"offloads/{name}").json()["state"] == "stored"


def test_no_connection_to_the_database_is_held_while_bytes_flow(dock, monkeypatch):
    seen = []
    read = handing_in.Body.read

    def looking(body, length):
        seen.append(connection.connection)
        return read(body, length)

    address = dock.begin(bytes(MIB))
    monkeypatch.setattr(handing_in.Body, "read", looking)
    dock.send(address, bytes(MIB))
    assert seen
    assert set(seen) == {None}


def test_a_camera_is_added_when_it_is_first_heard_of_and_once(dock):
    docked(dock, serial="NEW1")
    docked(dock, serial="NEW1")
    assert Device.objects.filter(serial="NEW1").count() == 1

"""The dock itself: many bays, cameras put in and taken out, the wall and the check-out beside it."""

import http.client
import json
import threading
import time
from contextlib import ExitStack, contextmanager
from urllib.parse import urlencode

import pytest

from plainview.dock import station as stations
from plainview.dock.find import Addresses, Mounted
from plainview.dock.home import Digests, DockSetting, read_setting, write_setting
from plainview.dock.pace import Pace
from plainview.dock.server import HttpServer
from plainview.dock.station import Station
from plainview.dock.wall_server import serving_wall
from plainview.dock.words import say_bay
from simulators.camera_http import CameraStorage, serving_camera
from simulators.dock_server import DEPARTMENT, serving_docks


@pytest.fixture(autouse=True)
def _hurried(monkeypatch):
    for name, seconds in {"LOOK_S": 0.02, "THERE_S": 0.02, "NEWS_S": 0.05, "AGAIN_S": 0.05}.items():
        monkeypatch.setattr(stations, name, seconds)


@pytest.fixture
def server():
    with serving_docks() as served:
        yield served


def until(holds, limit_s=15):
    end = time.monotonic() + limit_s
    while not (found := holds()):
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)
    return found


@contextmanager
def docking(server, *, addresses=(), watched=(), patterns=(), token=None):
    def connect():
        return HttpServer(server.address, token or server.token)

    pace = Pace()
    finders = [Addresses(addresses), Mounted(watched, log_keys=server.log_keys, patterns=patterns)]
    station = Station(
        name="North",
        connect=connect,
        log_keys=server.log_keys,
        finders=finders,
        pace=pace,
        digests=Digests(),
    )
    thread = threading.Thread(target=station.run)
    with serving_wall("127.0.0.1:0", station, connect) as wall:
        thread.start()
        try:
            station.wall = wall
            yield station
        finally:
            pace.stop()
            thread.join(15)


def ask(wall, path, *, form=None, **headers):
    host = wall.removeprefix("http://").rstrip("/")
    connection = http.client.HTTPConnection(host, timeout=10)
    method, body = ("GET", None) if form is None else ("POST", urlencode(form))
    if form is not None:
        headers |= {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer, text


def camera_with(tmp_path, serial, streams=1):
    storage = CameraStorage(tmp_path / serial, serial=serial)
    for number in range(1, streams + 1):
        storage.add_stream(number, serial.encode() * 1000 * number)
    return storage


def test_cameras_of_all_kinds_are_found_and_become_safe_to_take(server, tmp_path):
    plugged = [camera_with(tmp_path / "media", f"USB{number}") for number in range(2)]
    online = [camera_with(tmp_path / "net", f"NET{number}") for number in range(3)]
    before = {digest: data for each in (*plugged, *online) for digest, data in each.sealed().items()}
    with ExitStack() as stack:
        cameras = [stack.enter_context(serving_camera(each, server.log_keys)) for each in online]
        addresses = [camera.address for camera in cameras]
        with docking(server, addresses=addresses, watched=[f"{tmp_path}/media/*"]) as station:
            until(lambda: sum(bay.is_safe for bay in station.bays()) == 5)
            assert server.whole() == before
            _, page = ask(station.wall, "/")
    assert "5 of 5 safe to take" in page
    assert page.count("Safe to take") == 5
    assert page.count("Reyes, 4417") == 5


def test_a_camera_taken_too_soon_is_told_so_until_it_is_back(server, tmp_path):
    storage = camera_with(tmp_path, "SN42")
    server.is_publishing = False
    with (
        serving_camera(storage, server.log_keys) as camera,
        docking(server, addresses=[camera.address]) as station,
    ):
        until(lambda: [bay for bay in station.bays() if bay.files and bay.files[-1].state == "sent"])
        camera.is_there = False
        until(lambda: [bay for bay in station.bays() if bay.is_gone])
        assert "Taken too soon" in ask(station.wall, "/")[1]
        assert storage.streams()
        camera.is_there = server.is_publishing = True
        until(lambda: [bay for bay in station.bays() if bay.is_safe])
        # Erasing comes after that is said: what is on it is safe with the server.
        until(lambda: not storage.streams())


def test_a_card_that_is_pulled_when_it_is_safe_leaves_its_bay(server, tmp_path):
    storage = camera_with(tmp_path / "media", "USB1")
    with docking(server, watched=[f"{tmp_path}/media/*"]) as station:
        until(lambda: [bay for bay in station.bays() if bay.is_safe])
        storage.folder.rename(tmp_path / "pulled")
        until(lambda: station.bays() == [])
        assert until(lambda: [said for _, said in server.reports if said["is_taken"]])


def test_what_a_camera_records_while_it_is_docked_is_taken_in_too(server, tmp_path):
    storage = camera_with(tmp_path, "SN42")
    with (
        serving_camera(storage, server.log_keys) as camera,
        docking(server, addresses=[camera.address]) as station,
    ):
        until(lambda: [bay for bay in station.bays() if bay.is_safe])
        storage.add_stream(9, b"later" * 100)
        until(lambda: [bay for bay in station.bays() if bay.checked == 4 and bay.is_safe])
    assert len(server.dockings) == 1


def test_a_camera_that_is_found_in_two_ways_has_one_bay(server, tmp_path):
    storage = camera_with(tmp_path / "media", "SN42")
    with (
        serving_camera(storage, server.log_keys) as camera,
        docking(server, addresses=[camera.address], watched=[f"{tmp_path}/media/*"]) as station,
    ):
        until(lambda: [bay for bay in station.bays() if bay.is_safe])
        time.sleep(0.1)
        assert len(station.bays()) == 1
    assert len(server.files) == 2


def test_a_server_that_is_away_is_said_and_waited_for(server, tmp_path):
    storage = camera_with(tmp_path / "media", "USB1")
    server.fail_next(503)
    with docking(server, watched=[f"{tmp_path}/media/*"]) as station:
        until(lambda: [bay for bay in station.bays() if "Many are sending." in say_bay(bay).problems])
        until(lambda: [bay for bay in station.bays() if bay.is_safe])
    assert storage.streams() == []


def test_a_dock_that_was_closed_says_so_and_erases_nothing(server, tmp_path):
    storage = camera_with(tmp_path / "media", "USB1")
    with docking(server, watched=[f"{tmp_path}/media/*"], token="of a dock that was closed") as station:
        until(lambda: [bay for bay in station.bays() if "No such dock" in bay.trouble])
    assert storage.streams()


# --- the wall and the check-out


def ready(server, tmp_path, stack):
    storage = camera_with(tmp_path, "SN42")
    camera = stack.enter_context(serving_camera(storage, server.log_keys))
    station = stack.enter_context(docking(server, addresses=[camera.address]))
    (bay,) = until(lambda: [bay for bay in station.bays() if bay.is_safe])
    return camera, station, bay


def test_somebody_scans_a_badge_takes_a_camera_and_hears_whose_it_is(server, tmp_path):
    with ExitStack() as stack:
        camera, station, bay = ready(server, tmp_path, stack)
        assert "Scan or type your badge" in ask(station.wall, "/checkout")[1]
        choice = ask(station.wall, "/checkout", form={"badge": "5120"})[1]
        assert "Plainview Pi SN42" in choice
        taken = ask(station.wall, "/checkout", form={"badge": "5120", "bay": bay.key})[1]
        assert "Now Okafor, 5120" in taken
        until(lambda: camera.docked_in is None)
        until(lambda: station.bays() == [])
    assert server.taken_today == {"SN42": "Okafor, 5120"}


def test_a_camera_that_is_anothers_today_is_given_only_to_who_is_sure(server, tmp_path):
    with ExitStack() as stack:
        _, station, bay = ready(server, tmp_path, stack)
        server.taken_today["SN42"] = "Reyes, 4417"
        asked = ask(station.wall, "/checkout", form={"badge": "5120", "bay": bay.key})[1]
        assert "Reyes, 4417 has this camera today." in asked
        assert server.taken_today == {"SN42": "Reyes, 4417"}
        form = {"badge": "5120", "bay": bay.key, "sure": "yes"}
        assert "Now Okafor, 5120" in ask(station.wall, "/checkout", form=form)[1]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"badge": ""}, "badge first"),
        ({"badge": "9999", "bay": "the bay"}, "Nobody has this badge."),
        ({"badge": "5120", "bay": "elsewhere"}, "not there any more"),
    ],
)
def test_what_cannot_be_taken_is_said(server, tmp_path, form, said):
    with ExitStack() as stack:
        _, station, bay = ready(server, tmp_path, stack)
        form = {name: bay.key if value == "the bay" else value for name, value in form.items()}
        assert said in ask(station.wall, "/checkout", form=form)[1]
    assert server.taken_today == {}


def test_another_site_can_neither_read_the_wall_nor_take_a_camera(server, tmp_path):
    with ExitStack() as stack:
        _, station, bay = ready(server, tmp_path, stack)
        form = {"badge": "5120", "bay": bay.key}
        for headers in ({"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}):
            assert ask(station.wall, "/checkout", form=form, **headers)[0].status == 403
        assert ask(station.wall, "/", Host="elsewhere.example")[0].status == 403
    assert server.taken_today == {}


def test_the_wall_names_what_is_overdue_and_runs_no_script(server, tmp_path):
    overdue = {
        "make": "Plainview",
        "serial": "SN7",
        "assigned": "Lund, 3302",
        "docked_at": None,
        "is_overdue": True,
    }
    server.cameras = [overdue, overdue | {"serial": "SN8", "is_overdue": False}]
    with docking(server) as station:
        answer, page = ask(station.wall, "/")
        assert "Overdue" in page
        assert "Plainview SN7, Lund, 3302" in page
        assert "SN8" not in page
        assert "<script" not in page
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "--recorded" in ask(station.wall, "/wall.css")[1]
        assert json.loads(ask(station.wall, "/bays.json")[1]) == {"bays": []}
        assert ask(station.wall, "/../secret")[0].status == 404


def test_what_a_camera_calls_itself_cannot_become_part_of_the_page(server, tmp_path):
    storage = CameraStorage(tmp_path / "media" / "x", make="<b>bold</b>")
    with docking(server, watched=[f"{tmp_path}/media/*"]) as station:
        until(lambda: [bay for bay in station.bays() if bay.is_safe])
        page = ask(station.wall, "/")[1]
    assert storage.streams() == []
    assert "<b>" not in page
    assert "&lt;b&gt;bold" in page


# --- what the dock keeps


def test_what_init_wrote_is_read_again_and_for_the_owner_only(tmp_path, server):
    setting = DockSetting("http://x", "secret", "North", DEPARTMENT.key, server.log_keys)
    write_setting(tmp_path / "deep" / "dock", setting)
    assert read_setting(tmp_path / "deep" / "dock") == setting
    assert (tmp_path / "deep" / "dock" / "dock.json").stat().st_mode & 0o077 == 0

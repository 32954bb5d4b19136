"""A camera at the dock: everything that can go wrong between a camera, a dock and a server, over real connections."""

import json
import os
import random
import threading
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from plainview.dock.card import read_pattern
from plainview.dock.errors import CameraError, CameraGoneError, NotLetInError
from plainview.dock.network import NetworkCamera
from plainview.dock.offload import offload, offload_folder
from plainview.dock.pace import Pace, StoppedError
from plainview.dock.server import HttpServer
from plainview.dock.words import say_bay
from simulators.camera_http import CameraStorage, serving_camera
from simulators.dock_server import LIES, MIB, DockServer, serving_docks


class Eager(Pace):
    """A pace that waits for nothing long."""

    def wait(self, seconds):
        super().wait(min(seconds, 0.01))


@pytest.fixture
def server():
    with serving_docks() as served:
        yield served


@pytest.fixture
def storage(tmp_path):
    made = CameraStorage(tmp_path / "card")
    for number, size_bytes in enumerate((100_000, 3 * MIB + 17, 700), 1):
        made.add_stream(number, random.Random(number).randbytes(size_bytes), is_critical=number == 3)
    made.add_stream(4, None, purpose="shift")
    return made


def bring(storage, server, **options):
    connection = HttpServer(server.address, server.token)
    return offload_folder(
        storage.folder, connection, **({"log_keys": server.log_keys, "pace": Eager()} | options)
    )


def bring_online(camera, server, **options):
    given = {"log_keys": server.log_keys, "pace": Eager()} | options
    return offload(NetworkCamera(camera.address), HttpServer(server.address, server.token), **given)


@contextmanager
def online(storage, server):
    with serving_camera(storage, server.log_keys) as camera:
        yield camera


def nothing_is_lost(before, storage, server):
    """Say whether each byte is where it should be: on the camera, or whole on the server under a published leaf."""
    there, brought = storage.sealed(), server.whole()
    assert all(there.get(digest) == data or brought.get(digest) == data for digest, data in before.items())


# --- as it should be


@pytest.mark.parametrize("way", ["plugged in", "over the network"])
def test_everything_is_handed_in_checked_and_erased(storage, server, way):
    before = storage.sealed()
    if way == "plugged in":
        bay = bring(storage, server)
    else:
        with online(storage, server) as camera:
            bay = bring_online(camera, server)
    assert server.whole() == before
    assert bay.is_safe
    assert bay.wearer == "Reyes, 4417"
    assert all(each.is_erased and each.recording == "R-26-00004217-I" for each in bay.files)
    assert storage.streams() == []
    assert server.reports[-1] == (1, {"files": 7, "checked": 7, "is_taken": True})


def test_what_is_critical_goes_first_and_journals_before_other_footage(storage, server):
    bring(storage, server)
    brought = [(f.said["stream"][:6], f.said["kind"]) for f in server.files.values()]
    assert brought[:2] == [("000003", "journal"), ("000003", "footage")]
    assert [kind for _, kind in brought[2:]] == ["journal", "journal", "journal", "footage", "footage"]


def test_the_clock_of_a_camera_is_compared_before_its_orders_set_it(storage, server):
    server.orders = "orders, signed\n"
    with online(storage, server) as camera:
        camera.clock_ahead_ms = -90_000
        bay = bring_online(camera, server)
    assert abs(server.dockings[0]["clock_error_ms"] + 90_000) <= server.dockings[0]["clock_doubt_ms"]
    assert camera.orders == ["orders, signed\n"]
    assert server.requests == ["a request, signed\n"]
    assert (bay.battery_percent, camera.docked_in) == (81, "North")


def test_a_camera_that_is_plugged_in_finds_its_orders_on_its_storage(storage, server):
    server.orders = "orders, signed\n"
    bring(storage, server)
    assert (storage.folder / "orders.note").read_text() == "orders, signed\n"


def test_orders_that_a_camera_refuses_are_said_and_hold_nothing_up(storage, server):
    server.orders = "orders of another department\n"
    with online(storage, server) as camera:
        camera.orders_refused = "another signer"
        bay = bring_online(camera, server)
    assert bay.is_safe
    assert "another signer" in say_bay(bay).problems[0]


def test_a_camera_that_goes_on_recording_is_not_safe_to_take(storage, server):
    with online(storage, server) as camera:
        camera.state = "recording"
        bay = bring_online(camera, server)
    assert bay.checked == 7
    assert not bay.is_safe


def test_the_receipts_lie_on_the_storage_before_anything_is_erased(storage, server):
    streams = storage.streams()
    bring(storage, server)
    written = sorted(path.name for path in (storage.folder / "receipts").iterdir())
    assert written == [f"{stream}.json" for stream in streams]


def test_a_file_without_bytes_is_left_and_holds_nothing_up(storage, server):
    stream = storage.add_stream(5, b"")
    bay = bring(storage, server)
    assert (bay.is_safe, bay.left_on_it) == (True, 1)
    assert (storage.folder / "streams" / stream / "footage.sealed").exists() is False


# --- what stops in the middle


@pytest.mark.parametrize("after_bytes", [0, 50_000, 500_000, 2 * MIB, 3 * MIB])
def test_a_camera_pulled_out_and_put_in_again_goes_on_and_makes_nothing_twice(storage, server, after_bytes):
    before = storage.sealed()
    with online(storage, server) as camera:
        camera.unplug_after_bytes = after_bytes
        with pytest.raises(CameraGoneError):
            bring_online(camera, server)
        nothing_is_lost(before, storage, server)
        camera.is_there = True
        bay = bring_online(camera, server)
    assert bay.is_safe
    assert server.whole() == before
    assert len(server.files) == 7


@pytest.mark.parametrize("seed", range(2))
def test_pulled_out_again_and_again_at_any_byte_it_ends_with_everything_once(storage, server, seed):
    before, generator = storage.sealed(), random.Random(seed)
    with online(storage, server) as camera:
        for _ in range(40):
            camera.is_there = True
            camera.unplug_after_bytes = camera.sent_bytes + generator.randrange(8 * MIB)
            try:
                bring_online(camera, server)
                break
            except CameraGoneError:
                nothing_is_lost(before, storage, server)
    assert server.whole() == before
    assert len(server.files) == 7
    assert storage.streams() == []


@pytest.mark.parametrize("statuses", [[503, 503, 507], [500], ["cut", "cut"], [423, 429, 502]])
def test_a_server_that_cannot_just_now_is_asked_again(storage, server, statuses):
    before = storage.sealed()
    server.fail_next(*statuses)
    assert bring(storage, server).is_safe
    assert server.whole() == before


@pytest.mark.parametrize("after_bytes", [1, MIB - 1, MIB, MIB + 1, 3 * MIB])
def test_a_line_that_breaks_inside_a_piece_is_gone_on_with_where_the_server_is(storage, server, after_bytes):
    before = storage.sealed()
    server.cut_after_bytes = after_bytes
    assert bring(storage, server).is_safe
    assert server.whole() == before


def test_a_server_that_is_started_anew_finds_the_dock_still_there(storage):
    state, before = DockServer(), storage.sealed()
    state.is_publishing = False
    with serving_docks(state) as first:
        port, result = first.port, []
        worker = threading.Thread(target=lambda: result.append(bring(storage, first)))
        worker.start()
        while not state.files:
            pass
    state.is_publishing = True
    with serving_docks(state, port):
        worker.join(30)
    assert result[0].is_safe
    assert state.whole() == before


def test_a_server_that_forgot_what_was_begun_gets_it_anew(storage, server):
    class Forgetful(HttpServer):
        forgets = 1

        def send(self, name, offset, piece):
            if self.forgets:
                self.forgets -= 1
                server.files.clear()
            return super().send(name, offset, piece)

    before, connection = storage.sealed(), Forgetful(server.address, server.token)
    bay = offload_folder(storage.folder, connection, log_keys=server.log_keys, pace=Eager())
    assert (bay.is_safe, connection.forgets) == (True, 0)
    assert server.whole() == before


def test_a_dock_that_is_ended_can_be_started_again(storage, server):
    before = storage.sealed()

    class Ending(Eager):
        paid = 0

        def pay(self, size_bytes):
            self.paid += 1
            if self.paid == 3:
                self.stop()
            super().pay(size_bytes)

    with pytest.raises(StoppedError):
        bring(storage, server, pace=Ending())
    nothing_is_lost(before, storage, server)
    assert bring(storage, server).is_safe
    assert server.whole() == before
    assert len(server.files) == 7


# --- a server that lies


@pytest.mark.parametrize("lie", [lie for lie in LIES if lie != "no publication"])
@pytest.mark.parametrize("way", ["plugged in", "over the network"])
def test_nothing_is_erased_for_a_server_that_lies(storage, server, lie, way):
    before = storage.sealed()
    server.lie = lie
    if way == "plugged in":
        bay = bring(storage, server)
    else:
        with online(storage, server) as camera:
            bay = bring_online(camera, server)
    assert storage.sealed() == before
    assert not bay.is_safe
    words = say_bay(bay)
    assert words.shape == "attention"
    assert "receipt" in words.problems[0].lower()


def test_without_a_published_receipt_the_dock_waits_and_erases_nothing(storage, server):
    before = storage.sealed()
    server.lie = "no publication"

    class Impatient(Eager):
        waits = 0

        def wait(self, seconds):
            self.waits += 1
            if self.waits > 20:
                self.stop()
            super().wait(seconds)

    with pytest.raises(StoppedError):
        bring(storage, server, pace=Impatient())
    assert storage.sealed() == before


def test_a_key_that_is_not_pinned_erases_nothing(storage, server):
    before = storage.sealed()
    bay = bring(storage, server, log_keys=server.other_log.signer.key and [server.other_log.signer.key])
    assert storage.sealed() == before
    assert not bay.is_safe
    assert "plainview dock init" in say_bay(bay).problems[0]


def test_a_camera_refuses_receipts_by_itself_even_where_the_dock_believes_them(storage, server):
    with serving_camera(storage, [server.other_log.signer.key]) as camera:
        bay = bring_online(camera, server)
    assert len(storage.streams()) == 4
    assert len(camera.refused) == 4
    assert "kept" in say_bay(bay).problems[0]


def test_a_server_that_does_not_know_the_token_ends_it(storage, server):
    before = storage.sealed()
    with pytest.raises(NotLetInError, match="No such dock"):
        offload_folder(
            storage.folder, HttpServer(server.address, "another"), log_keys=server.log_keys, pace=Eager()
        )
    assert storage.sealed() == before


# --- cards that fail, and cards that mean harm


def test_a_file_that_changes_after_it_was_handed_in_is_not_erased(storage, server):
    footage = next((storage.folder / "streams").glob("000002-*/footage.sealed"))
    state, meddled = footage.stat(), []

    class Meddling(HttpServer):
        def result(self, name):
            said = server.files[name].said
            if said["stream"].startswith("000002") and said["kind"] == "footage" and not meddled:
                meddled.append(name)
                data = bytearray(footage.read_bytes())
                data[-1] ^= 1
                footage.write_bytes(data)
                os.utime(footage, ns=(state.st_atime_ns, state.st_mtime_ns))
            return super().result(name)

    connection = Meddling(server.address, server.token)
    bay = offload_folder(storage.folder, connection, log_keys=server.log_keys, pace=Eager())
    assert footage.exists()
    assert "another than was handed in" in say_bay(bay).problems[0]


def test_a_file_that_cannot_be_read_is_said_and_the_others_go_on(storage, server, monkeypatch):
    import plainview.dock.folder as folder

    opened = folder._opened

    def failing(path):
        if "000002" in str(path) and path.name == "footage.sealed":
            raise OSError(5, "Input/output error")
        return opened(path)

    monkeypatch.setattr(folder, "_opened", failing)
    bay = bring(storage, server)
    assert (bay.checked, len(bay.files), bay.is_safe) == (6, 7, False)
    assert "Input/output error" in say_bay(bay).problems[0]
    assert [stream[:6] for stream in storage.streams()] == ["000002"]


def test_links_on_a_card_lead_nowhere(storage, server, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"what a dock must not hand in")
    stream = storage.add_stream(8, None)
    (storage.folder / "streams" / stream / "footage.sealed").symlink_to(secret)
    elsewhere = tmp_path / "elsewhere" / "000009-aaaaaaaa"
    elsewhere.mkdir(parents=True)
    (elsewhere / "journal.sealed").write_bytes(b"journal")
    (storage.folder / "streams" / "000009-aaaaaaaa").symlink_to(elsewhere)
    (storage.folder / "receipts").symlink_to(tmp_path / "elsewhere")
    bay = bring(storage, server)
    assert sha256(secret.read_bytes()).hexdigest() not in server.whole()
    assert secret.exists()
    assert not [f for f in server.files.values() if f.said["stream"].startswith("000009")]
    assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == ["000009-aaaaaaaa"]
    assert not any(each.is_erased for each in bay.files)


def test_a_folder_that_is_no_camera_is_refused(tmp_path, server):
    with pytest.raises(CameraError, match=r"camera\.json"):
        offload_folder(
            tmp_path, HttpServer(server.address, server.token), log_keys=server.log_keys, pace=Eager()
        )


# --- two docks, and a dock that is killed


def test_one_camera_at_two_docks_is_handed_in_once_and_erased_once(storage, server):
    before, results = storage.sealed(), []
    with online(storage, server) as camera:
        workers = [
            threading.Thread(target=lambda: results.append(bring_online(camera, server))) for _ in range(2)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(30)
    assert server.whole() == before
    assert len(server.files) == 7
    assert storage.streams() == []
    assert len(results) == 2


def test_a_dock_killed_between_receipt_and_erasing_finishes_when_it_is_started_again(
    storage, server, monkeypatch
):
    for name in ("unlink", "rmdir"):
        for step in range(1, 13):
            _killed_at(storage, server, monkeypatch, name, step)
    assert bring(storage, server).is_safe
    assert storage.streams() == []


def _killed_at(storage, server, monkeypatch, name, step):
    """Stop the dock just before one of its calls that erase."""
    real, calls = getattr(Path, name), []

    def counted(path, *arguments, **options):
        calls.append(path)
        if len(calls) == step:
            raise SystemExit
        return real(path, *arguments, **options)

    before = storage.sealed()
    with monkeypatch.context() as patch:
        patch.setattr(Path, name, counted)
        try:
            bring(storage, server)
        except SystemExit:
            nothing_is_lost(before, storage, server)
    number = 100 + step + (50 if name == "rmdir" else 0)
    storage.add_stream(number, random.Random(number).randbytes(2000))


# --- cards of other makers


@pytest.fixture
def card(tmp_path):
    folder = tmp_path / "dcim" / "DCIM"
    folder.mkdir(parents=True)
    for part in (1, 2):
        (folder / f"BC42_{part}.MP4").write_bytes(random.Random(part).randbytes(200_000))
    (folder / "BC42.GPX").write_text("a track")
    (folder / "OTHER.TXT").write_text("somebody's notes")
    return folder.parent


def card_pattern(tmp_path, *, may_erase):
    path = tmp_path / f"pattern-{may_erase}.json"
    record = {"kind": "plainview-folder-pattern", "v": 1, "name": "Cards", "make": "Example"}
    record |= {"footage": ["DCIM/{serial}_{part}.MP4"], "same": ["serial"], "may_erase": may_erase}
    record["sidecars"] = [{"path": ["DCIM/{serial}.GPX"], "read": "gpx", "belongs": "group"}]
    path.write_text(json.dumps(record))
    return read_pattern(path)


def bring_card(card, server, pattern, **options):
    connection = HttpServer(server.address, server.token)
    given = {"log_keys": server.log_keys, "pace": Eager(), "patterns": [pattern]} | options
    return offload_folder(card, connection, **given)


def test_a_card_of_another_maker_is_handed_in_and_kept_unless_its_pattern_lets_it_go(card, server, tmp_path):
    bay = bring_card(card, server, card_pattern(tmp_path, may_erase=False))
    assert (bay.is_safe, bay.serial, len(bay.files)) == (True, "BC42", 2)
    assert not any(each.is_erased for each in bay.files)
    said = [file.said for file in server.files.values()]
    assert [(each["kind"], each["filename"]) for each in said] == [
        ("file", "BC42_1.MP4"),
        ("file", "BC42_2.MP4"),
    ]
    assert json.loads(said[0]["particulars"])["serial"] == "BC42"
    again = bring_card(card, server, card_pattern(tmp_path, may_erase=True))
    assert again.is_safe
    assert [path.name for path in (card / "DCIM").iterdir()] == ["OTHER.TXT"]
    # The footage was there already; only what came along was new.
    assert len(server.files) == 3


@pytest.mark.parametrize("lie", [lie for lie in LIES if lie != "no publication"])
def test_no_card_is_erased_for_a_server_that_lies(card, server, tmp_path, lie):
    server.lie = lie
    bay = bring_card(card, server, card_pattern(tmp_path, may_erase=True))
    assert not bay.is_safe
    assert len(list((card / "DCIM").iterdir())) == 4

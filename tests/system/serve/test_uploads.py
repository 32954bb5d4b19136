"""Hand files in to a real server with the unmodified tuspy, while connections break and processes are killed."""

import hashlib
import os
import random
import shutil
import signal
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from tusclient.exceptions import TusCommunicationError, TusUploadFailed

from simulators.program import outcomes, plainview
from simulators.senders import MIB, Sender, add_people, large_footage
from simulators.servers import eventually, serving, start_server


@pytest.fixture(scope="module")
def peopled(prepared, tmp_path_factory):
    copy = tmp_path_factory.mktemp("d") / "data"
    shutil.copytree(prepared, copy, symlinks=True)
    add_people(copy, "officer", "investigator")
    return copy


@pytest.fixture
def data(peopled, tmp_path_factory):
    copy = tmp_path_factory.mktemp("d") / "data"
    shutil.copytree(peopled, copy, symlinks=True)
    return copy


@pytest.fixture(scope="module")
def uploads_server(peopled, tmp_path_factory):
    copy = tmp_path_factory.mktemp("d") / "data"
    shutil.copytree(peopled, copy, symlinks=True)
    with serving(copy, "--workers", "1") as running:
        yield running


@pytest.fixture(scope="module")
def sender(uploads_server):
    return Sender(uploads_server.address)


@pytest.fixture
def clip(tmp_path, request):
    path = tmp_path / "clip.mp4"
    path.write_bytes(large_footage(request.node.name, 20 * MIB + 12345))
    return path


def result_of(sender, address):
    """Wait until it is known what an upload is."""
    ends = ("received", "duplicate", "quarantined", "refused", "dropped")

    def ended():
        try:
            said = sender.result(address)
        except requests.ConnectionError:
            return None
        return said if said["state"] in ends else None

    return eventually(ended, what="a result")


def path_of(uploader):
    return "/uploads/" + uploader.url.rpartition("/")[2]


@pytest.mark.parametrize(
    "options", [{}, {"chunk_size": 1 << 30}, {"chunk_size": MIB}, {"upload_checksum": True}]
)
def test_an_unmodified_client_hands_a_file_in(sender, clip, options):
    clip.write_bytes(large_footage(str(options), 20 * MIB + 12345))
    uploader = sender.uploader(clip, **options)
    uploader.upload()
    said = result_of(sender, path_of(uploader))
    assert said["state"] == "received"
    assert said["identifier"].startswith("R-")


def test_two_tabs_with_one_file_are_one_recording_and_one_duplicate(sender, clip):
    uploaders = [sender.uploader(clip) for _ in range(2)]
    threads = [threading.Thread(target=uploader.upload) for uploader in uploaders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    states = [result_of(sender, path_of(uploader))["state"] for uploader in uploaders]
    assert sorted(states) == ["duplicate", "received"]


def test_a_connection_that_breaks_in_a_piece_keeps_what_filled_mib(sender, clip):
    data = clip.read_bytes()
    address = sender.begin(len(data))
    with sender.half_a_piece(address, data[: 5 * MIB + 99], 0, announced=8 * MIB):
        pass
    eventually(lambda: sender.offset(address) == 5 * MIB)
    uploader = sender.uploader(clip, url=sender.url(address))
    assert uploader.offset == 5 * MIB
    uploader.upload()
    assert result_of(sender, address)["state"] == "received"


def kept_alive(port):
    """Return the remote ports of connections to a local port whose other end is asked whether it is there."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {
        int(row[2].rpartition(":")[2], 16)
        for row in rows
        if row[1].endswith(f":{port:04X}") and row[5][:2] == "02"
    }


def test_a_sender_who_is_gone_without_a_word_is_noticed(sender):
    address = sender.begin(8 * MIB)
    with sender.half_a_piece(address, b"x" * MIB, 0, announced=8 * MIB) as connection:
        near = connection.getsockname()[1]
        eventually(
            lambda: near in kept_alive(connection.getpeername()[1]), what="a question whether it is there"
        )
    sender.ask("DELETE", address)


def test_two_at_once_on_one_upload_and_a_wrong_offset(sender, clip):
    data = clip.read_bytes()
    address = sender.begin(len(data))
    with sender.half_a_piece(address, data[: 3 * MIB], 0, announced=8 * MIB):
        # Let it begin: whoever asks in the same instant makes it the one that is refused.
        time.sleep(2)
        # Asked with an offset that is wrong, so that being the first would change nothing.
        eventually(lambda: sender.patch(address, data[:MIB], 5 * MIB).status_code == 423)
        # A refused piece is answered, not cut off: a client reads why.
        assert sender.patch(address, data[: 8 * MIB], 0).status_code == 423
        assert sender.offset(address) <= 3 * MIB
    eventually(lambda: sender.offset(address) == 3 * MIB)
    for offset in (0, 2 * MIB, 3 * MIB + 1, 4 * MIB):
        assert sender.patch(address, data[offset : offset + 8 * MIB], offset).status_code == 409
    assert sender.patch(address, data[3 * MIB :], 3 * MIB).status_code == 204
    assert result_of(sender, address)["state"] == "received"


def test_pages_and_other_senders_are_answered_while_pieces_hang(sender, uploads_server, clip):
    addresses = [sender.begin(8 * MIB) for _ in range(10)]
    with ExitStack() as held:
        for address in addresses:
            held.enter_context(sender.half_a_piece(address, b"x" * MIB, 0, announced=8 * MIB))
        uploader = sender.uploader(clip, retries=20, retry_delay=1)
        uploader.upload()
        assert result_of(sender, path_of(uploader))["state"] == "received"
        assert uploads_server.is_up()
        assert sender.ask("GET", "/recordings").status_code == 200
    for address in addresses:
        eventually(lambda address=address: sender.ask("DELETE", address).status_code in {204, 410})


def test_what_cannot_be_used_is_kept_and_said(sender, tmp_path):
    path = tmp_path / "notes.mp4"
    path.write_bytes(b"only text " * 300_000)
    uploader = sender.uploader(path)
    uploader.upload()
    said = result_of(sender, path_of(uploader))
    assert (said["state"], said["identifier"], said["reason"]) == ("quarantined", None, "not_media")


def upload_through(sender, uploader, restart):
    """Send until it is done, doing something terrible whenever the server is gone."""
    while True:
        try:
            uploader.offset = uploader.get_offset()
            uploader.upload()
        except (TusUploadFailed, TusCommunicationError):
            restart()
        else:
            return


@pytest.mark.slow
def test_the_web_killed_in_the_middle_again_and_again_loses_nothing_acknowledged(data, clip):
    moments = random.Random(8)
    clip.write_bytes(large_footage("killed web", 60 * MIB + 1))
    with serving(data, "--workers", "1") as server:
        sender = Sender(server.address)
        address = sender.begin(clip.stat().st_size)
        uploader = sender.uploader(clip, url=sender.url(address), chunk_size=4 * MIB)
        acknowledged = [0]

        def kill():
            for answering in server.children_of(server.part("web")):
                os.kill(answering, signal.SIGKILL)

        def ask():
            try:
                return [sender.offset(address)]
            except requests.ConnectionError:
                return None

        def come_back():
            acknowledged.append(eventually(ask)[0])
            if len(acknowledged) < 5:
                threading.Timer(moments.uniform(0.05, 0.4), kill).start()

        threading.Timer(0.3, kill).start()
        upload_through(sender, uploader, come_back)
        assert acknowledged == sorted(acknowledged)
        assert len(acknowledged) > 1
        assert result_of(sender, address)["state"] == "received"
        assert server.stop()[0] == 0
    assert is_whole(data, clip)


@pytest.mark.slow
@pytest.mark.parametrize("after_s", [0.3, 0.8])
def test_everything_killed_in_the_middle_goes_on_where_it_was(data, clip, after_s):
    clip.write_bytes(large_footage("killed all", 80 * MIB + 1))
    server = start_server(data, "--workers", "1")
    sender = Sender(server.address)
    address = sender.begin(clip.stat().st_size)
    uploader = sender.uploader(clip, url=sender.url(address), chunk_size=4 * MIB)
    threading.Timer(after_s, server.kill_all).start()
    heard = 0
    try:
        while uploader.offset < clip.stat().st_size:
            uploader.upload_chunk()
            heard = uploader.offset
        eventually(lambda: not server.is_up())
    except TusUploadFailed:
        pass
    server.wait()
    with serving(data, "--workers", "1") as again:
        sender.moved_to(again.address)
        assert sender.offset(address) >= heard
        uploader = sender.uploader(clip, url=sender.url(address))
        uploader.upload()
        assert result_of(sender, address)["state"] == "received"
        assert again.stop()[0] == 0
    assert is_whole(data, clip)


def is_whole(data, clip):
    """Say whether the vault holds this one file, byte for byte, and nothing else."""
    checked = plainview("fsck", "--deep", data=data)
    (listed,) = outcomes(plainview("list", "--json", data=data).stdout)
    exported = data.parent / "package"
    identifier = listed["recording"]
    done = plainview(
        "export", identifier, "--output", exported, "--for", "A test", "--purpose", "to look", data=data
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert done.returncode == 0, done.stderr
    digests = {
        hashlib.sha256(path.read_bytes()).hexdigest() for path in exported.rglob("*") if path.is_file()
    }
    return hashlib.sha256(clip.read_bytes()).hexdigest() in digests

"""Ranges from a real server: what a player puts together, and players that stop reading."""

import contextlib
import socket
import time
from urllib.parse import urlsplit

import pytest
import requests

from plainview.cli.parts import WEB_CONNECTIONS, WEB_THREADS
from plainview.web.ranges import MOST_BYTES
from simulators.program import ingest, plainview
from simulators.senders import MIB, Sender, add_people, large_footage
from simulators.servers import serving

# More than the server has threads, and many more than it has connections to its database.
PLAYERS = WEB_THREADS + 8
# On a busy machine an answer is slow; behind a player that does not read it would never come.
LIMIT_S = 20


@pytest.fixture(scope="module")
def film():
    """Footage that browsers play as it is, 14 MiB and a bit, the most of it nothing that is shown."""
    return large_footage("nothing", 14 * MIB + 321)


@pytest.fixture(scope="module")
def stage(tmp_path_factory, film):
    """A server with one recording, somebody who may see it, and its address."""
    folder = tmp_path_factory.mktemp("d")
    data = folder / "data"
    done = plainview("init", "--log-name", "station.example", data=data)
    assert done.returncode == 0, done.stderr
    path = folder / "film.mp4"
    path.write_bytes(film)
    (outcome,), done = ingest(path, data=data)
    assert outcome["status"] == "received", done.stderr
    add_people(data, "investigator")
    with serving(data, "--workers", "0") as server:
        yield server, Sender(server.address, "investigator"), f"/recordings/{outcome['recording']}/video"


def ask(stage, header=None, method="GET", **headers):
    server, sender, path = stage
    given = sender.headers | headers | ({} if header is None else {"Range": header})
    return requests.request(method, server.address + path, headers=given, timeout=LIMIT_S)


def test_a_player_that_asks_on_gets_the_original_byte_for_byte(stage, film):
    whole, answers = b"", 0
    while len(whole) < len(film):
        answer = ask(stage, f"bytes={len(whole)}-")
        assert answer.status_code == 206
        assert len(answer.content) <= MOST_BYTES
        assert answer.headers["Content-Length"] == str(len(answer.content))
        end = len(whole) + len(answer.content) - 1
        assert answer.headers["Content-Range"] == f"bytes {len(whole)}-{end}/{len(film)}"
        whole += answer.content
        answers += 1
    assert whole == film
    assert answers == 4


def test_head_tells_the_size_of_the_whole(stage, film):
    answer = ask(stage, method="HEAD")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(film))


def test_what_is_not_there_now_is_sent_from_its_beginning(stage, film):
    answer = ask(stage, "bytes=500-600", **{"If-Range": '"something else"'})
    assert answer.headers["Content-Range"] == f"bytes 0-{MOST_BYTES - 1}/{len(film)}"


@pytest.mark.parametrize(
    "header", ["bytes=" + ",".join(f"{i}-{i}" for i in range(3000)), "bytes=" + "9" * 5000 + "-"]
)
def test_abuse_is_answered_like_anything_else(stage, header):
    start_s = time.perf_counter()
    answer = ask(stage, header)
    # A server may also refuse so long a header.
    assert answer.status_code in {206, 416, 431, 400}
    assert len(answer.content) <= MOST_BYTES
    assert time.perf_counter() - start_s < LIMIT_S


@contextlib.contextmanager
def paused_players(stage, count):
    """Open connections that ask for everything and read next to nothing."""
    server, sender, path = stage
    where = urlsplit(server.address)
    lines = [f"GET {path} HTTP/1.1", f"Host: {where.netloc}", "Range: bytes=0-"]
    lines += [f"{name}: {value}" for name, value in sender.headers.items()]
    with contextlib.ExitStack() as stack:
        players = []
        for _ in range(count):
            player = stack.enter_context(socket.socket())
            player.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            player.settimeout(LIMIT_S)
            player.connect((where.hostname, where.port))
            player.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
            players.append(player)
        for player in players:
            assert player.recv(12) == b"HTTP/1.1 206"
        yield players


def test_players_that_stop_reading_hold_neither_thread_nor_connection(stage):
    assert PLAYERS > WEB_THREADS > WEB_CONNECTIONS
    server, sender, path = stage
    with paused_players(stage, PLAYERS):
        for _ in range(3):
            assert ask(stage, "bytes=5000000-5000999").status_code == 206
            page = requests.get(
                server.address + path.removesuffix("/video"), headers=sender.headers, timeout=LIMIT_S
            )
            assert page.status_code == 200

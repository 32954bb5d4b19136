"""What a dock keeps, how it shares out turns, and what its screens say."""

import threading
from io import StringIO

import pytest
from rich.console import Console

from plainview.dock.errors import (
    NotLetInError,
    OffloadLostError,
    OffsetDiffersError,
    ServerBusyError,
    ServerError,
    ServerGoneError,
    SetUpError,
)
from plainview.dock.home import DOCK_FILE, Digests, read_setting
from plainview.dock.pace import Gate, Pace, StoppedError
from plainview.dock.rules import DockFile
from plainview.dock.server import Announcement, HttpServer, upload_metadata
from plainview.dock.terminal import bays_table
from plainview.dock.wall import choice_page, wall_page
from plainview.dock.wall_server import bay_record
from plainview.dock.wire import Answer, NoAnswerError
from plainview.dock.words import Bay

FILE = DockFile("000001-aaaaaaaa", "footage", "a/footage.sealed", 10, 7, 1, is_critical=False)
SAFE = Bay("usb", "Plainview", "Pi", "SN42", "Reyes, 4417", is_listed=True, battery_percent=81)


# --- what it keeps


def test_a_dock_that_is_not_set_up_says_how(tmp_path):
    with pytest.raises(SetUpError, match="plainview dock init"):
        read_setting(tmp_path)


@pytest.mark.parametrize("data", [b"", b"{}", b'{"v":2}', b"[" * 100_000])
def test_another_file_in_place_of_the_setting_is_refused(tmp_path, data):
    (tmp_path / DOCK_FILE).write_bytes(data)
    with pytest.raises(SetUpError, match="init again"):
        read_setting(tmp_path)


def test_a_digest_is_remembered_until_the_file_is_another():
    digests = Digests()
    digests.keep("SN42", FILE, "ab" * 32)
    assert digests.find("SN42", FILE) == "ab" * 32
    for other in ({"size_bytes": 11}, {"mtime_ns": 8}, {"path": "b"}):
        assert digests.find("SN42", DockFile(**{**FILE.__dict__, **other})) == ""
    assert digests.find("SN43", FILE) == ""
    digests.forget("SN42", FILE)
    assert digests.find("SN42", FILE) == ""
    digests.close()


def test_digests_outlast_the_dock(tmp_path):
    for _ in range(2):
        digests = Digests(tmp_path / "digests.sqlite")
        found = digests.find("SN42", FILE)
        digests.keep("SN42", FILE, "ab" * 32)
        digests.close()
    assert found == "ab" * 32


# --- turns


def test_the_most_urgent_of_those_who_wait_goes_next():
    gate, order, waiting = Gate(1), [], []

    def go(urgency):
        with gate.pass_through(urgency):
            order.append(urgency)

    with gate.pass_through((9, 0, "")):
        for urgency in ((2, 1, ""), (0, 5, ""), (1, 3, "")):
            waiting.append(threading.Thread(target=go, args=(urgency,)))
            waiting[-1].start()
        while len(gate._waiting) < 3:
            pass
    for thread in waiting:
        thread.join()
    assert order == [(0, 5, ""), (1, 3, ""), (2, 1, "")]


def test_a_dock_that_is_ended_keeps_nobody_waiting():
    pace = Pace(senders=0)
    waiting = threading.Thread(target=pace.stop)
    waiting.start()
    with pytest.raises(StoppedError), pace.turns.pass_through((0, 0, "")):
        raise AssertionError
    with pytest.raises(StoppedError):
        pace.wait(100)
    waiting.join()


# --- what a server may answer


class Line:
    """A line that gives one answer, whatever is asked."""

    def __init__(self, status, body=b"", **headers):
        self.answer = Answer(status, headers, body)

    def ask(self, *_, **__):
        if self.answer.status == 0:
            raise NoAnswerError("nobody is there")
        return self.answer


def server(*given, **headers):
    made = HttpServer("http://plainview.example", "token")
    made._line = Line(*given, **headers)
    return made


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0, ServerGoneError),
        (401, NotLetInError),
        (403, NotLetInError),
        (404, OffloadLostError),
        (409, OffsetDiffersError),
        (410, OffloadLostError),
        (415, ServerError),
        (422, OffloadLostError),
        (423, ServerBusyError),
        (500, ServerBusyError),
        (503, ServerBusyError),
        (507, ServerBusyError),
    ],
)
def test_each_refusal_of_a_piece_is_known_for_what_it_is(status, expected):
    with pytest.raises(ServerError) as caught:
        server(status, b'{"error":"code","text":"A sentence."}').send("name", 0, b"piece")
    assert type(caught.value) is expected
    assert status == 0 or str(caught.value) == "A sentence."


def test_a_server_that_asks_for_a_pause_gets_it():
    for said, waited_s in (("7", 7.0), ("soon", 0.0), ("", 0.0)):
        with pytest.raises(ServerBusyError) as caught:
            server(503, b"Many.", **{"retry-after": said}).result("name")
        assert (caught.value.wait_s, str(caught.value)) == (waited_s, "Many.")


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"[" * 100_000, b'{"name":1,"state":"received","receipt":1.5}', b'{"name":"x"}'],
)
def test_an_answer_that_makes_no_sense_is_none(body):
    with pytest.raises(ServerGoneError):
        server(200, body).result("name")
    with pytest.raises(ServerGoneError):
        server(200, body).hello()
    with pytest.raises(ServerGoneError):
        server(204).offset("name")


def test_what_is_said_of_a_file_is_written_as_tus_writes_it():
    announced = Announcement("file", "Example", "", "", "", "a\udc80.mp4", 10, "ab", {"badge": "4417"})
    assert upload_metadata(announced) == (
        "kind ZmlsZQ==,make RXhhbXBsZQ==,filename YYAubXA0,sha256 YWI=,particulars eyJiYWRnZSI6ICI0NDE3In0="
    )


# --- screens


def test_the_terminal_shows_each_bay_and_lets_nobody_steer_it():
    screen = Console(file=StringIO(), width=100, force_terminal=False)
    hostile = Bay("net", "[red]Evil\x1b[2J", "", "SN43", trouble="It does not answer.")
    screen.print(bays_table("North", [SAFE, hostile]))
    shown = screen.file.getvalue()
    assert "Safe to take" in shown
    assert "It does not answer." in shown
    assert "[red]Evil?[2J" in shown
    assert "\x1b" not in shown
    screen.print(bays_table("North", []))
    assert "nothing needs to be pressed" in screen.file.getvalue()


def test_the_wall_counts_what_is_safe_and_the_kiosk_offers_nothing_else():
    busy = Bay("net", "Plainview", "Pi", "SN43")
    assert "1 of 2 safe to take" in wall_page("North", [SAFE, busy], [])
    choice = choice_page("4417", [SAFE, busy])
    assert "Plainview Pi SN42, battery 81%, now Reyes, 4417" in choice
    assert "SN43" not in choice
    assert "No camera is safe to take yet" in choice_page("4417", [busy])


def test_a_record_of_a_bay_holds_what_programs_need():
    record = bay_record(SAFE)
    assert (record["is_safe"], record["headline"], record["files"]) == (True, "Safe to take", [])

"""plainview camera as a person runs it: with [camera] alone, its buttons, its page, and a loss of power."""

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from plainview.camera import events as e
from plainview.camera.buttons import INPUT_EVENT, KEY_BOOKMARKS, KEY_RECORD
from plainview.camera.clocks import SimulatedClock
from plainview.camera.disk import SystemDisk
from plainview.camera.encode import MediaEncoder, shape_of
from plainview.camera.identity import open_camera
from plainview.camera.recorder import Recorder
from plainview.camera.rules import Orders
from plainview.camera.shots import record_script, shots_of
from plainview.formats.camera_orders import CameraSettings
from plainview.media.probe import probe
from plainview.verify.capture import check_capture
from plainview.verify.verdicts import NOT_CLOSED, OK
from simulators.power_cuts import NAME, orders_note, streams_on
from simulators.program import environment
from simulators.recorders import ON_AT, MemoryStore, moving_pictures, tone

# What the server needs and a camera must not.
ABSENT = ("django", "typer", "rich", "procrastinate", "psycopg", "granian", "platformdirs")
PROGRAM = f"import sys; sys.modules.update(dict.fromkeys({ABSENT!r})); from plainview.cli import main; main()"
SETTINGS = CameraSettings(
    width_px=160,
    height_px=96,
    frame_rate=10,
    bit_rate_bps=200_000,
    fragment_ms=1000,
    hold_ms=500,
    buffer_ms=5000,
)
LIMIT_S = 30


def command(*arguments, at):
    return [
        sys.executable, "-c", PROGRAM, "camera", *map(str, arguments), "--home", str(at / "home"),
        "--storage", str(at / "storage"),
    ]  # fmt: skip


def camera(*arguments, at):
    return subprocess.run(
        command(*arguments, at=at),
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
        timeout=LIMIT_S,
    )


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Half a minute of pictures and sound, made by the recorder itself."""
    clock, store = SimulatedClock(ON_AT), MemoryStore()
    recorder = Recorder(
        store=store,
        clock=clock,
        orders=Orders(SETTINGS),
        make_encoder=lambda asked: MediaEncoder(shape_of(asked, has_sound=True)),
        serial="SN42",
    )
    shots = shots_of(moving_pictures(300), tone(30), frame_rate=10)
    record_script(recorder, clock, shots, [e.PowerOn(0), e.Press(0), e.PowerOff(30_000)])
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    path.write_bytes(
        store.recordings[0].init + b"".join(each["data"] for each in store.recordings[0].fragments)
    )
    return path


@pytest.fixture
def admitted(tmp_path):
    """Make a camera that has orders."""
    assert camera("init", "--name", NAME, at=tmp_path).returncode == 0
    public_key = open_camera(tmp_path / "home", tmp_path / "storage", is_power_on=False).public_key
    (tmp_path / "orders").write_text(orders_note(public_key, settings=SETTINGS))
    assert camera("orders", tmp_path / "orders", at=tmp_path).returncode == 0
    return tmp_path


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Running:
    """A camera that runs; its button is a pipe."""

    def __init__(self, at, *options):
        self.page, self.dock = (f"http://127.0.0.1:{free_port()}/" for _ in range(2))
        if not (at / "buttons").exists():
            os.mkfifo(at / "buttons")
        # For reading too, so that opening it waits for nobody and the camera never sees its end.
        self.buttons = os.open(at / "buttons", os.O_RDWR)
        addresses = [each.removeprefix("http://").rstrip("/") for each in (self.page, self.dock)]
        self.process = subprocess.Popen(
            command("run", "--status", addresses[0], "--dock", addresses[1], "--hidden", *options, at=at),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(),
        )

    def wait_for(self, word):
        """Wait until the page says a word."""
        until, text = time.monotonic() + LIMIT_S, ""
        while time.monotonic() < until and self.process.poll() is None:
            with contextlib.suppress(urllib.error.URLError):
                text = urllib.request.urlopen(self.page, timeout=5).read().decode()
                if f'class="state">{word}' in text:
                    return text
            time.sleep(0.05)
        raise AssertionError(f"never said {word}: {text[-900:]} {self.process.poll()}")

    def press(self, code, *, held_s=0.0):
        os.write(self.buttons, INPUT_EVENT.pack(0, 0, 1, code, 1))
        time.sleep(held_s)
        os.write(self.buttons, INPUT_EVENT.pack(0, 0, 1, code, 0))

    def ask_to_dock(self):
        request = urllib.request.Request(self.dock + "v1/docked", data=json.dumps({"dock": "desk"}).encode())
        try:
            return urllib.request.urlopen(request, timeout=10).status
        except urllib.error.HTTPError as refused:
            return refused.code

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        said, _ = self.process.communicate(timeout=LIMIT_S)
        return said


@contextlib.contextmanager
def running(at, *options):
    started = Running(at, *options)
    try:
        yield started
    finally:
        os.close(started.buttons)
        if started.process.poll() is None:
            started.process.kill()
            started.process.communicate()


def reports(at):
    found = streams_on(SystemDisk(), at / "storage")
    key = open_camera(at / "home", at / "storage", is_power_on=False).public_key
    return [
        (
            check_capture(
                io.BytesIO(each.footage), camera=NAME, stream=stream, public_key=key, journal=each.lines
            ),
            each.footage,
        )
        for stream, each in sorted(found.items())
    ]


def test_a_camera_is_made_once_and_says_what_it_is(tmp_path):
    assert "is made" in camera("init", "--name", NAME, at=tmp_path).stdout
    again = camera("init", "--name", NAME, at=tmp_path)
    assert (again.returncode, "holds a camera already" in again.stderr) == (2, True)
    assert camera("request", at=tmp_path).stdout == (tmp_path / "storage" / "request.note").read_text()
    assert "Nobody has admitted it yet" in camera("status", at=tmp_path).stdout
    assert "usage: plainview camera" in camera("--help", at=tmp_path).stdout


@pytest.mark.slow
def test_a_shift_with_a_recording(admitted, film):
    with running(
        admitted, "--source", f"file:{film}", "--keys", admitted / "buttons", "--no-check"
    ) as camera:
        camera.wait_for("Ready, not recording")
        time.sleep(1.2)
        camera.press(KEY_RECORD)
        camera.wait_for("Recording")
        camera.press(KEY_BOOKMARKS)
        assert camera.ask_to_dock() == 409
        time.sleep(1)
        camera.press(KEY_RECORD, held_s=0.9)
        camera.wait_for("Ready, not recording")
        assert camera.ask_to_dock() == 204
        camera.wait_for("In a dock")
        assert "Recordings since it was switched on: 1" in camera.stop()
    (shift, _), (recording, footage) = reports(admitted)
    assert (shift.verdict.word, recording.verdict.word) == (OK, OK)
    assert (shift.stop.reason, recording.stop.reason) == ("power_off", "button")
    assert {"press", "marker", "light"} <= {each.event for each in recording.events}
    assert recording.start.buffer_ms > 500
    assert probe(io.BytesIO(footage)).streams[0].duration_ms == recording.stop.duration_ms


@pytest.mark.slow
def test_after_a_loss_of_power_everything_that_was_durable_plays_and_checks(admitted, film):
    with running(
        admitted, "--source", f"file:{film}", "--keys", admitted / "buttons", "--no-check", "--press"
    ) as camera:
        camera.wait_for("Recording")
        time.sleep(3)
        camera.stop(signal.SIGKILL)
    (shift, _), (recording, footage) = reports(admitted)
    assert (shift.verdict.word, recording.verdict.word) == (NOT_CLOSED, NOT_CLOSED)
    assert recording.proven_count >= 2
    assert probe(io.BytesIO(footage)).streams[0].duration_ms >= 1900
    with running(
        admitted, "--source", f"file:{film}", "--keys", admitted / "buttons", "--no-check"
    ) as camera:
        camera.wait_for("Ready")
        camera.stop()
    third, _ = reports(admitted)[2]
    assert (third.start.counter, third.start.boot) == (3, recording.start.boot + 1)
    assert third.previous.stream == recording.stream
    assert [each.event for each in third.events].count("recovered") == 2


@pytest.mark.slow
def test_a_camera_that_nobody_admitted_answers_docks_and_records_nothing(tmp_path, film):
    camera("init", "--name", NAME, at=tmp_path)
    with running(tmp_path, "--source", f"file:{film}") as waiting:
        assert "does not record" in waiting.process.stdout.readline()
        until = time.monotonic() + LIMIT_S
        while time.monotonic() < until:
            with contextlib.suppress(urllib.error.URLError):
                state = json.load(urllib.request.urlopen(waiting.dock + "v1/camera", timeout=5))["state"]
                break
        assert state == "off"
        waiting.stop()
    assert list((tmp_path / "storage" / "streams").iterdir()) == []

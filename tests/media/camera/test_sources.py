"""Sources as they are read: in the time they play, again when they end, and with a sentence when they fail."""

import threading
import time

import pytest

from plainview.camera import events as e
from plainview.camera.clocks import SimulatedClock, SystemClock
from plainview.camera.encode import MediaEncoder, shape_of
from plainview.camera.errors import SourceError
from plainview.camera.recorder import Recorder
from plainview.camera.rules import Orders
from plainview.camera.shots import record_script, shots_of
from plainview.camera.sources import Heard, Seen, Source, has_sound, parse_source, read_source
from plainview.formats.camera_orders import CameraSettings
from simulators.recorders import ON_AT, MemoryStore, moving_pictures, tone

SETTINGS = CameraSettings(width_px=160, height_px=96, frame_rate=10, buffer_ms=0)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A second of pictures and sound in a file."""
    clock, store = SimulatedClock(ON_AT), MemoryStore()
    recorder = Recorder(
        store=store,
        clock=clock,
        orders=Orders(SETTINGS),
        make_encoder=lambda asked: MediaEncoder(shape_of(asked, has_sound=True)),
        serial="SN42",
    )
    shots = shots_of(moving_pictures(10), tone(1), frame_rate=10)
    record_script(recorder, clock, shots, [e.PowerOn(0), e.Press(0), e.PowerOff(1000)])
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    (recording,) = store.recordings
    path.write_bytes(recording.init + b"".join(each["data"] for each in recording.fragments))
    return path


def read(source, *, until=lambda got, said: False):
    """Read a source in this thread; return what came, and what was said."""
    got, said, stopping = [], [], threading.Event()

    def take(item):
        got.append(item)
        if until(got, said):
            stopping.set()

    read_source(source, SETTINGS, SystemClock(), put=take, stopping=stopping, say=said.append)
    return got, said


def test_a_file_is_read_in_the_time_it_plays(film):
    began = time.monotonic()
    got, said = read(parse_source(f"file:{film}"))
    assert 0.85 < time.monotonic() - began < 5
    pictures = [each.ticks for each in got if isinstance(each, Seen)]
    assert [at - pictures[0] for at in pictures] == [number * 9000 for number in range(10)]
    assert sum(len(each.samples) for each in got if isinstance(each, Heard)) > 45_000
    assert said == []


def test_a_stream_that_ends_is_opened_again_and_that_is_said_once(film):
    got, said = read(
        Source("rtsp", str(film)), until=lambda got, said: sum(isinstance(each, Seen) for each in got) > 15
    )
    pictures = [each.ticks for each in got if isinstance(each, Seen)]
    assert len(pictures) > 15
    assert said == [f"{film}: it ended; trying again"]


def test_a_file_that_is_none_says_so(tmp_path):
    (tmp_path / "none").write_bytes(b"not a film")
    got, (said,) = read(parse_source(f"file:{tmp_path / 'none'}"))
    assert got == []
    assert "cannot be opened" in said


def test_whether_a_file_has_sound_is_looked_up(film, tmp_path):
    assert has_sound(parse_source(f"file:{film}"), SETTINGS)
    with pytest.raises(SourceError, match="cannot be opened"):
        has_sound(parse_source(f"file:{tmp_path / 'missing'}"), SETTINGS)

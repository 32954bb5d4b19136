"""The recorder with its real encoder and its real store: what is sealed opens, checks, and plays."""

import io
from dataclasses import replace

import pytest

from plainview.camera import events as e
from plainview.camera.clocks import SimulatedClock
from plainview.camera.encode import MediaEncoder, shape_of
from plainview.camera.recorder import Recorder
from plainview.camera.rules import Orders
from plainview.camera.sealed_store import SealedStore
from plainview.camera.shots import record_script, shots_of
from plainview.formats.camera_orders import CameraSettings
from plainview.media.probe import probe
from plainview.verify.capture import check_capture
from plainview.verify.verdicts import OK
from simulators.power_cuts import NAME, CameraModelDisk, new_camera, streams_on
from simulators.recorders import ON_AT, moving_pictures, tone

SETTINGS = CameraSettings(
    width_px=160, height_px=96, frame_rate=10, buffer_ms=3000, fragment_ms=1000, worn="chest"
)


@pytest.fixture(scope="module")
def night():
    """A shift with a check, a recording with everything in it, and another."""
    camera = new_camera(CameraModelDisk())
    clock = SimulatedClock(ON_AT)
    recorder = Recorder(
        store=SealedStore(camera, firmware="test"),
        clock=clock,
        orders=Orders(SETTINGS, "officer-1"),
        make_encoder=lambda asked: MediaEncoder(shape_of(asked, has_sound=True)),
        serial=camera.serial,
    )
    script = [
        e.PowerOn(0, with_check=True),
        e.Press(14_000),
        e.Marker(15_500),
        e.Mute(16_000),
        e.Mute(17_000),
        e.Covert(17_500),
        e.Hold(19_000, 3000),
        e.Trigger(21_000, "light_bar", {"sender": "car.example.org/12A"}),
        e.Hold(23_000, 3000),
        e.PowerOff(24_000),
    ]
    record_script(recorder, clock, shots_of(moving_pictures(240), tone(24), frame_rate=10), script)
    found = streams_on(camera.disk)
    reports = {
        stream: check_capture(
            io.BytesIO(each.footage),
            camera=NAME,
            stream=stream,
            public_key=camera.public_key,
            journal=each.lines,
        )
        for stream, each in found.items()
    }
    return found, dict(sorted(reports.items()))


def test_everything_that_was_recorded_is_as_signed_and_closed(night):
    _, reports = night
    assert [report.verdict.word for report in reports.values()] == [OK] * 4
    assert [report.start.purpose for report in reports.values()] == [
        "shift",
        "function_check",
        "recording",
        "recording",
    ]
    assert [report.stop.reason for report in reports.values()] == ["power_off", "checked", "button", "button"]


def test_each_journal_names_the_one_before(night):
    _, reports = night
    streams = list(reports)
    assert [report.start.previous and report.start.previous.stream for report in reports.values()] == [
        None,
        *streams[:-1],
    ]


def test_the_unsealed_footage_plays_with_its_boxes_inside(night):
    found, reports = night
    for stream, report in reports.items():
        if report.start.purpose == "shift":
            continue
        seen = probe(io.BytesIO(found[stream].footage))
        assert seen.warnings == ()
        assert seen.streams[0].duration_ms == report.stop.duration_ms
        assert seen.streams[0].gap_count == 0


def test_the_time_of_the_file_and_of_the_journal_agree(night):
    found, reports = night
    (stream, report) = list(reports.items())[2]
    first = report.start.trigger_at.timestamp() - report.start.buffer_ms / 1000
    assert probe(io.BytesIO(found[stream].footage)).started_at.timestamp() == pytest.approx(first, abs=0.001)
    assert report.start.buffer_ms == 3000


def test_what_happened_is_in_the_journal_of_the_recording(night):
    _, reports = night
    events = [each.event for each in list(reports.values())[2].events]
    assert events == [
        "press",
        "state",
        "light",
        "marker",
        "muted",
        "light",
        "unmuted",
        "light",
        "covert_on",
        "light",
        "press",
        "covert_off",
    ]


def test_the_check_says_how_loud_it_was(night):
    _, reports = night
    (checked,) = [each for each in list(reports.values())[1].events if each.event == "checked"]
    assert checked.facts["worn"] == "chest"
    assert checked.facts["sound_dbfs"] == -6
    assert replace(SETTINGS, worn="chest") == SETTINGS

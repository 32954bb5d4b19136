"""The sample department's cameras record their night with the real recorder; what they sealed opens and checks."""

import datetime as dt
import io
import itertools

import av
import pytest

from plainview.camera.disk import SystemDisk
from plainview.camera.identity import open_camera
from plainview.demo import cameras, ordinary, rendering
from plainview.demo.ordinary import RECORDINGS
from plainview.demo.recorded import SETTINGS, home_of, record_session, storage_of
from plainview.demo.rendering import (
    IDLE,
    INCIDENT,
    ORDINARY,
    OVERDUE,
    QUIET,
    Job,
    films_of,
    record_night,
    remember_new,
    run_jobs,
)
from plainview.demo.roster import DEVICES, device
from plainview.demo.story import CAMERAS, SHIFT_BEGAN_AT
from plainview.verify.capture import check_capture
from plainview.verify.verdicts import OK
from simulators.power_cuts import NAME, new_camera, streams_on

pytestmark = pytest.mark.slow

SEED = 14


def issued(tmp_path):
    """A camera of the department, with orders."""
    folder = tmp_path / "camera"
    folder.mkdir()
    camera = new_camera(SystemDisk(), home=home_of(folder), storage=storage_of(folder), settings=SETTINGS)
    camera.switch_off()
    remember_new(folder)
    return folder


def opened(folder):
    """What the vault can open of it: each stream with its check."""
    camera = open_camera(home_of(folder), storage_of(folder), is_power_on=False)
    found = streams_on(SystemDisk(), storage_of(folder))
    return [
        (
            each,
            check_capture(
                io.BytesIO(each.footage), camera=NAME, public_key=camera.public_key, journal=each.lines
            ),
        )
        for _, each in sorted(found.items())
    ]


@pytest.fixture
def short(monkeypatch):
    """Every ordinary recording cut to its first moments, and little before the button."""
    cut = tuple(ordinary.dataclasses.replace(each, seconds=0.6) for each in RECORDINGS)
    monkeypatch.setattr(ordinary, "RECORDINGS", cut)
    monkeypatch.setattr(ordinary, "BUFFER_S", 2.0)


def test_every_recording_is_made_by_exactly_one_camera():
    made = [key for serial in (*INCIDENT, *ORDINARY) for key in films_of(serial)]
    assert sorted(made) == sorted([*CAMERAS, *(each.key for each in RECORDINGS)])
    assert {films_of(serial) for serial in (*IDLE, *QUIET, OVERDUE)} == {()}
    assert sorted((*INCIDENT, *IDLE, *ORDINARY, *QUIET, OVERDUE)) == sorted(each.serial for each in DEVICES)


@pytest.mark.parametrize("serial", [*INCIDENT, *ORDINARY])
def test_no_camera_is_on_twice_at_once(serial):
    spans = [
        ordinary.shift_of(each)
        for each in sorted(RECORDINGS, key=lambda each: each.started_at)
        if each.serial == serial and each.key != ordinary.CHECK
    ]
    assert all(on_at < off_at for on_at, off_at in spans)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(spans))


def test_a_shared_cameras_night_is_two_shifts_that_check_and_play(tmp_path, short):
    folder, told = issued(tmp_path), []
    record_night(Job("BWC-0401", folder, SEED), told.append)
    streams = opened(folder)
    assert [report.start.purpose for _, report in streams] == ["shift", "recording"] * 2
    assert {report.verdict.word for _, report in streams} == {OK}
    assert [report.start.counter for _, report in streams] == [1, 2, 3, 4]
    recordings = [(stream, report) for stream, report in streams if report.start.purpose == "recording"]
    for (stream, report), key in zip(recordings, films_of("BWC-0401"), strict=True):
        recording = next(each for each in RECORDINGS if each.key == key)
        assert (report.start.trigger, report.start.trigger_at) == ("button", recording.started_at)
        assert (report.start.buffer_ms, report.start.worn) == (2000, device("BWC-0401").worn)
        with av.open(io.BytesIO(stream.footage)) as film:
            assert sum(1 for _ in film.decode(video=0)) == pytest.approx(2.6 * 15, abs=1)
            assert film.metadata["title"] == "SN42"
    assert told[-1] == 1


def test_the_check_at_the_start_of_a_shift_is_one(tmp_path):
    folder = issued(tmp_path)
    check = next(each for each in RECORDINGS if each.key == ordinary.CHECK)
    session, pictures, sound = ordinary.recorded_by(check, seed=SEED)
    record_session(folder, session, pictures, sound)
    purposes = {report.start.purpose: report for _, report in opened(folder)}
    assert set(purposes) == {"shift", "function_check"}
    assert purposes["function_check"].verdict.word == OK
    assert purposes["function_check"].stop.reason == "checked"
    assert purposes["function_check"].stop.duration_ms == pytest.approx(10_000, abs=100)


def test_the_camera_that_was_never_started_says_that_it_was_on(tmp_path):
    folder = issued(tmp_path)
    record_night(Job(IDLE[0], folder, SEED), lambda _share: None)
    ((_, report),) = opened(folder)
    assert (report.start.purpose, report.start.at) == ("shift", SHIFT_BEGAN_AT)
    assert [each.facts["state"] for each in report.events if each.event == "state"] == ["buffering", "off"]


def test_a_camera_that_was_interrupted_begins_anew(tmp_path, short, monkeypatch):
    folder, real = issued(tmp_path), rendering.record_session
    done = []

    def once(*given):
        if done:
            raise KeyboardInterrupt
        done.append(real(*given))

    monkeypatch.setattr(rendering, "record_session", once)
    with pytest.raises(KeyboardInterrupt):
        record_night(Job("BWC-0401", folder, SEED), lambda _share: None)
    assert not rendering.has_recorded(folder)
    monkeypatch.setattr(rendering, "record_session", real)
    record_night(Job("BWC-0401", folder, SEED), lambda _share: None)
    assert rendering.has_recorded(folder)
    assert [report.start.counter for _, report in opened(folder)] == [1, 2, 3, 4]


def test_in_processes_of_their_own_cameras_record_and_say_how_far_they_are(tmp_path):
    folder, told, done = issued(tmp_path), [], []
    run_jobs([Job(IDLE[0], folder, SEED)], on_done=done.append, progress=told.append, processes=2)
    assert done == [IDLE[0]]
    assert rendering.has_recorded(folder)
    assert told == sorted(told)
    assert told[-1] == 1


def test_a_process_that_fails_is_an_error_and_not_a_wait(tmp_path):
    with pytest.raises(FileNotFoundError):
        run_jobs(
            [Job(IDLE[0], tmp_path / "nowhere", SEED)],
            on_done=lambda _serial: None,
            progress=lambda _share: None,
            processes=2,
        )


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda each: each.key)
def test_before_the_button_nobody_moves_but_the_clock(recording):
    painted = ordinary.painter(recording, seed=SEED)
    before, at_button = painted.seen(-5.0), painted.seen(0.0)
    assert [each.key for each in before] == [each.key for each in at_button]


def test_reyes_pressed_the_button_and_had_a_buffer():
    reyes, _, _ = cameras.recorded_by(CAMERAS["reyes"], seed=SEED)
    assert (reyes.trigger, reyes.pressed_s) == ("button", 30.0)
    assert reyes.on_at == SHIFT_BEGAN_AT + dt.timedelta(seconds=2.31)

"""Footage as it is really encoded: what is kept plays from 0, says when it was, and is silent where it must be."""

import datetime as dt
import io
import subprocess
import sys

import av
import numpy as np
import pytest

from plainview.camera import events as e
from plainview.camera.clocks import SimulatedClock
from plainview.camera.encode import MediaEncoder, Shape, shape_of
from plainview.camera.fragments import TICKS_A_SECOND, format_fragment, samples_at
from plainview.camera.recorder import Recorder
from plainview.camera.rules import Orders
from plainview.camera.shots import record_script, shots_of
from plainview.formats.camera_orders import CameraSettings
from plainview.media.probe import probe
from simulators.recorders import ON_AT, MemoryStore, moving_pictures, rate, tone

SETTINGS = CameraSettings(
    width_px=160, height_px=96, frame_rate=15, bit_rate_bps=200_000, buffer_ms=4000, fragment_ms=1000
)


def recorded(*script, duration_s=12, frame_rate=15, settings=SETTINGS, has_sound=True):
    """Record what is made; return the store."""
    clock, store = SimulatedClock(ON_AT), MemoryStore()
    recorder = Recorder(
        store=store,
        clock=clock,
        orders=Orders(settings),
        make_encoder=lambda asked: MediaEncoder(shape_of(asked, has_sound=has_sound)),
        serial="SN42",
    )
    sound = tone(duration_s) if has_sound else None
    shots = shots_of(moving_pictures(duration_s * frame_rate), sound, frame_rate=frame_rate)
    record_script(recorder, clock, shots, [e.PowerOn(0), *script, e.PowerOff(duration_s * 1000)])
    return store


def footage(journal):
    return journal.init + b"".join(each["data"] for each in journal.fragments)


def sound_of(data):
    with av.open(io.BytesIO(data)) as opened:
        return np.concatenate([frame.to_ndarray()[0] for frame in opened.decode(audio=0)])


@pytest.fixture(scope="module")
def night():
    """A recording with a buffer without sound, a mute, and a stop."""
    return recorded(e.Press(6000), e.Mute(8000), e.Mute(9000), e.Hold(11_000, 3000)).recordings[0]


def test_a_recording_plays_from_nought_to_its_end_without_a_gap(night):
    found = probe(io.BytesIO(footage(night)))
    picture, sound = found.streams
    assert (picture.duration_ms, found.warnings) == (9000, ())
    assert 9000 <= found.duration_ms < 9022  # sound comes in frames of 21 ms
    assert (picture.start_ms, picture.packet_count, picture.is_variable_rate) == (0, 135, False)
    assert sound.start_ms < 25
    assert (picture.gap_count, sound.gap_count) == (0, 0)


def test_it_says_when_its_first_picture_was_to_the_millisecond(night):
    assert probe(io.BytesIO(footage(night))).started_at == ON_AT + dt.timedelta(seconds=2)
    assert night.beginning.buffer_ms == 4000


def test_it_is_silent_before_the_press_and_while_muted_and_nowhere_else(night):
    sound = sound_of(footage(night))
    loud = [float(np.abs(sound[at * 4800 : (at + 1) * 4800]).max()) > 0.1 for at in range(88)]
    assert loud == [False] * 40 + [True] * 20 + [False] * 10 + [True] * 18


def test_what_is_muted_has_no_sound_in_the_bytes_of_its_fragments(night):
    muted = [each for each in night.fragments if each["sound"] in ("off", "muted")]
    assert len(muted) == 5
    for each in muted:
        alone = sound_of(night.init + each["data"])
        # The last frame overlaps what comes after, when sound is on again.
        assert float(np.abs(alone[:-2048]).max()) < 1e-3


def test_every_fragment_plays_alone(night):
    for each in night.fragments:
        with av.open(io.BytesIO(night.init + each["data"])) as opened:
            pictures = list(opened.decode(video=0))
        assert pictures[0].key_frame
        assert len(pictures) == each["duration_ms"] * 15 // 1000


def test_cut_anywhere_it_plays_up_to_the_cut(night):
    whole = footage(night)
    cut = whole[: len(night.init) + len(night.fragments[0]["data"]) + 1500]
    seen = []
    with av.open(io.BytesIO(cut)) as opened, pytest.raises(av.error.InvalidDataError):
        seen.extend(opened.decode(video=0))
    assert len(seen) >= 15


def test_every_unit_stands_behind_its_length(night):
    with av.open(io.BytesIO(footage(night))) as opened:
        for packet in opened.demux(video=0):
            data = bytes(packet)
            while data:
                size = int.from_bytes(data[:4], "big")
                assert 0 < size <= len(data) - 4
                data = data[4 + size :]


def test_the_same_pictures_give_the_same_bytes(night):
    again = recorded(e.Press(6000), e.Mute(8000), e.Mute(9000), e.Hold(11_000, 3000)).recordings[0]
    assert footage(again) == footage(night)


def test_the_next_recording_begins_at_nought_again():
    store = recorded(e.Press(2000), e.Hold(5000, 3000), e.Press(8000))
    second = probe(io.BytesIO(footage(store.recordings[1])))
    assert second.streams[0].start_ms == 0
    # Nothing is in two recordings: the time before the second press reaches back to the end of the first.
    assert second.duration_ms == 7000
    assert second.started_at == ON_AT + dt.timedelta(seconds=5)


def test_a_camera_without_a_microphone_makes_no_sound_track():
    store = recorded(e.Press(1000), duration_s=3, has_sound=False)
    found = probe(io.BytesIO(footage(store.recordings[0])))
    assert [stream.kind for stream in found.streams] == ["video"]
    assert {each["sound"] for each in store.recordings[0].fragments} == {"absent"}


# --- what devices do


def encoder(**changes):
    shape = {
        "width_px": 160,
        "height_px": 96,
        "frame_rate": rate(10),
        "bit_rate_bps": 200_000,
        "fragment_ms": 1000,
    }
    return MediaEncoder(Shape(**{**shape, **changes}))


def encode(given, pictures_at, sounds_at=()):
    """Give pictures and sounds at their times, in order; return all fragments."""
    picture = np.random.default_rng(1).integers(0, 255, (96, 160, 3), np.uint8)
    for at_s, kind in sorted(
        [*((at, "picture") for at in pictures_at), *((at, "heard") for at in sounds_at)]
    ):
        ticks = round(at_s * TICKS_A_SECOND)
        given.show(ticks, picture) if kind == "picture" else given.hear(ticks, tone(0.1))
    given.pause()
    return given.take()


def test_a_gap_between_pictures_ends_a_fragment_and_is_not_filled():
    fragments = encode(encoder(has_sound=False), [0, 0.1, 0.2, 3.0, 3.1])
    assert [(each.start_ms, each.duration_ms) for each in fragments] == [(0, 300), (3000, 200)]


def test_two_pictures_of_one_moment_are_one():
    (fragment,) = encode(encoder(has_sound=False), [0, 0.1, 0.1, 0.2])
    assert len(fragment.pictures) == 3


def test_sound_that_does_not_come_is_silence_and_holds_nothing_up():
    given = encoder()
    fragments = encode(given, [at / 10 for at in range(40)], [at / 10 for at in range(5)])
    assert sum(each.duration_ms for each in fragments) == 4000
    assert all(len(each.sounds) >= 46 for each in fragments[:2])


def test_sound_that_comes_again_after_a_hole_is_in_its_place():
    given = encoder()
    given.set_sound(0, "on")
    heard = [at / 10 for at in range(30) if not 10 <= at < 20]
    fragments = encode(given, [at / 10 for at in range(30)], heard)
    data = given.init_segment(ON_AT, "SN42")
    data += b"".join(format_fragment(each, number=n, origin_ticks=0) for n, each in enumerate(fragments, 1))
    sound = sound_of(data)
    loud = [float(np.abs(sound[at * 4800 + 400 : at * 4800 + 4400]).max()) > 0.1 for at in range(28)]
    assert loud == [True] * 10 + [False] * 10 + [True] * 8


@pytest.mark.parametrize(("away_s", "kept_s"), [(4, 4), (60, 10)])
def test_sound_goes_on_while_there_is_no_picture_and_does_not_pile_up(away_s, kept_s):
    given, picture = encoder(), next(moving_pictures(1))
    given.set_sound(0, "on")
    for number in range(10 * (away_s + 2)):
        given.hear(number * 9000, tone(0.1))
        if number < 10 or number >= 10 * (away_s + 1):
            given.show(number * 9000, picture)
        elif number == 20:
            given.pause()  # as the recorder does once no picture has come for two seconds
    given.pause()
    first, second = given.take()
    assert (first.start_ms, second.start_ms) == (0, 1000 * (away_s + 1))
    assert len(second.sounds) * 1024 / 48_000 == pytest.approx(kept_s, abs=1.1)


def test_a_fragment_waits_for_its_sound_and_then_is_settled():
    given, picture = encoder(), next(moving_pictures(1))
    for number in range(11):
        given.show(number * 9000, picture)
    assert (given.take(), given.pending_ticks) == ([], 0)
    for number in range(12):
        given.hear(number * 9000, tone(0.1))
    assert [each.duration_ms for each in given.take()] == [1000]
    assert (given.settled_ticks, given.pending_ticks) == (90_000, 90_000)


def test_quality_can_be_held_instead_of_the_rate():
    coarse, fine = (
        sum(each.size_bytes for each in encode(encoder(has_sound=False, crf=crf), [0, 0.1, 0.2]))
        for crf in (40, 10)
    )
    assert coarse < fine


def test_the_recorder_needs_neither_the_server_nor_its_framework():
    code = (
        "import sys, plainview.camera.encode, plainview.camera.shots, plainview.camera.recorder;"
        "print([m for m in sys.modules if m.partition('.')[0] in ('django', 'typer', 'procrastinate')])"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said.strip() == "[]"


def test_samples_and_ticks_agree():
    assert samples_at(TICKS_A_SECOND) == 48_000

"""The rendered night street: what a demonstration relies on."""

import datetime as dt
import io

import av
import numpy as np
import pytest

from plainview.demo.scene import render_scene
from plainview.media.probe import probe

pytestmark = pytest.mark.slow


def rendered(*, seed=3, seconds=2.0, progress=None):
    target = io.BytesIO()
    truth = render_scene(target, seed=seed, seconds=seconds, progress=progress)
    return target.getvalue(), truth


@pytest.fixture(scope="module")
def scene():
    return rendered(seed=14, seconds=10)


def pictures(data, at_s):
    with av.open(io.BytesIO(data)) as opened:
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in opened.decode(video=0)]
    return [frames[round(at * 15)] for at in at_s]


def sound(data):
    with av.open(io.BytesIO(data)) as opened:
        return np.concatenate([frame.to_ndarray()[0] for frame in opened.decode(audio=0)])


def test_the_same_seed_gives_the_same_bytes():
    assert rendered(seconds=1)[0] == rendered(seconds=1)[0]


def test_another_seed_gives_another_street():
    first, second = (pictures(rendered(seed=seed, seconds=0.1)[0], [0])[0] for seed in (3, 4))
    assert np.abs(first - second).mean() > 5


def test_the_recording_is_what_the_truth_says(scene):
    data, truth = scene
    found = probe(io.BytesIO(data))
    video, audio = found.streams
    assert (video.codec, video.width, video.height) == ("h264", truth.width_px, truth.height_px)
    assert (video.packet_count, video.frame_rate) == (truth.frame_count, truth.frame_rate)
    assert (audio.codec, audio.sample_rate_hz) == ("aac", 48_000)
    assert found.duration_ms == pytest.approx(truth.duration_ms, abs=25)
    assert found.started_at == truth.started_at == dt.datetime(2026, 3, 15, 2, 31, 4, tzinfo=dt.UTC)
    assert found.warnings == ()


def test_it_is_long_enough_in_bytes_to_show_where_an_alteration_is(scene):
    found = probe(io.BytesIO(scene[0]))
    assert len(found.chunk_spans) >= 3
    assert None not in found.chunk_spans


def test_its_index_is_at_the_front(scene):
    assert scene[0].index(b"moov") < scene[0].index(b"mdat")


def test_the_light_bar_turns_the_street_red_and_blue(scene):
    levels = [
        (picture[150:, 320:, 0].mean() - picture[150:, 320:, 2].mean())
        for picture in pictures(scene[0], np.arange(0, 2, 1 / 15))
    ]
    assert max(levels) > 10
    assert min(levels) < -5


def test_the_man_ends_in_the_torch_light_where_only_the_road_was(scene):
    early, late = pictures(scene[0], [0.4, 9.0])
    assert late[130:180, 180:280].std() > 1.2 * early[130:180, 180:280].std()
    assert late[130:290, 180:280].mean() > early[130:290, 180:280].mean() + 4


def test_the_radio_is_heard_where_the_truth_says(scene):
    data, truth = scene
    (radio,) = [event.at_ms for event in truth.events if event.what == "radio"]
    heard = sound(data)

    def loudness_near(hz, at_ms):
        part = heard[at_ms * 48 : at_ms * 48 + 4800]
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
        return spectrum[round(hz / 10) - 1 : round(hz / 10) + 2].max()

    assert loudness_near(1046.5, radio) > 10 * loudness_near(1046.5, radio - 300)


def test_events_after_the_end_are_not_told():
    _, truth = rendered(seconds=1)
    assert [event.what for event in truth.events] == ["siren", "a man walks towards the camera", "siren"]


def test_progress_rises_to_the_end():
    told = []
    rendered(seconds=1, progress=told.append)
    assert told == sorted(told)
    assert len(told) == 15
    assert told[-1] == 1


def test_a_path_gets_the_same_bytes(tmp_path):
    path = tmp_path / "scene.mp4"
    render_scene(path, seed=3, seconds=0.5)
    assert path.read_bytes() == rendered(seed=3, seconds=0.5)[0]

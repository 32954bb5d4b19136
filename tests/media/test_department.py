"""The sample department's recordings: each camera gives what the ground truth says, to the frame and the sample."""

import datetime as dt
import io

import av
import numpy as np
import pytest

from plainview.demo import cameras, ordinary
from plainview.demo.cameras import camera_sound, painter, render_camera
from plainview.demo.ordinary import RECORDINGS, render_recording
from plainview.demo.sound import RATE_HZ
from plainview.demo.story import CAMERAS
from plainview.media.probe import probe

pytestmark = pytest.mark.slow

SEED = 14


def rendered(key, from_s, to_s, *, seed=SEED):
    return render_camera(CAMERAS[key], seed=seed, from_s=from_s, to_s=to_s)


def pictures(data):
    with av.open(io.BytesIO(data)) as opened:
        return [frame.to_ndarray(format="rgb24").astype(int) for frame in opened.decode(video=0)]


def sound(data):
    with av.open(io.BytesIO(data)) as opened:
        return np.concatenate([frame.to_ndarray()[0] for frame in opened.decode(audio=0)])


def below_the_clock(picture):
    return picture[32:]


@pytest.fixture(scope="module")
def painters():
    return {key: painter(camera, seed=SEED) for key, camera in CAMERAS.items()}


# Bytes and times.


@pytest.mark.parametrize(("key", "from_s"), [("car-12a", 64.0), ("reyes", 109.0), ("okafor", 124.0)])
def test_the_same_seed_gives_the_same_bytes(key, from_s):
    assert rendered(key, from_s, from_s + 0.6) == rendered(key, from_s, from_s + 0.6)


def test_another_seed_gives_another_street():
    first, second = (pictures(rendered("car-12a", 40.0, 40.1, seed=seed))[0] for seed in (14, 15))
    assert np.abs(first - second).mean() > 4


@pytest.mark.parametrize("key", CAMERAS)
def test_a_recording_is_stamped_by_its_own_wrong_clock(key):
    camera = CAMERAS[key]
    found = probe(io.BytesIO(rendered(key, camera.starts_s, camera.starts_s + 1)))
    says = camera.started_at + dt.timedelta(seconds=camera.clock_off_s)
    # Its creation time holds whole seconds; the rest is in a tag of the camera's own.
    assert found.started_at == says
    with av.open(io.BytesIO(rendered(key, camera.starts_s, camera.starts_s + 0.1))) as opened:
        assert dt.datetime.fromisoformat(opened.metadata["date"]) == says
    assert found.duration_ms == pytest.approx(1000, abs=30)
    assert [(stream.codec, stream.width) for stream in found.streams] == [("h264", 640), ("aac", None)]
    assert found.warnings == ()


def test_a_drifting_clock_makes_a_recording_longer_than_it_was():
    assert cameras.length_s(CAMERAS["okafor"]) == pytest.approx(268 * (1 + 40e-6), abs=1 / 15)


# What is seen.


@pytest.mark.parametrize(
    ("key", "at_s"), [("reyes", 60), ("reyes", 78), ("reyes", 250), ("okafor", 230), ("okafor", 270)]
)
def test_black_stretches_are_black(painters, key, at_s):
    assert below_the_clock(painters[key].picture(at_s)).mean() < 8


@pytest.mark.parametrize(("key", "at_s"), [("reyes", 170), ("okafor", 168.1), ("okafor", 176.8)])
def test_covered_stretches_show_a_cover_and_no_detail(painters, key, at_s):
    picture = below_the_clock(painters[key].picture(at_s)).astype(float)
    smooth = (picture[:-8] + picture[8:]) / 2
    assert picture.mean() < 30
    assert np.abs(picture[4:-4] - smooth).mean() < 4


@pytest.mark.parametrize(("key", "at_s"), [("car-12a", 60), ("reyes", 110), ("okafor", 140), ("okafor", 310)])
def test_clear_stretches_show_something(painters, key, at_s):
    assert below_the_clock(painters[key].picture(at_s)).std() > 15


def test_price_is_where_the_truth_says(painters):
    shown, at_s = painters["okafor"], 140.0
    (price,) = shown.seen(at_s)
    left, top, right, bottom = (round(edge) for edge in price.face_px)
    picture = shown.picture(at_s).astype(int)
    face, beside = picture[top:bottom, left:right], picture[top:bottom, right + 90 : right + 150]
    assert (face[:, :, 0] - face[:, :, 2]).mean() > (beside[:, :, 0] - beside[:, :, 2]).mean() + 15


def test_the_chase_moves_and_the_parked_car_does_not(painters):
    def change(at_s):
        car = painters["car-12a"]
        first, second = (below_the_clock(car.picture(at)).astype(int) for at in (at_s, at_s + 1 / 15))
        return np.abs(first - second).mean()

    still = min(change(120.0 + beat / 15) for beat in range(4))  # the light bar changes some pictures
    assert min(change(40.0 + beat / 15) for beat in range(4)) > 1.5 * still


def test_the_light_bar_turns_the_street_red_and_blue(painters):
    tints = [
        (picture[:, :, 0].mean() - picture[:, :, 2].mean())
        for picture in (painters["car-12a"].picture(100 + i / 15).astype(int) for i in range(15))
    ]
    assert max(tints) - min(tints) > 15


# What is heard.


def test_okafors_first_30_s_have_picture_and_no_sound():
    camera = CAMERAS["okafor"]
    heard = camera_sound(camera, seed=SEED, from_s=118.0, to_s=125.0)
    mute = round((122.0 - 118.0) * (1 + 40e-6) * RATE_HZ)
    assert not heard[:mute].any()
    assert heard[mute + 100 :].std() > 0.002
    data = rendered("okafor", 100.0, 101.0)
    assert np.abs(sound(data)).max() < 1e-4
    assert len(pictures(data)) == 15


def delay_s(first, second):
    """Say how much later second is than first, by their whitened cross-correlation (GCC-PHAT)."""
    size = 1 << (len(first) + len(second) - 1).bit_length()
    cross = np.fft.rfft(second, size) * np.conj(np.fft.rfft(first, size))
    hz = np.fft.rfftfreq(size, 1 / RATE_HZ)
    cross = np.where((hz > 200) & (hz < 4000), cross / (np.abs(cross) + 1e-9), 0)
    match = np.fft.irfft(cross, size)
    at = int(np.abs(match).argmax())
    return (at if at < size // 2 else at - size) / RATE_HZ


# In the car both are within arm's length; in the alley the two officers stand side by side.
@pytest.mark.parametrize(
    ("one", "other", "from_s", "to_s"), [("car-12a", "reyes", 54.0, 68.0), ("reyes", "okafor", 136.0, 154.0)]
)
def test_two_recordings_of_one_moment_give_the_true_offset_by_their_sound(one, other, from_s, to_s):
    first, second = CAMERAS[one], CAMERAS[other]
    heard = [camera_sound(each, seed=SEED, from_s=from_s, to_s=to_s) for each in (first, second)]
    # Each piece begins at the same true moment; by the cameras' own clocks it begins at different times.
    by_clocks = second.clock_off_s - first.clock_off_s
    by_sound = by_clocks + delay_s(*heard)
    assert by_sound == pytest.approx(by_clocks, abs=0.005)
    count = min(len(each) for each in heard)
    assert np.abs(heard[0][:count] - heard[1][:count]).std() > 0.01  # each has noise and distances of its own


def test_a_recordings_sound_is_placed_by_its_drift():
    drifting = CAMERAS["okafor"]
    late = camera_sound(drifting, seed=SEED, from_s=92.0, to_s=349.0)
    beeps = round((drifting.media_s(122.1) + 0.4 / 343) * RATE_HZ)
    part = late[beeps - 50 : beeps + round(0.12 * RATE_HZ)]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
    assert abs(np.fft.rfftfreq(len(part), 1 / RATE_HZ)[spectrum.argmax()] - 1568) < 20


# The ordinary ones.


@pytest.mark.parametrize("scene", ordinary.SCENES)
def test_each_ordinary_scene_looks_like_no_other_and_carries_its_time(scene):
    recording = next(each for each in RECORDINGS if each.scene == scene)
    data = render_recording(recording, seed=SEED, to_s=0.4)
    assert probe(io.BytesIO(data)).started_at == recording.started_at
    (first, *_) = pictures(data)
    others = [
        ordinary.painter(each, seed=SEED).picture(0.0).astype(int)
        for each in RECORDINGS
        if each.scene != scene
    ]
    assert min(np.abs(first - other).mean() for other in others) > 5

"""The ground truth that is written beside the recordings."""

import itertools
import json

import pytest

from plainview.demo import truth

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def told():
    return truth.ground_truth()


def test_the_ground_truth_is_the_same_each_time_and_is_json(told, tmp_path):
    truth.write_ground_truth(tmp_path / "truth.json")
    assert json.loads((tmp_path / "truth.json").read_text()) == json.loads(json.dumps(told))


def test_it_gives_the_activation_figures(told):
    okafor = next(each for each in told["cameras"] if each["key"] == "okafor")
    assert okafor["activation"]["pressed_after_first_contact_s"] == 41
    assert okafor["activation"]["nothing_of_contact_s"] == 11
    assert okafor["sound_from_media_s"] == pytest.approx(30.0012)
    assert okafor["says_started_at"] == "2026-03-15T06:51:24.200000Z"
    assert told["story"]["nothing_usable_total_s"] == 108


def test_every_word_has_a_time_in_order(told):
    for line in told["script"]:
        times = [word["from_s"] for word in line["word_times"]]
        assert [word["word"] for word in line["word_times"]] == line["words"].split()
        assert times == sorted(times)
        assert times[0] >= line["story_s"]


def test_boxes_lie_in_the_picture(told):
    for camera in told["cameras"]:
        for second in camera["on_screen"]:
            for person in second["people"]:
                left, top, right, bottom = person["body_px"]
                assert 0 <= left < right <= 640
                assert 0 <= top < bottom <= 360


def test_nobody_is_on_screen_while_a_camera_is_black_or_covered(told):
    for camera in told["cameras"]:
        blind = [
            span for span in camera["sees"] if span["sees"] in {"black", "jangling", "cloth", "hand", "empty"}
        ]
        for second, span in itertools.product(camera["on_screen"], blind):
            assert not span["from_media_s"] + 0.5 < second["media_s"] < span["to_media_s"] - 0.5, (
                camera["key"],
                second,
            )


def test_somebody_is_on_screen_when_price_is_asked_his_name(told):
    okafor = next(each for each in told["cameras"] if each["key"] == "okafor")
    (second,) = [each for each in okafor["on_screen"] if each["media_s"] == 42]
    (price,) = second["people"]
    assert price["key"] == "price"
    assert price["is_face_whole"]
    assert price["face_px"][2] - price["face_px"][0] > 40

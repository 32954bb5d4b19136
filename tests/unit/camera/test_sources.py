"""Sources: how devices are opened, and when a picture was by the camera's clock. No device is opened here."""

from fractions import Fraction

import pytest

from plainview.camera.errors import SourceError
from plainview.camera.fragments import TICKS_A_SECOND
from plainview.camera.serving import AddressError, parse_address
from plainview.camera.sources import Anchor, Opening, Source, has_sound, opening_of, parse_source
from plainview.formats.camera_orders import CameraSettings

SETTINGS = CameraSettings(width_px=1280, height_px=720, frame_rate=25)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("v4l2:/dev/video0", Source("v4l2", "/dev/video0")),
        ("alsa:plughw:1,0", Source("alsa", "plughw:1,0")),
        ("file:night.mp4", Source("file", "night.mp4")),
        ("rtsp://camera.example.org/1", Source("rtsp", "rtsp://camera.example.org/1")),
    ],
)
def test_a_source_is_read_as_it_is_written(text, source):
    assert parse_source(text) == source
    assert source.text == text


@pytest.mark.parametrize("text", ["", "v4l2:", "/dev/video0", "http://camera.example.org/1", "concat:a"])
def test_a_source_of_no_known_kind_is_refused(text):
    with pytest.raises(SourceError, match="expected"):
        parse_source(text)


def test_a_lens_is_asked_for_the_picture_of_the_settings():
    source = parse_source("v4l2:/dev/video0", input_format="mjpeg")
    assert opening_of(source, SETTINGS) == Opening(
        "/dev/video0", "v4l2", {"video_size": "1280x720", "framerate": "25", "input_format": "mjpeg"}
    )


def test_a_microphone_is_asked_for_one_channel_at_48_khz():
    assert opening_of(parse_source("alsa:default"), SETTINGS) == Opening(
        "default", "alsa", {"channels": "1", "sample_rate": "48000"}
    )


def test_a_stream_is_read_without_losses_and_a_file_as_it_is():
    assert opening_of(parse_source("rtsp://c/1"), SETTINGS) == Opening(
        "rtsp://c/1", None, {"rtsp_transport": "tcp"}
    )
    assert opening_of(parse_source("file:a"), SETTINGS) == Opening("a", None, {})


def test_a_device_need_not_be_asked_whether_it_has_sound():
    assert has_sound(parse_source("alsa:default"), SETTINGS)
    assert not has_sound(parse_source("v4l2:/dev/video0"), SETTINGS)


def test_the_sources_own_times_count_while_they_agree_with_the_clock():
    anchor = Anchor()
    assert anchor.ticks(Fraction(500), 90_000) == 90_000
    assert anchor.ticks(500 + Fraction(1, 25), 90_000 + 9000) == 90_000 + 3600


def test_a_source_that_jumps_is_followed_by_the_clock():
    anchor = Anchor()
    anchor.ticks(Fraction(500), 90_000)
    assert anchor.ticks(Fraction(3), 2 * TICKS_A_SECOND) == 2 * TICKS_A_SECOND
    assert anchor.ticks(Fraction(4), 3 * TICKS_A_SECOND + 50) == 3 * TICKS_A_SECOND


def test_without_times_of_its_own_the_moment_of_arrival_counts():
    assert Anchor().ticks(None, 77) == 77


def test_addresses():
    assert parse_address("127.0.0.1:8080") == ("127.0.0.1", 8080)
    for text in ("8080", ":8080", "127.0.0.1:http", "127.0.0.1:99999"):
        with pytest.raises(AddressError):
            parse_address(text)

"""Which originals browsers play as they are."""

import dataclasses
from fractions import Fraction

import pytest

from plainview.media.facts import Probe, ProbeWarning, Stream
from plainview.media.playable import COPY_REASONS, needs_copy

PICTURE = Stream(
    index=0, kind="video", codec="h264", is_decoded=True, start_ms=0, duration_ms=2000, packet_count=60,
    backward_count=0, gap_count=0, gaps=(), width=1920, height=1080, rotation_deg=0, frame_rate=Fraction(30),
    is_variable_rate=False, pixel_format="yuv420p", is_interlaced=False,
)  # fmt: skip
SOUND = Stream(
    index=1, kind="audio", codec="aac", is_decoded=True, start_ms=0, duration_ms=2000, packet_count=90,
    backward_count=0, gap_count=0, gaps=(), sample_rate_hz=48_000, channels=2,
)  # fmt: skip


def probed(*streams, container="mov", warnings=()):
    return Probe(
        container=container, size_bytes=1000, origin_us=0, duration_ms=2000, declared_duration_ms=2000, started_at=None,
        streams=streams, chunk_bytes=1 << 20, chunk_spans=(None,), tags=(), warnings=warnings,
    )  # fmt: skip


def test_what_browsers_play_serves_itself():
    assert needs_copy(probed(PICTURE, SOUND)) is None
    assert needs_copy(probed(PICTURE)) is None
    assert needs_copy(probed(SOUND)) is None
    assert needs_copy(probed(PICTURE, SOUND, warnings=(ProbeWarning("gaps", 1),))) is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"codec": "hevc"}, "picture_codec"),
        ({"codec": "mjpeg"}, "picture_codec"),
        ({"is_decoded": False}, "picture_codec"),
        ({"pixel_format": "yuv420p10le"}, "pixel_format"),
        ({"pixel_format": None}, "pixel_format"),
        ({"is_interlaced": True}, "interlaced"),
        ({"rotation_deg": 90}, "turned"),
        ({"rotation_deg": None}, "turned"),
        ({"width": 3840, "height": 2160}, "large"),
        ({"width": 1440, "height": 1440}, "large"),
        ({"packet_count": 120}, "fast"),
    ],
)
def test_what_one_browser_cannot_show_needs_a_copy(change, why):
    assert needs_copy(probed(dataclasses.replace(PICTURE, **change), SOUND)) == why
    assert why in COPY_REASONS


def test_an_upright_phone_picture_is_not_large():
    assert needs_copy(probed(dataclasses.replace(PICTURE, width=1080, height=1920))) is None


@pytest.mark.parametrize("container", ["matroska", "mpegts", "avi"])
def test_other_containers_need_a_copy(container):
    assert needs_copy(probed(PICTURE, container=container)) == "container"


@pytest.mark.parametrize("codec", ["pcm_s16le", "ac3", "amrnb"])
def test_other_sound_needs_a_copy(codec):
    assert needs_copy(probed(PICTURE, dataclasses.replace(SOUND, codec=codec))) == "sound_codec"


@pytest.mark.parametrize(
    ("container", "codec", "why"),
    [
        ("wav", "pcm_s16le", None),
        ("wav", "pcm_f32le", "sound_codec"),
        ("mp3", "mp3float", None),
        ("flac", "flac", None),
        ("amr", "amrnb", "container"),
        ("mov", "alac", "sound_codec"),
    ],
)
def test_sound_alone_serves_itself_where_every_browser_plays_it(container, codec, why):
    assert needs_copy(probed(dataclasses.replace(SOUND, codec=codec), container=container)) == why


def test_many_channels_need_a_copy():
    assert needs_copy(probed(dataclasses.replace(SOUND, channels=6))) == "sound_codec"


@pytest.mark.parametrize("code", ["ends_early", "damaged_part", "undecodable_part", "timestamps_go_back"])
def test_a_damaged_file_needs_a_copy(code):
    assert needs_copy(probed(PICTURE, SOUND, warnings=(ProbeWarning(code),))) == "damaged"

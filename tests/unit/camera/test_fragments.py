"""Fragments as boxes, without a codec: where they stand, and that every byte is where the boxes say."""

import struct

from plainview.camera.fragments import (
    SOUND_FRAME_SAMPLES,
    MediaFragment,
    Picture,
    format_fragment,
    samples_at,
    with_lengths,
)

PICTURES = (Picture(b"first", 3000, True), Picture(b"next", 3000, False), Picture(b"third", 6000, False))


def boxes(data):
    """Return (kind, content) of each box."""
    found = []
    while data:
        (size,) = struct.unpack(">I", data[:4])
        found.append((data[4:8], data[8:size]))
        data = data[size:]
    return found


def inside(data, *path):
    """Return the contents of the boxes at the end of a path."""
    if not path:
        return [data]
    return [found for kind, content in boxes(data) if kind == path[0] for found in inside(content, *path[1:])]


def fragment(*, start_ticks=0, sound_start=0, sounds=()):
    return MediaFragment(start_ticks, PICTURES, sound_start, tuple(sounds), "on")


def test_a_fragment_says_where_it_stands_from_the_first_picture_of_its_recording():
    data = format_fragment(
        fragment(start_ticks=180_000, sound_start=samples_at(180_000) + 100, sounds=[b"s"]),
        number=7,
        origin_ticks=90_000,
    )
    assert inside(data, b"moof", b"mfhd") == [struct.pack(">II", 0, 7)]
    times = [struct.unpack(">Q", content[4:])[0] for content in inside(data, b"moof", b"traf", b"tfdt")]
    assert times == [90_000, 48_100]


def test_every_track_finds_its_bytes():
    data = format_fragment(fragment(sounds=[b"one", b"other"]), number=1, origin_ticks=0)
    offsets = [struct.unpack(">I", content[8:12])[0] for content in inside(data, b"moof", b"traf", b"trun")]
    assert data[offsets[0] :].startswith(b"firstnextthird")
    assert data[offsets[1] :] == b"oneother"


def test_pictures_keep_their_lengths_and_only_the_first_stands_alone():
    (run,) = inside(format_fragment(fragment(), number=1, origin_ticks=0), b"moof", b"traf", b"trun")
    rows = list(struct.iter_unpack(">III", run[12:]))
    assert [(ticks, size) for ticks, size, _ in rows] == [(3000, 5), (3000, 4), (6000, 5)]
    assert [flags >> 16 & 1 for _, _, flags in rows] == [0, 1, 1]


def test_sound_from_before_the_first_picture_is_left_out():
    early = fragment(start_ticks=90_000, sound_start=48_000 - 1500, sounds=[b"a", b"b", b"c"])
    data = format_fragment(early, number=1, origin_ticks=90_000)
    when = inside(data, b"moof", b"traf", b"tfdt")[1]
    assert struct.unpack(">Q", when[4:])[0] == 2 * SOUND_FRAME_SAMPLES - 1500
    assert data.endswith(b"thirdc")


def test_without_sound_there_is_one_track():
    assert len(inside(format_fragment(fragment(), number=1, origin_ticks=0), b"moof", b"traf")) == 1


def test_durations_of_fragments_that_follow_each_other_leave_no_millisecond_out():
    start, total_ms = 12_345, 0
    for _ in range(50):
        each = MediaFragment(start, (Picture(b"p", 3003, True),), 0, (), "absent")
        total_ms += each.duration_ms
        start = each.end_ticks
    assert total_ms == start // 90 - 12_345 // 90


def test_start_codes_become_lengths_whatever_their_form():
    data = b"\x00\x00\x00\x01\x67abc\x00\x00\x01\x65d\x00\x00\x03e"
    assert with_lengths(data) == b"\x00\x00\x00\x04gabc\x00\x00\x00\x06ed\x00\x00\x03e"


def test_size_counts_pictures_and_sound():
    assert fragment(sounds=[b"one", b"other"]).size_bytes == 14 + 8

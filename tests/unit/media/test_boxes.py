"""What a file's outermost structure promises, and what is there."""

import io

import pytest

from plainview.media.boxes import OuterBoxes, count_missing_bytes, read_outer_boxes


def box(kind, payload=b"", *, size=None):
    return (8 + len(payload) if size is None else size).to_bytes(4, "big") + kind + payload


def boxes_of(data):
    return read_outer_boxes(io.BytesIO(data), size_bytes=len(data))


def missing(container, data):
    return count_missing_bytes(io.BytesIO(data), container=container, size_bytes=len(data))


def test_whole_boxes_miss_nothing():
    assert boxes_of(box(b"ftyp", b"isom") + box(b"moov") + box(b"mdat", b"x" * 9)) == OuterBoxes(
        True, True, 0
    )


def test_a_last_box_that_reaches_past_the_end_is_counted():
    assert boxes_of(box(b"moov") + box(b"mdat", b"x" * 9, size=117)) == OuterBoxes(True, True, 100)


def test_a_64_bit_size_is_followed():
    large = (1).to_bytes(4, "big") + b"mdat" + (26).to_bytes(8, "big") + bytes(10)
    assert boxes_of(large + box(b"moov")) == OuterBoxes(True, True, 0)


def test_size_zero_reaches_to_the_end():
    assert boxes_of(box(b"mdat", b"x" * 50, size=0) + box(b"moov")) == OuterBoxes(False, True, 0)


@pytest.mark.parametrize(
    "bad", [box(b"free", size=7), (1).to_bytes(4, "big") + b"free" + bytes(8), b"\0\0\0\1free"]
)
def test_an_impossible_size_ends_the_walk(bad):
    assert boxes_of(box(b"moov") + bad + box(b"mdat")).has_media is False


def test_half_a_header_at_the_end_is_missing_the_other_half():
    assert boxes_of(box(b"moov") + b"\0\0\0") == OuterBoxes(True, False, 5)


@pytest.mark.parametrize(
    ("container", "data", "expected"),
    [
        ("wav", b"RIFF" + (104).to_bytes(4, "little") + b"WAVE" + bytes(90), 10),
        ("wav", b"RIFF" + (94).to_bytes(4, "little") + b"WAVE" + bytes(90), 0),
        ("wav", b"RIFF\xff\xff\xff\xffWAVE", 0),  # a writer that could not go back
        ("wav", b"RF64\0\0\0\1WAVE", 0),
        ("aiff", b"FORM" + (20).to_bytes(4, "big") + b"AIFF", 16),
        ("mpegts", (b"\x47" + bytes(187)) * 4 + b"\x47" + bytes(87), 100),
        ("mpegts", bytes(10) + (b"\x47" + bytes(187)) * 4, 0),
        ("matroska", b"\x1a\x45\xdf\xa3\x81\0\x18\x53\x80\x67\x8a" + bytes(4), 6),
        ("matroska", b"\x1a\x45\xdf\xa3\x81\0\x18\x53\x80\x67\x01" + (5).to_bytes(7, "big") + bytes(5), 0),
        ("matroska", b"\x1a\x45\xdf\xa3\x81\0\x18\x53\x80\x67\xff" + bytes(4), 0),  # size unknown: live
        ("matroska", b"\x1a\x45\xdf\xa3\xff", 0),
        ("matroska", b"\x1a\x45\xdf\xa3", 0),
        ("matroska", b"\x1a\x45\xdf\xa3\x00", 0),
        ("matroska", b"\x1a\x45\xdf\xa3\x40", 0),
        ("matroska", b"\x1a\x45\xdf\xa3\x81\0nonsense", 0),
        ("matroska", b"\x1a\x45\xdf\xa3\x81\0\x18\x53\x80\x67", 0),
        ("flac", b"fLaC", 0),
    ],
)
def test_missing_bytes_are_counted_where_a_container_promises_any(container, data, expected):
    assert missing(container, data) == expected

"""Which demuxer a file's own first bytes ask for."""

import io

import pytest

from plainview.media.errors import UnusableMediaError
from plainview.media.identify import identify, transport_packets


def mp3_frames(header, frame_bytes, count=3):
    return (header + bytes(frame_bytes - len(header))) * count


def adts_frames(frame_bytes, count=3):
    header = bytes(
        [0xFF, 0xF1, 0x50, 0x80 | frame_bytes >> 11, frame_bytes >> 3 & 0xFF, (frame_bytes & 7) << 5, 0xFC]
    )
    return (header + bytes(frame_bytes - 7)) * count


def reason_for(data):
    with pytest.raises(UnusableMediaError) as caught:
        identify(io.BytesIO(data))
    return caught.value.jail_reason


@pytest.mark.parametrize(
    ("data", "container"),
    [
        (mp3_frames(b"\xff\xfb\x90\x00", 417), "mp3"),  # MPEG-1 Layer III, 128 kbit/s, 44.1 kHz
        (mp3_frames(b"\xff\xfb\x92\x00", 418), "mp3"),  # the same, padded
        (mp3_frames(b"\xff\xf3\x84\x00", 192), "mp3"),  # MPEG-2, 64 kbit/s, 24 kHz
        (mp3_frames(b"\xff\xe3\x88\x00", 576), "mp3"),  # MPEG-2.5, 64 kbit/s, 8 kHz
        (b"ID3\x04\0\0\0\0\0\0", "mp3"),
        (adts_frames(200), "aac"),
        (b"#!AMR\n", "amr"),
        (b"caff\0\1\0\0", "caf"),
        (b"FORM\0\0\0\0AIFF", "aiff"),
        (b"RF64\xff\xff\xff\xffWAVE", "wav"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "mov"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9", "asf"),
    ],
)
def test_a_signature_names_one_demuxer(data, container):
    assert identify(io.BytesIO(data)) == container


@pytest.mark.parametrize(
    "data",
    [
        mp3_frames(b"\xff\xfb\x90\x00", 417, count=2),
        mp3_frames(b"\xff\xfb\x90\x00", 416),
        mp3_frames(b"\xff\xfb\xf0\x00", 417),  # no such bit rate
        mp3_frames(b"\xff\xfb\x9c\x00", 417),  # no such sample rate
        mp3_frames(b"\xff\xeb\x90\x00", 417),  # no such version
        adts_frames(200)[:-200],
        adts_frames(7),
        b"\xff\xf1",
        b"x",
    ],
)
def test_sound_that_does_not_go_on_is_no_sound(data):
    assert reason_for(data) == "not_media"


@pytest.mark.parametrize("period", [188, 192, 204])
@pytest.mark.parametrize("start", [0, 4, 100])
def test_a_transport_stream_is_known_by_its_rhythm(period, start):
    data = bytes(start) + (b"\x47" + bytes(period - 1)) * 9
    assert transport_packets(data) == (start, period)
    assert identify(io.BytesIO(data)) == "mpegts"


def test_two_sync_bytes_are_no_rhythm():
    assert transport_packets((b"\x47" + bytes(187)) * 2) is None


@pytest.mark.parametrize("brand", [b"heic", b"avif", b"mif1"])
def test_a_still_in_a_video_container_is_a_still(brand):
    assert reason_for(b"\0\0\0\x18ftyp" + brand + bytes(12)) == "still_picture"


def test_a_pdf_is_known_behind_leading_junk():
    assert reason_for(b"\0" * 900 + b"%PDF-1.7") == "document"


def test_office_files_are_documents_and_other_zips_archives():
    assert reason_for(b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/vnd.oasis") == "document"
    assert reason_for(b"PK\x03\x04" + bytes(26) + b"a.mp4") == "archive"

"""Signatures are seen where cameras put them, and nothing else is taken for one."""

from __future__ import annotations

import io

import pytest

from plainview.formats.capture import format_journal_box
from plainview.media.signatures import MOST_BYTES, MOST_PACKETS, SeiScan, box_signatures, in_order

ONVIF = bytes.fromhex("005bc93f2d715e95ada4796f90877a6f")
AXIS = bytes.fromhex("5369676e656420566964656f2e2e2e30")
OTHER = bytes(range(0xA0, 0xB0))
C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
AVCC = b"\1\x42\xc0\x1e\xff\xe1"
HVCC = b"\1" + bytes(20) + b"\xff"
PICTURE = b"\x65" + b"\x88" * 40


def user_data(uuid, length=300):
    """Return one message of user data, of any length, as an encoder spells it."""
    body = uuid + bytes(range(1, 256)) * 2
    body = body[:length]
    return b"\5" + b"\xff" * (length // 255) + bytes([length % 255]) + body


def sei(*messages, is_hevc=False):
    return (b"\x4e\1" if is_hevc else b"\6") + b"".join(messages) + b"\x80"


def sized(*units):
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)


def coded(*units):
    return b"".join(b"\0\0\0\1" + unit for unit in units)


def look(data, *, codec="h264", extradata=AVCC):
    scan = SeiScan(codec=codec, extradata=extradata)
    assert scan.wants(len(data))
    scan.look(data)
    return scan.found


def box(kind, body=b""):
    return (8 + len(body)).to_bytes(4, "big") + kind + body


@pytest.mark.parametrize(
    ("uuid", "code"), [(ONVIF, "onvif_media_signing"), (AXIS, "axis_signed_video"), (OTHER, None)]
)
def test_a_signature_between_pictures_is_seen_in_every_spelling(uuid, code):
    wanted = set() if code is None else {code}
    unit = sei(b"\1\2ab", user_data(uuid))
    assert look(sized(PICTURE, unit)) == wanted
    assert look(coded(unit, PICTURE), extradata=b"\0\0\0\1\x67") == wanted
    assert look(coded(unit, PICTURE), extradata=b"") == wanted
    hevc = sei(user_data(uuid), is_hevc=True)
    assert look(sized(b"\x26\1" + bytes(9), hevc), codec="hevc", extradata=HVCC) == wanted


def test_an_identifier_with_a_byte_that_prevents_emulation_is_seen():
    # Size 256 ends in 0x01; nothing of it may look like a start code, so encoders put a 3 in between.
    unit = sei(b"\1\3\0\0\1".replace(b"\0\0\1", b"\0\0\3\1"), user_data(ONVIF))
    assert look(sized(unit)) == {"onvif_media_signing"}


def test_the_same_bytes_in_a_picture_or_in_another_message_are_no_signature():
    assert look(sized(b"\x65" + user_data(ONVIF))) == set()
    assert look(sized(sei(b"\4\x10" + ONVIF))) == set()
    assert look(sized(sei(b"\5\x04" + ONVIF[:4]))) == set()
    assert look(sized(b"\x4e\1" + user_data(ONVIF) + b"\x80"), codec="h264") == set()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0\0",
        b"\0\0\0\0\0\0",
        b"\xff\xff\xff\xff\6\5\x10",
        sized(b"\6"),
        sized(b"\6\xff\xff\xff\xff"),
        sized(b"\6\5\xff\xff"),
        sized(sei(user_data(ONVIF))[:10]),
        sized(b"\6" + b"\xff" * (2 << 20)),
    ],
)
def test_broken_units_are_passed_over(data):
    assert look(data) == set()
    assert look(data.replace(b"\0\0\0", b"\0\0\1"), extradata=b"") == set()


def test_a_unit_too_long_to_be_a_signature_is_not_copied():
    assert look(coded(sei(user_data(ONVIF)) + b"\x11" * (2 << 20)), extradata=b"") == set()


def test_only_so_many_units_of_a_packet_are_looked_at():
    many = sized(b"\x09") * 5000 + sized(sei(user_data(ONVIF)))
    assert look(many) == set()
    assert look(many.replace(sized(b"\x09"), b"\0\0\1\x09"), extradata=b"") == set()


def test_only_the_beginning_of_a_stream_is_looked_at():
    scan = SeiScan(codec="h264", extradata=AVCC)
    for _ in range(MOST_PACKETS):
        assert scan.wants(100)
        scan.look(b"")
    assert not scan.wants(100)
    assert not SeiScan(codec="h264", extradata=AVCC).wants(MOST_BYTES + 1)
    assert not SeiScan(codec="mjpeg", extradata=b"").wants(1)
    assert not SeiScan(codec=None, extradata=b"").wants(1)


def test_boxes_with_signatures_are_seen_among_the_others():
    data = box(b"ftyp", b"isom" + bytes(8)) + box(b"uuid", C2PA + b"manifest")
    data += b"\0\0\0\1mdat" + (20).to_bytes(8, "big") + b"abcd" + format_journal_box(b"{}")
    assert box_signatures(io.BytesIO(data), size_bytes=len(data)) == {"c2pa", "plainview_journal"}
    assert box_signatures(io.BytesIO(box(b"jumb")), size_bytes=8) == {"c2pa"}


@pytest.mark.parametrize(
    "data",
    [b"", b"\0\0\0", b"\0\0\0\7uuid" + C2PA, box(b"uuid", OTHER), box(b"uuid", C2PA[:8]), box(b"mdat", C2PA)],
)
def test_no_box_of_a_signature_is_none(data):
    assert box_signatures(io.BytesIO(data), size_bytes=len(data)) == set()


def test_only_the_first_boxes_are_looked_at():
    data = box(b"free") * 256 + box(b"uuid", C2PA)
    assert box_signatures(io.BytesIO(data), size_bytes=len(data)) == set()


def test_what_was_found_is_told_in_one_order():
    assert in_order({"c2pa", "onvif_media_signing"}) == ("onvif_media_signing", "c2pa")

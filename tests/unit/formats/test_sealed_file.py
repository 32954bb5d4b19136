from __future__ import annotations

import json
from dataclasses import replace

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from plainview.formats.canonical import canonical_json
from plainview.formats.errors import FormatError
from plainview.formats.sealed_file import (
    SEALED_HEADER_LIMIT_BYTES,
    SEALED_MAGIC,
    format_sealed_header,
    parse_sealed_header,
    piece_context,
    piece_nonce,
    seal_info,
    sealed_header_bytes,
)
from vectors.make_format_examples import OBJECT_KEY, example_files

SEALED = example_files()["journal.sealed"]
HEAD = SEALED[: sealed_header_bytes(SEALED[:12])]
HEADER = parse_sealed_header(HEAD)


def open_pieces(data: bytes, head: bytes = HEAD) -> list[bytes]:
    cipher, pieces, position = AESGCM(OBJECT_KEY), [], len(HEAD)
    while position < len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        piece = data[position + 4 : position + 4 + length]
        pieces.append(cipher.decrypt(piece_nonce(len(pieces)), piece, piece_context(head)))
        position += 4 + length
    return pieces


def test_a_header_reads_back_as_it_was_written() -> None:
    assert format_sealed_header(HEADER) == HEAD
    assert (HEADER.kind, HEADER.camera, HEADER.counter) == ("journal", "cam.example.org/SN42", 1)


def test_a_sealed_journal_opens_to_the_lines_that_were_written() -> None:
    assert b"".join(open_pieces(SEALED)) == example_files()["journal"]


def test_pieces_that_changed_places_do_not_open() -> None:
    first = 4 + int.from_bytes(SEALED[len(HEAD) : len(HEAD) + 4], "big")
    second = 4 + int.from_bytes(SEALED[len(HEAD) + first : len(HEAD) + first + 4], "big")
    body = SEALED[len(HEAD) :]
    with pytest.raises(InvalidTag):
        open_pieces(HEAD + body[first : first + second] + body[:first] + body[first + second :])


def test_pieces_do_not_open_under_another_header() -> None:
    other = format_sealed_header(replace(HEADER, counter=2))
    with pytest.raises(InvalidTag):
        open_pieces(SEALED, head=other)


def test_what_binds_a_key_names_kind_camera_and_journal() -> None:
    info = seal_info("footage", HEADER.camera, HEADER.stream)
    assert info == f"plainview-camera/v1 footage cam.example.org/SN42/{HEADER.stream}".encode()
    assert info != seal_info("journal", HEADER.camera, HEADER.stream)


@pytest.mark.parametrize("number", [0, 1, 2**32])
def test_each_piece_has_a_nonce_of_its_own(number: int) -> None:
    assert len(piece_nonce(number)) == 12
    assert int.from_bytes(piece_nonce(number), "big") == number


@pytest.mark.parametrize(
    "data",
    [
        b"",
        HEAD[:11],
        b"PLVWCAM\x02" + HEAD[8:],
        SEALED_MAGIC + (SEALED_HEADER_LIMIT_BYTES + 1).to_bytes(4, "big"),
    ],
)
def test_what_does_not_begin_as_a_sealed_file_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="begins with PLVWCAM"):
        sealed_header_bytes(data)


@pytest.mark.parametrize("data", [HEAD[:-1], HEAD + b"\x00"])
def test_a_header_of_another_length_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="header of"):
        parse_sealed_header(data)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "picture"),
        ("purpose", "holiday"),
        ("camera", "SN42"),
        ("stream", "42"),
        ("counter", 0),
        ("sealed_to", "00"),
        ("sealed_key", "not base64"),
    ],
)
def test_a_header_with_a_field_that_cannot_be_is_refused(field: str, value: object) -> None:
    record = canonical_json({**json.loads(HEAD[12:]), field: value})
    with pytest.raises(FormatError, match=field if field != "sealed_key" else "base64"):
        parse_sealed_header(SEALED_MAGIC + len(record).to_bytes(4, "big") + record)

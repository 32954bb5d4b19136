import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.service.tus import (
    LIMIT_BYTES,
    Announcement,
    Checksum,
    RequestError,
    check_piece_type,
    check_version,
    parse_announcement,
    parse_checksum,
    parse_length,
    parse_metadata,
    parse_offset,
)


def base64_of(data):
    return base64.b64encode(data).decode()


def refused(function, *arguments):
    with pytest.raises(RequestError) as error:
        function(*arguments)
    return error.value.status


def test_another_version_is_told_which_we_speak():
    check_version({"Tus-Resumable": "1.0.0"})
    for headers in ({}, {"Tus-Resumable": "0.2.2"}):
        with pytest.raises(RequestError) as error:
            check_version(headers)
        assert (error.value.status, error.value.headers) == (412, {"Tus-Version": "1.0.0"})


def test_an_announcement_has_a_size_and_a_name():
    metadata = f"filetype {base64_of(b'video/mp4')},filename {base64_of('Wagen 7, Süd.mp4'.encode())}"
    headers = {"Upload-Length": "12", "Upload-Metadata": metadata}
    assert parse_announcement(headers) == Announcement(12, "Wagen 7, Süd.mp4")
    assert parse_announcement({"Upload-Length": "1"}) == Announcement(1, "unnamed")
    assert (
        parse_announcement({"Upload-Length": "1", "Upload-Metadata": "name YQ==,filename"}).offered_name
        == "a"
    )


@pytest.mark.parametrize("size", ["", "0", "-1", "+1", "1.0", "1e3", " 1", "1_0", "٣", "9" * 20, "x"])
def test_a_size_that_is_none_is_refused(size):
    assert refused(parse_announcement, {"Upload-Length": size}) == 400
    assert refused(parse_announcement, {}) == 400


def test_a_size_beyond_every_limit_is_refused():
    assert parse_announcement({"Upload-Length": str(LIMIT_BYTES)}).size_bytes == LIMIT_BYTES
    assert refused(parse_announcement, {"Upload-Length": str(LIMIT_BYTES + 1)}) == 413


@given(st.dictionaries(st.from_regex(r"[!-+\--~]{1,10}", fullmatch=True), st.text(max_size=20), max_size=5))
def test_any_metadata_comes_back_as_it_was_written(pairs):
    header = ", ".join(f"{key} {base64_of(value.encode())}" for key, value in pairs.items())
    assert parse_metadata(header) == pairs


@pytest.mark.parametrize("header", ["a YQ==,a YQ==", ",", "a YQ==,", "a Y", "a \u00e9", "a YQ== YQ=="])
def test_metadata_that_tus_would_not_write_is_refused(header):
    assert refused(parse_metadata, header) == 400


def test_metadata_without_end_is_refused():
    assert refused(parse_metadata, "a " + "A" * 9000) == 431


def test_a_name_that_is_no_text_is_spelled_as_escapes():
    assert parse_metadata(f"filename {base64_of(bytes([0xFF, 0x61]))}") == {"filename": "\\xffa"}


def test_offsets_and_lengths_are_numbers():
    assert parse_offset({"Upload-Offset": "1048576"}) == 1 << 20
    assert refused(parse_offset, {}) == 400
    assert parse_length({"Content-Length": "5"}) == 5
    assert refused(parse_length, {"Content-Length": "x"}) == 400
    assert refused(parse_length, {}) == 411


def test_a_piece_says_that_it_is_one():
    check_piece_type({"Content-Type": "application/offset+octet-stream"})
    assert refused(check_piece_type, {"Content-Type": "application/octet-stream"}) == 415


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_checksum_fits_its_bytes_only(algorithm):
    digest = hashlib.new(algorithm, b"abc").digest()
    checksum = parse_checksum({"Upload-Checksum": f"{algorithm} {base64_of(digest)}"})
    assert checksum == Checksum(algorithm, digest)
    assert checksum.fits(b"abc")
    assert not checksum.fits(b"abd")


def test_no_checksum_is_none():
    assert parse_checksum({}) is None


@pytest.mark.parametrize(
    "value", ["", "sha1", "md5 " + "A" * 22 + "==", "sha1 AAAA", "sha1 !", "sha256 " + "A" * 27 + "="]
)
def test_a_checksum_that_we_cannot_check_is_refused(value):
    assert refused(parse_checksum, {"Upload-Checksum": value}) == 400

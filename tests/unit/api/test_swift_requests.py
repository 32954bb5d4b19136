"""Names, metadata and lengths in the requests of connected systems."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.api import swift_requests as asked
from plainview.service.tus import RequestError

PREFIX = asked.OBJECT_META


def status(call, *given, **more):
    with pytest.raises(RequestError) as refused:
        call(*given, **more)
    return refused.value.status


def test_metadata_is_url_encoded_utf_8_under_keys_of_any_case():
    headers = {"X-Object-Meta-Name": "Zo%C3%AB%20R", "x-object-meta-userid": "", "Other": "x"}
    assert asked.parse_metadata(headers, PREFIX) == {"name": "Zoë R", "userid": ""}


def test_metadata_that_came_as_bytes_is_read_too():
    assert asked.parse_metadata({PREFIX + "Name": "Zoë".encode().decode("latin-1")}, PREFIX) == {
        "name": "Zoë"
    }


@pytest.mark.parametrize("value", ["%FF", "%C3", "caf\xe9", "%00", "a%0D%0Ab"])
def test_metadata_that_is_no_text_is_refused(value):
    assert status(asked.parse_metadata, {PREFIX + "Name": value}, PREFIX) == 400


@given(
    st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True),
        st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40),
    )
)
def test_metadata_comes_back_as_it_was_said(metadata):
    headers = asked.format_metadata(metadata, PREFIX)
    assert all(value.isascii() and value.isprintable() for value in headers.values())
    assert asked.parse_metadata(headers, PREFIX) == metadata


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        ({"Content-Length": "7"}, 7),
        ({"Content-Length": "0"}, 0),
        ({}, 0),
        ({"Transfer-Encoding": "chunked"}, None),
        ({"Transfer-Encoding": "gzip, Chunked", "Content-Length": "3"}, None),
    ],
)
def test_how_much_follows_is_said_or_ends_by_itself(headers, length):
    assert asked.parse_body_length(headers, protocol="HTTP/1.1") == length


def test_with_http_2_a_body_needs_no_length():
    assert asked.parse_body_length({}, protocol="HTTP/2.0") is None
    assert asked.parse_body_length({"Content-Length": "4"}, protocol="HTTP/2.0") == 4


@pytest.mark.parametrize(("text", "said"), [("-1", 400), ("x", 400), ("٣", 400), ("9" * 16, 413)])
def test_a_length_that_is_none_is_refused(text, said):
    assert status(asked.parse_body_length, {"Content-Length": text}, protocol="HTTP/1.1") == said


def test_an_etag_is_an_md5_with_or_without_quotes():
    md5 = "0" * 31 + "A"
    assert asked.parse_etag({"ETag": f'"{md5}"'}) == md5.lower()
    assert asked.parse_etag({}) is None
    assert status(asked.parse_etag, {"ETag": "abc"}) == 400


@pytest.mark.parametrize(
    ("container", "name"), [("c", "a/../b"), ("c", "a\0"), ("Users", "a/b"), ("c", "a" * 1025)]
)
def test_names_that_lead_elsewhere_are_refused(container, name):
    assert status(asked.check_object_name, container, name) == 400


def test_plain_names_are_taken():
    asked.check_object_name("c", "a/b c.mp4")
    asked.check_container_name("Users")
    assert status(asked.check_container_name, "..") == 400

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.formats.errors import FormatError
from plainview.formats.fields import (
    LINE,
    check_count,
    check_hash,
    check_record,
    check_text,
    decode_base64,
    encode_base64,
)

KEYS = frozenset({"v", "kind", "a"})


def test_a_record_with_the_keys_version_and_kind_asked_for_is_returned() -> None:
    record = {"v": 1, "kind": "k", "a": None}
    assert check_record(record, what="test", keys=KEYS, kind="k") is record
    assert check_record({"a": 1}, what="test", keys=frozenset({"a"})) == {"a": 1}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([], "expected an object, got list"),
        (None, "expected an object, got NoneType"),
        ({"v": 1, "kind": "k"}, r"missing keys \['a'\], unknown keys \[\]"),
        ({"v": 1, "kind": "k", "a": 1, "b": 1}, r"unknown keys \['b'\]"),
        ({"v": 2, "kind": "k", "a": 1}, "expected version 1, got 2"),
        ({"v": True, "kind": "k", "a": 1}, "expected version 1, got True"),
        ({"v": 1, "kind": "l", "a": 1}, "expected kind k, got 'l'"),
        ({"v": 1, "kind": ["k"], "a": 1}, "expected kind k"),
    ],
)
def test_another_record_is_refused(value: object, problem: str) -> None:
    with pytest.raises(FormatError, match=problem):
        check_record(value, what="test", keys=KEYS, kind="k")


def test_a_hostile_record_does_not_make_a_message_without_end() -> None:
    with pytest.raises(FormatError) as raised:
        check_record({"x" * 10_000: 1}, what="test", keys=KEYS)
    assert len(str(raised.value)) < 400


def test_an_error_says_what_was_read_and_what_is_wrong_with_it() -> None:
    error = FormatError("custody leaf", "seq: expected a whole number")
    assert (error.what, error.problem) == ("custody leaf", "seq: expected a whole number")
    assert str(error) == "custody leaf: seq: expected a whole number"


@pytest.mark.parametrize("value", ["", "R-26-00004217-I", "B\u00fcro", "\u4e2d\u6587", "a" * 500])
def test_a_line_may_be_in_any_script(value: str) -> None:
    assert check_text(value, what="test", field="f", pattern=LINE) == value


@pytest.mark.parametrize(
    "character", "\x00\n\r\t\x1b\x7f\x85\x9b\u200b\u200e\u2028\u2029\u202e\u2066\ufeff\ud800"
)
def test_a_line_cannot_steer_what_prints_it(character: str) -> None:
    with pytest.raises(FormatError):
        check_text(f"a{character}b", what="test", field="f", pattern=LINE)


def test_what_is_refused_is_shown_without_steering_what_prints_it() -> None:
    with pytest.raises(FormatError) as raised:
        check_text("\u202e\x1b", what="test", field="f", pattern=LINE)
    assert str(raised.value).isascii()


@pytest.mark.parametrize("value", [None, 1, b"a", ["a"]])
def test_what_is_not_text_is_refused(value: object) -> None:
    with pytest.raises(FormatError, match="f: expected text"):
        check_text(value, what="test", field="f")


@pytest.mark.parametrize("value", [-1, True, False, 1.0, "1", None])
def test_what_is_not_a_count_is_refused(value: object) -> None:
    with pytest.raises(FormatError, match="f: expected a whole number of at least 0"):
        check_count(value, what="test", field="f")


@pytest.mark.parametrize("value", ["", "0f", "0F" * 32, "0f" * 32 + "\n", "g" * 64, 5])
def test_what_is_not_a_hash_is_refused(value: object) -> None:
    with pytest.raises(FormatError, match="f: expected"):
        check_hash(value, what="test", field="f")


@settings(max_examples=50)
@given(st.binary(max_size=40))
def test_base64_reads_back_as_it_was_written(data: bytes) -> None:
    assert decode_base64(encode_base64(data), what="test") == data


@settings(max_examples=100)
@given(st.text(alphabet="AZaz09+/=-_ \n\u00e9", max_size=12))
def test_base64_has_one_spelling(text: str) -> None:
    try:
        data = decode_base64(text, what="test")
    except FormatError:
        return
    assert base64.b64encode(data).decode() == text


@pytest.mark.parametrize(
    "text", ["AAA", "AAAA=", "AB==", "AAB=", "A", "AA-_", "AAAA\n", "AA AA", "\u00e9AAA"]
)
def test_another_spelling_of_base64_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match="base64"):
        decode_base64(text, what="test")

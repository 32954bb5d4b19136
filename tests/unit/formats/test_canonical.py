from __future__ import annotations

import json

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.formats.canonical import MAX_DEPTH, MAX_INTEGER, canonical_json, parse_canonical_json
from plainview.formats.errors import FormatError

CHARACTERS = 'aZ09 "\\/\x00\b\t\n\x0b\f\r\x1f\x7f\u0080\u00e9\u2028\u2029\ufeff\U0001f600'
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.text(alphabet=CHARACTERS, max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(alphabet=CHARACTERS[:15], max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


def read(data: bytes) -> object:
    return parse_canonical_json(data, what="test", limit_bytes=1_000)


@settings(max_examples=100)
@given(VALUES)
def test_canonical_json_is_that_of_an_independent_writer_and_reads_back(value: object) -> None:
    data = canonical_json(value)
    assert data == rfc8785.dumps(value)
    assert parse_canonical_json(data, what="test", limit_bytes=len(data)) == value


def test_the_example_of_rfc_8785_is_written_as_printed_there() -> None:
    # Section 3.2.4, less its numbers with fractions, which we do not write.
    value = {"string": '\u20ac$\u000f\nA\'B"\\\\"/', "literals": [None, True, False]}
    expected = (
        "7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c22737472696e67223a22e282ac24"
        "5c75303030665c6e4127425c225c5c5c5c5c222f227d"
    )
    assert canonical_json(value).hex() == expected


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (1.0, "cannot hold a float"),
        (float("nan"), "cannot hold a float"),
        ((1, 2), "cannot hold a tuple"),
        (b"bytes", "cannot hold a bytes"),
        ({1: "a"}, "ASCII string keys"),
        ({"\u00e9": 1}, "ASCII string keys"),
        (MAX_INTEGER + 1, "within 2"),
        (-MAX_INTEGER - 1, "within 2"),
        ("\ud800", "half a surrogate pair"),
    ],
)
def test_what_a_browser_might_read_differently_is_not_written(value: object, problem: str) -> None:
    with pytest.raises(FormatError, match=problem):
        canonical_json(value)


def test_a_list_that_holds_itself_is_not_written() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(FormatError, match="nested deeper"):
        canonical_json(endless)


def test_nesting_is_read_to_the_limit_and_not_beyond() -> None:
    deepest = b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1)
    assert canonical_json(read(deepest)) == deepest
    with pytest.raises(FormatError, match="nested deeper"):
        read(b"[" + deepest + b"]")


def test_nesting_deeper_than_the_interpreter_goes_is_refused() -> None:
    with pytest.raises(FormatError, match="nested deeper"):
        parse_canonical_json(b"[" * 200_000, what="test", limit_bytes=200_000)


@pytest.mark.parametrize(
    "data",
    [
        b' {"a":1}',
        b'{"a":1}\n',
        b'{"a": 1}',
        b'{"b":1,"a":2}',
        b'{"a":1,}',
        b'"\\u0041"',
        b'"\\/"',
        b'"\\u001F"',
        b"-0",
        b"01",
        b"+1",
        b"1.0",
        b"1e2",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"9007199254740992",
        b"9" * 900,
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b"\xef\xbb\xbf1",
        b"1\x00",
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b"'a'",
        b"",
        b"[1]]",
    ],
)
def test_another_spelling_of_the_same_value_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError) as raised:
        read(data)
    assert raised.value.what == "test"


def test_a_key_that_appears_twice_is_refused_at_any_depth() -> None:
    with pytest.raises(FormatError, match="a key appears twice"):
        read(b'[{"a":1,"a":1}]')


def test_a_number_too_long_to_be_ours_is_refused_without_reading_it() -> None:
    with pytest.raises(FormatError, match="one of 999 digits"):
        read(b"9" * 999)


def test_more_bytes_than_the_limit_are_refused_before_they_are_read() -> None:
    with pytest.raises(FormatError, match="at most 1000 bytes, got 1001"):
        read(b"[" * 1_001)


def test_a_value_that_json_would_take_but_we_do_not_write_is_named() -> None:
    assert json.loads(b"1.5") == 1.5
    with pytest.raises(FormatError, match=r"whole numbers only, got 1\.5"):
        read(b"1.5")

"""Range arithmetic: RFC 9110's own examples, abuse, and a comparison with a reading of the rules by list."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.web.ranges import MOST_BYTES, Piece, find_piece, range_applies


def found(header, size_bytes=10_000, most_bytes=MOST_BYTES):
    piece = find_piece(header, size_bytes=size_bytes, most_bytes=most_bytes)
    return None if piece is None else (piece.first, piece.last)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-499", (0, 499)),
        ("bytes=500-999", (500, 999)),
        ("bytes=-500", (9500, 9999)),
        ("bytes=9500-", (9500, 9999)),
        ("bytes=0-0", (0, 0)),
        ("bytes=9999-9999", (9999, 9999)),
        ("bytes=0-999999", (0, 9999)),
        ("bytes=-20000", (0, 9999)),
        ("BYTES=5-6", (5, 6)),
        (" bytes=5-6 ", (5, 6)),
    ],
)
def test_a_single_range_is_answered_as_the_standard_says(header, expected):
    assert found(header) == expected


@pytest.mark.parametrize("header", ["bytes=10000-", "bytes=10000-10001", "bytes=-0", "bytes=99999-,-0"])
def test_what_lies_past_the_end_cannot_be_satisfied(header):
    assert found(header) is None


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=,",
        "bytes=-",
        "bytes=a-b",
        "bytes=5",
        "bytes=6-5",
        "bytes=0-1,6-5",
        "bytes=0-1;2-3",
        "bytes=1 - 2",
        "bytes=+1-2",
        "bytes=0x1-2",
        "bytes=\u0661-\u0662",
        "bytes=--5",
        "items=0-5",
        "seconds=1-2",
        "bytes=0-1\r\nX: y",
    ],
)
def test_a_malformed_or_foreign_header_is_passed_over(header):
    assert found(header) == (0, 9999)


def test_of_several_ranges_the_first_that_can_be_satisfied_is_sent():
    assert found("bytes=20000-, 5-6, 7-8") == (5, 6)
    assert found("bytes= , 1-2 ,, -5 ,") == (1, 2)


def test_no_answer_is_longer_than_the_cap():
    size = 50 << 20
    for header in (None, "bytes=0-", "bytes=-99999999", f"bytes=0-{size}"):
        piece = find_piece(header, size_bytes=size)
        assert piece.length == MOST_BYTES == 4 << 20
    assert found("bytes=-99999999", size)[0] == 0
    assert found(f"bytes={size - 10}-", size) == (size - 10, size - 1)


@pytest.mark.parametrize(
    "header",
    [
        "bytes=" + ",".join(f"{i}-{i}" for i in range(100_000)),
        "bytes=" + "9" * 4000 + "-",
        "bytes=0-" + "9" * 4000,
        "bytes=-" + "9" * 4000,
        "bytes=" + "," * 4000,
        "bytes=" + "1-" * 2000,
        "bytes=" + " " * 4000 + "x",
        "bytes=1-2" + " ," * 2000 + "x",
        "x" * 1_000_000,
    ],
)
def test_abuse_costs_next_to_nothing(header):
    start = time.perf_counter()
    found(header)
    assert time.perf_counter() - start < 0.05


def test_numbers_past_every_end_are_numbers_all_the_same():
    assert found("bytes=" + "9" * 30 + "-") is None
    assert found("bytes=7-" + "9" * 30) == (7, 9999)
    assert found("bytes=-" + "9" * 30) == (0, 9999)
    assert found("bytes=" + "0" * 40 + "7-8") == (7, 8)


SPECS = st.lists(
    st.tuples(st.none() | st.integers(0, 40), st.none() | st.integers(0, 40)).filter(
        lambda s: s != (None, None)
    ),
    min_size=1,
    max_size=4,
)


@given(SPECS, st.integers(1, 30), st.integers(1, 30))
def test_it_agrees_with_a_reading_of_the_rules_by_list(specs, size, most):
    header = "bytes=" + ",".join(f"{'' if a is None else a}-{'' if b is None else b}" for a, b in specs)
    places = list(range(size))
    runs = [
        (places[-b:] if b else []) if a is None else places[a:] if b is None else places[a : b + 1]
        for a, b in specs
    ]
    is_spoilt = any(a is not None and b is not None and b < a for a, b in specs)
    wanted = places if is_spoilt else next((run for run in runs if run), None)
    expected = None if wanted is None else (wanted[0], wanted[:most][-1])
    assert found(header, size, most) == expected


def test_a_piece_says_what_it_is():
    piece = Piece(5, 9, 100)
    assert (piece.length, piece.is_whole, piece.content_range) == (5, False, "bytes 5-9/100")
    assert Piece(0, 99, 100).is_whole


@pytest.mark.parametrize(
    ("if_range", "applies"),
    [
        (None, True),
        ('"abc"', True),
        (' "abc" ', True),
        ('W/"abc"', False),
        ('"other"', False),
        ("abc", False),
        ("Sat, 14 Mar 2026 23:52:07 GMT", False),
        ("", False),
    ],
)
def test_if_range_counts_only_for_exactly_what_is_there(if_range, applies):
    assert range_applies(if_range, etag='"abc"') is applies

"""A leaf is read in two ways, a quick one for plain leaves: both must say the same of any bytes."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.formats.errors import FormatError
from plainview.formats.leaf import CustodyLeaf, _parse_any_leaf, _parse_plain_leaf, format_leaf, parse_leaf

HEX = "0123456789abcdef"
PLAIN = format_leaf(
    CustodyLeaf(
        seq=11,
        at=datetime(2026, 3, 15, 6, 52, 7, 300_000, tzinfo=UTC),
        act="recording.received",
        object="R-26-00004217-0",
        actor="user:3f9c0d5b7a1e4c22",
        outcome="ok",
        why="checked",
        facts={
            "a": 'text, with "no" escape'.replace(chr(34), ""),
            "b": 0,
            "c": -5,
            "d": 10**14,
            "sha256": "ab" * 32,
        },
        session="cd" * 32,
        detail=None,
    )
)
NASTY = [
    b"{",
    b"}",
    b'"',
    b",",
    b":",
    b"\\",
    b"\n",
    b"0",
    b"1",
    b"9",
    b"-",
    b"Z",
    b"\x00",
    b"\x7f",
    b"\xc3\xa9",
    b"null",
    b" ",
]


def both(data):
    """Return what the long way says of data, and check that the quick one says nothing else."""
    try:
        slow = _parse_any_leaf(data)
    except FormatError:
        slow = None
    try:
        quick = _parse_plain_leaf(data)
    except FormatError:
        assert slow is None
        return None
    assert quick is None or quick == slow
    return slow


def test_a_plain_leaf_is_read_the_quick_way():
    assert _parse_plain_leaf(PLAIN) == _parse_any_leaf(PLAIN) == parse_leaf(PLAIN)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(PLAIN)), st.integers(0, 3), st.sampled_from(NASTY))
def test_a_leaf_altered_anywhere_reads_the_same_both_ways(at, drop, put):
    both(PLAIN[:at] + put + PLAIN[at + drop :])


@settings(max_examples=120, deadline=None)
@given(
    st.dictionaries(
        st.from_regex(re.compile(r"[a-z][a-z0-9_]{0,5}", re.ASCII), fullmatch=True),
        st.one_of(st.text(max_size=8), st.integers(-(2**53), 2**53)),
        max_size=5,
    )
)
def test_facts_of_any_kind_read_the_same_both_ways(facts):
    pieces = [
        f'"{name}":' + (f'"{fact}"' if isinstance(fact, str) else str(fact)) for name, fact in facts.items()
    ]
    written = PLAIN.split(b'"facts":{')[0] + b'"facts":{' + ",".join(pieces).encode("utf-8", "replace")
    both(written + b"}," + PLAIN.split(b"},")[1])


@pytest.mark.parametrize(
    "facts",
    [
        b"",
        b'"b":1,"a":2',
        b'"a":1,"a":1',
        b'"a":01',
        b'"a":-0',
        b'"a":1,',
        b'"a":"x""b":1',
        b'"a":9007199254740993',
    ],
)
def test_facts_out_of_shape_read_the_same_both_ways(facts):
    both(PLAIN.split(b'"facts":{')[0] + b'"facts":{' + facts + b"}," + PLAIN.split(b"},")[1])


def test_a_day_that_is_none_is_refused_both_ways():
    assert both(PLAIN.replace(b"2026-03-15", b"2026-02-30")) is None


def test_a_leaf_too_long_is_refused_both_ways():
    assert both(PLAIN.replace(b'"a":"text', b'"a":"text' + b"x" * 65_536)) is None


def test_an_act_outside_the_vocabulary_is_refused_both_ways():
    assert both(PLAIN.replace(b"recording.received", b"recording.swallowed")) is None

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.custody import entries
from plainview.custody.entries import entry_of
from plainview.formats.errors import FormatError
from plainview.formats.leaf import ACTS, CustodyLeaf, format_leaf, parse_leaf

AT = datetime(2026, 3, 15, 6, 52, 7, 300_000, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HASH = "0f" * 32
GOOD = {
    "at": AT,
    "act": "recording.received",
    "object": "R-26-00004217-I",
    "actor": "user:3f9c0d5b7a1e4c22",
    "outcome": "ok",
    "why": None,
    "facts": {"size_bytes": 2_411_585, "sha256": HASH},
    "session": HASH,
    "detail": None,
}


def row(fields):
    """Return what the database answers for ENTRY_COLUMNS."""
    at_ms = (fields["at"] - EPOCH) // timedelta(milliseconds=1)
    # jsonb orders keys by length, and writes spaces.
    facts = dict(sorted(fields["facts"].items(), key=lambda item: (len(item[0]), item[0])))
    words = [fields[name] for name in ("act", "object", "actor", "outcome", "why")]
    return (at_ms, *words, json.dumps(facts), fields["session"], fields["detail"])


def carefully(fields, index):
    try:
        return format_leaf(CustodyLeaf(seq=index, **fields))
    except FormatError:
        # Of several wrong facts, the database's order decides which is named.
        return "refused"


def quickly(fields, index):
    try:
        return entry_of(row(fields), index)
    except FormatError:
        # Of several wrong facts, the database's order decides which is named.
        return "refused"


def one_of_or(usual, *unusual):
    return st.one_of(usual, usual, usual, *unusual)


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
NEARLY = st.sampled_from(
    [
        'a","b":"c',
        'x"',
        "x\\",
        "",
        " ",
        "R-26\n",
        "é",
        "system:",
        "user:3F9C0D5B7A1E4C22",
        HASH[:-1],
        HASH.upper(),
        "null",
    ]
)
FACTS = st.dictionaries(
    one_of_or(st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True), ANY_TEXT, NEARLY),
    one_of_or(
        st.integers(-(2**53) + 1, 2**53 - 1),
        st.sampled_from(
            [HASH, "plainview 0.1.0", "", '"', "\\", "é", "\u202e", 2**53, -(2**53), 10**15, True, None, 1.5]
        ),
        ANY_TEXT,
    ),
    max_size=4,
)
FIELDS = st.fixed_dictionaries(
    {
        "at": st.datetimes(timezones=st.just(UTC)),
        "act": one_of_or(st.sampled_from(sorted(ACTS)), NEARLY),
        "object": one_of_or(
            st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,127}", fullmatch=True), ANY_TEXT, NEARLY
        ),
        "actor": one_of_or(st.sampled_from(["system:cli", "user:3f9c0d5b7a1e4c22"]), NEARLY),
        "outcome": one_of_or(st.sampled_from(["ok", "denied", "error"]), NEARLY),
        "why": one_of_or(st.none() | st.just("not_permitted"), NEARLY),
        "facts": FACTS,
        "session": one_of_or(st.none() | st.just(HASH), NEARLY),
        "detail": one_of_or(st.none() | st.just(HASH), NEARLY),
    }
)


@given(fields=FIELDS, index=st.integers(0, 2**53))
@settings(max_examples=120)
def test_the_quick_way_writes_the_bytes_of_the_careful_way_or_refuses_with_it(fields, index):
    assert quickly(fields, index) == carefully(fields, index)


def test_an_ordinary_row_never_takes_the_careful_way(monkeypatch):
    expected = format_leaf(CustodyLeaf(seq=11, **GOOD))
    monkeypatch.setattr(entries, "format_leaf", None)
    assert entry_of(row(GOOD), 11) == expected
    assert parse_leaf(expected) == CustodyLeaf(seq=11, **GOOD)


@pytest.mark.parametrize(
    "altered",
    [
        {"act": "recording.vanished"},
        {"actor": 'system:x","at":"2026-03-15T06:52:07.300Z'},
        {"detail": HASH + '","facts":{},"object":"a'},
        {"facts": {"a": '1","b":"2'}},
        {"facts": {'a":1,"b': 2}},
        {"facts": {"a": {"b": 1}}},
        {"facts": {"a": 10**15}},
        {"facts": {"a": "é" * 500}},
        {"facts": {f"a{n}": "x" * 500 for n in range(125)}},
    ],
)
def test_a_row_that_is_out_of_the_ordinary_is_left_to_the_careful_way(altered):
    fields = GOOD | altered
    assert quickly(fields, 11) == carefully(fields, 11)


def test_a_row_too_long_for_a_leaf_is_refused():
    with pytest.raises(FormatError, match="at most 65535 bytes"):
        entry_of(row(GOOD | {"facts": {f"a{n}": "x" * 500 for n in range(140)}}), 11)


@pytest.mark.parametrize(
    ("microsecond", "written"), [(0, "00.000Z"), (999, "00.000Z"), (1000, "00.001Z"), (999_999, "00.999Z")]
)
@pytest.mark.parametrize("year", [1, 999, 1969, 1970, 9999])
def test_times_are_cut_to_the_millisecond_on_both_sides_of_1970(year, microsecond, written):
    fields = GOOD | {"at": datetime(year, 2, 3, 4, 5, 0, microsecond, tzinfo=UTC)}
    assert f'{year:04d}-02-03T04:05:{written}"'.encode() in entry_of(row(fields), 0)
    assert quickly(fields, 0) == carefully(fields, 0)

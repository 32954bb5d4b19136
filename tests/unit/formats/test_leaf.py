from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.formats.canonical import MAX_INTEGER, canonical_json
from plainview.formats.errors import FormatError
from plainview.formats.leaf import ACTS, OUTCOMES, CustodyLeaf, commitment, format_leaf, parse_leaf
from plainview.formats.times import parse_at
from vectors.make_format_examples import SALT, WORDS, example_files

EXAMPLE = example_files()["leaf.json"]
LEAF = parse_leaf(EXAMPLE)
HEX = st.one_of(st.none(), st.just("0f" * 32))
LEAVES = st.builds(
    CustodyLeaf,
    seq=st.integers(0, MAX_INTEGER),
    at=st.just(parse_at("2026-03-15T06:52:07.300Z")),
    act=st.sampled_from(sorted(ACTS)),
    object=st.sampled_from(["R-26-00004217-I", "package:0f", "log:example.org/custody/1"]),
    actor=st.sampled_from(["user:0123456789abcdef", "system:vault"]),
    outcome=st.sampled_from(sorted(OUTCOMES)),
    why=st.one_of(st.none(), st.just("no_picture")),
    facts=st.dictionaries(
        st.sampled_from(["sha256", "size_bytes", "a_1"]), st.integers(-5, 5) | st.just("mov,mp4 \u00e9")
    ),
    session=HEX,
    detail=HEX,
)


@settings(max_examples=50)
@given(LEAVES)
def test_a_leaf_reads_back_as_it_was_written(leaf: CustodyLeaf) -> None:
    assert parse_leaf(format_leaf(leaf)) == leaf


@pytest.mark.parametrize(
    "changes",
    [
        {"seq": -1},
        {"seq": True},
        {"seq": MAX_INTEGER + 1},
        {"act": "recording.improved"},
        {"act": ["recording.received"]},
        {"outcome": "fine"},
        {"outcome": {}},
        {"object": ""},
        {"object": "John Rivera"},
        {"object": "x" * 129},
        {"object": ".hidden"},
        {"object": None},
        {"actor": "J. Rivera"},
        {"actor": "user:0123"},
        {"actor": "user:0123456789ABCDEF"},
        {"actor": "system:"},
        {"actor": "system:vault\n"},
        {"why": ""},
        {"why": "Because he said so"},
        {"session": "0f"},
        {"session": "0F" * 32},
        {"detail": 1},
        {"facts": {"Sha256": "a"}},
        {"facts": {"a b": "a"}},
        {"facts": {"a": None}},
        {"facts": {"a": True}},
        {"facts": {"a": [1]}},
        {"facts": {"a": {"b": 1}}},
        {"facts": {"a": 1.5}},
        {"facts": {"a": "two\nlines"}},
        {"facts": {"a": "\x1b[2J"}},
        {"facts": {"a": "\u202eKO"}},
        {"facts": {"a": "x" * 501}},
        {"facts": {"a": "\ud800"}},
        {"at": datetime(2026, 3, 15)},  # noqa: DTZ001 - a naive time is the point
    ],
)
def test_a_field_outside_its_rule_is_not_written(changes: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        format_leaf(replace(LEAF, **changes))


def test_a_leaf_longer_than_a_log_entry_may_be_is_not_written_nor_read() -> None:
    facts = {f"fact_{number}": "x" * 500 for number in range(140)}
    with pytest.raises(FormatError, match="at most 65535 bytes"):
        format_leaf(replace(LEAF, facts=facts))
    with pytest.raises(FormatError, match="at most 65535 bytes"):
        parse_leaf(EXAMPLE.ljust(65_536))


def test_facts_that_are_no_record_are_refused() -> None:
    with pytest.raises(FormatError, match="facts: expected an object"):
        parse_leaf(
            EXAMPLE.replace(EXAMPLE[EXAMPLE.index(b'{"chunk_root"') : EXAMPLE.index(b',"object":"R')], b"[]")
        )


def test_an_act_of_a_newer_plainview_is_refused_and_said_so() -> None:
    with pytest.raises(FormatError, match="a newer Plainview may have written it"):
        parse_leaf(EXAMPLE.replace(b"recording.received", b"recording.dreamt"))


def test_a_time_finer_than_a_millisecond_is_cut() -> None:
    leaf = replace(LEAF, at=LEAF.at.replace(microsecond=300_999))
    assert format_leaf(leaf) == EXAMPLE


def test_every_act_has_a_sentence() -> None:
    for act, sentence in ACTS.items():
        assert act == act.lower()
        assert sentence[0].isupper()
        assert sentence.endswith(".")


def test_a_commitment_is_the_hash_of_salt_and_words() -> None:
    assert (
        commitment(salt=SALT, words=WORDS) == sha256(SALT + canonical_json(WORDS)).hexdigest() == LEAF.detail
    )


def test_the_same_words_under_another_salt_have_another_commitment() -> None:
    assert commitment(salt=bytes(32), words=WORDS) != LEAF.detail


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_salt_that_could_be_guessed_is_refused(length: int) -> None:
    with pytest.raises(FormatError, match=f"a salt of 32 bytes, got {length}"):
        commitment(salt=bytes(length), words=WORDS)


def test_words_that_have_no_one_spelling_are_refused() -> None:
    with pytest.raises(FormatError, match="cannot hold a float"):
        commitment(salt=SALT, words={"speed": 1.5})

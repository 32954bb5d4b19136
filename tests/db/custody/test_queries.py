"""What fsck and restore read of the custody log's rows."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from plainview.custody.queries import (
    continued_logs,
    kept_words,
    leaf_count,
    leaf_root,
    placed_acts,
    unplaced_acts,
)
from plainview.custody.record import record
from plainview.custody.sequence import entries_from, publish_pending, running_epoch
from plainview.formats.errors import FormatError
from plainview.formats.leaf import commitment
from plainview.formats.merkle import EMPTY_ROOT, leaf_hash, tree_root
from simulators.custody_rows import CLERK, START, SYSTEM, act

TIMES = [
    START,
    START + timedelta(microseconds=999_999),
    START + timedelta(microseconds=500),
    datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(987, 1, 2, 3, 4, 5, 6_789, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_500, tzinfo=UTC),
]


def record_at(at, **more):
    with transaction.atomic():
        return record("recording.received", object="a", actor=SYSTEM, now=at, **more)


def test_every_row_makes_the_entry_that_stands_in_the_log(log):
    for at in TIMES:
        record_at(at, facts={"size_bytes": 1, "note": 'two "words" é'}, why="a_reason", outcome="denied")
    publish_pending(log.signer)
    with transaction.atomic():
        placed = list(placed_acts(1))
    entries = entries_from(running_epoch(), 0)
    assert [each.act.entry(each.at_index) for each in placed] == entries
    assert [each.hash for each in placed] == [leaf_hash(entry) for entry in entries]
    assert [each.at_index for each in placed] == list(range(len(TIMES)))


def test_a_row_that_makes_no_leaf_is_refused(log):
    act("a")
    with transaction.atomic():
        (unplaced,) = unplaced_acts()
    with pytest.raises(FormatError):
        unplaced.act._replace(actor="somebody").entry(0)


def test_an_act_waits_for_its_index_if_the_sequencer_will_come_to_it(log, database, postgres):
    act("published")
    publish_pending(log.signer)
    act("waits")
    postgres.execute(
        "owner",
        database,
        "INSERT INTO custody_act (at, act, object, actor, outcome, facts, xid)"
        " VALUES (now(), 'keys.rotated', 'passed-over', 'system:tests', 'ok', '{}', '3')",
    )
    with transaction.atomic():
        assert {each.act.object: each.is_waiting for each in unplaced_acts()} == {
            "waits": True,
            "passed-over": False,
        }


def test_before_the_first_leaf_every_act_waits(log):
    act("a")
    with transaction.atomic():
        assert [each.is_waiting for each in unplaced_acts()] == [True]


def test_words_come_with_their_salts_and_what_they_were_committed_to(log):
    act("wordless")
    with transaction.atomic():
        record("recording.received", object="a", actor=CLERK, now=START, detail={"offered_name": "é.mp4"})
        record("recording.received", object="b", actor=SYSTEM, now=START, detail={"offered_name": "b"})
        record("recording.received", object="c", actor=CLERK, now=START)
    with transaction.atomic():
        both, detail_only, session_only = kept_words()
    assert commitment(salt=both.detail_salt, words=both.detail) == both.detail_commitment
    assert commitment(salt=both.session_salt, words=both.session) == both.session_commitment
    assert (both.session, both.detail) == (dict(CLERK.session), {"offered_name": "é.mp4"})
    assert (detail_only.session, detail_only.session_salt, detail_only.session_commitment) == (
        None,
        None,
        None,
    )
    assert (session_only.detail, session_only.detail_salt, session_only.detail_commitment) == (
        None,
        None,
        None,
    )


def test_the_root_over_the_first_leaves_is_that_of_the_rows(log):
    assert (leaf_count(1), leaf_root(1, 0)) == (0, EMPTY_ROOT)
    for word in "abc":
        act(word)
    publish_pending(log.signer)
    hashes = [leaf_hash(entry) for entry in entries_from(running_epoch(), 0)]
    assert leaf_count(1) == 3
    assert [leaf_root(1, size) for size in (1, 2, 3)] == [tree_root(hashes[:size]) for size in (1, 2, 3)]
    assert leaf_root(1, 4) is None
    assert leaf_root(2, 1) is None


def test_a_log_that_is_continued_is_found_by_its_name(log):
    with transaction.atomic():
        record("log.epoch", object="log", actor=SYSTEM, now=START, facts={"unknown": 1})
        record(
            "log.epoch",
            object="log",
            actor=SYSTEM,
            now=START,
            facts={"old_origin": log.origin, "old_size": 7},
        )
    assert continued_logs() == {log.origin: {"old_origin": log.origin, "old_size": 7}}

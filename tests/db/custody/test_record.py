from datetime import timedelta

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plainview.custody.errors import OutsideTransactionError
from plainview.custody.models import Act, Words
from plainview.custody.queries import count_unsequenced
from plainview.custody.record import Actor, record
from plainview.formats.errors import FormatError
from plainview.formats.leaf import ACTS, OUTCOMES, CustodyLeaf, commitment, format_leaf
from simulators.custody_rows import CLERK, START, SYSTEM, act, add, ask, last_act


@pytest.mark.parametrize("word", sorted(ACTS))
@pytest.mark.parametrize("outcome", sorted(OUTCOMES))
def test_each_act_of_the_vocabulary_is_read_back_as_it_was_recorded(undone, word, outcome):
    record(
        word,
        object="R-26-00004217-I",
        actor=SYSTEM,
        now=START,
        facts={"size_bytes": 7, "sha256": "0" * 64},
        outcome=outcome,
        why="not_permitted",
    )
    row = Act.objects.get()
    assert (row.act, row.object, row.actor, row.outcome, row.why) == (
        word,
        "R-26-00004217-I",
        "system:tests",
        outcome,
        "not_permitted",
    )
    assert (row.at, row.facts) == (START, {"size_bytes": 7, "sha256": "0" * 64})
    assert (row.session, row.detail) == (None, None)


def test_an_act_outside_a_transaction_is_refused_and_not_written(database):
    with pytest.raises(OutsideTransactionError, match=r"recording\.received: record\(\) was called outside"):
        add("a")
    assert Act.objects.count() == 0


def test_an_act_commits_with_its_transaction(database):
    act_id = act("a")
    connection.close()
    assert list(Act.objects.values_list("id", "object")) == [(act_id, "a")]


def test_an_act_vanishes_with_its_transaction(database):
    with transaction.atomic():
        add("a")
        transaction.set_rollback(True)
    assert Act.objects.count() == 0
    assert Words.objects.count() == 0


def test_an_act_in_a_savepoint_that_is_rolled_back_vanishes_and_the_rest_stays(database):
    with transaction.atomic():
        add("before")
        with transaction.atomic():
            add("inside", detail={"name": "A. Clerk"})
            transaction.set_rollback(True)
        add("after")
    assert list(Act.objects.order_by("id").values_list("object", flat=True)) == ["before", "after"]
    assert Words.objects.count() == 0


def test_acts_in_a_savepoint_carry_the_id_of_the_whole_transaction(database):
    with transaction.atomic():
        add("outside")
        with transaction.atomic():
            add("inside")
    assert ask("SELECT count(DISTINCT xid) FROM custody_act") == [(1,)]


def test_words_are_kept_with_a_salt_each_and_only_their_commitments_stand_in_the_act(undone):
    add_with_words = {"offered_name": "clip.mp4"}
    record("recording.received", object="a", actor=CLERK, now=START, detail=add_with_words)
    row = last_act()
    assert Act.objects.get().facts == {}
    assert Words.objects.get().session == dict(CLERK.session)
    assert Words.objects.get().detail == add_with_words
    assert row["session"] == commitment(salt=bytes(row["session_salt"]), words=dict(CLERK.session))
    assert row["detail"] == commitment(salt=bytes(row["detail_salt"]), words=add_with_words)
    assert bytes(row["session_salt"]) != bytes(row["detail_salt"])


def test_the_same_words_twice_have_different_commitments(undone):
    for _ in range(2):
        record("recording.received", object="a", actor=CLERK, now=START, detail={"name": "A. Clerk"})
    assert len(set(Act.objects.values_list("session", flat=True))) == 2
    assert len(set(Act.objects.values_list("detail", flat=True))) == 2


def test_an_act_with_only_a_session_or_only_a_detail_keeps_only_that(undone):
    record("recording.received", object="a", actor=CLERK, now=START)
    record("recording.received", object="b", actor=SYSTEM, now=START, detail={"name": "A. Clerk"})
    by_session, by_detail = Words.objects.order_by("act_id")
    assert (by_session.detail, by_session.detail_salt) == (None, None)
    assert (by_detail.session, by_detail.session_salt) == (None, None)


def test_an_act_without_words_has_no_row_of_words(undone):
    add("a")
    assert Words.objects.count() == 0


WORDS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(st.characters(max_codepoint=126, min_codepoint=1), max_size=8), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(words=st.dictionaries(st.sampled_from(["name", "reason", "é".encode().hex()]), WORDS, max_size=3))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_words_that_went_through_the_database_still_fit_their_commitment(undone, words):
    act_id = record("recording.received", object="a", actor=SYSTEM, now=START, detail=words)
    kept = Words.objects.get(act_id=act_id)
    stands = Act.objects.get(id=act_id).detail
    assert commitment(salt=bytes(kept.detail_salt), words=kept.detail) == stands


@pytest.mark.parametrize("words", [{"name": "a\0b"}, {"name": ["\\\0"]}, {"\0": 1}])
def test_words_that_the_database_cannot_keep_are_refused_before_it_is_asked(undone, words):
    with pytest.raises(FormatError, match="zero character"):
        record("recording.received", object="a", actor=SYSTEM, now=START, detail=words)
    with pytest.raises(FormatError, match="zero character"):
        record("recording.received", object="a", actor=Actor("system:tests", session=words), now=START)
    # The transaction is not broken by it.
    add("b")
    assert list(Act.objects.values_list("object", flat=True)) == ["b"]


def test_words_that_only_look_like_a_zero_character_are_kept(undone):
    record("recording.received", object="a", actor=SYSTEM, now=START, detail={"name": r"\u0000"})
    assert Words.objects.get().detail == {"name": r"\u0000"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"act": "recording.vanished"},
        {"object": "a name with spaces"},
        {"object": ""},
        {"actor": Actor("A. Clerk")},
        {"now": START.replace(tzinfo=None)},
        {"facts": {"duration": 1.5}},
        {"facts": {"size_bytes": 2**53}},
        {"facts": {"two_lines": "a\nb"}},
        {"facts": {"Name": "x"}},
        {"facts": {"sure": True}},
        {"outcome": "maybe"},
        {"why": "Because it was asked"},
        {"detail": {"ratio": 0.5}},
        {"detail": {"name": "\ud800"}},
    ],
)
def test_an_act_that_would_not_make_a_leaf_is_refused_before_it_is_written(undone, wrong):
    good = {"act": "recording.received", "object": "a", "actor": SYSTEM, "now": START}
    asked = good | wrong
    with pytest.raises(FormatError):
        record(asked.pop("act"), **asked)
    assert Act.objects.count() == 0


def test_an_act_that_fits_only_under_a_small_index_is_refused(undone):
    # The index is not known yet: a leaf that is too long with a later one would stop the whole log.
    facts = {f"fact_{n}": "x" * 500 for n in range(1000, 1126)}
    low, high = 0, 501
    while high - low > 1:
        size = (low + high) // 2
        try:
            record(
                "recording.received", object="a", actor=SYSTEM, now=START, facts={**facts, "last": "x" * size}
            )
            low = size
        except FormatError:
            high = size
    longest = {**facts, "last": "x" * low}
    leaf = CustodyLeaf(
        2**53 - 1, START, "recording.received", "a", "system:tests", "ok", None, longest, None, None
    )
    assert len(format_leaf(leaf)) == 65_535


@pytest.mark.parametrize(
    ("columns", "constraint"),
    [
        ({"outcome": "'perhaps'"}, "custody_act_outcome_known"),
    ],
)
def test_the_database_refuses_an_act_no_leaf_could_say(undone, columns, constraint):
    row = {
        "at": "now()",
        "act": "'recording.received'",
        "object": "'a'",
        "actor": "'system:tests'",
        "outcome": "'ok'",
        "facts": "'{}'",
    } | columns
    with pytest.raises(DatabaseError, match=constraint), transaction.atomic():
        ask(f"INSERT INTO custody_act ({', '.join(row)}) VALUES ({', '.join(row.values())})")


@pytest.mark.parametrize(
    ("columns", "constraint"),
    [
        ("session_salt, session) VALUES (%s, NULL, '{}'", "custody_words_session_has_salt"),
        ("session_salt, session) VALUES (%s, '\\x00', '{}'", "custody_words_session_has_salt"),
        ("session_salt, session) VALUES (%s, sha256('a'), NULL", "custody_words_session_has_salt"),
        ("detail_salt, detail) VALUES (%s, NULL, '{}'", "custody_words_detail_has_salt"),
        ("detail_salt, detail) VALUES (%s, '\\x00', '{}'", "custody_words_detail_has_salt"),
        ("detail_salt, detail) VALUES (%s, sha256('a'), NULL", "custody_words_detail_has_salt"),
    ],
)
def test_the_database_keeps_no_words_without_a_whole_salt(undone, columns, constraint):
    act_id = add("a")
    with pytest.raises(DatabaseError, match=constraint), transaction.atomic():
        ask(f"INSERT INTO custody_words (act_id, {columns})", act_id)


def test_how_many_acts_have_no_index_yet_can_be_asked(undone):
    assert count_unsequenced() == 0
    add("a")
    add("b")
    assert count_unsequenced() == 2


def test_the_time_of_an_act_is_an_instant_whatever_its_zone(undone):
    from datetime import timezone

    there = START.astimezone(timezone(timedelta(hours=-5)))
    record("recording.received", object="a", actor=SYSTEM, now=there)
    assert Act.objects.get().at == START


def test_the_driver_is_the_one_these_tests_believe_it_is(undone):
    connection.ensure_connection()
    assert isinstance(connection.connection, psycopg.Connection)
    assert ask("SELECT current_user") == [("plainview_app",)]

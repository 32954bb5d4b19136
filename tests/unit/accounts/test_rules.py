from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.accounts.errors import AccountsError, SpanError, UnknownRoleError
from plainview.accounts.rules import (
    ROLES,
    Correction,
    OfficerKey,
    Span,
    check_role,
    correct_spans,
    value_at,
)

NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)


def hour(number):
    return None if number is None else NOON + timedelta(hours=number)


def span(value, start, end, row=None):
    return Span(value, hour(start), hour(end), row)


def apply(believed, correction, next_row):
    """Do what the database does: mark rows superseded, insert the new ones."""
    kept = [one for one in believed if one.row not in correction.supersede]
    inserted = [
        Span(one.value, one.valid_from, one.valid_to, next_row + n) for n, one in enumerate(correction.insert)
    ]
    return kept + inserted


# --- roles


@pytest.mark.parametrize("role", sorted(ROLES))
def test_each_role_that_is_described_can_be_given(role):
    assert check_role(role) is None
    assert ROLES[role]


@pytest.mark.parametrize("role", ["", "Officer", "root", "administrator "])
def test_a_role_that_nobody_described_is_refused_with_those_there_are(role):
    with pytest.raises(UnknownRoleError, match="Expected one of: officer, supervisor") as refused:
        check_role(role)
    assert isinstance(refused.value, AccountsError)


def test_an_officer_is_told_apart_by_key_and_pseudonym():
    assert OfficerKey(1, "00" * 8) != OfficerKey(2, "00" * 8)


# --- one correction


def test_the_first_span_supersedes_nothing():
    assert correct_spans([], span(7, 0, None)) == Correction((), (span(7, 0, None),))


def test_a_span_beside_another_touches_it_not():
    beside = [span(1, 0, 2, row=10), span(2, 4, None, row=11)]
    assert correct_spans(beside, span(3, 2, 4)) == Correction((), (span(3, 2, 4),))


def test_a_span_inside_another_splits_it():
    correction = correct_spans([span(1, 0, None, row=10)], span(2, 3, 5))
    assert correction == Correction((10,), (span(1, 0, 3), span(2, 3, 5), span(1, 5, None)))


def test_a_span_across_two_others_cuts_both():
    believed = [span(1, 0, 4, row=10), span(2, 4, 8, row=11)]
    correction = correct_spans(believed, span(3, 2, 6))
    assert correction == Correction((10, 11), (span(1, 0, 2), span(3, 2, 6), span(2, 6, 8)))


def test_a_span_over_everything_leaves_nothing_of_the_rest():
    believed = [span(1, 0, 4, row=10), span(2, 5, None, row=11)]
    assert correct_spans(believed, span(3, 0, None)) == Correction((10, 11), (span(3, 0, None),))


def test_saying_again_what_is_believed_changes_nothing():
    believed = [span(1, 0, 10, row=10)]
    for again in (span(1, 0, 10), span(1, 3, 5), span(1, 0, 3)):
        assert correct_spans(believed, again) == Correction((), ())


def test_saying_the_same_for_longer_is_a_new_row():
    assert correct_spans([span(1, 0, 4, row=10)], span(1, 2, 8)) == Correction(
        (10,), (span(1, 0, 2), span(1, 2, 8))
    )


def test_nobody_is_a_value_of_its_own():
    correction = correct_spans([span(1, 0, None, row=10)], span(None, 2, None))
    assert correction == Correction((10,), (span(1, 0, 2), span(None, 2, None)))


def test_a_span_that_was_never_written_is_not_superseded():
    assert correct_spans([span(1, 0, None)], span(2, 0, None)).supersede == ()


@pytest.mark.parametrize("end", [0, -1])
def test_a_span_that_ends_when_it_begins_or_before_is_refused(end):
    with pytest.raises(SpanError, match="Expected a start before its end"):
        correct_spans([], span(1, 0, end))


# --- any sequence of corrections

HOURS = st.integers(-6, 6)
CORRECTIONS = st.lists(
    st.tuples(st.none() | st.integers(1, 3), HOURS, st.none() | st.integers(1, 8)).map(
        lambda drawn: span(drawn[0], drawn[1], None if drawn[2] is None else drawn[1] + drawn[2])
    ),
    max_size=12,
)
MOMENTS = [hour(number / 2) for number in range(-14, 34)]
UNKNOWN = object()


def holds(one, at):
    return one.valid_from <= at and (one.valid_to is None or at < one.valid_to)


@given(corrections=CORRECTIONS)
@settings(max_examples=150)
def test_after_any_corrections_each_moment_has_at_most_one_span_and_it_says_the_newest(corrections):
    believed, row = [], 1
    for correction in corrections:
        changed = correct_spans(believed, correction)
        believed, row = apply(believed, changed, row), row + len(changed.insert)
    for at in MOMENTS:
        speaking = [one for one in believed if holds(one, at)]
        newest = next((one.value for one in reversed(corrections) if holds(one, at)), UNKNOWN)
        assert len(speaking) <= 1
        assert (speaking[0].value if speaking else UNKNOWN) == newest
        assert value_at(believed, at) == (speaking[0] if speaking else None)


@given(corrections=CORRECTIONS)
@settings(max_examples=150)
def test_what_was_believed_after_each_correction_can_still_be_told_after_all(corrections):
    rows, answers = {}, []
    for now, correction in enumerate(corrections, 1):
        believed = [one for one in rows.values() if one["superseded"] is None]
        changed = correct_spans([one["span"] for one in believed], correction)
        for number in changed.supersede:
            assert rows[number]["superseded"] is None
            rows[number]["superseded"] = now
        for one in changed.insert:
            number = len(rows) + 1
            rows[number] = {
                "span": Span(one.value, one.valid_from, one.valid_to, number),
                "recorded": now,
                "superseded": None,
            }
        answers.append({at: told(rows, at, now) for at in MOMENTS})
    for moment, answer in enumerate(answers, 1):
        assert {at: told(rows, at, moment) for at in MOMENTS} == answer


def told(rows, at, known):
    speaking = [
        one["span"].value
        for one in rows.values()
        if one["recorded"] <= known
        and (one["superseded"] is None or known < one["superseded"])
        and holds(one["span"], at)
    ]
    assert len(speaking) <= 1
    return speaking[0] if speaking else UNKNOWN

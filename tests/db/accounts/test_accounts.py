from datetime import timedelta

import pytest
from django.contrib.auth.hashers import check_password
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plainview.accounts.actions import (
    add_officer,
    add_unit,
    add_user,
    assign_unit,
    end_role,
    grant_role,
    new_pseudonym,
)
from plainview.accounts.errors import NameTakenError, SpanError, UnknownRoleError
from plainview.accounts.models import Officer, RoleGrant, Unit, UnitAssignment, User
from plainview.accounts.queries import officer_key, roles_at, unit_at, unit_spans
from plainview.accounts.rules import ROLES
from plainview.custody.models import Act
from plainview.formats.leaf import commitment
from simulators.custody_rows import CLERK, START, last_act
from simulators.databases import at_once

HOUR = timedelta(hours=1)
BY = {"actor": CLERK, "now": START}


def user(username="a.clerk", **more):
    return add_user(**{"username": username, "name": "A. Clerk", "password": None, **BY} | more)


def officer(badge="4711", **more):
    return add_officer(**{"badge": badge, "name": "B. Officer", **BY} | more)


def unit(code="12", **more):
    return add_unit(**{"code": code, "name": "Car 12", **BY} | more)


def assert_last_act(act, subject, *, facts, words, now=START):
    """The newest act says this, by whom and when, and its words fit its commitments."""
    row = last_act()
    assert (row["act"], row["object"], row["at"], row["outcome"]) == (act, subject, now, "ok")
    assert row["actor"] == CLERK.pseudonym
    assert Act.objects.get(id=row["id"]).facts == facts
    from plainview.custody.models import Words

    kept = Words.objects.get(act_id=row["id"])
    assert kept.session == dict(CLERK.session)
    assert kept.detail == words
    if words is not None:
        assert row["detail"] == commitment(salt=bytes(kept.detail_salt), words=words)


# --- each action and its act


def test_adding_a_user_is_an_act_that_names_nobody(undone):
    added = user(password="correct horse")
    assert_last_act(
        "user.added", f"user:{added.pseudonym}", facts={}, words={"username": "a.clerk", "name": "A. Clerk"}
    )
    assert check_password("correct horse", added.password)
    assert "clerk" not in str(Act.objects.values().get()).lower()


def test_a_user_without_a_password_cannot_log_in_by_any(undone):
    assert not user(password=None).has_usable_password()


def test_adding_a_unit_is_an_act(undone):
    added = unit()
    assert_last_act("unit.added", f"unit:{added.pk}", facts={}, words={"code": "12", "name": "Car 12"})


def test_adding_an_officer_is_an_act(undone):
    added = officer(kind="reserve")
    assert_last_act(
        "officer.added",
        f"officer:{added.pseudonym}",
        facts={},
        words={"badge": "4711", "name": "B. Officer", "kind": "reserve"},
    )
    assert officer_key(added).pseudonym == added.pseudonym


def test_assigning_an_officer_to_a_unit_is_an_act(undone):
    who, where = officer(), unit()
    assign_unit(officer=who, unit=where, valid_from=START, valid_to=START + HOUR, **BY)
    assert_last_act(
        "unit.assigned",
        f"officer:{who.pseudonym}",
        facts={"unit": where.pk},
        words={"from": START.isoformat(), "to": (START + HOUR).isoformat()},
    )
    assign_unit(officer=who, unit=None, valid_from=START + HOUR, valid_to=None, **BY)
    assert_last_act(
        "unit.assigned",
        f"officer:{who.pseudonym}",
        facts={"unit": 0},
        words={"from": (START + HOUR).isoformat(), "to": None},
    )


@pytest.mark.parametrize("role", sorted(ROLES))
def test_granting_and_ending_a_role_are_acts(undone, role):
    who = user()
    grant = grant_role(user=who, role=role, unit=None, **BY)
    assert_last_act("role.granted", f"user:{who.pseudonym}", facts={"role": role}, words=None)
    end_role(grant=grant, actor=CLERK, now=START + HOUR)
    assert_last_act("role.ended", f"user:{who.pseudonym}", facts={"role": role}, words=None, now=START + HOUR)


@pytest.mark.parametrize(
    "again",
    [
        lambda who, grant, where: grant_role(user=who, role="officer", unit=where, **BY),
        lambda who, grant, where: end_role(grant=grant, actor=CLERK, now=START + 3 * HOUR),
        lambda who, grant, where: assign_unit(
            officer=Officer.objects.get(), unit=where, valid_from=START, valid_to=START + HOUR, **BY
        ),
    ],
)
def test_doing_again_what_is_so_already_changes_nothing_and_is_no_act(undone, again):
    who, where = user(), unit()
    assign_unit(officer=officer(), unit=where, valid_from=START, valid_to=None, **BY)
    ended = grant_role(user=who, role="supervisor", unit=None, **BY)
    end_role(grant=ended, actor=CLERK, now=START + HOUR)
    grant_role(user=who, role="officer", unit=where, **BY)
    before = Act.objects.count(), list(RoleGrant.objects.values()), list(UnitAssignment.objects.values())
    again(who, ended, where)
    assert (
        Act.objects.count(),
        list(RoleGrant.objects.values()),
        list(UnitAssignment.objects.values()),
    ) == before


def test_an_action_that_is_refused_leaves_no_act(undone):
    who = user()
    count = Act.objects.count()
    with pytest.raises(UnknownRoleError):
        grant_role(user=who, role="root", unit=None, **BY)
    with pytest.raises(SpanError):
        assign_unit(officer=officer(), unit=None, valid_from=START, valid_to=START, **BY)
    assert Act.objects.count() == count + 1  # the officer's


@pytest.mark.parametrize("add", [user, officer, unit])
def test_a_name_that_is_taken_is_refused_and_the_transaction_goes_on(undone, add):
    add()
    with pytest.raises(NameTakenError, match="already"):
        add()
    assert Act.objects.count() == 1
    add("another")
    assert Act.objects.count() == 2


@pytest.mark.parametrize("add", [user, officer, unit])
def test_of_two_who_take_a_name_at_once_one_is_told(database, add):
    outcomes = at_once(add, add, add)
    taken = [outcome for outcome in outcomes if isinstance(outcome, NameTakenError)]
    assert len(taken) == 2, outcomes
    assert Act.objects.count() == 1


def test_of_two_who_grant_the_same_role_at_once_both_get_the_one_grant(database):
    who = user()
    outcomes = at_once(*(lambda: grant_role(user=who, role="officer", unit=None, **BY) for _ in range(3)))
    assert len({grant.pk for grant in outcomes}) == 1, outcomes
    assert Act.objects.filter(act="role.granted").count() == 1


def test_of_two_who_end_a_role_at_once_one_writes_the_act(database):
    grant = grant_role(user=user(), role="officer", unit=None, **BY)
    outcomes = at_once(*(lambda: end_role(grant=grant, actor=CLERK, now=START + HOUR) for _ in range(3)))
    assert outcomes == [None] * 3
    assert Act.objects.filter(act="role.ended").count() == 1


def test_of_many_who_assign_at_once_each_is_believed_in_turn(database):
    who = officer()
    units = [unit(str(number)) for number in range(4)]

    def assign(where):
        return lambda: assign_unit(officer=who, unit=where, valid_from=START, valid_to=None, **BY)

    assert at_once(*(assign(where) for where in units)) == [None] * 4
    assert len(unit_spans(who)) == 1
    assert UnitAssignment.objects.count() == 4


def test_pseudonyms_are_sixteen_hexadecimal_digits_that_do_not_repeat():
    made = {new_pseudonym() for _ in range(100)}
    assert len(made) == 100
    assert all(len(one) == 16 and set(one) <= set("0123456789abcdef") for one in made)


# --- what was believed when


def test_roles_are_told_as_of_a_moment_and_as_believed_at_a_moment(undone):
    who = user()
    grant = grant_role(user=who, role="officer", unit=None, **BY)
    end_role(grant=grant, actor=CLERK, now=START + 2 * HOUR)
    assert roles_at(who, at=START - HOUR) == set()
    assert roles_at(who, at=START + HOUR) == {"officer"}
    assert roles_at(who, at=START + 2 * HOUR) == set()
    # Before the role was ended, it was believed to go on.
    assert roles_at(who, at=START + 3 * HOUR, known_at=START + HOUR) == {"officer"}
    assert roles_at(who, at=START + 3 * HOUR, known_at=START + 2 * HOUR) == set()
    assert roles_at(who, at=START + HOUR, known_at=START - HOUR) == set()


def test_a_role_that_ends_as_it_begins_was_never_held(undone):
    who = user()
    end_role(grant=grant_role(user=who, role="officer", unit=None, **BY), **BY)
    assert roles_at(who, at=START) == set()
    assert RoleGrant.objects.count() == 1


def test_a_role_can_be_given_again_after_it_ended(undone):
    who = user()
    end_role(grant=grant_role(user=who, role="officer", unit=None, **BY), actor=CLERK, now=START + HOUR)
    grant_role(user=who, role="officer", unit=None, actor=CLERK, now=START + 2 * HOUR)
    held = [bool(roles_at(who, at=START + n * HOUR / 2)) for n in range(6)]
    assert held == [True, True, False, False, True, True]


def test_a_role_everywhere_and_the_same_role_for_a_unit_are_two(undone):
    who = user()
    everywhere = grant_role(user=who, role="officer", unit=None, **BY)
    for_one = grant_role(user=who, role="officer", unit=unit(), **BY)
    assert everywhere.pk != for_one.pk
    end_role(grant=everywhere, actor=CLERK, now=START + HOUR)
    assert roles_at(who, at=START + 2 * HOUR) == {"officer"}


HOURS = st.integers(0, 8)
SPANS = st.lists(st.tuples(st.integers(0, 2), HOURS, st.none() | st.integers(1, 5)), min_size=1, max_size=6)


@given(assignments=SPANS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_after_any_corrections_an_officers_unit_is_what_was_said_last_and_what_was_believed_stays(
    undone, assignments
):
    with transaction.atomic():
        who, units = officer(), [None, unit("1"), unit("2")]
        said, believed = [], []
        for number, (which, first, length) in enumerate(assignments, 1):
            start = START + first * HOUR
            end = None if length is None else start + length * HOUR
            now = START + timedelta(days=number)
            assign_unit(officer=who, unit=units[which], valid_from=start, valid_to=end, actor=CLERK, now=now)
            said.append((units[which], start, end))
            believed.append((now, answers(who, known_at=None)))
        for at, answer in answers(who, known_at=None).items():
            newest = next(
                (u for u, start, end in reversed(said) if start <= at and (end is None or at < end)), None
            )
            assert answer == newest
        for now, then in believed:
            assert answers(who, known_at=now) == then
        transaction.set_rollback(True)


def answers(who, *, known_at):
    return {START + n * HOUR: unit_at(who, at=START + n * HOUR, known_at=known_at) for n in range(-1, 15, 3)}


# --- what the database itself refuses

SPAN = {"valid_from": START, "recorded_at": START}
BAD_ROWS = {
    "accounts_user_username_key": lambda u, o, n: User.objects.create(
        username=u.username, pseudonym=new_pseudonym(), added_at=START
    ),
    "accounts_user_pseudonym_key": lambda u, o, n: User.objects.create(
        username="x", pseudonym=u.pseudonym, added_at=START
    ),
    "accounts_user_pseudonym_hex": lambda u, o, n: User.objects.create(
        username="x", pseudonym="A" * 16, added_at=START
    ),
    "accounts_user_username_plain": lambda u, o, n: User.objects.create(
        username="A.Clerk", pseudonym=new_pseudonym(), added_at=START
    ),
    "accounts_unit_code_key": lambda u, o, n: Unit.objects.create(code=n.code, added_at=START),
    "accounts_officer_badge_key": lambda u, o, n: Officer.objects.create(
        badge=o.badge, pseudonym=new_pseudonym(), added_at=START
    ),
    "accounts_officer_pseudonym_key": lambda u, o, n: Officer.objects.create(
        badge="x", pseudonym=o.pseudonym, added_at=START
    ),
    "accounts_officer_pseudonym_hex": lambda u, o, n: Officer.objects.create(
        badge="x", pseudonym="0" * 15, added_at=START
    ),
    "accounts_officer_kind_known": lambda u, o, n: Officer.objects.create(
        badge="x", pseudonym=new_pseudonym(), kind="robot", added_at=START
    ),
    "accounts_officer_user_id_key": lambda u, o, n: [
        Officer.objects.create(badge=badge, pseudonym=new_pseudonym(), user=u, added_at=START)
        for badge in "xy"
    ],
    "accounts_unit_ends_after_start": lambda u, o, n: UnitAssignment.objects.create(
        officer=o, unit=n, valid_to=START, **SPAN
    ),
    "accounts_unit_superseded_after_recorded": lambda u, o, n: UnitAssignment.objects.create(
        officer=o, unit=n, superseded_at=START - HOUR, **SPAN
    ),
    "accounts_one_unit_at_a_time": lambda u, o, n: [
        UnitAssignment.objects.create(
            officer=o, unit=n, valid_from=START + gap, valid_to=None, recorded_at=START
        )
        for gap in (HOUR, 0 * HOUR)
    ],
    "accounts_role_ends_after_start": lambda u, o, n: RoleGrant.objects.create(
        user=u, role="officer", valid_to=START - HOUR, **SPAN
    ),
    "accounts_role_superseded_after_recorded": lambda u, o, n: RoleGrant.objects.create(
        user=u, role="officer", superseded_at=START - HOUR, **SPAN
    ),
    "accounts_role_known": lambda u, o, n: RoleGrant.objects.create(user=u, role="root", **SPAN),
    "accounts_one_open_grant": lambda u, o, n: [
        RoleGrant.objects.create(user=u, role="officer", unit=None, **SPAN) for _ in range(2)
    ],
}


@pytest.mark.parametrize("constraint", sorted(BAD_ROWS))
def test_the_database_refuses_a_row_that_breaks_a_rule(undone, constraint):
    who, patrol, place = user(), officer(), unit()
    with pytest.raises(IntegrityError, match=f'"{constraint}"'), transaction.atomic():
        BAD_ROWS[constraint](who, patrol, place)


def test_every_constraint_of_accounts_has_a_row_that_breaks_it():
    from simulators.constraints import constraints_of

    assert constraints_of("accounts") <= set(BAD_ROWS)


def test_spans_that_meet_or_were_superseded_are_no_overlap(undone):
    who = officer()
    UnitAssignment.objects.create(officer=who, valid_to=START + HOUR, **SPAN)
    UnitAssignment.objects.create(officer=who, valid_from=START + HOUR, recorded_at=START)
    UnitAssignment.objects.create(officer=who, superseded_at=START, **SPAN)
    UnitAssignment.objects.create(officer=officer("4712"), **SPAN)


def test_a_broken_constraint_that_is_not_about_the_name_is_not_called_a_taken_name(undone):
    with pytest.raises(IntegrityError, match="accounts_officer_kind_known"):
        officer(kind="robot")

import json
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.hashers import check_password

from plainview.accounts.actions import (
    add_officer,
    add_unit,
    add_user,
    grant_role,
    note_factor,
    note_locked_out,
    note_password,
    note_signed_in,
    remove_factors,
    set_officer_user,
    set_open,
    set_password,
)
from plainview.accounts.errors import NameTakenError, NoSuchNameError, NotHeldError, UsernameError
from plainview.accounts.models import Officer, User
from plainview.accounts.queries import (
    held_grant,
    known_users,
    officer_with_badge,
    unit_with_code,
    user_named,
    viewer_of,
)
from plainview.accounts.rules import COOL_OFF, Viewer
from plainview.custody.models import Act
from simulators.custody_rows import CLERK, START, SYSTEM, last_act
from simulators.databases import at_once
from simulators.visitors import visitor

BY = {"actor": CLERK, "now": START}
HOUR = timedelta(hours=1)
PASSWORD = "a long enough pass phrase"


def user(username="a.clerk", **more):
    return add_user(**{"username": username, "name": "A. Clerk", "password": None, **BY} | more)


def assert_last_act(act, subject, *, actor=CLERK, outcome="ok", facts=None, now=START):
    row = last_act()
    assert (row["act"], row["object"], row["actor"]) == (act, subject, actor.pseudonym)
    assert (row["outcome"], row["at"], json.loads(row["facts"])) == (outcome, now, facts or {})
    words = None if row["session_words"] is None else json.loads(row["session_words"])
    assert words == (None if actor.session is None else dict(actor.session))


# --- names


@pytest.mark.parametrize("name", ["", "A.Clerk", "a clerk", ".a", "-a", "ä", "a" * 65, "a\n", "a/b"])
def test_a_user_name_that_two_people_could_spell_two_ways_is_refused(undone, name):
    with pytest.raises(UsernameError, match="Expected small letters"):
        user(name)
    assert (User.objects.count(), Act.objects.count()) == (0, 0)


@pytest.mark.parametrize("name", ["a", "4417", "a.b-c_d", "9" * 64])
def test_a_plain_user_name_is_taken_as_it_is(undone, name):
    assert user_named(user(name).username).username == name


# --- each action and its act


def test_setting_a_password_is_an_act_that_holds_none_of_it(undone):
    who = user()
    set_password(user=who, password=PASSWORD, **BY)
    assert_last_act("user.password_set", f"user:{who.pseudonym}")
    assert check_password(PASSWORD, User.objects.get().password)
    assert PASSWORD not in str(Act.objects.values())


def test_a_password_that_a_person_changed_themselves_is_an_act(undone):
    who = user()
    note_password(user=who, **BY)
    assert_last_act("user.password_set", f"user:{who.pseudonym}")


def test_signing_in_is_an_act_with_where_from_behind_its_commitment(undone):
    who = user()
    note_signed_in(user=who, **BY)
    assert_last_act("user.signed_in", f"user:{who.pseudonym}")


@pytest.mark.parametrize(("is_added", "act"), [(True, "user.factor_added"), (False, "user.factor_removed")])
def test_adding_and_removing_a_second_factor_are_acts(undone, is_added, act):
    who = user()
    note_factor(user=who, factor="totp", is_added=is_added, **BY)
    assert_last_act(act, f"user:{who.pseudonym}", facts={"factor": "totp"})


def test_an_officer_can_be_told_to_be_somebody_who_logs_in_and_sees_then_what_they_wore(undone):
    who = user()
    officer = add_officer(badge="4711", name="B. Officer", **BY)
    set_officer_user(officer=officer, user=who, **BY)
    assert_last_act("officer.user_set", f"officer:{officer.pseudonym}", facts={"user": who.pseudonym})
    assert viewer_of(who, at=START).officer == officer.pk
    before = Act.objects.count()
    set_officer_user(officer=officer, user=who, **BY)
    assert Act.objects.count() == before


def test_nobody_is_two_officers(undone):
    who = user()
    first, second = (add_officer(badge=badge, name="B. Officer", **BY) for badge in ("1", "2"))
    set_officer_user(officer=first, user=who, **BY)
    before = Act.objects.count()
    with pytest.raises(NameTakenError, match=r"a\.clerk"):
        set_officer_user(officer=second, user=who, **BY)
    assert Act.objects.count() == before
    assert Officer.objects.get(badge="2").user is None


def test_second_factors_that_somebody_lost_are_taken_away_each_by_an_act(undone):
    who, other = user(), user("another")
    for person in (who, other):
        TOTP.activate(person, "JBSWY3DPEHPK3PXP")
        RecoveryCodes.activate(person)
    before = Act.objects.count()
    assert remove_factors(user=who, **BY) == 2
    assert_last_act("user.factor_removed", f"user:{who.pseudonym}", facts={"factor": "recovery_codes"})
    assert Act.objects.count() == before + 2
    assert set(Authenticator.objects.values_list("user", flat=True)) == {other.pk}
    assert remove_factors(user=who, **BY) == 0
    assert Act.objects.count() == before + 2


# --- locks


def test_a_lock_is_noted_once_until_it_can_have_ended(undone):
    who = user()
    noted = [
        note_locked_out(username="a.clerk", actor=SYSTEM, now=START + gap)
        for gap in (
            0 * COOL_OFF,
            COOL_OFF / 2,
            COOL_OFF - timedelta(milliseconds=1),
            COOL_OFF,
            1.5 * COOL_OFF,
        )
    ]
    assert noted == [True, False, False, True, False]
    assert Act.objects.filter(act="user.locked_out").count() == 2
    assert_last_act(
        "user.locked_out", f"user:{who.pseudonym}", actor=SYSTEM, outcome="denied", now=START + COOL_OFF
    )


def test_a_name_that_nobody_has_cannot_make_the_log_grow(undone):
    assert not note_locked_out(username="nobody", actor=SYSTEM, now=START)
    assert Act.objects.count() == 0


def test_of_two_that_lock_somebody_at_once_one_is_noted(database):
    user()
    noted = at_once(*[lambda: note_locked_out(username="a.clerk", actor=SYSTEM, now=START) for _ in range(2)])
    assert sorted(noted) == [False, True]
    assert Act.objects.filter(act="user.locked_out").count() == 1


# --- finding


def test_everybody_is_listed_with_what_they_hold_and_who_they_are(undone):
    unit = add_unit(code="P12", name="Patrol 12", **BY)
    first, second = user("first", password=PASSWORD), user("second")
    add_officer(badge="4711", name="B. Officer", user=second, **BY)
    for role, where in (("supervisor", unit), ("custodian", None)):
        grant_role(user=second, role=role, unit=where, **BY)
    one, two = known_users(at=START)
    assert (one.key, one.username, one.roles, one.badge, one.has_password) == (
        first.pk,
        "first",
        (),
        "",
        True,
    )
    assert (two.roles, two.badge, two.has_password) == (
        (("custodian", ""), ("supervisor", "P12")),
        "4711",
        False,
    )
    assert [known.roles for known in known_users(at=START - HOUR)] == [(), ()]


def test_what_goes_by_no_name_is_said(undone):
    who, unit = user(), add_unit(code="P12", name="Patrol 12", **BY)
    grant = grant_role(user=who, role="supervisor", unit=unit, **BY)
    assert unit_with_code("P12") == unit
    assert held_grant(who, role="supervisor", unit=unit) == grant
    assert officer_with_badge("4711") is None
    with pytest.raises(NoSuchNameError, match="no user 'x'"):
        user_named("x")
    with pytest.raises(NoSuchNameError, match="no unit 'x'"):
        unit_with_code("x")
    with pytest.raises(NotHeldError, match="supervisor everywhere"):
        held_grant(who, role="supervisor", unit=None)
    with pytest.raises(NotHeldError, match="officer for unit P12"):
        held_grant(who, role="officer", unit=unit)


def test_a_viewer_is_who_they_are_and_what_they_hold_at_that_moment(undone):
    unit = add_unit(code="P12", name="Patrol 12", **BY)
    who = user()
    officer = add_officer(badge="4711", name="B. Officer", user=who, **BY)
    grant_role(user=who, role="custodian", unit=None, **BY)
    grant_role(user=who, role="supervisor", unit=unit, **BY)
    assert viewer_of(who, at=START) == Viewer(
        user=who.pk,
        pseudonym=f"user:{who.pseudonym}",
        officer=officer.pk,
        roles=frozenset({"custodian"}),
        unit_roles=frozenset({("supervisor", unit.pk)}),
    )
    assert viewer_of(who, at=START - HOUR).all_roles == frozenset()


def test_somebody_who_is_closed_is_signed_out_at_once_and_can_be_let_in_again(undone):
    asked = visitor("custodian")
    assert asked.get("/to-do").status_code == 200
    set_open(user=asked.user, is_open=False, **BY)
    assert_last_act("user.closed", f"user:{asked.user.pseudonym}")
    assert asked.get("/to-do").status_code == 302
    set_open(user=asked.user, is_open=True, **BY)
    assert_last_act("user.reopened", f"user:{asked.user.pseudonym}")


def test_closing_somebody_who_is_closed_is_no_act(undone):
    who = user()
    set_open(user=who, is_open=False, **BY)
    before = Act.objects.count()
    set_open(user=who, is_open=False, **BY)
    assert Act.objects.count() == before

"""Who may do what: every role, everywhere and over a unit, alone and two together, against a table written apart."""

from dataclasses import replace
from itertools import combinations, product

import pytest

from plainview.accounts import rules
from plainview.accounts.rules import DEEDS, NOBODY, PLACES, ROLES, Footage, Viewer, decide, decide_place

HERE, ELSEWHERE = 1, 2
ME, SOMEBODY = 41, 42
LETTERS = {
    "know": "recording.know",
    "see": "recording.see",
    "export": "recording.export",
    "mend": "recording.mend",
    "restrict": "recording.restrict",
}
# What a role opens over a recording that it reaches; and over a restricted one.
OPEN = {
    "officer": "",
    "supervisor": "know see",
    "investigator": "know see export",
    "custodian": "know see export mend restrict",
    "records": "know see export",
    "approver": "know see",
    "prosecutor": "",
    "defence": "",
    "oversight": "know see",
    "administrator": "",
}
RESTRICTED = {role: "know" if "know" in words else "" for role, words in OPEN.items()} | {
    "custodian": OPEN["custodian"]
}
OWN_OPEN, OWN_RESTRICTED = "know see", "know"
AT = {
    "tasks.read": set(ROLES),
    "recordings.list": {
        "officer",
        "supervisor",
        "investigator",
        "custodian",
        "records",
        "approver",
        "oversight",
    },
    "uploads.make": {"officer", "supervisor", "investigator", "custodian", "records"},
    "quarantine.read": {"custodian"},
    "cameras.read": {"supervisor", "custodian", "administrator"},
    "cameras.mend": {"custodian", "administrator"},
    "imports.make": {"investigator", "custodian", "records"},
}
SCOPES = (None, HERE, ELSEWHERE)
GRANTS = tuple(product(ROLES, SCOPES))
FOOTAGE = tuple(
    Footage(wearer, unit, is_restricted)
    for wearer, unit, is_restricted in product((None, ME, SOMEBODY), (None, HERE, ELSEWHERE), (False, True))
)


def viewer(*grants, officer=None):
    return Viewer(
        user=7,
        pseudonym="user:00",
        officer=officer,
        roles=frozenset(role for role, unit in grants if unit is None),
        unit_roles=frozenset((role, unit) for role, unit in grants if unit is not None),
    )


def viewers(most):
    for count in range(most + 1):
        for grants in combinations(GRANTS, count):
            for officer in (None, ME):
                yield grants, viewer(*grants, officer=officer)


def allowed(grants, officer, footage):
    """Return the actions the table opens."""
    table, own = (RESTRICTED, OWN_RESTRICTED) if footage.is_restricted else (OPEN, OWN_OPEN)
    words = {
        word for role, unit in grants if unit is None or unit == footage.unit for word in table[role].split()
    }
    if officer is not None and officer == footage.wearer and any(role == "officer" for role, _ in grants):
        words |= set(own.split())
    return {LETTERS[word] for word in words}


def differences(most):
    """Yield each question that decide() and the table answer differently."""
    for grants, who in viewers(most):
        for footage in FOOTAGE:
            told = {action for action in DEEDS if decide(who, action, footage)}
            if told != allowed(grants, who.officer, footage):
                yield grants, who.officer, footage, told


def place_differences():
    for grants, who in viewers(1):
        for place in PLACES:
            if decide_place(who, place) != any(role in AT[place] for role, _ in grants):
                yield grants, place


def test_every_action_and_place_is_in_the_table():
    assert set(LETTERS.values()) == set(DEEDS)
    assert set(OPEN) == set(ROLES)
    assert set(AT) == set(PLACES)


def test_every_question_is_answered_as_the_table_says():
    assert list(differences(2)) == []
    assert list(place_differences()) == []


# --- the same, as sentences; each holds whatever else somebody is


def everything(action, *, without=(), **footage):
    """Return every viewer of one or two roles, none of them among `without`, who may do something."""
    shown = [one for one in FOOTAGE if all(getattr(one, name) == value for name, value in footage.items())]
    return [
        (grants, one)
        for grants, who in viewers(2)
        if not {role for role, _ in grants} & set(without)
        for one in shown
        if decide(who, action, one)
    ]


def test_an_administrator_sees_no_footage_by_that_role_and_the_defence_and_a_prosecutor_none():
    for role in ("administrator", "defence", "prosecutor"):
        for scope, footage, officer, action in product(SCOPES, FOOTAGE, (None, ME), DEEDS):
            assert not decide(viewer((role, scope), officer=officer), action, footage)


def test_nobody_may_do_anything():
    for footage, action in product(FOOTAGE, DEEDS):
        assert not decide(NOBODY, action, footage)
        assert not decide(viewer(officer=ME), action, footage)
    assert not any(decide_place(NOBODY, place) for place in PLACES)


def test_the_operator_may_do_everything():
    operator = Viewer(is_operator=True)
    assert all(decide(operator, action, footage) for footage, action in product(FOOTAGE, DEEDS))
    assert all(decide_place(operator, place) for place in PLACES)


def test_who_may_see_may_know():
    for _, who in viewers(2):
        for footage in FOOTAGE:
            for action in DEEDS:
                assert not decide(who, action, footage) or decide(who, "recording.know", footage)


def test_a_restriction_takes_nobodys_knowing_and_gives_nobody_anything():
    for _, who in viewers(2):
        for footage in FOOTAGE:
            if not footage.is_restricted:
                shut = replace(footage, is_restricted=True)
                assert decide(who, "recording.know", shut) == decide(who, "recording.know", footage)
                assert all(decide(who, action, footage) for action in DEEDS if decide(who, action, shut))


def test_only_a_custodian_sees_or_changes_what_is_restricted():
    for action in set(DEEDS) - {"recording.know"}:
        assert everything(action, without=("custodian",), is_restricted=True) == []


def test_only_a_custodian_corrects_or_restricts():
    for action in ("recording.mend", "recording.restrict"):
        assert everything(action, without=("custodian",)) == []


def test_a_role_for_one_unit_reaches_no_other_and_nothing_whose_unit_is_unknown():
    for role, footage, action in product(ROLES, FOOTAGE, DEEDS):
        if footage.unit != HERE:
            assert not decide(viewer((role, HERE)), action, footage)


def test_an_officer_reaches_what_they_wore_and_nothing_else():
    for footage in FOOTAGE:
        knows = decide(viewer(("officer", None), officer=ME), "recording.know", footage)
        assert knows == (footage.wearer == ME)


def test_an_unknown_wearer_is_nobodys_own():
    for scope in SCOPES:
        assert not decide(viewer(("officer", scope)), "recording.know", Footage(None, None, False))


def test_who_wore_a_camera_and_is_no_officer_any_more_sees_nothing_by_it():
    assert not decide(viewer(officer=ME), "recording.see", Footage(ME, HERE, False))


def test_the_wearer_may_not_export_or_correct_their_own_recording():
    who = viewer(("officer", None), officer=ME)
    for action in ("recording.export", "recording.mend", "recording.restrict"):
        assert not decide(who, action, Footage(ME, HERE, False))


@pytest.mark.parametrize("action", ["", "recording.sees", "recordings.list", "Recording.see"])
def test_nothing_is_allowed_by_a_misspelling(action):
    for who in (NOBODY, Viewer(is_operator=True), viewer(("custodian", None))):
        with pytest.raises(KeyError):
            decide(who, action, Footage(None, None, False))


def test_no_place_is_opened_by_a_misspelling():
    with pytest.raises(KeyError):
        decide_place(viewer(("custodian", None)), "recording.see")


# --- known-bad rules: each is noticed


def toggled(roles, role):
    return roles ^ {role}


@pytest.mark.parametrize("action", sorted(DEEDS))
@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_role_given_or_taken_in_one_action_is_noticed(monkeypatch, action, role):
    monkeypatch.setitem(rules.DEEDS, action, toggled(DEEDS[action], role))
    assert next(differences(1), None)


@pytest.mark.parametrize("place", sorted(PLACES))
@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_role_given_or_taken_in_one_place_is_noticed(monkeypatch, place, role):
    monkeypatch.setitem(rules.PLACES, place, toggled(PLACES[place], role))
    assert next(place_differences(), None)


@pytest.mark.parametrize("action", sorted(DEEDS))
def test_an_action_moved_in_or_out_of_what_is_ones_own_is_noticed(monkeypatch, action):
    monkeypatch.setattr(rules, "OWN_DEEDS", toggled(rules.OWN_DEEDS, action))
    assert next(differences(1), None)


# Correcting and restricting are a custodian's either way.
@pytest.mark.parametrize("action", sorted(set(DEEDS) - {"recording.mend", "recording.restrict"}))
def test_an_action_moved_in_or_out_of_what_a_restriction_leaves_is_noticed(monkeypatch, action):
    monkeypatch.setattr(rules, "OPEN_DEEDS", toggled(rules.OPEN_DEEDS, action))
    assert next(differences(1), None)


@pytest.mark.parametrize("role", sorted(role for role, words in OPEN.items() if "see" in words))
def test_a_role_given_or_taken_over_what_is_restricted_is_noticed(monkeypatch, role):
    monkeypatch.setattr(rules, "RESTRICTED_ROLES", toggled(rules.RESTRICTED_ROLES, role))
    assert next(differences(1), None)


def test_units_that_are_ignored_are_noticed(monkeypatch):
    monkeypatch.setattr(rules, "roles_over", lambda who, _unit: who.all_roles)
    assert next(differences(1), None)

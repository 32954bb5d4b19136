"""What lists and searches show is what decide() says of each row; who asks for one recording is answered alike."""

from dataclasses import dataclass
from itertools import combinations, product

import pytest

from plainview.accounts import rules
from plainview.accounts.actions import add_officer, add_unit
from plainview.accounts.rules import NOBODY, ROLES, Viewer, decide
from plainview.evidence import queries
from plainview.evidence.errors import NoSuchRecordingError, RestrictedError
from plainview.evidence.models import Recording, SearchRow
from plainview.evidence.queries import access_recording, access_recordings, footage_of, may_know, may_see
from simulators.custody_rows import CLERK, START
from simulators.roster import receive

BY = {"actor": CLERK, "now": START}
ABSENT = "R-26-00004217-5"


@dataclass(frozen=True)
class Grid:
    """Recordings of every kind: worn by me, by somebody, by nobody known; here, elsewhere, nowhere; open and restricted."""

    me: int
    here: int
    elsewhere: int


@pytest.fixture
def grid(undone):
    me, somebody = (add_officer(badge=badge, name="B. Officer", **BY) for badge in ("1", "2"))
    here, elsewhere = (add_unit(code=code, name=code, **BY) for code in ("P12", "P14"))
    for number, (wearer, unit, is_restricted) in enumerate(
        product((None, me, somebody), (None, here, elsewhere), (False, True))
    ):
        row = SearchRow.objects.get(recording_id=receive(f"grid {number}").key)
        row.wearer, row.unit, row.is_restricted = wearer, unit, is_restricted
        row.save()
    return Grid(me.pk, here.pk, elsewhere.pk)


def viewers(grid):
    grants = list(product(ROLES, (None, grid.here, grid.elsewhere)))
    yield NOBODY
    yield Viewer(is_operator=True)
    for count in (0, 1, 2):
        for held in combinations(grants, count):
            for officer in (None, grid.me):
                yield Viewer(
                    user=7,
                    officer=officer,
                    roles=frozenset(role for role, unit in held if unit is None),
                    unit_roles=frozenset((role, unit) for role, unit in held if unit is not None),
                )


def differences(grid, condition, action, *, most=None):
    """Yield each viewer of whom the condition and decide() say different rows."""
    rows = list(SearchRow.objects.all())
    answers = {}
    for viewer in list(viewers(grid))[:most]:
        asked = condition(viewer)
        # Many viewers make the same condition; each is asked once.
        if str(asked) not in answers:
            answers[str(asked)] = set(SearchRow.objects.filter(asked).values_list("pk", flat=True))
        said = {row.pk for row in rows if decide(viewer, action, footage_of(row))}
        if said != answers[str(asked)]:
            yield viewer


@pytest.mark.parametrize(("condition", "action"), [(may_know, "recording.know"), (may_see, "recording.see")])
def test_the_rows_shown_are_those_that_decide_names(grid, condition, action):
    assert SearchRow.objects.count() == 18
    assert list(differences(grid, condition, action)) == []


def test_a_condition_that_forgets_restrictions_units_or_what_is_ones_own_would_be_noticed(grid, monkeypatch):
    assert next(differences(grid, may_know, "recording.see"), None)
    assert next(differences(grid, may_see, "recording.know"), None)
    monkeypatch.setattr(queries, "OWN_DEEDS", frozenset())
    assert next(differences(grid, may_know, "recording.know"), None)


def test_asking_for_one_recording_answers_as_decide_says(grid):
    everyone = list(viewers(grid))
    for row in SearchRow.objects.select_related("recording"):
        footage, identifier = footage_of(row), row.recording.identifier
        for viewer, action in product(everyone[:: len(everyone) // 12], rules.DEEDS):
            expected = (
                "absent"
                if not decide(viewer, "recording.know", footage)
                else "found"
                if decide(viewer, action, footage)
                else "restricted"
            )
            assert answered(viewer, identifier, action) == expected


def answered(viewer, identifier, action):
    try:
        found = access_recording(viewer=viewer, identifier=identifier, to=action)
    except NoSuchRecordingError:
        return "absent"
    except RestrictedError:
        return "restricted"
    assert found.identifier == identifier
    return "found"


def test_a_list_shows_what_may_be_known_and_nothing_else(grid):
    officer = Viewer(user=7, officer=grid.me, roles=frozenset({"officer"}))
    own = set(SearchRow.objects.filter(wearer_id=grid.me).values_list("pk", flat=True))
    assert {known.key for known in access_recordings(viewer=officer)} == own
    assert list(access_recordings(viewer=NOBODY)) == []


def test_absent_mistyped_and_not_to_be_known_raise_the_same_with_the_same_words(grid):
    identifier = Recording.objects.first().identifier
    refusals = {}
    for asked, viewer in ((identifier, NOBODY), (ABSENT, NOBODY), (ABSENT, Viewer(is_operator=True))):
        with pytest.raises(NoSuchRecordingError) as refused:
            access_recording(viewer=viewer, identifier=asked)
        refusals[asked, viewer.is_operator] = str(refused.value).replace(asked, "R")
    assert len(set(refusals.values())) == 1

"""What stands in a row of the list, and what a list can be narrowed to."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from plainview.accounts.rules import Viewer
from plainview.evidence.listing import STATES, Count, Cursor, Filters, choices, list_recordings, parse_cursor
from simulators.custody_rows import START
from simulators.library import add_recording, add_storyboard, device_row, officer_row, unit_row

OPERATOR = Viewer(is_operator=True)


def only(viewer=OPERATOR):
    (row,) = list_recordings(viewer).rows
    return row


def test_a_row_says_what_is_known_of_a_recording(undone):
    recording = add_recording(
        4217,
        unit=unit_row("north"),
        wearer=officer_row("Ada Lee", "17"),
        device=device_row("X-100", make="Axis", model=""),
    )
    row = only()
    assert (row.key, row.identifier) == (recording.pk, recording.identifier)
    assert (row.shown_at, row.started_at, row.zone) == (START, START, "America/New_York")
    assert (row.duration_ms, row.wearer, row.badge) == (61_000, "Ada Lee", "17")
    assert (row.device, row.unit) == ("Axis X-100", "north")
    assert (row.state, row.fraction, row.unfinished, row.has_poster) == ("ready", 1.0, (), False)
    assert (row.is_visible, row.is_restricted, row.moments) == (True, False, ())


def test_what_is_not_known_is_left_empty(undone):
    add_recording(1, is_dated=False, duration_ms=None)
    row = only()
    assert (row.shown_at, row.started_at, row.duration_ms) == (START, None, None)
    assert (row.wearer, row.badge, row.device, row.unit) == ("", "", "", "")


@pytest.mark.parametrize(
    ("steps", "state", "fraction", "unfinished"),
    [
        (("done", "done"), "ready", 1.0, ()),
        (("doing", "waiting"), "processing", 0.25, ("derive", "transcript")),
        (("done", "doing"), "processing", 0.75, ("transcript",)),
        (("parked", "doing"), "attention", 0.25, ("transcript",)),
    ],
)
def test_a_row_says_how_far_its_steps_are(undone, steps, state, fraction, unfinished):
    add_storyboard(add_recording(1, steps=tuple(zip(("derive", "transcript"), steps, strict=True))))
    row = only()
    assert (row.state, row.fraction, row.unfinished) == (state, fraction, unfinished)
    assert row.has_poster


def test_of_a_restricted_recording_a_row_says_that_it_exists_and_no_more(undone):
    recording = add_recording(1, is_restricted=True, steps=(("derive", "parked"), ("transcript", "doing")))
    add_storyboard(recording)
    row = only(Viewer(user=1, roles=frozenset({"investigator"})))
    assert (row.identifier, row.shown_at, row.duration_ms) == (recording.identifier, START, 61_000)
    assert (row.state, row.fraction, row.unfinished, row.has_poster) == ("restricted", 1.0, (), False)
    row = only(Viewer(user=1, roles=frozenset({"custodian"})))
    assert (row.state, row.unfinished, row.has_poster) == ("restricted", ("transcript",), True)


def test_a_list_is_narrowed_by_device_and_says_what_that_hides(undone):
    add_recording(1, device=device_row("X-100"))
    add_recording(2)
    page = list_recordings(OPERATOR, Filters(device="X-100"))
    assert [row.identifier[12] for row in page.rows] == ["1"]
    assert (page.total, page.hidden) == (Count(1), Count(1))


@pytest.mark.parametrize("role", ["investigator", "custodian"])
def test_a_list_is_narrowed_to_the_rows_that_show_a_state(undone, role):
    pairs = itertools.product(("done", "waiting", "doing", "parked"), repeat=2)
    for number, (states, is_restricted) in enumerate(itertools.product(pairs, (False, True)), start=1):
        add_recording(
            number,
            steps=tuple(zip(("derive", "transcript"), states, strict=True)),
            is_restricted=is_restricted,
        )
    add_recording(number + 1)
    viewer = Viewer(user=1, roles=frozenset({role}))
    shown = list_recordings(viewer).rows
    for state in STATES:
        fitting = list_recordings(viewer, Filters(state=state)).rows
        assert fitting == tuple(row for row in shown if row.state == state)
        assert fitting


def test_a_misspelled_state_is_an_error_and_not_everything(undone):
    with pytest.raises(KeyError):
        list_recordings(OPERATOR, Filters(state="redy"))


def test_a_list_offers_only_what_a_viewer_could_find_in_it(undone):
    north, south = unit_row("north"), unit_row("south")
    unit_row("empty")
    ada, bo = officer_row("Ada Lee", "17"), officer_row("Bo Hall", "99")
    officer_row("Cy None", "1")
    add_recording(1, unit=north, wearer=ada, device=device_row("X-100"))
    add_recording(2, unit=south, wearer=bo, device=device_row("X-200"))
    add_recording(3, unit=south, wearer=bo)
    offered = choices(Viewer(user=1, unit_roles=frozenset({("supervisor", south.pk)})))
    assert [(each.value, each.words) for each in offered.units] == [("south", "Unit south")]
    assert [(each.value, each.words) for each in offered.wearers] == [("99", "Bo Hall, 99")]
    assert [(each.value, each.words) for each in offered.devices] == [("X-200", "Axis W110 X-200")]
    assert [each.value for each in choices(OPERATOR).wearers] == ["17", "99"]
    assert choices(Viewer()).units == choices(Viewer()).wearers == choices(Viewer()).devices == ()


def test_a_place_in_a_list_survives_an_address():
    cursor = Cursor(START + timedelta(microseconds=1), 4217)
    assert parse_cursor(str(cursor)) == cursor
    assert parse_cursor(str(Cursor(datetime(1970, 1, 1, tzinfo=UTC), 0))) == Cursor(
        datetime(1970, 1, 1, tzinfo=UTC), 0
    )


@pytest.mark.parametrize(
    "text",
    ["", ".", "1", "1.", ".1", "-1.1", "1.-1", "1.1.1", "a.b", "\u0661.1", "9" * 30 + ".1", "1." + "9" * 19],
)
def test_what_is_no_place_in_a_list_is_refused(text):
    with pytest.raises(ValueError, match=r"Expected|lies after|names no row"):
        parse_cursor(text)

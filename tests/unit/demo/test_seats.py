"""The ten people of the sample department who sign in, and what is written down of its script."""

from plainview.accounts.rules import ROLES
from plainview.demo.department import ENTERED_AT, SEATS
from plainview.demo.ordinary import RECORDINGS
from plainview.demo.roster import DEVICES, OFFICERS, UNITS
from plainview.demo.story import MINUTE_ZERO


def test_every_role_has_one_seat_and_every_seat_a_role():
    assert [seat.role for seat in SEATS] == list(ROLES)


def test_a_seat_that_is_an_officer_has_that_officers_name():
    names = {officer.badge: officer.name for officer in OFFICERS}
    assert all(names[seat.badge] == seat.name for seat in SEATS if seat.badge)


def test_the_supervisor_is_over_one_unit_and_the_others_over_none():
    assert {seat.role for seat in SEATS if seat.unit} == {"supervisor"}
    assert {seat.unit for seat in SEATS if seat.unit} <= {unit.key for unit in UNITS}


def test_everything_was_issued_before_the_night():
    assert ENTERED_AT < MINUTE_ZERO


def test_every_ordinary_recordings_camera_is_on_the_roster():
    assert {each.serial for each in RECORDINGS} <= {device.serial for device in DEVICES}

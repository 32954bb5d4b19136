"""What an address narrows a list to."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.evidence.listing import NO_FILTERS
from plainview.web.narrowing import FIELDS, read_narrowing


def read(zone="UTC", **fields):
    return read_narrowing({name.rstrip("_"): value for name, value in fields.items()}, zone=zone)


def test_nothing_asked_is_everything():
    assert read().filters == NO_FILTERS
    assert read().asked == {}


def test_days_are_the_places_days_and_the_last_is_included():
    found = read("America/Los_Angeles", from_="2026-03-08", to="2026-03-08").filters
    # The day the clocks went forward has 23 hours.
    assert found.from_at == datetime(2026, 3, 8, 8, tzinfo=UTC)
    assert found.to_at == datetime(2026, 3, 9, 7, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-13-01", "yesterday", "0001-01-01", "9999-12-31", "\0"])
def test_what_is_no_date_is_left_out_and_said(text):
    found = read(from_=text)
    assert found.filters.from_at is None
    assert "not a date" in found.refused[0]
    assert found.asked == {}


def test_a_state_that_does_not_exist_is_left_out_and_said():
    found = read(state="shiny")
    assert found.filters.state == ""
    assert found.refused == ("'shiny' is not a state; it was left out.",)


def test_days_the_wrong_way_round_are_said():
    assert read(from_="2026-03-15", to="2026-03-14").refused


def test_a_single_day_and_nothing_else_is_named():
    assert read(from_="2026-03-14", to="2026-03-14").only_day == date(2026, 3, 14)
    assert read(from_="2026-03-14", to="2026-03-15").only_day is None
    assert read(from_="2026-03-14", to="2026-03-14", unit="12A").only_day is None
    assert read().only_day is None


def test_what_was_asked_is_kept_for_the_form():
    asked = {"unit": "12A", "wearer": "1107", "device": "BC-0107", "state": "ready", "from": "2026-03-14"}
    assert dict(read_narrowing(asked, zone="UTC").asked) == asked


@given(
    st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=150)),
    st.sampled_from(["UTC", "Pacific/Apia", "x"]),
)
def test_any_address_can_be_read(given_fields, zone):
    found = read_narrowing(given_fields, zone=zone)
    assert "\0" not in f"{found.filters.unit}{found.filters.wearer}{found.filters.device}"

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.formats.errors import FormatError
from plainview.formats.times import format_at, parse_at


@settings(max_examples=50)
@given(
    st.datetimes(
        min_value=datetime(1, 1, 2),  # noqa: DTZ001 - hypothesis asks for naive bounds
        max_value=datetime(9999, 12, 30),  # noqa: DTZ001
        timezones=st.sampled_from(
            [UTC, timezone(timedelta(hours=-7)), timezone(timedelta(hours=5, minutes=45))]
        ),
    )
)
def test_a_time_reads_back_as_the_same_instant_to_the_millisecond(at: datetime) -> None:
    back = parse_at(format_at(at))
    assert back.utcoffset() == timedelta(0)
    assert timedelta(0) <= at - back < timedelta(milliseconds=1)


def test_early_years_keep_their_zeros() -> None:
    assert format_at(datetime(7, 1, 2, 3, 4, 5, 6999, tzinfo=UTC)) == "0007-01-02T03:04:05.006Z"


def test_a_time_without_a_zone_is_not_written() -> None:
    with pytest.raises(FormatError, match="expected a time with a zone"):
        format_at(datetime(2026, 3, 15))  # noqa: DTZ001 - a naive time is the point


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-15T06:52:07Z",
        "2026-03-15T06:52:07.3Z",
        "2026-03-15T06:52:07.300000Z",
        "2026-03-15T06:52:07.300+00:00",
        "2026-03-15 06:52:07.300Z",
        "2026-03-15t06:52:07.300z",
        "2026-03-15T06:52:07.300Z\n",
        " 2026-03-15T06:52:07.300Z",
        "\u0662\u0660\u0662\u0666-03-15T06:52:07.300Z",
        "",
    ],
)
def test_another_spelling_of_a_time_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match="expected a time such as"):
        parse_at(text)


@pytest.mark.parametrize("value", [None, 1, [], True])
def test_what_is_not_text_is_no_time(value: object) -> None:
    with pytest.raises(FormatError, match="leaf: expected a time"):
        parse_at(value, what="leaf")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-29T00:00:00.000Z",
        "2026-13-01T00:00:00.000Z",
        "2026-00-01T00:00:00.000Z",
        "2026-03-15T24:00:00.000Z",
        "2026-03-15T23:60:00.000Z",
        "2026-12-31T23:59:60.000Z",
        "0000-01-01T00:00:00.000Z",
    ],
)
def test_a_day_or_hour_that_never_was_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match="no such time"):
        parse_at(text)

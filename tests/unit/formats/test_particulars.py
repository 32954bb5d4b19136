"""Particulars cross from a dock to the server and come out the same, or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from plainview.formats.errors import FormatError
from plainview.formats.particulars import (
    NOTHING_SAID,
    Particulars,
    contradictions,
    fill_in,
    parse_particulars,
    particulars_record,
)

SAID = Particulars(
    serial="BC-0042", badge="4417", started_at=datetime(2026, 3, 15, 6, 52, 7, 300_000, UTC), title="Stop"
)


def test_particulars_are_read_as_they_were_written() -> None:
    for particulars in (NOTHING_SAID, SAID):
        assert parse_particulars(particulars_record(particulars)) == particulars


@pytest.mark.parametrize(
    "change",
    [
        {"serial": "x" * 65},
        {"title": "two\nlines"},
        {"badge": 4417},
        {"started_at": "yesterday"},
        {"mood": "calm"},
    ],
)
def test_what_no_dock_writes_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        parse_particulars(particulars_record(SAID) | change)


def test_what_one_source_leaves_out_another_fills_in() -> None:
    other = Particulars(serial="BC-0043", category="Traffic stop")
    assert fill_in(SAID, other) == replace(SAID, category="Traffic stop")
    assert contradictions(SAID, other) == ("serial",)
    assert contradictions(SAID, NOTHING_SAID) == ()

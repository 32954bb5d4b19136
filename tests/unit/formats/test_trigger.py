from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from plainview.formats.errors import FormatError
from plainview.formats.note import parse_note
from plainview.formats.trigger import (
    TRIGGER_SOURCES,
    TriggerMessage,
    format_trigger,
    parse_trigger,
)
from vectors.make_format_examples import example_files

MESSAGE = TriggerMessage(
    "car.example.org/12A", "light_bar", datetime(2026, 3, 15, 6, 51, tzinfo=UTC), "5f1c0e7a9b3d2c48"
)


@pytest.mark.parametrize("source", TRIGGER_SOURCES)
def test_a_message_reads_back_as_it_was_written(source: str) -> None:
    message = replace(MESSAGE, source=source)
    assert parse_trigger(format_trigger(message)) == message


def test_the_text_of_a_signed_message_reads() -> None:
    assert parse_trigger(parse_note(example_files()["trigger"].decode()).text).source == "light_bar"


@pytest.mark.parametrize("source", ["button", "function_check", "whim", ""])
def test_what_only_the_camera_itself_can_say_does_not_come_over_the_air(source: str) -> None:
    with pytest.raises(FormatError, match="source"):
        format_trigger(replace(MESSAGE, source=source))


@pytest.mark.parametrize(
    "message",
    [
        replace(MESSAGE, sender="two words"),
        replace(MESSAGE, identifier="5F1C0E7A9B3D2C48"),
        replace(MESSAGE, identifier="5f1c"),
    ],
)
def test_a_message_with_a_field_that_cannot_be_is_not_written(message: TriggerMessage) -> None:
    with pytest.raises(FormatError):
        format_trigger(message)


@pytest.mark.parametrize("text", ["", "\n", "{}", "{}\n", "\ud800\n", format_trigger(MESSAGE) + "\n"])
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        parse_trigger(text)

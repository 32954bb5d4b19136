"""What a person is told when something goes wrong."""

import errno

import django.db
import psycopg
import pytest

from plainview.cli.refusals import SettingError, plain, sentence_of
from plainview.formats.errors import FormatError


def test_an_error_of_ours_is_its_own_sentence():
    error = FormatError("leaf", "expected 1, got 2")
    assert sentence_of(error) == str(error)


def test_an_error_of_the_disk_names_the_file():
    assert (
        sentence_of(OSError(errno.ENOSPC, "No space left on device", "/x/y"))
        == "/x/y: No space left on device"
    )


def test_an_error_of_the_system_without_a_file_is_said_all_the_same():
    assert (
        sentence_of(OSError(errno.ENOMEM, "Cannot allocate memory")) == "the system: Cannot allocate memory"
    )


@pytest.mark.parametrize("kind", [django.db.OperationalError, psycopg.OperationalError])
def test_an_error_of_the_database_is_one_line_that_says_what_to_do(kind):
    said = sentence_of(kind("disk full\nCONTEXT: many\nlines"))
    assert said.startswith("the database failed: disk full. ")
    assert "\n" not in said
    assert "run the command again" in said


@pytest.mark.parametrize(
    "error", [ValueError("a fault"), KeyError("x"), django.core.exceptions.FieldError("x")]
)
def test_a_fault_of_the_program_is_no_sentence(error):
    assert sentence_of(error) is None


def test_a_setting_is_named_with_what_was_expected_and_found():
    said = sentence_of(SettingError("PLAINVIEW_ZONE", "Mars", expected="an IANA zone"))
    assert said == "PLAINVIEW_ZONE: expected an IANA zone, got 'Mars'. Nothing was changed. Set it anew."


@pytest.mark.parametrize("text", ["\x1b[2J", "a\nb", "\u202eb", "\ud800", "\x07", "\u200b"])
def test_what_could_change_a_terminal_is_spelled_out(text):
    assert plain(text).isprintable()
    assert plain(text).isascii()


@pytest.mark.parametrize("text", ["caf\u00e9 \U0001f694.mp4", "plain.mp4", "a b"])
def test_what_can_be_shown_stays_as_it_is(text):
    assert plain(text) == text

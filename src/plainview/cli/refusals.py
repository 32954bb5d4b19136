"""Turn what goes wrong into one clear sentence and an exit code."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CANNOT_RUN = 2
# What a shell says of a program that a signal ended: 128 and the signal's number.
STOPPED = 128
# Every package's own base error; their texts say what, expected, got, and what to do next.
_OUR_MODULES = "plainview."
# Django hands on what the database says as errors of this module; psycopg's own come from before Django is connected.
_DATABASE_MODULES = ("django.db.utils", "psycopg")


@contextmanager
def refusals_said() -> Iterator[None]:
    """Print our own errors, and those of disk and database, as sentences; a fault of the program keeps its traceback.

    Being asked to stop (SIGINT, SIGTERM) ends the work in order: what is half done is undone, the database stopped.
    """
    # Not as KeyboardInterrupt: the library that reads the options answers that itself, with a word and no sentence.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        yield
    except _StopError as error:
        _say("stopped. What was acknowledged is safe; run the command again.")
        sys.exit(STOPPED + error.number)
    except ReaderGoneError:
        # Python would fail once more when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _say("stopped: whoever read the answer went away. What was acknowledged is safe.")
        sys.exit(STOPPED + signal.SIGPIPE)
    except Exception as error:
        sentence = sentence_of(error)
        if sentence is None:
            raise
        _say(sentence)
        sys.exit(CANNOT_RUN)
    finally:
        # From here on there is nothing left to end in order.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)


class _StopError(BaseException):
    """Somebody asked this process to end; not an error of anything in it.

    Attributes:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class SettingError(Exception):
    """A setting is not what it should be.

    Attributes:
        name: of the environment variable.
        found: what it says.
    """

    def __init__(self, name: str, found: str, *, expected: str) -> None:
        super().__init__(f"{name}: expected {expected}, got {found!r}. Nothing was changed. Set it anew.")
        self.name = name
        self.found = found


class ReaderGoneError(Exception):
    """Nobody reads the answer any more."""


def _stop(number: int, _frame: object) -> None:
    # Once: whoever asks again does not want to wait for the end in order.
    signal.signal(number, signal.SIG_DFL)
    raise _StopError(number)


def sentence_of(error: Exception) -> str | None:
    """Return what to tell a person, or None for a fault of the program."""
    if isinstance(error, OSError):
        return f"{error.filename or 'the system'}: {error.strerror or error}"
    module = type(error).__module__
    if module.startswith(_DATABASE_MODULES):
        said = str(error).strip().split("\n", maxsplit=1)[0]
        return (
            f"the database failed: {said}. What was acknowledged is safe. See that its disk has space and that it runs, "
            "then run the command again."
        )
    return str(error) if module.startswith(_OUR_MODULES) else None


def _say(sentence: str) -> None:
    print(f"plainview: {plain(sentence)}", file=sys.stderr)


def plain(text: str) -> str:
    """Return text whose control characters cannot move the cursor or change the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)

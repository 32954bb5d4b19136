"""What a command says: sentences and progress to people, JSON to programs, each on its own stream."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from plainview.cli.refusals import ReaderGoneError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Progress and remarks go to standard error: standard output is the answer, and may be piped.
remarks = Console(stderr=True, highlight=False, soft_wrap=True)


def say(sentence: str) -> None:
    """Tell a person something, without colours or markup from the text itself."""
    remarks.print(sentence, markup=False)


def answer(line: str) -> None:
    """Print one line of the answer; what no terminal can show is spelled out.

    Raises:
        ReaderGoneError: nobody reads it.
    """
    encoding = sys.stdout.encoding or "utf-8"
    # At once, also into a pipe: whoever reads it may be waiting to erase a card.
    try:
        print(line.encode(encoding, "backslashreplace").decode(encoding), flush=True)
    except BrokenPipeError as error:
        raise ReaderGoneError from error


def answer_json(value: Any) -> None:
    """Print one JSON document on one line; raises as answer()."""
    answer(json.dumps(value, ensure_ascii=True, sort_keys=True))


@contextmanager
def progress(*, is_quiet: bool) -> Iterator[Progress]:
    """Show a bar with rate and time left on standard error, where a person is watching."""
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=remarks,
        disable=is_quiet or not remarks.is_terminal,
        transient=True,
    )
    with bar:
        yield bar

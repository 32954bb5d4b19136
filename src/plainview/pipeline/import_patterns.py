"""The folder patterns that a department keeps: DATA/imports/*.json, written and changed by people."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview.formats.errors import FormatError
from plainview.formats.folder_pattern import FOLDER_PATTERN_LIMIT_BYTES, parse_folder_pattern
from plainview.pipeline.errors import ImportRefusedError

if TYPE_CHECKING:
    from pathlib import Path

    from plainview.formats.folder_pattern import FolderPattern

FOLDER = "imports"
# As a name can stand in an address and on a command line, and be no way out of the folder.
PATTERN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z", re.ASCII)


@dataclass(frozen=True)
class KnownPattern:
    """A pattern that is kept.

    Attributes:
        name: of its file, without the ending.
        pattern: what it says; None where it cannot be read.
        problem: why it cannot; empty where it can.
    """

    name: str
    pattern: FolderPattern | None
    problem: str


def known_patterns(data: Path) -> list[KnownPattern]:
    """Return the department's patterns, by name; those that cannot be read with why.

    Args:
        data: the data directory.
    """
    files = sorted((data / FOLDER).glob("*.json"))
    return [_known(path) for path in files if PATTERN_NAME.match(path.stem)]


def pattern_named(data: Path, name: str) -> FolderPattern:
    """Return a department's pattern.

    Raises:
        ImportRefusedError: there is none of this name, or it cannot be read.
    """
    if PATTERN_NAME.match(name) is None:
        raise ImportRefusedError(f"{name!a:.80} is no name of a pattern.")
    return read_pattern(data / FOLDER / f"{name}.json")


def read_pattern(path: Path) -> FolderPattern:
    """Read a pattern from a file.

    Raises:
        ImportRefusedError: it cannot be read, with what is wrong and where.
    """
    known = _known(path)
    if known.pattern is None:
        raise ImportRefusedError(f"{path}: {known.problem}")
    return known.pattern


def _known(path: Path) -> KnownPattern:
    try:
        with path.open("rb") as file:
            data = file.read(FOLDER_PATTERN_LIMIT_BYTES + 1)
        return KnownPattern(path.stem, parse_folder_pattern(data), "")
    except OSError as error:
        return KnownPattern(path.stem, None, f"It cannot be read: {error.strerror}.")
    except FormatError as error:
        return KnownPattern(path.stem, None, f"{error}.")

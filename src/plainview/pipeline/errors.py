"""Errors of the pipeline.

PipelineError
├── NotPreparedError
├── OutputTakenError
├── NotOneLineError
├── OriginalDiffersError
├── BackupRefusedError
├── CopyDiffersError
├── RestoreRefusedError
├── ImportRefusedError
└── UnfitConnectionError
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class PipelineError(Exception):
    """A workflow cannot be done as asked."""


class NotPreparedError(PipelineError):
    """The data directory is only half prepared, or half lost."""


class OutputTakenError(PipelineError):
    """The folder to write exists already and is not empty."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} exists already. Nothing was written. Name a folder that does not exist yet."
        )
        self.path = path


class NotOneLineError(PipelineError):
    """A recipient or purpose is not one line of plain text.

    Attributes:
        what: recipient or purpose.
    """

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The {what} has to be one line of at most 500 characters, without control or invisible ones. "
            "Nothing was written. Type it anew."
        )
        self.what = what


class OriginalDiffersError(PipelineError):
    """What the vault holds is not what was received.

    Attributes:
        recording: its identifier.
    """

    def __init__(self, recording: str, problem: str) -> None:
        super().__init__(
            f"{recording}: {problem}. Nothing was exported. Run plainview fsck to see how far it goes."
        )
        self.recording = recording


class BackupRefusedError(PipelineError):
    """A backup cannot be made where it was asked for."""


class CopyDiffersError(PipelineError):
    """A file that was to be copied is not what it should be; it was not copied.

    Attributes:
        source: the file.
        expected: its SHA-256, 64 hex digits.
        found: what it has.
    """

    def __init__(self, source: Path, *, expected: str, found: str) -> None:
        super().__init__(f"{source}: expected SHA-256 {expected}, found {found}. It was not copied.")
        self.source = source
        self.expected = expected
        self.found = found


class RestoreRefusedError(PipelineError):
    """A backup cannot be restored as asked."""


class UnfitConnectionError(PipelineError):
    """A connection for a system of another maker cannot be made so."""

    def __init__(self, expected: str) -> None:
        super().__init__(f"Expected {expected}. Nothing was made.")
        self.expected = expected


class ImportRefusedError(PipelineError):
    """A folder, or the pattern it is to be read by, cannot be imported."""

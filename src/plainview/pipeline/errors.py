"""Errors of the pipeline.

PipelineError
├── NotPreparedError
├── OutputTakenError
├── OriginalDiffersError
└── RestoreRefusedError
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


class RestoreRefusedError(PipelineError):
    """A backup cannot be restored as asked."""

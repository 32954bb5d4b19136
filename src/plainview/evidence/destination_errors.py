"""Errors of connected systems.

EvidenceError
├── DestinationTakenError
└── NoSuchDestinationError
"""

from __future__ import annotations

from plainview.evidence.errors import EvidenceError


class DestinationTakenError(EvidenceError):
    """A connected system of this name is there, or was: what it handed in is still known by it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is, or was, a destination {name!a:.80}. Choose another name.")
        self.name = name


class NoSuchDestinationError(EvidenceError):
    """No connected system of this name may hand in anything."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no open destination {name!a:.80}. List them: plainview destinations list")
        self.name = name

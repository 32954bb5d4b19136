"""Errors of originals that arrive in pieces.

VaultError
└── IncomingError
    ├── IncomingMissingError
    ├── IncomingBusyError
    ├── IncomingOffsetError
    ├── IncomingDiffersError
    └── IncomingDamagedError
"""

from __future__ import annotations

from plainview.vault.errors import VaultError


class IncomingError(VaultError):
    """An original that arrives in pieces cannot be gone on with as asked.

    Attributes:
        object_id: which, 32 hexadecimal digits.
    """

    def __init__(self, object_id: str, problem: str) -> None:
        super().__init__(problem)
        self.object_id = object_id


class IncomingMissingError(IncomingError):
    """Nothing of this name is arriving."""

    def __init__(self, object_id: str) -> None:
        super().__init__(
            object_id, f"nothing arrives as {object_id}: it was given up, or taken in. Begin anew."
        )


class IncomingBusyError(IncomingError):
    """Somebody else is adding to it at this moment."""

    def __init__(self, object_id: str) -> None:
        super().__init__(
            object_id, f"somebody else is adding to {object_id} at this moment. Try again in a few seconds."
        )


class IncomingOffsetError(IncomingError):
    """The piece does not follow what is there.

    Attributes:
        expected_bytes: how much is there.
        got_bytes: where the piece was said to begin, or how much there was said to be.
    """

    def __init__(self, object_id: str, *, expected_bytes: int, got_bytes: int) -> None:
        super().__init__(
            object_id,
            f"{object_id} has {expected_bytes} bytes, and byte {got_bytes} was offered. Go on from {expected_bytes}.",
        )
        self.expected_bytes = expected_bytes
        self.got_bytes = got_bytes


class IncomingDiffersError(IncomingError):
    """A piece that was offered before, and lost, is offered again with other bytes.

    Attributes:
        chunk: the first that differs, counted from 0.
    """

    def __init__(self, object_id: str, chunk: int) -> None:
        super().__init__(
            object_id,
            f"MiB {chunk} of {object_id} is not what it was when it was first sent: the file has changed, or is another. "
            "Send the same file, or begin anew.",
        )
        self.chunk = chunk


class IncomingDamagedError(IncomingError):
    """What is kept of it is not what was written."""

    def __init__(self, object_id: str, problem: str) -> None:
        super().__init__(
            object_id,
            f"what has arrived of {object_id} is damaged: {problem}. Begin anew, and look at the store's disk.",
        )
        self.problem = problem

"""Errors of custody.

CustodyError
├── OutsideTransactionError
├── LogNotStartedError
└── LeafMissingError
"""


class CustodyError(Exception):
    """An act cannot be recorded or published."""


class OutsideTransactionError(CustodyError):
    """An act was recorded outside the transaction of its effect: one could then exist without the other."""

    def __init__(self, act: str) -> None:
        super().__init__(
            f"{act}: record() was called outside a transaction; wrap the effect and the act in one."
        )


class LogNotStartedError(CustodyError):
    """There is no custody log yet."""

    def __init__(self) -> None:
        super().__init__("This data directory has no custody log. Run: plainview init")


class LeafMissingError(CustodyError):
    """The database holds a later leaf and not this one: rows were removed behind Plainview's back.

    Attributes:
        epoch: the log.
        index: of the first leaf that is missing.
    """

    def __init__(self, epoch: int, index: int) -> None:
        super().__init__(
            f"The database has no act at index {index} of custody log {epoch}, and one after it: it was damaged or "
            "altered. Nothing was signed. Run: plainview fsck; then restore a backup: plainview restore --help"
        )
        self.epoch = epoch
        self.index = index

"""Errors of custody.

CustodyError
├── OutsideTransactionError
└── LogNotStartedError
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

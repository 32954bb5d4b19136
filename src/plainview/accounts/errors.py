"""Errors of accounts.

AccountsError
├── SpanError
├── NameTakenError
└── UnknownRoleError
"""


class AccountsError(Exception):
    """Something about people, roles or units cannot be done as asked."""


class SpanError(AccountsError):
    """A span of time ends before, or when, it begins."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem}. Expected a start before its end, both with a zone.")


class NameTakenError(AccountsError):
    """A user name, badge number or unit code exists already."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"There is a {what} {name!r} already. Choose another, or correct the existing one.")


class UnknownRoleError(AccountsError):
    """No such role."""

    def __init__(self, role: str, known: tuple[str, ...]) -> None:
        super().__init__(f"There is no role {role!r:.60}. Expected one of: {', '.join(known)}.")

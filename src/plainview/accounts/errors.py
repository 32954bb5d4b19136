"""Errors of accounts.

AccountsError
├── SpanError
├── NameTakenError
├── NoSuchNameError
├── NotHeldError
├── UsernameError
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


class NoSuchNameError(AccountsError):
    """No user, unit or badge goes by this name."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"There is no {what} {name!r:.80}. List those there are: plainview users list")


class NotHeldError(AccountsError):
    """Somebody does not hold the role that is to be ended."""

    def __init__(self, username: str, role: str, unit: str | None) -> None:
        over = "everywhere" if unit is None else f"for unit {unit}"
        super().__init__(
            f"{username} does not hold the role {role} {over}. See what they hold: plainview users list"
        )


class UsernameError(AccountsError):
    """A user name is written as none can be."""

    def __init__(self, username: str) -> None:
        super().__init__(
            f"A user name {username!r:.80} cannot be. Expected small letters, digits, dots, dashes and underscores, at most "
            "64, with a letter or digit first: a.clerk"
        )


class UnknownRoleError(AccountsError):
    """No such role."""

    def __init__(self, role: str, known: tuple[str, ...]) -> None:
        super().__init__(f"There is no role {role!r:.60}. Expected one of: {', '.join(known)}.")

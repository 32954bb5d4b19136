"""A database to connect to, ours or a department's, and the passwords of ours."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from plainview.service.errors import NoSuchLoginError, PasswordsError
from plainview.service.files import write_private_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Role = Literal["superuser", "owner", "app", "portal"]

DATABASE = "plainview"
ROLE_NAMES: dict[Role, str] = {
    "superuser": "postgres",
    "owner": "plainview_owner",
    "app": "plainview_app",
    "portal": "plainview_portal",
}


@dataclass(frozen=True)
class Cluster:
    """Where the database is and how each role logs in. Callers need not know whose it is.

    Attributes:
        socket_dir: folder of the unix socket of our own PostgreSQL; None for an external database.
        port: the number in the socket's name; None for an external database.
        process_id: of our own PostgreSQL where this process started it, else None.
        logins: for each role the libpq keywords (host, port, user, dbname, password, ...). Not shown by repr.
    """

    socket_dir: Path | None
    port: int | None
    logins: Mapping[Role, Mapping[str, str]] = field(repr=False)
    process_id: int | None = None

    def keywords(self, role: Role) -> dict[str, str]:
        """Return the libpq keywords of a role, the password among them: for Django's settings, not for logs.

        Raises:
            NoSuchLoginError: this database was given without that role.
        """
        if role not in self.logins:
            raise NoSuchLoginError(role, tuple(self.logins))
        return dict(self.logins[role])

    def dsn(self, role: Role, *, dbname: str | None = None) -> str:
        """Return the connection string of a role. It holds the password: never put it in an argument or a log.

        Args:
            role: who to log in as.
            dbname: another database than the role's own.

        Raises:
            NoSuchLoginError: this database was given without that role.
        """
        keywords = self.keywords(role)
        if dbname is not None:
            keywords["dbname"] = dbname
        return make_conninfo(**keywords)

    def role_name(self, role: Role) -> str:
        """Return the name the role has in this database.

        Raises:
            NoSuchLoginError: this database was given without that role.
        """
        return self.keywords(role).get("user", ROLE_NAMES[role])


def own_cluster(*, socket_dir: Path, port: int, passwords: Mapping[str, str]) -> Cluster:
    """Describe our own PostgreSQL.

    Args:
        socket_dir: the folder its socket is in.
        port: the number in the socket's name.
        passwords: for each name in ROLE_NAMES.values().
    """
    logins: dict[Role, Mapping[str, str]] = {}
    for role, name in ROLE_NAMES.items():
        logins[role] = {
            "host": str(socket_dir),
            "port": str(port),
            "user": name,
            "password": passwords[name],
            "dbname": "postgres" if role == "superuser" else DATABASE,
        }
    return Cluster(socket_dir=socket_dir, port=port, logins=logins)


def external_database(url: str, owner_url: str | None = None) -> Cluster:
    """Describe a department's database.

    Args:
        url: DATABASE_URL, the app role: "postgresql://app:password@host/plainview".
        owner_url: DATABASE_OWNER_URL, who migrates; without it commands that change tables are refused.

    Raises:
        PasswordsError: an address that is not one. Its text is never repeated: it may hold a password.
    """
    logins: dict[Role, Mapping[str, str]] = {"app": _parsed(url, "DATABASE_URL")}
    if owner_url:
        logins["owner"] = _parsed(owner_url, "DATABASE_OWNER_URL")
    return Cluster(socket_dir=None, port=None, logins=logins)


def _parsed(url: str, name: str) -> dict[str, str]:
    # psycopg's error repeats the text it could not read, so it is not chained.
    problem = "is not an address"
    try:
        keywords = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    except Exception:  # noqa: BLE001 (whatever the parser makes of a hostile text, the text stays unsaid)
        keywords = {}
    missing = [word for word in ("user", "dbname") if word not in keywords]
    if keywords and not missing:
        return keywords
    if keywords:
        problem = f"has no {' and no '.join(missing)}"
    raise PasswordsError(f"{name} {problem}: expected postgresql://user:password@host:port/database")


def keep_passwords(path: Path, *, create: bool) -> dict[str, str]:
    """Read the passwords of our own database's roles, making them first where there are none.

    They are durable on disk before any is used, so a crash in between leaves nothing to repair.

    Args:
        path: DATA/service/passwords.json.
        create: whether a missing file may be made; not when a database exists already.

    Returns:
        Role name to password, 43 characters of URL-safe base 64 (256 bits).

    Raises:
        PasswordsError: missing though a database exists, or unreadable.
    """
    if create and not path.exists():
        fresh = {name: secrets.token_urlsafe(32) for name in ROLE_NAMES.values()}
        write_private_file(path, json.dumps(fresh, indent=1).encode())
    try:
        kept = json.loads(path.read_bytes())
        return {name: str(kept[name]) for name in ROLE_NAMES.values()}
    except FileNotFoundError:
        raise PasswordsError(
            f"{path} is missing though the database beside it exists: "
            "put it back, or restore the last backup into a new data directory."
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PasswordsError(
            f"{path} cannot be read as the database passwords ({type(error).__name__}): put it back."
        ) from None

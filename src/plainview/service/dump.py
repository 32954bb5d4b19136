"""Copy the database out to a file and back, with PostgreSQL's own tools."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from plainview.service.binaries import find_binaries
from plainview.service.errors import DumpError
from plainview.service.files import publish_file

if TYPE_CHECKING:
    from pathlib import Path

COUNT_TABLES = """
select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm') and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'
"""

DEFAULT_GRANTS = """
select distinct case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' end, g.rolname
from pg_default_acl d
cross join lateral aclexplode(d.defaclacl) a
join pg_roles g on g.oid = a.grantee
join pg_namespace n on n.oid = d.defaclnamespace
where n.nspname = 'public' and d.defaclobjtype in ('r', 'S')
  and d.defaclrole = (select oid from pg_roles where rolname = current_user)
"""


def dump_database(dsn: str, path: Path) -> None:
    """Write the whole database as one consistent snapshot: temporary file, fsync, rename.

    Grants are kept, because what the app may not change is part of what the data means. Owners are not, so
    that a department can restore under its own names.

    Args:
        dsn: the database, as its owner.
        path: where the dump (pg_dump's custom format) will be; mode 0600.

    Raises:
        DumpError: pg_dump failed, or the disk is full; nothing is at path that was not there before.
    """
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    try:
        fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            # Absolute: a path that starts with a dash must not read as an option.
            _run_tool("pg_dump", dsn, "--format=custom", "--no-owner", f"--file={temporary.absolute()}")
            os.fsync(fd)
        finally:
            os.close(fd)
        publish_file(temporary, path)
    except OSError as error:
        raise DumpError(f"the database could not be copied to {path}: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)


def restore_database(dsn: str, path: Path) -> None:
    """Fill an empty database from a dump, all of it or nothing.

    Run ensure_database first: the dump's grants name its roles. Run it again afterwards where this failed:
    the default privileges are taken away before the restore and come back with the dump.

    Args:
        dsn: the empty database, as its owner.
        path: a file that dump_database wrote.

    Raises:
        DumpError: the database is not empty, the file is not a dump, or pg_restore failed.
    """
    try:
        with psycopg.connect(dsn) as connection:
            row = connection.execute(COUNT_TABLES).fetchone()
            if row is None or row[0] != 0:
                raise DumpError(
                    "the database to restore into is not empty: restore into a new data directory."
                )
            _forget_default_grants(connection)
    except psycopg.Error as error:
        raise DumpError(f"the database to restore into cannot be used: {type(error).__name__}.") from error
    _run_tool(
        "pg_restore", dsn, "--no-owner", "--exit-on-error", "--single-transaction", str(path.absolute())
    )


def _forget_default_grants(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Let restored tables start with no grants.

    A dump says what to grant beyond PostgreSQL's own defaults, never what to take away: over our default
    privileges the app would get back the right to change custody rows.
    """
    for kind, role in connection.execute(DEFAULT_GRANTS).fetchall():
        statement = sql.SQL("alter default privileges in schema public revoke all on {} from {}")
        connection.execute(
            statement.format(
                sql.SQL("tables" if kind == "tables" else "sequences"), sql.Identifier(str(role))
            )
        )


def _run_tool(name: str, dsn: str, *arguments: str) -> None:
    """Run one of PostgreSQL's tools; the password goes by the environment, which only we can read."""
    keywords = {key: str(value) for key, value in conninfo_to_dict(dsn).items() if value is not None}
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    environment |= {"LC_ALL": "C", "TZ": "UTC", "PGPASSWORD": keywords.pop("password", "")}
    done = subprocess.run(
        [find_binaries().program(name), f"--dbname={make_conninfo(**keywords)}", "--no-password", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment,
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()[-600:]
        raise DumpError(f"{name} failed (exit {done.returncode}). It said: {said}")

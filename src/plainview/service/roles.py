"""The three database roles: who owns the tables, who serves, who publishes.

The owner migrates. The app reads and writes rows but cannot change tables, triggers or grants, so what the
owner took away from it (changing custody rows) stays away. The portal starts with nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from plainview.service.cluster import DATABASE, ROLE_NAMES, Cluster
from plainview.service.errors import PostgresError, PrivilegedRoleError

if TYPE_CHECKING:
    from typing import LiteralString

OWNER = ROLE_NAMES["owner"]
APP = ROLE_NAMES["app"]
PORTAL = ROLE_NAMES["portal"]


def ensure_database(cluster: Cluster) -> None:
    """Make our roles, the database and its default privileges; safe to repeat, also after a crash half way.

    For an external database the roles are the department's; only the privileges are set, and only where
    DATABASE_OWNER_URL is given.

    Args:
        cluster: from running_postgres or external_database.

    Raises:
        PostgresError: the database refuses.
    """
    try:
        if "superuser" in cluster.logins:
            _ensure_roles(cluster)
        if "owner" in cluster.logins:
            portal = cluster.role_name("portal") if "portal" in cluster.logins else None
            grant_privileges(cluster.dsn("owner"), app=cluster.role_name("app"), portal=portal)
    except psycopg.Error as error:
        raise PostgresError(
            f"the database roles could not be set up: {one_line(error)}. "
            "Check that the owner role owns the database, and try again."
        ) from error


def one_line(error: psycopg.Error) -> str:
    """Return the database's own sentence, without context lines."""
    return (error.diag.message_primary or str(error)).strip().split("\n", maxsplit=1)[0]


def _ensure_roles(cluster: Cluster) -> None:
    with psycopg.connect(cluster.dsn("superuser"), autocommit=True) as connection:
        for role, options in ((OWNER, "login createdb"), (APP, "login"), (PORTAL, "login")):
            _ensure_role(connection, cluster, role, options)
        # A test database is made from template1 while connected to postgres: the owner alone may.
        for name in ("postgres", "template1"):
            _run(connection, "revoke all on database {} from public", name)
        _run(connection, "grant connect on database postgres to {}", OWNER)
        exists = connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone()
        if not exists:
            _run(connection, "create database {} owner {}", DATABASE, OWNER)
        _run(connection, "revoke all on database {} from public", DATABASE)
        for role in (APP, PORTAL):
            _run(connection, "grant connect on database {} to {}", DATABASE, role)


def _ensure_role(
    connection: psycopg.Connection[tuple[object, ...]], cluster: Cluster, role: str, options: LiteralString
) -> None:
    """Make or correct one role; the server is sent a SCRAM verifier, so no log can hold the password."""
    passwords = {login["user"]: login["password"] for login in cluster.logins.values()}
    verifier = connection.pgconn.encrypt_password(
        passwords[role].encode(), role.encode(), b"scram-sha-256"
    ).decode()
    exists = connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone()
    verb = sql.SQL("alter" if exists else "create")
    restrictions = sql.SQL("nosuperuser nocreaterole noreplication nobypassrls " + options)
    connection.execute(
        sql.SQL("{} role {} {} password {}").format(
            verb, sql.Identifier(role), restrictions, sql.Literal(verifier)
        )
    )


def _run(connection: psycopg.Connection[tuple[object, ...]], statement: LiteralString, *names: str) -> None:
    connection.execute(sql.SQL(statement).format(*(sql.Identifier(name) for name in names)))


def grant_privileges(owner_dsn: str, *, app: str = APP, portal: str | None = PORTAL) -> None:
    """Give the app its rights on every table the owner makes from now on, and everyone else none.

    For a database made outside ensure_database, such as one for tests: run before its tables exist.

    Args:
        owner_dsn: the database, as its owner.
        app: the role that serves.
        portal: the role that publishes; None where there is none.

    Raises:
        psycopg.Error: the database refuses.
    """
    with psycopg.connect(owner_dsn) as connection:
        _run(connection, "revoke all on schema public from public")
        _run(connection, "grant usage on schema public to {}", app)
        row = connection.execute("select current_user").fetchone()
        is_owner_apart = row is not None and row[0] != app
        if is_owner_apart:
            prefix: LiteralString = "alter default privileges in schema public grant "
            _run(connection, prefix + "select, insert, update, delete on tables to {}", app)
            _run(connection, prefix + "usage, select on sequences to {}", app)
        if portal is not None:
            _run(connection, "revoke all on schema public from {}", portal)


@dataclass(frozen=True)
class RoleFacts:
    """What decides whether a role is fit to serve."""

    name: str
    is_superuser: bool
    can_create_roles: bool
    bypasses_row_security: bool
    owns_database: bool
    owns_tables: bool
    can_create_tables: bool


def role_problem(facts: RoleFacts) -> str | None:
    """Return what a role may do that the server must not, or None.

    Args:
        facts: from the database's catalogue.

    Returns:
        The end of a sentence that begins with the role: "is a superuser".
    """
    problems = (
        (facts.is_superuser, "is a superuser"),
        (facts.can_create_roles, "may create roles"),
        (facts.bypasses_row_security, "bypasses row-level security"),
        (facts.owns_database, "owns the database, or may act as the role that does"),
        (facts.owns_tables, "owns tables, or may act as a role that does"),
        (facts.can_create_tables, "may create tables"),
    )
    return next((text for holds, text in problems if holds), None)


# Membership counts as ownership: "set role" would make it so.
FACTS_QUERY: LiteralString = """
select r.rolname, r.rolsuper, r.rolcreaterole, r.rolbypassrls,
       (select pg_has_role(d.datdba, 'member') from pg_database d where d.datname = current_database()),
       exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
               where n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'
                 and pg_has_role(c.relowner, 'member')),
       exists (select from pg_namespace n where n.nspname = 'public'
               and has_schema_privilege(n.oid, 'create'))
from pg_roles r where r.rolname = current_user
"""


def check_not_privileged(dsn: str) -> None:
    """Refuse to serve as a role that could lift the rules that bind the server.

    Args:
        dsn: the app role's connection string.

    Raises:
        PrivilegedRoleError: it is a superuser, an owner, or may become one.
        PostgresError: the database cannot be asked.
    """
    try:
        with psycopg.connect(dsn) as connection:
            row = connection.execute(FACTS_QUERY).fetchone()
    except psycopg.Error as error:
        raise PostgresError(f"the database role could not be checked: {one_line(error)}.") from error
    if row is None:
        raise PostgresError("the database does not know the role it just let in; try again.")
    facts = RoleFacts(str(row[0]), *(bool(value) for value in row[1:]))
    problem = role_problem(facts)
    if problem is not None:
        raise PrivilegedRoleError(facts.name, problem)

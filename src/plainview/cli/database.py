"""Connect Django to the database and bring its tables up to date."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from psycopg import sql

from plainview.custody.grants import ACT_COLUMNS, ACTS_TABLE, APPEND_ONLY_TABLES, NO_UPDATE_TABLES
from plainview.service.cluster import external_database
from plainview.service.postgres import running_postgres
from plainview.service.roles import check_not_privileged, ensure_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plainview.service.cluster import Cluster, Role
    from plainview.service.lock import DataLock


@contextmanager
def running_database(data: Path, lock: DataLock, *, on_wait: Callable[[str], None]) -> Iterator[Cluster]:
    """Run our own PostgreSQL, or use the department's where DATABASE_URL says so; Django is connected inside.

    Raises:
        ServiceError: it cannot be started, reached or set up, or the role it was given may do too much.
    """
    url, owner_url = settings.PLAINVIEW_DATABASE_URL, settings.PLAINVIEW_DATABASE_OWNER_URL
    if url:
        cluster = external_database(url, owner_url)
        ensure_database(cluster)
        check_not_privileged(cluster.dsn("app"))
        with connected(cluster):
            yield cluster
        return
    with running_postgres(data, lock, on_wait=on_wait) as cluster:
        ensure_database(cluster)
        check_not_privileged(cluster.dsn("app"))
        with connected(cluster):
            yield cluster


@contextmanager
def connected(cluster: Cluster) -> Iterator[None]:
    """Have Django work with a database that runs, as the application's role."""
    use_database("default", cluster, "app")
    try:
        yield
    finally:
        connections.close_all()


def use_database(alias: str, cluster: Cluster, role: Role, *, pool_size: int | None = None) -> None:
    """Set what one of Django's aliases connects to.

    Args:
        alias: Django's name for it.
        cluster: the database.
        role: who to log in as.
        pool_size: the most connections that the threads of this process share; None gives each its own.
    """
    database = django_database(cluster.keywords(role))
    if pool_size is not None:
        database["OPTIONS"]["pool"] = {"min_size": 1, "max_size": pool_size, "timeout": 10}
    settings.DATABASES[alias] = database
    _forget(alias)


def _forget(alias: str) -> None:
    """Have Django read its settings anew, and drop a connection made under the old ones."""
    connections.settings = connections.configure_settings(settings.DATABASES)
    with suppress(AttributeError):
        del connections[alias]


def django_database(keywords: dict[str, str]) -> dict[str, Any]:
    """Return Django's form of a libpq connection; unknown keywords go along as options."""
    known = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    database: dict[str, Any] = {"ENGINE": "django.db.backends.postgresql"}
    database |= {known[name]: value for name, value in keywords.items() if name in known}
    database["OPTIONS"] = {name: value for name, value in keywords.items() if name not in known}
    return database


def migrate(cluster: Cluster) -> None:
    """Bring the tables up to date as their owner, and take from the app what it must not do.

    Raises:
        ServiceError: the tables are behind and no owner's address was given.
    """
    if not is_behind() and is_restricted():
        return
    with _owner_connected(cluster):
        call_command("migrate", database="owner", verbosity=0, interactive=False)
        restrict_app(cluster.role_name("app"))


def restrict_again(cluster: Cluster) -> None:
    """Take from the app what it must not do, whatever grants a dump brought along."""
    with _owner_connected(cluster):
        restrict_app(cluster.role_name("app"))


@contextmanager
def _owner_connected(cluster: Cluster) -> Iterator[None]:
    use_database("owner", cluster, "owner")
    try:
        yield
    finally:
        connections["owner"].close()
        del settings.DATABASES["owner"]
        _forget("owner")


def restrict_app(app: str) -> None:
    """Make the custody log's tables append-only for the app role; "owner" is connected."""
    with connections["owner"].cursor() as cursor:
        for tables, rights in (
            (APPEND_ONLY_TABLES, "update, delete, truncate"),
            (NO_UPDATE_TABLES, "update, truncate"),
        ):
            for table in tables:
                statement = sql.SQL("revoke " + rights + " on {} from {}")
                cursor.execute(statement.format(sql.Identifier(table), sql.Identifier(app)))
        names = {"table": sql.Identifier(ACTS_TABLE), "app": sql.Identifier(app)}
        columns = sql.SQL(", ").join(map(sql.Identifier, ACT_COLUMNS))
        cursor.execute(sql.SQL("revoke insert on {table} from {app}").format(**names))
        cursor.execute(
            sql.SQL("grant insert ({columns}) on {table} to {app}").format(columns=columns, **names)
        )


def is_restricted() -> bool:
    """Say whether the app is kept from changing the custody log; a kill may have come after the tables were made."""
    tables = [*APPEND_ONLY_TABLES, *NO_UPDATE_TABLES]
    ask = "SELECT bool_or(has_table_privilege(name, 'update')) OR has_table_privilege(%s, 'insert') FROM unnest(%s::text[]) name"
    with connections["default"].cursor() as cursor:
        cursor.execute(ask, [ACTS_TABLE, tables])
        return not cursor.fetchone()[0]


def is_behind() -> bool:
    """Say whether the tables are of an older Plainview."""
    executor = MigrationExecutor(connections["default"])
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))

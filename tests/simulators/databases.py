"""A PostgreSQL for tests: migrated once, copied for each test, used as the role that the server uses.

A copy and not a flush: the custody log's tables refuse to be truncated, as they should.
"""

import contextlib
import itertools
import threading
from dataclasses import dataclass

import psycopg
from django.conf import settings
from django.db import connections, transaction
from psycopg import sql

from plainview.cli.database import migrate, use_database
from plainview.service.cluster import DATABASE, ROLE_NAMES
from plainview.service.lock import hold_data_lock
from plainview.service.postgres import running_postgres
from plainview.service.roles import ensure_database

COUNTER = itertools.count(1)


@dataclass(frozen=True)
class TestCluster:
    """A running PostgreSQL whose database `plainview` is migrated and unused: copies are made of it."""

    __test__ = False

    cluster: object

    def dsn(self, role, name):
        return self.cluster.dsn(role, dbname=name)

    def execute(self, role, name, statement, *values):
        """Run one statement as a role in a database; return its rows, or how many it changed."""
        with psycopg.connect(self.dsn(role, name), autocommit=True) as connection:
            cursor = connection.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else cursor.rowcount

    def copy(self, source=DATABASE):
        """Copy a database that nobody is connected to, and return the copy's name."""
        name = f"test_{next(COUNTER)}"
        made = sql.SQL("create database {} template {} owner {}")
        self._run(made, name, source, ROLE_NAMES["owner"])
        # Who may connect is not copied.
        self._run(sql.SQL("revoke all on database {} from public"), name)
        self._run(sql.SQL("grant connect on database {} to {}"), name, ROLE_NAMES["app"])
        return name

    def drop(self, name):
        self._run(sql.SQL("drop database {} with (force)"), name)

    def _run(self, statement, *names):
        self.execute("superuser", "postgres", statement.format(*map(sql.Identifier, names)))


@contextlib.contextmanager
def running_cluster(data):
    """Run PostgreSQL on a new data directory and bring its tables up to date, as a command would."""
    with hold_data_lock(data, command="tests") as lock, running_postgres(data, lock) as cluster:
        ensure_database(cluster)
        use_database("default", cluster, "app")
        try:
            migrate(cluster)
        finally:
            disconnect()
        yield TestCluster(cluster)


@contextlib.contextmanager
def copied_database(cluster, source=DATABASE):
    """Connect Django, as the app's role, to a copy that ends with the context; yield its name."""
    name = cluster.copy(source)
    try:
        with connected_to(cluster, name):
            yield name
    finally:
        cluster.drop(name)


@contextlib.contextmanager
def connected_to(cluster, name):
    """Connect Django to a database, as the app's role."""
    before = settings.DATABASES.get("default")
    disconnect()
    use_database("default", cluster.cluster, "app")
    settings.DATABASES["default"]["NAME"] = name
    try:
        yield
    finally:
        disconnect()
        if before is not None:
            settings.DATABASES["default"] = before
            connections.settings = connections.configure_settings(settings.DATABASES)


def disconnect():
    """Close this thread's connection; without one, Django knows no database to fall back to."""
    if "default" in settings.DATABASES:
        connections["default"].close()
        del connections["default"]
    settings.DATABASES.pop("default", None)
    connections.settings = connections.configure_settings(settings.DATABASES)


class Writer:
    """A second connection of the app, with a transaction that stays open as long as the test wants it to."""

    def __init__(self):
        self.connection = connections.create_connection("default")
        self._transaction = None

    @contextlib.contextmanager
    def using(self):
        """Have Django use this connection in here."""
        before = connections["default"]
        connections["default"] = self.connection
        try:
            yield
        finally:
            connections["default"] = before

    def run(self, function, *args, **kwargs):
        with self.using():
            return function(*args, **kwargs)

    @property
    def is_open(self):
        return self._transaction is not None

    def begin(self):
        with self.using():
            self._transaction = transaction.atomic()
            self._transaction.__enter__()

    def commit(self):
        self._end(None, None)

    def roll_back(self):
        self._end(KeyboardInterrupt, KeyboardInterrupt())

    def _end(self, kind, error):
        with self.using():
            ending, self._transaction = self._transaction, None
            ending.__exit__(kind, error, None)

    def close(self):
        if self.is_open:
            self.roll_back()
        self.connection.close()


@contextlib.contextmanager
def writers(count):
    made = [Writer() for _ in range(count)]
    try:
        yield made
    finally:
        for writer in made:
            writer.close()


def at_once(*functions):
    """Run functions in threads that start together; return for each its result or the exception it raised."""
    barrier = threading.Barrier(len(functions))
    outcomes = [None] * len(functions)

    def run(number, function):
        try:
            barrier.wait()
            outcomes[number] = function()
        except Exception as error:  # noqa: BLE001 - the test looks at whatever it was
            outcomes[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(n, function)) for n, function in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes

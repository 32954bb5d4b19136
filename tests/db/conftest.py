"""One PostgreSQL for the whole run; each test gets a copy of the migrated database, or a transaction that is undone."""

import pytest
from django.db import transaction

from simulators.custody_rows import START, LogOfRows
from simulators.databases import copied_database, running_cluster


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    with running_cluster(tmp_path_factory.mktemp("db") / "data") as cluster:
        yield cluster


@pytest.fixture
def database(postgres):
    """A database of the test's own, for tests that commit; its name."""
    with copied_database(postgres) as name:
        yield name


@pytest.fixture(scope="module")
def _undone_database(postgres):
    with copied_database(postgres) as name:
        yield name


@pytest.fixture
def undone(_undone_database):
    """A database shared by the tests of a module, and a transaction in it that is undone after the test."""
    with transaction.atomic():
        yield _undone_database
        transaction.set_rollback(True)


@pytest.fixture
def log(database, tmp_path):
    """A custody log of this test's own, started in the test's own database."""
    rows = LogOfRows(tmp_path / "log", tmp_path / "checkpoint-store.sqlite")
    rows.start(now=START)
    return rows

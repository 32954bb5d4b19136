"""A data directory with a database in it, made once and copied: making one costs a second."""

import pytest

from plainview.service.lock import hold_data_lock
from plainview.service.postgres import running_postgres
from plainview.service.roles import ensure_database
from simulators.service_processes import copy_data


@pytest.fixture(scope="session")
def made_data(tmp_path_factory):
    data = tmp_path_factory.mktemp("made") / "data"
    with hold_data_lock(data, command="tests") as lock, running_postgres(data, lock) as cluster:
        ensure_database(cluster)
    return data


@pytest.fixture
def data(made_data, tmp_path_factory):
    # Not under tmp_path, whose length decides whether the socket lies inside.
    return copy_data(made_data, tmp_path_factory.mktemp("d") / "data")


@pytest.fixture(scope="module")
def cluster(made_data, tmp_path_factory):
    """One running database for a module."""
    data = copy_data(made_data, tmp_path_factory.mktemp("shared") / "data")
    with hold_data_lock(data, command="tests") as lock, running_postgres(data, lock) as running:
        yield running

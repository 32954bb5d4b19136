"""One PostgreSQL and one decoder jail for the whole run; each test has a database and an installation of its own."""

import pytest

from simulators.custody_rows import START, LogOfRows
from simulators.databases import copied_database, running_cluster
from simulators.workplaces import working_jail, workplace


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    with running_cluster(tmp_path_factory.mktemp("db") / "data") as cluster:
        yield cluster


@pytest.fixture(scope="session")
def jail():
    with working_jail() as running:
        yield running


@pytest.fixture
def database(postgres):
    with copied_database(postgres) as name:
        yield name


@pytest.fixture
def log(database, tmp_path):
    rows = LogOfRows(tmp_path / "log", tmp_path / "checkpoint-store.sqlite")
    rows.start(now=START)
    return rows


@pytest.fixture
def place(log, jail, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    with workplace(data, log, jail) as made:
        yield made

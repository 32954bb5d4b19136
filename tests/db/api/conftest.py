"""A department, and a system that was connected to it."""

import pytest

from simulators.connected import Department
from simulators.custody_rows import START, LogOfRows
from simulators.databases import copied_database
from simulators.premises import make_installation


@pytest.fixture
def department(postgres, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    # Such a key is made in no time; how long it is, nothing here asks.
    monkeypatch.setattr("plainview.vault.content_keys.RSA_BITS", 1024)
    with copied_database(postgres):
        log = LogOfRows(tmp_path / "log", tmp_path / "checkpoint-store.sqlite")
        log.start(now=START)
        installation = make_installation(tmp_path / "data", log)
        monkeypatch.setattr("plainview.api.here.installation", lambda: installation)
        yield Department(installation)
        installation.keys.close()


@pytest.fixture
def system(department):
    return department.connect()

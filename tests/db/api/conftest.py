"""A department, and a system that was connected to it."""

import types

import pytest
from django.db import transaction

from simulators.connected import Department
from simulators.custody_rows import START, LogOfRows
from simulators.databases import copied_database
from simulators.premises import make_installation


@pytest.fixture(scope="module")
def _started(postgres, tmp_path_factory):
    with copied_database(postgres):
        folder = tmp_path_factory.mktemp("log")
        log = LogOfRows(folder / "log", folder / "checkpoint-store.sqlite")
        log.start(now=START)
        yield log


@pytest.fixture
def department(_started, tmp_path, monkeypatch):
    """A department of this test's own, in a transaction that is undone after it: so nothing of it is published."""
    (tmp_path / "data").mkdir()
    # Such a key is made in no time; how long it is, nothing here asks.
    monkeypatch.setattr("plainview.vault.content_keys.RSA_BITS", 1024)
    for module in ("destination_intake", "intake"):
        monkeypatch.setattr(f"plainview.pipeline.{module}.publish", lambda _: None)
    monkeypatch.setattr("plainview.api.swift.connection", types.SimpleNamespace(close=lambda: None))
    installation = make_installation(tmp_path / "data", _started)
    monkeypatch.setattr("plainview.api.here.installation", lambda: installation)
    with transaction.atomic():
        yield Department(installation)
        transaction.set_rollback(True)
    installation.keys.close()


@pytest.fixture
def system(department):
    return department.connect()

"""Recordings to watch, processed once for each module of tests."""

import pytest

from simulators.databases import copied_database
from simulators.screening import screening


@pytest.fixture(scope="module")
def screened(postgres, tmp_path_factory):
    with (
        copied_database(postgres),
        screening(tmp_path_factory.mktemp("screening"), tmp_path_factory.mktemp("offered")) as made,
    ):
        yield made


@pytest.fixture
def shown(screened, monkeypatch):
    """The same, with the pages answering for its installation."""
    monkeypatch.setattr("plainview.web.here.installation", lambda: screened.place.installation)
    monkeypatch.setattr("plainview.web.here.derived", lambda: screened.place.derived)
    return screened

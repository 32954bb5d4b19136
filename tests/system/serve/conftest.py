"""A prepared data directory, made once and copied, and a server that a module shares."""

import shutil

import pytest

from simulators.program import plainview
from simulators.servers import serving


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("d") / "data"
    done = plainview("init", "--log-name", "station.example", data=folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def data(prepared, tmp_path_factory):
    copy = tmp_path_factory.mktemp("d") / "data"
    shutil.copytree(prepared, copy, symlinks=True)
    return copy


@pytest.fixture(scope="module")
def server(prepared, tmp_path_factory):
    copy = tmp_path_factory.mktemp("d") / "data"
    shutil.copytree(prepared, copy, symlinks=True)
    with serving(copy, "--workers", "0") as running:
        yield running

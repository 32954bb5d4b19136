"""One prepared data directory for a module: starting a database costs a second or two."""

import pytest

from simulators.program import plainview


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("d") / "data"
    done = plainview("init", "--log-name", "station.example", data=folder)
    assert done.returncode == 0, done.stderr
    return folder

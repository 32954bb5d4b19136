"""One sample department, one server on it and one browser, for every test that looks at pages."""

import pytest

from simulators import browser as chromium
from simulators.media_files import media_file
from simulators.sample_department import dock_recorder, make_department, served


def pytest_collection_modifyitems(items):
    reason = chromium.why_not()
    if reason is not None:
        for item in items:
            if "/browser/" in item.nodeid:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    """A server on a sample department with three short films: its address, and its data directory."""
    data = make_department(tmp_path_factory.mktemp("sample"))
    with served(data) as address:
        yield address, data


@pytest.fixture(scope="session")
def department(sample):
    """The address of that server."""
    return sample[0]


@pytest.fixture(scope="session")
def docked(sample):
    """The identifier of what one of its cameras recorded, handed in by the dock."""
    address, data = sample
    return dock_recorder(data, address)


# For a module and not for the run: while the driver's loop runs in this thread, Django refuses to ask the database.
@pytest.fixture(scope="module")
def browser():
    with chromium.running_browser() as running:
        yield running


@pytest.fixture
def visit(browser, department):
    """Open a page as somebody of the sample department; what it complains of fails the test."""
    stack, complaints = [], []

    def open_page(seat, path="/", **options):
        context = chromium.visiting(browser, department, seat=seat, complaints=complaints, **options)
        stack.append(context)
        page = context.__enter__()
        page.goto(path)
        return page

    yield open_page
    for context in reversed(stack):
        context.__exit__(None, None, None)
    assert complaints == []


@pytest.fixture
def hevc():
    """Footage that chromium cannot play: H.265."""
    return media_file("mp4", video_codec="libx265", seconds=2.0)

"""What a page says when none could be made."""

import pytest
from django.db import InterfaceError, OperationalError
from django.template import loader
from django.test import RequestFactory

from plainview.web.errors import failed


def answered(error):
    try:
        raise error
    except type(error):
        return failed(RequestFactory().get("/recordings"))


@pytest.mark.parametrize("error", [OperationalError("secret of the database"), InterfaceError("secret")])
def test_a_database_that_is_away_is_not_ready_and_says_when_to_come_back(error):
    answer = answered(error)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "10"
    assert "cannot reach its database" in answer.content.decode()
    assert "secret" not in answer.content.decode()


def test_any_other_failure_is_the_servers_and_gives_nothing_away():
    answer = answered(ValueError("secret"))
    assert answer.status_code == 500
    assert "It is a fault of Plainview" in answer.content.decode()
    assert "secret" not in answer.content.decode()


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "500", "503"])
def test_a_page_about_a_failure_needs_nothing_that_may_have_failed(name):
    shown = loader.get_template(f"{name}.html").render()
    assert "<h1>" in shown
    # Nobody is known, so no place is offered.
    assert "<nav" not in shown

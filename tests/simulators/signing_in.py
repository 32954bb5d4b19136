"""Browsers that ask Django for pages: with a name and a password, or already signed in."""

from django.test import Client

from plainview.accounts.actions import add_user, grant_role
from simulators.custody_rows import CLERK, START

PASSWORD = "four plain words together"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
LOGIN = "/account/login/"


def add_person(username, *roles, unit=None, password=PASSWORD):
    """Add somebody who logs in and holds roles, everywhere or for one unit."""
    person = add_user(username=username, name=username.title(), password=password, actor=CLERK, now=START)
    for role in roles:
        grant_role(user=person, role=role, unit=unit, actor=CLERK, now=START)
    return person


def browser(address="192.0.2.7", **more):
    """Return a browser that comes from an address."""
    return Client(SERVER_NAME="localhost", REMOTE_ADDR=address, **more)


def browser_of(person, **more):
    """Return a browser that somebody has signed in with, by no password."""
    client = browser(**more)
    client.force_login(person, backend=BACKEND)
    return client


def sign_in(client, username, password=PASSWORD, **more):
    """Type a name and a password."""
    return client.post(LOGIN, {"login": username, "password": password} | more)

"""People who ask for pages: signed in, with roles, without a browser."""

from django.test import Client

from plainview.accounts.actions import add_user, grant_role
from simulators.custody_rows import START, SYSTEM


def visitor(*roles, name="Ana Reyes", unit=None, **client):
    """Return a client that is signed in as somebody new who holds these roles, everywhere or over one unit."""
    username = f"{name.lower().replace(' ', '.')}.{len(VISITED)}"
    VISITED.append(username)
    user = add_user(username=username, name=name, password=None, actor=SYSTEM, now=START)
    for role in roles:
        grant_role(user=user, role=role, unit=unit, actor=SYSTEM, now=START)
    asked = anybody(**client)
    asked.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    asked.user = user
    return asked


def anybody(**client):
    """Return a client of somebody who has not signed in."""
    return Client(SERVER_NAME="localhost", **client)


# User names are never given twice, whatever a test undoes.
VISITED = []

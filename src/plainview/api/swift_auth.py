"""Know a connected system again: its password buys a token, and the token opens its own account for an hour."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.core import signing
from django.core.cache import cache
from django.utils.crypto import constant_time_compare, salted_hmac

from plainview.evidence.destination_queries import destination_of
from plainview.service.tus import RequestError

if TYPE_CHECKING:
    from django.http import HttpRequest

    from plainview.evidence.destination_queries import KnownDestination

SALT = "plainview.api.swift"
TOKEN_AGE_S = 3600
# So many wrong passwords from one address for one account; each is forgotten after a while.
TRIES, FORGOTTEN_AFTER_S = 10, 15 * 60
# A password is 43 characters; hashing a novel is work for nothing.
LONGEST = 256


def sign_in(request: HttpRequest) -> tuple[KnownDestination, str]:
    """Return whose password this is, and a token for it.

    Raises:
        RequestError: 401; alike for a wrong password, an unknown account and a closed one.
    """
    account = request.headers.get("X-Auth-User", "")
    password = request.headers.get("X-Auth-Key", "")
    slots = _slots(request, account)
    if len(cache.get_many(slots)) >= TRIES:
        raise _stopped()
    destination = destination_of(account) if 0 < len(account) <= LONGEST and "\0" not in account else None
    if destination is None or destination.closed_at is not None:
        # As long as it takes with one: who is there is nobody's to find out.
        make_password(secrets.token_hex(16))
        destination = None
    elif len(password) > LONGEST or not check_password(password, destination.password):
        destination = None
    if destination is None:
        # Each its own row, added or not: of many at once, none is overlooked.
        if not any(cache.add(slot, 1, FORGOTTEN_AFTER_S) for slot in slots):
            raise _stopped()
        raise RequestError(401, "Account and password are not known here.")
    return destination, signing.dumps([destination.account, _mark(destination)], salt=SALT)


def signed_in(request: HttpRequest, account: str) -> KnownDestination:
    """Return whose token came with a request.

    Raises:
        RequestError: 401 without a token that is good now; 403 for another's account.
    """
    try:
        said, mark = signing.loads(request.headers.get("X-Auth-Token", ""), salt=SALT, max_age=TOKEN_AGE_S)
    except (signing.BadSignature, ValueError):
        raise RequestError(401, "The token is missing, or no longer good. Sign in again.") from None
    destination = destination_of(said)
    if (
        destination is None
        or destination.closed_at is not None
        or not constant_time_compare(mark, _mark(destination))
    ):
        raise RequestError(401, "The token is no longer good. Sign in again.")
    if said != account:
        raise RequestError(403, "The token is another account's.")
    return destination


def _mark(destination: KnownDestination) -> str:
    """Return what changes with the password."""
    return salted_hmac(SALT, destination.password).hexdigest()[:16]


def _stopped() -> RequestError:
    text = "Too many wrong passwords came from this address. Try again later."
    return RequestError(401, text, {"Retry-After": str(FORGOTTEN_AFTER_S)})


def _slots(request: HttpRequest, account: str) -> list[str]:
    who = salted_hmac(SALT, f"{_address(request)} {account}").hexdigest()[:32]
    return [f"swift:{who}:{number}" for number in range(TRIES)]


def _address(request: HttpRequest) -> str:
    if settings.PLAINVIEW_BEHIND_PROXY:
        # The last is what the nearest proxy saw itself.
        return request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return str(request.META.get("REMOTE_ADDR", ""))

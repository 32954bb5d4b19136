"""Stop whoever guesses: failed attempts to sign in, by password or second factor, counted in one place.

axes keeps the rows; what is counted together, and how many are too many, is ours (accounts.rules.lock_of).
"""

from __future__ import annotations

import ipaddress
import secrets
from typing import TYPE_CHECKING, Any

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.core import signing
from django.db.models import Q, Sum
from django.shortcuts import render
from django.utils.crypto import salted_hmac

from plainview.accounts.actions import note_locked_out
from plainview.accounts.rules import COOL_OFF, LIMITS, Failures, lock_of
from plainview.custody.record import Actor
from plainview.web.viewer import address_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

# Which names have signed in with this browser. It opens nothing: it only keeps others' failures from locking them out.
BROWSER_COOKIE = "plainview_browser"
BROWSER_AGE_S = 180 * 24 * 3600
NAMES_LIMIT = 20
NAME_LIMIT = 64
IPV6_NETWORK_BITS = 64


class Locks(AxesDatabaseHandler):  # type: ignore[misc]  # axes carries no types
    """What axes asks of whoever keeps its count."""

    def filter_user_attempts(
        self, request: HttpRequest, credentials: Mapping[str, Any] | None = None
    ) -> list[QuerySet[Any]]:
        """Return the rows that are counted for this name here; they go when the name signs in."""
        return [AccessAttempt.objects.filter(_pair(request, name_asked(request, credentials)))]

    def get_failures(self, request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> int:
        """Return as many failures as make a lock where there is one, and otherwise fewer."""
        failures = failures_of(request, name_asked(request, credentials))
        return LIMITS.pair if lock_of(failures) else min(failures.pair, LIMITS.pair - 1)

    def user_login_failed(
        self,
        sender: object,
        credentials: Mapping[str, Any],
        request: HttpRequest | None = None,
        **kwargs: Any,
    ) -> None:
        """Count a failure, unless there is a lock already; note a lock that it makes."""
        if request is None:
            super().user_login_failed(sender, credentials, request, **kwargs)
            return
        name = name_asked(request, credentials)
        # What a browser calls itself is nobody's business, and would let one attempt be many.
        request.axes_user_agent = known_browser(request, name)  # type: ignore[attr-defined]
        was_locked = bool(self.is_locked(request, credentials))
        request.axes_locked_out = was_locked  # type: ignore[attr-defined]
        super().user_login_failed(sender, credentials, request, **kwargs)
        # An address that is stopped is nobody's lock.
        if not was_locked and lock_of(failures_of(request, name)) in {"pair", "name"}:
            actor = Actor("system:web", session={"address": address_of(request)})
            note_locked_out(username=name, actor=actor, now=request.axes_attempt_time)  # type: ignore[attr-defined]


def failures_of(request: HttpRequest, name: str) -> Failures:
    """Return the failures that count against one more attempt at a name."""
    since = request.axes_attempt_time - COOL_OFF  # type: ignore[attr-defined]
    rows = AccessAttempt.objects.filter(attempt_time__gt=since)
    pair = Q(_pair(request, name))
    if known_browser(request, name):
        return Failures(pair=_sum(rows.filter(pair)), address=0, name=0)
    others = rows.filter(user_agent="")
    return Failures(
        pair=_sum(others.filter(pair)),
        address=_sum(others.filter(ip_address=network_of(request))),
        name=_sum(others.filter(username=name)),
    )


def name_asked(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str:
    """Return the user name that is being tried, however it was capitalised."""
    name = (credentials or {}).get("username") or request.POST.get("login") or ""
    return str(name).strip().lower()[:NAME_LIMIT]


def network_of(request: HttpRequest) -> str | None:
    """Return the address that is counted: of IPv6 the network, since one machine has all of it."""
    try:
        address = ipaddress.ip_address(address_of(request))
    except ValueError:
        return None
    if address.version == 4:
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, IPV6_NETWORK_BITS), strict=False).network_address)


def locked_out(
    request: HttpRequest,
    _response: HttpResponse | None = None,
    _credentials: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """Answer that too many attempts failed; alike for every name, whether somebody has it or not."""
    minutes = int(COOL_OFF.total_seconds() // 60)
    response = render(request, "web/locked.html", {"minutes": minutes}, status=429)
    response["Retry-After"] = str(int(COOL_OFF.total_seconds()))
    return response


def known_browser(request: HttpRequest, name: str) -> str:
    """Return what a browser is known by that somebody of this name has signed in with; empty where nobody has."""
    browser, names = _read_browser(request)
    return browser if _digest_of(name) in names else ""


def remember_browser(request: HttpRequest, response: HttpResponse, name: str) -> None:
    """Have a browser remember that this name signed in with it."""
    browser, names = _read_browser(request)
    digest = _digest_of(name)
    kept = [digest, *(other for other in names if other != digest)][:NAMES_LIMIT]
    response.set_cookie(
        BROWSER_COOKIE,
        signing.dumps([browser or secrets.token_hex(16), kept], salt=BROWSER_COOKIE),
        max_age=BROWSER_AGE_S,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )


def _read_browser(request: HttpRequest) -> tuple[str, list[str]]:
    try:
        browser, names = signing.loads(
            request.COOKIES.get(BROWSER_COOKIE, ""), salt=BROWSER_COOKIE, max_age=BROWSER_AGE_S
        )
    except signing.BadSignature:
        return "", []
    return str(browser), [str(name) for name in names]


def _digest_of(name: str) -> str:
    return salted_hmac(BROWSER_COOKIE, name).hexdigest()[:32]


def _pair(request: HttpRequest, name: str) -> Q:
    browser = known_browser(request, name)
    if browser:
        return Q(username=name, user_agent=browser)
    return Q(username=name, ip_address=network_of(request), user_agent="")


def _sum(rows: QuerySet[Any]) -> int:
    return int(rows.aggregate(failures=Sum("failures_since_start"))["failures"] or 0)

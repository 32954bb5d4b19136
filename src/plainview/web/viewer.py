"""Who asks: set on every request, from who is signed in."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest
from django.utils import timezone

from plainview.accounts.queries import viewer_of
from plainview.accounts.rules import NOBODY, SessionLimits, is_session_over

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpResponse

    from plainview.accounts.rules import Viewer

# Where a session keeps when it began and when it was last used, in seconds since 1970.
BEGAN_AT, SEEN_AT = "plainview_began_at", "plainview_seen_at"
# How old the second may become before it is written again: a page full of pictures must not be as many writes.
SEEN_AGAIN_S = 60


class Request(HttpRequest):
    """A request as our views get it; for annotations only.

    Attributes:
        viewer: who asks.
        now: when it came; the one time that everything it causes carries.
    """

    viewer: Viewer
    now: datetime


class ViewerMiddleware:
    """Put request.viewer and request.now in place, and end a session that has lasted long enough."""

    def __init__(self, get_response: Callable[[Request], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Request) -> HttpResponse:
        """Answer a request that knows who asks."""
        request.now = timezone.now()
        request.viewer = NOBODY
        if request.user.is_authenticated and _is_kept(request):
            request.viewer = viewer_of(request.user, at=request.now)
        return self.get_response(request)


def address_of(request: HttpRequest) -> str:
    """Return the address a request comes from; what headers say of it counts only where a proxy is said to set them."""
    if settings.PLAINVIEW_BEHIND_PROXY:
        # The last is what the nearest proxy saw itself; whatever stands before it, anybody may have sent.
        nearest = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        try:
            return str(ipaddress.ip_address(nearest))
        except ValueError:
            pass
    return str(request.META.get("REMOTE_ADDR", ""))


def begin_session(request: HttpRequest, *, now: datetime) -> None:
    """Note when somebody signed in, for what ends their session."""
    request.session[BEGAN_AT] = request.session[SEEN_AT] = int(now.timestamp())


def _is_kept(request: Request) -> bool:
    """Say whether a session goes on; one that does not is ended."""
    if BEGAN_AT not in request.session:
        begin_session(request, now=request.now)
    began_at, seen_at = (
        datetime.fromtimestamp(request.session[name], tz=UTC) for name in (BEGAN_AT, SEEN_AT)
    )
    limits = SessionLimits(whole=settings.PLAINVIEW_SESSION_LENGTH, idle=settings.PLAINVIEW_IDLE_LENGTH)
    if is_session_over(began_at=began_at, seen_at=seen_at, now=request.now, limits=limits):
        logout(request)
        return False
    if (request.now - seen_at).total_seconds() >= SEEN_AGAIN_S:
        request.session[SEEN_AT] = int(request.now.timestamp())
    return True

"""Who asks: set on every request, from who is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.utils import timezone

from plainview.accounts.queries import viewer_of
from plainview.accounts.rules import NOBODY

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.http import HttpResponse

    from plainview.accounts.rules import Viewer


class Request(HttpRequest):
    """A request as our views get it; for annotations only.

    Attributes:
        viewer: who asks.
        now: when it came; the one time that everything it causes carries.
    """

    viewer: Viewer
    now: datetime


class ViewerMiddleware:
    """Put request.viewer and request.now in place."""

    def __init__(self, get_response: Callable[[Request], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Request) -> HttpResponse:
        """Answer a request that knows who asks."""
        request.now = timezone.now()
        request.viewer = viewer_of(request.user, at=request.now) if request.user.is_authenticated else NOBODY
        return self.get_response(request)

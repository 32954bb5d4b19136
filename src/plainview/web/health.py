"""Say whether this server is up, and whether it can work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponse

from plainview.web.guard import public

if TYPE_CHECKING:
    from plainview.web.viewer import Request


@public
def healthz(request: Request, **kwargs: Any) -> HttpResponse:  # noqa: ARG001 - being built
    """Answer that this is being built."""
    return HttpResponse(status=501)


@public
def readyz(request: Request, **kwargs: Any) -> HttpResponse:  # noqa: ARG001 - being built
    """Answer that this is being built."""
    return HttpResponse(status=501)

"""The list of recordings, search, and what is kept in quarantine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponse

from plainview.web.guard import guarded

if TYPE_CHECKING:
    from plainview.web.viewer import Request


@guarded("recordings.list")
def recordings(request: Request, **kwargs: Any) -> HttpResponse:  # noqa: ARG001 - being built
    """Answer that this is being built."""
    return HttpResponse(status=501)


@guarded("recordings.list")
def quarantine(request: Request, **kwargs: Any) -> HttpResponse:  # noqa: ARG001 - being built
    """Answer that this is being built."""
    return HttpResponse(status=501)


@guarded("recordings.list")
def go_to(request: Request, **kwargs: Any) -> HttpResponse:  # noqa: ARG001 - being built
    """Answer that this is being built."""
    return HttpResponse(status=501)

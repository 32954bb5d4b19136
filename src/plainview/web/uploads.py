"""Hand in files: tus 1.0, resumable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponse

from plainview.web.guard import guarded

if TYPE_CHECKING:
    from plainview.web.viewer import Request


@guarded("uploads.make")
def uploads(request: Request, **kwargs: Any) -> HttpResponse:  # noqa: ARG001 - being built
    """Answer that this is being built."""
    return HttpResponse(status=501)


@guarded("uploads.make")
def upload(request: Request, **kwargs: Any) -> HttpResponse:  # noqa: ARG001 - being built
    """Answer that this is being built."""
    return HttpResponse(status=501)

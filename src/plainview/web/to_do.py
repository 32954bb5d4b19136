"""What the system asks of a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponse

from plainview.web.guard import guarded

if TYPE_CHECKING:
    from plainview.web.viewer import Request


@guarded("tasks.read")
def home(request: Request, **kwargs: Any) -> HttpResponse:  # noqa: ARG001 - being built
    """Answer that this is being built."""
    return HttpResponse(status=501)


@guarded("tasks.read")
def to_do(request: Request, **kwargs: Any) -> HttpResponse:  # noqa: ARG001 - being built
    """Answer that this is being built."""
    return HttpResponse(status=501)


@guarded("tasks.read")
def answer(request: Request, **kwargs: Any) -> HttpResponse:  # noqa: ARG001 - being built
    """Answer that this is being built."""
    return HttpResponse(status=501)

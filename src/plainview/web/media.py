"""Bytes of a recording and of what is derived from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponse

from plainview.web.guard import guarded

if TYPE_CHECKING:
    from plainview.web.viewer import Request


@guarded("recording.see")
def video(request: Request, **kwargs: Any) -> HttpResponse:  # noqa: ARG001 - being built
    """Answer that this is being built."""
    return HttpResponse(status=501)


@guarded("recording.see")
def storyboard(request: Request, **kwargs: Any) -> HttpResponse:  # noqa: ARG001 - being built
    """Answer that this is being built."""
    return HttpResponse(status=501)


@guarded("recording.see")
def poster(request: Request, **kwargs: Any) -> HttpResponse:  # noqa: ARG001 - being built
    """Answer that this is being built."""
    return HttpResponse(status=501)


@guarded("recording.see")
def waveform(request: Request, **kwargs: Any) -> HttpResponse:  # noqa: ARG001 - being built
    """Answer that this is being built."""
    return HttpResponse(status=501)

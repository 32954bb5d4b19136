"""Say what went wrong where no page could."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.template import loader

if TYPE_CHECKING:
    from plainview.web.viewer import Request

RETRY_AFTER_S = 10


def failed(request: Request) -> HttpResponse:  # noqa: ARG001 - nothing of it is trusted to work
    """Answer a request that an exception ended; rendered without the frame's facts, which may be what failed."""
    if isinstance(sys.exc_info()[1], (OperationalError, InterfaceError)):
        return HttpResponse(
            loader.get_template("503.html").render(), status=503, headers={"Retry-After": str(RETRY_AFTER_S)}
        )
    return HttpResponse(loader.get_template("500.html").render(), status=500)

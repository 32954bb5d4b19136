"""The one installation that this process answers programs for."""

from __future__ import annotations

import threading
from functools import cache

from django.conf import settings

from plainview.pipeline.installation import Installation, open_installation

_lock = threading.Lock()


def installation() -> Installation:
    """Return vault, keys and log; opened by the first request that needs them, and then shared by all threads."""
    with _lock:
        return _installation()


@cache
def _installation() -> Installation:
    return open_installation(settings.PLAINVIEW_DATA, zone=settings.PLAINVIEW_ZONE)

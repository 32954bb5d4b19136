"""The one installation that this process answers for."""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings

from plainview.pipeline.installation import Installation, open_derived, open_installation

if TYPE_CHECKING:
    from plainview.vault.local import LocalStore

_lock = threading.Lock()


def installation() -> Installation:
    """Return vault, keys and log; opened by the first request that needs them, and then shared by all threads."""
    with _lock:
        return _installation()


def derived() -> LocalStore:
    """Return the store of what was derived from originals."""
    with _lock:
        return _derived()


@cache
def _installation() -> Installation:
    return open_installation(settings.PLAINVIEW_DATA, zone=settings.PLAINVIEW_ZONE)


@cache
def _derived() -> LocalStore:
    return open_derived(settings.PLAINVIEW_DATA)

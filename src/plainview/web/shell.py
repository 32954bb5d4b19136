"""What every page's frame shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the places this viewer has, for the rail."""
    return {"viewer": getattr(request, "viewer", None)}

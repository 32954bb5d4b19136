"""What every page's frame shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import reverse

from plainview.accounts.rules import NOBODY, decide_place
from plainview.pipeline.demo_footage import read_making

if TYPE_CHECKING:
    from django.http import HttpRequest

    from plainview.accounts.rules import Viewer

THEMES = frozenset({"light", "dark"})
THEME_COOKIE = "plainview_theme"


@dataclass(frozen=True)
class Place:
    """A link of the rail.

    Attributes:
        name: its word.
        address: where it leads.
        is_here: whether the page asked for lies in it.
    """

    name: str
    address: str
    is_here: bool


# What each place needs leave for, and the names of the addresses that lie in it.
PLACES = (
    ("To do", "to_do", "tasks.read", ("home", "to_do", "task_answer", "quarantine")),
    ("Recordings", "recordings", "recordings.list", ("recordings", "recording")),
    ("Department", "cameras", "cameras.read", ("cameras", "camera")),
)


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return what the frame of a page needs: who asks, the places they have, and the colours they chose."""
    viewer: Viewer = getattr(request, "viewer", NOBODY)
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return {
        "viewer": viewer,
        "person": "" if viewer.user is None else getattr(request.user, "name", ""),
        "roles": ", ".join(sorted(viewer.all_roles)),
        "places": _places(request, viewer),
        "can_search": viewer.user is not None and decide_place(viewer, "recordings.list"),
        "theme": theme if theme in THEMES else "",
        "place_zone": settings.PLAINVIEW_ZONE,
        "printed_at": None if viewer.user is None else getattr(request, "now", None),
        "making": read_making(settings.PLAINVIEW_DATA) if settings.PLAINVIEW_IS_DEMO else None,
    }


def _places(request: HttpRequest, viewer: Viewer) -> list[Place]:
    if viewer.user is None:
        return []
    match = request.resolver_match
    here = "" if match is None or match.url_name is None else match.url_name
    return [
        Place(name, reverse(address), any(here == own or here.startswith(f"{own}_") for own in within))
        for name, address, action, within in PLACES
        if decide_place(viewer, action)
    ]

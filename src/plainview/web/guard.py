"""The one guard: every view says what it asks leave for."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib.auth.views import redirect_to_login
from django.http import Http404

from plainview.accounts.rules import DEEDS, PLACES, decide_place

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpResponse

    from plainview.web.viewer import Request

    View = Callable[..., HttpResponse]

# A recording's own rule is asked where it is looked up, with the recording in hand: evidence.queries.access_recording.
ACTIONS = frozenset(PLACES) | frozenset(DEEDS)


def guarded(action: str) -> Callable[[View], View]:
    """Let a view answer only whoever may do this; who has not signed in is asked to.

    Args:
        action: of a place ("recordings.list"), decided here; or of a recording ("recording.see"), decided here only so
            far that somebody is signed in, and then by the query that looks the recording up.
    """
    if action not in ACTIONS:
        raise KeyError(action)

    def guard(view: View) -> View:
        @wraps(view)
        def asked(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.viewer.user is None:
                return redirect_to_login(request.get_full_path())
            if action in PLACES and not decide_place(request.viewer, action):
                raise Http404
            return view(request, *args, **kwargs)

        asked.guarded_action = action  # type: ignore[attr-defined]
        return asked

    return guard


def public(view: View) -> View:
    """Mark a view that anyone may ask: a short list, compared by a test."""
    view.guarded_action = "public"  # type: ignore[attr-defined]
    return view

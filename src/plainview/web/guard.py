"""The one guard: every view says what it asks leave for."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from plainview.accounts.rules import DEEDS, PLACES, decide_place
from plainview.evidence.errors import NoSuchRecordingError, RestrictedError
from plainview.tasks.errors import NoSuchTaskError

if TYPE_CHECKING:
    from collections.abc import Callable

    from plainview.web.viewer import Request

    View = Callable[..., HttpResponse]

# A recording's own rule is asked where it is looked up, with the recording in hand: evidence.queries.access_recording.
ACTIONS = frozenset(PLACES) | frozenset(DEEDS)
# What else a view may say of itself: it serves anyone; it serves somebody's own account.
PUBLIC, OWN_ACCOUNT = "public", "own account"
# Addresses that answer programs and players, which can make nothing of a page to sign in on.
DATA = frozenset(
    {
        "recording_video",
        "recording_storyboard",
        "recording_poster",
        "recording_progress",
        "recording_waveform",
        "recording_transcript",
        "uploads",
        "upload",
    }
)
# What counts as a second factor; recovery codes only stand in for one.
SECOND_FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


def guarded(action: str) -> Callable[[View], View]:
    """Let a view answer only whoever may do this; who has not signed in is asked to.

    What a view raises is answered here too: what is absent or not this viewer's to know is "not found", alike to the
    byte; what they may know and not see is "recorded, restricted".

    Args:
        action: of a place ("recordings.list"), decided here; or of a recording ("recording.see"), decided here only so
            far that somebody is signed in, and then by the query that looks the recording up.
    """
    if action not in ACTIONS:
        raise KeyError(action)

    def guard(view: View) -> View:
        @wraps(view)
        def asked(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
            missing = _ask_to_sign_in(request) or _ask_for_second_factor(request)
            if missing is not None:
                return missing
            if action in PLACES and not decide_place(request.viewer, action):
                raise Http404
            try:
                return view(request, *args, **kwargs)
            except (NoSuchRecordingError, NoSuchTaskError):
                raise Http404 from None
            except RestrictedError as error:
                return _restricted(request, error.identifier)

        return _marked(asked, action)

    return guard


def own_account(view: View) -> View:
    """Let a view answer whoever is signed in, about their own account and nothing else."""

    @wraps(view)
    def asked(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        return _ask_to_sign_in(request) or view(request, *args, **kwargs)

    return _marked(asked, OWN_ACCOUNT)


def public(view: View) -> View:
    """Mark a view that anyone may ask: a short list, compared by a test."""

    @wraps(view)
    def asked(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, *args, **kwargs)

    return _marked(asked, PUBLIC)


def _marked(view: View, action: str) -> View:
    view.guarded_action = action  # type: ignore[attr-defined]
    return view


def wants_data(request: Request) -> bool:
    """Say whether whoever asks is a program or a player rather than a person with a page."""
    match = request.resolver_match
    return match is not None and match.url_name in DATA


def _ask_to_sign_in(request: Request) -> HttpResponse | None:
    if request.viewer.user is not None:
        return None
    door = reverse("enter" if settings.PLAINVIEW_IS_DEMO else settings.LOGIN_URL)
    if wants_data(request):
        words = f"Nobody is signed in, or no longer. Sign in at {door} and try again."
        return HttpResponse(
            words, status=401, content_type="text/plain", headers={"WWW-Authenticate": "Plainview"}
        )
    if request.headers.get("HX-Request"):
        return HttpResponseClientRedirect(door)
    return redirect_to_login(request.get_full_path(), door)


def lacks_second_factor(request: Request) -> bool:
    """Say whether a role of theirs asks for a second factor and they have none."""
    demanded = settings.PLAINVIEW_SECOND_FACTOR_ROLES & request.viewer.all_roles
    return bool(demanded) and not is_mfa_enabled(request.user, SECOND_FACTORS)


def _ask_for_second_factor(request: Request) -> HttpResponse | None:
    if not lacks_second_factor(request):
        return None
    if wants_data(request):
        words = f"Your role asks for a second factor. Set one up at {reverse('mfa_index')} and try again."
        return HttpResponse(words, status=403, content_type="text/plain")
    return redirect("mfa_index")


def _restricted(request: Request, identifier: str) -> HttpResponse:
    if wants_data(request):
        words = f"{identifier} is recorded and restricted."
        return HttpResponse(words, status=403, content_type="text/plain")
    return render(request, "web/restricted.html", {"identifier": identifier}, status=403)

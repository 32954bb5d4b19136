"""Enter as somebody of the sample department; only in a demo's data directory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from plainview.accounts.queries import known_users
from plainview.accounts.rules import ROLES
from plainview.pipeline.demo_footage import read_making
from plainview.web.guard import public

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpResponse

    from plainview.accounts.rules import KnownUser
    from plainview.web.viewer import Request

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@public
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: Request) -> HttpResponse:
    """List who can be entered as, and enter; in a department's own data directory there is no such page."""
    if not settings.PLAINVIEW_IS_DEMO:
        raise Http404
    seats = _seats(request.now)
    if request.method != "POST":
        people: list[dict[str, Any]] = [
            {"role": role, "comes_for": ROLES[role], "user": seats.get(role)} for role in ROLES
        ]
        return render(request, "web/enter.html", {"people": people, "next": request.GET.get("next", "")})
    seat = seats.get(request.POST.get("role", ""))
    if seat is None:
        raise Http404
    user = get_user_model().objects.get(pk=seat.key)
    login(request, user, backend=BACKEND)
    request.session.set_expiry(0)
    return redirect(_safe(request, request.POST.get("next", "")))


@public
@never_cache
@require_http_methods(["GET", "HEAD"])
def making(request: Request) -> HttpResponse:
    """Say how far a demonstration's footage is, for the page that asks again and again; in no other place."""
    if not settings.PLAINVIEW_IS_DEMO:
        raise Http404
    found = read_making(settings.PLAINVIEW_DATA)
    answer = render(request, "web/_making.html", {"making": found})
    if request.GET.get("taken_in") != str(found.taken_in if found else ""):
        answer["HX-Trigger"] = "plainview:received"
    return answer


def _seats(now: datetime) -> dict[str, KnownUser]:
    """Return for each role the first who was added and holds it; who signs in by a password is nobody's to enter as."""
    seats: dict[str, KnownUser] = {}
    for user in known_users(at=now):
        for role, _unit in user.roles:
            if not user.has_password:
                seats.setdefault(role, user)
    return seats


def _safe(request: Request, address: str) -> str:
    is_ours = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return address if is_ours else "home"

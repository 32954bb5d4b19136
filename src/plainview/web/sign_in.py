"""Signing in and out, one's own account: allauth's views, those of them that are wanted, and what they note.

Everything else that allauth brings (signing up, e-mail, passwords forgotten by e-mail, other people's accounts) has no
address here. A test compares its list with ours, so that what a newer version brings stays shut until somebody decides.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from allauth.account import views as account
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.signals import password_changed
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base import views as factors
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.signals import authentication_failed
from allauth.mfa.totp import views as totp
from allauth.usersessions import views as sessions
from axes.handlers.proxy import AxesProxyHandler
from django.contrib import messages
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import Http404
from django.urls import path
from django.utils import timezone
from qrcode import make as make_qr_code  # type: ignore[import-untyped]  # it carries no types
from qrcode.image.svg import SvgPathFillImage  # type: ignore[import-untyped]  # the same

from plainview.accounts.actions import note_factor, note_password, note_signed_in
from plainview.custody.record import Actor
from plainview.web.guard import lacks_second_factor, own_account, public
from plainview.web.locks import locked_out, remember_browser
from plainview.web.viewer import address_of, begin_session

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from plainview.web.viewer import Request

# How a session that was entered rather than signed in to says so.
DEMO_FACTOR = "demo"
SAID = {
    "account/messages/password_changed.txt": "Your password was changed. Wherever else you are signed in, you have to "
    "sign in again.",
    "mfa/messages/totp_activated.txt": "Your authenticator app is asked for from now on.",
    "mfa/messages/totp_deactivated.txt": "Your authenticator app is no longer asked for.",
    "mfa/messages/recovery_codes_generated.txt": "Recovery codes were made. Any older ones no longer work.",
    "usersessions/messages/sessions_logged_out.txt": "You are signed out everywhere else.",
}


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth carries no types
    """What allauth asks of whoever uses it."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": "This name and this password do not go together. Check both and try again.",
        "incorrect_password": "This is not your password. Try again.",
        "incorrect_code": "This code does not fit. Wait for the next one and try again.",
        "enter_current_password": "This is not your password now. Try again.",
    }

    def is_open_for_signup(self, _request: HttpRequest) -> bool:
        """Say that nobody adds themselves."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return where a request comes from."""
        return address_of(request)

    def login(self, request: HttpRequest, user: Any) -> None:
        """Sign somebody in who has shown every factor, unless they were locked out meanwhile."""
        if AxesProxyHandler.is_locked(request, {"username": user.username}):
            request.session.flush()
            raise ImmediateHttpResponse(locked_out(request))
        super().login(request, user)

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse:
        """Have the browser remember who signed in with it."""
        response: HttpResponse = super().post_login(request, user, **kwargs)
        remember_browser(request, response, user.username)
        return response

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        *_args: Any,
        **_kwargs: Any,
    ) -> None:
        """Say what is worth saying, in our words."""
        if message_template in SAID:
            messages.add_message(request, level, SAID[message_template])


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth carries no types
    """What allauth asks about second factors."""

    def build_totp_svg(self, url: str) -> str:
        """Draw the square that an app's camera reads on white: on a dark page it would otherwise not be seen."""
        return str(make_qr_code(url, image_factory=SvgPathFillImage).to_string(encoding="unicode"))


@receiver(user_logged_in, dispatch_uid="plainview.signed_in")
def _signed_in(request: HttpRequest, user: Any, **_kwargs: Any) -> None:
    now = getattr(request, "now", None) or timezone.now()
    begin_session(request, now=now)
    note_signed_in(user=user, actor=_actor(request, user, with_factors=True), now=now)


@receiver(password_changed, dispatch_uid="plainview.password")
def _password_changed(request: HttpRequest, user: Any, **_kwargs: Any) -> None:
    note_password(user=user, actor=_actor(request, user), now=timezone.now())


# The rows' own signals: allauth's come after the transaction, where a kill would leave a factor without its act.
@receiver(post_save, sender=Authenticator, dispatch_uid="plainview.factor_added")
def _factor_added(instance: Any, created: bool, **_kwargs: Any) -> None:  # noqa: FBT001 - Django calls it so
    if created:
        _note_factor(instance, is_added=True)


@receiver(post_delete, sender=Authenticator, dispatch_uid="plainview.factor_removed")
def _factor_removed(instance: Any, **_kwargs: Any) -> None:
    _note_factor(instance, is_added=False)


@receiver(authentication_failed, dispatch_uid="plainview.factor_failed")
def _factor_failed(request: HttpRequest, user: Any, **_kwargs: Any) -> None:
    # To axes it is a failure like one of a password; a lock drops what was begun, and whoever was signed in.
    user_login_failed.send(sender=__name__, credentials={"username": user.username}, request=request)
    if request.axes_locked_out:  # type: ignore[attr-defined]  # axes sets it
        request.session.flush()


def _note_factor(factor: Any, *, is_added: bool) -> None:
    request = context.request
    # Outside a request it is an action of accounts, which notes it itself.
    if request is not None:
        actor = _actor(request, factor.user)
        note_factor(
            user=factor.user, factor=str(factor.type), is_added=is_added, actor=actor, now=timezone.now()
        )


def _actor(request: HttpRequest, user: Any, *, with_factors: bool = False) -> Actor:
    key = request.session.session_key or ""
    session: dict[str, Any] = {
        "address": address_of(request),
        "session_sha256": sha256(key.encode()).hexdigest(),
    }
    if with_factors:
        records = get_authentication_records(request, user)
        session["factors"] = [str(one.get("type") or one["method"]) for one in records] or [DEMO_FACTOR]
    return Actor(f"user:{user.pseudonym}", session=session)


@own_account
def own_page(request: Request) -> HttpResponse:
    """Show how one signs in, and what else one's role asks for."""
    more = {"needs_second_factor": lacks_second_factor(request)}
    response: HttpResponse = factors.IndexView.as_view(extra_context=more)(request)
    return response


@own_account
def change_password(request: Request) -> HttpResponse:
    """Change one's password; who has none, as in a demo, sets none here."""
    if not request.user.is_authenticated or not request.user.has_usable_password():
        raise Http404
    response: HttpResponse = account.password_change(request)
    return response


urlpatterns = [
    path("login/", public(account.login), name="account_login"),
    path("logout/", public(account.logout), name="account_logout"),
    path("inactive/", public(account.account_inactive), name="account_inactive"),
    path("second-factor/", public(factors.authenticate), name="mfa_authenticate"),
    path("", own_page, name="mfa_index"),
    path("confirm/", own_account(account.reauthenticate), name="account_reauthenticate"),
    path("confirm/code/", own_account(factors.reauthenticate), name="mfa_reauthenticate"),
    path("password/", change_password, name="account_change_password"),
    path("authenticator/add/", own_account(totp.activate_totp), name="mfa_activate_totp"),
    path("authenticator/remove/", own_account(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("codes/", own_account(recovery_codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path(
        "codes/new/", own_account(recovery_codes.generate_recovery_codes), name="mfa_generate_recovery_codes"
    ),
    path(
        "codes/download/",
        own_account(recovery_codes.download_recovery_codes),
        name="mfa_download_recovery_codes",
    ),
    path("sessions/", own_account(sessions.list_usersessions), name="usersessions_list"),
]

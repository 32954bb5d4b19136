"""Every address is guarded; who may not know gets the same answer as for what is not there."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from allauth import urls as allauth_urls
from django.http import HttpResponse
from django.test.utils import override_settings
from django.urls import URLPattern, URLResolver, get_resolver, path, reverse

from plainview.accounts.actions import add_officer, add_unit
from plainview.accounts.rules import DEEDS, PLACES, ROLES
from plainview.evidence.actions import restrict_recording
from plainview.evidence.errors import RestrictedError
from plainview.evidence.models import SearchRow
from plainview.formats.ids import format_identifier
from plainview.web import guard, sign_in
from plainview.web.guard import DATA, OWN_ACCOUNT, PUBLIC, guarded, own_account, public
from plainview.web.viewer import ViewerMiddleware, address_of
from simulators.custody_rows import CLERK, START
from simulators.roster import receive
from simulators.signing_in import add_person, browser, browser_of

OPEN_TO_ANYONE = {
    "account_inactive",
    "account_login",
    "account_logout",
    "enter",
    "enter_making",
    "healthz",
    "mfa_authenticate",
    "readyz",
}
# What allauth brings and nobody gets to: whoever adds one here says so, and whoever wants one builds it in sign_in.
SWITCHED_OFF = {
    "account_confirm_email",
    "account_confirm_login_code",
    "account_email",
    "account_email_verification_sent",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "account_set_password",
    "account_signup",
}
ABSENT = "R-26-99999999-" + format_identifier(kind="R", year=2026, number=99999999)[-1]


def views(resolver):
    """Yield name and view of every address below a resolver."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from views(pattern)
        else:
            yield pattern.name, pattern.callback


# What programs ask, and not people: guarded by tokens (tests/db/api).
FOR_PROGRAMS = {"dock", "destination"}
PROGRAMS = ("dock_", "swift_")


def unguarded(resolver):
    known = {*PLACES, *DEEDS, PUBLIC, OWN_ACCOUNT, *FOR_PROGRAMS}
    return [name for name, view in views(resolver) if getattr(view, "guarded_action", None) not in known]


def addresses(names=None):
    """Return every address by name, with an identifier that nothing has."""
    arguments = {
        "task_answer": [7],
        "upload": ["0" * 32],
        "recording_package": [ABSENT, "0" * 32],
        "recording_attachment": [ABSENT, "7"],
        "camera": ["0" * 16],
        "recordings_import_run": ["0" * 16],
    }
    made = {}
    for name, _ in views(get_resolver()):
        if name.startswith(PROGRAMS):
            continue
        takes_one = name.startswith("recording_") or name in {"recording", "go_to"}
        made[name] = reverse(name, args=arguments.get(name, [ABSENT] if takes_one else []))
    return made if names is None else {name: made[name] for name in names}


def actions():
    return {
        name: view.guarded_action for name, view in views(get_resolver()) if not name.startswith(PROGRAMS)
    }


# --- every address


def test_every_address_is_guarded():
    assert unguarded(get_resolver()) == []


def test_a_view_without_a_guard_is_found(monkeypatch):
    hole = [path("hole", lambda request: HttpResponse(), name="hole"), path("a/", sign_in.own_page, name="a")]

    class Patterns:
        url_patterns = (*get_resolver().url_patterns, *hole)

    assert unguarded(Patterns) == ["hole"]
    assert isinstance(hole[0], URLPattern)


def test_the_list_of_what_serves_anyone_is_short_and_this_one():
    assert {name for name, action in actions().items() if action == PUBLIC} == OPEN_TO_ANYONE


def test_whatever_allauth_brings_is_either_wanted_or_switched_off():
    brought = {name for name, _ in views(allauth_urls_resolver())}
    ours = {pattern.name for pattern in sign_in.urlpatterns}
    assert brought - ours == SWITCHED_OFF
    assert ours <= brought


def allauth_urls_resolver():
    class Patterns:
        url_patterns = allauth_urls.urlpatterns

    return Patterns


@pytest.mark.usefixtures("undone")
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "address",
    [
        "signup/",
        "email/",
        "confirm-email/",
        "confirm-email/abc/",
        "password/reset/",
        "password/reset/done/",
        "password/reset/key/1-abc/",
        "password/set/",
        "login/code/",
        "login/code/confirm/",
        "2fa/",
        "2fa/webauthn/add/",
        "2fa/trust/",
        "3rdparty/",
        "3rdparty/signup/",
        "social/login/cancelled/",
    ],
)
def test_what_is_switched_off_is_not_there_for_nobody_and_for_somebody(address, method):
    for client in (browser(), browser_of(add_person("a.clerk", "custodian"))):
        assert getattr(client, method)(f"/account/{address}").status_code == 404


def test_an_action_that_does_not_exist_cannot_guard_a_view():
    with pytest.raises(KeyError):
        guarded("recording.sees")


# --- nobody


@pytest.mark.usefixtures("undone")
def test_nobody_is_asked_to_sign_in_by_every_page_and_told_so_by_everything_else():
    asked = browser()
    for name, address in addresses().items():
        if name in OPEN_TO_ANYONE:
            continue
        for method in (asked.get, asked.post, asked.patch, asked.delete):
            answer = method(address)
            if answer.status_code == 405 and method != asked.get:
                continue
            if name in DATA:
                assert (answer.status_code, answer["Content-Type"]) == (401, "text/plain"), name
                assert "WWW-Authenticate" in answer
            else:
                assert answer.status_code == 302, name
                assert answer["Location"].startswith("/account/login/?next=/"), name


def test_what_answers_no_person_is_what_has_an_address():
    assert set(addresses()) >= DATA


@pytest.mark.usefixtures("undone")
def test_a_page_that_is_asked_for_a_piece_of_it_is_led_as_a_whole():
    answer = browser().get("/to-do", headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == "/account/login/"


@pytest.mark.usefixtures("undone")
def test_in_a_demo_nobody_is_led_to_where_they_can_enter():
    with override_settings(PLAINVIEW_IS_DEMO=True):
        assert browser().get("/")["Location"] == "/enter?next=/"
    assert browser().get("/")["Location"] == "/account/login/?next=/"


# --- somebody who may not


@pytest.mark.usefixtures("undone")
@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_place_that_a_role_has_not_is_not_there(role):
    asked = browser_of(add_person("a.person", role))
    for name, action in actions().items():
        if action in PLACES and role not in PLACES[action]:
            assert asked.get(addresses()[name]).status_code == 404, name


@pytest.fixture
def recording(undone):
    """A recording of somebody else's unit, and its identifier."""
    unit = add_unit(code="P12", name="Patrol 12", actor=CLERK, now=START)
    wearer = add_officer(badge="4711", name="B. Officer", actor=CLERK, now=START)
    known = receive("guarded")
    SearchRow.objects.filter(recording_id=known.key).update(wearer=wearer, unit=unit)
    return known


def of_recordings():
    return {
        name: re.escape(ABSENT)
        for name, action in actions().items()
        if action in DEEDS and not name.startswith("recording_package")
    }


def without_masks(answer):
    """Return an answer's body without what differs in every answer: the mask of the token in its forms, the time now."""
    masks = rb'(csrf-token" content=|csrfmiddlewaretoken" value=|X-CSRFToken": )"[^"]+"|<time .*?</time>'
    return re.sub(masks, b"", answer.content)


def test_what_is_absent_and_what_may_not_be_known_are_answered_alike_to_the_byte(recording):
    for role in ("officer", "prosecutor", "defence", "administrator"):
        asked = browser_of(add_person(f"a.{role}", role))
        for name in of_recordings():
            unknowable, absent = (
                asked.get(addresses()[name].replace(ABSENT, identifier))
                for identifier in (recording.identifier, ABSENT)
            )
            assert unknowable.status_code == absent.status_code == 404, name
            assert without_masks(unknowable).replace(recording.identifier.encode(), ABSENT.encode()) == (
                without_masks(absent)
            ), name
            assert {k: v for k, v in unknowable.items() if k != "Content-Length"} == {
                k: v for k, v in absent.items() if k != "Content-Length"
            }, name


def test_an_administrator_comes_by_no_address_to_footage(recording):
    asked = browser_of(add_person("an.administrator", "administrator"))
    assert of_recordings()
    for name in of_recordings():
        address = addresses()[name].replace(ABSENT, recording.identifier)
        assert asked.get(address).status_code == 404, name
        assert asked.post(address).status_code in {404, 405}, name


def test_what_may_be_known_and_not_seen_says_so_to_people_and_programs(recording):
    restrict_recording(recording=recording, reason="sealed", actor=CLERK, now=START)
    asked = browser_of(add_person("a.supervisor", "supervisor"))
    for name in ("recording_video", "recording_poster", "recording_storyboard"):
        data = asked.get(addresses()[name].replace(ABSENT, recording.identifier))
        assert (data.status_code, data["Content-Type"]) == (403, "text/plain"), name
        assert recording.identifier in data.content.decode()
    from plainview.evidence.queries import access_recording

    @guarded("recording.see")
    def page(request):
        access_recording(viewer=request.viewer, identifier=recording.identifier)

    request = asked.get("/account/").wsgi_request
    request.viewer = viewer_of_request(request)
    request.resolver_match = None
    answer = page(request)
    assert answer.status_code == 403
    assert "Recorded, restricted" in answer.content.decode()
    assert recording.identifier in answer.content.decode()


def viewer_of_request(request):
    from plainview.accounts.queries import viewer_of

    return viewer_of(request.user, at=datetime.now(UTC))


def test_a_restriction_names_what_why_and_what_next():
    words = str(RestrictedError("R-26-00004217-5"))
    assert "R-26-00004217-5" in words
    assert "custodian" in words


# --- the guard itself


def test_a_guard_says_what_it_asks_leave_for():
    def view(request):
        """Answer."""

    assert guarded("recording.see")(view).guarded_action == "recording.see"
    assert own_account(view).guarded_action == OWN_ACCOUNT
    assert public(view).guarded_action == PUBLIC
    # Somebody else's view is marked in a copy: another address may lead to it unmarked.
    assert not hasattr(view, "guarded_action")
    assert public(view).__doc__ == "Answer."


# --- a second factor that a role asks for


@pytest.mark.usefixtures("undone")
def test_a_role_that_asks_for_a_second_factor_opens_nothing_but_the_own_account_without_one(monkeypatch):
    with override_settings(PLAINVIEW_SECOND_FACTOR_ROLES=frozenset({"custodian"})):
        held = browser_of(add_person("a.clerk", "custodian", "officer"))
        assert held.get("/recordings")["Location"] == "/account/"
        assert "Your role asks for a second factor" in held.get("/account/").content.decode()
        assert held.get(addresses()["recording_video"]).status_code == 403
        assert held.post("/uploads").status_code == 403
        free = browser_of(add_person("an.officer", "officer"))
        assert free.get(addresses()["recording_video"]).status_code == 404
        assert "asks for a second factor" not in free.get("/account/").content.decode()
        monkeypatch.setattr(guard, "is_mfa_enabled", lambda user, types: types == guard.SECOND_FACTORS)
        assert held.get(addresses()["recording_video"]).status_code == 404


# --- sessions


class Clock:
    """What the middleware asks for the time."""

    def __init__(self):
        self.at = START

    def now(self):
        return self.at


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr("plainview.web.viewer.timezone", made)
    return made


def is_in(client):
    return client.get("/account/").status_code == 200


@pytest.mark.usefixtures("undone")
def test_who_asks_for_nothing_for_half_an_hour_has_to_sign_in_again(clock):
    client = browser()
    signed_in_at(client, clock.at)
    for minutes in (29, 58, 87):
        clock.at = START + timedelta(minutes=minutes)
        assert is_in(client)
    clock.at = START + timedelta(minutes=117)
    assert not is_in(client)
    clock.at = START + timedelta(minutes=118)
    assert not is_in(client)
    assert "_auth_user_id" not in client.session


@pytest.mark.usefixtures("undone")
def test_a_session_ends_with_the_shift_however_busy_somebody_is(clock):
    client = browser()
    signed_in_at(client, clock.at)
    for minutes in range(20, 12 * 60, 20):
        clock.at = START + timedelta(minutes=minutes)
        assert is_in(client)
    clock.at = START + timedelta(hours=12)
    assert not is_in(client)


@pytest.mark.usefixtures("undone")
def test_a_page_full_of_pictures_writes_a_session_once(clock, monkeypatch):
    client = browser()
    signed_in_at(client, clock.at)
    clock.at = START + timedelta(seconds=90)
    assert is_in(client)
    saved = []
    monkeypatch.setattr(
        "django.contrib.sessions.backends.db.SessionStore.save", lambda *a, **k: saved.append(1)
    )
    for second in range(30):
        clock.at = START + timedelta(seconds=90 + second)
        assert is_in(client)
    assert saved == []


def signed_in_at(client, at):
    client.force_login(
        add_person("a.clerk", "custodian"), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    session = client.session
    session["plainview_began_at"] = session["plainview_seen_at"] = int(at.timestamp())
    session.save()


def test_a_session_that_no_time_stands_in_begins_now(rf_request):
    assert ViewerMiddleware(lambda request: request)(rf_request).viewer.user is None


@pytest.fixture
def rf_request():
    from django.contrib.auth.models import AnonymousUser
    from django.test import RequestFactory

    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    return request


# --- where a request comes from


@pytest.mark.parametrize(
    ("is_behind_proxy", "header", "address"),
    [
        (False, "198.51.100.9", "192.0.2.7"),
        (True, "198.51.100.9", "198.51.100.9"),
        (True, "203.0.113.5, 198.51.100.9", "198.51.100.9"),
        (True, "2001:db8::1", "2001:db8::1"),
        (True, "somebody", "192.0.2.7"),
        (True, "", "192.0.2.7"),
    ],
)
def test_headers_say_where_a_request_comes_from_only_behind_a_proxy(
    rf_request, is_behind_proxy, header, address
):
    rf_request.META |= {"REMOTE_ADDR": "192.0.2.7", "HTTP_X_FORWARDED_FOR": header}
    with override_settings(PLAINVIEW_BEHIND_PROXY=is_behind_proxy):
        assert address_of(rf_request) == address

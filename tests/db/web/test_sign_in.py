"""Signing in, second factors, locks and the demo's door, through the pages."""

import json
import re
import time
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from axes.models import AccessAttempt
from django.contrib.auth import get_user_model
from django.test import RequestFactory
from django.test.utils import override_settings
from django.utils import timezone
from django.utils.html import escape

from plainview.accounts.models import User
from plainview.accounts.rules import COOL_OFF, LIMITS, ROLES
from plainview.custody.models import Act
from plainview.web.locks import BROWSER_COOKIE, name_asked, network_of
from plainview.web.viewer import address_of
from simulators.custody_rows import last_act
from simulators.signing_in import LOGIN, PASSWORD, add_person, browser, browser_of, sign_in

pytestmark = pytest.mark.usefixtures("undone", "quick_passwords")
CODE = "/account/second-factor/"
SECRET = "JBSWY3DPEHPK3PXP"
HOME = "192.0.2.7"


@pytest.fixture
def quick_passwords():
    """Hash passwords at once: how slow the real hash is, is nothing these tests are about."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture
def clerk():
    return add_person("a.clerk", "custodian")


@pytest.fixture
def guarded_clerk(clerk):
    """The clerk with an authenticator app and recovery codes."""
    totp.TOTP.activate(clerk, SECRET)
    RecoveryCodes.activate(clerk)
    return clerk


def code_now(steps=0):
    return totp.format_hotp_value(totp.hotp_value(SECRET, int(time.time()) // 30 + steps))


def wrong_code():
    return next(code for code in ("000000", "111111") if code not in {code_now(n) for n in (-2, -1, 0, 1, 2)})


def is_in(client):
    return client.get("/account/").status_code == 200


def acts(word):
    return Act.objects.filter(act=word).count()


def fail(client, times, username="a.clerk", **more):
    return [sign_in(client, username, f"wrong {n}", **more).status_code for n in range(times)]


def failed_elsewhere(username, address, failures):
    """Note failures as if they had come in a moment ago."""
    AccessAttempt.objects.create(
        username=username,
        ip_address=address,
        user_agent="",
        attempt_time=timezone.now(),
        failures_since_start=failures,
    )


def later(by=COOL_OFF):
    """Have everything that was counted or noted happened so much earlier."""
    for row in AccessAttempt.objects.all():
        AccessAttempt.objects.filter(pk=row.pk).update(attempt_time=row.attempt_time - by)
    for user in User.objects.exclude(lock_noted_at=None):
        User.objects.filter(pk=user.pk).update(lock_noted_at=user.lock_noted_at - by)


def plain(answer):
    """Return a page without the masks of its tokens."""
    return re.sub(rb'(csrf-token" content=|csrfmiddlewaretoken" value=)"[^"]+"', b"", answer.content)


# --- a name and a password


def test_who_signs_in_is_led_home_and_the_log_says_how_and_from_where(clerk):
    client = browser(HOME)
    answer = sign_in(client, "a.clerk")
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert is_in(client)
    row = last_act()
    assert (row["act"], row["object"], row["actor"]) == ("user.signed_in", *[f"user:{clerk.pseudonym}"] * 2)
    words = json.loads(row["session_words"])
    assert (words["address"], words["factors"]) == (HOME, ["password"])
    assert client.session.session_key not in str(row)


def test_a_session_gets_a_new_key_when_somebody_signs_in(clerk):
    client = browser()
    session = client.session
    session["before"] = True
    session.save()
    before = session.session_key
    sign_in(client, "a.clerk")
    assert client.session.session_key != before


def test_a_cookie_of_a_session_is_no_scripts_business_and_ends_with_the_browser(clerk):
    cookies = sign_in(browser(), "a.clerk").cookies
    for name in ("sessionid", BROWSER_COOKIE):
        assert cookies[name]["httponly"]
        assert cookies[name]["samesite"] == "Lax"
    assert cookies["sessionid"]["max-age"] == ""


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/recordings", "/recordings"),
        ("https://elsewhere.example/", "/"),
        ("//elsewhere.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_who_signs_in_is_led_to_what_they_asked_for_if_it_is_ours(clerk, asked, led):
    assert sign_in(browser(), "a.clerk", next=asked)["Location"] == led


def test_a_name_may_be_typed_in_capitals(clerk):
    assert sign_in(browser(), " A.Clerk ").status_code == 302


@pytest.mark.parametrize("name", ["a.clerk", "nobody", "a.clerk' OR 1=1 --", "x" * 64])
def test_a_wrong_password_and_a_name_that_nobody_has_are_answered_alike(clerk, name):
    client = browser()
    before = Act.objects.count()
    answer = sign_in(client, name, "wrong")
    assert answer.status_code == 200
    assert "This name and this password do not go together" in answer.content.decode()
    assert "wrong" not in answer.content.decode()
    assert Act.objects.count() == before
    assert not is_in(client)


def test_who_has_no_password_signs_in_with_none():
    add_person("a.sample", "officer", password=None)
    for password in ("", "!", PASSWORD):
        assert sign_in(browser(), "a.sample", password).status_code == 200


def test_a_name_that_was_closed_does_not_sign_in(clerk):
    User.objects.update(is_active=False)
    client = browser()
    answer = sign_in(client, "a.clerk", follow=True)
    assert not is_in(client)
    assert answer.status_code in {200, 302}
    assert acts("user.signed_in") == 0


def test_a_name_that_is_closed_is_out_at_once(clerk):
    client = browser()
    sign_in(client, "a.clerk")
    User.objects.update(is_active=False)
    assert not is_in(client)


def test_signing_out_takes_a_button(clerk):
    client = browser()
    sign_in(client, "a.clerk")
    assert client.get("/account/logout/").status_code == 200
    assert is_in(client)
    assert client.post("/account/logout/")["Location"] == "/"
    assert not is_in(client)


def test_another_site_signs_nobody_in_or_out(clerk):
    client = browser(enforce_csrf_checks=True)
    assert sign_in(client, "a.clerk").status_code == 403
    assert client.post("/account/logout/").status_code == 403


# --- one's own account


def test_a_password_is_changed_by_who_knows_it_and_ends_every_other_session(clerk):
    here, elsewhere = browser(), browser("192.0.2.8")
    for client in (here, elsewhere):
        sign_in(client, "a.clerk")
    new = "another four words together"
    answer = here.post(
        "/account/password/", {"oldpassword": PASSWORD, "password1": new, "password2": new}, follow=True
    )
    assert "Your password was changed" in answer.content.decode()
    assert (is_in(here), is_in(elsewhere)) == (True, False)
    assert acts("user.password_set") == 1
    assert sign_in(browser(), "a.clerk").status_code == 200
    assert sign_in(browser(), "a.clerk", new).status_code == 302


@pytest.mark.parametrize("new", ["short", "password1234", "a.clerk12345"])
def test_a_password_that_is_guessed_soon_is_refused(clerk, new):
    client = browser()
    sign_in(client, "a.clerk")
    answer = client.post("/account/password/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert answer.status_code == 200
    assert acts("user.password_set") == 0


def test_a_sample_person_has_no_password_to_change():
    client = browser_of(add_person("a.sample", "officer", password=None))
    assert client.get("/account/password/").status_code == 404
    assert "You have none" in client.get("/account/").content.decode()


def test_whoever_is_signed_in_elsewhere_is_listed_and_can_be_sent_away(clerk):
    here, elsewhere = browser(), browser("192.0.2.8", headers={"User-Agent": "Elsewhere/1.0"})
    for client in (here, elsewhere):
        sign_in(client, "a.clerk")
    assert "Elsewhere/1.0" in here.get("/account/sessions/").content.decode()
    assert (
        "You are signed out everywhere else" in here.post("/account/sessions/", follow=True).content.decode()
    )
    assert (is_in(here), is_in(elsewhere)) == (True, False)


# --- a second factor


def add_app(client):
    """Set up an authenticator app as a person does, and return the answer."""
    client.post("/account/confirm/?next=/account/authenticator/add/", {"password": PASSWORD})
    page = client.get("/account/authenticator/add/").content.decode()
    secret = re.search(r'Key: <span class="hash">([A-Z2-7]+)<', page)[1]
    code = totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30))
    return client.post("/account/authenticator/add/", {"code": code})


def test_an_app_is_set_up_and_removed_by_who_knows_the_password_and_both_are_acts(clerk):
    client = browser()
    sign_in(client, "a.clerk")
    assert client.get("/account/authenticator/add/")["Location"].startswith("/account/confirm/?next=")
    assert add_app(client)["Location"] == "/account/codes/"
    assert factors("user.factor_added") == ["totp", "recovery_codes"]
    assert last_act()["actor"] == f"user:{clerk.pseudonym}"
    for page in ("/account/", "/account/codes/", "/account/codes/new/", "/account/authenticator/remove/"):
        assert client.get(page).status_code == 200
    assert len(client.get("/account/codes/download/").content.decode().split()) == 10
    assert client.post("/account/codes/new/").status_code == 302
    assert client.post("/account/authenticator/remove/").status_code == 302
    assert factors("user.factor_added") == ["totp", "recovery_codes", "recovery_codes"]
    assert factors("user.factor_removed") == ["recovery_codes", "totp", "recovery_codes"]
    assert not Authenticator.objects.exists()


def factors(word):
    return [
        facts["factor"]
        for facts in Act.objects.filter(act=word).order_by("id").values_list("facts", flat=True)
    ]


def test_a_password_alone_no_longer_signs_in(guarded_clerk):
    client = browser()
    assert sign_in(client, "a.clerk")["Location"] == CODE
    assert not is_in(client)
    assert acts("user.signed_in") == 0
    assert client.get(CODE).status_code == 200
    assert client.post(CODE, {"code": code_now()})["Location"] == "/"
    assert is_in(client)
    assert json.loads(last_act()["session_words"])["factors"] == ["password", "totp"]


def test_a_code_signs_in_once_whichever_process_it_comes_to(guarded_clerk):
    code = code_now()
    for expected in (302, 200):
        client = browser()
        sign_in(client, "a.clerk")
        assert client.post(CODE, {"code": code}).status_code == expected
    assert acts("user.signed_in") == 1


def test_a_recovery_code_signs_in_once(guarded_clerk):
    code = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()[0]
    for expected in (302, 200):
        client = browser()
        sign_in(client, "a.clerk")
        assert client.post(CODE, {"code": code}).status_code == expected


def test_nobody_comes_to_the_second_factor_without_the_first(guarded_clerk):
    client = browser()
    assert client.get(CODE)["Location"] == LOGIN
    assert client.post(CODE, {"code": code_now()})["Location"] == LOGIN
    assert not is_in(client)


# --- locks


def test_after_five_failures_the_right_password_signs_in_no_more_and_later_it_does(clerk):
    client = browser()
    assert fail(client, 6) == [200, 200, 200, 200, 429, 429]
    answer = sign_in(client, "a.clerk")
    assert (answer.status_code, answer["Retry-After"]) == (429, "900")
    assert "Signing in is stopped for 15 minutes" in answer.content.decode()
    assert not is_in(client)
    later(COOL_OFF - timedelta(seconds=30))
    assert sign_in(client, "a.clerk").status_code == 429
    later(timedelta(seconds=30))
    assert sign_in(client, "a.clerk").status_code == 302


def test_trying_during_a_lock_makes_it_no_longer(clerk):
    client = browser()
    fail(client, 5)
    later(COOL_OFF / 2)
    fail(client, 5)
    later(COOL_OFF / 2)
    assert sign_in(client, "a.clerk").status_code == 302


def test_a_lock_is_one_act_by_the_system_however_often_somebody_tries(clerk):
    fail(browser(), 12)
    fail(browser("192.0.2.8"), 12)
    assert acts("user.locked_out") == 1
    row = last_act()
    assert (row["actor"], row["object"], row["outcome"]) == (
        "system:web",
        f"user:{clerk.pseudonym}",
        "denied",
    )
    assert json.loads(row["session_words"]) == {"address": HOME}
    later()
    fail(browser(), 12)
    assert acts("user.locked_out") == 2


def test_names_that_nobody_has_are_locked_alike_and_leave_nothing_in_the_log(clerk):
    before = Act.objects.count()
    pages = {}
    for name in ("a.clerk", "nobody"):
        client = browser(f"192.0.2.{len(pages) + 20}")
        assert fail(client, 5, name) == [200, 200, 200, 200, 429]
        pages[name] = plain(sign_in(client, name))
    assert pages["a.clerk"] == pages["nobody"]
    assert Act.objects.count() == before + 1


@pytest.mark.parametrize(
    "disguise",
    [
        lambda n: {"username": "A.Clerk" if n % 2 else "a.CLERK"},
        lambda n: {"username": " " * n + "a.clerk"},
        lambda n: {"headers": {"User-Agent": f"Browser/{n}"}},
        lambda n: {"headers": {"X-Forwarded-For": f"198.51.100.{n}", "X-Real-IP": f"198.51.100.{n}"}},
        lambda n: {"headers": {"Cookie": f"{BROWSER_COOKIE}=made-up:{n}"}},
    ],
)
def test_no_disguise_buys_a_sixth_guess(clerk, disguise):
    statuses = []
    for number in range(6):
        how = {"username": "a.clerk"} | disguise(number)
        client = browser()
        statuses.append(
            client.post(
                LOGIN,
                {"login": how["username"], "password": f"wrong {number}"},
                headers=how.get("headers", {}),
            ).status_code
        )
    assert statuses == [200, 200, 200, 200, 429, 429]


def test_the_addresses_of_one_ipv6_network_are_one(clerk):
    statuses = [fail(browser(f"2001:db8:0:1::{n}"), 1)[0] for n in range(1, 7)]
    assert statuses[-2:] == [429, 429]
    assert fail(browser("2001:db8:0:2::1"), 1) == [200]


def test_four_failures_are_forgotten_when_somebody_signs_in(clerk):
    client = browser()
    for _ in range(3):
        assert fail(client, 4) == [200] * 4
        assert sign_in(client, "a.clerk").status_code == 302
        client.post("/account/logout/")


def test_a_lock_holds_where_the_failures_came_from_and_not_elsewhere(clerk):
    fail(browser(HOME), 5)
    assert sign_in(browser(HOME), "a.clerk").status_code == 429
    assert sign_in(browser("192.0.2.8"), "a.clerk").status_code == 302


def test_an_address_that_tries_name_after_name_is_stopped_and_others_are_not(clerk):
    before = Act.objects.count()
    for number in range(LIMITS.address - 1):
        failed_elsewhere(f"name{number}", HOME, 1)
    assert fail(browser(HOME), 1, "another") == [429]
    assert sign_in(browser(HOME), "a.clerk").status_code == 429
    assert sign_in(browser("192.0.2.8"), "a.clerk").status_code == 302
    assert Act.objects.count() == before + 1, "an address that is stopped is nobody's lock"


def test_a_name_that_is_tried_from_everywhere_is_locked_everywhere(clerk):
    for number in range(1, 13):
        failed_elsewhere("a.clerk", f"198.51.100.{number}", 4)
    assert fail(browser(), 2) == [200, 429]
    assert acts("user.locked_out") == 1
    assert sign_in(browser("192.0.2.8"), "a.clerk").status_code == 429


def test_nobody_locks_somebody_out_of_the_browser_they_have_used_before(clerk):
    mine = browser(HOME)
    sign_in(mine, "a.clerk")
    mine.post("/account/logout/")
    # Somebody in the same station, and many elsewhere.
    fail(browser(HOME), 5)
    failed_elsewhere("a.clerk", "198.51.100.1", LIMITS.name)
    failed_elsewhere("somebody", HOME, LIMITS.address)
    assert sign_in(browser(HOME), "a.clerk").status_code == 429
    assert sign_in(mine, "a.clerk").status_code == 302


def test_a_browser_that_was_used_before_guesses_no_more_than_any_other(clerk):
    mine = browser(HOME)
    sign_in(mine, "a.clerk")
    mine.post("/account/logout/")
    assert fail(mine, 4) == [200] * 4
    moved = browser("192.0.2.99")
    moved.cookies = mine.cookies
    assert fail(moved, 2) == [429, 429]
    assert sign_in(mine, "a.clerk").status_code == 429
    assert acts("user.locked_out") == 1
    assert sign_in(browser("192.0.2.8"), "a.clerk").status_code == 302


def test_a_browser_that_one_has_used_is_an_unknown_one_to_another(clerk):
    add_person("b.clerk", "custodian")
    mine = browser(HOME)
    sign_in(mine, "b.clerk")
    mine.post("/account/logout/")
    failed_elsewhere("a.clerk", HOME, LIMITS.pair)
    assert sign_in(mine, "a.clerk").status_code == 429
    assert sign_in(mine, "b.clerk").status_code == 302


def test_a_browser_remembers_several_names_and_not_without_end():
    shared = browser(HOME)
    for number in range(25):
        add_person(f"person{number}", "officer")
        sign_in(shared, f"person{number}")
        shared.post("/account/logout/")
    failed_elsewhere("somebody", HOME, LIMITS.address)
    assert sign_in(shared, "person24").status_code == 302
    shared.post("/account/logout/")
    assert sign_in(shared, "person6").status_code == 302
    shared.post("/account/logout/")
    assert sign_in(shared, "person0").status_code == 429
    assert len(shared.cookies[BROWSER_COOKIE].value) < 2000


def test_what_was_typed_is_not_kept(guarded_clerk):
    client = browser()
    fail(client, 1)
    sign_in(client, "a.clerk")
    code = wrong_code()
    client.post(CODE, {"code": code})
    kept = str(list(AccessAttempt.objects.values()))
    assert "wrong 0" not in kept
    assert f"code={code}" not in kept
    assert AccessAttempt.objects.get().failures_since_start == 2


# --- locks at the second factor


def test_failures_of_the_second_factor_count_like_those_of_the_first_and_drop_what_was_begun(guarded_clerk):
    client = browser()
    assert fail(client, 2) == [200, 200]
    sign_in(client, "a.clerk")
    assert [client.post(CODE, {"code": wrong_code()}).status_code for _ in range(3)] == [200, 200, 429]
    answer = client.post(CODE, {"code": code_now()})
    assert (answer.status_code, answer["Location"]) == (302, LOGIN)
    assert not is_in(client)
    assert sign_in(client, "a.clerk").status_code == 429
    assert acts("user.locked_out") == 1
    assert acts("user.signed_in") == 0


def test_the_right_code_does_not_sign_in_whoever_was_locked_out_meanwhile(guarded_clerk):
    pages = {}
    for name, code in (("right", code_now), ("wrong", wrong_code)):
        pending = browser(HOME)
        AccessAttempt.objects.all().delete()
        assert sign_in(pending, "a.clerk")["Location"] == CODE
        failed_elsewhere("a.clerk", HOME, LIMITS.pair)
        pages[name] = pending.post(CODE, {"code": code()})
        assert not is_in(pending)
        assert pending.get(CODE)["Location"] == LOGIN, "what was begun is dropped"
    assert [page.status_code for page in pages.values()] == [429, 429]
    assert plain(pages["right"]) == plain(pages["wrong"]), "a lock does not tell which code was right"
    assert acts("user.signed_in") == 0


def test_a_password_known_does_not_wash_away_failures_of_the_second_factor(guarded_clerk):
    client = browser()
    statuses = []
    for _ in range(3):
        sign_in(client, "a.clerk")
        statuses += [client.post(CODE, {"code": wrong_code()}).status_code for _ in range(2)]
    assert statuses == [200, 200, 200, 200, 429, 302]


def test_who_guesses_the_password_of_a_session_they_found_open_is_locked_and_out(clerk):
    client = browser()
    sign_in(client, "a.clerk")
    statuses = [
        client.post("/account/confirm/", {"password": f"wrong {n}"}).status_code for n in range(LIMITS.pair)
    ]
    assert statuses == [200, 200, 200, 200, 429]
    # They stay where they were, and get no further: the lock is on what asks for the password.
    assert client.post("/account/confirm/", {"password": PASSWORD}).status_code == 429


def test_a_code_guessed_within_a_session_counts_too_and_ends_it(guarded_clerk):
    client = browser()
    sign_in(client, "a.clerk")
    client.post(CODE, {"code": code_now()})
    statuses = [client.post("/account/confirm/code/", {"code": wrong_code()}).status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 200, 429]
    assert not is_in(client)


# --- small parts


def test_a_name_is_read_from_what_was_checked_or_what_was_typed():
    request = RequestFactory().post(LOGIN, {"login": " A.Clerk"})
    assert name_asked(request, {"username": "B"}) == "b"
    assert name_asked(request) == "a.clerk"
    assert name_asked(RequestFactory().post(LOGIN)) == ""
    assert len(name_asked(request, {"username": "x" * 1000})) == 64


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("", None),
        ("unix:", None),
    ],
)
def test_what_is_counted_is_an_address_or_a_network(address, network):
    request = RequestFactory().get("/", REMOTE_ADDR=address)
    assert address_of(request) == address
    assert network_of(request) == network


# --- the demo's door


@pytest.fixture
def demo():
    for role in ROLES:
        add_person(role, role, password=None)
    with override_settings(PLAINVIEW_IS_DEMO=True):
        yield


def enter(client, role, **more):
    return client.post("/enter", {"role": role} | more)


def test_in_a_departments_own_directory_there_is_no_such_door():
    add_person("officer", "officer", password=None)
    for answer in (browser().get("/enter"), enter(browser(), "officer"), browser().get("/enter/making")):
        assert answer.status_code == 404
    assert acts("user.signed_in") == 0


def test_each_role_is_listed_with_what_it_comes_for(demo):
    page = browser().get("/enter").content.decode()
    for role, comes_for in ROLES.items():
        assert f'value="{role}">Enter as {role}</button>' in page
        assert escape(comes_for) in page


@pytest.mark.parametrize("role", sorted(ROLES))
def test_entering_is_signing_in_as_somebody_of_that_role(demo, role):
    client = browser()
    assert enter(client, role)["Location"] == "/"
    assert client.get("/").status_code in {200, 302}
    assert is_in(client)
    assert int(client.session["_auth_user_id"]) == get_user_model().objects.get(username=role).pk
    row = last_act()
    assert row["act"] == "user.signed_in"
    assert json.loads(row["session_words"])["factors"] == ["demo"]


def test_entering_as_somebody_else_leaves_nothing_of_the_first(demo):
    client = browser()
    enter(client, "custodian")
    first = client.session.session_key
    enter(client, "officer")
    assert client.session.session_key != first
    assert client.get("/quarantine").status_code == 404


@pytest.mark.parametrize("role", ["", "root", "Officer"])
def test_nobody_enters_as_what_there_is_not(demo, role):
    assert enter(browser(), role).status_code == 404


def test_nobody_enters_as_a_person_who_has_a_password(demo):
    real = add_person("a.real.person", "custodian")
    client = browser()
    enter(client, "custodian")
    assert int(client.session["_auth_user_id"]) != real.pk
    get_user_model().objects.get(username="custodian").role_grants.all().update(valid_to=timezone.now())
    assert enter(browser(), "custodian").status_code == 404


@pytest.mark.parametrize(
    ("asked", "led"),
    [("/recordings", "/recordings"), ("https://elsewhere.example/", "/"), ("//e.example", "/")],
)
def test_who_enters_is_led_to_what_they_asked_for_if_it_is_ours(demo, asked, led):
    assert enter(browser(), "officer", next=asked)["Location"] == led


def test_another_site_enters_nobody(demo):
    assert enter(browser(enforce_csrf_checks=True), "officer").status_code == 403

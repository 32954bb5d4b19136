"""Each call of the interface, and each status that its specification names."""

import hashlib
import itertools
import json
from typing import NamedTuple

import pytest
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.test.utils import override_settings

from plainview.api import swift, swift_auth
from plainview.custody.models import Act
from plainview.evidence import destination_rules as rules
from plainview.evidence.camera_models import DestinationContainer, DestinationObject
from plainview.evidence.destination_actions import close_destination
from plainview.evidence.destination_errors import DestinationTakenError, NoSuchDestinationError
from plainview.pipeline import handing_in
from plainview.service.turns import Turns
from plainview.vault.errors import ReadBackError, StoreFullError
from simulators.axis_system import SERIAL, USER, Sent
from simulators.connected import Department
from simulators.custody_rows import START, SYSTEM, LogOfRows
from simulators.databases import copied_database
from simulators.premises import make_installation

FOOTAGE = b"footage " * 5000
NUMBERS = itertools.count()


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture(scope="module")
def shared(postgres, tmp_path_factory):
    """One department for all these tests; each has a container of its own."""
    data = tmp_path_factory.mktemp("swift")
    with copied_database(postgres):
        log = LogOfRows(data / "log", data / "checkpoint-store.sqlite")
        log.start(now=START)
        made = Department(make_installation(data, log))
        yield made, made.connect()
        made.installation.keys.close()


@pytest.fixture
def department(shared, monkeypatch):
    monkeypatch.setattr("plainview.api.here.installation", lambda: shared[0].installation)
    cache.clear()
    return shared[0]


@pytest.fixture
def system(department, shared):
    return shared[1]


@pytest.fixture
def container(system):
    name = f"container-{next(NUMBERS)}"
    assert system.ask("PUT", name).status_code == 201
    return name


def stored(department):
    return set(department.installation.store.names())


def ask(system, *asked, **more):
    return system.ask(*asked, **more).status_code


# --- signing in


def test_who_knows_the_password_gets_a_token_and_an_address(system):
    answer = system.sign_in()
    assert answer.status_code == 200
    assert answer["X-Storage-Url"] == f"http://localhost/v1/{system.account}"
    assert ask(system, "HEAD") == 204


@pytest.mark.parametrize(
    "given",
    [{"key": "guess"}, {"key": ""}, {"user": "nobody"}, {"user": ""}, {"user": "a\0"}, {"key": "k" * 300}],
)
def test_who_does_not_gets_401_and_nothing_is_written(system, given):
    before = Act.objects.count()
    answer = system.sign_in(**given)
    assert answer.status_code == 401
    assert answer.content == b"Account and password are not known here."
    assert Act.objects.count() == before


@pytest.fixture
def _few_tries(monkeypatch):
    """Each takes as long as a password is hashed."""
    monkeypatch.setattr(swift_auth, "TRIES", 2)


@pytest.mark.usefixtures("_few_tries")
def test_whoever_guesses_is_stopped_and_others_are_not(department):
    system, other = department.connect(), department.connect()
    said = [system.sign_in(key="guess") for _ in range(swift_auth.TRIES + 1)]
    assert [answer.status_code for answer in said] == [401] * len(said)
    assert "Retry-After" in said[-1].headers
    assert system.sign_in().status_code == 401
    assert other.sign_in().status_code == 200


@override_settings(PLAINVIEW_BEHIND_PROXY=True)
@pytest.mark.usefixtures("_few_tries")
def test_behind_a_proxy_the_address_that_it_saw_is_stopped(department):
    system = department.connect()
    system.client.defaults["HTTP_X_FORWARDED_FOR"] = "10.0.0.1, 192.0.2.7"
    for _ in range(swift_auth.TRIES):
        system.sign_in(key="guess")
    assert system.sign_in().status_code == 401
    system.client.defaults["HTTP_X_FORWARDED_FOR"] = "192.0.2.7, 10.0.0.1"
    assert system.sign_in().status_code == 200


@pytest.mark.usefixtures("_few_tries")
def test_tries_at_once_cannot_be_more_than_tries(department, monkeypatch):
    system = department.connect()
    monkeypatch.setattr(cache, "get_many", lambda keys: {})
    for _ in range(swift_auth.TRIES):
        system.sign_in(key="guess")
    assert "Retry-After" in system.sign_in(key="guess").headers


def test_signing_in_is_asked_with_get(system):
    assert system.client.post("/auth/v1.0").status_code == 400


@pytest.mark.parametrize("token", ["", "x", "a:b:c"])
def test_without_a_good_token_nothing_is_answered(system, container, token):
    given = {"X-Auth-Token": token}
    assert ask(system, "HEAD", container, headers=given) == 401


def test_a_token_ends_after_an_hour_with_its_password_and_with_its_connection(department, monkeypatch):
    system = department.connect()
    assert ask(system, "HEAD") == 204
    monkeypatch.setattr(swift_auth, "TOKEN_AGE_S", -1)
    assert ask(system, "HEAD") == 401
    monkeypatch.undo()
    monkeypatch.setattr("plainview.api.here.installation", lambda: department.installation)
    close_destination(name=system.connection["SiteName"], actor=SYSTEM, now=START)
    assert ask(system, "HEAD") == 401
    assert system.sign_in().status_code == 401
    with pytest.raises(NoSuchDestinationError):
        close_destination(name=system.connection["SiteName"], actor=SYSTEM, now=START)
    with pytest.raises(DestinationTakenError):
        department.connect(name=system.connection["SiteName"])


def test_a_token_opens_its_own_account_alone(system, department, container):
    other = department.connect()
    other.sign_in()
    assert ask(other, "HEAD", container, account=system.account) == 403
    assert ask(other, "HEAD", container) == 404


# --- containers


def test_a_container_is_made_once_and_its_metadata_merged(system):
    name = f"container-{next(NUMBERS)}"
    first = {"X-Container-Meta-Userid": "u", "X-Container-Meta-Bwcmodel": "W110"}
    assert ask(system, "PUT", name, headers=first) == 201
    assert ask(system, "PUT", name, headers={"X-Container-Meta-Userid": "v"}) == 202
    assert ask(system, "POST", name, headers={"X-Container-Meta-Bwcmodel": ""}) == 204
    answer = system.ask("HEAD", name)
    assert answer.status_code == 204
    assert answer["X-Container-Meta-Userid"] == "v"
    assert "X-Container-Meta-Bwcmodel" not in answer
    assert answer["X-Container-Object-Count"] == "0"


def test_what_is_not_there_is_404(system, container):
    assert ask(system, "POST", "none") == 404
    assert ask(system, "HEAD", "none") == 404
    assert ask(system, "GET", "none") == 404
    assert ask(system, "PUT", "none", "clip.mp4", data=b"x") == 404
    assert ask(system, "POST", container, "none.mp4") == 404
    assert ask(system, "HEAD", container, "none.mp4") == 404
    assert ask(system, "GET", "System", "none") == 404


def test_the_systems_own_lists_are_there_from_the_beginning(department):
    system = department.connect()
    assert ask(system, "PUT", "Users", USER) == 201
    assert ask(system, "PUT", "Users") == 202


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "/container"), ("PUT", "")])
def test_nothing_is_listed(system, container, method, path):
    path = path.replace("container", container)
    assert ask(system, method, raw=f"/v1/{system.account}{path}") == 403


@pytest.mark.parametrize("method", ["DELETE", "COPY", "PATCH", "OPTIONS"])
def test_nothing_is_deleted_or_copied(system, container, method):
    assert ask(system, method, container) == 405
    assert ask(system, method, container, "clip.mp4") == 405


@pytest.mark.parametrize(
    "given",
    [
        {"X-Container-Meta-A": "%FF"},
        {"X-Container-Meta-A": "a%0Db"},
        {"X-Container-Meta-A": "x" * 3000},
        {f"X-Container-Meta-{number}": "x" for number in range(91)},
    ],
)
def test_metadata_that_cannot_be_kept_is_400_and_changes_nothing(system, container, given):
    before = DestinationContainer.objects.get(name=container).metadata
    assert ask(system, "POST", container, headers=given) == 400
    assert DestinationContainer.objects.get(name=container).metadata == before


def test_metadata_does_not_grow_without_end(system, container):
    said = [
        ask(system, "POST", container, headers={f"X-Container-Meta-{a}{b}": "x" * 2000 for b in range(4)})
        for a in "abc"
    ]
    assert said == [204, 204, 400]


@pytest.mark.parametrize("name", ["..", "c%00", "c%0a", "a" * 257])
def test_a_name_that_nothing_can_have_is_400(system, name):
    assert ask(system, "PUT", raw=f"/v1/{system.account}/{name}") == 400
    assert ask(system, "PUT", raw=f"/v1/{system.account}/c/{name}/x", data=b"x") == (
        400 if name != "a" * 257 else 404
    )


# --- objects


def test_an_object_is_kept_with_its_digests_and_metadata(department, system, container):
    given = {"X-Object-Meta-Starttime": "1773529924", "ETag": hashlib.md5(FOOTAGE).hexdigest()}
    answer = system.ask("PUT", container, "clip.mp4", data=FOOTAGE, headers=given)
    assert (answer.status_code, answer["ETag"]) == (201, hashlib.md5(FOOTAGE).hexdigest())
    row = DestinationObject.objects.get(container__name=container)
    assert (row.sha256, row.kind) == (hashlib.sha256(FOOTAGE).hexdigest(), "clip")
    assert row.object_id in stored(department)
    shown = system.ask("HEAD", container, "clip.mp4")
    assert (shown["Content-Length"], shown["ETag"]) == (str(len(FOOTAGE)), row.md5)
    assert shown["X-Object-Meta-Starttime"] == "1773529924"
    assert ask(system, "GET", container, "clip.mp4") == 403


def test_posting_replaces_all_metadata(system, container):
    system.put(container, Sent("b", b"x", {"A": "1", "B": "2"}))
    assert ask(system, "POST", container, "b", headers={"X-Object-Meta-C": "3"}) == 202
    assert DestinationObject.objects.get(container__name=container).metadata == {"c": "3"}


def test_another_digest_than_announced_is_422_and_nothing_is_kept(department, system, container):
    before = stored(department)
    for _ in range(3):
        given = {"ETag": "0" * 32}
        assert ask(system, "PUT", container, "clip.mp4", data=FOOTAGE, headers=given) == 422
    assert stored(department) == before
    assert not DestinationObject.objects.filter(container__name=container).exists()
    refused = Act.objects.filter(act="destination.refused", why="differs")
    assert refused.count() == 1, "a retry must not fill the log"


def test_the_same_again_is_kept_once(department, system, container):
    for _ in range(3):
        assert system.put(container, Sent("clip.mp4", FOOTAGE)) == 201
    row = DestinationObject.objects.get(container__name=container)
    others = set(DestinationObject.objects.exclude(pk=row.pk).values_list("object_id", flat=True))
    assert stored(department) - others == {row.object_id}


def test_an_object_without_bytes_has_none_in_the_vault(system, container):
    assert ask(system, "PUT", container, "bookmark_1_2") == 201
    row = DestinationObject.objects.get(container__name=container)
    assert (row.size_bytes, row.object_id, row.md5) == (0, "", hashlib.md5(b"").hexdigest())


@pytest.mark.parametrize(
    ("given", "status"),
    [({"ETag": "abc"}, 400), ({"X-Object-Meta-A": "%FF"}, 400)],
)
def test_a_request_that_makes_no_sense_is_refused(system, container, given, status):
    assert ask(system, "PUT", container, "clip.mp4", data=b"x", headers=given) == status


@pytest.mark.parametrize("name", ["a/../b", "a%00b", "a" * 1025])
def test_an_object_name_that_nothing_can_have_is_400(system, container, name):
    assert ask(system, "PUT", raw=f"/v1/{system.account}/{container}/{name}", data=b"x") == 400


def test_an_object_name_with_slashes_is_only_a_name(system, container):
    assert ask(system, "PUT", container, "a/b c.mp4", data=b"x") == 201
    assert ask(system, "HEAD", container, "a/b c.mp4") == 200


def test_the_lists_hold_no_content(system):
    assert ask(system, "PUT", "Users", USER, data=b"x") == 400
    assert ask(system, "PUT", "Devices", "a/b") == 400


def test_a_container_holds_no_more_than_it_may_and_what_is_there_may_be_sent_again(
    system, container, monkeypatch
):
    monkeypatch.setattr(rules, "OBJECTS_LIMIT", 2)
    assert [system.put(container, Sent(f"{n}.mp4", b"x")) for n in (1, 2, 3, 1)] == [201, 201, 400, 201]


def test_a_camera_that_is_posted_is_known(system):
    assert system.put("Devices", Sent(SERIAL, b"", {"Name": "Camera 12", "Model": "W110"})) == 201
    assert ask(system, "POST", "Devices", SERIAL, headers={"X-Object-Meta-Name": "Camera 13"}) == 202
    assert system.ask("HEAD", "Devices", SERIAL)["X-Object-Meta-Name"] == "Camera 13"


# --- what the server publishes


def test_capabilities_and_categories_are_published_with_their_md5(department):
    system = department.connect(categories=["Traffic", "Arrest"])
    for name in ("Capabilities.json", "Categories.json"):
        answer = system.ask("GET", "System", name)
        assert answer.status_code == 200
        assert answer["ETag"] == hashlib.md5(answer.content).hexdigest()
        head = system.ask("HEAD", "System", name)
        assert (head["ETag"], head["Content-Length"]) == (answer["ETag"], str(len(answer.content)))
        assert ask(system, "PUT", "System", name, data=b"") == 403
    assert json.loads(system.ask("GET", "System", "Categories.json").content) == [
        {"Name": "Traffic", "Id": "1"},
        {"Name": "Arrest", "Id": "2"},
    ]


def test_a_systems_own_id_is_given_back(system):
    assert system.put("System", Sent("0b0e7c52", b"", {"ConnectionId": "c", "SystemName": "North"})) == 201
    answer = system.ask("GET", "System", "0b0e7c52")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["X-Object-Meta-Systemname"] == "North"


# --- when the server cannot


def test_when_too_many_send_it_is_503_with_when_to_come_again(system, container, monkeypatch):
    monkeypatch.setattr(handing_in, "TURNS", Turns(fast=0, slow=0, waiting=0, wait_s=0.0))
    answer = system.ask("PUT", container, "clip.mp4", data=FOOTAGE)
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")


def test_without_room_it_is_507(system, container, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(10, 10, 0))
    assert ask(system, "PUT", container, "clip.mp4", data=FOOTAGE) == 507


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (StoreFullError("writing", None, "full"), 507),
        (ReadBackError("0" * 32, None, "differs"), 500),
        (DatabaseError("gone"), 503),
    ],
)
def test_a_fault_of_ours_says_nothing_of_where_it_was(system, container, monkeypatch, error, status):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(swift, "receive", fail)
    answer = system.ask("PUT", container, "clip.mp4", data=FOOTAGE)
    assert answer.status_code == status
    assert b"0000" not in answer.content


def test_what_cannot_be_noted_is_not_kept(department, system, container, monkeypatch):
    def fail(**_):
        raise DatabaseError

    before = stored(department)
    monkeypatch.setattr(swift.actions, "put_object", fail)
    assert ask(system, "PUT", container, "clip.mp4", data=FOOTAGE) == 503
    assert stored(department) == before


def test_no_connection_to_the_database_is_held_while_bytes_flow(system, container, monkeypatch):
    held = []
    real = swift.receive

    def watched(*given, **more):
        held.append(connection.connection is not None)
        return real(*given, **more)

    monkeypatch.setattr(swift, "receive", watched)
    assert ask(system, "PUT", container, "clip.mp4", data=FOOTAGE) == 201
    assert held == [False]

"""Handing in files: what a tus client may ask, and what it is answered."""

import base64
import hashlib
from datetime import timedelta
from typing import NamedTuple

import pytest
from django.db import connection
from django.test import Client

from plainview.evidence import upload_actions
from plainview.evidence.models import Recording, Upload
from plainview.evidence.upload_queries import KEPT_FOR
from plainview.pipeline import handing_in
from plainview.pipeline.uploads import take_in_upload
from plainview.service.turns import Turns
from plainview.vault.errors import StoreFullError
from plainview.vault.incoming import incoming_offset, open_incoming
from plainview.web import uploads as pages
from simulators.custody_rows import START, LogOfRows, ask
from simulators.databases import copied_database
from simulators.premises import add_person, make_installation, make_intake

MIB = 1 << 20
PIECE = "application/offset+octet-stream"
VERSION = {"Tus-Resumable": "1.0.0"}
DATA = bytes(range(256)) * 4096 * 2 + b"and a tail"


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture(scope="module")
def premises(postgres, tmp_path_factory):
    """One installation for all these tests: what they answer for is each one's own upload."""
    data = tmp_path_factory.mktemp("uploads")
    with copied_database(postgres):
        log = LogOfRows(data / "log", data / "checkpoint-store.sqlite")
        log.start(now=START)
        made = make_installation(data, log)
        yield made
        made.keys.close()


@pytest.fixture
def installation(premises, monkeypatch):
    monkeypatch.setattr("plainview.web.here.installation", lambda: premises)
    return premises


def signed_in(*roles, **options):
    client = Client(SERVER_NAME="localhost", **options)
    client.force_login(add_person(*roles), backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def officer(installation):
    return signed_in("officer")


def encoded(data):
    return base64.b64encode(data).decode()


def create(client, **headers):
    given = VERSION | {"Upload-Length": str(len(DATA)), "Upload-Metadata": "filename Y2xpcC5tcDQ="} | headers
    return client.post("/uploads", headers=given)


def begun(client):
    answer = create(client)
    assert answer.status_code == 201, answer.content
    return answer["Location"]


def patch(client, address, data, offset, **headers):
    # The test client says nothing of a body that is empty.
    said = {"Content-Type": PIECE, "Content-Length": str(len(data)), "Upload-Offset": str(offset)}
    return client.patch(address, data=data, content_type=PIECE, headers=VERSION | said | headers)


def head(client, address):
    return client.head(address, headers=VERSION)


def name_of(address):
    return address.rpartition("/")[2]


def files_of(installation, address):
    return list((installation.store.root / "incoming").glob(f"{name_of(address)}.*"))


def count():
    return Upload.objects.count()


# --- the way through


def test_a_file_is_announced_sent_in_pieces_and_received(officer, installation):
    address = begun(officer)
    assert head(officer, address)["Upload-Offset"] == "0"
    first = patch(officer, address, DATA[:MIB], 0)
    assert (first.status_code, first["Upload-Offset"]) == (204, str(MIB))
    assert "GMT" in first["Upload-Expires"]
    rest = patch(officer, address, DATA[MIB:], MIB)
    assert (rest.status_code, rest["Upload-Offset"]) == (204, str(len(DATA)))
    assert officer.get(address).json()["state"] == "stored"
    take_in_upload(make_intake(installation), name_of(address))
    identifier = Recording.objects.get(uploads=name_of(address)).identifier
    assert officer.get(address).json() == {
        "state": "received",
        "identifier": identifier,
        "address": f"/recordings/{identifier}",
        "reason": None,
        "reason_text": None,
    }
    whole = head(officer, address)
    assert (whole["Upload-Offset"], whole["Upload-Length"]) == (str(len(DATA)), str(len(DATA)))
    kept = ask("SELECT sha256 FROM evidence_original WHERE object_id = %s", name_of(address))
    assert kept == [(hashlib.sha256(DATA).hexdigest(),)]


def test_every_answer_says_what_is_spoken_and_is_never_kept_by_a_browser(officer):
    address = begun(officer)
    for answer in (
        head(officer, address),
        officer.get(address),
        officer.post("/uploads"),
        head(officer, "/uploads/no"),
    ):
        assert (answer["Tus-Resumable"], answer["Cache-Control"]) == ("1.0.0", "no-store")


def test_options_say_what_can_be_done(officer):
    answer = officer.options("/uploads")
    assert answer.status_code == 204
    assert answer["Tus-Version"] == "1.0.0"
    assert set(answer["Tus-Extension"].split(",")) == {
        "creation",
        "creation-with-upload",
        "checksum",
        "termination",
        "expiration",
    }
    assert answer["Tus-Checksum-Algorithm"] == "sha1,sha256"


def test_a_file_can_come_with_its_announcement(officer):
    headers = VERSION | {"Upload-Length": str(len(DATA))}
    answer = officer.post("/uploads", data=DATA, content_type=PIECE, headers=headers)
    assert (answer.status_code, answer["Upload-Offset"]) == (201, str(len(DATA)))
    assert officer.get(answer["Location"]).json()["state"] == "stored"


def test_only_whole_mib_are_acknowledged(officer):
    address = begun(officer)
    answer = patch(officer, address, DATA[: MIB + 5], 0)
    assert (answer.status_code, answer["Upload-Offset"]) == (204, str(MIB))
    small = patch(officer, address, DATA[MIB : MIB + 5], MIB)
    assert small.status_code == 400
    assert b"at least 1048576 bytes" in small.content


def test_an_empty_piece_changes_nothing(officer):
    address = begun(officer)
    answer = patch(officer, address, b"", 0)
    assert (answer.status_code, answer["Upload-Offset"]) == (204, "0")


def test_networks_that_let_only_post_through_can_say_what_they_mean(officer):
    address = begun(officer)
    headers = VERSION | {"X-HTTP-Method-Override": "PATCH", "Upload-Offset": "0"}
    answer = officer.post(address, data=DATA, content_type=PIECE, headers=headers)
    assert (answer.status_code, answer["Upload-Offset"]) == (204, str(len(DATA)))


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_piece_with_its_checksum_is_kept_only_if_it_fits(officer, installation, algorithm):
    address = begun(officer)
    digest = encoded(hashlib.new(algorithm, DATA[:MIB]).digest())
    wrong = patch(officer, address, b"x" * MIB, 0, **{"Upload-Checksum": f"{algorithm} {digest}"})
    assert wrong.status_code == 460
    assert incoming_offset(installation.store, name_of(address)) == 0
    right = patch(officer, address, DATA[:MIB], 0, **{"Upload-Checksum": f"{algorithm} {digest}"})
    assert right["Upload-Offset"] == str(MIB)


def test_a_large_piece_with_a_checksum_is_refused_before_it_is_read(officer, monkeypatch):
    monkeypatch.setattr(handing_in, "CHECKED_PIECE_BYTES", MIB)
    digest = encoded(hashlib.sha1(DATA).digest())
    answer = patch(officer, begun(officer), DATA, 0, **{"Upload-Checksum": f"sha1 {digest}"})
    assert answer.status_code == 413


def test_an_upload_can_be_given_up(officer, installation):
    address = begun(officer)
    patch(officer, address, DATA[:MIB], 0)
    assert officer.delete(address, headers=VERSION).status_code == 204
    assert not files_of(installation, address)
    for answer in (
        head(officer, address),
        patch(officer, address, b"", MIB),
        officer.delete(address, headers=VERSION),
    ):
        assert answer.status_code == 410
    assert officer.get(address).json()["state"] == "dropped"


def test_what_has_come_whole_cannot_be_given_up(officer):
    address = begun(officer)
    patch(officer, address, DATA, 0)
    assert officer.delete(address, headers=VERSION).status_code == 409
    assert patch(officer, address, b"", len(DATA)).status_code == 409


# --- refused


@pytest.mark.parametrize("method", ["post", "head", "patch", "delete"])
def test_another_version_is_refused(officer, method):
    address = "/uploads" if method == "post" else begun(officer)
    answer = getattr(officer, method)(address, headers={"Tus-Resumable": "0.2"})
    assert (answer.status_code, answer["Tus-Version"]) == (412, "1.0.0")


def test_methods_that_are_not_spoken_are_refused(officer):
    for answer in (
        officer.put("/uploads/x", headers=VERSION),
        officer.get("/uploads"),
        head(officer, "/uploads"),
    ):
        assert answer.status_code == 405
        assert "OPTIONS" in answer["Allow"]


@pytest.mark.parametrize(
    ("size", "status"), [("0", 400), ("x", 400), (None, 400), (str((1 << 40) + 1), 413), (str(1 << 40), 507)]
)
def test_sizes_that_cannot_be_taken_are_refused_and_leave_nothing(
    officer, installation, size, status, monkeypatch
):
    monkeypatch.setattr(handing_in.shutil, "disk_usage", lambda _: Usage(1 << 42, 0, 1 << 40))
    before, keys = count(), installation.keys.secret_names("")
    headers = VERSION | ({} if size is None else {"Upload-Length": size})
    assert officer.post("/uploads", headers=headers).status_code == status
    assert (count(), installation.keys.secret_names("")) == (before, keys)


def test_a_disk_that_is_nearly_full_refuses_before_it_is_full(officer, monkeypatch):
    address = begun(officer)
    monkeypatch.setattr(
        handing_in.shutil, "disk_usage", lambda _: Usage(1 << 40, 0, handing_in.SPARE_BYTES + MIB)
    )
    assert create(officer).status_code == 507
    assert patch(officer, address, DATA, 0).status_code == 507
    assert patch(officer, address, DATA[:MIB], 0).status_code == 204


def test_a_disk_that_is_full_all_the_same_keeps_what_was_acknowledged(officer, installation, monkeypatch):
    def full(*_, **__):
        raise StoreFullError("writing", None, "no space")

    address = begun(officer)
    patch(officer, address, DATA[:MIB], 0)
    with monkeypatch.context() as broken:
        broken.setattr("plainview.vault.incoming.Incoming.append", full)
        assert patch(officer, address, DATA[MIB:], MIB).status_code == 507
    assert patch(officer, address, DATA[MIB:], MIB)["Upload-Offset"] == str(len(DATA))


@pytest.mark.parametrize("offset", [MIB - 1, MIB + 1, 0])
def test_a_piece_that_does_not_follow_is_refused(officer, offset):
    address = begun(officer)
    patch(officer, address, DATA[:MIB], 0)
    assert patch(officer, address, DATA[offset : offset + 9], offset).status_code == 409
    assert head(officer, address)["Upload-Offset"] == str(MIB)


def test_pieces_that_are_not_said_to_be_ones_are_refused(officer):
    address = begun(officer)
    wrong_type = officer.patch(
        address, data=DATA, content_type="video/mp4", headers=VERSION | {"Upload-Offset": "0"}
    )
    no_offset = officer.patch(address, data=DATA, content_type=PIECE, headers=VERSION)
    too_long = patch(officer, address, DATA + b"!", 0)
    assert (wrong_type.status_code, no_offset.status_code, too_long.status_code) == (415, 400, 413)


def test_another_file_under_the_same_upload_is_refused_and_not_tried_again(officer, installation):
    address = begun(officer)
    patch(officer, address, DATA[: 2 * MIB], 0)
    sealed = installation.store.root / "incoming" / f"{name_of(address)}.sealed"
    with sealed.open("r+b") as file:
        file.truncate(32 + MIB + 16)
    answer = patch(officer, address, b"x" * (len(DATA) - MIB), MIB)
    assert answer.status_code == 422
    assert b"the file has changed" in answer.content
    assert patch(officer, address, DATA[MIB:], MIB)["Upload-Offset"] == str(len(DATA))


def test_two_at_once_on_one_upload(officer, installation):
    address = begun(officer)
    with open_incoming(installation.store, installation.keys, name_of(address)):
        assert patch(officer, address, DATA, 0).status_code == 423
        assert head(officer, address)["Upload-Offset"] == "0"


def test_many_at_once_are_told_when_to_come(officer, monkeypatch):
    turns = Turns(fast=1, slow=0, waiting=0, wait_s=0)
    monkeypatch.setattr(handing_in, "TURNS", turns)
    address = begun(officer)
    with turns.turn():
        answer = patch(officer, address, DATA, 0)
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert patch(officer, address, DATA[:MIB], MIB).status_code == 409
    assert patch(officer, address, DATA, 0).status_code == 204


def test_nobody_begins_without_end(officer, installation, monkeypatch):
    monkeypatch.setattr(upload_actions, "OPEN_LIMIT", 2)
    first = begun(officer)
    begun(officer)
    before = installation.keys.secret_names("incoming/")
    assert create(officer).status_code == 429
    assert installation.keys.secret_names("incoming/") == before
    officer.delete(first, headers=VERSION)
    begun(officer)
    assert create(signed_in("officer")).status_code == 201


def test_what_was_begun_long_ago_is_gone(officer):
    address = begun(officer)
    row = Upload.objects.get(name=name_of(address))
    row.begun_at -= KEPT_FOR + timedelta(seconds=1)
    row.save()
    assert head(officer, address).status_code == 410
    assert patch(officer, address, DATA, 0).status_code == 410


@pytest.mark.parametrize("lost", ["key", "files"])
def test_what_the_vault_lost_is_gone(officer, installation, lost):
    address = begun(officer)
    if lost == "key":
        installation.keys.destroy_secret(f"incoming/{name_of(address)}")
    else:
        for path in files_of(installation, address):
            path.unlink()
    assert patch(officer, address, DATA, 0).status_code == 410


def test_the_last_byte_that_was_not_noted_is_noted_when_asked_for(officer, installation, monkeypatch):
    address = begun(officer)
    with monkeypatch.context() as broken:
        broken.setattr(pages, "store_upload", lambda name: None)
        patch(officer, address, DATA, 0)
    assert officer.get(address).json()["state"] == "receiving"
    assert head(officer, address)["Upload-Offset"] == str(len(DATA))
    assert officer.get(address).json()["state"] == "stored"


# --- who may


def test_somebody_elses_upload_is_absent_alike(officer):
    address, other = begun(officer), signed_in("custodian")
    absent = f"/uploads/{'00' * 16}"
    for ask_for in (
        head,
        lambda client, at: client.get(at),
        lambda client, at: client.delete(at, headers=VERSION),
    ):
        theirs, none = ask_for(other, address), ask_for(other, absent)
        assert theirs.status_code == none.status_code == 404
        assert theirs.content.replace(name_of(address).encode(), b"") == none.content.replace(b"00" * 16, b"")
    assert patch(other, address, DATA, 0).status_code == 404
    assert head(officer, address)["Upload-Offset"] == "0"


def test_who_may_hand_in_nothing_cannot_begin(installation):
    before = count()
    assert create(signed_in("defence")).status_code in (403, 404)
    assert count() == before


def test_who_has_not_signed_in_cannot_begin(installation):
    before = count()
    assert create(Client(SERVER_NAME="localhost")).status_code in (302, 401, 403)
    assert count() == before


def test_another_site_cannot_send_in_somebodys_name(installation):
    client = signed_in("officer", enforce_csrf_checks=True)
    assert create(client).status_code == 403
    token = "a" * 32
    client.cookies["csrftoken"] = token
    assert create(client, **{"X-CSRFToken": token}).status_code == 201


def test_no_connection_to_the_database_is_held_while_bytes_flow(officer, monkeypatch):
    seen = []
    read = handing_in.Body.read

    def looking(body, length):
        seen.append(connection.connection)
        return read(body, length)

    address = begun(officer)
    monkeypatch.setattr(handing_in.Body, "read", looking)
    patch(officer, address, DATA, 0)
    assert seen
    assert set(seen) == {None}


class CutOff:
    """A request's body that breaks off."""

    META, headers = {}, {"Content-Length": str(3 * MIB)}

    def __init__(self, data, error=None):
        self.data, self.error = data, error

    def read(self, length):
        if not self.data and self.error:
            raise self.error
        piece, self.data = self.data[:length], self.data[length:]
        return piece


@pytest.mark.parametrize("error", [None, ConnectionResetError("gone")])
def test_a_body_that_breaks_off_ends_there(error):
    with Turns(fast=1, slow=0, waiting=0, wait_s=0).turn() as turn:
        body = handing_in.Body(CutOff(b"x" * 100, error), turn)
    assert (body.read(60), body.is_cut) == (b"x" * 60, False)
    assert (body.read(60), body.is_cut) == (b"x" * 40, False)
    assert (body.read(60), body.is_cut) == (b"", True)

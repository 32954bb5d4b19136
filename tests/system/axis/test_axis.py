"""A connected system hands in to a real server with the unmodified python-swiftclient."""

import contextlib
import hashlib
import http.client
import io
import json
import ssl
import subprocess
import threading
from urllib.parse import urlsplit

import pytest
from swiftclient.exceptions import ClientException

from simulators.axis_system import (
    SERIAL,
    TRIGGERED_AT,
    USER,
    BodyWornSystem,
    Sent,
    bookmark,
    clip,
    encrypted,
    headers,
    press,
    track,
)
from simulators.media_files import media_file
from simulators.program import leaves, plainview
from simulators.servers import eventually, serving

MIB = 1 << 20


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A server with HTTPS, and the certificate that a connection file carries."""
    folder = tmp_path_factory.mktemp("axis")
    certificate, key = folder / "c.pem", folder / "k.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-subj", "/CN=localhost"]
    command += ["-days", "2", "-keyout", key, "-out", certificate]
    subprocess.run(command, check=True, capture_output=True)
    made = folder / "data"
    done = plainview("init", "--log-name", "station.example", data=made)
    assert done.returncode == 0, done.stderr
    arguments = ["--workers", "1", "--certificate", certificate, "--certificate-key", key]
    with serving(made, *arguments) as server:
        yield server, certificate, folder


def connect(served, name, *more):
    """Connect a system as a person would; return it."""
    server, certificate, folder = served
    file = folder / f"{name}.json"
    arguments = [name, "--address", server.address, "--certificate", certificate, "--output", file, *more]
    done = plainview("destinations", "make", *arguments, data=server.data)
    assert done.returncode == 0, done.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    return BodyWornSystem(file.read_text(), cacert=str(certificate))


@pytest.fixture(scope="module")
def system(served):
    return connect(served, "north", "--encrypted")


def refusal(call, *given, **more):
    with pytest.raises(ClientException) as refused:
        call(*given, **more)
    return refused.value.http_status


def test_every_call_of_the_interface(served, system):
    server, _, _ = served
    capabilities, categories = system.set_up()
    assert capabilities["Store"]["StoreBookmarks"] is True
    assert capabilities["StoreAndRead"]["StoreReadSystemID"] is True
    assert {"Name", "Id"} == set(categories[0])
    assert (
        system.client.head_object("System", system.system_id)["x-object-meta-systemname"] == "North station"
    )
    answer, nothing = system.client.get_object("System", system.system_id)
    assert (answer["x-object-meta-connectionid"], nothing) == ("c-1", b"")
    system.add_user(USER, name="Zoë Reyes", user_id="4417")
    system.add_camera(SERIAL, name="Camera 12")
    assert system.client.head_object("Users", USER)["x-object-meta-name"] == "Zoë Reyes"
    system.client.post_object("Users", USER, headers("X-Object-Meta-", {"Name": "Z. Reyes"}))
    assert "x-object-meta-userid" not in system.client.head_object("Users", USER)
    footage = [media_file(metadata={"title": str(number)}) for number in range(2)]
    beside = [bookmark("Driver alone.", CategoryName="Traffic stop"), track((1.0, 13.2, 55.7))]
    pressed = press(*footage, beside=beside)
    system.hand_in(pressed)
    kept = system.client.head_object(pressed.name, pressed.objects[0].name)
    assert kept["etag"] == hashlib.md5(footage[0]).hexdigest()
    assert int(kept["content-length"]) == len(footage[0])
    assert system.client.head_container(pressed.name)["x-container-object-count"] == "4"
    digests = [hashlib.sha256(each).hexdigest() for each in footage]

    def said():
        return {leaf["facts"].get("sha256"): leaf for leaf in leaves(server.data)}

    eventually(lambda: set(digests) <= set(said()), what="both parts")
    received = [said()[digest] for digest in digests]
    assert received[0]["object"] == received[1]["object"]

    def along():
        kinds = {"bookmark", "track"}
        return [leaf for leaf in leaves(server.data) if leaf["facts"].get("kind") in kinds]

    assert len(eventually(lambda: along() if len(along()) == 2 else None, what="what came along")) == 2
    assert {leaf["object"] for leaf in along()} == {received[0]["object"]}


def test_what_was_encrypted_on_its_way_is_received_decrypted(served, system):
    server, _, _ = served
    footage = media_file(metadata={"title": "encrypted"})
    begins = press(footage).objects[0]
    pressed = press(beside=encrypted(begins, system.connection), serial="ACCC8E000002")
    system.hand_in(pressed)
    digest = hashlib.sha256(footage).hexdigest()

    def received():
        return [leaf for leaf in leaves(server.data) if leaf["facts"].get("sha256") == digest]

    leaf = eventually(received, what="the decrypted clip")[0]
    assert leaf["facts"]["sent_sha256"] == hashlib.sha256(pressed.objects[0].data).hexdigest()


def test_a_large_clip_of_unknown_length_streams(system):
    data = bytes(range(256)) * (40 * MIB // 256) + b"tail"
    system.client.put_container("large")
    etag = system.client.put_object("large", "clip.mp4", io.BytesIO(data), chunk_size=MIB)
    assert etag == hashlib.md5(data).hexdigest()
    assert int(system.client.head_object("large", "clip.mp4")["content-length"]) == len(data)


def test_many_send_at_once(served, system):
    system.client.put_container("many")
    said = []

    def send(number):
        with contextlib.suppress(ClientException):
            ours = BodyWornSystem(json.dumps(system.connection), cacert=str(served[1]), retries=5)
            said.append(ours.put("many", clip(bytes([number]) * 4 * MIB, TRIGGERED_AT, number)))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(said)) == 8
    assert system.client.head_container("many")["x-container-object-count"] == "8"


def test_refusals_are_the_specified_ones(served, system):
    client = system.client
    assert refusal(client.put_object, "none", "clip.mp4", b"x") == 404
    assert refusal(client.post_container, "none", {}) == 404
    client.put_container("c")
    assert refusal(client.put_object, "c", "clip.mp4", b"x", etag="0" * 32) == 422
    assert refusal(client.head_object, "c", "clip.mp4") == 404
    assert refusal(client.put_object, "c", "a" * 1025, b"x") == 400
    assert refusal(client.get_object, "c", "clip.mp4") == 403
    assert refusal(client.put_object, "System", "Capabilities.json", b"{}") == 403
    wrong = BodyWornSystem(json.dumps(system.connection | {"BlobAPIKey": "guess"}), cacert=str(served[1]))
    assert refusal(wrong.client.get_auth) == 401


def raw(served, system, method, path, *, body=b"", length=None, token=None, more=()):
    """Send what no client would; return the status, or None where the server hung up."""
    server, certificate, _ = served
    where = urlsplit(server.address)
    context = ssl.create_default_context(cafile=str(certificate))
    talk = http.client.HTTPSConnection(where.hostname, where.port, context=context, timeout=20)
    with contextlib.closing(talk):
        talk.putrequest(method, path)
        talk.putheader("X-Auth-Token", token or system.client.get_auth()[1])
        talk.putheader("Content-Length", str(len(body) if length is None else length))
        for name, value in more:
            talk.putheader(name, value)
        talk.endheaders(body)
        if length is not None and length > len(body):
            return None
        return talk.getresponse().status


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/{}/c/../../etc/passwd", 400),
        ("/v1/{}/c/%2e%2e/%2e%2e/etc/passwd", 400),
        ("/v1/{}/..", 400),
        ("/v1/{}/c/a%00b", 400),
        ("/v1/{}/c%00", 400),
        ("/v1/{}/c/a%0d%0aX-Evil:%201", 400),
        ("/v1/other/c/a", 403),
        ("/v1/{}/c/%ff%fe", 201),
    ],
)
def test_names_that_lead_elsewhere_are_refused_and_others_are_only_names(served, system, path, status):
    system.client.put_container("c")
    account = system.connection["BlobAPIUserName"]
    assert raw(served, system, "PUT", path.format(account), body=b"x") == status


def test_headers_that_are_too_much_are_refused_and_nothing_else_is_disturbed(served, system):
    system.client.put_container("c")
    path = f"/v1/{system.connection['BlobAPIUserName']}/c/large-headers"
    many = [(f"X-Object-Meta-{number}", "x") for number in range(91)]
    assert raw(served, system, "PUT", path, more=many) == 400
    assert raw(served, system, "PUT", path, more=[("X-Object-Meta-A", "x" * 60_000)]) in {400, 431}
    assert refusal(system.client.head_object, "c", "large-headers") == 404


def test_what_breaks_off_is_not_kept(served, system):
    system.client.put_container("cut")
    path = f"/v1/{system.connection['BlobAPIUserName']}/cut/clip.mp4"
    raw(served, system, "PUT", path, body=b"x" * MIB, length=2 * MIB)
    system.put("cut", Sent("after.mp4", b"whole"))
    assert system.client.head_container("cut")["x-container-object-count"] == "1"


def test_a_closed_connection_hands_in_nothing_more(served):
    system = connect(served, "gone")
    system.client.put_container("c")
    done = plainview("destinations", "close", "gone", data=served[0].data)
    assert done.returncode == 0, done.stderr
    assert refusal(system.client.put_container, "d") == 401
    again = plainview(
        "destinations",
        "make",
        "gone",
        "--address",
        "ftp://x",
        "-o",
        served[2] / "x.json",
        data=served[0].data,
    )
    assert again.returncode == 2
    assert "Nothing was made." in again.stderr

"""What a connection file can hold."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from plainview.pipeline import destinations
from plainview.pipeline.destinations import Connection, check_connection
from plainview.pipeline.errors import UnfitConnectionError

PLAIN = Connection(name="North", addresses=["http://localhost:8080"])
OPTIONAL = {"HTTPSCertificate", "PublicKey", "PublicKeyId"}
# The specification's own list; every other field is one that no system knows.
FIELDS = {
    "ConnectionFileVersion",
    "SiteName",
    "ApplicationName",
    "ApplicationVersion",
    "ContentDestinationAsNTPServer",
    "AuthenticationTokenURI",
    "HTTPSCertificate",
    "BlobAPIKey",
    "BlobAPIUserName",
    "ContainerType",
    "FullStoreAndReadSupport",
    "WantEncryption",
    "PublicKey",
    "PublicKeyId",
}


@pytest.fixture(scope="module")
def pems():
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    start = datetime(2026, 3, 14, tzinfo=UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 7, start, start + timedelta(days=2))
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem, private


def written(wanted):
    given = {"account": "axis-1", "password": "p", "key_id": "k", "public_pem": "PEM"}
    return json.loads(destinations._format_file(wanted, **given))


def test_a_file_has_exactly_the_specified_fields(pems):
    assert set(written(replace(PLAIN, certificates=[pems[0]], is_encrypted=True))) == FIELDS
    assert set(written(PLAIN)) == FIELDS - OPTIONAL


def test_certificates_and_key_are_base64_of_their_pem(pems):
    said = written(replace(PLAIN, certificates=[pems[0]], is_encrypted=True))
    assert base64.b64decode(said["HTTPSCertificate"][0]) == pems[0]
    assert base64.b64decode(said["PublicKey"]) == b"PEM"


def test_where_to_sign_in_follows_from_the_address():
    said = written(replace(PLAIN, addresses=["http://a/", "http://b:81"]))
    assert said["AuthenticationTokenURI"] == ["http://a/auth/v1.0", "http://b:81/auth/v1.0"]


def test_https_goes_with_a_certificate(pems):
    check_connection(PLAIN)
    check_connection(Connection(name="North", addresses=["https://a"], certificates=[pems[0]]))


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "n" * 65},
        {"name": "a\nb"},
        {"addresses": []},
        {"addresses": ["http://a"] * 11},
        {"addresses": ["ftp://a"]},
        {"addresses": ["http://"]},
        {"addresses": ["http://a/path"]},
        {"addresses": ["http://[::1"]},
        {"addresses": ["http://" + "a" * 512]},
        {"addresses": ["https://a"]},
        {"container_type": "avi"},
        {"categories": ["c"] * 101},
        {"categories": [""]},
        {"categories": ["c" * 33]},
        {"give_up_after_h": 0},
    ],
)
def test_what_no_file_can_hold_is_refused(wrong):
    with pytest.raises(UnfitConnectionError, match="Nothing was made"):
        check_connection(replace(PLAIN, **wrong))


def test_a_private_key_never_gets_into_a_file(pems):
    for wrong in (pems[1], b"no certificate", b"".join(pems), pems[0] * 100):
        with pytest.raises(UnfitConnectionError, match="certificates"):
            check_connection(Connection(name="North", addresses=["https://a"], certificates=[wrong]))
    with pytest.raises(UnfitConnectionError, match="at most ten"):
        check_connection(Connection(name="North", addresses=["https://a"], certificates=[pems[0]] * 11))


def test_what_is_published_is_json_that_names_every_capability():
    made = {"Read", "Store", "StoreAndRead"}
    assert set(destinations.CAPABILITIES) == made
    assert all(value is True for kind in destinations.CAPABILITIES.values() for value in kind.values())

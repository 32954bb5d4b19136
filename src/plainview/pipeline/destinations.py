"""Connect systems of other makers: the connection file that theirs is configured with, and what ours publishes to it.

Source: Axis Body Worn Content Destination API, "Connection API", "Capability API" and "Categories".
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography import x509
from django.contrib.auth.hashers import make_password

from plainview import __version__
from plainview.evidence.destination_actions import NewDestination, make_destination
from plainview.pipeline.destination_intake import GIVE_UP_AFTER_H
from plainview.pipeline.errors import UnfitConnectionError
from plainview.vault.content_keys import make_content_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from plainview.custody.record import Actor
    from plainview.evidence.destination_queries import KnownDestination
    from plainview.pipeline.installation import Installation

FILE_LIMIT_BYTES = 64_000
NAME_LIMIT, ADDRESS_LIMIT, ADDRESSES_LIMIT, CERTIFICATE_LIMIT = 64, 512, 10, 16_384
CATEGORIES_LIMIT, CATEGORY_LIMIT = 100, 32
CONTAINER_TYPES = ("mp4", "mkv")
# What every department needs from the first day; others: --category.
DEFAULT_CATEGORIES = (
    "Traffic stop",
    "Arrest",
    "Use of force",
    "Search",
    "Statement",
    "Collision",
    "Mental health",
    "Other",
)
CAPABILITIES = {
    "Read": {"ReadCategories": True},
    "Store": {
        "StoreBookmarks": True,
        "StoreGNSSTrackRecording": True,
        "StoreRejectedContent": True,
        # Originals are kept and exported byte for byte, and so with whatever signature is in them.
        "StoreSignedVideo": True,
        "StoreUserIDKey": True,
    },
    "StoreAndRead": {"StoreReadSystemID": True},
}


@dataclass(frozen=True)
class Connection:
    """A connection to be made.

    Attributes:
        name: what the department calls the system; the system shows it as the site's name.
        addresses: where the server is reached, such as https://video.example.org; the first that answers is used.
        certificates: PEM certificates that the system trusts the server by; none where it is reached by plain HTTP.
        is_encrypted: whether it encrypts footage to a key of ours; it can never be turned off again.
        container_type: mp4 or mkv.
        categories: what may be chosen on a camera; none are the default ones.
        give_up_after_h: after how many hours without news a recording is taken in as far as it came.
    """

    name: str
    addresses: Sequence[str]
    certificates: Sequence[bytes] = ()
    is_encrypted: bool = False
    container_type: str = "mp4"
    categories: Sequence[str] = ()
    give_up_after_h: int = GIVE_UP_AFTER_H


def check_connection(wanted: Connection) -> None:
    """Raise unless a connection file can hold this.

    Raises:
        UnfitConnectionError: it says what.
    """
    _need(0 < len(wanted.name) <= NAME_LIMIT and wanted.name.isprintable(), "a name of 1 to 64 characters")
    _need(0 < len(wanted.addresses) <= ADDRESSES_LIMIT, "one to ten addresses")
    for address in wanted.addresses:
        _check_address(address, has_certificate=bool(wanted.certificates))
    _need(len(wanted.certificates) <= ADDRESSES_LIMIT, "at most ten certificates")
    for pem in wanted.certificates:
        _check_certificate(pem)
    _need(wanted.container_type in CONTAINER_TYPES, "mp4 or mkv")
    _need(len(wanted.categories) <= CATEGORIES_LIMIT, "at most 100 categories")
    for category in wanted.categories:
        is_short = 0 < len(category) <= CATEGORY_LIMIT and category.isprintable()
        _need(is_short, f"categories of 1 to {CATEGORY_LIMIT} characters, got {category!a:.60}")
    _need(wanted.give_up_after_h > 0, "at least one hour before a recording is taken in incomplete")


def _check_address(address: str, *, has_certificate: bool) -> None:
    try:
        parts = urlsplit(address)
        is_plain = bool(parts.hostname) and parts.path in {"", "/"} and not (parts.query or parts.fragment)
    except ValueError:
        is_plain, parts = False, urlsplit("")
    _need(
        is_plain and parts.scheme in {"http", "https"} and len(address) <= ADDRESS_LIMIT,
        f"an address such as https://video.example.org, got {address!a:.80}",
    )
    _need(
        has_certificate == (parts.scheme == "https"),
        "a certificate with https://, and none with http://: the system uses plain HTTP where it is given none",
    )


def _check_certificate(pem: bytes) -> None:
    try:
        is_one = bool(x509.load_pem_x509_certificates(pem))
    except ValueError:
        is_one = False
    _need(is_one and len(base64.b64encode(pem)) <= CERTIFICATE_LIMIT, "certificates as PEM, of at most 12 kB")
    # A key would be read by everybody who configures the system.
    _need(b"PRIVATE KEY" not in pem, "certificates without a private key")


def _need(is_met: object, expected: str) -> None:
    if not is_met:
        raise UnfitConnectionError(expected)


def make_connection(installation: Installation, wanted: Connection, *, actor: Actor, now: datetime) -> bytes:
    """Connect a system, and return the connection file that it is configured with; the password is in it alone.

    Raises:
        UnfitConnectionError: the file could not hold it.
        DestinationTakenError: there is, or was, one of this name.
        KeyStoreError: the key store failed.
    """
    check_connection(wanted)
    account, password = f"axis-{secrets.token_hex(8)}", secrets.token_urlsafe(32)
    key_id = f"plainview-{secrets.token_hex(8)}" if wanted.is_encrypted else ""
    content_key = make_content_key(installation.keys) if wanted.is_encrypted else None
    names = wanted.categories or DEFAULT_CATEGORIES
    settings = {
        "maker": "axis",
        "addresses": list(wanted.addresses),
        "container_type": wanted.container_type,
        "give_up_after_h": wanted.give_up_after_h,
        "categories": [{"Name": name, "Id": str(number)} for number, name in enumerate(names, 1)],
    }
    if content_key is not None:
        settings["content_key"] = asdict(content_key)
    public_pem = "" if content_key is None else content_key.public_pem
    file = _format_file(wanted, account=account, password=password, key_id=key_id, public_pem=public_pem)
    _need(len(file) <= FILE_LIMIT_BYTES, "less: a connection file has at most 64 kB")
    new = NewDestination(
        name=wanted.name,
        account=account,
        password=make_password(password),
        key_name=key_id,
        settings=settings,
    )
    make_destination(new=new, actor=actor, now=now)
    return file


def _format_file(wanted: Connection, *, account: str, password: str, key_id: str, public_pem: str) -> bytes:
    """Write a connection file: exactly the fields of the specification."""
    said: dict[str, object] = {
        "ConnectionFileVersion": "1.0",
        "SiteName": wanted.name,
        "ApplicationName": "Plainview",
        "ApplicationVersion": __version__,
        "ContentDestinationAsNTPServer": False,
        "AuthenticationTokenURI": [f"{address.rstrip('/')}/auth/v1.0" for address in wanted.addresses],
        "BlobAPIKey": password,
        "BlobAPIUserName": account,
        "ContainerType": wanted.container_type,
        "FullStoreAndReadSupport": False,
        "WantEncryption": wanted.is_encrypted,
    }
    if wanted.certificates:
        said["HTTPSCertificate"] = [base64.b64encode(pem).decode() for pem in wanted.certificates]
    # No value is allowed where nothing is encrypted.
    if wanted.is_encrypted:
        said["PublicKey"] = base64.b64encode(public_pem.encode()).decode()
        said["PublicKeyId"] = key_id
    return json.dumps(said, indent=2, ensure_ascii=True).encode() + b"\n"


def published(destination: KnownDestination) -> dict[str, bytes]:
    """Return the objects that a connected system reads here, by their names in the container System."""
    return {
        "Capabilities.json": json.dumps(CAPABILITIES, indent=2).encode(),
        "Categories.json": json.dumps(destination.settings.get("categories", [])).encode(),
    }

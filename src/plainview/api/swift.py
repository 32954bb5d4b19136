"""What a connected system asks: sign in, containers, objects. A small part of OpenStack Swift, as Axis uses it.

Nothing is answered 201 before its bytes lie in the vault, durable and read back. No connection to the database is held
while bytes flow. See docs/formats/axis.md for every call and its answers.
"""

from __future__ import annotations

import hashlib
import logging
from functools import wraps
from typing import TYPE_CHECKING, BinaryIO, cast

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpResponse
from django.utils import timezone
from django.utils.http import http_date
from django.views.decorators.csrf import csrf_exempt

from plainview.api import here, swift_auth
from plainview.api import swift_requests as asked
from plainview.custody.record import Actor
from plainview.evidence import destination_actions as actions
from plainview.evidence import destination_queries as queries
from plainview.evidence import destination_rules as rules
from plainview.evidence.destination_actions import SentObject
from plainview.pipeline import destinations, handing_in
from plainview.pipeline.intake import discard
from plainview.service.turns import NoTurnError
from plainview.service.tus import RequestError
from plainview.vault.errors import (
    EmptyOriginalError,
    KeyStoreFullError,
    SourceReadError,
    StoreFullError,
    VaultError,
)
from plainview.vault.receive import receive

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    from plainview.evidence.destination_queries import KnownContainer, KnownDestination
    from plainview.service.turns import Turn
    from plainview.vault.reread import ReceivedObject

    View = Callable[..., HttpResponse]

SENDER = Actor("system:destinations")
EMPTY = b""
BUSY_S = 2
REFUSALS_HEARD_S = 3600
READ_BYTES = 1 << 20
log = logging.getLogger(__name__)


def _answered(action: str) -> Callable[[View], View]:
    """Answer what a view raises, with the statuses that the specification names.

    Args:
        action: who may ask: "public", or "destination", whoever holds a token.
    """

    def wrap(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def answered(request: HttpRequest, **given: str) -> HttpResponse:
            try:
                response = view(request, **given)
            except tuple(STATUSES) as error:
                response = _refusal(request, error)
            response["Cache-Control"] = "no-store"
            return response

        answered.guarded_action = action  # type: ignore[attr-defined]
        return answered

    return wrap


# Which errors are answered, and how; whatever else is raised is a fault of ours, and 500.
STATUSES: dict[type[Exception], int] = {
    RequestError: 0,
    NoTurnError: 503,
    StoreFullError: 507,
    KeyStoreFullError: 507,
    SourceReadError: 400,
    DatabaseError: 503,
    VaultError: 500,
}
TEXTS: dict[int, str] = {
    500: "The server's disk failed. Tell whoever keeps the server.",
    503: "Many are sending, or the server is starting. Try again in a moment.",
    507: "The server has no room for it. Tell whoever keeps the server.",
}


def _refusal(request: HttpRequest, error: Exception) -> HttpResponse:
    status = next(status for kind, status in STATUSES.items() if isinstance(error, kind))
    headers: dict[str, str] = {}
    text = TEXTS.get(status, str(error))
    if isinstance(error, RequestError):
        status, text, headers = error.status, str(error), dict(error.headers)
    if status == 503:
        headers["Retry-After"] = str(BUSY_S)
    if status >= 500:
        log.warning("a connected system was answered %s: %s", status, error)
    handing_in.drain(request, status)
    return HttpResponse(text, status=status, headers=headers, content_type="text/plain; charset=utf-8")


@_answered("public")
def sign_in(request: HttpRequest) -> HttpResponse:
    """Give whoever knows the password a token, and the address of its account."""
    if request.method != "GET":
        raise RequestError(400, "Ask with GET.")
    destination, token = swift_auth.sign_in(request)
    address = request.build_absolute_uri(f"/v1/{destination.account}")
    return HttpResponse(
        status=200,
        headers={
            "X-Auth-Token": token,
            "X-Storage-Url": address,
            "X-Auth-Token-Expires": str(swift_auth.TOKEN_AGE_S),
        },
    )


@_answered("destination")
def account(request: HttpRequest, account: str) -> HttpResponse:
    """Say that an account is there; what it holds is not listed."""
    swift_auth.signed_in(request, account)
    if request.method != "HEAD":
        raise RequestError(403, "What an account holds is not listed here.")
    return HttpResponse(status=204)


@_answered("destination")
def container(request: HttpRequest, account: str, container: str) -> HttpResponse:
    """Make a container, bring its metadata up to date, or say what it is."""
    destination = swift_auth.signed_in(request, account)
    asked.check_container_name(container)
    deeds = {"PUT": _put_container, "POST": _post_container, "HEAD": _head_container, "GET": _no_list}
    return _deed(request, deeds)(request, destination, container)


@_answered("destination")
def content(request: HttpRequest, account: str, container: str, name: str) -> HttpResponse:
    """Keep an object, replace its metadata, or say what it is."""
    destination = swift_auth.signed_in(request, account)
    asked.check_container_name(container)
    asked.check_object_name(container, name)
    deeds = {"PUT": _put_object, "POST": _post_object, "HEAD": _show_object, "GET": _show_object}
    return _deed(request, deeds)(request, destination, container, name)


def _deed(request: HttpRequest, deeds: dict[str, Callable[..., HttpResponse]]) -> Callable[..., HttpResponse]:
    if request.method not in deeds:
        raise RequestError(405, "Nothing here is deleted, copied or changed so.", {"Allow": ", ".join(deeds)})
    return deeds[request.method]


# --- containers


def _put_container(request: HttpRequest, destination: KnownDestination, name: str) -> HttpResponse:
    metadata = asked.parse_metadata(request.headers, asked.CONTAINER_META)
    is_made = actions.put_container(destination=destination, name=name, metadata=metadata, now=timezone.now())
    return HttpResponse(status=201 if is_made else 202)


def _post_container(request: HttpRequest, destination: KnownDestination, name: str) -> HttpResponse:
    metadata = asked.parse_metadata(request.headers, asked.CONTAINER_META)
    found = _container(destination, name)
    _check_merged(found, metadata)
    actions.post_container(container=found, metadata=metadata, now=timezone.now())
    return HttpResponse(status=204)


def _check_merged(found: KnownContainer, metadata: dict[str, str]) -> None:
    problem = rules.metadata_problem(rules.merge_metadata(found.metadata, metadata))
    if problem is not None:
        raise RequestError(400, f"Together with what is there: {problem}.")


def _head_container(_request: HttpRequest, destination: KnownDestination, name: str) -> HttpResponse:
    found = _container(destination, name)
    holds = queries.holdings(found)
    headers = asked.format_metadata(found.metadata, asked.CONTAINER_META)
    headers |= {
        "X-Container-Object-Count": str(holds.objects),
        "X-Container-Bytes-Used": str(holds.size_bytes),
    }
    return HttpResponse(status=204, headers=headers)


def _no_list(_request: HttpRequest, destination: KnownDestination, name: str) -> HttpResponse:
    _container(destination, name)
    raise RequestError(403, "What a container holds is not listed here.")


def _container(destination: KnownDestination, name: str) -> KnownContainer:
    """Return a container; a system's own lists are there from the beginning."""
    found = queries.container_named(destination, name)
    if found is None and rules.is_list(name):
        actions.put_container(destination=destination, name=name, metadata={}, now=timezone.now())
        found = queries.container_named(destination, name)
    if found is None:
        raise RequestError(404, "There is no such container. Make it first.")
    return found


# --- objects


def _show_object(
    request: HttpRequest, destination: KnownDestination, container: str, name: str
) -> HttpResponse:
    published = destinations.published(destination) if container == rules.SYSTEM else {}
    if name in published:
        return _shown(request, published[name], {}, content_type="application/json")
    if request.method == "GET" and container != rules.SYSTEM:
        raise RequestError(403, "What was handed in is not given back here.")
    found = queries.object_named(_container(destination, name=container), name)
    if found is None:
        raise RequestError(404, "There is no such object.")
    headers = asked.format_metadata(found.metadata, asked.OBJECT_META)
    headers |= {"ETag": found.md5, "Last-Modified": http_date(found.received_at.timestamp())}
    response = HttpResponse(EMPTY, headers=headers, content_type="application/octet-stream")
    response["Content-Length"] = str(found.size_bytes)
    return response


def _shown(request: HttpRequest, data: bytes, headers: dict[str, str], *, content_type: str) -> HttpResponse:
    response = HttpResponse(
        EMPTY if request.method == "HEAD" else data, headers=headers, content_type=content_type
    )
    response["ETag"] = hashlib.md5(data, usedforsecurity=False).hexdigest()
    response["Content-Length"] = str(len(data))
    return response


def _post_object(
    request: HttpRequest, destination: KnownDestination, container: str, name: str
) -> HttpResponse:
    metadata = asked.parse_metadata(request.headers, asked.OBJECT_META)
    found = queries.object_named(_container(destination, container), name)
    if found is None:
        raise RequestError(404, "There is no such object.")
    actions.post_object(found=found, metadata=metadata, actor=SENDER, now=timezone.now())
    return HttpResponse(status=202)


def _put_object(
    request: HttpRequest, destination: KnownDestination, container: str, name: str
) -> HttpResponse:
    found = _container(destination, container)
    metadata = asked.parse_metadata(request.headers, asked.OBJECT_META)
    protocol = str(request.META.get("SERVER_PROTOCOL", ""))
    length, etag = (
        asked.parse_body_length(request.headers, protocol=protocol),
        asked.parse_etag(request.headers),
    )
    _check_place(destination, found, name, length)
    body = _Body(request, length)
    received = _receive(body, length)
    if etag is not None and etag != body.md5.hexdigest():
        _forget(received)
        _note_refused(destination, "differs", f"{container}/{name} came with another MD5 than announced")
        raise RequestError(422, "What came has another MD5 than the ETag says; nothing was kept.")
    sent = SentObject(
        name=name,
        metadata=metadata,
        size_bytes=body.size_bytes,
        md5=body.md5.hexdigest(),
        sha256=body.sha256.hexdigest(),
        object_id="" if received is None else received.object_id,
    )
    try:
        kept = actions.put_object(container=found, sent=sent, actor=SENDER, now=timezone.now())
    except BaseException:
        _forget(received)
        raise
    if kept != sent.object_id:
        _forget(received)
    return HttpResponse(status=201, headers={"ETag": sent.md5})


def _check_place(destination: KnownDestination, found: KnownContainer, name: str, length: int | None) -> None:
    if rules.is_list(found.name):
        if name in destinations.published(destination) and found.name == rules.SYSTEM:
            raise RequestError(403, f"{name} is the server's own.")
        if length != 0:
            raise RequestError(400, f"What stands in {found.name} has metadata and no content.")
    limit = rules.LISTED_LIMIT if rules.is_list(found.name) else rules.OBJECTS_LIMIT
    if queries.holdings(found).objects >= limit and queries.object_named(found, name) is None:
        raise RequestError(400, f"A container holds at most {limit} objects.")


def _receive(body: _Body, length: int | None) -> ReceivedObject | None:
    """Store what comes, and return what it is once it is durable and was read back; None where nothing came."""
    if length == 0:
        return None
    installation = here.installation()
    handing_in.check_room(installation, length or 0)
    handing_in.notice_lost_senders()
    # It may take minutes, and others need the connection.
    connection.close()
    with handing_in.TURNS.turn() as turn:
        body.turn = turn
        try:
            return receive(cast("BinaryIO", body), store=installation.store, keys=installation.keys)
        except EmptyOriginalError:
            return None


def _forget(received: ReceivedObject | None) -> None:
    if received is not None:
        discard(here.installation(), received.object_id)


def _note_refused(destination: KnownDestination, reason: str, text: str) -> None:
    """Note what was refused; the same of one system at most once an hour, so that no retry fills the log."""
    if cache.add(f"swift-refused:{destination.pseudonym}:{reason}", 1, REFUSALS_HEARD_S):
        actions.note_refused(
            destination=destination, reason=reason, text=text, actor=SENDER, now=timezone.now()
        )


class _Body:
    """A request's body as the vault reads it: hashed as it comes; one that breaks off is an error.

    Attributes:
        size_bytes: how much has come.
        md5: of what has come.
        sha256: of the same.
        turn: whose turn it is, told how much comes.
    """

    def __init__(self, request: HttpRequest, length: int | None) -> None:
        # Django knows no chunked body: without Content-Length, it gives none. The server's own stream ends by itself.
        self._read: Callable[[int], bytes] = (
            request.META["wsgi.input"].read if length is None else request.read
        )
        self._length = length
        self.size_bytes = 0
        self.md5 = hashlib.md5(usedforsecurity=False)
        self.sha256 = hashlib.sha256()
        self.turn: Turn | None = None

    def readinto(self, buffer: memoryview) -> int:
        """Fill some of buffer; 0 only at the end.

        Raises:
            RequestError: 400: less came than was announced.
        """
        missing = len(buffer) if self._length is None else self._length - self.size_bytes
        if not missing:
            return 0
        data = self._read(min(len(buffer), missing, READ_BYTES))
        if not data and self._length is not None:
            raise RequestError(400, f"{self._length} bytes were announced, {self.size_bytes} came.")
        self.md5.update(data)
        self.sha256.update(data)
        self.size_bytes += len(data)
        if self.turn is not None:
            self.turn.note(len(data))
        buffer[: len(data)] = data
        return len(data)

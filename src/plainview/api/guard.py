"""The one guard for docks: whoever asks shows the token of an open dock, or is answered nothing else.

A refused request writes nothing: neither an act nor a row, however often it is tried.
"""

from __future__ import annotations

import hmac
import json
from functools import wraps
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from plainview.custody.errors import CustodyError
from plainview.evidence.camera_actions import note_dock_seen
from plainview.evidence.camera_queries import dock_with_token
from plainview.evidence.errors import EvidenceError
from plainview.formats.errors import FormatError
from plainview.pipeline.errors import PipelineError
from plainview.pipeline.handing_in import REFUSED, drain, refusal_of
from plainview.pipeline.offloads import actor_of_dock
from plainview.service import tus
from plainview.vault.errors import KeyStoreFullError, StoreFullError, VaultError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from django.http import HttpResponse

    from plainview.custody.record import Actor
    from plainview.evidence.camera_queries import KnownDock

    View = Callable[..., HttpResponse]

# What a view of this interface says of itself where the test that walks every address asks.
DOCK = "dock"
BODY_LIMIT_BYTES = 1 << 20
TOKEN_LIMIT = 256
BUSY_S = 5
# Also read by docks that look for what is busy: DatabaseError is the server starting, or its disk full.
TEXTS = {
    500: "The server's disk failed. Tell whoever keeps the server.",
    503: "The server is busy, or starting. Try again in a moment.",
    507: "The server has no room for it. Tell whoever keeps the server.",
}


class DockRequest(HttpRequest):
    """A request as our views get it; for annotations only.

    Attributes:
        dock: which asks.
        actor: the same, as the custody log may know it.
        now: when it came.
    """

    dock: KnownDock
    actor: Actor
    now: datetime


class AnswerError(Exception):
    """A request is answered with an error.

    Attributes:
        status: of the answer. code: for programs. headers: of the answer.
    """

    def __init__(
        self, status: int, code: str, text: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(text)
        self.status, self.code = status, code
        self.headers = dict(headers or {})


ANSWERED: tuple[type[Exception], ...] = (
    AnswerError,
    EvidenceError,
    FormatError,
    VaultError,
    DatabaseError,
    CustodyError,
    PipelineError,
    *REFUSED,
)


def for_docks(*, answers: Mapping[type[Exception], tuple[int, str]]) -> Callable[[View], View]:
    """Let a view answer whoever shows the token of an open dock.

    Args:
        answers: what of evidence's errors the view may raise, with status and code.
    """

    def guard(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def asked(request: DockRequest, **given: Any) -> HttpResponse:
            request.now = timezone.now()
            try:
                request.dock = _dock(request)
                request.actor = actor_of_dock(request.dock.pseudonym)
                response = view(request, **given)
            except ANSWERED as error:
                response = _refused(request, error, answers)
            response["Tus-Resumable"] = tus.VERSION
            response["Cache-Control"] = "no-store"
            return response

        asked.guarded_action = DOCK  # type: ignore[attr-defined]
        return asked

    return guard


def check_method(request: DockRequest, *methods: str) -> None:
    """Raise unless a view is asked in one of these ways.

    Raises:
        AnswerError: 405.
    """
    if request.method not in methods:
        raise AnswerError(405, "method", "Not here.", headers={"Allow": ", ".join(methods)})


def read_record(request: DockRequest, /, **kinds: tuple[type, ...]) -> dict[str, Any]:
    """Return the JSON record that a request holds.

    Args:
        request: with the body.
        kinds: for each field that must be there, what it may be.

    Raises:
        AnswerError: 400 for anything else, 413 for more than a mebibyte.
    """
    length = request.headers.get("Content-Length") or "0"
    if not length.isdecimal() or int(length) > BODY_LIMIT_BYTES:
        raise AnswerError(413, "too_large", f"Expected at most {BODY_LIMIT_BYTES} bytes.")
    try:
        record = json.loads(request.read(BODY_LIMIT_BYTES))
        # Half a pair of surrogates is JSON, and no text that anything keeps.
        json.dumps(record, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise AnswerError(400, "not_json", "Expected a JSON record.") from error
    if not isinstance(record, dict):
        raise AnswerError(400, "not_json", "Expected a JSON record.")
    for name, allowed in kinds.items():
        # A bool is an int to Python, and not to anybody else.
        if type(record.get(name)) not in allowed:
            raise AnswerError(400, "field", f"{name}: {record.get(name)!a:.40} is not what it may be.")
    return record


def _dock(request: DockRequest) -> KnownDock:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    asked = sha256(token.strip()[:TOKEN_LIMIT].encode("utf-8", "replace")).hexdigest()
    found = dock_with_token(asked) if scheme.lower() == "bearer" else None
    # The database compares digests of what nobody can guess; what it found is compared once more, in constant time.
    if found is None or not hmac.compare_digest(found[1], asked):
        said = "Show a dock's token: Authorization: Bearer TOKEN. Add a dock with: plainview docks add NAME"
        raise AnswerError(401, "no_dock", said, headers={"WWW-Authenticate": 'Bearer realm="Plainview"'})
    dock, _ = found
    if dock.closed_at is not None:
        raise AnswerError(403, "closed", "This dock was closed. Add it anew: plainview docks add NAME")
    note_dock_seen(dock=dock.key, now=request.now)
    return dock


def _refused(
    request: DockRequest, error: Exception, answers: Mapping[type[Exception], tuple[int, str]]
) -> HttpResponse:
    status, code, text, headers = _answer_to(error, answers)
    drain(request, status)
    return JsonResponse({"error": code, "text": text}, status=status, headers=headers)


def _answer_to(
    error: Exception, answers: Mapping[type[Exception], tuple[int, str]]
) -> tuple[int, str, str, dict[str, str]]:
    if isinstance(error, AnswerError):
        return error.status, error.code, str(error), error.headers
    if isinstance(error, REFUSED):
        said = refusal_of(error)
        return said.status, "refused", said.text, dict(said.headers)
    for kind, (status, code) in answers.items():
        if isinstance(error, kind):
            return status, code, str(error), {}
    if isinstance(error, (FormatError, EvidenceError)):
        return 400, "malformed", str(error), {}
    if isinstance(error, (DatabaseError, CustodyError, PipelineError)):
        return 503, "busy", TEXTS[503], {"Retry-After": str(BUSY_S)}
    status = 507 if isinstance(error, (StoreFullError, KeyStoreFullError)) else 500
    return status, "disk", TEXTS[status], {}

"""What a dock asks the server: docs/formats/dock-api.md, "Dock to server"."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from plainview.dock.errors import (
    NotLetInError,
    OffloadLostError,
    OffsetDiffersError,
    ServerBusyError,
    ServerError,
    ServerGoneError,
)
from plainview.dock.wire import Answer, Line, NoAnswerError
from plainview.formats.canonical import canonical_json
from plainview.formats.errors import FormatError
from plainview.formats.note import VerifierKey, parse_vkey
from plainview.formats.times import parse_at

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from datetime import datetime

API = "/api/dock/v1"
PIECE_TYPE = "application/offset+octet-stream"
# Nothing is wrong with the request: the server has no room, no turn, or an answer that was not finished.
BUSY = frozenset({408, 423, 429, 500, 502, 503, 504, 507})
LOST = frozenset({404, 410, 422})

Read = TypeVar("Read")


@dataclass(frozen=True)
class Hello:
    """Whom the dock talks to.

    Attributes:
        dock: the name the department gave it.
        at: the server's clock; aware UTC.
        department_key: that signs orders to cameras.
        log_keys: that sign the custody log, one for each of its epochs.
        seal_to: the vault's public key, X25519, 32 bytes.
        piece_bytes: how much the server wants in one piece, at most.
    """

    dock: str
    at: datetime
    department_key: VerifierKey
    log_keys: tuple[VerifierKey, ...]
    seal_to: bytes
    piece_bytes: int


@dataclass(frozen=True)
class Admission:
    """Whether a camera's key counts: waiting, admitted, refused or revoked; its orders are a signed note."""

    state: str
    fingerprint: str
    orders: str | None


@dataclass(frozen=True)
class Docking:
    """What the server is told when a camera is put in."""

    camera: str | None
    make: str
    serial: str
    clock_error_ms: int | None
    clock_doubt_ms: int | None
    battery_percent: int | None
    files: int
    critical: tuple[str, ...]


@dataclass(frozen=True)
class Docked:
    """What it answers: the docking's id, whose camera it is, and which groups it wants first."""

    identifier: str
    assigned: str
    critical: tuple[str, ...]


@dataclass(frozen=True)
class Announcement:
    """A file that is about to be handed in; sha256 is of the bytes that will be sent."""

    kind: str
    make: str
    serial: str
    camera: str
    stream: str
    filename: str
    size_bytes: int
    sha256: str
    particulars: Mapping[str, object] | None


@dataclass(frozen=True)
class Offloaded:
    """What has become of a file that is being, or was, handed in.

    Attributes:
        name: the offload's.
        state: see evidence.camera_rules.OFFLOAD_STATES.
        recording: the identifier it became; empty where none, or not yet.
        reason: a code; empty where there is none. text: the same, as a sentence.
        receipt: as it came; None until a published checkpoint covers the leaf. Nothing is checked here.
        is_new: whether it was begun just now, so that nothing of it has come.
    """

    name: str
    state: str
    recording: str = ""
    reason: str = ""
    text: str = ""
    receipt: bytes | None = None
    is_new: bool = False


@dataclass(frozen=True)
class CameraOnWall:
    """A camera of the department, wherever it is."""

    make: str
    serial: str
    assigned: str
    docked_at: str
    is_overdue: bool


class Server(Protocol):
    """What a dock asks of a server; each method raises ServerError and what is below it, nothing else."""

    def hello(self) -> Hello:
        """Say who is there."""
        ...

    def ask_admission(self, request: str) -> Admission:
        """Hand a camera's request on."""
        ...

    def begin_docking(self, docking: Docking) -> Docked:
        """Say that a camera was put in."""
        ...

    def report_docking(self, identifier: str, *, files: int, checked: int, is_taken: bool) -> None:
        """Say how far a docking is."""
        ...

    def begin_offload(self, announcement: Announcement) -> Offloaded:
        """Announce a file; one that is there already is answered as it stands."""
        ...

    def offset(self, name: str) -> int:
        """Return how many bytes of an offload have come."""
        ...

    def send(self, name: str, offset: int, piece: bytes) -> int:
        """Send a piece; return how many bytes have come, perhaps less than were sent."""
        ...

    def result(self, name: str) -> Offloaded:
        """Return what became of an offload."""
        ...

    def cameras(self) -> tuple[CameraOnWall, ...]:
        """Return the department's cameras."""
        ...

    def check_out(self, *, badge: str, make: str, serial: str, is_sure: bool) -> str:
        """Give a camera to whoever has this badge; return whose it is now."""
        ...

    def close(self) -> None:
        """Let the connection go."""
        ...


class HttpServer:
    """The real server, over HTTPS; for one thread."""

    def __init__(self, url: str, token: str, *, context: ssl.SSLContext | None = None) -> None:
        self._line = Line(url, context=context)
        self._headers = {"Authorization": f"Bearer {token}", "Tus-Resumable": "1.0.0"}

    def hello(self) -> Hello:
        """Say who is there."""
        return _reading(self._ask("GET", "/hello"), _hello)

    def ask_admission(self, request: str) -> Admission:
        """Hand a camera's request on."""
        answer = self._ask("POST", "/cameras", record={"request": request})
        return _reading(
            answer,
            lambda record: Admission(
                _text(record, "state"), _text(record, "fingerprint"), _text(record, "orders") or None
            ),
        )

    def begin_docking(self, docking: Docking) -> Docked:
        """Say that a camera was put in."""
        record = {**docking.__dict__, "critical": list(docking.critical)}
        answer = self._ask("POST", "/dockings", record=record)
        return _reading(
            answer,
            lambda said: Docked(
                str(said["docking"]),
                _text(said, "assigned"),
                tuple(str(stream) for stream in said.get("critical") or ()),
            ),
        )

    def report_docking(self, identifier: str, *, files: int, checked: int, is_taken: bool) -> None:
        """Say how far a docking is."""
        record = {"files": files, "checked": checked, "is_taken": is_taken}
        self._ask("POST", f"/dockings/{identifier}", record=record)

    def begin_offload(self, announcement: Announcement) -> Offloaded:
        """Announce a file; one that is there already is answered as it stands."""
        headers = {
            "Upload-Length": str(announcement.size_bytes),
            "Upload-Metadata": upload_metadata(announcement),
        }
        answer = self._ask("POST", "/offloads", headers=headers)
        if answer.status == 201:
            name = answer.headers.get("location", "").rstrip("/").rpartition("/")[2]
            if not name:
                raise ServerGoneError("The server made a place for a file and did not say where.")
            return Offloaded(name, "receiving", is_new=True)
        return _reading(answer, _offloaded)

    def offset(self, name: str) -> int:
        """Return how many bytes of an offload have come."""
        return _offset(self._ask("HEAD", f"/offloads/{name}"))

    def send(self, name: str, offset: int, piece: bytes) -> int:
        """Send a piece; return how many bytes have come, perhaps less than were sent."""
        headers = {"Upload-Offset": str(offset), "Content-Type": PIECE_TYPE}
        return _offset(self._ask("PATCH", f"/offloads/{name}", headers=headers, body=piece))

    def result(self, name: str) -> Offloaded:
        """Return what became of an offload."""
        return _reading(self._ask("GET", f"/offloads/{name}"), _offloaded)

    def cameras(self) -> tuple[CameraOnWall, ...]:
        """Return the department's cameras."""
        return _reading(self._ask("GET", "/cameras"), _cameras)

    def check_out(self, *, badge: str, make: str, serial: str, is_sure: bool) -> str:
        """Give a camera to whoever has this badge; return whose it is now."""
        record = {"badge": badge, "make": make, "serial": serial, "is_sure": is_sure}
        return _reading(self._ask("POST", "/checkouts", record=record), lambda said: _text(said, "assigned"))

    def close(self) -> None:
        """Let the connection go."""
        self._line.close()

    def _ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        record: Mapping[str, object] | None = None,
    ) -> Answer:
        said = {**self._headers, **(headers or {})}
        if record is not None:
            body, said["Content-Type"] = json.dumps(record).encode(), "application/json"
        try:
            answer = self._line.ask(method, API + path, headers=said, body=body)
        except NoAnswerError as error:
            raise ServerGoneError(f"The server does not answer: {error}.") from error
        if answer.status >= 300:
            raise _error(method, path, answer)
        return answer


def upload_metadata(announcement: Announcement) -> str:
    """Write the pairs of an Upload-Metadata header; what is empty is left out.

    Source: tus.io/protocols/resumable-upload 1.0.0, "Creation".
    """
    pairs = {
        name: getattr(announcement, name)
        for name in ("kind", "make", "serial", "camera", "stream", "filename", "sha256")
    }
    if announcement.particulars:
        pairs["particulars"] = json.dumps(announcement.particulars, sort_keys=True)
    return ",".join(
        f"{name} {b64encode(value.encode('utf-8', 'surrogateescape')).decode()}"
        for name, value in pairs.items()
        if value
    )


def _error(method: str, path: str, answer: Answer) -> ServerError:
    code, text = _said(answer)
    sentence = text or f"The server answered {answer.status}."
    if answer.status in (401, 403):
        return NotLetInError(sentence, status=answer.status, code=code)
    if answer.status in BUSY:
        return ServerBusyError(
            sentence, status=answer.status, wait_s=_seconds(answer.headers.get("retry-after", ""))
        )
    if path.startswith("/offloads/"):
        if answer.status == 409 and method == "PATCH":
            return OffsetDiffersError(sentence, status=409, code=code)
        if answer.status in LOST:
            return OffloadLostError(sentence, status=answer.status, code=code)
    return ServerError(sentence, status=answer.status, code=code)


def _said(answer: Answer) -> tuple[str, str]:
    try:
        record = answer.record()
    except NoAnswerError:
        return "", answer.body[:300].decode("utf-8", "replace").strip()
    return _text(record, "error"), _text(record, "text")


def _seconds(text: str) -> float:
    return float(text) if text.isdecimal() and len(text) < 6 else 0.0


def _reading(answer: Answer, read: Callable[[dict[str, Any]], Read]) -> Read:
    try:
        return read(answer.record())
    except (NoAnswerError, FormatError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ServerGoneError(f"The server's answer cannot be read: {error}") from error


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    return "" if value is None else str(value)


def _hello(record: dict[str, Any]) -> Hello:
    return Hello(
        dock=_text(record, "dock"),
        at=parse_at(record["at"]),
        department_key=parse_vkey(record["department_key"]),
        log_keys=tuple(parse_vkey(key) for key in record["log_keys"]),
        seal_to=bytes.fromhex(record["seal_to"]),
        piece_bytes=int(record["piece_bytes"]),
    )


def _offloaded(record: dict[str, Any]) -> Offloaded:
    return Offloaded(
        name=str(record["name"]),
        state=str(record["state"]),
        recording=_text(record, "recording"),
        reason=_text(record, "reason"),
        text=_text(record, "text"),
        receipt=receipt_bytes(record.get("receipt")),
    )


def receipt_bytes(value: object) -> bytes | None:
    """Return a receipt's bytes from the JSON it was put into: it has one spelling only, so none is lost."""
    return None if value is None else canonical_json(value)


def _cameras(record: dict[str, Any]) -> tuple[CameraOnWall, ...]:
    return tuple(
        CameraOnWall(
            make=_text(each, "make"),
            serial=_text(each, "serial"),
            assigned=_text(each, "assigned"),
            docked_at=_text(each, "docked_at"),
            is_overdue=each.get("is_overdue") is True,
        )
        for each in record["cameras"]
    )


def _offset(answer: Answer) -> int:
    text = answer.headers.get("upload-offset", "")
    if not text.isdecimal():
        raise ServerGoneError(f"The server did not say how much has come: {text!r}.")
    return int(text)

"""HTTP as the dock speaks it: one connection that is kept, short answers, and nothing followed anywhere else."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ANSWER_LIMIT_BYTES = 8 << 20
READ_BYTES = 1 << 20


class NoAnswerError(Exception):
    """No answer came, or only half of one; the text says why."""


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers with lower-case names, and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def record(self) -> dict[str, Any]:
        """Return the JSON object in the body.

        Raises:
            NoAnswerError: there is none.
        """
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise NoAnswerError(f"expected JSON, got {self.body[:80]!r}") from error
        if not isinstance(value, dict):
            raise NoAnswerError(f"expected a JSON object, got {self.body[:80]!r}")
        return value


class Line:
    """A connection to one server, opened when it is needed, and opened anew after it broke; for one thread."""

    def __init__(self, url: str, *, context: ssl.SSLContext | None = None, timeout_s: float = 60.0) -> None:
        where = urlsplit(url)
        if where.scheme not in ("http", "https") or where.hostname is None:
            raise ValueError(f"expected an address such as https://plainview.example, got {url!r}")
        self._where, self._context, self._timeout_s = where, context, timeout_s
        self._base = where.path.rstrip("/")
        self._connection: http.client.HTTPConnection | None = None

    def ask(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """Return the answer to a request.

        Raises:
            NoAnswerError: nothing came back, or only half of it.
        """
        response = self._respond(method, path, headers or {}, body)
        try:
            data = response.read(ANSWER_LIMIT_BYTES + 1)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise NoAnswerError(_reason(error)) from error
        if len(data) > ANSWER_LIMIT_BYTES:
            self.close()
            raise NoAnswerError(f"expected an answer of at most {ANSWER_LIMIT_BYTES} bytes")
        return _answer(response, data)

    def stream(
        self, path: str, *, headers: Mapping[str, str] | None = None
    ) -> tuple[Answer, Iterator[bytes]]:
        """Return an answer without its body, and the body piece by piece.

        Raises:
            NoAnswerError: nothing came back; while reading, that the rest did not.
        """
        response = self._respond("GET", path, headers or {}, None)
        return _answer(response, b""), self._pieces(response)

    def _pieces(self, response: http.client.HTTPResponse) -> Iterator[bytes]:
        left = int(response.headers.get("Content-Length", "-1"))
        try:
            while piece := response.read(READ_BYTES):
                left -= len(piece)
                yield piece
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswerError(_reason(error)) from error
        finally:
            # Whoever stops in the middle leaves the rest of the answer on the connection.
            self.close()
        if left > 0:
            raise NoAnswerError(f"{left} bytes of the answer did not come")

    def _respond(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> http.client.HTTPResponse:
        is_kept = self._connection is not None
        try:
            return self._send(method, path, headers, body)
        except NoAnswerError:
            # A connection that was kept may have been closed long ago; nothing of this request was taken then.
            if not is_kept:
                raise
        return self._send(method, path, headers, body)

    def _send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> http.client.HTTPResponse:
        connection = self._connection = self._connection or self._open()
        said = {"Content-Length": str(len(body or b""))} if method not in ("GET", "HEAD") else {}
        try:
            try:
                connection.request(method, self._base + path, body=body, headers={**said, **headers})
            except (BrokenPipeError, ConnectionResetError):
                # Whoever refuses a body may answer without reading it, and then close.
                if body is None:
                    raise
            return connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise NoAnswerError(_reason(error)) from error

    def _open(self) -> http.client.HTTPConnection:
        host, port = str(self._where.hostname), self._where.port
        if self._where.scheme == "https":
            context = self._context or ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=self._timeout_s, context=context)
        return http.client.HTTPConnection(host, port, timeout=self._timeout_s)

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _answer(response: http.client.HTTPResponse, body: bytes) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, body)


def _reason(error: BaseException) -> str:
    if isinstance(error, (TimeoutError, socket.timeout)):
        return "no answer in time"
    return str(error) or type(error).__name__

"""Take pieces of files that are handed in over the network, whoever hands them in: people, docks, other systems.

The bytes go straight into the vault, encrypted (vault.incoming); what is acknowledged is on the disk, and survives
whatever happens to this process. No connection to the database is held while bytes flow, and few send at once.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol

from django.db import connection

from plainview.service import tus
from plainview.service.peers import notice_lost_peers
from plainview.service.turns import NoTurnError, Turns
from plainview.service.tus import RequestError
from plainview.vault.errors import KeyMissingError, KeyStoreFullError, StoreFullError
from plainview.vault.incoming import open_incoming
from plainview.vault.incoming_errors import (
    IncomingBusyError,
    IncomingDamagedError,
    IncomingDiffersError,
    IncomingMissingError,
    IncomingOffsetError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plainview.pipeline.installation import Installation
    from plainview.service.turns import Turn

# A piece with a checksum waits in memory until it is known to be right: what is sealed once stays as it is.
CHECKED_PIECE_BYTES = 16 << 20
# What a page is built with, the log, the database: they need room when the originals have none.
SPARE_BYTES = 1 << 30
READ_BYTES = 1 << 20
CHUNK_BYTES = 1 << 20
BUSY_S = 1
# A refused piece of this size is read to its end: some clients look for an answer only then.
DRAINED_BYTES = 16 << 20

# Measured with pages beside (docs/benchmarks.md): more fast ones take the processor from the pages; each takes a thread.
TURNS = Turns(fast=max(2, os.cpu_count() or 1), slow=12, waiting=8, wait_s=5.0)
# Once: the socket that listens hands it on.
notice_lost_senders = cache(notice_lost_peers)

# What the vault may answer, as the statuses that tus clients know.
STATUSES: dict[type[Exception], int] = {
    IncomingMissingError: 410,
    IncomingDamagedError: 410,
    KeyMissingError: 410,
    IncomingOffsetError: 409,
    IncomingBusyError: 423,
    # Not 409 or 460, which clients take for "try again".
    IncomingDiffersError: 422,
    StoreFullError: 507,
    KeyStoreFullError: 507,
}
REFUSED: tuple[type[Exception], ...] = (RequestError, NoTurnError, *STATUSES)


class Sent(Protocol):
    """A request with a body, as Django has it."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Its headers, whatever their case."""
        ...

    def read(self, length: int, /) -> bytes:
        """Return as much of the body as has come, at most so much; nothing at its end."""
        ...


@dataclass(frozen=True)
class Taken:
    """What is kept of a file after a piece of it.

    Attributes:
        offset: how many bytes are durable.
        is_whole: whether that is all of it.
    """

    offset: int
    is_whole: bool


@dataclass(frozen=True)
class Refusal:
    """How a request is refused.

    Attributes:
        status: of the answer.
        text: a sentence for whoever sends.
        headers: of the answer, besides those that every answer has.
    """

    status: int
    text: str
    headers: Mapping[str, str]


def take_piece(
    installation: Installation, request: Sent, *, name: str, size_bytes: int, offset: int
) -> Taken:
    """Keep what a request's body holds, as far as it fills chunks.

    Args:
        installation: where it goes.
        request: with the body, its length and perhaps its checksum.
        name: of what is arriving, as vault.incoming made it.
        size_bytes: how much was announced.
        offset: where the piece begins.

    Raises:
        One of REFUSED: nothing of the piece was kept, or only its first whole chunks.
        StoreError, KeyStoreError: the disk failed.
    """
    length, checksum = tus.parse_length(request.headers), tus.parse_checksum(request.headers)
    if length > size_bytes - offset:
        raise RequestError(413, f"{size_bytes} bytes were announced; this piece ends beyond them.")
    if checksum is not None and length > CHECKED_PIECE_BYTES:
        raise RequestError(
            413, f"A piece with a checksum may have {CHECKED_PIECE_BYTES} bytes, got {length}."
        )
    check_room(installation, length)
    notice_lost_senders()
    # It may take minutes, and others need the connection.
    connection.close()
    with TURNS.turn() as turn:
        body = Body(request, turn)
        read = body.read if checksum is None else io.BytesIO(body.read_checked(length, checksum)).read
        with open_incoming(installation.store, installation.keys, name) as arriving:
            done = arriving.append(read, offset_bytes=offset)
            is_whole = arriving.is_whole
    if not is_whole and done == offset and length and not body.is_cut:
        raise RequestError(400, f"What is kept are whole MiB: send at least {CHUNK_BYTES} bytes at a time.")
    return Taken(done, is_whole)


def refusal_of(error: Exception) -> Refusal:
    """Return how to answer one of REFUSED."""
    if isinstance(error, RequestError):
        return Refusal(error.status, str(error), error.headers)
    if isinstance(error, NoTurnError):
        return Refusal(503, "Many are sending. Try again in a moment.", {"Retry-After": str(BUSY_S)})
    status = next(status for kind, status in STATUSES.items() if isinstance(error, kind))
    return Refusal(status, str(error), {})


def drain(request: Sent, status: int) -> None:
    """Read what is left of a refused body, where it is not too much and nobody is told to hurry away."""
    length = request.headers.get("Content-Length", "")
    if status != 503 and int(length if length.isdecimal() else 0) <= DRAINED_BYTES:
        with contextlib.suppress(OSError):
            while request.read(READ_BYTES):
                pass


def check_room(installation: Installation, wanted_bytes: int) -> None:
    """Raise unless the disk of the originals has room for so much, and some to spare.

    Raises:
        RequestError: 507.
    """
    free_bytes = shutil.disk_usage(installation.store.root).free
    if free_bytes < wanted_bytes + SPARE_BYTES:
        raise RequestError(507, "The server has no room for it. Tell whoever keeps the server.")


class Body:
    """A request's body, read as it comes; one that breaks off ends there.

    Attributes:
        is_cut: whether it broke off.
    """

    def __init__(self, request: Sent, turn: Turn) -> None:
        self._request, self._turn = request, turn
        self._missing = tus.parse_length(request.headers)
        self.is_cut = False

    def read(self, length: int) -> bytes:
        """Return some of what has come, at most so much; nothing at its end."""
        data = b""
        with contextlib.suppress(OSError):
            data = self._request.read(min(length, self._missing))
        self._missing -= len(data)
        self._turn.note(len(data))
        self.is_cut = not data and self._missing > 0
        return data

    def read_checked(self, length: int, checksum: tus.Checksum) -> bytes:
        """Return all of it, if it is what its checksum says.

        Raises:
            RequestError: 460.
        """
        data = b"".join(iter(lambda: self.read(READ_BYTES), b""))
        if len(data) != length or not checksum.fits(data):
            raise RequestError(
                tus.CHECKSUM_MISMATCH, "The piece is not what its checksum says; nothing of it was kept."
            )
        return data

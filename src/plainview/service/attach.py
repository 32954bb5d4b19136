"""How commands join a server that runs on the same data directory, and how the next server waits for them.

    DATA/service/serving.json   who serves and where its database is (0600); there only while commands may join
    DATA/service/attached       each command that joined holds a shared lock on it

Whoever takes the data directory for itself also needs the second lock for a moment: a command that outlives its server
may still be writing an object, which must neither be swept away nor adopted under its hands.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from plainview.service.cluster import external_database, keep_passwords, own_cluster
from plainview.service.errors import ServingDatabaseError
from plainview.service.files import write_private_file
from plainview.service.linux import process_start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plainview.service.cluster import Cluster


@dataclass(frozen=True)
class Serving:
    """A running server, as it tells of itself; no password is in it.

    Attributes:
        pid: of the process that holds everything together.
        started: when that process started, in kernel ticks, so that its number is not another's.
        started_at: the same for people, RFC 3339.
        address: what to open in a browser: "http://127.0.0.1:8080".
        socket_dir: the folder of its own database's socket; None where the database is a department's.
        port: the number in that socket's name.
    """

    pid: int
    started: int | None
    started_at: str
    address: str
    socket_dir: str | None
    port: int | None


def announce(data: Path, serving: Serving) -> None:
    """Let commands join from now on."""
    write_private_file(_facts_path(data), json.dumps(asdict(serving), indent=1).encode())


def withdraw(data: Path) -> None:
    """Let no command join from now on; those that did see it and end."""
    _facts_path(data).unlink(missing_ok=True)


def find_serving(data: Path) -> Serving | None:
    """Return the server that runs on a data directory, or None: what a server that was killed left says nothing."""
    try:
        kept = json.loads(_facts_path(data).read_bytes())
        serving = Serving(
            pid=int(kept["pid"]),
            started=kept["started"],
            started_at=str(kept["started_at"]),
            address=str(kept["address"]),
            socket_dir=kept["socket_dir"],
            port=kept["port"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    is_alive = serving.started is not None and process_start(serving.pid) == serving.started
    return serving if is_alive else None


@contextmanager
def joined(data: Path) -> Iterator[Serving | None]:
    """Join the server that runs on a data directory, if there is one, for as long as the context is open.

    Yields:
        The server, or None where none runs or it is only just starting or stopping.
    """
    if find_serving(data) is None:
        yield None
        return
    fd = _open_lock(data)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        yield None
        return
    try:
        # Again: it may have gone before we had the lock, and then nobody would wait for us.
        yield find_serving(data)
    finally:
        os.close(fd)


def is_anyone_joined(data: Path) -> bool:
    """Say whether a command that joined a server is still running; only for whoever holds the data directory."""
    try:
        fd = _open_lock(data)
    except FileNotFoundError:  # no service folder yet
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(fd)


def cluster_of(data: Path, serving: Serving, *, url: str | None, owner_url: str | None) -> Cluster:
    """Describe the database of a running server.

    Args:
        data: the data directory.
        serving: the server.
        url: DATABASE_URL of the command that joins.
        owner_url: DATABASE_OWNER_URL of that command.

    Raises:
        ServingDatabaseError: the command was told of another database than the server's.
        PasswordsError: the passwords cannot be read.
    """
    if (serving.socket_dir is None) != (url is not None):
        raise ServingDatabaseError(data, pid=serving.pid, is_external=serving.socket_dir is None)
    if url is not None:
        return external_database(url, owner_url)
    assert serving.socket_dir is not None
    assert serving.port is not None
    passwords = keep_passwords(data / "service" / "passwords.json", create=False)
    return own_cluster(socket_dir=Path(serving.socket_dir), port=serving.port, passwords=passwords)


def _facts_path(data: Path) -> Path:
    return data / "service" / "serving.json"


def _open_lock(data: Path) -> int:
    path = data / "service" / "attached"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)

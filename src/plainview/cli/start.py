"""Open the data directory for one command: lock, database, tables, vault; all prepared on first use."""

from __future__ import annotations

import getpass
import os
import re
import secrets
import socket
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
from django.conf import settings

from plainview.cli.database import connected, is_behind, migrate, running_database
from plainview.cli.join import ending_with
from plainview.cli.logs import get_log, write_logs_to
from plainview.cli.refusals import SettingError
from plainview.custody.record import Actor
from plainview.pipeline import installation as premises
from plainview.pipeline.errors import NotPreparedError
from plainview.service.attach import Serving, cluster_of, joined
from plainview.service.errors import DataLockedError
from plainview.service.lock import POLL_S, DataLock, hold_data_lock
from plainview.vault.keys import open_key_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plainview.pipeline.installation import Installation
    from plainview.service.cluster import Cluster

SERVER_IS_OLDER = (
    "The server on {data} (process {pid}) is of another version than this command. Nothing was changed. Stop it, start "
    "it anew with plainview serve, and try again."
)


def wait_s() -> float:
    """Return how long to wait for another command on the same data directory; a test or a script may not want to."""
    text = settings.PLAINVIEW_WAIT_S
    if not text.isdecimal():
        raise SettingError("PLAINVIEW_WAIT_S", text, expected="whole seconds, such as 60")
    return float(text)


LOG_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,198}[A-Za-z0-9])?")
LOST_DATABASE = (
    "{data} holds a custody log, and the database knows of none: it was lost or belongs elsewhere. "
    "Nothing was changed. Put the database back, or restore a backup: plainview restore --help"
)


@dataclass(frozen=True)
class Opened:
    """What a command works with.

    Attributes:
        installation: vault, keys and log.
        cluster: the database.
        actor: who runs the command, as the custody log knows them.
        lock: on the data directory; None where the command has joined a server, which holds it.
    """

    installation: Installation
    cluster: Cluster
    actor: Actor
    lock: DataLock | None

    @property
    def is_alone(self) -> bool:
        """Whether nothing else works on the data directory: then what an interruption left may be settled."""
        return self.lock is not None


def utc_now() -> datetime:
    """Return the time; commands pass it down."""
    return datetime.now(UTC)


def operator() -> Actor:
    """Return whoever is at the command line; their names go behind the log's commitments."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return Actor(pseudonym="system:cli", session={"user": user, "host": socket.gethostname()})


@contextmanager
def opened(
    data: Path,
    *,
    command: str,
    say: Callable[[str], None],
    recovery_file: Path | None = None,
    log_name: str | None = None,
    is_demo: bool = False,
    may_join: bool = True,
    log_file: str = "plainview.log",
) -> Iterator[Opened]:
    """Hold the data directory, run its database and open its vault, preparing all of it on first use.

    Where a server runs on the directory, join it instead: nothing is started, prepared or migrated.

    Args:
        data: the data directory.
        command: what runs, for whoever has to wait: "plainview ingest".
        say: told in a sentence what a person should know.
        recovery_file: where the recovery key goes on first use; by default inside the data directory.
        log_name: what the custody log is called on first use; by default the setting, or a random name.
        is_demo: whether a directory that is made now is one for demonstrations, for ever.
        may_join: whether a running server may be joined; else it is refused with who holds the directory.
        log_file: where in DATA/service the structured log goes.

    Raises:
        ServiceError, VaultError, PipelineError, CustodyError: each says what to do.
    """
    zone = _known_zone(settings.PLAINVIEW_ZONE)
    log_name = _usable_log_name(log_name or settings.PLAINVIEW_LOG_NAME)
    with _held_or_joined(data, command=command, say=say, may_join=may_join) as held:
        if isinstance(held, Serving):
            with joined_database(data.resolve(), held, command=command, say=say) as cluster:
                installation = premises.open_installation(data.resolve(), zone=zone)
                yield Opened(installation, cluster, operator(), None)
            return
        with (
            logged(held.data, command, file=log_file),
            running_database(_not_lost(held.data), held, on_wait=say) as cluster,
        ):
            migrate(cluster)
            actor = operator()
            if not premises.has_log():
                _prepare(
                    held.data,
                    actor=actor,
                    recovery_file=recovery_file,
                    log_name=log_name,
                    is_demo=is_demo,
                    say=say,
                )
            yield Opened(premises.open_installation(held.data, zone=zone), cluster, actor, held)


@contextmanager
def _held_or_joined(
    data: Path, *, command: str, say: Callable[[str], None], may_join: bool = True
) -> Iterator[DataLock | Serving]:
    """Hold the data directory, or join the server that does; wait for any other holder."""
    limit_s = wait_s()
    if not may_join:
        with hold_data_lock(data, command=command, wait_s=limit_s, on_wait=say) as lock:
            yield lock
        return
    start_s, is_told = time.monotonic(), False
    while True:
        with ExitStack() as stack:
            serving = stack.enter_context(joined(data))
            if serving is not None:
                yield serving
                return
            try:
                lock = stack.enter_context(hold_data_lock(data, command=command))
            except DataLockedError as error:
                waited_s = time.monotonic() - start_s
                if waited_s >= limit_s:
                    raise DataLockedError(data, holder=error.holder, waited_s=waited_s) from None
                if not is_told:
                    say(f"waiting up to {limit_s:.0f} s for {error.holder}")
                    is_told = True
            else:
                yield lock
                return
        time.sleep(POLL_S)


@contextmanager
def joined_database(
    data: Path, serving: Serving, *, command: str, say: Callable[[str], None]
) -> Iterator[Cluster]:
    """Work with the database of a running server for as long as that runs.

    Raises:
        NotPreparedError: the server is of another version.
        ServiceError: its database is another than this command was told of.
    """
    url, owner_url = settings.PLAINVIEW_DATABASE_URL, settings.PLAINVIEW_DATABASE_OWNER_URL
    cluster = cluster_of(data, serving, url=url, owner_url=owner_url)
    with logged(data, command), connected(cluster), ending_with(data, serving, say=say):
        if is_behind():
            raise NotPreparedError(SERVER_IS_OLDER.format(data=data, pid=serving.pid))
        yield cluster


@contextmanager
def opened_to_check(data: Path, *, command: str, say: Callable[[str], None]) -> Iterator[Path]:
    """Hold the data directory and run its database; nothing is prepared, migrated or mended.

    Yields the directory, links resolved.

    Raises:
        NotPreparedError: there is nothing to check, or only half of it, or it is of an older Plainview.
        ServiceError: the lock or the database cannot be had.
    """
    if not (settings.PLAINVIEW_DATABASE_URL or any((data / name).exists() for name in ("pg", premises.LOG))):
        raise NotPreparedError(
            f"{data} holds no database, so there is nothing to check. Name another: --data DIR"
        )
    with _held_or_joined(data, command=command, say=say) as held:
        if isinstance(held, Serving):
            with joined_database(data.resolve(), held, command=command, say=say):
                yield data.resolve()
            return
        with logged(held.data, command), running_database(_not_lost(held.data), held, on_wait=say):
            _check_complete(held.data)
            yield held.data


def _check_complete(data: Path) -> None:
    if is_behind():
        raise NotPreparedError(
            f"The tables of {data} are of an older Plainview. Run plainview list once, which brings them up to "
            "date, and then check again."
        )
    if not premises.has_log():
        raise NotPreparedError(
            f"The database of {data} knows of no custody log, so there is nothing to check it against. Put "
            "the right one back, or restore a backup: plainview restore --help"
        )


@contextmanager
def logged(
    data: Path, command: str, *, file: str = "plainview.log", with_libraries: bool = False
) -> Iterator[None]:
    """Log that the command began, and how it ended; a process that stays has a file of its own."""
    write_logs_to(data / "service" / file, with_libraries=with_libraries)
    with structlog.contextvars.bound_contextvars(command=command, pid=os.getpid()):
        log = get_log()
        log.info("command began")
        try:
            yield
        except BaseException as error:
            log.error("command failed", error=type(error).__name__, exc_info=True)  # noqa: G201 - any end
            raise
        log.info("command ended")


def _usable_log_name(name: str | None) -> str | None:
    """Return the name if a log can go by it; it stays for ever, so it is refused before anything is made."""
    if name is not None and LOG_NAME.fullmatch(name) is None:
        raise SettingError("The log's name", name, expected="a host name, with a path if you like")
    return name


def _known_zone(zone: str) -> str:
    """Return the zone if there is one of this name; a mistyped one must not first be noticed with footage in hand."""
    try:
        return ZoneInfo(zone).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingError(
            "PLAINVIEW_ZONE", zone, expected="an IANA zone, such as America/Los_Angeles"
        ) from error


def _not_lost(data: Path) -> Path:
    """Return the data directory unless its own database is gone; a new one must not take its place in silence.

    Nor is a directory used that a restore left half done.
    """
    premises.check_not_restoring(data)
    if settings.PLAINVIEW_DATABASE_URL or (data / "pg").exists():
        return data
    if (premises.log_folder(data, 1) / "checkpoint").exists():
        raise NotPreparedError(LOST_DATABASE.format(data=data))
    return data


def _prepare(
    data: Path,
    *,
    actor: Actor,
    recovery_file: Path | None,
    log_name: str | None,
    is_demo: bool,
    say: Callable[[str], None],
) -> None:
    """Make keys and log. Interrupted anywhere, it is done again by the next command."""
    if (premises.log_folder(data, 1) / "checkpoint").exists():
        raise NotPreparedError(LOST_DATABASE.format(data=data))
    if not premises.is_prepared(data):
        if is_demo:
            premises.mark_demo(data)
        path = premises.prepare_vault(data, recovery_file=recovery_file or data / premises.RECOVERY_KEY)
        say(
            f"Recovery key: {path}. Move it off this machine; without it a lost machine means lost recordings."
        )
    name = log_name or f"plainview-{secrets.token_hex(4)}"
    premises.begin_log(
        data,
        open_key_store(data / premises.KEYS),
        epoch=1,
        name=name,
        act="log.started",
        facts={},
        detail=None,
        actor=actor,
        now=utc_now(),
    )

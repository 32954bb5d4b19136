"""One Plainview at a time on a data directory."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview.service.attach import find_serving, is_anyone_joined
from plainview.service.errors import DataDirectoryError, DataLockedError
from plainview.service.linux import process_start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

POLL_S = 0.05
LEFT_BEHIND = "a command that was working with a server that has gone"


@dataclass(frozen=True)
class DataLock:
    """The lock on a data directory, held as long as any process has its descriptor open.

    Attributes:
        data: the directory, absolute, links resolved.
        fd: the open lock file. Give it to every child that writes in the directory
            (pass_fds=(lock.fd,)): then the lock proves that all of them are gone. Never unlock it;
            an unlock would take it from the children as well.
    """

    data: Path
    fd: int


@contextmanager
def hold_data_lock(
    data: Path, *, command: str, wait_s: float = 0.0, on_wait: Callable[[str], None] | None = None
) -> Iterator[DataLock]:
    """Hold the data directory for this process and the children that inherit the lock.

    The directory is made, mode 0700, if it is not there. Commands that had joined a server that has gone are waited for;
    a server that runs is not: it does not end by itself.

    Args:
        data: the data directory.
        command: what is running, for the message of whoever has to wait: "plainview serve".
        wait_s: how long to wait for another holder; 0 refuses at once.
        on_wait: told once, in one sentence, who is being waited for.

    Raises:
        DataLockedError: still held by another after wait_s.
        DataDirectoryError: not a directory, not ours, or open to others and not empty.
    """
    data = _prepared(data)
    fd = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        _acquire(fd, data, wait_s=wait_s, on_wait=on_wait)
        _write_holder(fd, command)
        yield DataLock(data=data, fd=fd)
    finally:
        os.close(fd)


def _prepared(data: Path) -> Path:
    """Make the directory private, or say why it cannot be."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        data = data.resolve(strict=True)
        facts = data.stat()
    except OSError as error:
        raise DataDirectoryError(data, f"cannot be used as the data directory ({error.strerror})") from error
    if not stat.S_ISDIR(facts.st_mode):
        raise DataDirectoryError(data, "is not a directory")
    if facts.st_uid != os.geteuid():
        raise DataDirectoryError(
            data, f"belongs to user {facts.st_uid}, this is user {os.geteuid()}: run as its owner"
        )
    if stat.S_IMODE(facts.st_mode) & 0o077:
        # Only a folder that is empty or already ours: somebody's home must not be closed by a typing error.
        if os.listdir(data) and not (data / "lock").exists():  # noqa: PTH208 (names only, no Path objects)
            raise DataDirectoryError(
                data, "is open to other users and holds something else: give an empty or new directory"
            )
        data.chmod(0o700)
    return data


def _acquire(fd: int, data: Path, *, wait_s: float, on_wait: Callable[[str], None] | None) -> None:
    start_s = time.monotonic()
    told = False
    while (holder := _take(fd, data)) is not None:
        waited_s = time.monotonic() - start_s
        if waited_s >= wait_s or find_serving(data) is not None:
            raise DataLockedError(data, holder=holder, waited_s=waited_s)
        if not told and on_wait is not None:
            on_wait(f"waiting up to {wait_s:.0f} s for {holder}")
            told = True
        time.sleep(POLL_S)


def _take(fd: int, data: Path) -> str | None:
    """Take the lock and return None, or return who keeps us from it."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return describe_holder(fd)
    if not is_anyone_joined(data):
        return None
    # Nobody has inherited the lock yet, so letting it go takes it from nobody.
    fcntl.flock(fd, fcntl.LOCK_UN)
    return LEFT_BEHIND


def _write_holder(fd: int, command: str) -> None:
    holder = {"pid": os.getpid(), "started": process_start(os.getpid()), "command": command[:200]}
    os.ftruncate(fd, 0)
    os.pwrite(fd, json.dumps(holder).encode(), 0)


def describe_holder(fd: int) -> str:
    """Say who holds the lock, in words. The process named is never signalled: its number may be another's."""
    try:
        holder = json.loads(os.pread(fd, 4096, 0))
        pid, started, command = int(holder["pid"]), holder["started"], str(holder["command"])
    except (ValueError, KeyError, TypeError):
        return "another Plainview, which is just starting"
    if pid == os.getpid():
        return f"this same process ('{command}')"
    if started is not None and process_start(pid) != started:
        return f"what '{command}' (process {pid}, gone) left running and is now stopping"
    return f"'{command}' (process {pid})"

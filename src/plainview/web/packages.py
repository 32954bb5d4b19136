"""Packages made through a page: one zip file each, kept for an hour for whoever made it.

A package is plain text by its nature: it leaves. While it waits for its download it lies below the data directory,
readable by the server only, in a folder of the person who asked for it; nothing of it is in a backup.
"""

from __future__ import annotations

import re
import secrets
import shutil
import threading
import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from plainview.pipeline.export import Export, Order, export

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from plainview.custody.record import Actor
    from plainview.evidence.rules import KnownRecording
    from plainview.pipeline.installation import Installation

EXPORTS: Final = "exports"
KEPT_S: Final = 3600
# More takes longer than a page may; the command line has no such limit.
MOST_BYTES: Final = 4 << 30
# Each download holds a thread for as long as the network takes.
DOWNLOADS_AT_ONCE: Final = 4
READ_BYTES: Final = 1 << 20
_NAME: Final = re.compile(r"[0-9a-f]{32}\Z")

_making = threading.Lock()
_downloads = threading.BoundedSemaphore(DOWNLOADS_AT_ONCE)


class BusyError(Exception):
    """As many packages as may be are being made or fetched."""


def make_package(
    installation: Installation,
    *,
    recording: KnownRecording,
    recipient: str,
    purpose: str,
    owner: str,
    actor: Actor,
    now: datetime,
) -> str:
    """Make a package of one recording, with its act.

    Args:
        installation: where the original lies.
        recording: which.
        recipient: for whom.
        purpose: for what.
        owner: pseudonym of who may fetch it.
        actor: who asked.
        now: when.

    Returns:
        The name to fetch it by.

    Raises:
        BusyError: another is being made.
        PipelineError, VaultError, LogError: as pipeline.export.
        OSError: the disk is full.
    """
    if not _making.acquire(blocking=False):
        raise BusyError
    try:
        home = _home(installation, owner)
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = secrets.token_hex(16)
        folder = home / f"{name}.folder"
        try:
            order = Order([recording], recipient, purpose, folder)
            export(Export(order, installation, actor, now))
            _zip(folder, home / f"{name}.part", top=f"{recording.identifier}-package")
            (home / f"{name}.part").rename(home / f"{name}.zip")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return name
    finally:
        _making.release()


def find_package(installation: Installation, *, name: str, owner: str) -> Path | None:
    """Return the file of a package that this person made less than an hour ago, or None."""
    path = _home(installation, owner) / f"{name}.zip"
    return path if _NAME.match(name) and path.is_file() else None


def drop_old_packages(installation: Installation, *, now: datetime) -> None:
    """Remove what was made more than an hour ago, and what an interruption left."""
    for path in (installation.data / EXPORTS).glob("*/*"):
        try:
            is_old = now.timestamp() - path.stat().st_mtime > KEPT_S
        except FileNotFoundError:
            continue
        if is_old and path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif is_old:
            path.unlink(missing_ok=True)


@contextmanager
def downloading() -> Iterator[None]:
    """Hold one of the few places for downloads.

    Raises:
        BusyError: all are taken.
    """
    if not _downloads.acquire(blocking=False):
        raise BusyError
    try:
        yield
    finally:
        _downloads.release()


def pieces_of(path: Path) -> Iterator[bytes]:
    """Yield a package's bytes, holding a place for downloads until the last one is taken.

    Raises:
        BusyError: all places are taken; before the first piece.
    """
    with downloading(), path.open("rb") as file:
        yield b""
        while data := file.read(READ_BYTES):
            yield data


def _home(installation: Installation, owner: str) -> Path:
    return installation.data / EXPORTS / owner.removeprefix("user:")


def _zip(folder: Path, target: Path, *, top: str) -> None:
    # Stored as it is: footage does not shrink, and a checker reads a stored file fastest.
    with zipfile.ZipFile(target, "x", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, f"{top}/{path.relative_to(folder)}")

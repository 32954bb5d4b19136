"""Take in everything that is in one folder, and return: for scripts, for the demonstration, and `plainview dock once`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plainview.dock.card import Card, fitting_pattern
from plainview.dock.errors import CameraError
from plainview.dock.home import Digests
from plainview.dock.mounted import MountedCamera, is_camera
from plainview.dock.pace import Pace
from plainview.dock.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from plainview.dock.server import Server
    from plainview.dock.source import Source
    from plainview.dock.words import Bay
    from plainview.formats.folder_pattern import FolderPattern
    from plainview.formats.note import VerifierKey


def offload_folder(
    folder: Path,
    server: Server,
    *,
    log_keys: Sequence[VerifierKey],
    patterns: Sequence[FolderPattern] = (),
    zone: str = "",
    pace: Pace | None = None,
    digests: Digests | None = None,
    on_change: Callable[[Bay], None] = lambda _bay: None,
) -> Bay:
    """Hand in what a camera or card recorded, and erase what the server's receipts cover.

    Args:
        folder: a camera's storage, or a card of another maker's.
        server: a connection; HttpServer(address, token) for the real one.
        log_keys: keys of the custody log; receipts signed by others cover nothing.
        patterns: what cards of other makers look like; the first that fits counts.
        zone: IANA zone of the place, for patterns that ask for it.
        pace: how fast; as fast as it goes where not given.
        digests: of files that were read before.
        on_change: told of each step.

    Returns:
        The bay as it is at the end: `is_safe`, and of each file its state, digest, receipt, recording, or why not.

    Raises:
        CameraError: there is no camera in this folder, or it went away.
        NotLetInError: the server does not know this dock.
    """
    return offload(
        open_folder(folder, log_keys=log_keys, patterns=patterns, zone=zone),
        server,
        log_keys=log_keys,
        pace=pace,
        digests=digests,
        on_change=on_change,
    )


def offload(
    source: Source,
    server: Server,
    *,
    log_keys: Sequence[VerifierKey],
    pace: Pace | None = None,
    digests: Digests | None = None,
    on_change: Callable[[Bay], None] = lambda _bay: None,
) -> Bay:
    """Do the same for a camera or card that was found already."""
    session = Session(source, server, log_keys, pace or Pace(), digests or Digests(), on_change)
    try:
        bay = session.run()
        session.end()
        return bay
    finally:
        session.close()


def open_folder(
    folder: Path, *, log_keys: Sequence[VerifierKey], patterns: Sequence[FolderPattern] = (), zone: str = ""
) -> Source:
    """Return what is in a folder.

    Raises:
        CameraError: nothing that this dock knows.
    """
    if is_camera(folder):
        return MountedCamera(folder, log_keys=log_keys)
    pattern = fitting_pattern(folder, patterns)
    if pattern is None:
        raise CameraError(
            f"{folder} is no storage of a camera: it holds no camera.json, and fits none of {len(patterns)} patterns."
        )
    return Card(folder, pattern, zone=zone)

"""Remove a stream so that a loss of power in the middle leaves either all of it, or nothing once power is back."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from plainview.camera.disk import STORAGE_MODE
from plainview.camera.folders import ERASE_MARK, list_streams, receipts_path, stream_path, streams_path
from plainview.formats.capture import STREAM_ID

if TYPE_CHECKING:
    from plainview.camera.disk import CameraDisk


def remove_stream(disk: CameraDisk, storage: str, stream: str) -> None:
    """Remove a stream for good: first a mark that says so, last the folder. After a loss of power, call it again."""
    folder = stream_path(storage, stream)
    names = disk.list_folder(folder)
    if names and ERASE_MARK not in names:
        disk.close(disk.create(f"{folder}/{ERASE_MARK}", STORAGE_MODE))
        disk.sync_folder(folder)
    for name in names:
        if name != ERASE_MARK:
            disk.unlink(f"{folder}/{name}")
    disk.sync_folder(folder)
    with contextlib.suppress(FileNotFoundError):
        disk.unlink(f"{folder}/{ERASE_MARK}")
    disk.sync_folder(folder)
    disk.remove_folder(folder)
    disk.sync_folder(streams_path(storage))


def finish_erasing(disk: CameraDisk, storage: str) -> None:
    """Finish what a loss of power interrupted, at power-on, and forget receipts for what is not there any more.

    Raises:
        OSError: the disk cannot be read.
    """
    for stream in list_streams(disk, storage):
        names = disk.list_folder(stream_path(storage, stream))
        if not names or ERASE_MARK in names:
            # What cannot be removed stays marked, and hidden; it must not keep a camera from starting.
            with contextlib.suppress(OSError):
                remove_stream(disk, storage, stream)
    left = list_streams(disk, storage)
    for name in disk.list_folder(receipts_path(storage)):
        if STREAM_ID.match(name.removesuffix(".json")) and name.removesuffix(".json") not in left:
            with contextlib.suppress(OSError):
                disk.unlink(f"{receipts_path(storage)}/{name}")

"""Write small files so that a crash leaves the old one or the new one, never half of one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_private_file(path: Path, content: bytes) -> None:
    """Put content at path, mode 0600: temporary file, fsync, rename, fsync of the folder.

    Raises:
        OSError: the disk refuses; what was at path before is still there.
    """
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    publish_file(temporary, path)


def publish_file(temporary: Path, path: Path) -> None:
    """Rename a finished, synced file or folder to its name, for good.

    Raises:
        OSError: the disk refuses.
    """
    temporary.rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable.

    Raises:
        OSError: the disk refuses.
    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

"""Check footage and journal that somebody names on the command line."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from plainview.formats.errors import FormatError
from plainview.formats.fields import check_hash
from plainview.verify.capture import check_capture, read_journal_lines
from plainview.verify.errors import NotAPackageError, UnreadableError

if TYPE_CHECKING:
    from plainview.verify.capture import CaptureReport


def check_capture_files(
    footage_path: str | None, journal_path: str | None, camera_key: str | None
) -> CaptureReport:
    """Check footage, its journal, or both together.

    Args:
        footage_path: the footage; None for a journal alone, such as a shift's.
        journal_path: the file beside it, one line a leaf; None for what is inside alone.
        camera_key: the camera's public key, 64 hex digits; None where nobody gave it.

    Raises:
        UnreadableError: a file cannot be read.
        NotAPackageError: there is no line of a camera's journal.
        FormatError: the key is none.
    """
    public_key = None if camera_key is None else _read_camera_key(camera_key)
    try:
        with ExitStack() as opened:
            footage, journal = (
                None if path is None else opened.enter_context(Path(path).open("rb"))
                for path in (footage_path, journal_path)
            )
            lines = None if journal is None else read_journal_lines(journal)
            report = check_capture(footage, public_key=public_key, journal=lines)
    except OSError as error:
        raise UnreadableError("file", f"cannot be read: {error.strerror or error}") from error
    if not report.stream and not report.refused:
        raise NotAPackageError("footage", "no line of a camera's journal is inside it or beside it")
    return report


def _read_camera_key(text: str) -> bytes:
    try:
        return check_hash(text.strip().lower(), what="camera key", field="--camera-key")
    except FormatError as error:
        raise FormatError("camera key", f"expected 64 hexadecimal digits, got {text[:80]!a}") from error

"""The storage of one of our cameras, plugged in as mass storage: docs/formats/dock-api.md, "On the camera"."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from plainview.dock.errors import CameraError, NotCoveredError
from plainview.dock.folder import (
    digest_file,
    is_folder,
    list_folder,
    read_pieces,
    read_small,
    stat_file,
    sync_folder,
    write_lasting,
)
from plainview.dock.receipts import check_receipt
from plainview.dock.receipts_file import RECEIPTS_LIMIT_BYTES, format_receipts, parse_receipts
from plainview.dock.rules import DockFile
from plainview.dock.source import AboutCamera
from plainview.formats.camera_orders import ORDERS_LIMIT_BYTES
from plainview.formats.capture import CAMERA_NAME, STREAM_ID
from plainview.formats.errors import FormatError
from plainview.formats.fields import LINE, check_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from plainview.dock.rules import FileState
    from plainview.formats.note import VerifierKey

CAMERA_FILE = "camera.json"
ORDERS = "orders.note"
STREAMS, RECEIPTS, ABOUT = "streams", "receipts", "about.json"
FILES = {"footage": "footage.sealed", "journal": "journal.sealed"}
ABOUT_LIMIT_BYTES = 16_384


def is_camera(root: Path) -> bool:
    """Say whether a folder is the storage of a camera of ours."""
    try:
        return stat_file(root / CAMERA_FILE) is not None
    except CameraError:
        return False


class MountedCamera:
    """The storage folder of a camera of ours."""

    is_sealed = True

    def __init__(self, root: Path, *, log_keys: Sequence[VerifierKey]) -> None:
        self.key = str(root)
        self._root, self._log_keys = root, tuple(log_keys)

    def about(self) -> AboutCamera:
        """Say which camera it is; its clock and battery cannot be asked here."""
        record = _json(self._root / CAMERA_FILE)
        if record is None:
            raise CameraError(f"{self._root / CAMERA_FILE} is no description of a camera.")
        try:
            make, model, serial = (
                check_text(record.get(field), what="camera", field=field, pattern=LINE)
                for field in ("make", "model", "serial")
            )
            camera = check_text(record.get("camera"), what="camera", field="camera", pattern=CAMERA_NAME)
            return AboutCamera(camera, make, model, serial)
        except FormatError as error:
            raise CameraError(f"{self._root / CAMERA_FILE}: {error}") from error

    def is_there(self) -> bool:
        """Say whether it is still plugged in."""
        return is_camera(self._root)

    def request(self) -> str | None:
        """Return its request to be admitted."""
        data = read_small(self._root / "request.note", limit_bytes=ORDERS_LIMIT_BYTES)
        return None if data is None else data.decode("utf-8", "replace")

    def take_orders(self, orders: str) -> str:
        """Leave orders where the camera finds them when it is switched on; return why that failed, or nothing."""
        try:
            write_lasting(self._root / ORDERS, orders.encode("utf-8"))
        except OSError as error:
            return f"The camera's orders could not be left on it: {error.strerror}."
        return ""

    def set_docked(self, dock: str) -> bool:  # noqa: ARG002 - as every source
        """Return True: what is plugged in as mass storage does not record."""
        return True

    def set_taken(self) -> None:
        """Do nothing: it is pulled."""

    def close(self) -> None:
        """Do nothing: nothing stays open."""

    def files(self) -> list[DockFile]:
        """Return every sealed file of every stream."""
        return [
            file
            for folder in self._listed(STREAMS)
            if STREAM_ID.match(folder.name) and is_folder(folder)
            for file in self._stream_files(folder)
        ]

    def _listed(self, name: str) -> list[Path]:
        # A link would lead away from the card.
        return list_folder(self._root / name) if is_folder(self._root / name) else []

    def _stream_files(self, folder: Path) -> Iterator[DockFile]:
        about = _json(folder / ABOUT) or {}
        for kind, name in FILES.items():
            found = stat_file(folder / name)
            if found is not None:
                yield DockFile(
                    group=folder.name,
                    kind=kind,
                    path=f"{STREAMS}/{folder.name}/{name}",
                    size_bytes=found.st_size,
                    mtime_ns=found.st_mtime_ns,
                    counter=int(folder.name.partition("-")[0]),
                    is_critical=about.get("is_critical") is True,
                )

    def read(self, file: DockFile, offset: int) -> AbstractContextManager[Iterator[bytes]]:
        """Open a file at an offset."""
        return read_pieces(self._root, file, offset)

    def erase(self, files: Sequence[FileState]) -> str:
        """Write the receipts where the camera finds them, then remove what they cover.

        Each file is read once more before: what is erased is what the receipt speaks of.
        """
        stream = files[0].file.group
        for each in files:
            if digest_file(self._root, each.file) != each.sha256:
                return f"{each.file.path} is another than was handed in; it was kept."
        try:
            write_lasting(self._root / RECEIPTS / f"{stream}.json", format_receipts(files))
            self._remove(stream)
        except OSError as error:
            return f"{stream} could not be erased: {error.strerror}."
        return ""

    def _remove(self, stream: str) -> None:
        folder = self._root / STREAMS / stream
        for name in (FILES["footage"], FILES["journal"], ABOUT):
            (folder / name).unlink(missing_ok=True)
        sync_folder(folder)
        # Whatever else somebody put there stays.
        with suppress(OSError):
            folder.rmdir()
        sync_folder(folder.parent)

    def settle(self) -> None:
        """Finish what was being erased when the dock or the power went: the receipts are there, files still are."""
        for path in self._listed(RECEIPTS):
            folder = self._root / STREAMS / path.stem
            if path.suffix != ".json" or not STREAM_ID.match(path.stem) or not is_folder(folder):
                continue
            if is_folder(self._root / STREAMS) and self._is_covered(path, folder):
                try:
                    self._remove(path.stem)
                except OSError as error:
                    raise CameraError(f"{path.stem} could not be erased: {error.strerror}.") from error

    def _is_covered(self, path: Path, folder: Path) -> bool:
        """Say whether every file that is left has a receipt here that fits, whoever wrote it."""
        data = read_small(path, limit_bytes=RECEIPTS_LIMIT_BYTES)
        try:
            receipts = parse_receipts(data or b"")
            for file in self._stream_files(folder):
                check_receipt(
                    receipts[file.kind],
                    sha256=digest_file(self._root, file),
                    size_bytes=file.size_bytes,
                    is_sealed=True,
                    log_keys=self._log_keys,
                )
        except (FormatError, KeyError, NotCoveredError):
            return False
        return bool(receipts)


def _json(path: Path) -> dict[str, Any] | None:
    data = read_small(path, limit_bytes=ABOUT_LIMIT_BYTES)
    try:
        record = json.loads(data or b"")
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None

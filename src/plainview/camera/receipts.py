"""Erase a stream once both receipts are checked, by the camera itself and against its own bytes."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from plainview.camera.disk import told_as_storage
from plainview.camera.erase import remove_stream
from plainview.camera.folders import ERASE_MARK, FOOTAGE, JOURNAL, list_streams, stream_path
from plainview.camera.store_errors import NoSuchStreamError, ReceiptRefusedError, StreamOpenError
from plainview.formats.note import parse_vkey
from plainview.formats.policy import TrustPolicy
from plainview.verify.errors import VerificationError
from plainview.verify.receipt import verify_receipt

if TYPE_CHECKING:
    from plainview.camera.disk import CameraDisk
    from plainview.camera.identity import Camera
    from plainview.formats.receipt import Receipt

# The acts whose leaves say that the vault has a file, or has kept it as it came.
RECEIVED_ACTS = frozenset(
    {
        "recording.received",
        "recording.offered_again",
        "journal.received",
        "attachment.received",
        "file.quarantined",
    }
)
_READ_BYTES = 1 << 20


def erase_stream(camera: Camera, stream: str, *, footage: Receipt | None, journal: Receipt) -> None:
    """Erase a stream whose files the vault has, by receipts that are checked here against the files themselves.

    Args:
        camera: whose stream it is; its orders name the log keys that count.
        stream: its id.
        footage: for footage.sealed; None for a journal without footage.
        journal: for journal.sealed.

    Raises:
        NoSuchStreamError: no such stream.
        StreamOpenError: it is being written.
        ReceiptRefusedError: a receipt missing, for other bytes, of another act, or not of the department's log.
        StorageFaultError: the storage failed; the next power-on finishes.
    """
    check_stream_can_be_read(camera, stream)
    folder = stream_path(camera.storage, stream)
    with told_as_storage(f"erasing {stream}"):
        names = camera.disk.list_folder(folder)
        for name, receipt in ((FOOTAGE, footage), (JOURNAL, journal)):
            if name in names:
                _check_receipt(camera, f"{folder}/{name}", receipt)
        remove_stream(camera.disk, camera.storage, stream)


def check_stream_can_be_read(camera: Camera, stream: str) -> None:
    """Let pass only a stream that is on the storage and not being written.

    Raises:
        NoSuchStreamError: it is not there.
        StreamOpenError: it is being written.
    """
    if stream in camera.open_streams:
        raise StreamOpenError(f"{stream} is still being written; ask again when it is closed")
    with told_as_storage("looking for a stream"):
        if stream not in list_streams(camera.disk, camera.storage) or is_being_erased(camera, stream):
            raise NoSuchStreamError(
                f"there is no {stream[:40]!a} here; GET /v1/streams names those there are"
            )


def is_being_erased(camera: Camera, stream: str) -> bool:
    """Say whether an erasure has begun."""
    return ERASE_MARK in camera.disk.list_folder(stream_path(camera.storage, stream))


def _check_receipt(camera: Camera, path: str, receipt: Receipt | None) -> None:
    name = path.rpartition("/")[2]
    if receipt is None:
        raise ReceiptRefusedError(f"{name}: there is no receipt for it")
    leaf = receipt.leaf
    if leaf.act not in RECEIVED_ACTS or leaf.outcome != "ok":
        raise ReceiptRefusedError(
            f"{name}: the receipt is for {leaf.act} ({leaf.outcome}), which keeps no file"
        )
    own = _file_sha256(camera.disk, path)
    if leaf.facts.get("sent_sha256") != own:
        raise ReceiptRefusedError(
            f"{name}: the receipt is for a file of SHA-256 {leaf.facts.get('sent_sha256')}, here lies {own}"
        )
    logs = tuple(parse_vkey(key) for key in camera.expect_orders().log_keys)
    try:
        verify_receipt(receipt, TrustPolicy(logs=logs))
    except VerificationError as error:
        raise ReceiptRefusedError(f"{name}: {error}") from error


def _file_sha256(disk: CameraDisk, path: str) -> str:
    digest, buffer = sha256(), memoryview(bytearray(_READ_BYTES))
    fd, offset = disk.open(path), 0
    try:
        while got := disk.read_into(fd, offset, buffer):
            digest.update(buffer[:got])
            offset += got
    finally:
        disk.close(fd)
    return digest.hexdigest()

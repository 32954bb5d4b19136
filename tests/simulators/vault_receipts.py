"""Receipts as a vault gives them for what a camera sent: a small log of its own that signs."""

from hashlib import sha256

from plainview.camera.folders import stream_path
from plainview.formats.note import format_vkey
from simulators.package_builder import TinyLog
from simulators.power_cuts import STORAGE, read_whole

ACTS = {"footage.sealed": "recording.received", "journal.sealed": "attachment.received"}


class SmallVault:
    """A log that says it has a camera's files."""

    def __init__(self):
        self.log = TinyLog()
        self.log.append("log.started", self.log.origin, {})
        self.keys = (format_vkey(self.log.signer.key),)

    def receipt(self, data, *, act="recording.received", outcome="ok", **facts):
        """Return a receipt for these bytes as sent."""
        sent = {"sent_sha256": sha256(data).hexdigest(), "sent_bytes": len(data)} | facts
        return self.log.receipt(self.log.append(act, "R-26-00004217-I", sent, outcome=outcome))

    def receipts(self, disk, stream, *, storage=STORAGE):
        """Return the receipts for a stream's files, by name."""
        folder = stream_path(str(storage), stream)
        names = [name for name in disk.list_folder(folder) if name in ACTS]
        return {name: self.receipt(read_whole(disk, f"{folder}/{name}"), act=ACTS[name]) for name in names}

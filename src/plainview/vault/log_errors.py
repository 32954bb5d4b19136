"""What can go wrong with the custody log.

LogError
├── LogBusyError                 another process is appending
├── LogReadError                 a tile, bundle or checkpoint is missing or not what its writer wrote
├── LogWriteError                a file could not be made durable; nothing new was signed
├── EntriesDifferError           the caller's entries are not those the log holds at the same indices
├── CheckpointSignatureError     a checkpoint is not signed by the log's key
├── CheckpointStoreError         the store of last checkpoints cannot be used
│   └── CheckpointMovedError     somebody else replaced the last checkpoint first
└── ContradictionError           signing would contradict what was signed before
    ├── RollbackRefusedError     the data is older than the last signature, or was altered since
    ├── LostCheckpointStoreError the log was signed, the record of the last signature is gone
    ├── CheckpointAheadError     the published checkpoint is newer than the record of the last signature
    └── SplitViewError           two checkpoints that cannot both be true
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plainview.vault.errors import VaultError

if TYPE_CHECKING:
    from pathlib import Path

    from plainview.formats.checkpoint import Checkpoint

_WAY_OUT = (
    "Restore a newer backup, or, where none exists, start a new log that names the gap: "
    "plainview restore --new-epoch REASON."
)


class LogError(VaultError):
    """The custody log cannot do what was asked; nothing was signed."""


class LogBusyError(LogError):
    """Another process is appending to this log.

    Attributes:
        root: the log's folder.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(f"another process is appending to the log in {root}; try again when it is done")
        self.root = root


class LogReadError(LogError):
    """A file of the log is missing or is not what its writer wrote.

    Attributes:
        path: the file, relative to the log's folder.
        problem: what was expected and found.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(
            f"log file {path}: {problem}; run plainview fsck, and restore the file from a backup"
        )
        self.path = path
        self.problem = problem


class LogWriteError(LogError):
    """A file of the log could not be made durable.

    Attributes:
        path: the file or folder, relative to the log's folder.
        reason: what the system said.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"log file {path} could not be written: {reason}; "
            "no entry is lost: free space or repair the disk, and they are appended at the next start"
        )
        self.path = path
        self.reason = reason


class EntriesDifferError(LogError):
    """The caller's entries do not fit the end of the log.

    Attributes:
        index: the first index at which they differ, or at which one is missing.
    """

    def __init__(self, index: int, problem: str) -> None:
        super().__init__(
            f"entry {index}: {problem}; the database and the log have parted ways. "
            "Nothing was appended: compare them with plainview fsck, and restore the older of the two"
        )
        self.index = index


class CheckpointSignatureError(LogError):
    """A checkpoint is not signed by the log's key.

    Attributes:
        origin: the log.
        problem: what was expected and found.
    """

    def __init__(self, origin: str, problem: str) -> None:
        super().__init__(f"checkpoint of {origin}: {problem}")
        self.origin = origin
        self.problem = problem


class CheckpointStoreError(LogError):
    """The store of last checkpoints cannot be used.

    Attributes:
        path: the store.
        problem: what is wrong.
    """

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"checkpoint store {path}: {problem}; the log does not sign without it, and no backup may replace it"
        )
        self.path = path
        self.problem = problem


class CheckpointMovedError(CheckpointStoreError):
    """The last checkpoint is not the one the caller started from.

    Attributes:
        expected: what the caller started from, or None for a new log.
        found: what the store holds.
    """

    def __init__(self, path: Path, expected: Checkpoint | None, found: Checkpoint | None) -> None:
        super().__init__(
            path,
            f"expected the last checkpoint at {_told(expected)}, found {_told(found)}: another writer was first",
        )
        self.expected = expected
        self.found = found


class ContradictionError(LogError):
    """Signing now would, or could, contradict what this log signed before."""


class RollbackRefusedError(ContradictionError):
    """The data does not continue what was last signed.

    Attributes:
        known_size: entries in the last signed checkpoint.
        known_root: its root, 32 bytes.
        found_size: entries that the data holds.
        found_root: the root over them, 32 bytes, or None where they give none.
        where: "tiles" or "database".
    """

    def __init__(self, *, known: Checkpoint, found_size: int, found_root: bytes | None, where: str) -> None:
        found = f"with root {found_root.hex()}" if found_root else "without a root"
        super().__init__(
            f"{known.origin} last signed {known.size} entries with root {known.root.hex()}; "
            f"the {where} here hold {found_size} entries {found}. "
            f"They are older than that signature, or were altered since. {_WAY_OUT}"
        )
        self.known_size = known.size
        self.known_root = known.root
        self.found_size = found_size
        self.found_root = found_root
        self.where = where


class LostCheckpointStoreError(ContradictionError):
    """The log was signed before, and the record of its last signature is gone.

    Attributes:
        origin: the log.
        found_size: entries that are known to have been signed.
    """

    def __init__(self, *, origin: str, found_size: int) -> None:
        super().__init__(
            f"{origin} has signed {found_size} entries or more, but the checkpoint store does not hold "
            "its last checkpoint, so nobody can say how many. Put checkpoint-store.sqlite back from where it was "
            f"moved; a backup never holds it. {_WAY_OUT}"
        )
        self.origin = origin
        self.found_size = found_size


class CheckpointAheadError(ContradictionError):
    """The published checkpoint is newer than the record of the last signature.

    Attributes:
        known: what the checkpoint store holds.
        published: what the log's folder holds.
    """

    def __init__(self, *, known: Checkpoint, published: Checkpoint) -> None:
        super().__init__(
            f"{known.origin} has published {published.size} entries, but checkpoint-store.sqlite says "
            f"{known.size}: that file was replaced by an older copy. Put the newest one back. {_WAY_OUT}"
        )
        self.known = known
        self.published = published


class SplitViewError(ContradictionError):
    """Two checkpoints of one log that cannot both be true.

    Attributes:
        known: the one signed first.
        offered: the other.
    """

    def __init__(self, *, known: Checkpoint, offered: Checkpoint) -> None:
        super().__init__(
            f"{known.origin} has signed {_told(known)}, and {_told(offered)} contradicts that. "
            "Keep both: together they prove that the log was forked. Nothing was replaced"
        )
        self.known = known
        self.offered = offered


def _told(checkpoint: Checkpoint | None) -> str:
    return f"{checkpoint.size} entries with root {checkpoint.root.hex()}" if checkpoint else "no checkpoint"

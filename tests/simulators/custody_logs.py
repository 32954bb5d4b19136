"""Custody logs to test on: a fixed key, plausible leaves, and a log with its checkpoint store."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from plainview.formats.leaf import CustodyLeaf, format_leaf
from plainview.formats.note import ED25519, VerifierKey
from plainview.vault.checkpoint_store import CheckpointStore
from plainview.vault.log import TiledLog

ORIGIN = "records.example/custody/1"
START = datetime(2026, 3, 15, 6, 52, 7, 300_000, tzinfo=UTC)


def key_of(seed, origin=ORIGIN):
    private = Ed25519PrivateKey.from_private_bytes(sha256(seed).digest())
    public = private.public_key().public_bytes_raw()
    return private.sign, VerifierKey(name=origin, algorithm=ED25519, public_key=public)


SIGN, KEY = key_of(b"a custody log for tests")


@lru_cache(maxsize=2000)
def leaf(index, *, at=None, object_id=None):
    """Return one entry, as the custody app would write it."""
    return format_leaf(
        CustodyLeaf(
            seq=index,
            at=at or START + timedelta(seconds=index),
            act="recording.received",
            object=object_id or f"R-26-{index:08d}-K",
            actor="user:3f9c0d5b7a1e4c22",
            outcome="ok",
            why=None,
            facts={"sha256": sha256(index.to_bytes(8, "big")).hexdigest(), "size_bytes": 2_411_585 + index},
            session=None,
            detail=sha256(b"detail").hexdigest(),
        )
    )


def leaves(start, stop):
    return [leaf(index) for index in range(start, stop)]


@dataclass
class LogUnderTest:
    """A log in a folder, with its checkpoint store beside it."""

    folder: Path
    origin: str = ORIGIN
    sign: object = SIGN
    key: VerifierKey = KEY

    @property
    def root(self):
        return self.folder / "log"

    @property
    def checkpoints(self):
        return CheckpointStore(self.folder / "checkpoint-store.sqlite")

    @property
    def log(self):
        return TiledLog(self.root, origin=self.origin)

    def append(self, entries, *, start=None):
        return self.log.append(
            entries, sign=self.sign, key=self.key, checkpoints=self.checkpoints, start=start
        )

    def files(self):
        """Return every file of the log: path to bytes."""
        paths = (path for path in self.root.rglob("*") if path.is_file())
        return {path.relative_to(self.root).as_posix(): path.read_bytes() for path in paths}


def replace_file(path, data):
    """Write over a read-only file, as an attacker or a bad disk would."""
    path.chmod(0o600)
    path.write_bytes(data)


def flip(path, at=None, bit=1):
    """Flip one bit of a file, in its middle unless told otherwise."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2 if at is None else at] ^= bit
    replace_file(path, bytes(data))

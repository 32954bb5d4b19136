"""One installation: its vault, its keys, its log. Prepared once, opened by every command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from plainview.custody.errors import LogNotStartedError
from plainview.custody.record import Actor, record
from plainview.custody.sequence import (
    EpochFacts,
    LogSigner,
    all_epochs,
    publish_pending,
    running_epoch,
    start_epoch,
)
from plainview.formats.note import format_vkey, parse_vkey
from plainview.formats.recovery import format_recovery_key, parse_recovery_key
from plainview.pipeline.errors import NotPreparedError
from plainview.service.files import write_private_file
from plainview.vault.checkpoint_store import CheckpointStore
from plainview.vault.errors import KeyMissingError
from plainview.vault.keys import KeyStore, create_key_store, new_recovery_key, open_key_store
from plainview.vault.local import LocalStore, create_local_store
from plainview.vault.log import TiledLog
from plainview.vault.log_keys import log_key, log_signer, new_log_key

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from plainview.formats.leaf import Fact
    from plainview.formats.note import VerifierKey
    from plainview.formats.recovery import RecoveryKey

OBJECTS = "objects"
DERIVED = "derived"
KEYS = "keys"
LOG = "log"
TRUST = "trust"
CHECKPOINTS = "checkpoint-store.sqlite"
RECOVERY_KEY = "recovery-key.json"
# There where the directory was made for demonstrations: then anybody may enter as anybody.
DEMO = "demo"
# There while a restore is under way; see pipeline.restore.
RESTORING = "restoring.json"


@dataclass(frozen=True)
class Installation:
    """What every command works with.

    Attributes:
        data: the data directory.
        store: the originals, encrypted.
        keys: their keys, and the log's.
        signer: the running epoch's log, and what signs it.
        zone: IANA zone of the place, for recordings that do not say.
    """

    data: Path
    store: LocalStore
    keys: KeyStore
    signer: LogSigner
    zone: str

    def keys_of(self, epochs: set[int]) -> tuple[VerifierKey, ...]:
        """Return the public keys of these epochs' logs and of the running one, the running one's first."""
        running = self.signer.key.name
        wanted = [each for each in all_epochs() if each.epoch in epochs or each.origin == running]
        return tuple(parse_vkey(each.vkey) for each in reversed(wanted))

    def log_of(self, epoch: int) -> TiledLog:
        """Return the log of an epoch; the ones before the running one are only read."""
        for each in all_epochs():
            if each.epoch == epoch:
                return TiledLog(log_folder(self.data, epoch), origin=each.origin)
        raise LogNotStartedError


def is_prepared(data: Path) -> bool:
    """Say whether this data directory was prepared: it has keys."""
    return (data / KEYS).exists()


def mark_demo(data: Path) -> None:
    """Say of a data directory that is being made that it is for demonstrations; nothing turns a real one into one."""
    (data / DEMO).touch(mode=0o600)


def is_demo(data: Path) -> bool:
    """Say whether a data directory was made for demonstrations."""
    return (data / DEMO).exists()


def prepare_vault(data: Path, *, recovery_file: Path) -> Path:
    """Make the stores of objects and keys, and write the recovery key where a person can take it away.

    A recovery key that is there already, perhaps from a try that was interrupted, is used.

    Returns:
        Where the recovery key lies.

    Raises:
        FormatError: the file is there and is no recovery key.
        OSError: it cannot be written.
        VaultError: the key store cannot be made.
    """
    recovery = _keep_recovery_key(recovery_file)
    create_local_store(data / OBJECTS)
    create_key_store(data / KEYS, recovery_public=recovery.public)
    return recovery_file


def _keep_recovery_key(path: Path) -> RecoveryKey:
    if path.exists():
        return parse_recovery_key(path.read_bytes())
    recovery = new_recovery_key()
    path.parent.mkdir(parents=True, exist_ok=True)
    # Whole or not at all: an interruption must not leave half a key, which the next try would refuse to use.
    write_private_file(path, format_recovery_key(recovery))
    return recovery


def begin_log(
    data: Path,
    keys: KeyStore,
    *,
    epoch: int,
    name: str,
    act: str,
    facts: dict[str, Fact],
    detail: dict[str, str] | None,
    actor: Actor,
    now: datetime,
) -> LogSigner:
    """Start a log with a key of its own, and publish its first leaf.

    Args:
        data: the data directory.
        keys: where the private key is kept.
        epoch: 1, or one more than the log this one continues.
        name: what the origin begins with: a host name the department owns.
        act: log.started or log.epoch.
        facts: of that act.
        detail: of that act.
        actor: who starts it.
        now: when.
    """
    origin = f"{name}/custody/{epoch}"
    private, key = _own_log_key(keys, origin)
    # Before the row: from its first signature on, a lost record of the last one is a loss and not a beginning.
    log = TiledLog(log_folder(data, epoch), origin=origin)
    log.begin(sign=log_signer(private), key=key, checkpoints=CheckpointStore(data / CHECKPOINTS))
    with transaction.atomic():
        start_epoch(epoch=epoch, origin=origin, vkey=format_vkey(key), now=now)
        record(act, object="log", actor=actor, now=now, facts=facts, detail=detail)
    return _signer(data, keys, running_epoch())


def open_installation(data: Path, *, zone: str) -> Installation:
    """Open what was prepared.

    Raises:
        NotPreparedError: the key store is gone, or never was.
        LogNotStartedError: the database has no log.
        VaultError: keys or checkpoint store cannot be opened.
    """
    if not is_prepared(data):
        raise NotPreparedError(
            f"{data / KEYS} is not there, so no original can be read or received. If the key store was lost, restore it; "
            "without it, restore a backup elsewhere with the recovery key: plainview restore --help"
        )
    keys = open_key_store(data / KEYS)
    signer = open_signer(data, keys)
    pin_key(data, signer.key)
    return Installation(data=data, store=LocalStore(data / OBJECTS), keys=keys, signer=signer, zone=zone)


def open_derived(data: Path) -> LocalStore:
    """Open the store of what was derived from originals, made where it is not there: all of it can be made again."""
    return create_local_store(data / DERIVED)


def has_log() -> bool:
    """Say whether the database has a log."""
    try:
        running_epoch()
    except LogNotStartedError:
        return False
    return True


def publish(installation: Installation) -> None:
    """Publish a signed checkpoint over every act so far; what it covers may be called received."""
    publish_pending(installation.signer)


def log_folder(data: Path, epoch: int) -> Path:
    """Return where the files of an epoch's log lie."""
    return data / LOG / str(epoch)


def pinned_keys(data: Path) -> list[str]:
    """Return the verifier keys this data directory trusts, as text."""
    return [path.read_text("ascii").strip() for path in sorted((data / TRUST).glob("*.vkey"))]


def open_signer(data: Path, keys: KeyStore) -> LogSigner:
    """Return the running log with what signs it.

    Raises:
        LogNotStartedError: the database has no log.
        NotPreparedError: the key store's signing key is not the database's.
        KeyMissingError: there is no signing key.
    """
    return _signer(data, keys, running_epoch())


def check_not_restoring(data: Path) -> None:
    """Raise while a restore is under way.

    Raises:
        NotPreparedError: one was interrupted, so what is here is half of something.
    """
    if (data / RESTORING).exists():
        raise NotPreparedError(
            f"A restore into {data} was interrupted, so it holds half of an installation. Run the same restore again; "
            "it goes on where it stopped."
        )


def _signer(data: Path, keys: KeyStore, epoch: EpochFacts) -> LogSigner:
    private = keys.secret(f"log/{epoch.origin}")
    key = log_key(epoch.origin, private)
    if format_vkey(key) != epoch.vkey:
        raise NotPreparedError(
            f"The key store holds another signing key for {epoch.origin} than the database names: they do not belong "
            "together. Restore both from one place."
        )
    return LogSigner(
        log=TiledLog(log_folder(data, epoch.epoch), origin=epoch.origin),
        key=key,
        sign=log_signer(private),
        checkpoints=CheckpointStore(data / CHECKPOINTS),
    )


def _own_log_key(keys: KeyStore, origin: str) -> tuple[bytes, VerifierKey]:
    """Return the log's key, made now unless an interrupted start made it already."""
    try:
        private = keys.secret(f"log/{origin}")
    except KeyMissingError:
        private, key = new_log_key(origin)
        keys.put_secret(f"log/{origin}", private)
        return private, key
    return private, log_key(origin, private)


def pin_key(data: Path, key: VerifierKey) -> None:
    """Keep a public key that packages are checked with on this machine."""
    folder = data / TRUST
    path = folder / f"{key.key_id.hex()}.vkey"
    if path.exists():
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    # Synced before it has its name: a loss of power would leave an empty one, which nothing would ever replace.
    write_private_file(path, format_vkey(key).encode("ascii") + b"\n")

"""Errors of vault; those of the log are in log_errors.

VaultError
├── StoreError
│   ├── StoreMissingError
│   ├── ObjectNameError
│   ├── ObjectMissingError
│   ├── ObjectExistsError
│   ├── StoreFullError
│   └── StoreFaultError
├── AlteredObjectError
├── ReceiveError
│   ├── EmptyOriginalError
│   ├── SourceReadError
│   └── ReadBackError
├── WriteOrderError
├── ContentKeyError
├── KeyStoreError
│   ├── KeyStoreMissingError
│   ├── KeyStoreExistsError
│   ├── KeyStoreFullError
│   ├── KeyStoreFaultError
│   ├── KeyStoreCorruptError
│   ├── MasterKeyMissingError
│   ├── MasterKeyCorruptError
│   ├── WrongMasterKeyError
│   ├── KeyMissingError
│   ├── KeyDamagedError
│   └── KeyExistsError
└── EscrowError
    ├── WrongRecoveryKeyError
    └── DamagedEscrowError
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class VaultError(Exception):
    """Base of everything the vault raises on purpose."""


class StoreError(VaultError):
    """The object store refused or failed."""


class StoreMissingError(StoreError):
    """There is no object store in this folder."""

    def __init__(self, root: Path) -> None:
        super().__init__(
            f"no object store: expected a folder at {root}, found none. "
            "Check that its disk is mounted; nothing was created."
        )
        self.root = root


class ObjectNameError(StoreError, ValueError):
    """A name is not one an object can have."""

    def __init__(self, name: object) -> None:
        super().__init__(f"object name: expected 32 lower-case hexadecimal digits, got {name!r:.80}")
        self.name = name


class ObjectMissingError(StoreError):
    """The store has no object of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"object {name} is not in the store. Run `plainview fsck`, then restore it from a backup."
        )
        self.name = name


class ObjectExistsError(StoreError):
    """The store has an object of this name already, and objects are written once."""

    def __init__(self, name: str) -> None:
        super().__init__(f"object {name} exists already; an object is never written twice. Use a new name.")
        self.name = name


class StoreFullError(StoreError):
    """The disk, or the quota on it, is full.

    Attributes:
        doing: what was being done, such as "write".
        name: the object, or None where no single object was meant.
    """

    def __init__(self, doing: str, name: str | None, problem: str) -> None:
        super().__init__(
            f"the object store is full: {doing} {name or 'of the store'} failed ({problem}). "
            "Free space on its disk, then try again; nothing half-written was kept."
        )
        self.doing = doing
        self.name = name


class StoreFaultError(StoreError):
    """The disk, or the system over it, failed at something.

    Attributes:
        doing: what was being done, such as "read".
        name: the object, or None where no single object was meant.
        errno: the system's number for what went wrong.
    """

    def __init__(self, doing: str, name: str | None, problem: str, errno: int | None) -> None:
        super().__init__(
            f"the object store failed: {doing} {name or 'of the store'} ({problem}). "
            "Look at the system's log for faults of the disk before trying again."
        )
        self.doing = doing
        self.name = name
        self.errno = errno


class AlteredObjectError(VaultError):
    """An object's bytes are not those that were sealed, or the key is not its own.

    Attributes:
        object_id: which object, 32 hexadecimal digits, or None where its header cannot be read.
        chunk: the first chunk found altered, counted from 0, or None where the header or the size is wrong.
    """

    def __init__(self, object_id: str | None, chunk: int | None, problem: str) -> None:
        where = "header or size" if chunk is None else f"chunk {chunk}"
        super().__init__(
            f"object {object_id or 'with an unreadable header'} is altered in its {where}: {problem}. "
            "Restore it from a backup."
        )
        self.object_id = object_id
        self.chunk = chunk
        self.problem = problem


class ReceiveError(VaultError):
    """An original was not received; nothing of it is kept."""


class EmptyOriginalError(ReceiveError):
    """The original has no bytes."""

    def __init__(self) -> None:
        super().__init__("the original is empty: expected at least 1 byte, got 0. Copy it again.")


class SourceReadError(ReceiveError):
    """The original could not be read to its end.

    Attributes:
        size_bytes: how much of it had been read.
    """

    def __init__(self, size_bytes: int, problem: str) -> None:
        super().__init__(
            f"the original could not be read after {size_bytes} bytes: {problem}. "
            "Check the disk or card it is on and copy it again; nothing was kept."
        )
        self.size_bytes = size_bytes
        self.problem = problem


class ReadBackError(ReceiveError):
    """What the store gave back is not what was received.

    Attributes:
        object_id: the object that was written and is now deleted.
        chunk: the first chunk that differs, counted from 0, or None where the whole does.
    """

    def __init__(self, object_id: str, chunk: int | None, problem: str) -> None:
        super().__init__(
            f"object {object_id} read back differently from what was received: {problem}. "
            "It was deleted. Test this machine's memory and the store's disk before trying again."
        )
        self.object_id = object_id
        self.chunk = chunk


class WriteOrderError(VaultError):
    """The bytes of a derivative came in another order than one that can be encrypted as it comes.

    Attributes:
        expected: where the next byte belongs.
        got: where it was to go.
    """

    def __init__(self, *, expected: int, got: int) -> None:
        super().__init__(f"its bytes came out of order: expected some for {expected}, got some for {got}")
        self.expected = expected
        self.got = got


class KeyStoreError(VaultError):
    """The key store refused or failed.

    Attributes:
        folder: where it is.
    """

    def __init__(self, folder: Path, problem: str) -> None:
        super().__init__(f"key store {folder}: {problem}")
        self.folder = folder
        self.problem = problem


class KeyStoreMissingError(KeyStoreError):
    """There is no key store in this folder."""


class KeyStoreExistsError(KeyStoreError):
    """There is something in the folder where a key store was to be created."""


class KeyStoreFullError(KeyStoreError):
    """The disk under the key store is full."""


class KeyStoreFaultError(KeyStoreError):
    """The disk under the key store, or its database, failed at something."""


class KeyStoreCorruptError(KeyStoreError):
    """The key store's database is not what was written."""


class MasterKeyMissingError(KeyStoreError):
    """master.key is gone, and with it every key."""


class MasterKeyCorruptError(KeyStoreError):
    """master.key is not what was written."""


class WrongMasterKeyError(KeyStoreError):
    """master.key belongs to another key store, or to an older state of this one."""


class KeyMissingError(KeyStoreError):
    """The key store has no key or secret of this name.

    Attributes:
        name: the object id, or the secret's name.
    """

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(folder, f"there is no key for {name}; it was destroyed, or never made")
        self.name = name


class KeyDamagedError(KeyStoreError):
    """A key or secret is there and does not open under the master key.

    Attributes:
        name: the object id, or the secret's name.
    """

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(
            folder, f"the key for {name} does not open under master.key. Restore the keys from a key escrow."
        )
        self.name = name


class KeyExistsError(KeyStoreError):
    """There is another key or secret of this name already.

    Attributes:
        name: the object id, or the secret's name.
    """

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(folder, f"there is another key for {name} already; it was not replaced")
        self.name = name


class EscrowError(VaultError):
    """A key escrow could not be opened."""


class WrongRecoveryKeyError(EscrowError):
    """The escrow was sealed to another recovery key."""

    def __init__(self, expected: bytes, got: bytes) -> None:
        super().__init__(
            f"this key escrow opens with the recovery key {expected.hex()[:16]}..., "
            f"got {got.hex()[:16]}.... Find the recovery key file with that public half."
        )
        self.expected = expected
        self.got = got


class DamagedEscrowError(EscrowError):
    """The escrow, or the recovery key file, is altered."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"the key escrow does not open: {problem}. It or the recovery key file is damaged; "
            "use another copy."
        )
        self.problem = problem


class ContentKeyError(VaultError):
    """A file that a connected system encrypted cannot be decrypted."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"it cannot be decrypted: {problem}. It is kept as it came.")
        self.problem = problem

"""Check what the vault holds against what it should hold, and tidy up after a crash. Findings are data.

Without keys it is the scrub: sizes and the SHA-256 of every ciphertext, as stored when the object was read back. With
keys it also says whether each key is there and opens, and where in an altered object the damage is. Deep, it decrypts
everything and compares the digests of the originals.
"""

from __future__ import annotations

import enum
import hashlib
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview.formats.chunks import CHUNK_BYTES, chunk_count
from plainview.formats.object_header import (
    SEALED_CHUNK_BYTES,
    TAG_BYTES,
    chunk_offset,
    object_size_bytes,
)
from plainview.vault.crypt import ChunkCipher
from plainview.vault.errors import (
    AlteredObjectError,
    KeyDamagedError,
    KeyMissingError,
    ObjectMissingError,
    StoreFaultError,
)
from plainview.vault.intake_keys import is_kept_for_cameras
from plainview.vault.reread import ReceivedObject, reread

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from plainview.vault.keys import KeyStore
    from plainview.vault.store import Store

_WORKERS = 2
_IN_FLIGHT = 8
_READ_BYTES = 4 << 20


class FindingKind(enum.StrEnum):
    """What can be wrong with an object or its key."""

    MISSING = "missing"
    WRONG_SIZE = "wrong size"
    ALTERED = "altered"
    UNREADABLE = "unreadable"
    CONTENT_DIFFERS = "content differs"
    KEY_MISSING = "key missing"
    KEY_DAMAGED = "key damaged"
    UNLISTED = "unlisted"
    UNUSED_KEY = "unused key"


@dataclass(frozen=True)
class ExpectedObject:
    """What one object was when it was received; the facts of a ReceivedObject, with the chunks' root.

    Attributes:
        object_id: 32 hexadecimal digits.
        object_bytes: size of the ciphertext.
        object_sha256: of the ciphertext, 64 hexadecimal digits.
        size_bytes: of the original.
        sha256: of the original, 64 hexadecimal digits.
        chunk_root: of the tree over the original's chunks, 64 hexadecimal digits.
    """

    object_id: str
    object_bytes: int
    object_sha256: str
    size_bytes: int
    sha256: str
    chunk_root: str


@dataclass(frozen=True)
class ObjectFinding:
    """One thing that is wrong.

    Attributes:
        kind: what.
        object_id: with which object; for a stray key, the id it is for.
        expected: what should be, in words or as a digest.
        found: what is.
        chunks: which chunks of 1 MiB are altered, counted from 0, where that could be told.
    """

    kind: FindingKind
    object_id: str
    expected: str
    found: str
    chunks: tuple[int, ...] = ()


def check_objects(
    store: Store,
    keys: KeyStore | None,
    expected: Iterable[ExpectedObject],
    *,
    deep: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> Iterator[ObjectFinding]:
    """Yield everything that is wrong with the objects of a store: first the expected ones in order, then strays.

    Two objects are read at a time. Nothing is changed.

    Args:
        store: the objects.
        keys: the key store; None for the scrub that needs no keys.
        expected: every object there should be.
        deep: with keys, also decrypt and compare the originals' digests.
        on_progress: called with how many bytes of ciphertext were read so far, from either of two threads, one at a
            time.

    Raises:
        StoreError: the store as a whole cannot be read; one unreadable object is a finding.
        KeyStoreError: the key store as a whole cannot be read; one damaged key is a finding.
    """
    progress = _Progress(on_progress)
    known: set[str] = set()
    in_flight: deque[Future[list[ObjectFinding]]] = deque()
    with ThreadPoolExecutor(_WORKERS) as workers:
        for one in expected:
            known.add(one.object_id)
            in_flight.append(workers.submit(_check_one, store, keys, one, progress, deep=deep))
            if len(in_flight) >= _IN_FLIGHT:
                yield from in_flight.popleft().result()
        while in_flight:
            yield from in_flight.popleft().result()
    yield from _find_strays(store, keys, known)


def find_orphans(store: Store, known_ids: Collection[str]) -> Iterator[str]:
    """Yield the ids of objects that nobody lists: what became durable just before a crash.

    describe_object() says what one holds, so that it can be listed after all.
    """
    return (name for name in store.names() if name not in known_ids)


def describe_object(store: Store, keys: KeyStore, object_id: str) -> ReceivedObject:
    """Read a whole object again and return the facts that receive() would have returned.

    Raises:
        ObjectMissingError: the store does not have it.
        KeyMissingError: its key was destroyed, or never durable.
        KeyDamagedError: its key does not open.
        AlteredObjectError: it is not what was sealed.
        StoreFaultError: the disk failed.
    """
    return reread(store, object_id, keys.object_key(object_id))


def collect_unused_keys(store: Store, keys: KeyStore, known_ids: Collection[str]) -> list[str]:
    """Destroy the keys of objects that are neither listed nor in the store, and return their ids.

    What cameras seal to and take orders by is kept among these keys and is spared: see vault.intake_keys.

    Only under the data directory's lock: a key is durable shortly before its object is. The key of an object that is
    listed but missing stays, for the object may come back from a backup.
    """
    unused = _unused_keys(store, keys, known_ids)
    for object_id in unused:
        keys.destroy_object_key(object_id)
    return unused


class _Progress:
    """Counts the bytes that several threads read."""

    def __init__(self, on_progress: Callable[[int], None] | None) -> None:
        self._on_progress = on_progress
        self._lock = threading.Lock()
        self._total_bytes = 0

    def add(self, count_bytes: int) -> None:
        with self._lock:
            self._total_bytes += count_bytes
            if self._on_progress is not None:
                self._on_progress(self._total_bytes)


def _check_one(
    store: Store, keys: KeyStore | None, one: ExpectedObject, progress: _Progress, *, deep: bool
) -> list[ObjectFinding]:
    findings: list[ObjectFinding] = []
    key = None if keys is None else _find_key(keys, one, findings)
    try:
        object_bytes = store.size(one.object_id)
        if object_bytes != one.object_bytes:
            expected, found = f"{one.object_bytes} bytes", f"{object_bytes} bytes"
            findings.append(ObjectFinding(FindingKind.WRONG_SIZE, one.object_id, expected, found))
        elif key is not None and deep:
            findings += _check_deep(store, key, one, progress)
        else:
            findings += _check_ciphertext(store, key, one, progress)
    except ObjectMissingError:
        findings.append(ObjectFinding(FindingKind.MISSING, one.object_id, "an object", "none"))
    except StoreFaultError as error:
        findings.append(ObjectFinding(FindingKind.UNREADABLE, one.object_id, "an object", str(error)))
    return findings


def _find_key(keys: KeyStore, one: ExpectedObject, findings: list[ObjectFinding]) -> bytes | None:
    try:
        return keys.object_key(one.object_id)
    except KeyMissingError:
        findings.append(ObjectFinding(FindingKind.KEY_MISSING, one.object_id, "a key", "none"))
    except KeyDamagedError as error:
        findings.append(ObjectFinding(FindingKind.KEY_DAMAGED, one.object_id, "a key", str(error)))
    return None


def _check_ciphertext(
    store: Store, key: bytes | None, one: ExpectedObject, progress: _Progress
) -> list[ObjectFinding]:
    digest, buffer = hashlib.sha256(), memoryview(bytearray(min(_READ_BYTES, one.object_bytes)))
    offset = 0
    while got := store.read_range_into(one.object_id, offset, buffer):
        digest.update(buffer[:got])
        offset += got
        progress.add(got)
    if digest.hexdigest() == one.object_sha256:
        return []
    chunks = () if key is None else _altered_chunks(store, key, one)
    return [ObjectFinding(FindingKind.ALTERED, one.object_id, one.object_sha256, digest.hexdigest(), chunks)]


def _altered_chunks(store: Store, key: bytes, one: ExpectedObject) -> tuple[int, ...]:
    """Return the numbers of the chunks that do not open; none of them if only the header is altered."""
    cipher, last = ChunkCipher(one.object_id, key), max(1, chunk_count(one.size_bytes)) - 1
    out, altered = memoryview(bytearray(CHUNK_BYTES)), []
    if one.object_bytes != object_size_bytes(one.size_bytes):
        return ()
    for number in range(last + 1):
        sealed = store.read_range(one.object_id, chunk_offset(number), SEALED_CHUNK_BYTES)
        try:
            cipher.open_into(number, sealed.ljust(TAG_BYTES, b"\0"), out, is_last=number == last)
        except AlteredObjectError:
            altered.append(number)
    return tuple(altered)


def _check_deep(store: Store, key: bytes, one: ExpectedObject, progress: _Progress) -> list[ObjectFinding]:
    done = 0

    def count(read_bytes: int) -> None:
        nonlocal done
        progress.add(read_bytes - done)
        done = read_bytes

    try:
        found = reread(store, one.object_id, key, on_progress=count)
    except AlteredObjectError as error:
        # Altered on the disk, or whole and sealed under another key: the ciphertext's hash tells.
        altered = _check_ciphertext(store, key, one, _Progress(None))
        return altered or [_differs(one, "an object that opens with its key", error.problem)]
    pairs = (
        (one.object_sha256, found.object_sha256, FindingKind.ALTERED),
        (one.sha256, found.sha256, FindingKind.CONTENT_DIFFERS),
        (one.chunk_root, found.chunks.root().hex(), FindingKind.CONTENT_DIFFERS),
    )
    return [
        ObjectFinding(kind, one.object_id, expected, got) for expected, got, kind in pairs if expected != got
    ]


def _differs(one: ExpectedObject, expected: str, found: str) -> ObjectFinding:
    return ObjectFinding(FindingKind.CONTENT_DIFFERS, one.object_id, expected, found)


def _find_strays(store: Store, keys: KeyStore | None, known: Collection[str]) -> Iterator[ObjectFinding]:
    for name in find_orphans(store, known):
        yield ObjectFinding(FindingKind.UNLISTED, name, "nothing", f"an object of {store.size(name)} bytes")
    if keys is not None:
        for object_id in _unused_keys(store, keys, known):
            yield ObjectFinding(FindingKind.UNUSED_KEY, object_id, "no key", "a key without an object")


def _unused_keys(store: Store, keys: KeyStore, known_ids: Collection[str]) -> list[str]:
    stored = set(store.names())
    unlisted = [name for name in keys.object_ids() if name not in known_ids and name not in stored]
    return [name for name in unlisted if not _is_for_cameras(keys, name)]


def _is_for_cameras(keys: KeyStore, object_id: str) -> bool:
    try:
        return is_kept_for_cameras(keys, object_id)
    except KeyDamagedError:
        return False

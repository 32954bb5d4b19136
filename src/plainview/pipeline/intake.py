"""Take files in: each becomes received, duplicate, quarantined or refused, and nothing in between."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

from plainview.evidence import actions, queries
from plainview.evidence.destination_queries import arriving_object_ids
from plainview.evidence.errors import AlreadyReceivedError
from plainview.evidence.offload_queries import ended_offloads_among, open_offload_names
from plainview.evidence.rules import OriginalFacts
from plainview.evidence.upload_queries import open_upload_names
from plainview.media.facts import WARNINGS
from plainview.pipeline.errors import NotPreparedError
from plainview.pipeline.examine import Unusable, capture_times, examine
from plainview.pipeline.installation import publish
from plainview.service.errors import JailError
from plainview.vault.errors import (
    EmptyOriginalError,
    KeyStoreFullError,
    ReadBackError,
    SourceReadError,
    StoreFullError,
    VaultError,
)
from plainview.vault.fsck import collect_unused_keys, describe_object, find_orphans
from plainview.vault.incoming import sweep_incoming
from plainview.vault.receive import receive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from plainview.custody.record import Actor
    from plainview.evidence.actions import ProbeFacts
    from plainview.evidence.rules import DeviceKey, KnownOriginal, KnownRecording
    from plainview.media.facts import Probe
    from plainview.pipeline.installation import Installation
    from plainview.service.jail import DecoderJail
    from plainview.vault.receive import ReceivedObject

Status = Literal["received", "duplicate", "quarantined", "refused"]
COPY_BYTES = 1 << 20
NOT_A_FILE = "It is a pipe, a socket or a device: expected a file of footage."
# What the probe found that a person may still mend: the card is at hand, and the file can be copied again.
SAID_AT_ONCE = ("ends_early", "damaged_part")
# A checkpoint covers at most this many files; none waits for it longer than this, or for a file larger than that.
BATCH_FILES = 64
BATCH_S = 1.0
BATCH_BYTES = 64 << 20


class _KeptOutError(Exception):
    """The file is not taken in, for a reason that lies in what it is.

    Attributes:
        reason: a code.
    """

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class _ChangedError(Exception):
    """The file changed while it was read."""

    def __init__(self) -> None:
        super().__init__(
            "The file changed while it was read; something is still writing it. Nothing was kept. Try again when it is done."
        )


# What keeps one file out and lets the next be tried; anything else stops the run.
REFUSALS: dict[type[Exception], str] = {
    _ChangedError: "changed",
    EmptyOriginalError: "empty",
    SourceReadError: "unreadable",
    StoreFullError: "disk_full",
    KeyStoreFullError: "disk_full",
    ReadBackError: "read_back_differs",
    JailError: "not_examined",
}


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    Attributes:
        path: as it was offered.
        status: received, duplicate, quarantined (kept, unusable) or refused (nothing acknowledged).
        recording: the identifier, for received, and for a duplicate of a recording.
        sha256: of the bytes, 64 hex digits; None where they were not read to the end.
        reason: a code, for quarantined and refused.
        text: a sentence for people.
    """

    path: str
    status: Status
    recording: str | None
    sha256: str | None
    reason: str | None
    text: str


@dataclass(frozen=True)
class Intake:
    """Everything that taking files in needs.

    Attributes:
        installation: where they go.
        jail: where they are examined.
        actor: who offers them.
        now: the clock.
        monotonic: seconds that only go forward, for deciding when to publish.
        on_bytes: told how many bytes of the file at hand have been read.
        device: the camera the files come from, where that is known.
        receive: makes a recording, or a part of one, of an original that was examined; None makes a recording of each.
    """

    installation: Installation
    jail: DecoderJail
    actor: Actor
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    on_bytes: Callable[[int], None] | None = None
    device: DeviceKey | None = None
    receive: Callable[[Intake, Examined], KnownRecording] | None = None


@dataclass(frozen=True)
class Examined:
    """An original that the vault holds and that can be played.

    Attributes:
        original: its bytes.
        probe: what it is made of. probe_facts: the same, as the records keep it.
        offered_name: the file's name, as it came.
    """

    original: OriginalFacts
    probe: Probe
    probe_facts: ProbeFacts
    offered_name: str


def take_in(intake: Intake, paths: Iterable[Path]) -> Iterator[Outcome]:
    """Take files in, one after the other, and yield each outcome once a durable checkpoint covers it.

    Nothing is called received, duplicate or quarantined before that; a refused file waits for nothing.

    Raises:
        LogError: the log cannot be published; what was taken in since the last outcome is kept, and is a duplicate
            when it is offered again.
        DatabaseError: the database went away; the same.
    """
    waiting: list[Outcome] = []
    since = intake.monotonic()
    for path in paths:
        if waiting and _is_large(path):
            yield from _acknowledge(intake, waiting)
            waiting = []
        if not waiting:
            since = intake.monotonic()
        waiting.append(take_one(intake, path))
        if len(waiting) >= BATCH_FILES or intake.monotonic() - since >= BATCH_S:
            yield from _acknowledge(intake, waiting)
            waiting = []
    yield from _acknowledge(intake, waiting)


def _is_large(path: Path) -> bool:
    try:
        return path.stat().st_size > BATCH_BYTES
    except OSError:
        return False


def _acknowledge(intake: Intake, waiting: list[Outcome]) -> list[Outcome]:
    if any(outcome.status != "refused" for outcome in waiting):
        publish(intake.installation)
    return waiting


def take_one(intake: Intake, path: Path) -> Outcome:
    """Take one file in, up to the committed transaction; the log is not published yet."""
    shown = os.fsdecode(path)
    try:
        _check_not_own(path, intake.installation.data)
        file = _open_regular(path)
    except _KeptOutError as error:
        return _refused(shown, error.reason, str(error))
    except FileNotFoundError:
        return _refused(shown, "missing", "There is no such file.")
    except OSError as error:
        return _refused(shown, "unreadable", f"It cannot be opened: {error.strerror}.")
    with file:
        try:
            return _take_open_file(intake, shown, file)
        except tuple(REFUSALS) as error:
            return _refused(
                shown, next(code for kind, code in REFUSALS.items() if isinstance(error, kind)), str(error)
            )


def _take_open_file(intake: Intake, shown: str, file: BinaryIO) -> Outcome:
    before = os.fstat(file.fileno())
    # Only a file of a size that is there already can be there already; then reading it is cheaper than storing it.
    if queries.has_original_of_size(before.st_size):
        known = queries.original_by_sha256(_sha256_of(file))
        _check_unchanged(file, before)
        if known is not None:
            return _take_known(intake, shown, known)
        file.seek(0)
    store, keys = intake.installation.store, intake.installation.keys
    received = receive(
        file, store=store, keys=keys, on_progress=lambda done: _on_read(intake, done, before.st_size)
    )
    try:
        _check_unchanged(file, before, received.size_bytes)
        return _commit(intake, shown, facts_of(received))
    except (_ChangedError, JailError):
        discard(intake.installation, received.object_id)
        raise
    except AlreadyReceivedError:
        discard(intake.installation, received.object_id)
        known = queries.original_by_sha256(received.sha256)
        if known is None:
            raise
        return _take_known(intake, shown, known)


def take_stored(intake: Intake, shown: str, facts: OriginalFacts) -> Outcome:
    """Make what it is of an object that lies in the vault and was read back; the log is not published yet.

    Done again after an interruption it comes to the same. Where the same bytes are there as another object, this one
    is left to the caller: no record will name it.

    Raises:
        JailError: it could not be examined; nothing was written.
    """
    known = queries.original_by_sha256(facts.sha256)
    if known is None:
        try:
            return _commit(intake, shown, facts)
        except AlreadyReceivedError:
            # By somebody else, a moment ago.
            known = queries.original_by_sha256(facts.sha256)
            if known is None:
                raise
    if known.facts.object_id != facts.object_id or known.state == "adopted":
        return _take_known(intake, shown, known)
    recording = queries.first_recording_of(known)
    if recording is None:
        return Outcome(
            shown, "quarantined", None, facts.sha256, known.reason, _kept_in_words(known.reason_text)
        )
    return Outcome(shown, "received", recording.identifier, facts.sha256, None, "")


def _on_read(intake: Intake, done: int, expected_bytes: int) -> None:
    # Something that writes as fast as we read would keep us here for ever.
    if done > expected_bytes:
        raise _ChangedError
    if intake.on_bytes is not None:
        intake.on_bytes(done)


def _take_known(intake: Intake, shown: str, known: KnownOriginal) -> Outcome:
    """Offer again what is there, or make a recording of bytes that an interruption left without one."""
    if known.state == "adopted":
        return _commit(intake, shown, known.facts)
    return _duplicate(intake, shown, known)


def _commit(intake: Intake, shown: str, facts: OriginalFacts) -> Outcome:
    """Examine a stored original and write what it is, in one transaction."""
    installation, name = intake.installation, Path(shown).name
    found = examine(facts.object_id, store=installation.store, keys=installation.keys, jail=intake.jail)
    if isinstance(found, Unusable):
        actions.quarantine_file(
            original=facts,
            reason=found.reason,
            reason_text=found.text,
            offered_name=name,
            actor=intake.actor,
            now=intake.now(),
        )
        return Outcome(shown, "quarantined", None, facts.sha256, found.reason, _kept_in_words(found.text))
    probe, probe_facts = found
    receive_it = intake.receive or _receive_recording
    recording = receive_it(intake, Examined(facts, probe, probe_facts, name))
    return Outcome(shown, "received", recording.identifier, facts.sha256, None, _in_words(probe))


def _receive_recording(intake: Intake, examined: Examined) -> KnownRecording:
    return actions.receive_recording(
        original=examined.original,
        probe=examined.probe_facts,
        times=capture_times(examined.probe, zone=intake.installation.zone),
        offered_name=examined.offered_name,
        source="import",
        device=intake.device,
        actor=intake.actor,
        now=intake.now(),
    )


def _duplicate(intake: Intake, shown: str, known: KnownOriginal) -> Outcome:
    recording = queries.first_recording_of(known)
    actions.offer_again(
        original=known,
        recording=recording,
        offered_name=Path(shown).name,
        actor=intake.actor,
        now=intake.now(),
    )
    if recording is None:
        text = f"These bytes are kept already, in quarantine. {known.reason_text}"
        return Outcome(shown, "duplicate", None, known.facts.sha256, None, text)
    text = f"These bytes are {recording.identifier} already; no new recording was made."
    return Outcome(shown, "duplicate", recording.identifier, known.facts.sha256, None, text)


def discard(installation: Installation, object_id: str) -> None:
    """Remove an object that no record names, and its key."""
    # The object first: a key without an object is dropped at the next start, an object without its key is a riddle.
    installation.store.delete(object_id)
    installation.keys.destroy_object_key(object_id)


def _refused(shown: str, reason: str, text: str) -> Outcome:
    return Outcome(shown, "refused", None, None, reason, text[:1].upper() + text[1:])


def _check_not_own(path: Path, data: Path) -> None:
    # Keys and ciphertext are no footage, and a key in the vault would be a key in every backup.
    # Path.resolve() would raise over a ring of links.
    if Path(os.path.realpath(path)).is_relative_to(data):
        raise _KeptOutError("own_data", "It lies in Plainview's own data directory, which is never taken in.")


def _open_regular(path: Path) -> BinaryIO:
    # Non-blocking: opening a pipe must not wait for somebody to write into it.
    # A link on a card could name any file of this machine.
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _KeptOutError("link", "It is a link. Name the file that it points to.") from error
        if error.errno == errno.ENXIO:  # a socket, or a device that is not there
            raise _KeptOutError("not_a_file", NOT_A_FILE) from error
        raise
    mode = os.fstat(fd).st_mode
    if stat.S_ISREG(mode):
        return open(fd, "rb", buffering=0)  # noqa: PTH123 - it is open already
    os.close(fd)
    if stat.S_ISDIR(mode):
        raise _KeptOutError("no_files", "The folder holds no files.")
    raise _KeptOutError("not_a_file", NOT_A_FILE)


def _check_unchanged(file: BinaryIO, before: os.stat_result, read_bytes: int | None = None) -> None:
    after = os.fstat(file.fileno())
    is_same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    if not is_same or (read_bytes is not None and read_bytes != after.st_size):
        raise _ChangedError


def _sha256_of(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    try:
        while data := file.read(COPY_BYTES):
            digest.update(data)
    except OSError as error:
        raise SourceReadError(file.tell(), str(error.strerror)) from error
    return digest.hexdigest()


def facts_of(received: ReceivedObject) -> OriginalFacts:
    """Return what the records keep of a received object."""
    return OriginalFacts(
        object_id=received.object_id,
        object_bytes=received.object_bytes,
        object_sha256=received.object_sha256,
        sha256=received.sha256,
        chunk_root=received.chunks.root().hex(),
        size_bytes=received.size_bytes,
    )


def _kept_in_words(reason_text: str) -> str:
    return f"Kept, not usable. {reason_text}"


def _in_words(probe: Probe) -> str:
    seconds, milliseconds = divmod(probe.duration_ms, 1000)
    kinds = ", ".join(f"{s.kind} {s.codec or 'unknown'}" for s in probe.streams)
    known = f"{seconds // 60} min {seconds % 60}.{milliseconds // 100} s; {kinds}"
    # A cut or damaged file is received, since what is left of it plays; whoever offers it must hear of it now.
    doubts = " ".join(
        WARNINGS[code] for code in dict.fromkeys(w.code for w in probe.warnings) if code in SAID_AT_ONCE
    )
    return f"{known}. {doubts}" if doubts else known


def files_below(path: Path, *, data: Path) -> Iterator[Path]:
    """Yield a file itself, or everything in a folder and below, by name.

    Nothing is passed over in silence: a link, a folder that cannot be read, the data directory, and a path with no file
    below it are yielded too, and take_one() says why each is kept out.

    Args:
        path: a file or a folder.
        data: the data directory.
    """
    # Path.is_dir() would raise where a folder above may not be searched.
    if not os.path.isdir(path) or _is_same(path, data):  # noqa: PTH112 - see above
        yield path
        return
    unreadable: list[Path] = []
    is_empty = True
    for folder, folders, names in os.walk(
        path, onerror=lambda error: unreadable.append(Path(error.filename))
    ):
        here = Path(folder)
        not_entered = {n for n in folders if (here / n).is_symlink() or _is_same(here / n, data)}
        folders[:] = sorted(set(folders) - not_entered)
        offered = sorted([*names, *not_entered])
        is_empty = is_empty and not offered
        yield from (here / name for name in offered)
    yield from unreadable
    if is_empty and not unreadable:
        yield path


def _is_same(path: Path, data: Path) -> bool:
    try:
        return path.samefile(data)
    except OSError:
        return False


def settle(intake: Intake) -> int:
    """Bring the vault to rest after an interruption: adopt objects that no record names, drop what nothing can need.

    Call it under the data directory's lock, before anything is taken in.

    Returns:
        How many objects were adopted.
    """
    store, keys = intake.installation.store, intake.installation.keys
    arriving = open_upload_names() | open_offload_names() | arriving_object_ids()
    store.sweep()
    sweep_incoming(store, keys, arriving)
    # Finish what an interruption left unpublished; and a log that may not be signed is to be known before it grows.
    publish(intake.installation)
    adopted = 0
    known = queries.known_object_ids()
    _check_store_is_ours(intake.installation, known)
    # What was handed in and is not examined yet is its own job's to take in.
    orphans = list(find_orphans(store, known | arriving))
    # What came sealed and became something else is nobody's any more.
    over = ended_offloads_among(orphans)
    for object_id in over:
        discard(intake.installation, object_id)
    for object_id in orphans:
        adopted += object_id not in over and _adopt(intake, object_id)
    collect_unused_keys(store, keys, known | arriving)
    return adopted


def _check_store_is_ours(installation: Installation, known: set[str]) -> None:
    """Raise where every object is gone: then the folder is only the place where their disk should be mounted."""
    if known and not any(name in known for name in installation.store.names()):
        raise NotPreparedError(
            f"{installation.data / 'objects'} holds none of the {len(known)} originals that belong there. "
            "Nothing was changed. Check that its disk is mounted."
        )


def _adopt(intake: Intake, object_id: str) -> int:
    store, keys = intake.installation.store, intake.installation.keys
    try:
        received = describe_object(store, keys, object_id)
    except VaultError:
        # fsck names it; a person decides.
        return 0
    if queries.original_by_sha256(received.sha256) is not None:
        discard(intake.installation, object_id)
        return 0
    actions.adopt_object(original=facts_of(received), actor=intake.actor, now=intake.now())
    return 1

"""Check a whole installation: files, keys, logs, rows, and that each says what the others say. Nothing is changed."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from plainview.custody.queries import continued_logs
from plainview.custody.sequence import all_epochs, sequencing_paused
from plainview.evidence import queries
from plainview.evidence.destination_queries import arriving_object_ids
from plainview.evidence.offload_queries import open_offload_names
from plainview.formats.checkpoint import Checkpoint
from plainview.formats.chunks import parse_chunk_times
from plainview.formats.errors import FormatError
from plainview.formats.note import format_vkey, parse_vkey
from plainview.formats.object_header import object_size_bytes
from plainview.pipeline import installation as premises
from plainview.pipeline.findings import Finding, Tally
from plainview.pipeline.records_check import Comparison, LogPart, check_effects, check_words
from plainview.vault.audit import audit_log
from plainview.vault.checkpoint_store import CheckpointStore
from plainview.vault.errors import (
    KeyMissingError,
    KeyStoreError,
    MasterKeyCorruptError,
    MasterKeyMissingError,
    StoreMissingError,
    WrongMasterKeyError,
)
from plainview.vault.fsck import ExpectedObject, FindingKind, ObjectFinding, check_objects
from plainview.vault.keys import open_key_store
from plainview.vault.local import LocalStore
from plainview.vault.log import TiledLog
from plainview.vault.log_errors import CheckpointSignatureError, CheckpointStoreError, LogReadError
from plainview.vault.log_keys import log_key, open_checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping
    from pathlib import Path

    from plainview.custody.sequence import EpochFacts
    from plainview.pipeline.records_check import Claims
    from plainview.vault.audit import AuditReport
    from plainview.vault.keys import KeyStore

KEY_STORE, MASTER_KEY = f"{premises.KEYS}/keys.sqlite", f"{premises.KEYS}/master.key"
_BUNDLE = re.compile(r"tile/entries/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/[0-9]+)?\Z", re.ASCII)
_OF_KEYS = (FindingKind.KEY_MISSING, FindingKind.KEY_DAMAGED, FindingKind.UNUSED_KEY)
# What an interruption leaves and the next ingest takes up or clears away.
_LEFT_OVER = (FindingKind.UNLISTED, FindingKind.UNUSED_KEY)


@dataclass(frozen=True)
class Fsck:
    """One check.

    Attributes:
        data: the data directory, its database running and connected, its lock held by us or by a server.
        is_deep: whether everything is decrypted and compared with what was received.
        with_keys: whether the key store is opened; without it, ciphertext alone is compared.
        monotonic: seconds that only go forward, for the rates.
        on_progress: told what is being checked, how much of it is done, and how much there is.
    """

    data: Path
    is_deep: bool
    with_keys: bool
    monotonic: Callable[[], float]
    on_progress: Callable[[str, int, int], None] = lambda _part, _done, _total: None


def check_installation(job: Fsck, tally: Tally) -> Iterator[Finding]:
    """Yield everything that is wrong, and what is worth knowing.

    Each damage is named once, where it is; what only follows from it is left out.

    Args:
        job: what to check, and how.
        tally: counts what was checked.

    Raises:
        DatabaseError: the database cannot be read.
        StoreError: the store as a whole cannot be read.
    """
    epochs = yield from _check_pins(job.data, all_epochs())
    keys, problems = _open_keys(job, epochs[-1]) if job.with_keys else (None, [])
    yield from problems
    try:
        # While a server runs: neither the log nor what it is compared with may grow meanwhile.
        with sequencing_paused():
            logs: list[LogPart] = []
            yield from _check_logs(job, epochs, logs, tally)
            with transaction.atomic():
                _see_one_moment()
                start_s = job.monotonic()
                comparison = Comparison(tally, lambda done, of: job.on_progress("Comparing acts", done, of))
                for log in logs:
                    yield from comparison.compare(log)
                yield from comparison.finish()
                claims = comparison.claims
                yield from check_words(claims.altered_acts)
                yield from check_effects(claims)
                tally.acts_s = job.monotonic() - start_s
        yield from _check_store(job, keys, claims, tally)
    finally:
        if keys is not None:
            keys.close()


def _see_one_moment() -> None:
    """Have every query of this transaction see what the first one sees."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


# --- keys


def _check_pins(data: Path, epochs: list[EpochFacts]) -> Generator[Finding, None, list[EpochFacts]]:
    """Return the epochs with the keys that count: the pinned ones, where there are any."""
    pinned = {}
    for path in sorted((data / premises.TRUST).glob("*.vkey")):
        try:
            key = parse_vkey(path.read_text("ascii").strip())
            pinned[key.name] = format_vkey(key)
        except (FormatError, UnicodeDecodeError) as error:
            yield Finding(f"{premises.TRUST}/{path.name}", f"damaged: {error}. Remove it; it is made again")
    for epoch in epochs:
        if epoch.vkey != pinned.get(epoch.origin, epoch.vkey):
            yield Finding(
                f"custody_epoch {epoch.epoch}",
                f"altered: it names {epoch.vkey}, pinned is {pinned[epoch.origin]}",
            )
    return [replace(epoch, vkey=pinned.get(epoch.origin, epoch.vkey)) for epoch in epochs]


def _open_keys(job: Fsck, epoch: EpochFacts) -> tuple[KeyStore | None, list[Finding]]:
    """Open the key store and look at its structure and at the key that signs."""
    try:
        keys = open_key_store(job.data / premises.KEYS)
    except (MasterKeyMissingError, MasterKeyCorruptError, WrongMasterKeyError) as error:
        return None, [Finding(MASTER_KEY, str(error))]
    except KeyStoreError as error:
        return None, [Finding(KEY_STORE, str(error))]
    try:
        keys.check()
        key = log_key(epoch.origin, keys.secret(f"log/{epoch.origin}"))
    except KeyMissingError:
        return keys, [Finding(KEY_STORE, f"the key that signs {epoch.origin} is missing")]
    except KeyStoreError as error:
        return keys, [Finding(KEY_STORE, str(error))]
    if format_vkey(key) != epoch.vkey:
        return keys, [
            Finding(
                KEY_STORE, f"it signs {epoch.origin} with {format_vkey(key)}, the database names {epoch.vkey}"
            )
        ]
    return keys, []


# --- logs


def _check_logs(job: Fsck, epochs: list[EpochFacts], logs: list[LogPart], tally: Tally) -> Iterator[Finding]:
    """Audit every log and add those that can be compared with the database to `logs`."""
    start_s = job.monotonic()
    continued = continued_logs()
    known = {str(epoch.epoch) for epoch in epochs}
    for folder in sorted((job.data / premises.LOG).glob("*")):
        if folder.name not in known:
            yield Finding(
                f"{premises.LOG}/{folder.name}", "the database knows of no such log", is_notice=True
            )
    for epoch in epochs:
        is_running = epoch is epochs[-1]
        signed = yield from _last_signed(job.data, epoch, is_running=is_running)
        after = continued.get(epoch.origin)
        if signed is None and after is not None:
            signed = _named_by_next(job.data, epoch, after)
        report = audit_log(
            premises.log_folder(job.data, epoch.epoch),
            keys=[parse_vkey(epoch.vkey)],
            known=signed,
            on_progress=lambda done, of: job.on_progress("Reading the log", done, of),
        )
        yield from _told(epoch, report)
        tally.leaves += report.entries
        logs.append(
            LogPart(
                epoch=epoch.epoch,
                root=premises.log_folder(job.data, epoch.epoch),
                size=report.checkpoint.size if report.checkpoint else 0,
                bad_bundles=_bad_bundles(report),
                is_running=is_running,
                named_gap=after is not None and "restored_size" in after,
            )
        )
    tally.leaves_s = job.monotonic() - start_s


def _last_signed(
    data: Path, epoch: EpochFacts, *, is_running: bool
) -> Generator[Finding, None, Checkpoint | None]:
    """Return the last checkpoint that the store holds for a log, having yielded what is wrong with it."""
    path = data / premises.CHECKPOINTS
    if not path.exists():
        if is_running:
            yield Finding(premises.CHECKPOINTS, "missing: nobody can say how far the log was signed")
        return None
    try:
        last = CheckpointStore(path).last(epoch.origin)
        if last is not None:
            return open_checkpoint(last[1], keys=[parse_vkey(epoch.vkey)], origin=epoch.origin)
    except CheckpointStoreError as error:
        if is_running:
            yield Finding(premises.CHECKPOINTS, error.problem)
    except CheckpointSignatureError as error:
        yield Finding(premises.CHECKPOINTS, f"altered: {error}")
    else:
        if is_running:
            yield Finding(
                premises.CHECKPOINTS, f"it holds no checkpoint of {epoch.origin}: it was lost or replaced"
            )
    return None


def _named_by_next(data: Path, epoch: EpochFacts, after: Mapping[str, Any]) -> Checkpoint | None:
    """Return how far a log had come, as the one after it says; None where this copy never was as far."""
    named = Checkpoint(epoch.origin, int(after["old_size"]), bytes.fromhex(str(after["old_root"])))
    try:
        published = TiledLog(premises.log_folder(data, epoch.epoch), origin=epoch.origin).published()
    except LogReadError:
        return named
    is_short = published is not None and published[0].size < named.size
    return None if is_short and "restored_size" in after else named


def _told(epoch: EpochFacts, report: AuditReport) -> Iterator[Finding]:
    below = f"{premises.LOG}/{epoch.epoch}"
    for each in report.findings:
        yield Finding(f"{below}/{each.path}", each.problem)
    for each in report.notices:
        yield Finding(f"{below}/{each.path}", each.problem, is_notice=True)


def _bad_bundles(report: AuditReport) -> frozenset[int]:
    found = (_BUNDLE.match(each.path) for each in report.findings)
    return frozenset(int(match[1].replace("x", "").replace("/", "")) for match in found if match)


# --- objects


def _check_store(job: Fsck, keys: KeyStore | None, claims: Claims, tally: Tally) -> Iterator[Finding]:
    """Check the objects against what the leaves say, and tell their findings in words of recordings."""
    expected = _expected(claims)
    total = sum(each.object_bytes for each in expected)
    recordings = {str(claim.facts.get("object")): name for name, claim in claims.recordings.items()}
    start_s, done_bytes = job.monotonic(), 0

    def on_progress(done: int) -> None:
        nonlocal done_bytes
        done_bytes = done
        job.on_progress("Reading objects", done, total)

    try:
        store = LocalStore(job.data / premises.OBJECTS)
    except StoreMissingError as error:
        yield Finding(premises.OBJECTS, str(error))
        return
    arriving = arriving_object_ids() | open_offload_names()
    for found in check_objects(store, keys, expected, deep=job.is_deep, on_progress=on_progress):
        if found.kind is FindingKind.UNLISTED and found.object_id in arriving:
            continue
        yield _in_words(found, recordings.get(found.object_id))
    tally.objects, tally.object_bytes, tally.objects_s = len(expected), done_bytes, job.monotonic() - start_s


def _expected(claims: Claims) -> list[ExpectedObject]:
    """Return every object there should be: what the leaves say, and what the rows add to that."""
    expected = {
        object_id: ExpectedObject(
            object_id=object_id,
            object_bytes=object_size_bytes(int(claim.facts["size_bytes"])),
            object_sha256=str(claim.facts["object_sha256"]),
            size_bytes=int(claim.facts["size_bytes"]),
            sha256=str(claim.facts["sha256"]),
            chunk_root=str(claim.facts["chunk_root"]),
        )
        for object_id, claim in claims.objects.items()
    }
    digests = {each.sha256 for each in expected.values()}
    for original in queries.all_originals():
        facts = original.facts
        if facts.object_id not in expected and facts.sha256 not in digests:
            expected[facts.object_id] = ExpectedObject(**vars(facts))
    return list(expected.values())


def _in_words(found: ObjectFinding, recording: str | None) -> Finding:
    is_left_over = found.kind in _LEFT_OVER
    problem = f"{found.kind}: expected {found.expected}, found {found.found}"
    if found.kind in _OF_KEYS:
        return Finding(KEY_STORE, f"object {found.object_id}: {problem}", recording, is_notice=is_left_over)
    if found.chunks:
        problem = f"altered in {_where(found.object_id, found.chunks)}"
    elif is_left_over:
        problem = "no record names it: left by an interruption; the next ingest takes it in"
    where = f"{premises.OBJECTS}/{found.object_id[:2]}/{found.object_id}"
    return Finding(where, problem, recording, is_notice=is_left_over)


def _where(object_id: str, chunks: tuple[int, ...]) -> str:
    """Say where the damage is: which MiB, and where that is known which seconds."""
    spans = _spans_of(object_id)
    shown = [_span(number, spans[number] if number < len(spans) else None) for number in chunks[:10]]
    more = f" and {len(chunks) - 10} more" if len(chunks) > 10 else ""
    return ", ".join(shown) + more


def _spans_of(object_id: str) -> tuple[tuple[int, int] | None, ...]:
    original = queries.original_by_object(object_id)
    table = None if original is None else queries.chunk_times_of(original)
    try:
        return () if table is None else parse_chunk_times(table).spans_ms
    except FormatError:
        return ()


def _span(number: int, span: tuple[int, int] | None) -> str:
    if span is None:
        return f"MiB {number}"
    return f"MiB {number} (second {span[0] / 1000:.1f} to {span[1] / 1000:.1f})"

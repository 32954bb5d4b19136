"""Compare the database with the custody logs: rows with leaves, leaves with their effects, words with commitments.

Where the two differ, the log is believed: it was signed, and a database can be edited by whoever runs it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from plainview.custody.queries import UnplacedAct, kept_words, placed_acts, unplaced_acts
from plainview.evidence import queries
from plainview.formats.errors import FormatError
from plainview.formats.leaf import commitment
from plainview.formats.merkle import leaf_hash
from plainview.formats.tiles import TILE_WIDTH
from plainview.pipeline.findings import Finding, Tally
from plainview.vault.log_errors import LogReadError
from plainview.vault.log_files import LogFolder
from plainview.vault.log_tree import TreeReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from plainview.custody.queries import KeptWords, PlacedAct, StoredAct
    from plainview.evidence.rules import KnownOriginal

RECEIVED, PROBED = "recording.received", "recording.probed"
RECEIVING = (RECEIVED, "file.quarantined", "object.adopted", "journal.received", "attachment.received")
# The keys of a leaf are sorted, so each begins with its act: most need not be read further.
_TELLING = tuple(f'{{"act":"{act}",'.encode() for act in (*RECEIVING, PROBED))
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
_DIGESTS = ("sha256", "chunk_root", "size_bytes", "object_sha256")


@dataclass(frozen=True)
class LogPart:
    """A log whose files were audited.

    Attributes:
        epoch: its number.
        root: its folder.
        size: how many entries were signed.
        bad_bundles: numbers of the bundles of entries that cannot be believed.
        is_running: whether it is the one that grows.
        named_gap: whether a later log says that the database lost the end of this one.
    """

    epoch: int
    root: Path
    size: int
    bad_bundles: AbstractSet[int]
    is_running: bool
    named_gap: bool


@dataclass(frozen=True)
class Claim:
    """What a leaf says was received."""

    where: str
    facts: dict[str, Any]


@dataclass
class Claims:
    """What all leaves say that must have an effect.

    Attributes:
        objects: by object id.
        recordings: by identifier; the object received as its first part.
        probes: by the row of the act; negative where the act has none.
        altered_acts: rows that were found to differ from their leaves.
    """

    objects: dict[str, Claim] = field(default_factory=dict)
    recordings: dict[str, Claim] = field(default_factory=dict)
    probes: dict[int, Claim] = field(default_factory=dict)
    altered_acts: set[int] = field(default_factory=set)

    def add(self, entry: bytes, where: str, act_id: int | None) -> None:
        """Note what a leaf says, if it says anything that must be found in the records."""
        if not entry.startswith(_TELLING):
            return
        leaf = json.loads(entry)
        if leaf["outcome"] != "ok":
            return
        claim = Claim(where, leaf["facts"])
        if leaf["act"] == PROBED:
            self.probes[-len(self.probes) - 1 if act_id is None else act_id] = claim
            return
        self.objects[str(claim.facts.get("object"))] = claim
        if leaf["act"] == RECEIVED:
            self.recordings[leaf["object"]] = claim


# --- rows and leaves


class Comparison:
    """Compares the rows of all epochs with the logs; one act without an index can then be one finding, not two."""

    def __init__(self, tally: Tally, on_progress: Callable[[int, int], None]) -> None:
        self.claims = Claims()
        self._tally = tally
        self._on_progress = on_progress
        self._unplaced: dict[tuple[str, str, str], UnplacedAct] = {}
        for each in unplaced_acts():
            self._unplaced[each.act.act, each.act.object, each.act.at] = each

    def compare(self, log: LogPart) -> Iterator[Finding]:
        """Yield where rows and leaves of a log differ; the caller holds a transaction."""
        entries = _Entries(log)
        expected = 0
        for placed in placed_acts(log.epoch):
            if placed.at_index >= log.size:
                break
            if placed.at_index > expected:
                yield from self._without_row(log, entries, expected, placed.at_index)
            yield from self._compare_one(log, placed, entries.at(placed.at_index))
            expected = placed.at_index + 1
            self._tally.acts += 1
            if not expected % 10_000:
                self._on_progress(expected, log.size)
        else:
            if expected < log.size:
                yield from self._without_row(log, entries, expected, log.size)
            return
        yield self._not_published(log)

    def _compare_one(self, log: LogPart, placed: PlacedAct, entry: bytes | None) -> Iterator[Finding]:
        act, index = placed.act, placed.at_index
        place = f"leaf {index} of log {log.epoch}"
        if entry is None:
            # The bundle is damaged, and was named; the row is the best there is.
            try:
                self.claims.add(act.entry(index), place, act.act_id)
            except FormatError:
                self.claims.altered_acts.add(act.act_id)
                yield Finding(f"custody_act, row {act.act_id}", "it makes no leaf: it was altered")
            return
        if differing := _differing(act, json.loads(entry)):
            self.claims.altered_acts.add(act.act_id)
            yield Finding(
                f"custody_act, row {act.act_id}",
                f"altered: it differs from {place} in {', '.join(differing)}",
            )
        if leaf_hash(entry) != placed.hash:
            yield Finding(f"custody_leaf, row {act.act_id}", f"altered: its hash is not that of {place}")
        self.claims.add(entry, place, act.act_id)

    def _without_row(self, log: LogPart, entries: _Entries, start: int, stop: int) -> Iterator[Finding]:
        """Say of leaves without a row what happened to them: the row is gone, its act too, or the database is old."""
        lost_from = start
        for index in range(start, stop):
            entry = entries.at(index)
            found = self._take_unplaced(entry) if entry is not None else None
            if found is None:
                if entry is not None and stop < log.size:
                    self.claims.add(entry, f"leaf {index} of log {log.epoch}", None)
                continue
            if lost_from < index:
                yield _lost(log, lost_from, index)
            lost_from = index + 1
            yield Finding(
                f"custody_leaf, row {found.act.act_id}",
                f"removed: it gave the act its place as leaf {index} of log {log.epoch}",
            )
            self.claims.add(entry or b"", f"leaf {index} of log {log.epoch}", found.act.act_id)
        if lost_from < stop:
            yield _lost(log, lost_from, stop)

    def _take_unplaced(self, entry: bytes) -> UnplacedAct | None:
        leaf = json.loads(entry)
        return self._unplaced.pop((leaf["act"], leaf["object"], leaf["at"]), None)

    def _not_published(self, log: LogPart) -> Finding:
        problem = f"rows of log {log.epoch} from {log.size} on are not in its files"
        if log.is_running:
            return Finding("custody_leaf", f"{problem}; the next command writes them", is_notice=True)
        return Finding("custody_leaf", f"{problem}, and it grows no more")

    def finish(self) -> Iterator[Finding]:
        """Yield what is to be said of acts that have no place in any log."""
        waiting = 0
        for each in self._unplaced.values():
            try:
                self.claims.add(each.act.entry(0), "an act that waits for its place", each.act.act_id)
            except FormatError:
                yield Finding(f"custody_act, row {each.act.act_id}", "it makes no leaf: it was altered")
            if not each.is_waiting:
                yield Finding(
                    f"custody_act, row {each.act.act_id}", "it is in no log, and no command will put it there"
                )
            waiting += each.is_waiting
        if waiting:
            yield Finding(
                "custody_act", f"{waiting} acts wait for the next command to publish them", is_notice=True
            )


def _lost(log: LogPart, start: int, stop: int) -> Finding:
    span = f"leaf {start}" if stop == start + 1 else f"leaves {start} to {stop - 1}"
    if stop < log.size:
        return Finding("custody_act", f"removed: {span} of log {log.epoch} have no row")
    if not log.is_running and log.named_gap:
        problem = f"{span} of log {log.epoch} have no row; the log after it names that gap"
        return Finding("custody_act", problem, is_notice=True)
    return Finding(
        "custody_act",
        f"the database ends at leaf {start} of log {log.epoch}, and {stop} were signed: it is older than its log, or "
        "rows were removed",
    )


class _Entries:
    """The leaves of a log, by index; None in a bundle that cannot be read or believed."""

    def __init__(self, log: LogPart) -> None:
        self._bad = log.bad_bundles
        self._tree = TreeReader(LogFolder(log.root).find, log.size)
        self._number = -1
        self._bundle: list[bytes] | None = None

    def at(self, index: int) -> bytes | None:
        number, place = divmod(index, TILE_WIDTH)
        if number != self._number:
            self._number = number
            try:
                self._bundle = None if number in self._bad else self._tree.bundle(number)
            except LogReadError:
                self._bundle = None
        return None if self._bundle is None else self._bundle[place]


def _differing(act: StoredAct, leaf: dict[str, Any]) -> list[str]:
    """Return in which fields a row differs from its leaf; parsing the leaf is faster than writing the row's."""
    if (
        leaf["facts"] == json.loads(act.facts)
        and leaf["at"] == act.at
        and leaf["object"] == act.object
        and leaf["act"] == act.act
        and leaf["actor"] == act.actor
        and leaf["outcome"] == act.outcome
        and leaf["why"] == act.why
        and leaf["session"] == act.session
        and leaf["detail"] == act.detail
    ):
        return []
    row = {**act._asdict(), "facts": json.loads(act.facts)}
    return [name for name in leaf if name not in {"v", "seq"} and leaf[name] != row[name]]


# --- words and commitments


def check_words(altered_acts: AbstractSet[int]) -> Iterator[Finding]:
    """Yield whose words are not those that were committed to; the caller holds a transaction.

    Args:
        altered_acts: rows whose commitments are known to be altered themselves.
    """
    for words in kept_words():
        if words.act_id not in altered_acts and (wrong := _wrong_words(words)):
            yield Finding(
                f"custody_words, row {words.act_id}",
                f"altered: {' and '.join(wrong)} are not the words that the act committed to",
            )


def _wrong_words(words: KeptWords) -> list[str]:
    pairs = (
        ("session", words.session_commitment, words.session_salt, words.session),
        ("detail", words.detail_commitment, words.detail_salt, words.detail),
    )
    return [
        name
        for name, promised, salt, said in pairs
        if said is not None and not _is_promised(promised, salt or b"", said)
    ]


def _is_promised(promised: str | None, salt: bytes, said: dict[str, Any]) -> bool:
    # What has the hash is right however it came about, so the checks of a writer can wait for what has not.
    if sha256(salt + _ENCODE(said).encode("utf-8", "surrogatepass")).hexdigest() == promised:
        return True
    try:
        return commitment(salt=salt, words=said) == promised
    except FormatError:
        return False


# --- leaves and effects


def check_effects(claims: Claims) -> Iterator[Finding]:
    """Yield leaves without their effect and effects without their leaf."""
    originals = {original.facts.object_id: original for original in queries.all_originals()}
    renamed: dict[str, str] = {}
    yield from _check_originals(claims, originals, renamed)
    yield from _check_recordings(claims, renamed)
    yield from _check_probes(claims)


def _check_originals(
    claims: Claims, originals: dict[str, KnownOriginal], renamed: dict[str, str]
) -> Iterator[Finding]:
    unclaimed = {
        original.facts.sha256: object_id
        for object_id, original in originals.items()
        if object_id not in claims.objects
    }
    for object_id, claim in claims.objects.items():
        if object_id in originals:
            yield from _compare_digests(object_id, claim, originals[object_id])
        elif other := unclaimed.pop(str(claim.facts.get("sha256")), None):
            renamed[other] = object_id
            yield Finding(f"evidence_original {other}", f"altered: {claim.where} names object {object_id}")
        else:
            yield Finding(f"evidence_original {object_id}", f"removed: {claim.where} says it was received")
    for object_id in unclaimed.values():
        yield Finding(f"evidence_original {object_id}", "added: no leaf says that it was received")


def _compare_digests(object_id: str, claim: Claim, original: KnownOriginal) -> Iterator[Finding]:
    for name in _DIGESTS:
        has, said = getattr(original.facts, name), claim.facts.get(name)
        if has != said:
            yield Finding(
                f"evidence_original {object_id}", f"altered: {name} is {has}, {claim.where} says {said}"
            )


def _check_recordings(claims: Claims, renamed: dict[str, str]) -> Iterator[Finding]:
    recorded: dict[str, list[str]] = {}
    for identifier, object_id in queries.recorded_objects():
        recorded.setdefault(identifier, []).append(renamed.get(object_id, object_id))
    for identifier, claim in claims.recordings.items():
        if identifier not in recorded:
            yield Finding(
                "evidence_recording", f"removed: {claim.where} says it was received", recording=identifier
            )
        elif claim.facts.get("object") not in recorded[identifier]:
            yield Finding(
                "evidence_part",
                f"altered: {claim.where} says that object {claim.facts.get('object')} was received as part of it",
                recording=identifier,
            )
    for identifier in recorded.keys() - claims.recordings.keys():
        yield Finding("evidence_recording", "added: no leaf says that it was received", recording=identifier)


def _check_probes(claims: Claims) -> Iterator[Finding]:
    unseen = dict(claims.probes)
    # The act that a row names may have been removed; that was said of the act.
    without_act = {
        claim.facts.get("chunk_times_sha256"): number for number, claim in unseen.items() if number < 0
    }
    for probe in queries.kept_probes():
        act_id = probe.act_id
        if act_id not in unseen:
            act_id = without_act.pop(probe.chunk_times_sha256, act_id)
        claim = unseen.pop(act_id, None)
        if claim is None:
            yield Finding(f"evidence_probe of act {probe.act_id}", "added: no leaf vouches for it")
        elif claim.facts.get("chunk_times_sha256") != probe.chunk_times_sha256:
            yield Finding(
                f"evidence_probe of act {probe.act_id}",
                f"altered: its table of seconds is not the one that {claim.where} names",
            )
    for claim in unseen.values():
        yield Finding("evidence_probe", f"removed: {claim.where} says that the original was examined")

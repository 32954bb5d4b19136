"""Check a capture journal's lines, each alone and all against each other, with as few signatures as will do.

A line holds a leaf, its path in the tree as it was just then, and that tree's signed root. A signature that is checked
vouches for everything below its root: where all leaves are there, the last line's proves the whole journal; where one
is missing, a few more are needed. Every other line must still agree, root and path, or is checked by itself.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Iterable, NamedTuple, Tuple

from plainview.formats.capture import (
    CAMERA_NAME,
    STREAM_ID,
    JournalLine,
    journal_key,
    parse_journal_line,
)
from plainview.formats.checkpoint import Checkpoint, parse_checkpoint
from plainview.formats.errors import FormatError
from plainview.formats.merkle import leaf_hash, node_hash
from plainview.formats.note import VerifierKey, parse_note
from plainview.verify.errors import VerificationError
from plainview.verify.inclusion import verify_inclusion
from plainview.verify.note import open_note

# A perfect subtree: its height, and which one of that height, counted from the left.
SubtreePlace = Tuple[int, int]


class PlacedLine(NamedTuple):
    """A line and where it was found, in words."""

    where: str
    data: bytes


@dataclass(frozen=True)
class RefusedLine:
    """A line that counts for nothing: where it was found, and why."""

    where: str
    reason: str


@dataclass(frozen=True)
class ProvenJournal:
    """What the lines of one journal amount to.

    Attributes:
        origin: the journal's name, or empty where no line could be read.
        lines: by their place in the journal, those whose leaves a signature covers.
        used: every line, byte for byte, that holds one of these leaves and agrees, with its place in the journal.
        roots: the journal's root, 32 bytes, at each size that is signed.
        refused: lines that count for nothing.
        forked_at: places where the camera signed more than one history.
        is_signer_known: whether the given key signed; without it everything only fits together.
        key_id: of the key that signed, 8 hex digits; empty where no line could be read.
    """

    origin: str
    lines: dict[int, JournalLine]
    used: dict[bytes, int]
    roots: dict[int, bytes]
    refused: tuple[RefusedLine, ...]
    forked_at: tuple[int, ...]
    is_signer_known: bool
    key_id: str


@dataclass(frozen=True)
class _Candidate:
    # A line that fits itself; whose signature it bears is not yet checked.
    where: str
    data: bytes
    line: JournalLine
    checkpoint: Checkpoint
    leaf: bytes
    key_ids: frozenset[bytes]


def prove_journal(
    placed: Iterable[PlacedLine], *, camera: str | None, stream: str | None, public_key: bytes | None
) -> ProvenJournal:
    """Find out which leaves a camera signed.

    Args:
        placed: lines, in any order; the same one may come twice.
        camera: whose they should be, cam.<host>/<serial>; None if whatever they say will do.
        stream: id of the journal they should be of; None for the one that most are of.
        public_key: the camera's, 32 bytes; None where nobody gave it.
    """
    refused: list[RefusedLine] = []
    candidates = _of_one_journal(list(_read_lines(placed, refused)), camera, stream, refused)
    if not candidates:
        return ProvenJournal("", {}, {}, {}, tuple(refused), (), public_key is not None, "")
    key = None if public_key is None else journal_key(candidates[0].checkpoint.origin, public_key)
    if key is None or not any(key.key_id in each.key_ids for each in candidates):
        key, key_id = None, Counter(min(each.key_ids) for each in candidates).most_common(1)[0][0]
    else:
        key_id = key.key_id
    candidates = _of_one_key(candidates, key_id, refused)
    tree = _SignedTree(candidates, key)
    for each in sorted(candidates, key=lambda each: -each.line.leaf.seq):
        reason = tree.judge(each)
        if reason:
            refused.append(RefusedLine(each.where, reason))
    return _summary(tree, key_id, refused)


def _summary(tree: _SignedTree, key_id: bytes, refused: list[RefusedLine]) -> ProvenJournal:
    proven = [each for each in tree.candidates if tree.nodes.get((0, each.line.leaf.seq)) == each.leaf]
    proven.sort(key=lambda each: each.line.leaf.seq)
    agreed = [each for each in proven if each.data in tree.agreed]
    return ProvenJournal(
        origin=tree.candidates[0].checkpoint.origin,
        lines={each.line.leaf.seq: each.line for each in proven},
        used={each.data: each.line.leaf.seq for each in agreed},
        roots={each.checkpoint.size: each.checkpoint.root for each in agreed},
        refused=tuple(refused),
        forked_at=tuple(sorted(tree.forked_at)),
        is_signer_known=tree.key is not None,
        key_id=key_id.hex(),
    )


def _read_lines(placed: Iterable[PlacedLine], refused: list[RefusedLine]) -> Iterable[_Candidate]:
    seen: set[bytes] = set()
    for where, data in placed:
        if data in seen:
            continue
        seen.add(data)
        try:
            yield _read_line(where, data)
        except (FormatError, VerificationError) as error:
            refused.append(RefusedLine(where, str(error)))


def _read_line(where: str, data: bytes) -> _Candidate:
    line = parse_journal_line(data)
    note = parse_note(line.proof.note)
    checkpoint, leaf = parse_checkpoint(note.text), leaf_hash(line.entry)
    camera, _, stream = checkpoint.origin.rpartition("/")
    if CAMERA_NAME.match(camera) is None or STREAM_ID.match(stream) is None:
        raise FormatError("journal line", f"{checkpoint.origin!a} is not the name of a camera's journal")
    verify_inclusion(
        leaf=leaf,
        index=line.proof.index,
        size=checkpoint.size,
        path=line.proof.path,
        root=checkpoint.root,
    )
    key_ids = frozenset(each.key_id for each in note.signatures if each.name == checkpoint.origin)
    if not key_ids:
        raise FormatError("journal line", f"nobody signed it in the name of {checkpoint.origin}")
    return _Candidate(where, data, line, checkpoint, leaf, key_ids)


def _of_one_journal(
    candidates: list[_Candidate], camera: str | None, stream: str | None, refused: list[RefusedLine]
) -> list[_Candidate]:
    kept = []
    for each in candidates:
        its_camera, _, its_stream = each.checkpoint.origin.rpartition("/")
        if camera is not None and its_camera != camera:
            refused.append(RefusedLine(each.where, f"it is of the camera {its_camera}, not of {camera}"))
        elif stream is not None and its_stream != stream:
            refused.append(
                RefusedLine(each.where, f"it is of the camera's recording {its_stream}, not of {stream}")
            )
        else:
            kept.append(each)
    if not kept:
        return []
    origin = Counter(each.checkpoint.origin for each in kept).most_common(1)[0][0]
    for each in kept:
        if each.checkpoint.origin != origin:
            its = each.checkpoint.origin
            refused.append(RefusedLine(each.where, f"it is of another recording, {its}, not of {origin}"))
    return [each for each in kept if each.checkpoint.origin == origin]


def _of_one_key(candidates: list[_Candidate], key_id: bytes, refused: list[RefusedLine]) -> list[_Candidate]:
    for each in candidates:
        if key_id not in each.key_ids:
            other = min(each.key_ids).hex()
            refused.append(
                RefusedLine(each.where, f"another key, {other}, signed it, not the camera's {key_id.hex()}")
            )
    return [each for each in candidates if key_id in each.key_ids]


@dataclass
class _SignedTree:
    """What is known of the tree that the camera signed: hashes of perfect subtrees, by their places."""

    candidates: list[_Candidate]
    key: VerifierKey | None
    nodes: dict[SubtreePlace, bytes] = field(default_factory=dict)
    agreed: set[bytes] = field(default_factory=set)
    forked_at: set[int] = field(default_factory=set)
    # Subtrees made of the leaves at hand, whether or not anybody signed them.
    built: dict[SubtreePlace, bytes] = field(default_factory=dict)
    confirmed: set[SubtreePlace] = field(default_factory=set)

    def __post_init__(self) -> None:
        by_seq: dict[int, set[bytes]] = {}
        for each in self.candidates:
            by_seq.setdefault(each.line.leaf.seq, set()).add(each.leaf)
        level = {(0, seq): leaves.pop() for seq, leaves in by_seq.items() if len(leaves) == 1}
        while level:
            self.built.update(level)
            level = {
                (height + 1, number >> 1): node_hash(value, level[height, number + 1])
                for (height, number), value in level.items()
                if not number & 1 and (height, number + 1) in level
            }

    def judge(self, each: _Candidate) -> str:
        """Say why a line counts for nothing, or take what it signs; in the order of falling places."""
        seq = each.line.leaf.seq
        peaks = _peaks_of(each.line)
        if self.nodes.get((0, seq)) == each.leaf and all(
            self.nodes.get(place) == value for place, value in peaks
        ):
            self.agreed.add(each.data)
            return ""
        try:
            if self.key is not None:
                open_note(each.line.proof.note, (self.key,))
        except VerificationError as error:
            return str(error)
        for place, value in (((0, seq), each.leaf), *peaks):
            if not self._add(place, value):
                self.forked_at.add(seq)
        for place, value in (((0, seq), each.leaf), *peaks):
            if self.built.get(place) == value:
                self._confirm(place)
        self.agreed.add(each.data)
        return ""

    def _add(self, place: SubtreePlace, value: bytes) -> bool:
        """Note a signed subtree, and those it makes with its neighbours; False where another was signed there."""
        height, number = place
        while True:
            known = self.nodes.setdefault((height, number), value)
            if known != value:
                return False
            sibling = self.nodes.get((height, number ^ 1))
            parent = (height + 1, number >> 1)
            if sibling is None:
                return True
            value = node_hash(sibling, value) if number & 1 else node_hash(value, sibling)
            if self.nodes.get(parent) == value:
                return True
            height, number = parent

    def _confirm(self, place: SubtreePlace) -> None:
        """Note that all in this subtree is signed, as it is made of the leaves at hand.

        Nothing else can be noted inside it yet: lines are judged from the last to the first, and the subtrees in front
        of a later leaf are never smaller than those in front of an earlier one.
        """
        waiting = [place]
        while waiting:
            height, number = here = waiting.pop()
            if here in self.confirmed:
                continue
            self.confirmed.add(here)
            self.nodes.setdefault(here, self.built[here])
            if height:
                waiting += [(height - 1, 2 * number), (height - 1, 2 * number + 1)]


def _peaks_of(line: JournalLine) -> list[tuple[SubtreePlace, bytes]]:
    """Return the perfect subtrees that stood before a line's leaf, smallest first: its path is just these."""
    seq = line.leaf.seq
    heights = [height for height in range(seq.bit_length()) if seq >> height & 1]
    return [((height, (seq >> height) - 1), value) for height, value in zip(heights, line.proof.path)]

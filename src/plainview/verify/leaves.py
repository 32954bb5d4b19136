"""Check the leaves a package discloses, each against its proof."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Mapping

from plainview.formats.errors import FormatError
from plainview.formats.note import NOTE_LIMIT_BYTES
from plainview.formats.package import (
    LEAVES,
    PACKAGE_LIMIT_BYTES,
    DisclosedLeaf,
    LeafPlace,
    parse_disclosed_leaf,
    proof_path,
)
from plainview.formats.proof import parse_proof
from plainview.verify.chain import Finding, read_document
from plainview.verify.trust import Standing, Trust, find_signers, judge_leaf
from plainview.verify.verdicts import MISSING, UNPROVEN

if TYPE_CHECKING:
    from plainview.formats.leaf import CustodyLeaf
    from plainview.verify.folder import FolderEntry


@dataclass(frozen=True)
class LeafFinding:
    """A disclosed leaf, what its proof amounts to, and who signed that."""

    leaf: CustodyLeaf
    standing: Standing
    signers: tuple[str, ...]


# The leaves that decide on files, and on the keys of cameras; the others are checked and let go.
DECIDING_ACTS = frozenset({"recording.received", "recording.probed", "camera.admitted", "camera.revoked"})


def check_leaves(
    folder: str, entries: Mapping[str, FolderEntry], trust: Trust
) -> tuple[dict[LeafPlace, LeafFinding], dict[str, str]]:
    """Check every line of proof/leaves.jsonl.

    Args:
        folder: the package.
        entries: as list_folder found them.
        trust: whose word counts.

    Returns:
        The leaves that decide on files and cameras' keys, by place; and from path to what is wrong with the proof that lies there.
    """
    found: dict[LeafPlace, LeafFinding] = {}
    problems: dict[str, str] = {}
    data = read_document(folder, entries, LEAVES, limit_bytes=PACKAGE_LIMIT_BYTES)
    if isinstance(data, Finding):
        return found, problems
    lines = data.split(b"\n")
    if lines.pop() != b"":
        problems[LEAVES] = "its last line is cut short"
    seen: set[LeafPlace] = set()
    for number, line in enumerate(lines, 1):
        try:
            disclosed = parse_disclosed_leaf(line)
        except FormatError as error:
            problems.setdefault(LEAVES, f"line {number}: {error}")
            continue
        place = disclosed.place
        standing, signers = _check_proof(folder, entries, disclosed, trust)
        if not standing.fits:
            problems.setdefault(LEAVES, f"leaf {place.index}: {standing.reason}")
            problems.setdefault(proof_path(place), standing.reason)
        if place in seen:
            problems.setdefault(LEAVES, f"leaf {place.index} is there twice")
        elif disclosed.leaf.act in DECIDING_ACTS:
            found[place] = LeafFinding(disclosed.leaf, standing, signers)
        seen.add(place)
    return found, problems


def _check_proof(
    folder: str, entries: Mapping[str, FolderEntry], disclosed: DisclosedLeaf, trust: Trust
) -> tuple[Standing, tuple[str, ...]]:
    path = proof_path(disclosed.place)
    data = read_document(folder, entries, path, limit_bytes=NOTE_LIMIT_BYTES)
    if isinstance(data, Finding):
        reason = f"its proof, {path}, is {MISSING}" if data.verdict == MISSING else data.reason
        return Standing(UNPROVEN, reason), ()
    try:
        proof = parse_proof(data.decode("utf-8"))
    except (FormatError, UnicodeDecodeError) as error:
        return Standing(UNPROVEN, f"its proof, {path}, is malformed: {error}"), ()
    standing = judge_leaf(disclosed.entry, disclosed.leaf.seq, proof, trust)
    return standing, find_signers(proof.note, trust) if standing.fits else ()

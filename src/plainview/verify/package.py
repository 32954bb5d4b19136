"""Check a package: every file in the folder gets a verdict and a sentence.

The chain, from what is trusted to each byte: a given key - the checkpoint in package.receipt.json - the leaf that
says which package.json was exported - package.json - the two manifests - every file. An original has a second chain
of its own, through the leaf that says which bytes were received, and that one decides.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Callable, Iterator, Mapping, Sequence

from plainview.formats.chunks import (
    CHUNKS_LIMIT_BYTES,
    ChunkList,
    ChunkTimes,
    parse_chunk_times,
    parse_chunks,
)
from plainview.formats.errors import FormatError
from plainview.formats.package import (
    OUTSIDE_MANIFESTS,
    PACKAGE_RECEIPT,
    POLICY,
    LeafPlace,
    PackageItem,
    chunk_times_path,
    chunks_path,
)
from plainview.formats.policy import POLICY_LIMIT_BYTES, TrustPolicy, parse_policy
from plainview.verify.chain import (
    PAYLOAD,
    Chain,
    Finding,
    absence_reason,
    check_chain,
    manifest_of,
    read_document,
)
from plainview.verify.errors import NotAPackageError, UnreadableError, VerificationError
from plainview.verify.folder import REGULAR, FolderEntry, extended_path, list_folder, stream_file
from plainview.verify.leaves import LeafFinding, check_leaves
from plainview.verify.original import (
    Digests,
    ReceivedFacts,
    check_chunk_list,
    check_chunk_times,
    describe_altered,
    digest_pieces,
    find_altered_parts,
    has_these_bytes,
    read_received_facts,
)
from plainview.verify.package_captures import check_captures
from plainview.verify.results import FileResult, PackageReport, Progress
from plainview.verify.trust import (
    Trust,
    count_known_cosigners,
    find_signers,
    find_warnings,
    given_policy,
)
from plainview.verify.verdicts import ALTERED, MISSING, UNLISTED, UNPROVEN

if TYPE_CHECKING:
    from plainview.formats.note import VerifierKey


@dataclass(frozen=True)
class _Check:
    # What the verdict on each file is decided from.
    folder: str
    entries: Mapping[str, FolderEntry]
    chain: Chain
    leaves: Mapping[LeafPlace, LeafFinding]
    problems: Mapping[str, str]
    items: Mapping[str, PackageItem]
    on_bytes: Callable[[int], None]


def check_package(
    folder: str,
    *,
    keys: Sequence[VerifierKey] | None = None,
    policy: TrustPolicy | None = None,
    on_progress: Progress | None = None,
) -> PackageReport:
    """Check a package and every file in its folder.

    Args:
        folder: its path.
        keys: of logs and co-signers, from outside the package: given or pinned.
        policy: keys from outside as well, and the co-signers to ask for.
        on_progress: told bytes done and bytes in all, after each MiB.

    Raises:
        NotAPackageError: no such folder, or nothing in it that belongs to a package.

    Source: RFC 8493 section 3 for the two manifests.
    """
    folder = extended_path(folder, windows=os.name == "nt")
    entries = list_folder(folder)
    if not any(path in entries for path in (*OUTSIDE_MANIFESTS, manifest_of(PAYLOAD))):
        raise NotAPackageError("folder", "it holds no package.json, no receipt and no manifest")
    claimed, no_claim = _read_policy(folder, entries)
    trust = Trust(given_policy(keys, policy), claimed, no_claim)
    chain = check_chain(folder, entries, trust)
    leaves, problems = check_leaves(folder, entries, trust)
    if claimed is None:
        problems[POLICY] = no_claim
    items = {item.path: item for item in chain.package.items} if chain.package else {}
    listed = _listed_paths(chain, items)
    check = _Check(folder, entries, chain, leaves, problems, items, _counter(entries, listed, on_progress))
    for item in items.values():
        _check_item_tables(check, item, problems)
    results = [
        *(_judge(check, path) for path in listed),
        *(FileResult(path, found.verdict, found.reason) for path, found in chain.findings.items()),
        *_judge_unlisted(check, listed),
    ]
    return _report(results, check, trust)


def _read_policy(folder: str, entries: Mapping[str, FolderEntry]) -> tuple[TrustPolicy | None, str]:
    data = read_document(folder, entries, POLICY, limit_bytes=POLICY_LIMIT_BYTES)
    if isinstance(data, Finding):
        return None, f"no given key signed it, and {POLICY} is {data.verdict}"
    try:
        return parse_policy(data.decode("utf-8")), ""
    except (FormatError, UnicodeDecodeError) as error:
        return None, f"no given key signed it, and {POLICY} is malformed: {error}"


def _listed_paths(chain: Chain, items: Mapping[str, PackageItem]) -> list[str]:
    paths = set(items).union(*(digests for digests in chain.digests.values() if digests))
    # Footage first: that is what a reader came for.
    return sorted(paths - set(chain.findings), key=lambda path: (not path.startswith(PAYLOAD), path))


def _counter(
    entries: Mapping[str, FolderEntry], listed: Sequence[str], on_progress: Progress | None
) -> Callable[[int], None]:
    total = sum(entries[path].size_bytes for path in listed if path in entries)
    done = 0

    def on_bytes(count: int) -> None:
        nonlocal done
        done += count
        if on_progress is not None:
            on_progress(done, total)

    return on_bytes


def _judge(check: _Check, path: str) -> FileResult:
    entry = check.entries.get(path)
    if entry is None or entry.kind != REGULAR:
        return FileResult(path, MISSING, absence_reason(entry))
    try:
        digests = digest_pieces(stream_file(check.folder, path), check.on_bytes)
    except UnreadableError as error:
        return FileResult(path, UNPROVEN, error.problem)
    if path in check.items or (check.chain.package is None and path.startswith(PAYLOAD)):
        return _judge_original(check, path, digests)
    found = _compare_with_lists(check, path, digests)
    if found.vouches and path in check.problems:
        found = Finding(UNPROVEN, check.problems[path])
    return FileResult(path, found.verdict, found.reason, digests.sha256)


def _compare_with_lists(check: _Check, path: str, digests: Digests) -> Finding:
    name = manifest_of(path)
    voucher, lines = check.chain.findings[name], check.chain.digests[name] or {}
    doubt = "" if voucher.vouches else f"; {name} is itself {voucher.verdict}"
    item = check.items.get(path)
    if item is not None and item.sha256 != digests.sha256:
        return Finding(ALTERED, "its bytes are not those that package.json names")
    if path not in lines:
        return Finding(UNPROVEN, f"{name} does not list it")
    if lines[path] != digests.sha256:
        return Finding(ALTERED, f"its bytes are not those that {name} lists{doubt}")
    return Finding(UNPROVEN, f"it is as {name} lists it{doubt}") if doubt else voucher


def _judge_original(check: _Check, path: str, digests: Digests) -> FileResult:
    item = check.items.get(path)
    try:
        received = _received_leaf(check, path, item)
        facts = read_received_facts(received.leaf)
        _check_name(path, item, facts)
    except VerificationError as error:
        found = _compare_with_lists(check, path, digests)
        # What vouches for the copy does not vouch for where it came from.
        reason = error.problem if found.verdict != ALTERED else found.reason
        return FileResult(path, ALTERED if found.verdict == ALTERED else UNPROVEN, reason, digests.sha256)
    if has_these_bytes(digests, facts):
        return FileResult(path, received.standing.verdict, "", digests.sha256, facts.recording)
    chunks, times = _read_tables(check, item, facts)
    parts = find_altered_parts(digests, chunks, times)
    reason = describe_altered(digests, facts, parts)
    return FileResult(path, ALTERED, reason, digests.sha256, facts.recording, parts)


def _received_leaf(check: _Check, path: str, item: PackageItem | None) -> LeafFinding:
    """Find the leaf that decides on an original; without a readable package.json, by the identifier in its name."""
    what = "original"
    if item is not None:
        found = check.leaves.get(item.received)
        candidates = [found] if found else []
    else:
        name = path.rsplit("/", 1)[-1]
        candidates = [
            found
            for found in check.leaves.values()
            if found.leaf.act == "recording.received" and found.leaf.object in name
        ]
    if len(candidates) != 1:
        where = f"leaf {item.received.index}" if item else "one leaf"
        raise VerificationError(what, f"{where}, which should say what was received, is not in the package")
    if not candidates[0].standing.fits:
        leaf = candidates[0].leaf
        raise VerificationError(
            what, f"leaf {leaf.seq}, which says what was received: {candidates[0].standing.reason}"
        )
    return candidates[0]


def _check_name(path: str, item: PackageItem | None, facts: ReceivedFacts) -> None:
    # Or one recording could be shown under another's name.
    if item is not None and item.recording != facts.recording:
        raise VerificationError(
            "original", f"package.json calls it {item.recording}, the log {facts.recording}"
        )
    if facts.recording not in path.rsplit("/", 1)[-1]:
        raise VerificationError("original", f"the log calls it {facts.recording}, its name does not")


def _read_tables(
    check: _Check, item: PackageItem | None, facts: ReceivedFacts
) -> tuple[ChunkList | None, ChunkTimes | None]:
    chunks = times = None
    try:
        chunks = _read_chunks(check, facts)
        times = _read_times(check, item, facts)
    except VerificationError:
        # Said of the table's own file; here it only means that less can be told.
        pass
    return chunks, times


def _read_chunks(check: _Check, facts: ReceivedFacts) -> ChunkList | None:
    data = _read_table(check, chunks_path(facts.recording, facts.sha256))
    if data is None:
        return None
    try:
        chunks = parse_chunks(data)
    except FormatError as error:
        raise VerificationError(error.what, error.problem) from error
    check_chunk_list(chunks, facts)
    return chunks


def _read_times(check: _Check, item: PackageItem | None, facts: ReceivedFacts) -> ChunkTimes | None:
    data = _read_table(check, chunk_times_path(facts.recording, facts.sha256))
    probed = check.leaves.get(item.probed) if item and item.probed is not None else None
    if data is None:
        return None
    if probed is None or not probed.standing.fits:
        raise VerificationError("chunk times", "no leaf in the package proves them")
    try:
        times = parse_chunk_times(data)
    except FormatError as error:
        raise VerificationError(error.what, error.problem) from error
    check_chunk_times(data, times, probed.leaf, facts)
    return times


def _read_table(check: _Check, path: str) -> bytes | None:
    data = read_document(check.folder, check.entries, path, limit_bytes=CHUNKS_LIMIT_BYTES)
    return None if isinstance(data, Finding) else data


def _check_item_tables(check: _Check, item: PackageItem, problems: dict[str, str]) -> None:
    """Add what is wrong with an original's chunk list and chunk times to the problems of their files."""
    received = check.leaves.get(item.received)
    try:
        facts = read_received_facts(received.leaf) if received and received.standing.fits else None
    except VerificationError:
        facts = None
    paths = chunks_path(item.recording, item.sha256), chunk_times_path(item.recording, item.sha256)
    if facts is None or (facts.recording, facts.sha256) != (item.recording, item.sha256):
        problems.update(dict.fromkeys(paths, "no received leaf in the package fits it"))
        return
    try:
        _read_chunks(check, facts)
    except VerificationError as error:
        problems[paths[0]] = error.problem
    try:
        _read_times(check, item, facts)
    except VerificationError as error:
        problems[paths[1]] = error.problem


def _judge_unlisted(check: _Check, listed: Sequence[str]) -> Iterator[FileResult]:
    known = {*listed, *check.chain.findings}
    for path in sorted(set(check.entries) - known):
        name, entry = manifest_of(path), check.entries[path]
        if entry.kind != REGULAR:
            yield FileResult(path, UNLISTED, f"it is a {entry.kind}")
        elif check.chain.digests[name] is None:
            voucher = check.chain.findings[name]
            yield FileResult(path, UNPROVEN, f"{name}, which should list it, is {voucher.verdict}")
        else:
            yield FileResult(path, UNLISTED)


def _report(results: Sequence[FileResult], check: _Check, trust: Trust) -> PackageReport:
    chain = check.chain
    originals = [check.leaves[item.received] for item in check.items.values() if _is_shown(check, item)]
    signers = [signer for found in originals for signer in found.signers]
    paths = [path for path, entry in check.entries.items() if path in check.items and entry.kind == REGULAR]
    report = PackageReport(
        files=tuple(results),
        package=chain.package,
        originals=tuple(found.leaf for found in originals),
        captures=tuple(check_captures(check.folder, paths, check.leaves.values())),
    )
    if chain.receipt is None or chain.checkpoint is None:
        return replace(report, signers=tuple(dict.fromkeys(signers)))
    note = chain.receipt.proof.note
    return replace(
        report,
        told=chain.receipt.leaf,
        checkpoint=chain.checkpoint,
        signers=tuple(dict.fromkeys([*find_signers(note, trust), *signers])),
        cosigners=count_known_cosigners(note, trust),
        are_cosigners_given=bool(trust.given.witnesses),
        warnings=find_warnings(chain.findings[PACKAGE_RECEIPT].verdict, chain.checkpoint, trust),
    )


def _is_shown(check: _Check, item: PackageItem) -> bool:
    found = check.leaves.get(item.received)
    return found is not None and found.standing.fits and found.leaf.act == "recording.received"

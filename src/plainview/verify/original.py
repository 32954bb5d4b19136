"""Check an original's bytes against its received leaf, and say where they differ."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Callable, Iterable

from plainview.formats.chunks import CHUNK_BYTES, ChunkList, ChunkTimes
from plainview.formats.errors import FormatError
from plainview.formats.fields import check_count, check_hash
from plainview.formats.merkle import leaf_hash, tree_root
from plainview.verify.errors import VerificationError

if TYPE_CHECKING:
    from plainview.formats.leaf import CustodyLeaf

# More places than this and a person is better served by "and N more".
MAX_PLACES_SHOWN = 10


@dataclass(frozen=True)
class Digests:
    """What a file's bytes amount to: size, SHA-256 in hexadecimal, and the leaf hash of each 1 MiB chunk."""

    size_bytes: int
    sha256: str
    chunks: tuple[bytes, ...]


@dataclass(frozen=True)
class ReceivedFacts:
    """What a received leaf says of an original: size, SHA-256 in hexadecimal, 32-byte root over its chunks."""

    recording: str
    size_bytes: int
    sha256: str
    chunk_root: bytes


@dataclass(frozen=True)
class AlteredPart:
    """Chunks that differ.

    Attributes:
        first_mib: the first of them, counted from 1.
        last_mib: the last of them.
        first_ms: where in the footage they begin, from the recording's start; None where no table says.
        last_ms: where they end.
    """

    first_mib: int
    last_mib: int
    first_ms: int | None = None
    last_ms: int | None = None


def read_received_facts(leaf: CustodyLeaf) -> ReceivedFacts:
    """Return what a received leaf says of its original.

    Raises:
        VerificationError: the leaf tells of something else, or a fact is absent or malformed.
    """
    what = f"leaf {leaf.seq}"
    if leaf.act != "recording.received" or leaf.outcome != "ok":
        raise VerificationError(what, f"tells of {leaf.act}, {leaf.outcome}, not of an original received")
    try:
        return ReceivedFacts(
            recording=leaf.object,
            size_bytes=check_count(leaf.facts.get("size_bytes"), what=what, field="size_bytes"),
            sha256=check_hash(leaf.facts.get("sha256"), what=what, field="sha256").hex(),
            chunk_root=check_hash(leaf.facts.get("chunk_root"), what=what, field="chunk_root"),
        )
    except FormatError as error:
        raise VerificationError(error.what, error.problem) from error


def digest_pieces(pieces: Iterable[bytes], on_bytes: Callable[[int], None]) -> Digests:
    """Hash a file.

    Args:
        pieces: its bytes, 1 MiB each but the last.
        on_bytes: told the length of each piece.
    """
    whole, size_bytes, chunks = sha256(), 0, []
    for piece in pieces:
        whole.update(piece)
        chunks.append(leaf_hash(piece))
        size_bytes += len(piece)
        on_bytes(len(piece))
    return Digests(size_bytes=size_bytes, sha256=whole.hexdigest(), chunks=tuple(chunks))


def has_these_bytes(digests: Digests, facts: ReceivedFacts) -> bool:
    """Return whether size, SHA-256 and chunk root are all those of the received leaf."""
    return (digests.size_bytes, digests.sha256, tree_root(digests.chunks)) == (
        facts.size_bytes,
        facts.sha256,
        facts.chunk_root,
    )


def find_altered_parts(
    digests: Digests, chunks: ChunkList | None, times: ChunkTimes | None
) -> tuple[AlteredPart, ...]:
    """Find which chunks differ.

    Args:
        digests: of the file as it is.
        chunks: of the file as received, or None where that cannot be shown; then nothing is found.
        times: which milliseconds each chunk holds, or None.

    Returns:
        Runs of neighbouring chunks; what was added after the end belongs to the last.
    """
    if chunks is None:
        return ()
    count = max(len(chunks.hashes), len(digests.chunks))
    differ = [at for at in range(count) if digests.chunks[at : at + 1] != chunks.hashes[at : at + 1]]
    runs: list[list[int]] = []
    for at in differ:
        if runs and runs[-1][1] == at - 1:
            runs[-1][1] = at
        else:
            runs.append([at, at])
    return tuple(_altered_part(first, last, times) for first, last in runs)


def _altered_part(first: int, last: int, times: ChunkTimes | None) -> AlteredPart:
    spans = [span for span in (times.spans_ms[first : last + 1] if times else ()) if span is not None]
    if not spans:
        return AlteredPart(first + 1, last + 1)
    return AlteredPart(first + 1, last + 1, min(span[0] for span in spans), max(span[1] for span in spans))


def describe_altered(digests: Digests, facts: ReceivedFacts, parts: tuple[AlteredPart, ...]) -> str:
    """Say where an original differs, such as "in MiB 3 (0:08.040 to 0:12.000)"."""
    where = [_describe_part(part) for part in parts[:MAX_PLACES_SHOWN]]
    if len(parts) > MAX_PLACES_SHOWN:
        where.append(f"{len(parts) - MAX_PLACES_SHOWN} more places")
    said = "in " + ", ".join(where) if where else "its bytes are not those that were received"
    if digests.size_bytes != facts.size_bytes:
        said += f"; {digests.size_bytes} bytes long, received with {facts.size_bytes}"
    return said


def _describe_part(part: AlteredPart) -> str:
    mib = f"MiB {part.first_mib}"
    if part.last_mib > part.first_mib:
        mib += f" to {part.last_mib}"
    if part.first_ms is None or part.last_ms is None:
        return mib
    return f"{mib} ({format_footage_time(part.first_ms)} to {format_footage_time(part.last_ms)})"


def format_footage_time(ms: int) -> str:
    """Write a time in a recording as 0:08.040 or 1:02:08.040."""
    minutes, rest_ms = divmod(ms, 60_000)
    seconds = f"{rest_ms // 1000:02d}.{rest_ms % 1000:03d}"
    if minutes < 60:
        return f"{minutes}:{seconds}"
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds}"


def check_chunk_list(chunks: ChunkList, facts: ReceivedFacts) -> None:
    """Check that a chunk list is that of the original a received leaf speaks of.

    Raises:
        VerificationError: another size, or another root.

    Source: RFC 6962 section 2.1.
    """
    if chunks.size_bytes != facts.size_bytes or chunks.root() != facts.chunk_root:
        raise VerificationError("chunk list", f"it is not that of {facts.recording}'s original")


def check_chunk_times(data: bytes, times: ChunkTimes, probed: CustodyLeaf, facts: ReceivedFacts) -> None:
    """Check that a table of chunk times is the one a probed leaf commits to.

    Args:
        data: the table's bytes.
        times: the same, parsed.
        probed: the leaf, itself proved.
        facts: of the original the table should belong to.

    Raises:
        VerificationError: another act or recording, another table, or one with more or fewer chunks.
    """
    what = "chunk times"
    if probed.act != "recording.probed" or probed.outcome != "ok" or probed.object != facts.recording:
        raise VerificationError(what, f"leaf {probed.seq} tells of {probed.act} of {probed.object}")
    # A recording of several parts is probed once a part; the leaf may say which.
    if probed.facts.get("sha256", facts.sha256) != facts.sha256:
        raise VerificationError(what, f"leaf {probed.seq} tells of another original of {facts.recording}")
    if sha256(data).hexdigest() != probed.facts.get("chunk_times_sha256"):
        raise VerificationError(what, f"it is not the table leaf {probed.seq} commits to")
    if len(times.spans_ms) != -(-facts.size_bytes // CHUNK_BYTES):
        raise VerificationError(what, f"{len(times.spans_ms)} chunks do not make {facts.size_bytes} bytes")

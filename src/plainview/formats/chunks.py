"""Chunks: an original as 1 MiB pieces, their hashes, and the seconds of footage each one holds.

Example:
    {"chunk_bytes":1048576,"hashes":["9f..","07.."],"kind":"plainview-chunks","size_bytes":1200000,"v":1}
    {"chunk_bytes":1048576,"kind":"plainview-chunk-times","spans_ms":[[0,8040],[7960,12000]],"v":1}

The tree over the chunk hashes has the root that the received leaf carries (D1b); the SHA-256 of the second record
is in the probed leaf (D17).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Tuple

from plainview.formats.canonical import canonical_json, parse_canonical_json
from plainview.formats.errors import FormatError
from plainview.formats.fields import check_count, check_hash, check_record
from plainview.formats.merkle import tree_root

CHUNK_BYTES = 1 << 20
# 68 bytes a chunk: enough for an original of 4 TiB.
CHUNKS_LIMIT_BYTES = 300_000_000
CHUNKS_KIND = "plainview-chunks"
CHUNK_TIMES_KIND = "plainview-chunk-times"

Span = Tuple[int, int]


@dataclass(frozen=True)
class ChunkList:
    """The leaf hashes over an original's chunks, 32 bytes each, and the original's size."""

    size_bytes: int
    hashes: tuple[bytes, ...]

    def root(self) -> bytes:
        """Return the root of the tree over the chunks.

        Source: RFC 6962 section 2.1.
        """
        return tree_root(self.hashes)


@dataclass(frozen=True)
class ChunkTimes:
    """For each chunk the first and last millisecond of footage in it, from the recording's start, or None."""

    spans_ms: tuple[Span | None, ...]


def chunk_count(size_bytes: int) -> int:
    """Return how many chunks an original of this size has; an empty one has none."""
    return -(-size_bytes // CHUNK_BYTES)


def format_chunks(chunks: ChunkList) -> bytes:
    """Write a chunk list.

    Raises:
        FormatError: more or fewer hashes than the size has chunks, or one that is not 32 bytes long.
    """
    check_count(chunks.size_bytes, what="chunk list", field="size_bytes")
    _check_chunk_count(chunks)
    if any(len(digest) != 32 for digest in chunks.hashes):
        raise FormatError("chunk list", "a hash is not 32 bytes long")
    return canonical_json(
        {
            "v": 1,
            "kind": CHUNKS_KIND,
            "chunk_bytes": CHUNK_BYTES,
            "size_bytes": chunks.size_bytes,
            "hashes": [digest.hex() for digest in chunks.hashes],
        }
    )


def parse_chunks(data: bytes) -> ChunkList:
    """Read a chunk list.

    Raises:
        FormatError: not canonical, another chunk size, or a number of hashes that does not fit the size.
    """
    what = "chunk list"
    record = check_record(
        parse_canonical_json(data, what=what, limit_bytes=CHUNKS_LIMIT_BYTES),
        what=what,
        kind=CHUNKS_KIND,
        keys=frozenset({"v", "kind", "chunk_bytes", "size_bytes", "hashes"}),
    )
    _check_chunk_size(record["chunk_bytes"], what)
    hashes = _check_list(record["hashes"], what=what, field="hashes")
    chunks = ChunkList(
        size_bytes=check_count(record["size_bytes"], what=what, field="size_bytes"),
        hashes=tuple(check_hash(digest, what=what, field="hashes") for digest in hashes),
    )
    _check_chunk_count(chunks)
    return chunks


def format_chunk_times(times: ChunkTimes) -> bytes:
    """Write a table from chunk to milliseconds of footage.

    Raises:
        FormatError: a span that ends before it starts, or starts before the recording.
    """
    for span in times.spans_ms:
        _check_span(span)
    spans = [list(span) if span else None for span in times.spans_ms]
    return canonical_json({"v": 1, "kind": CHUNK_TIMES_KIND, "chunk_bytes": CHUNK_BYTES, "spans_ms": spans})


def parse_chunk_times(data: bytes) -> ChunkTimes:
    """Read a table from chunk to milliseconds of footage.

    Raises:
        FormatError: not canonical, another chunk size, or a malformed span.
    """
    what = "chunk times"
    record = check_record(
        parse_canonical_json(data, what=what, limit_bytes=CHUNKS_LIMIT_BYTES),
        what=what,
        kind=CHUNK_TIMES_KIND,
        keys=frozenset({"v", "kind", "chunk_bytes", "spans_ms"}),
    )
    _check_chunk_size(record["chunk_bytes"], what)
    return ChunkTimes(
        tuple(_check_span(span) for span in _check_list(record["spans_ms"], what=what, field="spans_ms"))
    )


def _check_list(value: Any, *, what: str, field: str) -> Any:
    if type(value) is not list:
        raise FormatError(what, f"{field}: expected a list, got {type(value).__name__}")
    return value


def _check_chunk_size(value: Any, what: str) -> None:
    if value != CHUNK_BYTES:
        raise FormatError(what, f"chunk_bytes: expected {CHUNK_BYTES}, got {value!r:.40}")


def _check_chunk_count(chunks: ChunkList) -> None:
    expected = chunk_count(chunks.size_bytes)
    if len(chunks.hashes) != expected:
        raise FormatError(
            "chunk list", f"{chunks.size_bytes} bytes have {expected} chunks, got {len(chunks.hashes)} hashes"
        )


def _check_span(span: Any) -> Span | None:
    if span is None:
        return None
    what = "chunk times"
    if type(span) not in (list, tuple) or len(span) != 2:
        raise FormatError(what, f"expected a first and a last millisecond, got {span!r:.60}")
    first = check_count(span[0], what=what, field="first")
    return first, check_count(span[1], what=what, field="last", at_least=first)

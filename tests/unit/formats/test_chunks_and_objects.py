from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.formats.chunks import (
    CHUNK_BYTES,
    ChunkList,
    ChunkTimes,
    chunk_count,
    format_chunk_times,
    format_chunks,
    parse_chunk_times,
    parse_chunks,
)
from plainview.formats.errors import FormatError
from plainview.formats.merkle import EMPTY_ROOT, leaf_hash, node_hash
from plainview.formats.object_header import (
    HEADER_BYTES,
    SEALED_CHUNK_BYTES,
    TAG_BYTES,
    ObjectHeader,
    chunk_nonce,
    chunk_offset,
    format_object_header,
    object_size_bytes,
    parse_object_header,
    plaintext_size_bytes,
)
from vectors.make_format_examples import OBJECT_KEY, ORIGINAL, example_files

FILES = example_files()
SIZES = st.one_of(
    st.integers(0, 5 * CHUNK_BYTES),
    st.builds(lambda chunks, more: chunks * CHUNK_BYTES + more, st.integers(1, 10**6), st.integers(-17, 17)),
)


@pytest.mark.parametrize(
    ("size_bytes", "count"), [(0, 0), (1, 1), (CHUNK_BYTES, 1), (CHUNK_BYTES + 1, 2), (10 * CHUNK_BYTES, 10)]
)
def test_an_original_has_as_many_chunks_as_it_begins(size_bytes: int, count: int) -> None:
    assert chunk_count(size_bytes) == count


@settings(max_examples=30)
@given(st.integers(0, 8 * CHUNK_BYTES))
def test_a_chunk_list_reads_back_as_it_was_written(size_bytes: int) -> None:
    chunks = ChunkList(size_bytes, tuple(bytes([number]) * 32 for number in range(chunk_count(size_bytes))))
    assert parse_chunks(format_chunks(chunks)) == chunks


def test_the_root_over_chunks_is_that_of_the_tree_over_their_bytes() -> None:
    first, second = leaf_hash(ORIGINAL[:CHUNK_BYTES]), leaf_hash(ORIGINAL[CHUNK_BYTES:])
    assert parse_chunks(FILES["chunks.json"]).root() == node_hash(first, second)
    assert ChunkList(0, ()).root() == EMPTY_ROOT


@pytest.mark.parametrize(
    "chunks",
    [
        ChunkList(0, (bytes(32),)),
        ChunkList(1, ()),
        ChunkList(CHUNK_BYTES, (bytes(32), bytes(32))),
        ChunkList(-1, ()),
        ChunkList(1, (bytes(31),)),
    ],
)
def test_hashes_that_do_not_fit_the_size_are_not_written(chunks: ChunkList) -> None:
    with pytest.raises(FormatError):
        format_chunks(chunks)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (b"1048576", b"65536", "chunk_bytes: expected 1048576, got 65536"),
        (b"1200000", b"1048576", "1048576 bytes have 1 chunks, got 2 hashes"),
        (b"1200000", b"-1", "size_bytes: expected a whole number"),
        (b"plainview-chunks", b"plainview-chunk", "expected kind plainview-chunks"),
        (b'"hashes":[', b'"hashes":["0f",', "hashes: expected"),
    ],
)
def test_a_malformed_chunk_list_is_refused(old: bytes, new: bytes, problem: str) -> None:
    with pytest.raises(FormatError, match=problem):
        parse_chunks(FILES["chunks.json"].replace(old, new))


def test_hashes_that_are_no_list_are_refused() -> None:
    data = b'{"chunk_bytes":1048576,"hashes":{},"kind":"plainview-chunks","size_bytes":0,"v":1}'
    with pytest.raises(FormatError, match="hashes: expected a list, got dict"):
        parse_chunks(data)


@settings(max_examples=30)
@given(
    st.lists(
        st.one_of(st.none(), st.tuples(st.integers(0, 9000), st.integers(0, 9000)).map(sorted).map(tuple))
    )
)
def test_chunk_times_read_back_as_they_were_written(spans: list[Any]) -> None:
    times = ChunkTimes(tuple(spans))
    assert parse_chunk_times(format_chunk_times(times)) == times


@pytest.mark.parametrize(
    "span", [(2, 1), (-1, 1), (1,), (), (1, 2, 3), (True, 1), (0, "1"), "01", 5, (0, 1.5)]
)
def test_a_span_that_ends_before_it_starts_or_is_none_is_not_written(span: Any) -> None:
    with pytest.raises(FormatError, match="chunk times"):
        format_chunk_times(ChunkTimes((span,)))


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (b"1048576", b"true", "chunk_bytes: expected 1048576"),
        (b"[0,8040]", b"[8040,0]", "last: expected a whole number of at least 8040"),
        (b"[0,8040]", b"[0]", "expected a first and a last millisecond"),
        (b"[[0,8040],[7960,9000]]", b"{}", "spans_ms: expected a list"),
    ],
)
def test_malformed_chunk_times_are_refused(old: bytes, new: bytes, problem: str) -> None:
    assert old in FILES["times.json"]
    with pytest.raises(FormatError, match=problem):
        parse_chunk_times(FILES["times.json"].replace(old, new))


def test_an_object_header_reads_back_as_it_was_written() -> None:
    header = ObjectHeader(bytes(range(16)))
    data = format_object_header(header)
    assert len(data) == HEADER_BYTES
    assert parse_object_header(data) == header


@pytest.mark.parametrize("length", [0, 15, 17])
def test_an_object_id_of_another_length_is_not_written(length: int) -> None:
    with pytest.raises(FormatError, match=f"an id of 16 bytes, got {length}"):
        format_object_header(ObjectHeader(bytes(length)))


def test_any_other_byte_before_the_object_id_is_refused() -> None:
    data = format_object_header(ObjectHeader(bytes(16)))
    for at in range(16):
        changed = bytearray(data)
        changed[at] ^= 1
        with pytest.raises(FormatError, match="starting with PLVWOBJ"):
            parse_object_header(bytes(changed))
    for other in (data[:-1], data + b"\x00", b""):
        with pytest.raises(FormatError, match="expected 32 bytes"):
            parse_object_header(other)


def test_every_chunk_of_an_object_has_a_nonce_of_its_own() -> None:
    assert chunk_nonce(0, is_last=False) == bytes(12)
    assert chunk_nonce(258, is_last=True) == bytes(9) + b"\x01\x02\x01"
    nonces = {chunk_nonce(number, is_last=last) for number in range(300) for last in (False, True)}
    assert len(nonces) == 600


@settings(max_examples=100)
@given(SIZES)
def test_the_size_of_an_object_tells_that_of_its_original(size_bytes: int) -> None:
    assert plaintext_size_bytes(object_size_bytes(size_bytes)) == size_bytes


@settings(max_examples=100)
@given(
    st.one_of(
        st.integers(-5, 100), SIZES.map(object_size_bytes).flatmap(lambda n: st.integers(n - 20, n + 20))
    )
)
def test_a_size_that_no_object_has_is_refused(object_bytes: int) -> None:
    # In closed form: what follows the header, counted from the last whole chunk, holds a tag; only alone may it be bare.
    body = object_bytes - HEADER_BYTES
    rest = body % SEALED_CHUNK_BYTES
    is_object = body > 0 and (rest == 0 or rest > TAG_BYTES or body == TAG_BYTES)
    if is_object:
        assert object_size_bytes(plaintext_size_bytes(object_bytes)) == object_bytes
    else:
        with pytest.raises(FormatError, match="cut or added to"):
            plaintext_size_bytes(object_bytes)


def test_chunks_lie_one_after_another_behind_the_header() -> None:
    assert chunk_offset(0) == HEADER_BYTES
    assert chunk_offset(3) == object_size_bytes(3 * CHUNK_BYTES)


def test_the_example_object_opens_as_the_format_says() -> None:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    data, header = FILES["object"], FILES["object"][:HEADER_BYTES]
    assert len(data) == object_size_bytes(len(ORIGINAL))
    opened = b"".join(
        AESGCM(OBJECT_KEY).decrypt(
            chunk_nonce(number, is_last=number == 1),
            data[chunk_offset(number) : chunk_offset(number + 1)],
            header,
        )
        for number in range(2)
    )
    assert opened == ORIGINAL

"""The table from chunk to time."""

from hypothesis import given
from hypothesis import strategies as st

from plainview.media.chunk_spans import ChunkSpan, ChunkTable


def table(size_bytes, *packets, chunk_bytes=100):
    made = ChunkTable(size_bytes=size_bytes, chunk_bytes=chunk_bytes)
    for from_byte, to_byte, start_us, end_us in packets:
        made.add(from_byte=from_byte, to_byte=to_byte, start_us=start_us, end_us=end_us)
    return made


def test_a_chunk_spans_the_earliest_start_and_the_latest_end():
    made = table(100, (0, 10, 5_000, 6_000), (10, 20, 2_000, 3_000), (20, 30, 4_000, 9_000))
    assert made.spans(origin_us=0) == (ChunkSpan(2, 9),)


def test_a_packet_counts_in_every_chunk_that_it_touches_and_no_other():
    made = table(500, (199, 301, 0, 1_000))
    assert made.spans(origin_us=0) == (None, ChunkSpan(0, 1), ChunkSpan(0, 1), ChunkSpan(0, 1), None)


def test_a_packet_that_ends_at_a_border_stays_before_it():
    assert table(200, (0, 100, 0, 1_000)).spans(origin_us=0) == (ChunkSpan(0, 1), None)


def test_starts_round_down_and_ends_round_up():
    assert table(10, (0, 10, 1_999, 2_001)).spans(origin_us=0) == (ChunkSpan(1, 3),)


def test_times_count_from_the_origin_and_never_before_it():
    made = table(200, (0, 10, 7_000, 9_000), (100, 110, 1_000, 5_500))
    assert made.spans(origin_us=5_000) == (ChunkSpan(2, 4), ChunkSpan(0, 1))


def test_bytes_outside_the_file_are_left_out():
    made = table(
        150, (-50, 10, 0, 1_000), (140, 10**12, 0, 1_000), (10**12, 10**13, 0, 1_000), (50, 50, 0, 9)
    )
    assert made.spans(origin_us=0) == (ChunkSpan(0, 1), ChunkSpan(0, 1))


PACKETS = st.lists(
    st.tuples(st.integers(0, 999), st.integers(1, 300), st.integers(0, 10**7), st.integers(0, 10**6)),
    max_size=20,
)


@given(PACKETS, st.integers(1, 400))
def test_the_table_says_what_counting_byte_by_byte_says(packets, chunk_bytes):
    made = table(1000, *((at, at + n, t, t + d) for at, n, t, d in packets), chunk_bytes=chunk_bytes)
    for i, span in enumerate(made.spans(origin_us=0)):
        chunk = set(range(i * chunk_bytes, min(1000, (i + 1) * chunk_bytes)))
        inside = [(t, t + d) for at, n, t, d in packets if chunk & set(range(at, at + n))]
        if span is None:
            assert not inside
        else:
            assert span == ChunkSpan(min(t for t, _ in inside) // 1000, -(-max(e for _, e in inside) // 1000))

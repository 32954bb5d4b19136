"""Say which stretch of time each 1 MiB chunk of a file carries.

An altered chunk is found by its hash; this table turns its number into seconds that a person can
look at.
"""

from __future__ import annotations

from typing import NamedTuple


class ChunkSpan(NamedTuple):
    """The time that one chunk carries.

    Attributes:
        start_ms: earliest presentation time of any packet with a byte in the chunk, rounded down.
        end_ms: latest end of presentation of any such packet, rounded up.
    Both count from the file's first presented picture or sound, and are never negative.
    """

    start_ms: int
    end_ms: int


class ChunkTable:
    """Collects packets in any order; then spans() gives the table.

    Args:
        size_bytes: length of the file.
        chunk_bytes: length of every chunk but the last.
    """

    def __init__(self, *, size_bytes: int, chunk_bytes: int) -> None:
        self._size_bytes = size_bytes
        self._chunk_bytes = chunk_bytes
        count = -(-size_bytes // chunk_bytes)
        self._start_us: list[int | None] = [None] * count
        self._end_us: list[int] = [0] * count

    def add(self, *, from_byte: int, to_byte: int, start_us: int, end_us: int) -> None:
        """Count one packet in every chunk that it touches.

        Args:
            from_byte: first byte of the packet in the file.
            to_byte: first byte after it. Parts outside the file are left out.
            start_us: presentation time in microseconds on the file's own clock.
            end_us: when the presentation ends; at or after start_us.
        """
        from_byte, to_byte = max(from_byte, 0), min(to_byte, self._size_bytes)
        if from_byte >= to_byte:
            return
        for i in range(from_byte // self._chunk_bytes, (to_byte - 1) // self._chunk_bytes + 1):
            earliest = self._start_us[i]
            if earliest is None:
                self._start_us[i], self._end_us[i] = start_us, end_us
            else:
                self._start_us[i] = min(earliest, start_us)
                self._end_us[i] = max(self._end_us[i], end_us)

    def spans(self, *, origin_us: int) -> tuple[ChunkSpan | None, ...]:
        """Give one entry a chunk, None where no packet lies.

        Args:
            origin_us: the file's first presentation time; becomes 0.
        """
        return tuple(
            None
            if start is None
            else ChunkSpan(max(0, (start - origin_us) // 1000), max(0, -((origin_us - end) // 1000)))
            for start, end in zip(self._start_us, self._end_us, strict=True)
        )

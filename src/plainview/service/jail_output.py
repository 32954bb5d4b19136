"""What a jailed task may write besides its value: bytes for named outputs, and how far it is, over one pipe.

Frames, one after the other; the reader takes nothing that the writer would not have written:

    1 byte    what it is: "r" room, "d" data, "p" progress
    1 byte    which output, counted from 0; 0 for progress
    8 bytes   offset in that output; for room, how many of its first bytes may come in any order;
              for progress, the share that is done, in millionths
    4 bytes   how many bytes follow, at most 1 MiB; 0 unless it is data

A pipe is no file, so a task may still not write a byte to any (RLIMIT_FSIZE is 0).
"""

from __future__ import annotations

import io
import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview.service.errors import JailOutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from _typeshed import ReadableBuffer

# Where the pipe lies in the child.
OUTPUT_FD = 5
HEADER = struct.Struct(">ccQI")
DATA_BYTES = 1 << 20
MILLION = 1_000_000
ROOM, DATA, PROGRESS = b"r", b"d", b"p"
# Rewriting is for the room alone; a little more is for whoever writes its parts twice.
ROOM_WRITES = 3


@dataclass(frozen=True)
class Output:
    """What a task's bytes become; everything is called in the thread that runs the task.

    Attributes:
        limits_bytes: how long each output may become.
        on_room: told once, before its first byte, how many of an output's first bytes may come in any order.
        on_bytes: told which output, where in it, and the bytes, which are only good until it returns.
        on_progress: told the share that is done, 0 to 1; it may fall.
        on_tick: called about once a second while the task runs.

    Any of them may raise: the task is ended and the exception passes through run(). A JailOutputError is the task's
    fault and becomes its failure.
    """

    limits_bytes: Sequence[int]
    on_bytes: Callable[[int, int, memoryview], None]
    on_room: Callable[[int, int], None] = lambda _number, _length: None
    on_progress: Callable[[float], None] = lambda _: None
    on_tick: Callable[[], None] = lambda: None


# --- the child's side


def leave_room(number: int, length: int) -> None:
    """Say that the first bytes of an output may come in any order.

    Args:
        number: which output.
        length: of what may; at most what it may be long.
    """
    _write_frame(ROOM, number, length, b"")


def report_progress(share: float) -> None:
    """Say how much is done.

    Args:
        share: 0 to 1.
    """
    _write_frame(PROGRESS, 0, round(max(0.0, min(1.0, share)) * MILLION), b"")


class OutputFile(io.RawIOBase):
    """One output as a file that a task can write and seek in."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number
        self._at = 0
        self._size_bytes = 0

    def writable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position, in bytes."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position and return it."""
        self._at = max(0, offset + (0, self._at, self._size_bytes)[whence])
        return self._at

    def write(self, data: ReadableBuffer) -> int:
        """Send all of data.

        Raises:
            BrokenPipeError: whoever reads wants no more.
        """
        view = memoryview(data).cast("B")
        for start in range(0, len(view), DATA_BYTES):
            piece = view[start : start + DATA_BYTES]
            _write_frame(DATA, self._number, self._at, piece)
            self._at += len(piece)
        self._size_bytes = max(self._size_bytes, self._at)
        return len(view)


def _write_frame(kind: bytes, number: int, offset: int, data: bytes | memoryview) -> None:
    left = memoryview(HEADER.pack(kind, bytes((number,)), offset, len(data)))
    # One call for both in the common case: a frame is small beside the pipe.
    done = os.writev(OUTPUT_FD, [left, data])
    for part in (left, memoryview(data)):
        rest, done = part[done:], max(0, done - len(part))
        while rest:
            rest = rest[os.write(OUTPUT_FD, rest) :]


# --- the parent's side: the bytes may come from a child that a hostile file has taken over


class OutputReader:
    """Takes the pipe's bytes as they come, in any pieces, and calls what the output says."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._header = bytearray()
        self._frame: tuple[int, int, int] | None = None
        self._data = bytearray(DATA_BYTES)
        self._have = 0
        self._rooms: dict[int, int] = {}
        self._written = [0] * len(output.limits_bytes)

    def take(self, data: memoryview) -> None:
        """Read on.

        Raises:
            JailOutputError: not frames, or more than an output may hold.
            Exception: whatever the output's functions raise.
        """
        while data:
            if self._frame is None:
                data = self._take_header(data)
            if self._frame is not None:
                data = self._take_data(data)

    def end(self) -> None:
        """Check that nothing is missing.

        Raises:
            JailOutputError: the last frame is cut off.
        """
        if self._header or self._frame is not None:
            raise JailOutputError("its last frame is cut off")

    def _take_header(self, data: memoryview) -> memoryview:
        wanted = HEADER.size - len(self._header)
        self._header += data[:wanted]
        if len(self._header) == HEADER.size:
            kind, number, offset, length = HEADER.unpack(self._header)
            self._header.clear()
            self._begin(kind, number[0], offset, length)
        return data[wanted:]

    def _take_data(self, data: memoryview) -> memoryview:
        assert self._frame is not None
        number, offset, length = self._frame
        piece = data[: length - self._have]
        if self._have == 0 and len(piece) == length:
            self._finish(number, offset, piece)
        else:
            self._data[self._have : self._have + len(piece)] = piece
            self._have += len(piece)
            if self._have == length:
                self._finish(number, offset, memoryview(self._data)[:length])
        return data[len(piece) :]

    def _begin(self, kind: bytes, number: int, offset: int, length: int) -> None:
        if kind == PROGRESS and not number and not length and offset <= MILLION:
            self._output.on_progress(offset / MILLION)
        elif kind == ROOM and number < len(self._written) and not length:
            self._leave_room(number, offset)
        elif kind == DATA and number < len(self._written) and 0 < length <= DATA_BYTES:
            self._check_length(number, offset, length)
            self._frame = (number, offset, length)
        else:
            raise JailOutputError("it sent what is no frame")

    def _leave_room(self, number: int, length: int) -> None:
        if number in self._rooms or self._written[number]:
            raise JailOutputError("it asked for room twice, or late")
        if length > self._output.limits_bytes[number]:
            raise JailOutputError(f"it asked for room for {length} bytes", is_too_much=True)
        self._rooms[number] = length
        self._output.on_room(number, length)

    def _check_length(self, number: int, offset: int, length: int) -> None:
        limit = self._output.limits_bytes[number]
        self._written[number] += length
        most = limit + ROOM_WRITES * self._rooms.get(number, 0)
        if offset + length > limit or self._written[number] > most:
            raise JailOutputError(f"it wrote more than {limit} bytes", is_too_much=True)

    def _finish(self, number: int, offset: int, data: memoryview) -> None:
        self._frame, self._have = None, 0
        self._output.on_bytes(number, offset, data)

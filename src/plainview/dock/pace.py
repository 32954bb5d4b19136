"""Who sends when, over all cameras of a dock: a few at once, the most urgent first, and no faster than allowed."""

from __future__ import annotations

import heapq
import itertools
import random
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from plainview.dock.rules import new_bucket, retry_wait_s, take_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

# Sending at once: a server with two cores is kept busy by this many. Files open at once: each holds two pieces.
SENDERS = 4
PLACES = 12
Urgency = tuple[int, int, str]


class StoppedError(Exception):
    """The dock is being ended."""


class Gate:
    """Lets so many through at once, the most urgent first; for many threads."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: list[tuple[Urgency, int]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._is_stopped = False

    @contextmanager
    def pass_through(self, urgency: Urgency) -> Iterator[None]:
        """Wait until a place is free and this is the most urgent of those that wait.

        Raises:
            StoppedError: the dock is being ended.
        """
        mine = (urgency, next(self._numbers))
        with self._changed:
            heapq.heappush(self._waiting, mine)
            while not self._is_stopped and (self._free == 0 or self._waiting[0] != mine):
                self._changed.wait()
            if self._is_stopped:
                raise StoppedError
            heapq.heappop(self._waiting)
            self._free -= 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    def stop(self) -> None:
        """Let nobody wait any longer."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()


class Pace:
    """Turns and bandwidth; for many threads.

    Attributes:
        files: who may read a file and hold pieces of it.
        turns: who may send a piece.
    """

    def __init__(self, *, senders: int = SENDERS, places: int = PLACES, bytes_per_s: float = 0.0) -> None:
        self.files, self.turns = Gate(places), Gate(senders)
        self.bytes_per_s = bytes_per_s
        self._lock = threading.Lock()
        self._bucket = new_bucket(bytes_per_s, now_s=time.monotonic())
        self._stopped = threading.Event()

    def pay(self, size_bytes: int) -> None:
        """Wait until so many bytes may be sent.

        Raises:
            StoppedError: the dock is being ended.
        """
        with self._lock:
            self._bucket, wait_s = take_bytes(self._bucket, size_bytes, now_s=time.monotonic())
        self.wait(wait_s)

    def wait(self, seconds: float) -> None:
        """Wait.

        Raises:
            StoppedError: the dock is being ended.
        """
        self._stopped.wait(seconds)
        self.check_going()

    def back_off(self, failures: int, *, asked_s: float = 0.0) -> None:
        """Wait after so many failures in a row.

        Raises:
            StoppedError: the dock is being ended.
        """
        self.wait(retry_wait_s(failures, asked_s=asked_s, luck=random.random()))  # noqa: S311 - only spreads load

    def stop(self) -> None:
        """Let nobody wait any longer."""
        self._stopped.set()
        self.files.stop()
        self.turns.stop()

    def check_going(self) -> None:
        """Go on.

        Raises:
            StoppedError: the dock is being ended.
        """
        if self._stopped.is_set():
            raise StoppedError

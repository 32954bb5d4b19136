"""Who may send at once: a few as fast as they can, and more who send slowly."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

# Whoever has sent less than this, after so long, sends slowly.
SLOW_BYTES_S = 4 << 20
SLOW_AFTER_S = 1.0
LOOK_S = 0.25


class NoTurnError(Exception):
    """Too many send at once."""


class Turns:
    """The turns of one process.

    A fast sender takes processor from everybody else, a slow one only a thread: so whoever turns out to be slow, or
    stands still, leaves the turn to somebody else, and goes on. Some wait a little for a turn; what they send waits
    unread in the connection, and costs nothing.
    """

    def __init__(self, *, fast: int, slow: int, waiting: int, wait_s: float) -> None:
        """Give out turns.

        Args:
            fast: how many may send as fast as they can.
            slow: how many more may send slowly.
            waiting: how many may wait for a turn.
            wait_s: how long.
        """
        self.fast, self.slow = threading.Semaphore(fast), threading.Semaphore(slow)
        self.waiting = threading.Semaphore(waiting)
        self.wait_s = wait_s
        self.lock = threading.Lock()
        self.held: set[Turn] = set()

    def turn(self) -> Turn:
        """Return a turn, for the length of a `with` block.

        Raises:
            NoTurnError: there is none now.
        """
        if not (self._take() or self._wait()):
            raise NoTurnError
        return Turn(self)

    def _take(self) -> bool:
        if self.fast.acquire(blocking=False):
            return True
        self._let_slow_ones_leave()
        return self.fast.acquire(blocking=False)

    def _wait(self) -> bool:
        if not self.waiting.acquire(blocking=False):
            return False
        end_s = time.monotonic() + self.wait_s
        try:
            while (left_s := end_s - time.monotonic()) > 0:
                if self.fast.acquire(timeout=min(left_s, LOOK_S)):
                    return True
                self._let_slow_ones_leave()
            return False
        finally:
            self.waiting.release()

    def _let_slow_ones_leave(self) -> None:
        with self.lock:
            for turn in self.held:
                turn.leave_if_slow()


class Turn:
    """One sender's turn; fast until somebody else needs it and the sender is found to be slow."""

    def __init__(self, turns: Turns) -> None:
        self._turns, self._is_fast = turns, True
        self._began_s, self._bytes = time.monotonic(), 0

    def __enter__(self) -> Self:
        """Return the turn."""
        with self._turns.lock:
            self._turns.held.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give it back."""
        with self._turns.lock:
            self._turns.held.discard(self)
            (self._turns.fast if self._is_fast else self._turns.slow).release()

    def note(self, count_bytes: int) -> None:
        """Note that so much more has come."""
        self._bytes += count_bytes

    def leave_if_slow(self) -> None:
        """Become one of the slow ones, if this one is and there is room; the lock is the caller's."""
        took_s = time.monotonic() - self._began_s
        is_slow = took_s > SLOW_AFTER_S and self._bytes < SLOW_BYTES_S * took_s
        if self._is_fast and is_slow and self._turns.slow.acquire(blocking=False):
            self._is_fast = False
            self._turns.fast.release()

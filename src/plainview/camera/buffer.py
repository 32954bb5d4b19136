"""The pre-event buffer: the last seconds before a press, in memory only, until they are wanted or too old."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from plainview.camera.fragments import TICKS_A_MS

if TYPE_CHECKING:
    from plainview.camera.fragments import MediaFragment


class Buffer:
    """Keeps whole fragments: at least as long as the setting says, once it has been on so long, and at most one more.

    Attributes:
        setting_ms: how much is kept; 0 keeps nothing.
    """

    def __init__(self, setting_ms: int) -> None:
        self.setting_ms = setting_ms
        self._fragments: deque[MediaFragment] = deque()

    def add(self, fragment: MediaFragment) -> None:
        """Keep a fragment, and let go of what is too old now."""
        if self.setting_ms:
            self._fragments.append(fragment)
            self._let_go(fragment.end_ticks)

    def take(self, until_ticks: int) -> list[MediaFragment]:
        """Return what is kept of the time before a moment, oldest first, and keep nothing."""
        self._let_go(until_ticks)
        taken = list(self._fragments)
        self._fragments.clear()
        return taken

    def forget(self) -> None:
        """Keep nothing."""
        self._fragments.clear()

    def available_ms(self, now_ticks: int) -> int:
        """Return how much of the time before now could be kept, at most the setting."""
        if not self._fragments:
            return 0
        return min(self.setting_ms, (now_ticks - self._fragments[0].start_ticks) // TICKS_A_MS)

    def _let_go(self, now_ticks: int) -> None:
        oldest_ticks = now_ticks - self.setting_ms * TICKS_A_MS
        while self._fragments and self._fragments[0].end_ticks <= oldest_ticks:
            self._fragments.popleft()

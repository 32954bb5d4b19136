"""Stand between FFmpeg's muxer and the file that is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import BinaryIO

_ZEROS: Final = bytes(1 << 16)


class Target:
    """A file object for FFmpeg that keeps the reason why writing failed, and leaves no holes.

    FFmpeg would turn a full disk into a number. Here the exception is kept in failure, and everything
    that follows is swallowed; whoever drives the muxer asks check() after each step.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._at = 0
        self.size_bytes = 0
        self.failure: Exception | None = None
        self._is_stopped = False

    def write(self, data: bytes) -> int:
        """Write at the present position, with zeros where it lies past the end."""
        if self.failure is None and not self._is_stopped:
            try:
                self._fill()
                self._file.seek(self._at)
                self._file.write(data)
            except Exception as error:  # noqa: BLE001 whatever the file raises is raised again by check()
                self.failure = error
        self._at += len(data)
        self.size_bytes = max(self.size_bytes, self._at)
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move as io.IOBase.seek does; the file itself is moved when it is written."""
        self._at = max(0, offset + (0, self._at, self.size_bytes)[whence])
        return self._at

    def tell(self) -> int:
        """Tell the position."""
        return self._at

    def check(self) -> None:
        """Raise what writing raised, if it did."""
        if self.failure is not None:
            raise self.failure

    def stop(self) -> None:
        """Write nothing more: what FFmpeg would still add to a copy that is given up."""
        self._is_stopped = True

    def _fill(self) -> None:
        self._file.seek(self.size_bytes)
        while self.size_bytes < self._at:
            self.size_bytes += self._file.write(_ZEROS[: self._at - self.size_bytes])

"""What a dock can put into a bay: a camera over the network, its storage in a folder, a card of another maker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from plainview.dock.rules import ClockReading, DockFile, FileState


@dataclass(frozen=True)
class AboutCamera:
    """Which camera it is.

    Attributes:
        camera: its name, where it has a key of its own; empty for those of other makers.
        make, model, serial: of it.
        battery_percent: None where it does not say.
        is_recording: whether it records just now.
        clock: what its clock said; None where it cannot be asked.
    """

    camera: str
    make: str
    model: str
    serial: str
    battery_percent: int | None = None
    is_recording: bool = False
    clock: ClockReading | None = None


class Source(Protocol):
    """A camera or card; each method raises CameraError and what is below it, nothing else."""

    @property
    def key(self) -> str:
        """Where it was found."""
        ...

    @property
    def is_sealed(self) -> bool:
        """Whether its files are sealed by one of our own cameras."""
        ...

    def about(self) -> AboutCamera:
        """Say which camera it is."""
        ...

    def is_there(self) -> bool:
        """Say whether it is still in its bay; raises nothing."""
        ...

    def request(self) -> str | None:
        """Return its request to be admitted, a signed note; None where it has none."""
        ...

    def take_orders(self, orders: str) -> str:
        """Hand it orders; return why it did not take them, or nothing."""
        ...

    def set_docked(self, dock: str) -> bool:
        """Tell it that it is in a dock; return False where it goes on recording."""
        ...

    def set_taken(self) -> None:
        """Tell it that it is free to go."""
        ...

    def files(self) -> list[DockFile]:
        """Return every file that is to be handed in."""
        ...

    def settle(self) -> None:
        """Finish what an erasing that was interrupted left half done."""
        ...

    def read(self, file: DockFile, offset: int) -> AbstractContextManager[Iterator[bytes]]:
        """Open a file at an offset; the pieces are of any size."""
        ...

    def erase(self, files: Sequence[FileState]) -> str:
        """Erase what belongs together, all of it covered by checked receipts; return why it is kept, or nothing."""
        ...

    def close(self) -> None:
        """Let go of whatever is open; raises nothing."""
        ...

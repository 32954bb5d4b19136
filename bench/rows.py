"""What a benchmark reports: one row a figure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure, beside what it must reach.

    Attributes:
        name: what was measured, in words.
        measured: the figure with its unit, "0.93 of write+fsync".
        target: what it must reach, "at least 0.8"; empty where nothing was asked.
        is_met: None where nothing was asked, or where this machine cannot say (the detail says why).
        detail: how it was measured: sizes, repeats, spread.
    """

    name: str
    measured: str
    target: str = ""
    is_met: bool | None = None
    detail: str = ""

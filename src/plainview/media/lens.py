"""Tell from a recording's small pictures whether the lens was clear; no more is claimed than cells that show nothing.

A thing on the lens is out of focus and stays where it is: its cells have no detail and keep their level, beside others
that have and do not. A night sky and an evenly lit wall look the same but for their light, so those are told apart by it,
and counted by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from plainview.media.derived import Lens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LONG_CELLS: Final = 16
SHORT_CELLS: Final = 9
_LEAST_CELL_PX: Final = 6  # a smaller one has no room for detail

# Set on 23 clips from worn, dashboard and fixed cameras and drawn ones, by day and night: half of all cells of each have a
# detail of 2 to 32; an even wall or sky, 0.3 to 1.3; noise of one level, 0.5 to 1.3. That is no study of covered lenses.
FLAT_DETAIL: Final = 1.5  # mean second difference of luma, of 0 to 255, in a picture of 80 by 45
STILL_LEVELS: Final = (
    12.0  # most that the mean of a cell that shows nothing may vary; a walker's vary by 15 to 120
)
DARK_LEVEL: Final = 48.0  # a cell below it may be night
DAY_LEVEL: Final = 80.0  # beside what is as light as this on the mean, it is not night
SHADOW: Final = 0.75  # of the mean level beside it; what covers a lens is darker
PARTLY_PERMILLE: Final = 70  # a strap over a corner has 83; a shaded wall behind a desk had 55
MOSTLY_PERMILLE: Final = 750
DARK_PERMILLE: Final = 500


class Look(NamedTuple):
    """One small picture by cells: mean luma and mean detail of each, row by row."""

    levels: NDArray[np.float64]
    details: NDArray[np.float64]


def look(luma: NDArray[np.uint8]) -> Look | None:
    """Reduce a small picture, upright, to its cells; None where it is too small to say anything."""
    tall, wide = luma.shape
    columns, rows = (LONG_CELLS, SHORT_CELLS) if wide >= tall else (SHORT_CELLS, LONG_CELLS)
    if wide < columns * _LEAST_CELL_PX or tall < rows * _LEAST_CELL_PX:
        return None
    # Halved, so that a sensor's noise in the dark is not taken for detail.
    even = luma[: tall // 2 * 2, : wide // 2 * 2].astype(np.int32)
    half = (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4
    down, across = _edges(half.shape[0], rows), _edges(half.shape[1], columns)
    levels = _sums(half, down, across) / np.outer(np.diff(down), np.diff(across))
    details = (_bends(half, down, across) + _bends(half.T, across, down).T) / 2
    return Look(levels.ravel(), details.ravel())


def judge_lens(looks: Sequence[Look]) -> Lens | None:
    """Say how much of the picture is blocked, and whether the lens is clear.

    Args:
        looks: of one recording, by time.

    Returns:
        None with fewer than two: nothing shows then what stays and what changes.
    """
    if len(looks) < 2:
        return None
    levels = np.stack([each.levels for each in looks])
    details = np.sort(np.stack([each.details for each in looks]), axis=0)
    # In nine of ten pictures: a light that sweeps across once is no detail.
    usual = details[(len(looks) - 1) * 9 // 10]
    nothing = (usual < FLAT_DETAIL) & (np.ptp(levels, axis=0) < STILL_LEVELS)
    level = levels.mean(axis=0)
    # With nothing to compare with, what is not dark is even.
    shown_level = float(level[~nothing].mean()) if not nothing.all() else 0.0
    dark = nothing & (level < DARK_LEVEL) & (shown_level < DAY_LEVEL)
    # What covers a lens stands in its own shadow; a sky and a wall do not.
    even = nothing & ~dark & (level >= SHADOW * shown_level)
    blocked = nothing & ~dark & ~even
    shares = {"blocked": _permille(blocked), "dark": _permille(dark), "even": _permille(even)}
    return Lens(
        verdict=_verdict(**shares),
        blocked_permille=shares["blocked"],
        dark_permille=shares["dark"],
        even_permille=shares["even"],
        mean_level=round(float(level.mean())),
    )


def _verdict(*, blocked: int, dark: int, even: int) -> str:
    """Return one of derived.LENS_VERDICTS, of shares in thousandths."""
    if dark >= DARK_PERMILLE:
        return "too_dark"
    if blocked >= MOSTLY_PERMILLE:
        return "blocked"
    if blocked + dark + even >= MOSTLY_PERMILLE:
        return "even"
    return "partly_blocked" if blocked >= PARTLY_PERMILLE else "clear"


def _permille(cells: NDArray[np.bool_]) -> int:
    return int(cells.sum()) * 1000 // cells.size


def _edges(length: int, count: int) -> NDArray[np.int64]:
    return np.arange(count + 1) * length // count


def _sums(values: NDArray[np.float64], down: NDArray[np.int64], across: NDArray[np.int64]) -> NDArray[Any]:
    sums: NDArray[Any] = np.add.reduceat(np.add.reduceat(values, down[:-1], axis=0), across[:-1], axis=1)
    return sums


def _bends(half: NDArray[np.float64], down: NDArray[np.int64], across: NDArray[np.int64]) -> NDArray[Any]:
    """Return the mean second difference of each cell, along its lines; shading that changes evenly has none."""
    bends = np.zeros_like(half)
    bends[:, 1:-1] = np.abs(half[:, 2:] - 2 * half[:, 1:-1] + half[:, :-2])
    # Within cells only: the edge of what covers the next one is no detail of this.
    bends[:, across[:-1]] = 0.0
    bends[:, across[1:] - 1] = 0.0
    return _sums(bends, down, across) / np.outer(np.diff(down), np.diff(across) - 2)

"""A waveform as a page draws it; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# A wide screen has fewer dots than this; the answer stays below 40 kB.
MOST_BINS: Final = 4000
# How media.derived writes "no sound at all" in a pair of lowest and highest.
NO_SOUND: Final = (127, -128)


def fitting_level(levels: Sequence[Mapping[str, int]]) -> Mapping[str, int]:
    """Return the finest of a waveform's levels that a screen can show; the coarsest where none is."""
    return next((level for level in levels if level["bin_count"] <= MOST_BINS), levels[-1])


def for_page(facts: Mapping[str, Any], level: Mapping[str, int], data: bytes | memoryview) -> dict[str, Any]:
    """Return what a page draws.

    Args:
        facts: of the waveform, as media.derived says.
        level: one of its levels.
        data: the level's pairs of signed bytes.

    Returns:
        bin_ms; low and high, -127 to 127, None where there is no sound at all; silent and missing, [start_ms, end_ms].
    """
    values = memoryview(data).cast("b").tolist()
    pairs = list(zip(values[::2], values[1::2], strict=True))
    return {
        "bin_ms": level["bin_ms"],
        "low": [None if pair == NO_SOUND else pair[0] for pair in pairs],
        "high": [None if pair == NO_SOUND else pair[1] for pair in pairs],
        "silent": [[span["start_ms"], span["end_ms"]] for span in facts["silent"]],
        "missing": [[span["start_ms"], span["end_ms"]] for span in facts["missing"]],
    }

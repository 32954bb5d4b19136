"""The check at the start of a shift: what the camera itself can tell; the picture is looked at where it is handed in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from plainview.formats.times import format_at

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from plainview.formats.capture import CaptureFact

SILENCE_DBFS: Final = -120


class SoundLevel:
    """The level of the sound that was heard since it was last asked about."""

    def __init__(self) -> None:
        self._power = 0.0
        self._count = 0

    def hear(self, samples: NDArray[np.float32]) -> None:
        """Take sound: float32, -1 to 1."""
        self._power += float(np.square(samples, dtype=np.float64).sum())
        self._count += len(samples)

    def take_dbfs(self) -> int | None:
        """Return the mean level and begin anew.

        Returns:
            Decibels below a sine that fills the range, from SILENCE_DBFS to 3; None where nothing was heard.

        Source: AES17-2020 section 3.12.3 (0 dB FS is the level of a full-scale sine).
        """
        power, count = self._power, self._count
        self._power, self._count = 0.0, 0
        if not count:
            return None
        return max(SILENCE_DBFS, round(10 * math.log10(max(2 * power / count, 1e-12))))


def check_facts(
    *, at: datetime, charge_percent: int | None, sound_dbfs: int | None, worn: str
) -> dict[str, CaptureFact]:
    """Return what the event `checked` says; what is not known says so.

    Args:
        at: by the camera's clock; aware UTC.
        charge_percent: of the battery; None where it does not say.
        sound_dbfs: as SoundLevel.take_dbfs returns it.
        worn: one of capture.WORN_POSITIONS.
    """
    return {
        "date": format_at(at),
        "charge_percent": "unknown" if charge_percent is None else charge_percent,
        "sound_dbfs": "no_sound" if sound_dbfs is None else sound_dbfs,
        "worn": worn,
    }

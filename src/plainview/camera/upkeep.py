"""Look after battery and storage: what a camera notices by itself, as events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plainview.camera.events import Event, Noted, PowerOff, Storage

if TYPE_CHECKING:
    from pathlib import Path

    from plainview.camera.rules import State

FULL_BYTES: Final = 32 << 20
_CLEAR_BYTES: Final = 64 << 20
_LOW_S: Final = 600
# How often a storage that failed is tried again.
_RETRY_MS: Final = 30_000
_CHARGE_STEP_PERCENT: Final = 5
_EMPTY_PERCENT: Final = 1


class Upkeep:
    """Remembers what it said, so that it says what is new."""

    def __init__(self) -> None:
        self._charge: int | None = None
        self._is_low = False
        self._tried_ms = 0
        self._dropped = self._dark = 0

    def look(
        self,
        state: State,
        *,
        mono_ms: int,
        free_bytes: int,
        bit_rate_bps: int,
        charge_percent: int | None,
        dropped: int = 0,
        failed_lamps: int = 0,
    ) -> list[Event]:
        """Return what has happened since the last look.

        Args:
            state: of the camera.
            mono_ms: since it was switched on.
            free_bytes: of the storage.
            bit_rate_bps: at which it fills.
            charge_percent: of the battery; None where there is none, or it does not say.
            dropped: how many pictures came that there was no time to take, since it was switched on.
            failed_lamps: how many lamps broke since then.
        """
        found = [
            *self._storage(state, mono_ms, free_bytes, bit_rate_bps),
            *self._battery(mono_ms, charge_percent),
        ]
        if dropped > self._dropped:
            found.append(
                Noted(mono_ms, "fault", {"what": "pictures_dropped", "count": dropped - self._dropped})
            )
            self._dropped = dropped
        if failed_lamps > self._dark:
            found.append(Noted(mono_ms, "fault", {"what": "light", "count": failed_lamps - self._dark}))
            self._dark = failed_lamps
        return found

    def _storage(self, state: State, mono_ms: int, free_bytes: int, bit_rate_bps: int) -> list[Event]:
        if state.is_full or state.is_broken:
            is_time = mono_ms - self._tried_ms >= _RETRY_MS
            self._tried_ms = mono_ms if is_time else self._tried_ms
            return [Storage(mono_ms, "ok")] if is_time and free_bytes >= _CLEAR_BYTES else []
        self._tried_ms = mono_ms
        free_mb = {"free_mb": free_bytes >> 20}
        if free_bytes < FULL_BYTES:
            return [Storage(mono_ms, "full", free_mb)]
        is_low = free_bytes < bit_rate_bps // 8 * _LOW_S
        is_new, self._is_low = is_low and not self._is_low, is_low
        return [Storage(mono_ms, "low", free_mb)] if is_new else []

    def _battery(self, mono_ms: int, charge_percent: int | None) -> list[Event]:
        if charge_percent is None:
            return []
        known, found = self._charge, list[Event]()
        if known is None or abs(charge_percent - known) >= _CHARGE_STEP_PERCENT:
            self._charge = charge_percent
            found.append(Noted(mono_ms, "battery", {"percent": charge_percent}))
        if charge_percent <= _EMPTY_PERCENT:
            found.append(PowerOff(mono_ms, "battery"))
        return found


def battery_percent(supplies: Path) -> int | None:
    """Return the charge of the first battery that says; None where none does.

    Args:
        supplies: the folder of Linux's power supplies, /sys/class/power_supply.

    Source: Linux, Documentation/ABI/testing/sysfs-class-power.
    """
    for folder in sorted(supplies.glob("*")):
        try:
            percent = int((folder / "capacity").read_text())
        except (OSError, ValueError):
            continue
        return min(100, max(0, percent))
    return None

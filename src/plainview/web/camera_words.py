"""How cameras, their clocks and their settings are put in words, and read from forms; pure."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from plainview.formats.camera_orders import SETTING_LIMITS, CameraSettings
from plainview.web import words
from plainview.web.capture_words import WORN

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_STATES: Final[Mapping[str, str]] = {
    "waiting": "Waits to be admitted",
    "admitted": "Admitted",
    "refused": "Refused",
    "revoked": "Counts no longer",
}
# Pictures that cameras on sale make, and the recorder's own.
SIZES: Final = ((640, 360), (1280, 720), (1920, 1080), (2560, 1440), (3840, 2160))
# Of a number in a form: what it is called, its unit, and how many of ours one of those is.
NUMBERS: Final[Mapping[str, tuple[str, str, int]]] = {
    "buffer_ms": ("Kept from before the start", "seconds", 1000),
    "post_ms": ("Goes on after the stop", "seconds", 1000),
    "fragment_ms": ("Length of a fragment", "seconds", 1000),
    "frame_rate": ("Pictures a second", "", 1),
    "bit_rate_bps": ("Data rate", "million bits a second", 1_000_000),
    "reminder_ms": ("Reminds its wearer every", "seconds", 1000),
    "hold_ms": ("Button held to stop", "seconds", 1000),
    "longest_ms": ("Longest recording", "minutes", 60_000),
}
_SIGN: Final = {True: "fast", False: "slow"}


class FormValueError(ValueError):
    """A field of a form says something that cannot be; its words are for the person who typed it."""


def clock_words(error_ms: int | None, doubt_ms: int | None) -> str:
    """Say how far off a camera's clock was found: 2.5 s fast (+/-0.1 s)."""
    if error_ms is None:
        return "not known"
    if abs(error_ms) < 60_000:
        said = f"{abs(error_ms) / 1000:.1f} s"
    else:
        said = words.format_duration(abs(error_ms)) if abs(error_ms) < 86_400_000 else _days(error_ms)
    doubt = "" if doubt_ms is None else f" (+/-{doubt_ms / 1000:.1f} s)"
    return f"{said} {_SIGN[error_ms > 0]}{doubt}" if error_ms else f"right{doubt}"


def settings_words(settings: CameraSettings) -> list[tuple[str, str]]:
    """Return how cameras record, as names and values."""
    said = []
    for name, (label, unit, scale) in NUMBERS.items():
        said.append((label, f"{number_words(getattr(settings, name), scale)} {unit}".rstrip()))
        if name == "buffer_ms":
            said.append(("Sound of that", "with sound" if settings.has_buffer_sound else "without sound"))
        if name == "fragment_ms":
            said.append(("Picture", f"{settings.width_px} by {settings.height_px}"))
    return [*said, ("Worn", WORN[settings.worn]), ("Place's zone", settings.zone)]


def number_words(value: int, scale: int) -> str:
    """Write a number in the unit that a form has it in: 30, 2.5."""
    return f"{value / scale:.3f}".rstrip("0").rstrip(".") if scale > 1 else str(value)


def limits_words(name: str) -> str:
    """Say between what a number of the settings may lie: 0 to 120."""
    _, _, scale = NUMBERS[name]
    least, greatest = SETTING_LIMITS[name]
    return f"{number_words(least, scale)} to {number_words(greatest, scale)}"


def size_words(size: tuple[int, int]) -> str:
    """Write a size of the picture as the form's value: 1920x1080."""
    return f"{size[0]}x{size[1]}"


def read_settings(
    given: Mapping[str, str], *, before: CameraSettings
) -> tuple[CameraSettings, dict[str, str]]:
    """Return settings as a form has them, and what is wrong with it, by field.

    Args:
        given: the form's fields.
        before: settings in force; what the form does not have stays as it is.
    """
    found: dict[str, Any] = {each.name: getattr(before, each.name) for each in fields(CameraSettings)}
    errors: dict[str, str] = {}
    for name in NUMBERS:
        try:
            found[name] = _read_number(name, given.get(name, ""))
        except FormValueError as error:
            errors[name] = str(error)
    found["has_buffer_sound"] = bool(given.get("has_buffer_sound"))
    offered = {size_words(size): size for size in (*SIZES, (before.width_px, before.height_px))}
    if given.get("size") in offered:
        found["width_px"], found["height_px"] = offered[given["size"]]
    else:
        errors["size"] = "Choose one of these sizes."
    if given.get("worn") in WORN:
        found["worn"] = given["worn"]
    else:
        errors["worn"] = "Choose one of these places."
    return CameraSettings(**found), errors


def read_local(text: str, *, zone: str) -> datetime:
    """Return the moment that a field of date and time means at a place.

    Args:
        text: as browsers send it: 2026-03-14T23:52, with or without seconds.
        zone: IANA name of the place's zone.

    Raises:
        FormValueError: it is none, or the clocks of the place show it twice or never.
    """
    try:
        local = datetime.fromisoformat(text.strip())
    except ValueError:
        raise FormValueError("Give a date and a time.") from None
    if local.tzinfo is not None or not 1970 <= local.year <= 9000:
        raise FormValueError("Give a date and a time.")
    placed = local.replace(tzinfo=words.zone_named(zone))
    if placed.utcoffset() != placed.replace(fold=1).utcoffset():
        raise FormValueError("The clocks are changed just then: give a time an hour earlier or later.")
    return placed.astimezone(UTC)


def local_words(at: datetime, *, zone: str) -> str:
    """Write a moment as a field of date and time has it."""
    return at.astimezone(words.zone_named(zone)).strftime("%Y-%m-%dT%H:%M")


def _read_number(name: str, text: str) -> int:
    _, _, scale = NUMBERS[name]
    least, greatest = SETTING_LIMITS[name]
    try:
        value = round(float(text) * scale)
    except (ValueError, OverflowError):
        raise FormValueError(f"Give a number from {limits_words(name)}.") from None
    if not least <= value <= greatest:
        raise FormValueError(f"Give a number from {limits_words(name)}.")
    return value


def _days(error_ms: int) -> str:
    return words.plural(abs(error_ms) // 86_400_000, "day")

"""Pure rules of connected systems: what their containers and objects are, and what their metadata says.

Source: Axis Body Worn Content Destination API (Apache-2.0), README.md of its public repository.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from plainview.evidence.rules import CaptureTimes, Trigger, printable_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAKE = "Axis"
SYSTEM, USERS, DEVICES = "System", "Users", "Devices"
LISTS = {SYSTEM: "system", USERS: "user", DEVICES: "device"}
REJECTED_PREFIX = "RejectedContent_"
CLIP_SUFFIXES = (".mp4", ".mkv")
KEY_SUFFIX, TRACK_SUFFIX, BOOKMARK_PREFIX = ".key", "_gpstrail.json", "bookmark_"
# What a system may say of a container or an object: its own fields are some twenty, each of at most 100 characters.
KEYS_LIMIT, KEY_LIMIT, VALUE_LIMIT, METADATA_LIMIT = 90, 128, 2048, 16_384
CONTAINER_NAME_LIMIT_BYTES, OBJECT_NAME_LIMIT_BYTES = 256, 1024
OBJECTS_LIMIT, LISTED_LIMIT = 10_000, 100_000
TEXT_LIMIT_BYTES = 256 << 10
TRACK_LIMIT_BYTES = 16 << 20
POINTS_LIMIT = 100_000
REASON_LIMIT, SERIAL_LIMIT = 64, 64
# An epoch in seconds has ten digits until 2286; one in milliseconds has more.
MILLISECONDS_FROM = 100_000_000_000

_POINT = re.compile(
    r"\s*POINT\s*\(\s*(-?[0-9.]{1,24})\s+(-?[0-9.]{1,24})(?:\s+-?[0-9.]{1,24})?\s*\)\s*\Z", re.IGNORECASE
)


@dataclass(frozen=True)
class Press:
    """What a container says of one press of a camera's button.

    Attributes:
        serial: of the camera; empty where it does not say.
        model: of the camera.
        user: the system's own name for who wore it; empty where it does not say.
        times: when it was made; None where it does not say when it started.
        trigger: what started and ended it.
    """

    serial: str
    model: str
    user: str
    times: CaptureTimes | None
    trigger: Trigger


@dataclass(frozen=True)
class Bookmark:
    """A moment or span that came marked.

    Attributes:
        start_at: None is the recording's beginning.
        end_at: None where it is a moment.
        category: its name; empty where it has none.
        particulars: what else it says, by the system's own keys.
    """

    start_at: datetime | None
    end_at: datetime | None
    category: str
    particulars: Mapping[str, str]


def is_list(container: str) -> bool:
    """Say whether a container is one of a system's own lists, and no recording."""
    return container in LISTS


def is_rejected(container: str) -> bool:
    """Say whether a container is for content that was refused before."""
    return container.startswith(REJECTED_PREFIX)


def object_kind(container: str, name: str) -> str:
    """Return what an object is, by its place and name: one of camera_rules.DESTINATION_OBJECT_KINDS."""
    if is_list(container):
        return LISTS[container]
    lowered = name.lower()
    if lowered.endswith(KEY_SUFFIX):
        return "key"
    if lowered.endswith(TRACK_SUFFIX):
        return "track"
    if lowered.startswith(BOOKMARK_PREFIX):
        return "bookmark"
    return "clip" if lowered.endswith(CLIP_SUFFIXES) else "other"


def set_aside_name(name: str, number: int) -> str:
    """Return the name under which an object is kept whose name another has taken, counted from 1."""
    return f"{name} (replaced {number})"


def is_set_aside(name: str) -> bool:
    """Say whether an object is kept under such a name."""
    return re.search(r" \(replaced [0-9]+\)\Z", name) is not None


def merge_metadata(before: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Return a container's metadata after an update: what is new replaces, and what is empty removes.

    Source: OpenStack Object Storage API, "Create, update, or delete container metadata".
    """
    return {key: value for key, value in {**before, **new}.items() if value}


def metadata_problem(metadata: Mapping[str, str]) -> str | None:
    """Return why metadata cannot be kept, or None."""
    if len(metadata) > KEYS_LIMIT:
        return f"{len(metadata)} metadata fields; expected at most {KEYS_LIMIT}"
    for key, value in metadata.items():
        if not key or len(key) > KEY_LIMIT or len(value) > VALUE_LIMIT:
            return f"metadata field {key!r:.40}: expected a name of 1 to {KEY_LIMIT} characters and at most {VALUE_LIMIT} of value"
        if any(ord(c) < 32 or c == "\x7f" for c in key + value):
            return f"metadata field {key!r:.40} holds a control character"
    total = sum(len(key) + len(value) for key, value in metadata.items())
    if total > METADATA_LIMIT:
        return f"{total} characters of metadata; expected at most {METADATA_LIMIT}"
    return None


def name_problem(name: str, *, limit_bytes: int) -> str | None:
    """Return why something cannot have this name, or None.

    No name is ever a path here; but one that is meant to lead elsewhere says that something is wrong with the sender.
    """
    if not name or len(name.encode("utf-8", "surrogatepass")) > limit_bytes:
        return f"expected a name of 1 to {limit_bytes} bytes"
    if any(ord(c) < 32 or c == "\x7f" or 0xD800 <= ord(c) <= 0xDFFF for c in name):
        return "the name holds a control character or no text"
    if any(part in {".", ".."} for part in name.split("/")):
        return "the name leads elsewhere"
    return None


def is_complete(metadata: Mapping[str, str]) -> bool:
    """Say whether a container's metadata says that nothing more will come."""
    return metadata.get("status", "").lower() == "complete"


# --- one press of the button


def press_of(name: str, metadata: Mapping[str, str], *, zone: str) -> Press:
    """Return what a container says; its name, USER_SERIAL_TIME, stands in for what its metadata leaves out.

    Args:
        name: of the container.
        metadata: its keys in lower case.
        zone: IANA zone for a container that names none, or one that nobody knows.
    """
    user, serial = _named(name)
    started_at, ended_at = _moment(metadata, "starttime"), _moment(metadata, "stoptime")
    times = None
    if started_at is not None:
        # A stop before the start says only that one of them is wrong.
        ended_at = ended_at if ended_at is not None and ended_at >= started_at else None
        times = CaptureTimes(started_at, ended_at, _zone(metadata.get("timezone", ""), zone), "camera")
    return Press(
        serial=plain_serial(metadata.get("bwcserialnumber") or serial),
        model=metadata.get("bwcmodel", "")[:SERIAL_LIMIT],
        user=metadata.get("userid") or user,
        times=times,
        trigger=Trigger(
            on_at=_moment(metadata, "triggerontime"),
            on_reason=metadata.get("triggeron", "")[:REASON_LIMIT],
            off_at=_moment(metadata, "triggerofftime"),
            off_reason=metadata.get("triggeroff", "")[:REASON_LIMIT],
        ),
    )


def plain_serial(serial: str) -> str:
    """Return a serial number as the records can hold it; empty stays empty."""
    return printable_name(serial)[:SERIAL_LIMIT] if serial else ""


def _named(name: str) -> tuple[str, str]:
    user, _, rest = name.partition("_")
    serial, _, when = rest.rpartition("_")
    return (user, serial) if serial and when and not is_rejected(name) else ("", "")


def _zone(said: str, other: str) -> str:
    try:
        return ZoneInfo(said).key if said else other
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return other


def _moment(metadata: Mapping[str, str], key: str) -> datetime | None:
    """Return a time that is said twice: as RFC 3339 under KEYiso, and as seconds since 1970 under KEY."""
    return parse_moment(metadata.get(key + "iso", "")) or parse_moment(metadata.get(key, ""))


def parse_moment(text: str) -> datetime | None:
    """Return a time as these systems write it: RFC 3339, or seconds or milliseconds since 1970; None if it is none."""
    try:
        if re.fullmatch(r"[0-9]{1,16}(?:\.[0-9]{1,9})?", text):
            number = float(text)
            seconds = number / 1000 if number >= MILLISECONDS_FROM else number
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=round(seconds * 1000))
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def clip_start(metadata: Mapping[str, str], name: str) -> tuple[int, str]:
    """Return what clips are put in order by: when they started, in milliseconds since 1970, then their names."""
    moment = _moment(metadata, "starttime")
    return (0 if moment is None else round(moment.timestamp() * 1000), name)


# --- what comes along


def key_names(name: str, there: Iterable[str]) -> list[str]:
    """Return the key files among the objects of a container that may belong to one of them, likeliest first.

    The specification names them <start>_<recording>.key, and its own script <clip>.mkv.key; a track's begins as the
    track does.
    """
    stem = name.rpartition(".")[0] or name
    known = {each for each in there if each.lower().endswith(KEY_SUFFIX)}
    likely = [each for each in dict.fromkeys((name + KEY_SUFFIX, stem + KEY_SUFFIX)) if each in known]
    begins = sorted(
        (each for each in known - set(likely) if stem.startswith(each[: -len(KEY_SUFFIX)] + "_")), key=len
    )
    return likely + begins[::-1]


def bookmark_of(metadata: Mapping[str, str]) -> Bookmark:
    """Return what a bookmark's metadata says, keys in lower case."""
    named = {"starttime", "endtime", "categoryname"}
    return Bookmark(
        start_at=parse_moment(metadata.get("starttime", "")),
        end_at=parse_moment(metadata.get("endtime", "")),
        category=metadata.get("categoryname", "")[:255],
        particulars={key: value for key, value in metadata.items() if key not in named},
    )


def position_ms(at: datetime | None, started_at: datetime | None) -> int | None:
    """Return where in a recording a moment is; None where either is unknown, or it was before."""
    if at is None or started_at is None or at < started_at:
        return None
    return round((at - started_at) / timedelta(milliseconds=1))


def parse_track(data: bytes) -> list[list[float | None]] | None:
    """Return the points of a location file, or None where it is none.

    Returns:
        [[position_ms, latitude, longitude, None], ...] in degrees, WGS 84; positions from the recording's start.

    Example:
        {"CoordinateEntries": [{"LocationWKT": "POINT(13.22 55.71)", "SecondsFromStart": 64.0, "Timestamp": "..."}]}
    """
    try:
        entries = json.loads(data.decode("utf-8"))["CoordinateEntries"]
        points = [_point(entry) for entry in entries[:POINTS_LIMIT]]
    except (
        UnicodeDecodeError,
        RecursionError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
    ):
        return None
    return [point for point in points if point is not None]


def _point(entry: Any) -> list[float | None] | None:
    match = _POINT.match(entry["LocationWKT"])
    if match is None:
        return None
    longitude, latitude = float(match[1]), float(match[2])
    if abs(latitude) > 90 or abs(longitude) > 180:
        return None
    return [round(float(entry["SecondsFromStart"]) * 1000), latitude, longitude, None]

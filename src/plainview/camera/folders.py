"""Where a camera keeps what: paths below its home and its storage, and `about.json`, which says what a stream is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from plainview.camera.disk import STORAGE_MODE, read_file, write_atomically
from plainview.camera.state import HEAD_PREFIX, stream_counter
from plainview.formats.canonical import canonical_json, parse_canonical_json
from plainview.formats.capture import PURPOSES, STREAM_ID
from plainview.formats.errors import FormatError
from plainview.formats.fields import check_count, check_record, check_text

if TYPE_CHECKING:
    from plainview.camera.disk import CameraDisk

FOOTAGE, JOURNAL, ABOUT = "footage.sealed", "journal.sealed", "about.json"
SEALED_FILES = (FOOTAGE, JOURNAL)
# Made before anything of a stream is erased, so that half an erasure is finished at the next power-on.
ERASE_MARK = "erase"
_ABOUT_LIMIT_BYTES = 4096
_ABOUT_KEYS = frozenset({"v", "stream", "counter", "purpose", "is_closed", "is_critical"})


@dataclass(frozen=True)
class StreamAbout:
    """What a camera shows of a stream to whoever finds it: no times, no places.

    Attributes:
        stream: its id.
        counter: of its journal.
        purpose: one of capture.PURPOSES.
        is_closed: whether its last line says that nothing more belongs to it.
        is_critical: whether a dock should hand it in first.
    """

    stream: str
    counter: int
    purpose: str
    is_closed: bool
    is_critical: bool


def streams_path(storage: str) -> str:
    """Return the folder of all streams."""
    return f"{storage}/streams"


def receipts_path(storage: str) -> str:
    """Return the folder into which a dock puts receipts, where the camera is plugged in as mass storage."""
    return f"{storage}/receipts"


def stream_path(storage: str, stream: str) -> str:
    """Return the folder of one stream."""
    return f"{storage}/streams/{stream}"


def head_path(home: str, stream: str) -> str:
    """Return the file that says how far an open journal has come; see state.py."""
    return f"{home}/{HEAD_PREFIX}{stream}"


def list_streams(disk: CameraDisk, storage: str) -> list[str]:
    """Return the ids of all streams on the storage, in the order they were begun."""
    names = (name for name in disk.list_folder(streams_path(storage)) if STREAM_ID.match(name))
    names = (name for name in names if disk.is_folder(stream_path(storage, name)))
    return sorted(names, key=lambda name: (stream_counter(name), name))


def format_about(about: StreamAbout) -> bytes:
    """Write what a camera shows of a stream."""
    return canonical_json(about_record(about))


def about_record(about: StreamAbout) -> dict[str, Any]:
    """Return the same as a record for JSON."""
    return {
        "v": 1,
        "stream": about.stream,
        "counter": about.counter,
        "purpose": about.purpose,
        "is_closed": about.is_closed,
        "is_critical": about.is_critical,
    }


def parse_about(data: bytes) -> StreamAbout:
    """Read what a camera shows of a stream.

    Raises:
        FormatError: not what format_about writes.
    """
    what = "about.json"
    value = parse_canonical_json(data, what=what, limit_bytes=_ABOUT_LIMIT_BYTES)
    record = check_record(value, what=what, keys=_ABOUT_KEYS)
    for field in ("is_closed", "is_critical"):
        if type(record[field]) is not bool:
            raise FormatError(what, f"{field}: expected true or false")
    if check_text(record["purpose"], what=what, field="purpose") not in PURPOSES:
        raise FormatError(what, f"purpose: expected one of {', '.join(PURPOSES)}")
    return StreamAbout(
        stream=check_text(record["stream"], what=what, field="stream", pattern=STREAM_ID),
        counter=check_count(record["counter"], what=what, field="counter", at_least=1),
        purpose=record["purpose"],
        is_closed=record["is_closed"],
        is_critical=record["is_critical"],
    )


def write_about(disk: CameraDisk, storage: str, about: StreamAbout) -> None:
    """Let a stream's folder say this of it, durably, or what it said before."""
    path = f"{stream_path(storage, about.stream)}/{ABOUT}"
    write_atomically(disk, path, format_about(about), mode=STORAGE_MODE)


def read_about(disk: CameraDisk, storage: str, stream: str) -> StreamAbout:
    """Return what a stream's folder says of it; where that is gone, what its name says.

    A camera's storage may be a card that anybody can write to: no stream may hide behind a damaged file.
    """
    try:
        path = f"{stream_path(storage, stream)}/{ABOUT}"
        return replace(parse_about(read_file(disk, path, limit_bytes=_ABOUT_LIMIT_BYTES)), stream=stream)
    except (FileNotFoundError, FormatError):
        return StreamAbout(stream, stream_counter(stream), "recording", is_closed=False, is_critical=False)

"""Pure rules of the dock: what goes first, how fast, what may be erased, and when a camera is safe to take."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

MIB = 1 << 20
# Waiting after a failure: doubled each time, never longer than a minute, so that a server that comes back is used soon.
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 60.0
# A receipt takes until the log's next checkpoint: asked for soon, then more rarely.
FIRST_POLL_S = 0.1
LONGEST_POLL_S = 5.0
# What an offload can come to: see evidence.camera_rules.OFFLOAD_STATES.
TAKEN_IN = frozenset({"received", "duplicate", "quarantined"})
TURNED_DOWN = frozenset({"refused", "dropped"})

KINDS = ("footage", "journal", "file")
# The states of one file at the dock.
FILE_STATES = ("waiting", "sending", "sent", "checked", "failed")


@dataclass(frozen=True)
class DockFile:
    """A file on a camera or card.

    Attributes:
        group: what it is erased together with: the id of its stream, or the name of its group on a card.
        kind: one of KINDS.
        path: below the camera's storage, with slashes; never used as a path on any other machine.
        size_bytes: of it.
        mtime_ns: when it was last written, by whoever wrote it; 0 where the camera does not say.
        counter: the place in time that the camera gave its group; greater is later.
        is_critical: whether it goes before others.
        may_erase: whether it may be erased once its receipt was checked.
        particulars: what a sidecar or pattern says of it.
    """

    group: str
    kind: str
    path: str
    size_bytes: int
    mtime_ns: int
    counter: int
    # Neither says which file it is: the server may want it first, and a sidecar may be mended.
    is_critical: bool = field(compare=False)
    may_erase: bool = True
    particulars: Mapping[str, object] | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """Its name without the folders above it."""
        return self.path.rpartition("/")[2]


def is_small(file: DockFile) -> bool:
    """Say whether a file is a journal: small, and it says of a recording what nothing else does."""
    return file.kind == "journal"


def urgency(file: DockFile) -> tuple[int, int, str]:
    """Return what files are put in order by: critical ones first, then journals, then the oldest.

    A critical recording's journal and footage go together; of one group the journal goes first.
    """
    small_or_large = 1 if is_small(file) else 2
    rank = 0 if file.is_critical else small_or_large
    return rank, file.counter, f"{file.group}/{KINDS[::-1].index(file.kind)}/{file.path}"


def in_order(files: Iterable[DockFile], critical: Iterable[str] = ()) -> list[DockFile]:
    """Put files in the order they are handed in.

    Args:
        files: of one camera.
        critical: groups that the server wants first, besides those the camera marked.
    """
    first = frozenset(critical)
    marked = (replace(file, is_critical=True) if file.group in first else file for file in files)
    return sorted(marked, key=urgency)


# --- clocks


@dataclass(frozen=True)
class ClockReading:
    """What another machine's clock said, and how much of that may be the way there and back.

    Attributes:
        at: what it said; aware UTC.
        mono_s: the dock's own monotonic clock in the middle of asking.
        doubt_ms: the truth lies within so many milliseconds on either side.
    """

    at: datetime
    mono_s: float
    doubt_ms: float


def read_clock(at: datetime, *, asked_mono_s: float, heard_mono_s: float) -> ClockReading:
    """Return a reading; the answer was made at some moment between asking and hearing.

    Source: Cristian, "Probabilistic clock synchronization", Distributed Computing 3 (1989).
    """
    half_s = max(0.0, heard_mono_s - asked_mono_s) / 2
    # What was said is rounded to milliseconds.
    return ClockReading(at, asked_mono_s + half_s, half_s * 1000 + 1)


def best_reading(readings: Sequence[ClockReading]) -> ClockReading:
    """Return the reading with the least doubt."""
    return min(readings, key=lambda reading: reading.doubt_ms)


def clock_error(camera: ClockReading, server: ClockReading) -> tuple[int, int]:
    """Return by how many milliseconds the camera's clock is ahead of the server's, and the doubt, rounded up."""
    passed = timedelta(seconds=camera.mono_s - server.mono_s)
    error = (camera.at - server.at - passed) / timedelta(milliseconds=1)
    return round(error), int(camera.doubt_ms + server.doubt_ms) + 1


# --- speed


@dataclass(frozen=True)
class Bucket:
    """A token bucket: how many bytes may go now.

    Attributes:
        bytes_per_s: what may go in the long run; 0 sets no limit.
        burst_bytes: what may go at once after a pause.
        has_bytes: what may go now; less than nothing is a debt that has to be waited off.
        at_s: when that was so, by a monotonic clock.
    """

    bytes_per_s: float
    burst_bytes: int
    has_bytes: float
    at_s: float


def new_bucket(bytes_per_s: float, *, now_s: float, burst_bytes: int = MIB) -> Bucket:
    """Return a full bucket."""
    return Bucket(bytes_per_s, burst_bytes, burst_bytes, now_s)


def take_bytes(bucket: Bucket, size_bytes: int, *, now_s: float) -> tuple[Bucket, float]:
    """Take so many bytes; return the bucket that is left, and how many seconds to wait before sending them."""
    if bucket.bytes_per_s <= 0:
        return bucket, 0.0
    grown = bucket.has_bytes + max(0.0, now_s - bucket.at_s) * bucket.bytes_per_s
    left = min(float(bucket.burst_bytes), grown) - size_bytes
    taken = replace(bucket, has_bytes=left, at_s=max(now_s, bucket.at_s))
    return taken, max(0.0, -left / bucket.bytes_per_s)


def piece_bytes(limit_bytes: int, bytes_per_s: float) -> int:
    """Return how much is sent in one piece: whole MiB, at most what the server says, about two seconds' worth."""
    most = max(1, limit_bytes // MIB)
    if bytes_per_s > 0:
        most = min(most, max(1, int(bytes_per_s * 2) // MIB))
    return most * MIB


def retry_wait_s(failures: int, *, asked_s: float = 0.0, luck: float = 1.0) -> float:
    """Return how long to wait after so many failures in a row.

    Args:
        failures: at least 1.
        asked_s: what the server asked for; waited for at least so long.
        luck: 0 to 1, drawn anew each time, so that many docks do not all come back at once.
    """
    most = min(LONGEST_WAIT_S, FIRST_WAIT_S * float(1 << min(failures - 1, 20)))
    return max(asked_s * (1 + luck / 2), most * (0.5 + luck / 2))


def poll_wait_s(polls: int) -> float:
    """Return how long to wait before asking for a receipt again."""
    return min(LONGEST_POLL_S, FIRST_POLL_S * float(1 << min(polls, 20)))


def time_left_s(*, left_bytes: int, sent_bytes: int, elapsed_s: float) -> float | None:
    """Return about how long the rest takes at the speed so far; None where there is nothing to go by yet."""
    if left_bytes <= 0:
        return 0.0
    if sent_bytes <= 0 or elapsed_s < 3.0:
        return None
    return left_bytes * elapsed_s / sent_bytes


# --- erasing, and taking the camera


@dataclass(frozen=True)
class FileState:
    """A file and how far it is.

    Attributes:
        file: it.
        state: one of FILE_STATES.
        sha256: of its bytes as they lie on the camera, 64 hex digits; empty before they were read.
        sent_bytes: how much of it the server has.
        receipt: checked, byte for byte; None before.
        recording: the identifier it became, where the server says.
        outcome: what the server made of it: received, duplicate, quarantined, refused, dropped.
        why: where something is not as it should be: one sentence.
        is_erased: whether the camera does not have it any more.
    """

    file: DockFile
    state: str = "waiting"
    sha256: str = ""
    sent_bytes: int = 0
    receipt: bytes | None = None
    recording: str = ""
    outcome: str = ""
    why: str = ""
    is_erased: bool = False

    @property
    def is_checked(self) -> bool:
        """Whether a receipt was checked that covers it."""
        return self.state == "checked" and self.receipt is not None


def may_erase(files: Sequence[FileState]) -> bool:
    """Say whether what belongs together may be erased: every file of it has a checked receipt, and may go."""
    return bool(files) and all(each.is_checked and each.file.may_erase for each in files)


def groups_to_erase(files: Sequence[FileState]) -> list[list[FileState]]:
    """Return what may be erased now, in groups that go together."""
    groups: dict[str, list[FileState]] = {}
    for each in files:
        groups.setdefault(each.file.group, []).append(each)
    return [
        group
        for group in groups.values()
        if may_erase(group) and not all(each.is_erased or each.why for each in group)
    ]


def is_safe_to_take(files: Sequence[FileState], *, is_listed: bool, is_recording: bool) -> bool:
    """Say whether a person may take the camera: all that is on it was listed, and every file of it is checked."""
    return is_listed and not is_recording and all(each.is_checked for each in files)

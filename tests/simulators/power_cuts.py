"""A camera on a disk that forgets what was not synced: the model of power_cut.py with what a camera asks besides.

Here too every name and every unsynced tail may or may not reach the disk, each on its own.
"""

from __future__ import annotations

import errno
import io
import os
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from plainview.camera.errors import CameraError
from plainview.camera.folders import FOOTAGE, JOURNAL, list_streams, stream_path
from plainview.camera.identity import create_camera, open_camera
from plainview.camera.journal import sign_note
from plainview.camera.state import stream_counter
from plainview.camera.stream import StreamStart, begin_stream
from plainview.formats.camera_orders import CameraOrders, CameraSettings, format_camera_orders
from plainview.formats.capture import CaptureStart
from plainview.formats.note import ED25519, VerifierKey, format_vkey
from plainview.verify.capture import check_capture
from plainview.verify.capture_chain import check_journal_chain, journal_link
from plainview.verify.verdicts import ALTERED, MISSING, OK
from simulators.opened_files import open_pieces
from simulators.power_cut import PowerCut, PowerCutDisk

HOME, STORAGE = Path("/disk/home"), Path("/disk/storage")
NAME = "cam.example.org/SN42"
SEVEN = datetime(2026, 3, 15, 7, tzinfo=UTC)
DEPARTMENT = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\1")
DEPARTMENT_KEY = VerifierKey("example.org/department", ED25519, DEPARTMENT.public_key().public_bytes_raw())
LOST_STREAM = "a stream that was begun is lost"
VAULT = X25519PrivateKey.from_private_bytes(bytes(31) + b"\2")


class CameraModelDisk(PowerCutDisk):
    """The model with the calls that only a camera makes; `room_bytes` is what it says is free."""

    def __init__(self, root="/disk"):
        super().__init__(root)
        self.room_bytes = 1 << 40

    def replace(self, old, new):
        old_folder, old_name = self._tick(old)
        folder, name = self._find(new)
        if old_name not in old_folder:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        folder[name] = old_folder.pop(old_name)

    def remove_folder(self, path):
        folder, name = self._tick(path)
        if self._names[path]:
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
        del folder[name]
        # Its own names stay known: the removal may not reach the disk.
        self._removed.add(path)

    def is_folder(self, path):
        return path in self._names and path not in self._removed

    @property
    def _removed(self):
        return self.__dict__.setdefault("_removed_folders", set())

    def free_bytes(self, path):
        self._tick()
        return self.room_bytes

    def settle(self):
        """Let everything written so far be on the disk, whoever synced it or not."""
        self._synced = {file: bytes(written) for file, written in self._written.items()}
        self._synced_names = {path: dict(names) for path, names in self._names.items()}


class FailingDisk(CameraModelDisk):
    """The call number `fail_at` fails with `error_number`, once; everything else happens."""

    def __init__(self, root="/disk"):
        super().__init__(root)
        self.fail_at, self.error_number = None, errno.EIO

    def _tick(self, path=None):
        found = super()._tick(path)
        if self.calls == self.fail_at:
            raise OSError(self.error_number, os.strerror(self.error_number))
        return found


def orders_note(
    public_key,
    *,
    at=SEVEN,
    name=NAME,
    log_keys=(),
    signer=DEPARTMENT,
    key=DEPARTMENT_KEY,
    settings=CameraSettings(),  # noqa: B008 - it is frozen
    **changes,
):
    """Return signed orders for a camera."""
    orders = CameraOrders(
        camera=name,
        public_key=public_key,
        department_key=changes.get("department_key", format_vkey(key)),
        seal_to=VAULT.public_key().public_bytes_raw(),
        log_keys=log_keys,
        trigger_keys=(),
        covert_allowed_by="",
        settings=settings,
        at=at,
    )
    return sign_note(format_camera_orders(orders), key=key, sign=signer.sign)


def new_camera(disk, *, log_keys=(), home=HOME, storage=STORAGE, **orders):
    """Make a camera with orders, and switch it on."""
    create_camera(home, storage, name=NAME, make="Example", model="One", now=SEVEN, disk=disk)
    camera = open_camera(home, storage, disk=disk)
    camera.take_orders(orders_note(camera.public_key, log_keys=log_keys, **orders))
    return camera


def at(mono_ms):
    return SEVEN + timedelta(milliseconds=mono_ms)


def start_at(mono_ms=0, *, trigger="button"):
    return StreamStart(
        at=at(mono_ms),
        mono_ms=mono_ms,
        firmware="plainview 1",
        clock="simulated",
        zone="UTC",
        worn="chest",
        trigger=trigger,
        trigger_at=at(mono_ms) if trigger else None,
    )


def start_leaf():
    """Return the first leaf of a journal without footage."""
    return CaptureStart(
        at=SEVEN,
        mono_ms=0,
        purpose="shift",
        serial="SN42",
        make="Example",
        model="One",
        firmware="plainview 1",
        boot=1,
        counter=1,
        previous=None,
        clock="simulated",
        zone="UTC",
        worn="chest",
        trigger="",
        trigger_at=None,
        buffer_ms=0,
        buffer_setting_ms=0,
        has_buffer_sound=False,
        init=None,
    )


def add_fragment(writer, data, number=0, **changes):
    """Give a writer its fragment number `number`, two seconds of it."""
    fields = {
        "at": at(2000 * number),
        "mono_ms": 2000 * number,
        "position_ms": 2000 * number,
        "duration_ms": 2000,
        "phase": "recording",
        "sound": "on",
    }
    writer.add_fragment(data, **{**fields, **changes})


@dataclass
class Kept:
    """What a recorder was told is durable: for each stream its fragments, its events, and whether it was closed."""

    fragments: dict[str, list[bytes]] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    does_not_start: bool = False


@dataclass(frozen=True)
class Found:
    """What the vault can open of a stream: the bytes of its footage, and the lines of its journal."""

    footage: bytes
    lines: list[bytes]


def streams_on(disk, storage=STORAGE):
    """Return what the vault can open of every stream on a disk."""
    found = {}
    for stream in list_streams(disk, str(storage)):
        folder = stream_path(str(storage), stream)
        files = {name: read_whole(disk, f"{folder}/{name}") for name in disk.list_folder(folder)}
        footage = open_pieces(files[FOOTAGE], VAULT) if FOOTAGE in files else []
        found[stream] = Found(b"".join(footage), open_pieces(files.get(JOURNAL, b""), VAULT))
    return found


def read_whole(disk, path):
    fd = disk.open(path)
    buffer = bytearray(disk.size(fd))
    disk.read_into(fd, 0, memoryview(buffer))
    disk.close(fd)
    return bytes(buffer)


def record_for_a_while(disk, seeded, kept, *, begin=begin_stream):
    """Switch a camera on, and record this and that until the end of a shift, or until the power goes."""
    camera = open_camera(HOME, STORAGE, disk=disk)
    shift = begin(camera, purpose="shift", start=start_at(trigger=""), init=None)
    kept.events[shift.stream] = 0
    for _ in range(seeded.randrange(1, 3)):
        writer = begin(camera, purpose="recording", start=start_at(), init=seeded.randbytes(50))
        kept.fragments.setdefault(writer.stream, [])
        kept.events.setdefault(writer.stream, 0)
        for number in range(seeded.randrange(4)):
            _one_step(writer, seeded, kept, number)
        _event(shift, "state", kept)
        if seeded.random() < 0.8:
            writer.close("button", at=at(9000), mono_ms=9000)
            kept.closed.add(writer.stream)
    if seeded.random() < 0.5:
        shift.close("power_off", at=at(9000), mono_ms=9000)
        kept.closed.add(shift.stream)


def _one_step(writer, seeded, kept, number):
    if seeded.random() < 0.3:
        _event(writer, seeded.choice(("marker", "muted", "trigger")), kept)
    data = seeded.randbytes(seeded.randrange(1, 1500))
    add_fragment(writer, data, number)
    kept.fragments[writer.stream].append(data)


def _event(writer, event, kept):
    position_ms = None if writer.purpose == "shift" else 0
    writer.add_event(event, at=SEVEN, mono_ms=1, position_ms=position_ms)
    kept.events[writer.stream] += 1


def record_through_cuts(disk, seed, *, cuts=2, begin=begin_stream, longest_calls=700):
    """Record through some losses of power; return the disk as the last start finds it, and what was promised."""
    seeded, kept = random.Random(seed), Kept()
    new_camera(disk).switch_off()
    disk.settle()
    for _ in range(cuts):
        disk.cut_at = disk.calls + seeded.randrange(1, longest_calls)
        try:
            record_for_a_while(disk, seeded, kept, begin=begin)
        except PowerCut:
            disk.killed()
        except CameraError:
            kept.does_not_start = True
            break
        disk = disk.after_cut(seeded)
    return disk, kept


def violations(disk, kept, *, home=HOME, storage=STORAGE):
    """Return what is wrong with a disk after losses of power, in words; nothing, for a camera that keeps its promises.

    The last start has happened. Another stream is begun first, so that it must name the one before.
    """
    try:
        camera = open_again(disk, home=home, storage=storage)
    except CameraError:
        kept.does_not_start = True
    if kept.does_not_start:
        return {"the camera does not start again"}
    begin_stream(camera, purpose="shift", start=start_at(trigger=""), init=None)
    found = streams_on(disk, storage)
    reports = {
        stream: check_capture(
            io.BytesIO(one.footage), stream=stream, public_key=camera.public_key, journal=one.lines
        )
        for stream, one in found.items()
    }
    wrong = _wrong_in_chain(reports, kept)
    for stream in kept.events:
        wrong |= _lost(stream, found, reports[stream], kept) if stream in found else {LOST_STREAM}
    for report in reports.values():
        if any(each.verdict in (ALTERED, MISSING) for each in report.fragments):
            wrong.add("a line speaks for footage that is not there")
        if report.refused or report.gaps:
            wrong.add("a line that does not check")
        if report.problems and report.stop is not None:
            wrong.add("a closed recording has something else in it")
    return wrong


def _lost(stream, found, report, kept):
    wrong = set()
    if len(report.events) < kept.events[stream]:
        wrong.add("an event that was acknowledged is lost")
    if stream in kept.closed and report.stop is None:
        wrong.add("a stream that was closed is not closed")
    proven = [
        found[stream].footage[each.offset : each.offset + each.size_bytes]
        for each in report.fragments
        if each.verdict == OK
    ]
    promised = kept.fragments.get(stream, [])
    if proven[: len(promised)] != promised:
        wrong.add("a fragment that was acknowledged is lost")
    return wrong


def _wrong_in_chain(reports, kept):
    counters = [stream_counter(stream) for stream in reports.keys() | kept.events.keys()]
    wrong = {"a counter was used twice"} if len(set(counters)) < len(counters) else set()
    links = [link for report in reports.values() if (link := journal_link(report)) is not None]
    chain = check_journal_chain(links)
    if chain.missing or chain.problems:
        wrong.add("the journals do not follow each other")
    ends = {pick(link.counter for link in links) for pick in (min, max)}
    for missing in links:
        rest = check_journal_chain([link for link in links if link is not missing])
        if missing.counter not in ends and (missing.counter, missing.counter) not in rest.missing:
            wrong.add("a missing journal does not show")
    return wrong


def open_again(disk, *, home=HOME, storage=STORAGE):
    """Switch the camera on, whoever held it before."""
    if isinstance(disk, PowerCutDisk):
        disk.killed()
    return open_camera(home, storage, disk=disk)

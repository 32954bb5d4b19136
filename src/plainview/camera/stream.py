"""Write one recording, or a shift's journal: each fragment sealed, signed and on the disk before the call returns.

The order at each fragment: its piece and the box with its line go to the footage, which is synced; then the line's
head to the camera's home, synced; then the line to the journal, synced. So a line in the journal always speaks for
footage that is there. An event's box goes into the footage at once and is synced with the next fragment; its line in
the journal is synced before the call returns. Offsets in leaves count every byte of the unsealed footage.
"""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from plainview.camera.disk import PRIVATE_MODE, told_as_storage, write_all
from plainview.camera.errors import StorageFaultError, StorageFullError
from plainview.camera.folders import (
    FOOTAGE,
    JOURNAL,
    StreamAbout,
    head_path,
    stream_path,
    streams_path,
    write_about,
)
from plainview.camera.journal import Journal
from plainview.camera.recover import forget_stream
from plainview.camera.sealing import PieceCipher, SealedFor, SealedWriter
from plainview.camera.state import JournalHead, format_head
from plainview.formats.capture import (
    CaptureEvent,
    CaptureFragment,
    CaptureStart,
    CaptureStop,
    InitSegment,
    PreviousJournal,
    format_journal_box,
    journal_origin,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from plainview.camera.identity import Camera
    from plainview.formats.capture import CaptureFact

# Kept free, so that a recording that ends for want of room can still say so.
RESERVE_BYTES = 1 << 20
_OWN_TRIGGERS = ("", "button", "function_check")


@dataclass(frozen=True)
class StreamStart:
    """What begins, as far as the recorder knows it; fields as of formats.capture.CaptureStart."""

    at: datetime
    mono_ms: int
    firmware: str
    clock: str
    zone: str
    worn: str
    trigger: str = ""
    trigger_at: datetime | None = None
    buffer_ms: int = 0
    buffer_setting_ms: int = 0
    has_buffer_sound: bool = False


def begin_stream(camera: Camera, *, purpose: str, start: StreamStart, init: bytes | None) -> StreamWriter:
    """Begin a recording or a shift's journal; durable on return.

    Where a loss of power ended earlier ones, a `recovered` event for each follows at once.

    Args:
        camera: opened at power-on.
        purpose: one of formats.capture.PURPOSES.
        start: what begins.
        init: the bytes in front of the first fragment; None for a shift.

    Raises:
        NoOrdersError: nobody has admitted the camera, so there is nobody to seal to. That holds for a function check
            and a shift too.
        FormatError: a malformed field; nothing was begun.
        CameraHomeError: the camera was opened only to be read.
        StorageFullError, StorageFaultError: nothing was begun, or what was begun stays NOT CLOSED.
    """
    camera.check_is_on()
    seal_to = camera.expect_orders().seal_to
    with camera.lock:
        counter = camera.state.counter + 1
        stream = f"{counter:06d}-{secrets.token_hex(4)}"
        writer = StreamWriter(camera, SealedFor(camera.name, stream, counter, purpose, seal_to))
        # Before there is a folder: a dock must not read what only begins.
        camera.open_streams.add(stream)
        try:
            with told_as_storage(f"beginning {stream}"):
                writer.begin(start, init)
        except Exception:
            _discard(camera, writer)
            raise
        camera.state = replace(camera.state, counter=counter, previous=writer.so_far())
        try:
            _report_recovered(camera, writer, start)
        except Exception:
            writer.abandon()
            raise
    return writer


def _discard(camera: Camera, writer: StreamWriter) -> None:
    writer.abandon()
    try:
        forget_stream(camera.disk, home=camera.home, storage=camera.storage, stream=writer.stream)
    except OSError:
        # What could not be removed keeps its number, and the next power-on looks at it again.
        camera.state = replace(camera.state, counter=writer.counter)


def _report_recovered(camera: Camera, writer: StreamWriter, start: StreamStart) -> None:
    if not camera.state.unreported:
        return
    for journal in camera.state.unreported:
        writer.add_event(
            "recovered",
            at=start.at,
            mono_ms=start.mono_ms,
            position_ms=None if writer.purpose == "shift" else 0,
            facts={"stream": journal.stream, "lines": journal.size},
        )
    with told_as_storage("keeping the camera's count"):
        camera.keep_state(replace(camera.state, unreported=()))


class StreamWriter:
    """A stream that is being written, by one thread.

    After StorageFullError from add_fragment the recording can still be closed. Once the storage failed in the middle
    of a line nothing more is written: call abandon, and the stream stays NOT CLOSED.

    Attributes:
        stream: its id.
        counter: of its journal.
        purpose: one of formats.capture.PURPOSES.
        fragments: how many it has.
        duration_ms: of all of them.
        size_bytes: of the unsealed footage so far.
    """

    def __init__(self, camera: Camera, owner: SealedFor) -> None:
        self.stream, self.counter, self.purpose = owner.stream, owner.counter, owner.purpose
        self.fragments = self.duration_ms = self.size_bytes = 0
        self._camera, self._disk, self._owner = camera, camera.disk, owner
        self._journal = Journal(journal_origin(camera.name, owner.stream), camera.public_key, camera.sign)
        self._about = StreamAbout(
            owner.stream, owner.counter, owner.purpose, is_closed=False, is_critical=False
        )
        self._footage: SealedWriter | None = None
        self._lines: SealedWriter | None = None
        self._head_fd = -1
        self._footage_end = 0
        self._is_sound, self._is_closed = True, False

    def so_far(self) -> PreviousJournal:
        """Return how far the journal has come, as the next one's `previous` names it."""
        return PreviousJournal(self.stream, self._journal.size, self._journal.root.hex())

    def begin(self, start: StreamStart, init: bytes | None) -> None:
        """Make the files and write the first line; begin_stream does it."""
        camera, disk = self._camera, self._disk
        self._check_room(len(init or b""))
        folder = stream_path(camera.storage, self.stream)
        disk.make_folder(folder)
        disk.sync_folder(streams_path(camera.storage))
        self._head_fd = disk.create(head_path(camera.home, self.stream), PRIVATE_MODE)
        disk.sync_folder(camera.home)
        segment = None
        if init is not None:
            self._footage = SealedWriter(disk, f"{folder}/{FOOTAGE}", PieceCipher("footage", self._owner))
            piece = self._footage.seal(init)
            self._footage.append(piece)
            segment = InitSegment(len(init), piece.sha256, piece.sealed_sha256)
            self.size_bytes = self._footage_end = len(init)
        self._lines = SealedWriter(disk, f"{folder}/{JOURNAL}", PieceCipher("journal", self._owner))
        is_critical = start.trigger not in _OWN_TRIGGERS
        self._about = replace(self._about, is_critical=is_critical)
        write_about(disk, camera.storage, self._about)
        self._put(self._journal.sign_line(self._start_leaf(start, segment)), is_synced=True)

    def _start_leaf(self, start: StreamStart, init: InitSegment | None) -> CaptureStart:
        camera = self._camera
        return CaptureStart(
            at=start.at,
            mono_ms=start.mono_ms,
            purpose=self.purpose,
            serial=camera.serial,
            make=camera.make,
            model=camera.model,
            firmware=start.firmware,
            boot=camera.boot,
            counter=self.counter,
            previous=camera.state.previous,
            clock=start.clock,
            zone=start.zone,
            worn=start.worn,
            trigger=start.trigger,
            trigger_at=start.trigger_at,
            buffer_ms=start.buffer_ms,
            buffer_setting_ms=start.buffer_setting_ms,
            has_buffer_sound=start.has_buffer_sound,
            init=init,
        )

    def add_fragment(
        self,
        data: bytes,
        *,
        at: datetime,
        mono_ms: int,
        position_ms: int,
        duration_ms: int,
        phase: str,
        sound: str,
    ) -> None:
        """Write a fragment and sign it; both are durable on return. Fields as of formats.capture.CaptureFragment.

        Raises:
            StorageFullError: no room for it; nothing of it was signed, and close can still say why it ends.
            StorageFaultError: the storage failed.
            FormatError: a malformed field, or more bytes than a reader takes.
        """
        self._check_going()
        with told_as_storage(f"recording {self.stream}"):
            self._check_room(len(data))
            footage = self._sound_footage()
            piece = footage.seal(data)
            footage.append(piece)
        with self._one_line():
            leaf = CaptureFragment(
                seq=self._journal.size,
                at=at,
                mono_ms=mono_ms,
                position_ms=position_ms,
                duration_ms=duration_ms,
                offset=self.size_bytes,
                size_bytes=len(data),
                sha256=piece.sha256,
                sealed_sha256=piece.sealed_sha256,
                phase=phase,
                sound=sound,
            )
            self.size_bytes = self._footage_end = self.size_bytes + len(data)
            self.fragments, self.duration_ms = self.fragments + 1, self.duration_ms + duration_ms
            self._put(self._journal.sign_line(leaf), is_synced=True)

    def add_event(
        self,
        event: str,
        *,
        at: datetime,
        mono_ms: int,
        position_ms: int | None,
        facts: Mapping[str, CaptureFact] | None = None,
    ) -> None:
        """Sign that something happened; durable on return. Fields as of formats.capture.CaptureEvent.

        Raises:
            StorageFullError, StorageFaultError: the storage failed.
            FormatError: a malformed field; nothing was signed.
        """
        self._check_going()
        leaf = CaptureEvent(self._journal.size, at, mono_ms, position_ms, event, facts or {})
        line = self._journal.sign_line(leaf)
        with self._one_line():
            self._put(line, is_synced=False)
        if self.purpose == "recording" and (event == "marker" or _is_heeded_trigger(event, leaf.facts)):
            self._become_critical()

    def close(self, reason: str, *, at: datetime, mono_ms: int) -> None:
        """Sign that nothing more belongs to this stream; durable on return.

        Args:
            reason: a key of formats.capture.STOPS.
            at: by the camera's clock; aware UTC.
            mono_ms: since the camera was switched on.

        Raises:
            StorageFullError, StorageFaultError: the storage failed; the stream may stay NOT CLOSED.
            FormatError: a malformed field; it is still open.
        """
        self._check_going()
        stop = CaptureStop(
            seq=self._journal.size,
            at=at,
            mono_ms=mono_ms,
            fragments=self.fragments,
            duration_ms=self.duration_ms,
            size_bytes=self._footage_end,
            reason=reason,
        )
        line = self._journal.sign_line(stop)
        with self._one_line():
            self._put(line, is_synced=True, is_stop=True)
        self._is_closed = True
        with told_as_storage(f"closing {self.stream}"), self._camera.lock:
            try:
                write_about(self._disk, self._camera.storage, replace(self._about, is_closed=True))
                self._camera.keep_state(self._camera.state)
                self._disk.unlink(head_path(self._camera.home, self.stream))
                self._disk.sync_folder(self._camera.home)
            finally:
                self.abandon()

    def abandon(self) -> None:
        """Write nothing more, whatever the stream lacks; a dock may have it from now on."""
        self._is_closed = True
        self._camera.open_streams.discard(self.stream)
        files, self._footage, self._lines = (self._footage, self._lines), None, None
        for file in files:
            if file is not None:
                file.close()
        head_fd, self._head_fd = self._head_fd, -1
        if head_fd >= 0:
            with contextlib.suppress(OSError):
                self._disk.close(head_fd)

    def _check_going(self) -> None:
        if self._is_closed:
            raise ValueError(f"{self.stream} is closed; nothing is appended to it")
        if not self._is_sound:
            raise StorageFaultError(f"{self.stream}: the storage failed; nothing more is written to it")

    def _check_room(self, size_bytes: int) -> None:
        free_bytes = self._disk.free_bytes(self._camera.storage)
        if free_bytes < size_bytes + RESERVE_BYTES:
            raise StorageFullError(
                f"{self.stream}: {free_bytes} bytes are free, of which {RESERVE_BYTES} are kept to end what runs; "
                "put the camera into a dock"
            )

    def _sound_footage(self) -> SealedWriter:
        if self._footage is None:
            raise ValueError(f"{self.stream} is a journal without footage")
        if self._footage.failure is not None:
            raise self._footage.failure
        return self._footage

    @contextlib.contextmanager
    def _one_line(self) -> Iterator[None]:
        # A line that was signed and may be on the disk must not be followed by another of the same number: whatever
        # fails in here ends the stream.
        self._is_sound = False
        with told_as_storage(f"recording {self.stream}"):
            yield
        self._is_sound = True

    def _put(self, line: bytes, *, is_synced: bool, is_stop: bool = False) -> None:
        """Write a line into the footage, and then durably into the journal."""
        assert self._lines is not None
        if self._footage is not None and self._footage.failure is None:
            self._put_box(self._footage, line, is_synced=is_synced)
        piece = self._lines.seal(line)
        head = JournalHead(self._journal.size, self._journal.root.hex(), piece.sealed_sha256, is_stop)
        write_all(self._disk, self._head_fd, format_head(head))
        self._disk.sync(self._head_fd)
        self._lines.append(piece)
        self._lines.sync()
        self._camera.journal_came_to(self.so_far())

    def _put_box(self, footage: SealedWriter, line: bytes, *, is_synced: bool) -> None:
        box = format_journal_box(line)
        # The journal has the line too: where a box finds no room, the footage ends before it, and the line still counts.
        with contextlib.suppress(OSError):
            footage.append(footage.seal(box))
            self.size_bytes += len(box)
        if is_synced:
            footage.sync()

    def _become_critical(self) -> None:
        if not self._about.is_critical:
            self._about = replace(self._about, is_critical=True)
            with told_as_storage(f"recording {self.stream}"):
                write_about(self._disk, self._camera.storage, self._about)


def _is_heeded_trigger(event: str, facts: Mapping[str, CaptureFact]) -> bool:
    return event == "trigger" and facts.get("outcome") != "refused"

"""One camera at the dock, from being put in until it is safe to take: docs/how-to/dock.md says what a person sees.

Everything here can be stopped at any moment and begun again: the server says what it has (a replay makes nothing new),
and what is erased was covered by a receipt that was checked.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from plainview.dock.errors import (
    CameraError,
    CameraGoneError,
    FileChangedError,
    NotCoveredError,
    NotLetInError,
    OffloadLostError,
    OffsetDiffersError,
    ServerBusyError,
    ServerError,
)
from plainview.dock.receipts import check_receipt
from plainview.dock.rules import (
    LONGEST_POLL_S,
    MIB,
    TAKEN_IN,
    TURNED_DOWN,
    DockFile,
    FileState,
    best_reading,
    clock_error,
    groups_to_erase,
    in_order,
    piece_bytes,
    poll_wait_s,
    read_clock,
    urgency,
)
from plainview.dock.server import Announcement, Docking
from plainview.dock.words import Bay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from plainview.dock.home import Digests
    from plainview.dock.pace import Pace
    from plainview.dock.server import Hello, Offloaded, Server
    from plainview.dock.source import AboutCamera, Source
    from plainview.formats.note import VerifierKey

# A file of at most this is read once, and sent from memory; a larger one is read twice, as its digest is announced.
HELD_BYTES = 8 * MIB
SERVER_READINGS = 3
# How often the same trouble with one file is gone through before it is left for the next docking.
TRIES = 5


@dataclass
class Session:
    """A camera in a bay; for one thread. Others read `bay`, which is replaced and never changed.

    Attributes:
        source: the camera or card.
        server: a connection of this thread's own.
        log_keys: pinned; receipts must be signed by one of them.
        pace: shared by all sessions of the dock.
        digests: shared as well.
        on_change: told of each new state of the bay.
        bay: as it stands.
    """

    source: Source
    server: Server
    log_keys: Sequence[VerifierKey]
    pace: Pace
    digests: Digests
    on_change: Callable[[Bay], None] = lambda _bay: None
    bay: Bay = field(init=False)
    _hello: Hello | None = None
    _about: AboutCamera | None = None
    _docking: str = ""
    _began_s: float | None = None
    _asked_s: float = 0.0
    _rounds: int = 0
    _names: dict[DockFile, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bay = Bay(key=self.source.key)

    # --- what others see

    def _show(self, **changes: object) -> None:
        elapsed_s = 0.0 if self._began_s is None else time.monotonic() - self._began_s
        self.bay = replace(self.bay, elapsed_s=elapsed_s, **changes)  # type: ignore[arg-type]
        self.on_change(self.bay)

    def _set(self, file: DockFile, **changes: object) -> None:
        files = tuple(
            replace(each, **changes) if each.file == file else each  # type: ignore[arg-type]
            for each in self.bay.files
        )
        self._show(files=files)

    def _state(self, file: DockFile) -> FileState:
        return next(each for each in self.bay.files if each.file == file)

    # --- the whole way

    def run(self) -> Bay:
        """Take in what is there; return the bay when it is safe, or when what is left cannot be helped now.

        It can be run again: what is checked stays so, what is new or failed is tried.

        Raises:
            CameraGoneError: the camera was taken out.
            NotLetInError: the server does not know this dock.
            StoppedError: the dock is being ended.
        """
        self._patiently(self._greet)
        self.source.settle()
        self._patiently(self._admit)
        self._list()
        if not self._docking:
            self._patiently(self._announce)
        for file in [each.file for each in self.bay.files if not each.is_checked]:
            self._try_file(file)
            self._ask_receipts(wait=False)
        self._ask_receipts(wait=True)
        self._erase()
        self._patiently(self._report)
        return self.bay

    def has_news(self) -> bool:
        """Say whether another run could do anything: files that are new or failed, or nobody has admitted it yet.

        Raises:
            CameraError: it cannot be asked.
        """
        known = {each.file for each in self.bay.files if each.is_checked}
        is_waiting = self.bay.is_recording or self.bay.admission == "waiting"
        return is_waiting or any(file.size_bytes and file not in known for file in self.source.files())

    def end(self) -> None:
        """Say that the camera was taken, where that still reaches anybody."""
        with suppress(ServerError):
            self._report(is_taken=True)

    def release(self) -> None:
        """Let the camera go: somebody has checked it out."""
        with suppress(CameraError):
            self.source.set_taken()
        self.end()

    def close(self) -> None:
        """Close what is open."""
        self.server.close()
        self.source.close()

    def _patiently(self, step: Callable[[], None]) -> None:
        """Take a step, again and again until the server is there."""
        failures = 0
        while True:
            try:
                step()
                break
            except NotLetInError as error:
                self._show(trouble=f"The server does not let this dock in: {error}")
                raise
            except ServerBusyError as error:
                failures += 1
                self._show(trouble=str(error))
                self._back_off(failures, error.wait_s)
        if failures:
            self._show(trouble="")

    def _back_off(self, failures: int, asked_s: float) -> None:
        self.pace.back_off(failures, asked_s=asked_s)
        self._check_there()

    def _check_there(self) -> None:
        # While the dock waits for the server nothing else would notice that the camera was taken.
        if not self.source.is_there():
            raise CameraGoneError("The camera was taken out.")

    def _greet(self) -> None:
        about = self._about = self.source.about()
        self._show(
            make=about.make,
            model=about.model,
            serial=about.serial,
            battery_percent=about.battery_percent,
        )
        readings = []
        for _ in range(SERVER_READINGS):
            asked = time.monotonic()
            self._hello = self.server.hello()
            readings.append(read_clock(self._hello.at, asked_mono_s=asked, heard_mono_s=time.monotonic()))
        error_ms = doubt_ms = None
        if about.clock is not None:
            error_ms, doubt_ms = clock_error(about.clock, best_reading(readings))
        self._show(clock_error_ms=error_ms, clock_doubt_ms=doubt_ms)

    def _admit(self) -> None:
        """Hand the camera's request on, and its orders back; they set its clock and its settings."""
        assert self._hello is not None
        self._show(is_recording=not self.source.set_docked(self._hello.dock))
        request = self.source.request()
        if request is None:
            return
        try:
            admission = self.server.ask_admission(request)
        except ServerBusyError:
            raise
        except ServerError as error:
            self._show(warning=f"The server does not take this camera's request: {error}")
            return
        self._show(warning="", admission=admission.state, fingerprint=admission.fingerprint)
        if admission.orders is not None and (why := self.source.take_orders(admission.orders)):
            self._show(warning=why)

    def _list(self) -> None:
        found = self.source.files()
        files = [file for file in found if file.size_bytes]
        known = {each.file: each for each in self.bay.files if each.is_checked}
        gone = tuple(each for each in known.values() if each.is_erased and each.file not in files)
        self._show(
            files=gone + tuple(known.get(file) or FileState(file) for file in in_order(files)),
            is_listed=True,
            left_on_it=len(found) - len(files),
        )

    def _announce(self) -> None:
        """Tell the server of the docking; it says whose camera this is, and what it wants first."""
        assert self._about is not None
        if not self._about.serial:
            # A card that does not say which camera wrote it: its files are handed in all the same.
            return
        critical = dict.fromkeys(each.file.group for each in self.bay.files if each.file.is_critical)
        docking = Docking(
            camera=self._about.camera or None,
            make=self._about.make,
            serial=self._about.serial,
            clock_error_ms=self.bay.clock_error_ms,
            clock_doubt_ms=self.bay.clock_doubt_ms,
            battery_percent=self.bay.battery_percent,
            files=len(self.bay.files),
            critical=tuple(critical),
        )
        try:
            docked = self.server.begin_docking(docking)
        except (ServerBusyError, NotLetInError):
            raise
        except ServerError as error:
            self._show(warning=f"The server does not note this docking: {error}")
            return
        self._docking = docked.identifier
        known = {each.file.path: each for each in self.bay.files}
        files = in_order((each.file for each in self.bay.files), docked.critical)
        self._show(
            wearer=docked.assigned, files=tuple(replace(known[file.path], file=file) for file in files)
        )

    def _report(self, *, is_taken: bool = False) -> None:
        if self._docking:
            self.server.report_docking(
                self._docking, files=len(self.bay.files), checked=self.bay.checked, is_taken=is_taken
            )

    # --- one file

    def _try_file(self, file: DockFile) -> None:
        """Hand a file in, or say why not; trouble with one leaves the others alone."""
        failures = tries = 0
        while tries < TRIES:
            why, wait_s = self._try_once(file)
            if not why:
                self._show(trouble="")
                return
            self._set(file, why=why)
            if wait_s is None:
                self._set(file, state="failed")
                return
            # A server that is busy or away is waited for; one that says otherwise is asked a few times only.
            failures += 1
            tries += wait_s < 0
            self._back_off(failures, max(0.0, wait_s))
        self._set(file, state="failed")

    def _try_once(self, file: DockFile) -> tuple[str, float | None]:
        """Return why a file was not handed in, and how long to wait at least: None for ever, less than 0 a few times."""
        try:
            with self.pace.files.pass_through(urgency(file)):
                self._hand_in(file)
        except (CameraGoneError, NotLetInError):
            raise
        except (OffloadLostError, OffsetDiffersError) as error:
            self.digests.forget(self._camera, file)
            return str(error), -1.0
        except ServerBusyError as error:
            return str(error), error.wait_s
        except (ServerError, CameraError) as error:
            return f"{file.name}: {error}", None
        return "", 0.0

    @property
    def _camera(self) -> str:
        assert self._about is not None
        return self._about.camera or self.source.key

    def _hand_in(self, file: DockFile) -> None:
        digest, held = self._digest(file)
        self._set(file, state="sending", sha256=digest)
        offloaded = self.server.begin_offload(self._announcement(file, digest))
        self._names[file] = offloaded.name
        if offloaded.state == "receiving":
            self._began_s = self._began_s or time.monotonic()
            self._send(file, offloaded, held)
        self._set(file, state="sent", sent_bytes=file.size_bytes, why="")

    def _digest(self, file: DockFile) -> tuple[str, bytes | None]:
        """Return a file's digest, and its bytes where they are few."""
        known = self.digests.find(self._camera, file)
        if known:
            return known, None
        digest, size_bytes, held = sha256(), 0, bytearray()
        with self.source.read(file, 0) as pieces:
            for piece in pieces:
                self.pace.check_going()
                digest.update(piece)
                size_bytes += len(piece)
                if file.size_bytes <= HELD_BYTES:
                    held += piece
        if size_bytes != file.size_bytes:
            raise FileChangedError(f"{file.path}: expected {file.size_bytes} bytes, got {size_bytes}.")
        self.digests.keep(self._camera, file, digest.hexdigest())
        return digest.hexdigest(), bytes(held) if file.size_bytes <= HELD_BYTES else None

    def _announcement(self, file: DockFile, digest: str) -> Announcement:
        assert self._about is not None
        return Announcement(
            kind=file.kind,
            make=self._about.make,
            serial=self._about.serial,
            camera=self._about.camera,
            stream="" if file.kind == "file" else file.group,
            filename=file.name if file.kind == "file" else f"{file.group}-{file.kind}.sealed",
            size_bytes=file.size_bytes,
            sha256=digest,
            particulars=file.particulars,
        )

    def _send(self, file: DockFile, offloaded: Offloaded, held: bytes | None) -> None:
        name = offloaded.name
        offset = 0 if offloaded.is_new else self.server.offset(name)
        self._set(file, sent_bytes=offset)
        while offset < file.size_bytes:
            try:
                offset = self._send_from(file, name, offset, held)
            except OffsetDiffersError:
                # Another dock with the same camera, or an answer that was lost: go on where the server is.
                before, offset = offset, self.server.offset(name)
                if offset == before:
                    raise
            self._set(file, sent_bytes=offset)

    def _send_from(self, file: DockFile, name: str, offset: int, held: bytes | None) -> int:
        """Send pieces as long as the server takes them whole; return where it is then."""
        assert self._hello is not None
        size_bytes = piece_bytes(self._hello.piece_bytes, self.pace.bytes_per_s)
        with _opened(self.source, file, offset, held) as pieces:
            for piece in _regrouped(pieces, size_bytes):
                taken = self._send_piece(file, name, offset, piece)
                self._set(file, sent_bytes=taken)
                is_whole, offset = taken == offset + len(piece), taken
                if not is_whole:
                    return offset
        if offset < file.size_bytes:
            raise FileChangedError(f"{file.path} is shorter than it was.")
        return offset

    def _send_piece(self, file: DockFile, name: str, offset: int, piece: bytes) -> int:
        # Read before, so that a slow camera keeps nobody waiting.
        self.pace.pay(len(piece))
        with self.pace.turns.pass_through(urgency(file)):
            taken = self.server.send(name, offset, piece)
        if not offset <= taken <= offset + len(piece):
            raise OffsetDiffersError(
                f"{file.name}: the server has {taken} bytes, expected {offset} to {offset + len(piece)}."
            )
        return taken

    # --- receipts

    def _ask_receipts(self, *, wait: bool) -> None:
        """Ask for the receipts of what was sent, and check each; wait until the server has decided on all."""
        polls = 0
        now_s = time.monotonic()
        if not wait and now_s - self._asked_s < LONGEST_POLL_S:
            return
        self._asked_s = now_s
        while any(each.state == "sent" for each in self.bay.files):
            self._patiently(self._ask_each)
            if not wait:
                return
            self.pace.wait(poll_wait_s(polls))
            self._check_there()
            polls += 1

    def _ask_each(self) -> None:
        """Ask for one receipt after the other, until one is not there yet: beginning elsewhere each time."""
        sent = [each for each in self.bay.files if each.state == "sent"]
        first = self._rounds % max(1, len(sent))
        self._rounds += 1
        for each in (*sent[first:], *sent[:first]):
            try:
                self._check(each, self.server.result(self._names[each.file]))
            except (NotLetInError, ServerBusyError):
                raise
            except ServerError as error:
                self._set(each.file, state="failed", why=f"{each.file.name}: {error}")
            if self._state(each.file).state == "sent":
                # Two hundred cameras that ask for everything again and again would keep a server busy with that alone.
                return

    def _check(self, each: FileState, offloaded: Offloaded) -> None:
        file = each.file
        if offloaded.state in TURNED_DOWN:
            # What was remembered of it may be wrong.
            self.digests.forget(self._camera, file)
            why = offloaded.text or offloaded.reason or offloaded.state
            self._set(
                file, state="failed", outcome=offloaded.state, why=f"{file.name} was not taken in: {why}"
            )
            return
        if offloaded.receipt is None or offloaded.state not in TAKEN_IN:
            return
        try:
            check_receipt(
                offloaded.receipt,
                sha256=each.sha256,
                size_bytes=file.size_bytes,
                is_sealed=self.source.is_sealed,
                log_keys=self.log_keys,
            )
        except NotCoveredError as error:
            self._set(file, state="failed", outcome=offloaded.state, why=str(error))
            return
        self._set(
            file,
            state="checked",
            receipt=offloaded.receipt,
            outcome=offloaded.state,
            recording=offloaded.recording,
        )
        self._erase()

    def _erase(self) -> None:
        for group in groups_to_erase(self.bay.files):
            why = self.source.erase(group)
            for each in group:
                self._set(each.file, is_erased=not why, why=why)
                if not why:
                    self.digests.forget(self._camera, each.file)


@contextmanager
def _opened(source: Source, file: DockFile, offset: int, held: bytes | None) -> Iterator[Iterator[bytes]]:
    if held is not None:
        yield iter((held[offset:],))
    else:
        with source.read(file, offset) as pieces:
            yield pieces


def _regrouped(pieces: Iterator[bytes], size_bytes: int) -> Iterator[bytes]:
    """Put pieces of any size together, or apart, into pieces of exactly size_bytes; the last may be shorter."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) >= size_bytes:
            yield bytes(waiting[:size_bytes])
            del waiting[:size_bytes]
    if waiting:
        yield bytes(waiting)

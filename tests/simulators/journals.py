"""Cameras that sign: a journal, and footage with its boxes, out of fragments that hold noise instead of picture.

    camera = SigningCamera()
    first = camera.record(fragments=3)
    second = camera.record(fragments=5, is_closed=False)
    first.footage, first.journal, first.camera, first.public_key

Counters, previous journals and the clock go on from one recording to the next, as on a camera.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from plainview.formats.capture import (
    CaptureEvent,
    CaptureFragment,
    CaptureLeaf,
    CaptureStart,
    CaptureStop,
    InitSegment,
    PreviousJournal,
    format_capture_leaf,
    format_journal_box,
    format_journal_line,
    journal_key,
    journal_origin,
    make_journal_line,
)
from plainview.formats.checkpoint import Checkpoint, format_checkpoint
from plainview.formats.merkle import TreeHasher, leaf_hash
from plainview.formats.note import NoteSignature, SignedNote, format_note
from plainview.formats.proof import LogProof

CAMERA = "cam.example.org/SN42"
SEVEN_O_CLOCK = datetime(2026, 3, 15, 7, 0, tzinfo=UTC)
FRAGMENT_MS = 2000
FRAGMENT_BYTES = 600


@dataclass
class JournalWriter:
    """Signs one journal, line by line."""

    private: Ed25519PrivateKey
    camera: str
    stream: str
    tree: TreeHasher = field(default_factory=TreeHasher)
    lines: list[bytes] = field(default_factory=list)

    def add(self, leaf: CaptureLeaf) -> bytes:
        """Sign one more leaf, and return its line without a newline."""
        # The path of a tree's last leaf is what stood before it: the roots of the perfect trees, smallest first.
        path = tuple(reversed(self.tree.peaks))
        self.tree.append(leaf_hash(format_capture_leaf(leaf)))
        proof = LogProof(self.tree.size - 1, path, self.sign())
        self.lines.append(format_journal_line(make_journal_line(leaf, proof)))
        return self.lines[-1]

    def sign(self) -> str:
        origin = journal_origin(self.camera, self.stream)
        text = format_checkpoint(Checkpoint(origin, self.tree.size, self.tree.root()))
        key = journal_key(origin, self.private.public_key().public_bytes_raw())
        signature = NoteSignature(origin, key.key_id, self.private.sign(text.encode()))
        return format_note(SignedNote(text, (signature,)))


@dataclass(frozen=True)
class SimulatedRecording:
    """What a camera made of one press.

    Attributes:
        footage: with a box for each line; empty for a shift.
        lines: of the journal, without newlines.
        leaves: the same, as leaves.
        spans: for each fragment, where it begins in the footage and where it ends.
        boxes: for each line, where its box begins and ends.
        as_previous: what the next recording's first leaf says of this one.
    """

    camera: str
    stream: str
    public_key: bytes
    footage: bytes
    lines: tuple[bytes, ...]
    leaves: tuple[CaptureLeaf, ...]
    spans: tuple[tuple[int, int], ...]
    boxes: tuple[tuple[int, int], ...]
    as_previous: PreviousJournal

    @property
    def journal(self) -> bytes:
        """The file beside the footage."""
        return b"".join(line + b"\n" for line in self.lines)

    @property
    def start(self) -> CaptureStart:
        """The first leaf."""
        first = self.leaves[0]
        assert isinstance(first, CaptureStart)
        return first


class SigningCamera:
    """A camera that signs; with the same name and seed it makes the same bytes again."""

    def __init__(self, camera: str = CAMERA, *, seed: int = 1, now: datetime = SEVEN_O_CLOCK) -> None:
        self.camera = camera
        self.private = Ed25519PrivateKey.from_private_bytes(sha256(f"camera {seed}".encode()).digest())
        self.public_key = self.private.public_key().public_bytes_raw()
        self.now = now
        self.mono_ms = 60_000
        self.counter = 0
        self.previous: PreviousJournal | None = None
        self._random = random.Random(f"{camera} {seed}")

    def record(
        self,
        *,
        fragments: int = 3,
        events: tuple[tuple[int, str], ...] = (),
        is_closed: bool = True,
        purpose: str = "recording",
        buffer_ms: int = 0,
        has_buffer_sound: bool = False,
        fragment_bytes: int = FRAGMENT_BYTES,
        init: bytes | None = None,
        real: tuple[bytes, ...] | None = None,
    ) -> SimulatedRecording:
        """Record, and let the clock run on.

        Args:
            fragments: how many, two seconds each.
            events: after which fragment (from 1; 0 is before the first) which event; keys of EVENTS.
            is_closed: with a stop; without, as a loss of power leaves it.
            purpose: recording, function_check or shift; a shift has no footage.
            buffer_ms: how much of it, says the first leaf, is from before the trigger.
            has_buffer_sound: whether that has sound.
            fragment_bytes: about how long each is.
            init: bytes of a real initialisation segment instead of noise.
            real: bytes of real fragments instead of noise; then `fragments` is not read.
        """
        press = _Press(self, purpose, init, buffer_ms=buffer_ms, has_buffer_sound=has_buffer_sound)
        parts = [self._noise(fragment_bytes) for _ in range(fragments)] if real is None else list(real)
        if purpose == "shift":
            parts = []
        press.tell(events, 0)
        for number, data in enumerate(parts, 1):
            press.add_fragment(data)
            press.tell(events, number)
        if is_closed:
            press.stop()
        made = press.made()
        self.now += timedelta(milliseconds=press.position_ms + 60_000)
        self.mono_ms += press.position_ms + 60_000
        self.previous = made.as_previous
        return made

    def _noise(self, size_bytes: int) -> bytes:
        return box(b"moof", self._random.randbytes(100)) + box(b"mdat", self._random.randbytes(size_bytes))

    def random_digits(self) -> str:
        return self._random.randbytes(4).hex()

    def make_init(self) -> bytes:
        return box(b"ftyp", b"iso6\0\0\0\1iso6cmfc") + box(b"moov", self._random.randbytes(200))


class _Press:
    # One recording while it is made.
    def __init__(
        self,
        camera: SigningCamera,
        purpose: str,
        init: bytes | None,
        *,
        buffer_ms: int,
        has_buffer_sound: bool,
    ) -> None:
        self.buffer_ms, self.has_buffer_sound = buffer_ms, has_buffer_sound
        camera.counter += 1
        self.camera, self.purpose = camera, purpose
        self.stream = f"{camera.counter:06d}-{camera.random_digits()}"
        self.writer = JournalWriter(camera.private, camera.camera, self.stream)
        self.footage = bytearray()
        if purpose != "shift":
            self.footage += camera.make_init() if init is None else init
        self.leaves: list[CaptureLeaf] = []
        self.spans: list[tuple[int, int]] = []
        self.boxes: list[tuple[int, int]] = []
        self.position_ms = 0
        self.add(self._start())

    def _start(self) -> CaptureStart:
        camera, has_footage = self.camera, self.purpose != "shift"
        return CaptureStart(
            at=camera.now,
            mono_ms=camera.mono_ms,
            purpose=self.purpose,
            serial=camera.camera.partition("/")[2],
            make="Example",
            model="One",
            firmware="plainview 0.1.0",
            boot=1,
            counter=camera.counter,
            previous=camera.previous,
            clock="simulated",
            zone="UTC",
            worn="chest",
            trigger="button" if has_footage else "",
            trigger_at=camera.now if has_footage else None,
            buffer_ms=self.buffer_ms,
            buffer_setting_ms=self.buffer_ms,
            has_buffer_sound=self.has_buffer_sound,
            init=InitSegment(len(self.footage), digest(self.footage), digest(b"sealed" + self.footage))
            if has_footage
            else None,
        )

    def add(self, leaf: CaptureLeaf) -> None:
        line, begins_at = self.writer.add(leaf), len(self.footage)
        self.leaves.append(leaf)
        if self.purpose != "shift":
            self.footage += format_journal_box(line)
        self.boxes.append((begins_at, len(self.footage)))

    def times(self) -> tuple[int, datetime, int]:
        now = self.camera.now + timedelta(milliseconds=self.position_ms)
        return len(self.leaves), now, self.camera.mono_ms + self.position_ms

    def add_fragment(self, data: bytes) -> None:
        seq, at, mono_ms = self.times()
        offset = len(self.footage)
        leaf = CaptureFragment(
            seq=seq,
            at=at,
            mono_ms=mono_ms,
            position_ms=self.position_ms,
            duration_ms=FRAGMENT_MS,
            offset=offset,
            size_bytes=len(data),
            sha256=digest(data),
            sealed_sha256=digest(b"sealed" + data),
            phase="recording",
            sound="on",
        )
        self.footage += data
        self.spans.append((offset, len(self.footage)))
        self.position_ms += FRAGMENT_MS
        self.add(leaf)

    def tell(self, events: tuple[tuple[int, str], ...], number: int) -> None:
        for after, event in events:
            if after == number:
                seq, at, mono_ms = self.times()
                position_ms = None if self.purpose == "shift" else self.position_ms
                self.add(CaptureEvent(seq, at, mono_ms, position_ms, event, {}))

    def stop(self) -> None:
        seq, at, mono_ms = self.times()
        size_bytes = self.spans[-1][1] if self.spans else 0
        self.add(CaptureStop(seq, at, mono_ms, len(self.spans), self.position_ms, size_bytes, "button"))

    def made(self) -> SimulatedRecording:
        tree = self.writer.tree
        return SimulatedRecording(
            camera=self.camera.camera,
            stream=self.stream,
            public_key=self.camera.public_key,
            footage=bytes(self.footage),
            lines=tuple(self.writer.lines),
            leaves=tuple(self.leaves),
            spans=tuple(self.spans),
            boxes=tuple(self.boxes),
            as_previous=PreviousJournal(self.stream, tree.size, tree.root().hex()),
        )


def box(kind: bytes, payload: bytes) -> bytes:
    """Return a box of ISO/IEC 14496-12 section 4.2."""
    return (8 + len(payload)).to_bytes(4, "big") + kind + payload


def digest(data: bytes | bytearray) -> str:
    """Return 64 hex digits."""
    return sha256(data).hexdigest()

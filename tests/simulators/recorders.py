"""A camera without a lens: an encoder that makes up its fragments, a store in memory, a light that is remembered."""

import datetime as dt
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from plainview.camera.clocks import SimulatedClock
from plainview.camera.errors import StorageFaultError, StorageFullError
from plainview.camera.fragments import TICKS_A_MS, TICKS_A_SECOND, MediaFragment, Picture
from plainview.camera.recorder import Recorder
from plainview.camera.rules import Orders
from plainview.formats.camera_orders import CameraSettings

ON_AT = dt.datetime(2026, 3, 15, 6, 50, tzinfo=dt.UTC)


class MadeUpEncoder:
    """Makes a fragment of every fragment_ms of pictures, without encoding any; sound comes `late_ms` after."""

    def __init__(self, settings: CameraSettings, *, frame_rate: int = 10) -> None:
        self._fragment_ticks = settings.fragment_ms * TICKS_A_MS
        self._frame_ticks = TICKS_A_SECOND // frame_rate
        self._pictures: list[int] = []
        self._cut_at: int | None = None
        self._ready: list[MediaFragment] = []
        self._sound, self._next_sound, self._open_sound = "off", None, "off"
        self.settled_ticks = 0
        self.settings = settings

    @property
    def pending_ticks(self) -> int | None:
        return self._pictures[0] if self._pictures else None

    def show(self, ticks, frame) -> None:
        is_cut = self._cut_at is not None and ticks >= self._cut_at
        if self._pictures and (is_cut or ticks - self._pictures[0] >= self._fragment_ticks):
            self._close(ticks)
        if is_cut:
            self._cut_at = None
            self._switch()
        if not self._pictures:
            self._open_sound = self._sound
        self._pictures.append(ticks)

    def hear(self, ticks, samples) -> None:
        """Sound has no bytes here."""

    def cut(self, ticks) -> None:
        self._cut_at = ticks if self._cut_at is None else min(ticks, self._cut_at)

    def pause(self) -> None:
        if self._pictures:
            self._close(self._pictures[-1] + self._frame_ticks)
        self._cut_at = None
        self._switch()

    def set_sound(self, ticks, sound) -> None:
        self._next_sound = sound
        self.cut(ticks)
        if not self._pictures:
            self._switch()

    def take(self) -> list[MediaFragment]:
        taken, self._ready = self._ready, []
        return taken

    def init_segment(self, started_at, title) -> bytes:
        return f"init {started_at.isoformat()} {title}".encode()

    def _switch(self) -> None:
        if self._next_sound is not None:
            self._sound, self._next_sound = self._next_sound, None

    def _close(self, end_ticks) -> None:
        ends = [*self._pictures[1:], end_ticks]
        pictures = tuple(
            Picture(b"picture", end - at, number == 0)
            for number, (at, end) in enumerate(zip(self._pictures, ends, strict=True))
        )
        self._ready.append(MediaFragment(self._pictures[0], pictures, 0, (), self._open_sound))
        self._pictures = []
        self.settled_ticks = end_ticks


@dataclass
class Journal:
    """A journal in memory, with what was written after it was closed left out by nobody: that would be a fault."""

    beginning: object
    init: bytes | None
    store: object
    fragments: list = field(default_factory=list)
    events: list = field(default_factory=list)
    closed: str | None = None
    closed_at: object = None

    def add_fragment(self, data, **facts) -> None:
        self.store.check()
        assert self.closed is None, "a fragment after the end"
        self.fragments.append({"data": data, **facts})

    def add_event(self, event, **facts) -> None:
        self.store.check()
        assert self.closed is None, "an event after the end"
        self.events.append({"event": event, **facts})

    def close(self, reason, *, at, mono_ms) -> None:
        self.store.check()
        assert self.closed is None, "closed twice"
        self.closed, self.closed_at = reason, mono_ms

    def abandon(self) -> None:
        self.closed = "abandoned"

    def names(self) -> list[str]:
        return [each["event"] for each in self.events]

    def facts_of(self, event) -> list[dict]:
        return [dict(each["facts"]) for each in self.events if each["event"] == event]


class MemoryStore:
    """Keeps journals in memory; `trouble` is what every call raises from now on."""

    def __init__(self) -> None:
        self.journals: list[Journal] = []
        self.trouble: type[Exception] | None = None
        self.free = 10**10

    def begin(self, beginning, init) -> Journal:
        self.check()
        self.journals.append(Journal(beginning, init, self))
        return self.journals[-1]

    def free_bytes(self) -> int:
        return self.free

    def check(self) -> None:
        if self.trouble is not None:
            raise self.trouble("as simulated")

    def fill(self) -> None:
        self.trouble = StorageFullError

    def fail(self) -> None:
        self.trouble = StorageFaultError

    @property
    def shift(self) -> Journal:
        return next(each for each in self.journals if each.beginning.purpose == "shift")

    @property
    def recordings(self) -> list[Journal]:
        return [each for each in self.journals if each.beginning.purpose != "shift"]


class SimulatedCamera:
    """A recorder with a made-up lens: let time pass, and things happen."""

    def __init__(self, *, covert_allowed_by="", frame_rate=10, **settings) -> None:
        self.clock = SimulatedClock(ON_AT)
        self.store = MemoryStore()
        self.lights: list[str] = []
        self.beeps: list[int] = []
        self.announced: list[str] = []
        self.frame_rate = frame_rate
        self.sees = self.hears = True
        self.made: list[MadeUpEncoder] = []
        self.recorder = Recorder(
            store=self.store,
            clock=self.clock,
            orders=Orders(CameraSettings(**settings), covert_allowed_by),
            make_encoder=self._encoder,
            serial="SN42",
            show_light=self.lights.append,
            beep=self.beeps.append,
            announce=self.announced.append,
            charge_percent=lambda: 87,
        )

    def _encoder(self, settings) -> MadeUpEncoder:
        self.made.append(MadeUpEncoder(settings, frame_rate=self.frame_rate))
        return self.made[-1]

    @property
    def now_ms(self) -> int:
        return self.recorder.now_ms

    def happen(self, kind, *args) -> None:
        self.recorder.happen(kind(self.now_ms, *args))

    def pass_ms(self, duration_ms) -> None:
        """Let time pass, with a picture and its sound at each step of the frame rate."""
        step = TICKS_A_SECOND // self.frame_rate
        ticks = self.clock.ticks()
        end = ticks + duration_ms * TICKS_A_MS
        while ticks < end:
            if self.hears:
                self.recorder.hear(ticks, np.zeros(48_000 // self.frame_rate, np.float32))
            if self.sees:
                self.recorder.show(ticks, "picture")
            self.recorder.tick()
            ticks += step
            self.clock.go_to(ticks)


def tone(duration_s: float, *, hz: float = 440.0, level: float = 0.5):
    """Return a sine: float32 at 48 kHz."""
    at_s = np.arange(round(duration_s * 48_000)) / 48_000
    return (level * np.sin(2 * np.pi * hz * at_s)).astype(np.float32)


def moving_pictures(count: int, *, width_px: int = 160, height_px: int = 96):
    """Yield uint8 [height, width, 3] RGB in which a bright bar moves, so that each differs from the last."""
    for number in range(count):
        picture = np.full((height_px, width_px, 3), 40 + number % 50, np.uint8)
        left = number * 4 % (width_px - 16)
        picture[:, left : left + 16] = 230
        yield picture


def rate(frames: int) -> Fraction:
    """Return a picture rate."""
    return Fraction(frames)

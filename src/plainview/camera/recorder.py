"""The recorder: carries out what the rules decide, with an encoder, a store, a clock and a light.

Everything it needs is given to it and takes its times from one clock, so it records in real time from a camera, and as
fast as it can from pictures that are made (shots.record_script).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from plainview.camera.buffer import Buffer
from plainview.camera.clocks import Watch
from plainview.camera.effects import (
    Beep,
    Begin,
    BeginShift,
    Check,
    End,
    EndShift,
    Forget,
    Log,
    Phase,
    SetSound,
    Show,
)
from plainview.camera.errors import StorageFaultError, StorageFullError
from plainview.camera.events import Noted, PowerOn, SourceBack, SourceLost, Storage, Tick
from plainview.camera.fragments import TICKS_A_MS, format_fragment
from plainview.camera.function_check import SoundLevel, check_facts
from plainview.camera.keeping import Beginning
from plainview.camera.rules import RECORDING_MODES, State, shown_by, sound_of, step

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from plainview.camera.clocks import Clock
    from plainview.camera.effects import Effect, Shown
    from plainview.camera.encode import Encoder
    from plainview.camera.events import Event
    from plainview.camera.fragments import MediaFragment
    from plainview.camera.keeping import Store, Writer
    from plainview.camera.rules import Orders
    from plainview.formats.camera_orders import CameraSettings
    from plainview.formats.capture import CaptureFact

# Picture or sound that has not come for so long is lost.
LATE_MS: Final = 2000
_FAILURES: Final = (StorageFullError, StorageFaultError)
# These end with a picture that begins the next fragment; every other end happens now, whatever comes.
_ENDS_WITH_A_CUT: Final = frozenset(("button", "longest", "checked"))


@dataclass(frozen=True)
class Report:
    """What a camera says of itself, for a person.

    Attributes:
        at: by its clock; aware UTC.
        state: of it. shown: what its light tells.
        buffer_ms: how much of the time before now could be kept. buffer_setting_ms: how much at most.
        free_bytes: of the storage.
        recordings: how many it has made since it was switched on.
        clock: one of capture.CAPTURE_CLOCKS.
        charge_percent: of the battery; None where it does not say.
    """

    at: dt.datetime
    state: State
    shown: Shown
    buffer_ms: int
    buffer_setting_ms: int
    free_bytes: int
    recordings: int
    clock: str
    charge_percent: int | None


@dataclass
class _Recording:
    """A recording that is being written."""

    writer: Writer
    origin_ticks: int | None
    accepts_from_ticks: int
    phases: list[tuple[int, str]]
    fragments: int = 0

    def phase_at(self, ticks: int) -> str:
        return [phase for at, phase in self.phases if at <= ticks][-1]

    def position_ms(self, ticks: int) -> int:
        return max(0, (ticks - (ticks if self.origin_ticks is None else self.origin_ticks)) // TICKS_A_MS)


@dataclass(frozen=True)
class _Act:
    """An effect that waits for its turn, and when it was decided; an end waits until `until_ticks` is written."""

    effect: Effect
    ticks: int
    until_ticks: int = 0


def _silent(_: object) -> None:
    """Do nothing: a camera without a light, a buzzer or a radio."""


@dataclass
class Recorder:
    """A camera at work. Not for several threads: whoever reads devices puts what it read into one queue.

    Attributes:
        store: where journals go.
        clock: what the time is taken from.
        orders: how to record.
        make_encoder: returns an encoder for settings; called again where they change.
        serial: of the camera.
        show_light: lets the light tell something.
        beep: sounds and vibrates so often.
        announce: tells cameras close by that this one began.
        charge_percent: returns the battery's charge; None where it does not say.
    """

    store: Store
    clock: Clock
    orders: Orders
    make_encoder: Callable[[CameraSettings], Encoder]
    serial: str
    show_light: Callable[[Shown], None] = _silent
    beep: Callable[[int], None] = _silent
    announce: Callable[[str], None] = _silent
    charge_percent: Callable[[], int | None] = lambda: None
    state: State = field(default_factory=State)
    recordings: int = 0

    def __post_init__(self) -> None:
        self._watch = Watch(self.clock)
        self._encoder = self.make_encoder(self.orders.settings)
        self._encoder_settings = self.orders.settings
        self._buffer = Buffer(self.orders.settings.buffer_ms)
        self._shift: Writer | None = None
        self._recording: _Recording | None = None
        self._acts: deque[_Act] = deque()
        self._fragments: deque[MediaFragment] = deque()
        self._troubles: deque[str] = deque()
        self._level = SoundLevel()
        self._seen_ticks = self._heard_ticks = 0
        self._hears: bool | None = None  # None until there was any sound

    # --- what comes in

    def happen(self, event: Event) -> None:
        """Take an event: decide, and do what follows."""
        self.state, effects = step(self.state, event, self.orders)
        ticks = event.mono_ms * TICKS_A_MS
        if isinstance(event, PowerOn):
            self._seen_ticks = self._heard_ticks = ticks
        if isinstance(event, SourceLost) and event.what == "picture":
            self._encoder.pause()
        for effect in effects:
            self._acts.append(self._prepared(effect, ticks))
        self._advance()

    def show(self, ticks: int, frame: Any) -> None:
        """Take a picture; see encode.MediaEncoder.show. Ignored while the camera is off or docked."""
        if self.state.mode in ("off", "docked"):
            return
        # When it arrived, not when it was taken: a camera that is behind with its work has lost nothing.
        self._seen_ticks = max(ticks, self.clock.ticks())
        if not self.state.has_picture:
            self.happen(SourceBack(ticks // TICKS_A_MS))
        self._encoder.show(ticks, frame)
        self._advance()

    def hear(self, ticks: int, samples: NDArray[np.float32]) -> None:
        """Take sound; see encode.MediaEncoder.hear. Ignored while the camera is off or docked."""
        if self.state.mode in ("off", "docked"):
            return
        self._heard_ticks = max(ticks, self.clock.ticks())
        if self._hears is False:
            self.happen(SourceBack(ticks // TICKS_A_MS, "sound"))
        self._hears = True
        if self.state.mode == "checking":
            self._level.hear(samples)
        self._encoder.hear(ticks, samples)
        self._advance()

    def tick(self) -> None:
        """Let time pass: call it ten times a second or more, or with every picture."""
        if self.state.mode == "off":
            return
        ticks = self.clock.ticks()
        now_ms = ticks // TICKS_A_MS
        by_ms = self._watch.stepped_ms()
        if by_ms:
            self.happen(Noted(now_ms, "clock_stepped", {"by_ms": by_ms}))
        if self.state.mode == "docked":
            self._seen_ticks = self._heard_ticks = ticks
        elif self.state.has_picture and ticks - self._seen_ticks > LATE_MS * TICKS_A_MS:
            self.happen(SourceLost(now_ms))
        if self._hears and ticks - self._heard_ticks > LATE_MS * TICKS_A_MS:
            self._hears = False
            self.happen(SourceLost(now_ms, "sound"))
        self.happen(Tick(now_ms))

    def take_orders(self, orders: Orders) -> None:
        """Take new orders; a picture of another shape begins once no recording runs."""
        self.orders = orders
        self.happen(Noted(self.now_ms, "settings", _changed(self._encoder_settings, orders.settings)))
        self._renew()

    @property
    def now_ms(self) -> int:
        """How long the camera has been on."""
        return self.clock.ticks() // TICKS_A_MS

    def report(self) -> Report:
        """Return what the camera says of itself."""
        ticks = self.clock.ticks()
        return Report(
            at=self._watch.at(ticks),
            state=self.state,
            shown=shown_by(self.state),
            buffer_ms=self._buffer.available_ms(ticks),
            buffer_setting_ms=self._buffer.setting_ms,
            free_bytes=self.store.free_bytes(),
            recordings=self.recordings,
            clock=self.clock.kind,
            charge_percent=self.charge_percent(),
        )

    # --- what goes out, in order

    def _prepared(self, effect: Effect, ticks: int) -> _Act:
        """Tell the encoder at once; the rest waits its turn."""
        if isinstance(effect, Begin | Phase):
            self._encoder.cut(ticks)
        elif isinstance(effect, SetSound):
            self._encoder.set_sound(ticks, effect.sound)
        elif isinstance(effect, Forget | EndShift):
            # No picture or sound will come that an end before this could wait for.
            self._encoder.pause()
        elif isinstance(effect, End):
            if effect.reason in _ENDS_WITH_A_CUT:
                self._encoder.cut(ticks)
            else:
                self._encoder.pause()
            return _Act(effect, ticks, until_ticks=ticks)
        return _Act(effect, ticks)

    def _advance(self) -> None:
        """Write fragments and carry out acts, each in its turn, until one has to wait."""
        while True:
            self._fragments.extend(self._encoder.take())
            act = self._acts[0] if self._acts else None
            belongs = bool(self._fragments) and (
                act is None or self._fragments[0].start_ticks < act.until_ticks or not self._is_ready(act)
            )
            if belongs:
                self._keep(self._fragments.popleft())
            elif act is not None and self._is_ready(act):
                self._acts.popleft()
                self._guarded(lambda act=act: self._carry_out(act))  # type: ignore[misc]  # bound now, called now
            elif self._troubles:
                self.happen(Storage(self.now_ms, "full" if self._troubles.popleft() == "full" else "fault"))
            else:
                return

    def _is_ready(self, act: _Act) -> bool:
        is_settled = self._encoder.settled_ticks >= act.until_ticks or self._encoder.pending_ticks is None
        return not isinstance(act.effect, End) or is_settled

    def _guarded(self, write: Callable[[], None]) -> bool:
        """Write; what the storage cannot take becomes an event."""
        try:
            write()
        except _FAILURES as error:
            kind = "full" if isinstance(error, StorageFullError) else "fault"
            known = self.state.is_full if kind == "full" else self.state.is_broken
            if not known and kind not in self._troubles:
                self._troubles.append(kind)
            return False
        return True

    def _keep(self, fragment: MediaFragment) -> None:
        running = self._recording
        if running is None:
            if self.state.mode not in ("off", "docked"):
                self._buffer.add(fragment)
        elif fragment.start_ticks >= running.accepts_from_ticks:
            self._guarded(lambda: self._write(running, fragment))

    def _write(self, running: _Recording, fragment: MediaFragment) -> None:
        if running.origin_ticks is None:
            running.origin_ticks = fragment.start_ticks
        running.fragments += 1
        running.writer.add_fragment(
            format_fragment(fragment, number=running.fragments, origin_ticks=running.origin_ticks),
            at=self._watch.at(fragment.start_ticks),
            mono_ms=fragment.start_ms,
            position_ms=fragment.start_ms - running.origin_ticks // TICKS_A_MS,
            duration_ms=fragment.duration_ms,
            phase=running.phase_at(fragment.start_ticks),
            sound=fragment.sound,
        )

    def _carry_out(self, act: _Act) -> None:  # noqa: C901 one arm an effect
        match act.effect:
            case Begin():
                self._begin(act.effect, act.ticks)
            case End():
                self._end(act.effect.reason, act.ticks)
            case Check():
                self._check(act.ticks)
            case Phase() if self._recording is not None:
                self._recording.phases.append((act.ticks, act.effect.phase))
            case Log():
                self._log(act.effect, act.ticks)
            case BeginShift():
                self._begin_shift(act.ticks)
            case EndShift():
                self._end_shift(act.effect.reason, act.ticks)
            case Forget():
                self._encoder.pause()
                self._fragments.clear()
                self._encoder.take()
                self._buffer.forget()
            case Show():
                self.show_light(act.effect.shown)
            case Beep():
                self.beep(act.effect.times)
            case _:
                pass

    # --- journals

    def _beginning(self, purpose: str, ticks: int) -> Beginning:
        settings = self.orders.settings
        return Beginning(
            at=self._watch.at(ticks),
            mono_ms=ticks // TICKS_A_MS,
            purpose=purpose,
            clock=self.clock.kind,
            zone=settings.zone,
            worn=settings.worn,
        )

    def _begin(self, effect: Begin, ticks: int) -> None:
        kept = self._buffer.take(ticks)
        has_buffer = effect.keeps_buffer and self._buffer.setting_ms > 0
        first = self._first_ticks(kept, ticks) if has_buffer else None
        origin = ticks if first is None else first
        beginning = replace(
            self._beginning(effect.purpose, ticks),
            trigger=effect.trigger,
            trigger_at=self._watch.at(ticks),
            buffer_ms=(ticks - origin) // TICKS_A_MS,
            buffer_setting_ms=self._buffer.setting_ms if effect.keeps_buffer else 0,
            has_buffer_sound=has_buffer and self.orders.settings.has_buffer_sound,
        )
        init = self._encoder.init_segment(self._watch.at(origin), self.serial)
        phases = [(0, "buffer"), (ticks, "recording")]
        self._recording = _Recording(self.store.begin(beginning, init), first, origin, phases)
        self.recordings += effect.purpose == "recording"
        if effect.purpose == "recording":
            self.announce(effect.trigger)
        for fragment in kept if has_buffer else ():
            self._keep(fragment)

    def _first_ticks(self, kept: list[MediaFragment], ticks: int) -> int | None:
        """Return when the first fragment before a trigger began; None where there is none."""
        begun = [kept[0].start_ticks] if kept else []
        pending = [each.start_ticks for each in self._fragments]
        pending += [] if self._encoder.pending_ticks is None else [self._encoder.pending_ticks]
        oldest = [at for at in (*begun, *pending) if at < ticks]
        return min(oldest) if oldest else None

    def _end(self, reason: str, ticks: int) -> None:
        running, self._recording = self._recording, None
        if running is not None:
            self._close(running.writer, reason, ticks)
        self._renew()

    def _end_shift(self, reason: str, ticks: int) -> None:
        shift, self._shift = self._shift, None
        if shift is not None:
            self._close(shift, reason, ticks)

    def _close(self, writer: Writer, reason: str, ticks: int) -> None:
        at, mono_ms = self._watch.at(ticks), ticks // TICKS_A_MS
        if not self._guarded(lambda: writer.close(reason, at=at, mono_ms=mono_ms)):
            writer.abandon()

    def _check(self, ticks: int) -> None:
        facts = check_facts(
            at=self._watch.at(ticks),
            charge_percent=self.charge_percent(),
            sound_dbfs=self._level.take_dbfs(),
            worn=self.orders.settings.worn,
        )
        self._log(Log("checked", facts), ticks)

    def _log(self, log: Log, ticks: int) -> None:
        running = self._recording
        if running is not None and log.to != "shift":
            self._note(running.writer, log, ticks, position_ms=running.position_ms(ticks))
        if log.to == "recording":
            return
        if self._shift is None and not self.state.why_not:
            # The storage is back: what happens from now on is in a new journal.
            self._guarded(lambda: self._begin_shift(ticks))
        shift = self._shift
        if shift is not None and not self._note(shift, log, ticks, position_ms=None):
            shift.abandon()
            self._shift = None

    def _note(self, writer: Writer, log: Log, ticks: int, *, position_ms: int | None) -> bool:
        at, mono_ms = self._watch.at(ticks), ticks // TICKS_A_MS
        return self._guarded(
            lambda: writer.add_event(
                log.event, at=at, mono_ms=mono_ms, position_ms=position_ms, facts=log.facts
            )
        )

    def _begin_shift(self, ticks: int) -> None:
        self._shift = self.store.begin(self._beginning("shift", ticks), None)

    def _renew(self) -> None:
        """Take up settings that could not be taken up while a recording ran."""
        if self.orders.settings == self._encoder_settings or self.state.mode in RECORDING_MODES:
            return
        self._encoder_settings = self.orders.settings
        self._encoder = self.make_encoder(self.orders.settings)
        self._encoder.set_sound(self.clock.ticks(), sound_of(self.state, self.orders.settings))
        self._fragments.clear()
        self._buffer = Buffer(self.orders.settings.buffer_ms)


def _changed(before: CameraSettings, after: CameraSettings) -> dict[str, CaptureFact]:
    """Return the settings that are others than before, as facts."""
    found: dict[str, CaptureFact] = {}
    for name in before.__dataclass_fields__:
        value = getattr(after, name)
        if value != getattr(before, name):
            found[name] = int(value) if isinstance(value, bool) else value
    return found

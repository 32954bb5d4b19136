"""What a camera does: its states, what can happen, and what follows from it.

Pure: `step` takes a state and an event and returns the next state and the effects, in the order in which they must be
carried out. Times are `mono_ms`, milliseconds since the camera was switched on.

What the button does:
    pressed          begins a recording; while one runs it changes nothing, and is on the record
    held for hold_ms ends a recording; nothing else that a wearer does can
    held for less    counts as pressed
After the stop a recording goes on for post_ms; a press then takes the stop back, holding it again ends at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

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
from plainview.camera.events import (
    Covert,
    Docked,
    Event,
    Hold,
    Marker,
    Mute,
    Noted,
    PowerOff,
    PowerOn,
    Press,
    RefusedTrigger,
    SourceBack,
    SourceLost,
    Storage,
    Taken,
    Tick,
    Trigger,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from plainview.camera.effects import Effect, Shown, Sound
    from plainview.formats.camera_orders import CameraSettings

Mode: TypeAlias = Literal["off", "buffering", "checking", "recording", "post", "docked", "fault"]

# While these last there is a recording, and so a journal for it.
RECORDING_MODES: Final = frozenset(("checking", "recording", "post"))
# How long a picture may stay away before a recording is closed; it goes on in a next one when the picture is back.
LOST_LIMIT_MS: Final = 10_000
CHECK_MS: Final = 10_000


@dataclass(frozen=True)
class Orders:
    """What the rules must know of a camera's orders: its settings, and who allowed covert mode, if anybody."""

    settings: CameraSettings
    covert_allowed_by: str = ""


@dataclass(frozen=True)
class State:
    """A camera at one moment.

    Attributes:
        mode: what it does.
        entered_ms: since when.
        began_ms: when the recording that runs began.
        reminded_ms: when the wearer was last reminded of it.
        lost_ms: when the picture went away.
        trigger: what the recording runs for; in a fault, what one will begin for once the picture is back.
        is_muted, is_covert: of the recording that runs.
        is_full, is_broken, has_picture: why it may be unable to record.
    """

    mode: Mode = "off"
    entered_ms: int = 0
    began_ms: int = 0
    reminded_ms: int = 0
    lost_ms: int = 0
    trigger: str = ""
    is_muted: bool = False
    is_covert: bool = False
    is_full: bool = False
    is_broken: bool = False
    has_picture: bool = True

    @property
    def is_recording(self) -> bool:
        """Whether a recording runs."""
        return self.mode in RECORDING_MODES

    @property
    def why_not(self) -> str:
        """Why it cannot record now; empty where it can."""
        if self.mode in ("off", "docked"):
            return self.mode
        if self.is_full:
            return "storage_full"
        if self.is_broken:
            return "storage_fault"
        return "" if self.has_picture else "source_lost"


_Result: TypeAlias = "tuple[State, list[Effect]]"


def step(state: State, event: Event, orders: Orders) -> tuple[State, tuple[Effect, ...]]:
    """Say what a camera does when something happens.

    Args:
        state: as it was.
        event: what happened; not earlier than what happened before.
        orders: how the department wants it to record.

    Returns:
        The state that follows, and what to do, in this order.
    """
    if state.mode == "off" and not isinstance(event, PowerOn):
        return state, ()
    follow: Callable[[State, Event, Orders], _Result] = _FOLLOWS[type(event)]
    after, effects = follow(state, event, orders)
    effects += _shown_changes(state, after, orders, effects)
    # The shift's journal is closed last, so that it holds how the shift ended.
    return after, tuple(sorted(effects, key=lambda effect: isinstance(effect, EndShift)))


def shown_by(state: State) -> Shown:
    """Say what the light tells: always the state as it is, except in covert mode, which shows nothing."""
    if state.mode == "off":
        return "dark"
    if state.is_covert:
        return "covert"
    if state.mode == "docked":
        return "docked"
    if state.why_not:
        return "fault"
    if not state.is_recording:
        return "ready"
    return "muted" if state.is_muted else "recording"


def sound_of(state: State, settings: CameraSettings) -> Sound:
    """Say whether sound is kept now."""
    if state.is_recording:
        return "muted" if state.is_muted else "on"
    return "on" if settings.has_buffer_sound and state.mode in ("buffering", "fault") else "off"


def can_dock(state: State) -> bool:
    """Whether a dock may take the camera over: nothing that is said over the network stops a recording."""
    return state.mode in ("buffering", "fault", "docked")


def _shown_changes(before: State, after: State, orders: Orders, effects: list[Effect]) -> list[Effect]:
    """Return what a change of state brings about whatever caused it."""
    found: list[Effect] = []
    sound = sound_of(after, orders.settings)
    if sound != sound_of(before, orders.settings):
        found.append(SetSound(sound))
    if after.mode in ("off", "docked") and before.mode != after.mode:
        found.append(Forget())
    shown, shown_before = shown_by(after), shown_by(before)
    has_begun = any(isinstance(each, Begin) for each in effects)
    if after.mode != before.mode:
        found.append(Log("state", {"state": after.mode, "was": before.mode}))
    if shown != shown_before:
        found += [Show(shown), Log("light", {"shows": shown, "was": shown_before})]
    elif has_begun:
        found.append(Log("light", {"shows": shown}, to="recording"))
    return found


# --- beginning and ending


def _begin(state: State, trigger: str, now_ms: int, *, keeps_buffer: bool = True) -> _Result:
    after = replace(
        state,
        mode="recording",
        entered_ms=now_ms,
        began_ms=now_ms,
        reminded_ms=now_ms,
        trigger=trigger,
    )
    return after, [Begin("recording", trigger, keeps_buffer), *_beep(after, 2)]


def _idle(state: State, now_ms: int) -> State:
    """Return the state without a recording: ready to begin one, or why not."""
    idle = replace(state, mode="buffering", entered_ms=now_ms, trigger="", is_muted=False, is_covert=False)
    return replace(idle, mode="fault") if idle.why_not else idle


def _end(state: State, reason: str, now_ms: int) -> _Result:
    effects: list[Effect] = []
    if state.is_covert:
        effects.append(Log("covert_off", {"why": "end"}))
    effects += [Check()] if reason == "checked" else []
    beeps = _beep(state, 1)
    return _idle(state, now_ms), [*effects, End(reason), *beeps]


def _beep(state: State, times: Literal[1, 2, 3]) -> list[Effect]:
    return [] if state.is_covert else [Beep(times)]


# --- the button


def _press(state: State, event: Event, orders: Orders) -> _Result:
    del orders
    return _ask(state, "button", event.mono_ms, Log("press"))


def _ask(state: State, trigger: str, now_ms: int, asked: Log) -> _Result:
    """Answer a press or a trigger."""
    if state.mode == "recording":
        return state, [_with(asked, "already_recording")]
    if state.mode == "post":
        going_on = replace(state, mode="recording", entered_ms=now_ms, reminded_ms=now_ms)
        return going_on, [_with(asked, "goes_on"), Phase("recording"), *_beep(state, 2)]
    if state.mode == "checking":
        ended, effects = _end(state, "checked", now_ms)
        begun, more = _ask(ended, trigger, now_ms, asked)
        return begun, [*effects, *more]
    if not state.why_not:
        after, effects = _begin(state, trigger, now_ms)
        return after, [effects[0], _with(asked, "begun"), *effects[1:]]
    outcome = _with(asked, "refused", why=state.why_not)
    if state.why_not == "source_lost":
        # Somebody wants a recording and it is not theirs to notice a loose plug: it begins once the picture is back.
        return replace(state, trigger=trigger), [_with(asked, "waits", why="source_lost"), Beep(3)]
    return state, [outcome, Beep(3)]


def _with(asked: Log, outcome: str, **more: str) -> Log:
    return replace(asked, facts={**asked.facts, "outcome": outcome, **more})


def _hold(state: State, event: Hold, orders: Orders) -> _Result:
    if event.held_ms < orders.settings.hold_ms:
        return _press(state, event, orders)
    held = Log("press", {"held_ms": event.held_ms})
    if state.mode == "recording" and orders.settings.post_ms:
        after = replace(state, mode="post", entered_ms=event.mono_ms)
        return after, [_with(held, "stops_later"), Phase("post"), *_beep(state, 1)]
    if state.mode in ("recording", "post"):
        after, effects = _end(state, "button", event.mono_ms)
        return after, [_with(held, "stopped"), *effects]
    return replace(state, trigger=state.trigger if state.is_recording else ""), [
        _with(held, "nothing_to_stop")
    ]


def _mute(state: State, event: Event, orders: Orders) -> _Result:
    del event, orders
    if state.mode not in ("recording", "post"):
        return state, [Log("press", {"button": "mute", "outcome": "nothing_to_mute"})]
    after = replace(state, is_muted=not state.is_muted)
    return after, [Log("muted" if after.is_muted else "unmuted")]


def _marker(state: State, event: Event, orders: Orders) -> _Result:
    del event, orders
    if not state.is_recording:
        return state, [Log("press", {"button": "marker", "outcome": "nothing_to_mark"})]
    return state, [Log("marker")]


def _covert(state: State, event: Event, orders: Orders) -> _Result:
    del event
    asked = Log("press", {"button": "covert"})
    if state.is_covert:
        return replace(state, is_covert=False), [Log("covert_off", {"why": "button"})]
    if state.mode not in ("recording", "post"):
        return state, [_with(asked, "refused", why="only_while_recording"), Beep(3)]
    if not orders.covert_allowed_by:
        return state, [_with(asked, "refused", why="nobody_allowed_it"), Beep(3)]
    return replace(state, is_covert=True), [Log("covert_on", {"allowed_by": orders.covert_allowed_by})]


# --- what else asks for a recording


def _trigger(state: State, event: Trigger, orders: Orders) -> _Result:
    del orders
    asked = Log("trigger", {"source": event.source, **event.facts})
    return _ask(state, event.source, event.mono_ms, asked)


def _refused_trigger(state: State, event: RefusedTrigger, orders: Orders) -> _Result:
    del orders
    return state, [Log("trigger", {**event.facts, "outcome": "refused"})]


# --- power and dock


def _power_on(state: State, event: PowerOn, orders: Orders) -> _Result:
    del orders
    if state.mode != "off":
        return state, []
    on = replace(state, has_picture=event.has_picture)
    if event.has_picture:
        return _ready(on, event.mono_ms, [BeginShift()], with_check=event.with_check)
    waiting = replace(_idle(on, event.mono_ms), trigger="function_check" if event.with_check else "")
    return waiting, [BeginShift(), Log("source_lost", {"what": "picture"})]


def _ready(state: State, now_ms: int, effects: list[Effect], *, with_check: bool) -> _Result:
    idle = _idle(state, now_ms)
    if with_check and not idle.why_not:
        checking = replace(
            idle, mode="checking", trigger="function_check", began_ms=now_ms, reminded_ms=now_ms
        )
        return checking, [*effects, Begin("function_check", "function_check", keeps_buffer=False)]
    return idle, effects


def _power_off(state: State, event: PowerOff, orders: Orders) -> _Result:
    del orders
    effects: list[Effect] = []
    if state.is_recording:
        state, effects = _end(state, event.reason, event.mono_ms)
    after = replace(state, mode="off", entered_ms=event.mono_ms, trigger="")
    return after, [*effects, EndShift(event.reason)]


def _docked(state: State, event: Docked, orders: Orders) -> _Result:
    del orders
    if state.mode == "docked":
        return state, []
    effects: list[Effect] = []
    if state.is_recording:
        state, effects = _end(state, "docked", event.mono_ms)
    after = replace(state, mode="docked", entered_ms=event.mono_ms, trigger="")
    return after, [*effects, Log("docked", {"dock": event.dock})]


def _taken(state: State, event: Event, orders: Orders) -> _Result:
    del orders
    if state.mode != "docked":
        return state, []
    # Whatever was wrong with the storage may be right now; if not, the first write says so.
    fit = replace(state, mode="buffering", is_full=False, is_broken=False)
    return _ready(fit, event.mono_ms, [Log("undocked")], with_check=False)


# --- what goes wrong, and comes right


def _storage(state: State, event: Storage, orders: Orders) -> _Result:
    del orders
    if event.level == "low":
        return state, [Log("storage_low", event.facts)]
    if event.level == "ok":
        after = replace(state, is_full=False, is_broken=False)
        return (_idle(after, event.mono_ms) if after.mode == "fault" else after), []
    reason = "storage_full" if event.level == "full" else "fault"
    known = state.is_full if event.level == "full" else state.is_broken
    after = replace(state, is_full=state.is_full or event.level == "full")
    after = replace(after, is_broken=after.is_broken or event.level == "fault")
    said: list[Effect] = [] if known else [Log(reason, event.facts), *_beep(state, 3)]
    if state.is_recording:
        after, effects = _end(after, reason, event.mono_ms)
        return after, [*said, *effects]
    return (after if after.mode == "docked" else _idle(after, event.mono_ms)), said


def _source_lost(state: State, event: SourceLost, orders: Orders) -> _Result:
    del orders
    said: list[Effect] = [Log("source_lost", {"what": event.what})]
    if event.what == "sound" or not state.has_picture:
        return state, said if event.what == "sound" else []
    after = replace(state, has_picture=False, lost_ms=event.mono_ms)
    if state.is_recording or state.mode == "docked":
        return after, [*said, *_beep(state, 3)]
    return _idle(after, event.mono_ms), [*said, Beep(3)]


def _source_back(state: State, event: SourceBack, orders: Orders) -> _Result:
    del orders
    said: list[Effect] = [Log("source_back", {"what": event.what})]
    if event.what == "sound" or state.has_picture:
        return state, said if event.what == "sound" else []
    after = replace(state, has_picture=True)
    if after.mode != "fault":
        return after, said
    wanted = after.trigger
    idle = _idle(after, event.mono_ms)
    if wanted == "function_check":
        return _ready(after, event.mono_ms, said, with_check=True)
    if wanted and not idle.why_not:
        begun, effects = _begin(idle, wanted, event.mono_ms, keeps_buffer=False)
        return begun, [*said, *effects]
    return idle, said


def _noted(state: State, event: Noted, orders: Orders) -> _Result:
    said: list[Effect] = [Log(event.event, event.facts)]
    if state.is_covert and not orders.covert_allowed_by:
        return replace(state, is_covert=False), [*said, Log("covert_off", {"why": "no_longer_allowed"})]
    return state, said


# --- time


def _tick(state: State, event: Event, orders: Orders) -> _Result:
    now_ms, settings = event.mono_ms, orders.settings
    if not state.is_recording:
        return state, []
    if not state.has_picture and now_ms - state.lost_ms >= LOST_LIMIT_MS:
        trigger = state.trigger if state.mode == "recording" else ""
        after, effects = _end(state, "source_lost", now_ms)
        return replace(after, trigger=trigger), effects
    if state.mode == "checking" and now_ms - state.began_ms >= CHECK_MS:
        return _end(state, "checked", now_ms)
    if state.mode == "post" and now_ms - state.entered_ms >= settings.post_ms:
        return _end(state, "button", now_ms)
    if now_ms - state.began_ms >= settings.longest_ms:
        return _split(state, now_ms, orders)
    return _remind(state, now_ms, settings)


def _remind(state: State, now_ms: int, settings: CameraSettings) -> _Result:
    if state.is_covert or now_ms - state.reminded_ms < settings.reminder_ms:
        return state, []
    return replace(state, reminded_ms=now_ms), [Beep(2), Log("reminder")]


def _split(state: State, now_ms: int, orders: Orders) -> _Result:
    """End a recording that is long enough and go on in the next, which says what holds at its beginning."""
    after = replace(state, began_ms=now_ms)
    effects: list[Effect] = [End("longest"), Begin("recording", state.trigger, keeps_buffer=False)]
    effects.append(Log("state", {"state": state.mode, "was": state.mode}, to="recording"))
    if state.mode == "post":
        effects.append(Phase("post"))
    if state.is_muted:
        effects.append(Log("muted", to="recording"))
    if state.is_covert:
        effects.append(Log("covert_on", {"allowed_by": orders.covert_allowed_by}, to="recording"))
    return after, effects


_FOLLOWS: Final[dict[type[Event], Callable[..., _Result]]] = {
    Tick: _tick,
    Press: _press,
    Hold: _hold,
    Mute: _mute,
    Marker: _marker,
    Covert: _covert,
    Trigger: _trigger,
    RefusedTrigger: _refused_trigger,
    PowerOn: _power_on,
    PowerOff: _power_off,
    Docked: _docked,
    Taken: _taken,
    Storage: _storage,
    SourceLost: _source_lost,
    SourceBack: _source_back,
    Noted: _noted,
}

"""Put a camera together from what this machine has, and run it until somebody switches it off."""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import signal
import sys
import termios
import threading
import tty
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from plainview.camera.buttons import RecordButton, other_event, read_keys, terminal_event
from plainview.camera.clocks import SystemClock
from plainview.camera.encode import MediaEncoder, shape_of
from plainview.camera.errors import SourceError
from plainview.camera.events import PowerOff, Press
from plainview.camera.identity import open_camera
from plainview.camera.lights import Buzzer, LedLamp, Light, TerminalLamp
from plainview.camera.recorder import Recorder
from plainview.camera.rules import Orders
from plainview.camera.running import DockHooks, Inbox, Loop, set_system_clock
from plainview.camera.sealed_store import SealedStore
from plainview.camera.serving import UntilAdmitted, serve_docks, serve_page
from plainview.camera.sources import has_sound, parse_source, read_source
from plainview.camera.triggers import Ear, hear_one, make_trigger, open_ear, say
from plainview.camera.upkeep import Upkeep, battery_percent
from plainview.formats.note import parse_vkey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from socket import socket

    from plainview.camera.events import Event
    from plainview.camera.identity import Camera
    from plainview.camera.indicator import Colour
    from plainview.camera.lights import Lamp
    from plainview.camera.sources import Source

_SUPPLIES = Path("/sys/class/power_supply")
# The library that reads sound devices was built elsewhere; this is where its settings are on a Linux device.
_ALSA_SETTINGS = Path("/usr/share/alsa/alsa.conf")
_TURN_S = 0.1


@dataclass(frozen=True)
class Wanted:
    """What was asked for: the options of `plainview camera run`."""

    home: Path
    storage: Path
    source: str
    sound: str | None
    input_format: str
    preset: str
    leds: tuple[str, ...]
    buzzer: Path | None
    keys: tuple[Path, ...]
    status: str
    dock: str
    is_announced: bool
    hears_triggers: bool
    tells_others: bool
    has_check: bool
    is_pressed: bool


def run_camera(wanted: Wanted) -> int:
    """Switch a camera on, and record until it is told to stop (SIGTERM, SIGINT, q in a terminal).

    Returns:
        The exit code.

    Raises:
        CameraError: what a person can act on.
    """
    source = parse_source(wanted.source, input_format=wanted.input_format)
    sound = None if wanted.sound is None else parse_source(wanted.sound)
    if _ALSA_SETTINGS.exists():
        os.environ.setdefault("ALSA_CONFIG_PATH", str(_ALSA_SETTINGS))
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    clock, camera = SystemClock(), open_camera(wanted.home, wanted.storage)
    try:
        if camera.orders is None:
            _wait_for_orders(camera, wanted, clock, stopping)
        if not stopping.is_set():
            _record(camera, wanted, clock, [each for each in (source, sound) if each], stopping)
    finally:
        stopping.set()
        camera.switch_off()
    return 0


def _wait_for_orders(camera: Camera, wanted: Wanted, clock: SystemClock, stopping: threading.Event) -> None:
    """Answer docks until one brings orders: without them there is nobody to seal a recording to."""
    print(f"Nobody has admitted {camera.name} yet, so it does not record. Put it into a dock.", flush=True)
    waiting = UntilAdmitted(clock)
    with serve_docks(camera, waiting, wanted.dock, is_announced=wanted.is_announced):
        while not stopping.is_set() and not waiting.wait(_TURN_S):
            pass


def _record(
    camera: Camera, wanted: Wanted, clock: SystemClock, sources: list[Source], stopping: threading.Event
) -> None:
    settings = camera.expect_orders().settings
    hears = any(has_sound(each, settings) for each in sources)
    loop = _loop(camera, wanted, clock, hears=hears)
    hooks = DockHooks(loop, clock, partial(set_system_clock, clock))
    with contextlib.ExitStack() as stack:
        stack.enter_context(serve_docks(camera, hooks, wanted.dock, is_announced=wanted.is_announced))
        stack.enter_context(serve_page(wanted.status, camera=camera.name, report=lambda: loop.report))
        work: list[Callable[[], None]] = [partial(_switch_off, stopping, loop.inbox)]
        work += [partial(_read, each, camera, loop, stopping) for each in sources]
        work += [partial(_watch_keys, path, loop, stopping) for path in wanted.keys]
        if sys.stdin.isatty():
            stack.enter_context(_single_keys())
            work.append(partial(_watch_terminal, loop, stopping))
        if wanted.hears_triggers:
            heard = stack.enter_context(open_ear())
            work.append(partial(_listen, heard, camera, loop))
        for each in work:
            threading.Thread(target=each, daemon=True).start()
        if wanted.is_pressed:
            loop.inbox.put(Press)
        loop.run(with_check=wanted.has_check)
    print(
        f"\n{camera.name} is off. Recordings since it was switched on: {loop.recorder.recordings}.",
        flush=True,
    )


def _loop(camera: Camera, wanted: Wanted, clock: SystemClock, *, hears: bool) -> Loop:
    orders = camera.expect_orders()
    light = Light(_lamps(wanted.leds, wanted.buzzer))
    recorder = Recorder(
        store=SealedStore(camera),
        clock=clock,
        orders=Orders(orders.settings, orders.covert_allowed_by),
        make_encoder=lambda asked: MediaEncoder(shape_of(asked, has_sound=hears, preset=wanted.preset)),
        serial=camera.serial,
        show_light=light.show,
        beep=light.beep,
        announce=partial(_tell_others, camera, clock) if wanted.tells_others else lambda _: None,
        charge_percent=lambda: battery_percent(_SUPPLIES),
    )
    return Loop(recorder, Inbox(), light, Upkeep())


def _lamps(leds: tuple[str, ...], buzzer: Path | None) -> list[Lamp]:
    lamps: list[Lamp] = [TerminalLamp(sys.stdout)] if sys.stdout.isatty() else []
    lamps += [] if buzzer is None else [Buzzer(buzzer)]
    folders = {colour: Path(folder) for colour, _, folder in (led.partition("=") for led in leds)}
    unknown = set(folders) - {"red", "green", "blue", "white", "amber"}
    if unknown:
        raise SourceError(f"--led {min(unknown)}", "expected red, green, blue, white or amber, and a folder")
    return [*lamps, LedLamp(cast("dict[Colour, Path]", folders))] if folders else lamps


def _tell_others(camera: Camera, clock: SystemClock, trigger: str) -> None:
    if trigger == "nearby_camera":
        return  # or cameras would go on telling each other
    message = make_trigger(
        "nearby_camera",
        sender=camera.name,
        at=clock.now(),
        identifier=secrets.token_hex(8),
        sign_note=camera.sign_note,
    )
    with contextlib.suppress(OSError):
        say(message)  # without a network nobody is near


# --- threads: each puts what it read into the loop's inbox


def _switch_off(stopping: threading.Event, inbox: Inbox) -> None:
    stopping.wait()
    inbox.put(PowerOff)


def _read(source: Source, camera: Camera, loop: Loop, stopping: threading.Event) -> None:
    read_source(
        source,
        camera.expect_orders().settings,
        loop.recorder.clock,
        put=loop.inbox.put,
        stopping=stopping,
        say=lambda text: print(f"\nplainview: {text}", file=sys.stderr),
    )
    if not stopping.is_set():
        loop.inbox.put(lambda now_ms: PowerOff(now_ms, "end"))


def _listen(heard: socket, camera: Camera, loop: Loop) -> None:
    ear = Ear((), own_name=camera.name)

    def judge(data: bytes, now_ms: int) -> Event | None:
        ear.keys = tuple(parse_vkey(text) for text in camera.expect_orders().trigger_keys)
        return ear.judge(data, at=loop.recorder.clock.now(), mono_ms=now_ms)

    while True:
        try:
            data = hear_one(heard)
        except OSError:
            return  # the camera is off
        loop.inbox.put(partial(judge, data))


def _watch_keys(path: Path, loop: Loop, stopping: threading.Event) -> None:
    button = RecordButton(loop.recorder.orders.settings.hold_ms)

    def take(name: str, now_ms: int, *, is_down: bool) -> Event | None:
        if name != "record":
            return other_event(name, now_ms) if is_down else None
        if not is_down:
            return button.up(now_ms)
        return button.down(now_ms, is_recording=loop.recorder.state.is_recording)

    with path.open("rb", buffering=0) as device:
        while not stopping.is_set():
            if not select.select([device], [], [], _TURN_S)[0]:
                loop.inbox.put(button.tick)
                continue
            try:
                keys = read_keys(cast("Any", device))
            except (EOFError, OSError):
                return
            for name, is_down in keys:
                loop.inbox.put(partial(take, name, is_down=is_down))


@contextlib.contextmanager
def _single_keys() -> Iterator[None]:
    """Let the terminal give each key as it is pressed."""
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _watch_terminal(loop: Loop, stopping: threading.Event) -> None:
    while not stopping.is_set():
        key = sys.stdin.read(1)
        if not key:
            return
        loop.inbox.put(partial(_typed, key, loop))


def _typed(key: str, loop: Loop, now_ms: int) -> Event | None:
    return terminal_event(key, mono_ms=now_ms, hold_ms=loop.recorder.orders.settings.hold_ms)

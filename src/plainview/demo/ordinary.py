"""Tell and render twelve ordinary recordings of the same shift: nothing in them is of any interest, as is usual.

Six scenes are used twice, with other people, places, words and lengths.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import math
from typing import TYPE_CHECKING, Final

import numpy as np

from plainview.demo import mix, places, stages
from plainview.demo.film import write_film
from plainview.demo.frame import FRAME_RATE
from plainview.demo.people import STAND, STRIDES, TALK, WALK, Pose
from plainview.demo.picture import Actor, Painter, Shot, Stage
from plainview.demo.portrait import Look
from plainview.demo.recorded import Session
from plainview.demo.roster import OFFICERS, device
from plainview.demo.sound import RATE_HZ
from plainview.demo.space import Lamp, Thing, View, World
from plainview.demo.speech import say
from plainview.demo.stages import HEADLIGHT
from plainview.demo.story import BUFFER_S, SHIFT_BEGAN_AT, SHIFT_ENDED_AT, UTC_OFFSET, Line, Noise, Person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from plainview.demo.space import Colour

SCENES: Final = ("parked", "desk", "stop", "patrol", "rain", "corridor")
# The check at the start of Okafor's shift, on a camera switched on for it.
CHECK: Final = "01-corridor"
CHECK_BEFORE: Final = dt.timedelta(seconds=2)
CHECK_AFTER: Final = dt.timedelta(seconds=25)
# A camera that two people share is switched off between them.
CHANGE_BEFORE: Final = dt.timedelta(minutes=10)
_LOOKS: Final = (
    Look("#d9a57e", "#4a2f1c", coat="#6a3b3b", collar="#d8d2c4", hair_style="long", age=0.2),
    Look("#7a4c32", "#120e0c", coat="#3d5a4a", collar="#2c4236", hair_style="shaved", beard=0.5, age=0.5),
    Look("#e6bd9f", "#9a948c", coat="#7a6a48", collar="#c8c0b0", hair_style="receding", age=0.9, eye="#50708a"),
    Look("#b97d55", "#1d1411", coat="#40506e", collar="#b8bcc4", hair_style="tied", age=0.3),
    Look("#5c3a28", "#0e0b0a", coat="#8a8378", collar="#3a3a3c", hair_style="short", age=0.3),
    Look("#edc6a8", "#7a4a24", coat="#2f3f35", collar="#a8503a", hair_style="short", beard=0.8, age=0.4, eye="#4a6a4a"),
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Ordinary:
    """One recording.

    Attributes:
        key: also the name of its file.
        scene: one of SCENES. look: index of whoever is met.
        serial: of the camera.
        started_at: aware UTC; these cameras' clocks are right to the second.
        seconds: length. said: when, "self" or "other", and what.
    """

    key: str
    scene: str
    look: int
    serial: str
    started_at: dt.datetime
    seconds: float
    said: tuple[tuple[float, str, str], ...]


def _at(clock: str) -> dt.datetime:
    """Read a time of that night in its own zone: what is before noon is on the 15th."""
    hour, minute, second = (int(part) for part in clock.split(":"))
    day = dt.datetime(2026, 3, 15 if hour < 12 else 14, hour, minute, second, tzinfo=dt.UTC)
    return day - UTC_OFFSET


RECORDINGS: Final = (
    Ordinary("01-corridor", "corridor", 3, "BWC-0533", _at("21:52:10"), 10.0, ((1.5, "self", "Camera check. Okafor, five one two zero. It is recording."), (8.0, "other", "Have a quiet one."))),
    Ordinary("02-desk", "desk", 0, "BWC-0380", _at("22:08:41"), 28.0, ((1.0, "self", "Good evening. What can I do for you?"), (4.5, "other", "I found this wallet on the bus. The number nine."), (10.0, "self", "Thank you. Did you look inside?"), (13.5, "other", "Only for a name. There is a library card."), (19.0, "self", "I'll write you a receipt."), (23.0, "other", "No need. Good night."))),
    Ordinary("03-parked", "parked", 4, "BWC-0480", _at("22:21:03"), 24.0, ((1.5, "self", "Did your sister get the house?"), (5.0, "other", "They signed on Friday. Two bedrooms and a garden."), (11.0, "self", "Good for her."), (15.0, "other", "She wants me to paint it."))),
    Ordinary("04-traffic-stop", "stop", 1, "BWC-0352", _at("22:34:55"), 32.0, ((1.0, "self", "Good evening. Your left tail light is out."), (5.0, "other", "Is it? I didn't know."), (8.5, "self", "Licence and registration, please."), (13.0, "other", "Here. Am I getting a ticket?"), (18.0, "self", "No. A warning. Have it fixed this week."), (24.0, "other", "I will. Thank you."))),
    Ordinary("05-patrol", "patrol", 2, "BWC-0495", _at("22:47:30"), 20.0, ((5.0, "other", "Evening, officer."), (7.0, "self", "Evening. Quiet out here?"), (10.0, "other", "Quiet enough."))),
    Ordinary("06-rain", "rain", 5, "BWC-0307", _at("23:02:18"), 22.0, ((2.0, "other", "It just stopped. The engine is dead."), (7.0, "self", "The tow truck is ten minutes out."), (12.0, "self", "Stay on the pavement, please."), (16.0, "other", "All right."))),
    Ordinary("07-corridor", "corridor", 0, "BWC-0401", _at("23:10:44"), 12.0, ((2.0, "other", "Is the lieutenant in?"), (4.5, "self", "Second door on the left."))),
    Ordinary("08-parked", "parked", 3, "BWC-0443", _at("23:19:07"), 16.0, ((2.0, "other", "Anything on the radio?"), (5.0, "self", "A noise complaint. Fourteen B has it."), (10.0, "other", "Then I am getting coffee."))),
    Ordinary("09-desk", "desk", 2, "BWC-0401", _at("00:31:12"), 26.0, ((1.0, "other", "My neighbour's dog has been barking since nine."), (6.0, "self", "Which street is that?"), (9.0, "other", "Elm. Number forty."), (14.0, "self", "We'll send somebody by."), (19.0, "other", "You said that yesterday."))),
    Ordinary("10-rain", "rain", 4, "BWC-0412", _at("01:04:50"), 18.0, ((2.0, "self", "Are you hurt?"), (4.5, "other", "No. Only wet."), (9.0, "self", "Let's get the car off the road."))),
    Ordinary("11-traffic-stop", "stop", 5, "BWC-0392", _at("01:26:33"), 30.0, ((1.0, "self", "Do you know how fast that was?"), (4.5, "other", "Forty? Forty five?"), (9.0, "self", "Fifty two. The limit is thirty five."), (16.0, "other", "I'm late for my shift."), (20.0, "self", "I'll be right back with you."))),
    Ordinary("12-patrol", "patrol", 0, "BWC-0524", _at("02:15:26"), 16.0, ((5.5, "self", "Are you all right?"), (8.0, "other", "Just waiting for my ride."))),
)  # fmt: skip


def recorded_by(
    recording: Ordinary, *, seed: int
) -> tuple[Session, Iterator[NDArray[np.uint8]], NDArray[np.float32]]:
    """Give what its camera did, and everything it saw and heard, the time before the button was pressed included.

    Returns:
        The session, with its pictures and sound as record_session takes them.
    """
    is_check, lead_s = recording.key == CHECK, lead_ms_of(recording.key) / 1000
    painted = painter(recording, seed=seed)
    sound = _sound(recording, seed, recording.seconds)
    session = Session(
        on_at=recording.started_at - CHECK_BEFORE if is_check else shift_of(recording)[0],
        off_at=recording.started_at + CHECK_AFTER if is_check else shift_of(recording)[1],
        first_at=recording.started_at - dt.timedelta(seconds=lead_s),
        pressed_s=lead_s,
        seconds=lead_s + recording.seconds,
        trigger="function_check" if is_check else "button",
        worn=device(recording.serial).worn,
    )
    silent = np.zeros(round(lead_s * RATE_HZ), np.float32)
    return session, _pictures(painted, lead_s, recording.seconds), np.concatenate([silent, sound])


def lead_ms_of(key: str) -> int:
    """Return how much of a recording lies before the button was pressed."""
    return 0 if key == CHECK else round(BUFFER_S * 1000)


def shift_of(recording: Ordinary) -> tuple[dt.datetime, dt.datetime]:
    """Give when a camera was switched on and off around a recording: once a shift, or around each of several."""
    same = [each for each in RECORDINGS if each.serial == recording.serial and each.key != CHECK]
    number = same.index(recording)
    on_at = SHIFT_BEGAN_AT if number == 0 else recording.started_at - CHANGE_BEFORE
    off_at = SHIFT_ENDED_AT if number == len(same) - 1 else same[number + 1].started_at - 2 * CHANGE_BEFORE
    return on_at, off_at


def _pictures(painted: Painter, lead_s: float, seconds: float) -> Iterator[NDArray[np.uint8]]:
    # Before the button nobody moves: one drawing a second will do, and only its clock goes on.
    for second in range(-round(lead_s), 0):
        picture = painted.picture(float(second))
        yield from (picture for _ in range(FRAME_RATE))
    # One more than is recorded: the picture that ends the last fragment.
    yield from (painted.picture(i / FRAME_RATE) for i in range(round(seconds * FRAME_RATE) + 1))


def render_recording(recording: Ordinary, *, seed: int, to_s: float | None = None) -> bytes:
    """Render one of them, or its first seconds, as an MP4."""
    seconds = min(recording.seconds, to_s or recording.seconds)
    count = round(seconds * FRAME_RATE)
    painted = painter(recording, seed=seed)
    pictures: Iterator[NDArray[np.uint8]] = (painted.picture(i / FRAME_RATE) for i in range(count))
    sound = _sound(recording, seed, count / FRAME_RATE)
    return write_film(pictures, sound, started_at=recording.started_at, title=recording.serial)


def painter(recording: Ordinary, *, seed: int) -> Painter:
    """Give the painter of one of them."""
    number = RECORDINGS.index(recording)

    def clock(at_s: float) -> dt.datetime:
        return (recording.started_at + UTC_OFFSET + dt.timedelta(seconds=at_s)).replace(tzinfo=None)

    def shot(at_s: float) -> Shot:
        return _SHOTS[recording.scene](recording, max(0.0, at_s), seed)

    here = {name: functools.partial(make, recording, seed) for name, make in _STAGES.items()}
    return Painter(shot, here, seed=seed * 64 + number, caption=recording.serial, clock=clock, step=3)


# Sound.


def cast(recording: Ordinary) -> dict[str, Person]:
    """Give who speaks in it: "self" wears the camera, "other" is met."""
    number = RECORDINGS.index(recording)
    wearer = next(each for each in OFFICERS if each.badge == device(recording.serial).issued_to)
    voices = ("en-us+f2", "en-us+m3", "en-us+f4", "en-us+m7")
    others = ("en-us+f5", "en-us+m2", "en-us+m6", "en-us+f3", "en-us+m4", "en-us+m5")
    look = _LOOKS[recording.look]
    return {
        "self": Person("self", wearer.name, "officer", look, voices[number % 4], 40 + number, wearer.badge),
        "other": Person("other", "somebody met", "somebody met", look, others[recording.look], 44),
    }


_AROUND: Final = {
    "parked": ("idling",), "desk": ("hum",), "stop": ("idling",), "patrol": ("walking",), "rain": ("rain",),
    "corridor": ("walking", "hum"),
}  # fmt: skip


def _sound(recording: Ordinary, seed: int, seconds: float) -> NDArray[np.float32]:
    def place(key: str, at_s: float) -> tuple[float, float]:
        del at_s
        return (0.0, 1.3) if key == "other" else (0.0, 0.0)

    number = seed * 64 + RECORDINGS.index(recording)
    noises = [Noise(0.3, "start beeps", "self")]
    noises += [Noise(0.0, kind, "around", recording.seconds) for kind in _AROUND[recording.scene]]
    listener = mix.Listener(
        place=functools.partial(place, "self"),
        reach_m=0.4,
        starts_s=0.0,
        rate=1.0,
        muffled=lambda _a, _b: 1.0,
        rustle=0.0,
    )
    heard = mix.sources(
        lines=[Line(at_s, by, words) for at_s, by, words in recording.said],
        sounds=noises, people=cast(recording), radios=(), place=place, seed=number, from_s=0.0, to_s=seconds,
    )  # fmt: skip
    return mix.hear(listener, heard, seed=number, seconds=seconds)


# Picture.


def _mouth(recording: Ordinary, at_s: float) -> int:
    person = cast(recording)["other"]
    for begin, by, words in recording.said:
        if by == "other" and begin <= at_s < begin + 6:
            said = say(words, person.voice, person.pitch + (12 if "!" in words else 0), person.speed)
            if at_s < begin + said.words[-1].to_s:
                return (1, 2, 1, 0)[int((at_s - begin) * 7.5) % 4]
    return 0


def _met(
    recording: Ordinary, at_s: float, x: float, z: float, tint: Colour, *, walking: bool = False
) -> Actor:
    """Somebody who faces us."""
    mouth = _mouth(recording, at_s)
    kind = WALK if walking else (TALK if mouth else STAND)
    stride = int(at_s * 0.9 * STRIDES) % STRIDES if walking else 0
    turn = 0 if walking else round(1.2 * math.sin(at_s / 2.1 + recording.look))
    return Actor(
        "other", _LOOKS[recording.look], Pose(kind, stride=stride, turn=turn, mouth=mouth), x, z, tint, 0.1
    )


def _street_z(recording: Ordinary) -> float:
    return 150.0 + 61.0 * RECORDINGS.index(recording)


def _parked(recording: Ordinary, at_s: float, seed: int) -> Shot:
    del recording, at_s, seed
    return Shot("parked", cover="dash", sway_px=1.2)


def _desk(recording: Ordinary, at_s: float, seed: int) -> Shot:
    del seed
    z = 3.6 - 1.75 * min(1.0, at_s / 1.2) if at_s < 1.2 else 1.85
    return Shot(
        "desk",
        actors=[_met(recording, at_s, 0.15, z, (1.0, 1.0, 0.96), walking=at_s < 1.2)],
        edge=(0, 1.02, 1.25),
        sway_px=3,
    )


def _stop(recording: Ordinary, at_s: float, seed: int) -> Shot:
    del seed
    x, z = 2.0, _street_z(recording) + 1.75
    return Shot(
        "stop",
        actors=[_met(recording, at_s, x, z, (0.9, 0.87, 0.82))],
        sway_px=5,
        flashing=True,
        aim=(x, 1.4, z),
    )


def _patrol(recording: Ordinary, at_s: float, seed: int) -> Shot:
    walked = 1.3 * min(at_s, 5.0) + 1.3 * max(0.0, at_s - 13.0)
    z = _street_z(recording) + walked
    view = View((5.6, 1.32, z), yaw=-0.06, pitch=-0.02)
    moving = Stage(
        view, stages.street(seed), places.street_light(z, reach_m=40), halos=stages.halos(z), reach_m=80.0
    )
    actors = []
    ahead = _street_z(recording) + 1.3 * 5.0 + 1.6 + max(0.0, 5.0 - at_s) * 1.3
    if at_s < 13.0:
        actors.append(_met(recording, at_s, 5.5, ahead, (0.75, 0.62, 0.45), walking=at_s < 5.0))
    return Shot(moving=moving, actors=actors, sway_px=5, bob_px=0 if 5.0 < at_s < 13.0 else 4)


def _rain(recording: Ordinary, at_s: float, seed: int) -> Shot:
    del seed
    return Shot(
        "rain",
        actors=[_met(recording, at_s, 4.6, _street_z(recording) + 2.0, (0.8, 0.72, 0.6))],
        cover="rain",
        sway_px=5,
    )


def _corridor(recording: Ordinary, at_s: float, seed: int) -> Shot:
    del seed
    z = 1.25 * at_s
    view = View((0.25, 1.32, z), pitch=-0.02)
    moving = Stage(
        view, _corridor_world(), places.corridor_light(), ambient=(0.05, 0.05, 0.05), reach_m=200.0
    )
    other = 17.0 - 0.9 * at_s
    actors = [_met(recording, at_s, -0.45, other, (0.9, 0.92, 0.88), walking=True)] if other - z > 0.9 else []
    return Shot(moving=moving, actors=actors, sway_px=5, bob_px=4)


_SHOTS: Final = {
    "parked": _parked,
    "desk": _desk,
    "stop": _stop,
    "patrol": _patrol,
    "rain": _rain,
    "corridor": _corridor,
}


@functools.lru_cache(maxsize=1)
def _corridor_world() -> World:
    return World(places.corridor())


def _parked_stage(recording: Ordinary, seed: int) -> Stage:
    z = _street_z(recording)
    view = View((-2.6, 1.25, z), yaw=0.1, pitch=-0.02)
    return Stage(view, stages.street(seed), places.street_light(z), halos=stages.halos(z))


def _desk_stage(recording: Ordinary, seed: int) -> Stage:
    del recording, seed
    return Stage(
        View((0, 1.4, -0.1), pitch=-0.02),
        World(places.front_desk()),
        places.desk_light(),
        (0.07, 0.07, 0.065),
    )


def _stop_stage(recording: Ordinary, seed: int) -> Stage:
    z = _street_z(recording)
    view = View((2.0, 1.32, z), yaw=0.0, pitch=0.02)
    stopped = World([*_clear_of_cars(seed, z), places.parked_car(3.3, z + 6.0, "#5a6a72", lights=True)])
    torch = (Lamp(view.at, (14, 13.6, 12.6), aim=(2.2, 1.0, z + 5), spread=1.2, soft_m=2.2),)
    lamps = [
        *places.street_light(z),
        Lamp((2.0, 0.9, z - 6), places.scaled(HEADLIGHT, 60), aim=(2.2, 0.7, z + 12), spread=0.5, soft_m=4),
    ]
    return Stage(
        view, stopped, lamps, torch=torch, halos=stages.halos(z), bar=stages.bar((2.0, 1.8, z - 4), 30)
    )


def _clear_of_cars(seed: int, z: float) -> list[Thing]:
    """Leave the kerb free for the one car that matters."""
    return [
        thing
        for thing in places.alder_street(seed)
        if not (abs(thing.at[0] - places.PARKED_X_M) < 0.01 and -4 < thing.at[2] - z < 18)
    ]


def _rain_stage(recording: Ordinary, seed: int) -> Stage:
    z = _street_z(recording)
    view = View((4.4, 1.32, z), yaw=-0.1, pitch=-0.01)
    broken = World([*_clear_of_cars(seed, z), places.parked_car(2.9, z + 8.0, "#7a7f84", lights=True)])
    return Stage(
        view, broken, places.street_light(z), halos=[(at, (1.0, 0.64, 0.3)) for at, _ in stages.halos(z)]
    )


_STAGES: Final = {"parked": _parked_stage, "desk": _desk_stage, "stop": _stop_stage, "rain": _rain_stage}

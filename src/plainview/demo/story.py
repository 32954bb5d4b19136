"""Tell the night of 14 March as data: who, where, when, what is said, and what each camera can make of it.

Times are seconds from minute 0:00 of the story, which is MINUTE_ZERO; places are metres on the map of `places`:
x east, z north. What is here is the truth. What a camera's own clock says is another matter, and in Camera.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from plainview.demo.places import ALLEY_Z_M
from plainview.demo.portrait import Look

if TYPE_CHECKING:
    Track: TypeAlias = tuple[tuple[float, float, float], ...]

ZONE_NAME: Final = "America/Los_Angeles"
UTC_OFFSET: Final = dt.timedelta(hours=-7)  # daylight time began there on 8 March 2026
MINUTE_ZERO: Final = dt.datetime(2026, 3, 15, 6, 50, tzinfo=dt.UTC)  # 23:50 on 14 March over there
INCIDENT_S: Final = 360.0
BUFFER_S: Final = 30.0
# The watch: most cameras are on from roll call until they are docked.
SHIFT_BEGAN_AT: Final = dt.datetime(2026, 3, 15, 4, 45, tzinfo=dt.UTC)  # 21:45 over there
SHIFT_ENDED_AT: Final = dt.datetime(2026, 3, 15, 13, 4, tzinfo=dt.UTC)  # 6:04
FIRST_CONTACT_S: Final = 81.0
RELEASED_S: Final = 330.0
CAR_STOPS_S: Final = 70.0


def _in_blue(
    skin: str,
    hair: str,
    *,
    hair_style: str = "short",
    age: float = 0.3,
    eye: str = "#4a3320",
    camera: str = "",
) -> Look:
    return Look(
        skin,
        hair,
        eye=eye,
        hair_style=hair_style,
        age=age,
        coat="#2c3a5c",
        collar="#1c2540",
        trousers="#1c2438",
        uniform=True,
        camera=camera,
    )


@dataclasses.dataclass(frozen=True)
class Person:
    """Somebody in the story.

    Attributes:
        key: how the rest of the data names them.
        name: in full. role: what they are that night.
        badge: officer's number, or empty.
        voice: name of an espeak-ng voice. pitch: 0 to 99. speed: words a minute.
    """

    key: str
    name: str
    role: str
    look: Look
    voice: str
    pitch: int
    badge: str = ""
    speed: int = 165


@dataclasses.dataclass(frozen=True)
class Span:
    """A stretch of a camera's recording and what it can make of the event.

    Attributes:
        from_s, to_s: of the story.
        sees: one of SEES.
        what: in words.
    """

    from_s: float
    to_s: float
    sees: str
    what: str


# clear shows the people of the event. Nothing of it is shown by the others: empty is a good picture of a place
# where they are not, black has no light, jangling is black and shaking, cloth, hand and hands are in front of the lens.
SEES: Final = ("clear", "hands", "empty", "black", "jangling", "cloth", "hand")


@dataclasses.dataclass(frozen=True)
class Camera:
    """A camera that recorded.

    Attributes:
        key: short name, also of its file.
        serial: what it calls itself. worn: "belt", "chest" or "car".
        wearer: key of a person; of the car's driver for the car's.
        starts_s, ends_s: first and last picture, of the story.
        sound_from_s: the first sound; before it, picture only.
        pressed_s: when it was started. trigger: what started it.
        clock_off_s: its clock minus the truth at starts_s; positive is fast.
        drift_ppm: how much faster than true its clocks run, sound and picture alike.
        spans: what it sees, without gaps.
    """

    key: str
    serial: str
    worn: str
    wearer: str
    starts_s: float
    ends_s: float
    sound_from_s: float
    pressed_s: float
    trigger: str
    clock_off_s: float
    drift_ppm: float
    spans: tuple[Span, ...]

    @property
    def started_at(self) -> dt.datetime:
        """When the first picture was, in truth; aware UTC."""
        return MINUTE_ZERO + dt.timedelta(seconds=self.starts_s)

    @property
    def says_started_at(self) -> dt.datetime:
        """When the first picture was by the camera's own clock; aware UTC."""
        return self.started_at + dt.timedelta(seconds=self.clock_off_s)

    def media_s(self, at_s: float) -> float:
        """Give where in the file a moment of the story is."""
        return (at_s - self.starts_s) * (1 + self.drift_ppm * 1e-6)

    def story_s(self, media_s: float) -> float:
        """Give the moment of the story that is at a place in the file."""
        return self.starts_s + media_s / (1 + self.drift_ppm * 1e-6)

    def sees(self, at_s: float) -> str:
        """Say what it sees at a moment of the story."""
        return next((span.sees for span in self.spans if span.from_s <= at_s < span.to_s), "nothing")


@dataclasses.dataclass(frozen=True)
class Line:
    """Something said.

    Attributes:
        by: key of a person. by radio, it comes out of every radio as well.
    """

    at_s: float
    by: str
    words: str
    radio: bool = False


@dataclasses.dataclass(frozen=True)
class Noise:
    """Something heard that is not speech.

    Attributes:
        kind: a name that `noises` knows.
        where: key of a person or thing with a track.
        for_s: how long, where the kind does not say by itself.
    """

    at_s: float
    kind: str
    where: str
    for_s: float = 0.0


PEOPLE: Final = {
    person.key: person
    for person in (
        Person("reyes", "Marco Reyes", "officer, car 12A", _in_blue("#c08a62", "#1c1512", age=0.5, camera="belt"), "en-us+m3", 38, "4417"),
        Person("okafor", "Ada Okafor", "officer, car 12A", _in_blue("#6b4630", "#0d0a09", hair_style="tied", age=0.2, camera="chest"), "en-us+f2", 52, "5120"),
        Person("lindqvist", "Per Lindqvist", "officer, car 12B", _in_blue("#e0b090", "#8a6a3a", age=0.45, eye="#3f5a6a", camera="chest"), "en-us+m7", 30, "3306"),
        Person("marsh", "Dana Marsh", "officer, car 12B", _in_blue("#d6a078", "#3a2a1e", hair_style="tied", age=0.4), "en-us+f4", 44, "5188"),
        Person("dispatcher", "dispatcher", "dispatcher", Look("#c08a62", "#1c1512"), "en-us+f3", 55, speed=180),
        Person("price", "Darnell Price", "the man stopped", Look("#8a5a3c", "#17110e", beard=0.7, age=0.35, coat="#55606a", collar="#b0a898", trousers="#2c3038"), "en-us+m1", 46),
        Person("neighbour", "a neighbour", "a neighbour at a window", Look("#e0b090", "#8d8a86", hair_style="long", age=0.9), "en-us+f5", 60),
    )
}  # fmt: skip

CAMERAS: Final = {
    camera.key: camera
    for camera in (
        Camera(
            "car-12a", "ICV-12A-0093", "car", "okafor", 20.0, 360.0, 20.0, 20.0, "light bar", 0.4, 0.0,
            (
                Span(20.0, 74.0, "clear", "the chase; the tail of a running man at the alley; two officers run after him"),
                Span(74.0, 282.0, "empty", "an empty street and the mouth of the alley, from the side"),
                Span(282.0, 293.0, "clear", "Lindqvist and Marsh walk to the alley"),
                Span(293.0, 333.0, "empty", "an empty street"),
                Span(333.0, 345.0, "clear", "Price walks away up the street"),
                Span(345.0, 349.0, "empty", "an empty street"),
                Span(349.0, 360.0, "clear", "Okafor walks back to the car"),
            ),
        ),
        Camera(
            "reyes", "BWC-0417", "belt", "reyes", 22.0, 325.0, 52.0, 52.0, "button", 2.31, 0.0,
            (
                Span(22.0, 71.0, "black", "his lap, in the dark car"),
                Span(71.0, 84.0, "jangling", "running: black, shaken"),
                Span(84.0, 96.0, "hands", "his own hands and torch in front of the lens"),
                Span(96.0, 166.0, "clear", "Price seen from the belt; from 2:10 no face"),
                Span(166.0, 179.0, "cloth", "his jacket over the lens"),
                Span(179.0, 210.0, "clear", "the frisk, seen from the belt"),
                Span(210.0, 282.0, "black", "crouching in the dark"),
                Span(282.0, 325.0, "clear", "12B's light in the mouth of the alley; legs"),
            ),
        ),
        Camera(
            "okafor", "BWC-0533", "chest", "okafor", 92.0, 360.0, 122.0, 122.0, "button", -7.8, 40.0,
            (
                Span(92.0, 130.0, "clear", "Price with his hands up; Reyes's back and torch"),
                Span(130.0, 168.0, "clear", "the stop: Price at speaking distance"),
                Span(168.0, 177.0, "hand", "a hand over the lens"),
                Span(177.0, 210.0, "clear", "the frisk: Price's back, hands on the wall"),
                Span(210.0, 221.0, "clear", "torchlight on the ground: a bottle, a can, a newspaper"),
                Span(221.0, 282.0, "black", "the torch is dead: the ground in the dark"),
                Span(282.0, 302.0, "clear", "Lindqvist and Marsh arrive against their headlights"),
                Span(302.0, 330.0, "clear", "Price again, at speaking distance"),
                Span(330.0, 360.0, "clear", "out of the alley and back to car 12A"),
            ),
        ),
    )
}  # fmt: skip

# Officers who were there with a camera that recorded nothing, or with none.
UNRECORDED: Final = (("lindqvist", "BWC-0298", "camera on, never started"), ("marsh", "", "no camera issued"))

LINES: Final = (
    Line(4.0, "reyes", "See him? Grey jacket, by the shutters. What has he got?"),
    Line(11.0, "okafor", "Can't tell. Too dark."),
    Line(15.0, "reyes", "He's running. Go, go!"),
    Line(27.0, "reyes", "Twelve Adam. One male running, north on Alder. Code three.", radio=True),
    Line(34.5, "dispatcher", "Twelve Adam, code three, copy. All units, hold the air.", radio=True),
    Line(44.0, "okafor", "Where is he going?"),
    Line(55.0, "reyes", "Right side. He's making for the alley."),
    Line(63.5, "okafor", "There he is."),
    Line(67.0, "reyes", "Here. Let me out here!"),
    Line(73.5, "reyes", "Stop!"),
    Line(76.8, "reyes", "Police! Stop!"),
    Line(81.0, "reyes", "Hands up! Let me see your hands!"),
    Line(86.0, "price", "Okay. Okay. They're up."),
    Line(92.5, "okafor", "Keep them where I can see them."),
    Line(99.0, "price", "I didn't do anything. I was walking home."),
    Line(105.5, "reyes", "Then why did you run?"),
    Line(110.0, "price", "A car comes at me like that? What was I supposed to think?"),
    Line(117.5, "reyes", "Keep your hands up."),
    Line(123.5, "okafor", "Nobody's hurting you. Stay there."),
    Line(126.5, "dispatcher", "Twelve Adam, status?", radio=True),
    Line(130.0, "okafor", "What's your name?"),
    Line(133.0, "price", "Darnell Price."),
    Line(136.0, "okafor", "Date of birth?"),
    Line(139.0, "price", "June the ninth, nineteen ninety four."),
    Line(145.0, "okafor", "And a phone number?"),
    Line(148.5, "price", "Two one three, five five five, zero one four two."),
    Line(156.5, "okafor", "All right. Turn around, hands on the wall. I'm going to pat you down."),
    Line(163.5, "price", "For what? I live here."),
    Line(168.5, "price", "Hey, easy! Easy!"),
    Line(171.5, "reyes", "Hold still!"),
    Line(179.0, "okafor", "Anything sharp on you?"),
    Line(182.5, "price", "No. My keys, my phone."),
    Line(190.0, "neighbour", "What are you doing to him? He lives here!"),
    Line(195.0, "reyes", "Go back inside, please."),
    Line(202.0, "okafor", "Nothing on him."),
    Line(206.0, "reyes", "He threw it. Check the ground."),
    Line(213.0, "okafor", "A bottle. A can."),
    Line(221.5, "okafor", "My light just died."),
    Line(229.0, "reyes", "Under the dumpster?"),
    Line(237.0, "okafor", "Nothing. There is no gun here."),
    Line(248.0, "reyes", "I know what I saw."),
    Line(258.0, "okafor", "Twelve Boy, bring your lights into the alley.", radio=True),
    Line(264.5, "lindqvist", "Twelve Boy, one minute out.", radio=True),
    Line(290.0, "lindqvist", "What have you got?"),
    Line(293.5, "reyes", "He ran from us. I thought he had a gun."),
    Line(299.0, "marsh", "And did he?"),
    Line(302.0, "okafor", "No. No gun."),
    Line(306.0, "okafor", "Mister Price, you'll be on your way in a minute."),
    Line(312.0, "price", "My whole street is watching this."),
    Line(320.0, "reyes", "Twelve Adam, code four. Code four.", radio=True),
    Line(323.6, "dispatcher", "All units, code four on Alder.", radio=True),
    Line(327.5, "okafor", "Your keys. You can go."),
    Line(332.0, "price", "What's your name, officer?"),
    Line(335.0, "okafor", "Okafor. Car twelve A."),
    Line(346.0, "reyes", "You still rolling?"),
    Line(348.0, "okafor", "Yes. Thirty seconds."),
)

NOISES: Final = (
    Noise(20.2, "engine", "car", 53.0),
    Noise(22.0, "siren", "car", 44.0),
    Noise(52.2, "start beeps", "reyes"),
    Noise(68.2, "brakes", "car"),
    Noise(70.6, "door", "car"),
    Noise(71.1, "door", "car"),
    Noise(71.4, "running", "reyes", 8.0),
    Noise(71.7, "running", "okafor", 9.5),
    Noise(71.4, "keys", "reyes", 9.0),
    Noise(73.0, "idling", "car", 287.0),
    Noise(122.1, "start beeps", "okafor"),
    Noise(124.0, "walking", "okafor", 5.0),
    Noise(168.0, "scuffle", "okafor", 9.0),
    Noise(186.5, "keys", "price", 1.5),
    Noise(189.2, "window", "neighbour"),
    Noise(214.0, "bottle", "okafor"),
    Noise(224.0, "scrape", "okafor", 2.0),
    Noise(240.0, "scrape", "reyes", 2.5),
    Noise(279.0, "brakes", "car-12b"),
    Noise(279.5, "idling", "car-12b", 80.0),
    Noise(281.0, "door", "car-12b"),
    Noise(281.7, "door", "car-12b"),
    Noise(283.0, "walking", "lindqvist", 6.0),
    Noise(324.8, "stop beeps", "reyes"),
    Noise(329.0, "keys", "price", 1.0),
    Noise(331.0, "walking", "price", 9.0),
    Noise(336.5, "walking", "okafor", 14.0),
    Noise(359.7, "stop beeps", "okafor"),
)

_Z: Final = ALLEY_Z_M


def _drive() -> tuple[np.ndarray, np.ndarray]:
    """Give times and the car's z: it pulls out hard at 0:20 and stands at 1:10, short of the alley."""
    at = np.arange(20.0, CAR_STOPS_S + 0.01, 0.1)
    speed = np.interp(at, (20.0, 21.0, 27.0, 58.0, 62.0, 69.0, 70.0), (0.0, 3.0, 16.0, 16.0, 12.0, 2.0, 0.0))
    metres = np.concatenate([[0.0], np.cumsum((speed[1:] + speed[:-1]) / 2 * 0.1)])
    return at, CAR_STOPS_Z_M - metres[-1] + metres


CAR_STOPS_Z_M: Final = _Z - 13.0
CAR_X_M: Final = 2.4
_DRIVE_S, _DRIVE_Z = _drive()

TRACKS: Final[dict[str, Track]] = {
    "price": ((58.0, 5.4, _Z - 46.0), (70.6, 5.6, _Z + 0.6), (73.0, 9.0, _Z + 2.1), (79.0, 18.6, _Z + 2.3), (168.0, 18.6, _Z + 2.3), (172.0, 18.6, _Z + 3.55), (211.0, 18.6, _Z + 3.55), (216.0, 18.6, _Z + 2.3), (330.0, 18.6, _Z + 2.3), (333.0, 8.0, _Z + 2.1), (335.0, 5.6, _Z + 3.0), (345.0, 5.6, _Z + 22.0)),
    "reyes": ((71.0, 3.4, CAR_STOPS_Z_M + 1), (74.0, 7.2, _Z + 1.6), (79.0, 14.6, _Z + 3.3), (125.0, 14.8, _Z + 3.3), (130.0, 17.0, _Z + 3.2), (210.0, 17.1, _Z + 3.1), (222.0, 16.9, _Z + 2.2), (282.0, 16.9, _Z + 2.2), (286.0, 16.6, _Z + 3.0), (340.0, 16.6, _Z + 3.0), (352.0, 8.5, _Z + 2.0)),
    "okafor": ((71.0, 1.4, CAR_STOPS_Z_M + 1), (74.0, 6.95, _Z + 1.2), (81.0, 12.3, _Z + 2.6), (123.5, 12.3, _Z + 2.6), (129.5, 17.2, _Z + 2.3), (168.0, 17.2, _Z + 2.3), (174.0, 18.7, _Z + 2.45), (210.0, 18.7, _Z + 2.45), (215.0, 17.4, _Z + 2.6), (300.0, 17.4, _Z + 2.5), (336.0, 17.2, _Z + 2.4), (352.0, 4.6, _Z - 1.5), (360.0, 4.3, _Z - 5.0)),
    "lindqvist": ((282.0, 4.8, CAR_STOPS_Z_M + 2), (286.5, 7.5, _Z + 2.5), (291.0, 14.6, _Z + 2.9)),
    "marsh": ((282.6, 3.6, CAR_STOPS_Z_M + 1), (287.5, 7.5, _Z + 1.9), (292.0, 13.9, _Z + 1.9)),
    "neighbour": ((0.0, 15.5, _Z - 0.5),),
    "car-12b": ((270.0, CAR_X_M, CAR_STOPS_Z_M - 90), (279.5, CAR_X_M, CAR_STOPS_Z_M - 9)),
}  # fmt: skip


def place(key: str, at_s: float) -> tuple[float, float]:
    """Say where somebody or something is, x and z in metres; the crew of 12A is in the car until it stops."""
    if key == "car" or (key in {"reyes", "okafor"} and at_s < TRACKS[key][0][0]):
        side = {"reyes": 0.4, "okafor": -0.4}.get(key, 0.0)
        lane = float(np.interp(at_s, (21.0, 25.0, 58.0, 67.0), (CAR_X_M, 0.7, 0.7, CAR_X_M)))
        return lane + side, float(np.interp(at_s, _DRIVE_S, _DRIVE_Z))
    track = np.array(TRACKS[key])
    return float(np.interp(at_s, track[:, 0], track[:, 1])), float(np.interp(at_s, track[:, 0], track[:, 2]))


def is_shown(at_s: float) -> bool:
    """Say whether any camera shows anything usable of the event at a moment."""
    return any(camera.sees(at_s) == "clear" for camera in CAMERAS.values())


def spans_without_a_view() -> list[tuple[float, float]]:
    """Give the stretches of the incident in which no camera shows anything usable of it."""
    edges = {0.0, INCIDENT_S}
    edges |= {
        edge for camera in CAMERAS.values() for span in camera.spans for edge in (span.from_s, span.to_s)
    }
    ordered = sorted(edges)
    blind: list[tuple[float, float]] = []
    for a, b in itertools.pairwise(ordered):
        if is_shown(a):
            continue
        if blind and blind[-1][1] == a:
            blind[-1] = (blind[-1][0], b)
        else:
            blind.append((a, b))
    return blind

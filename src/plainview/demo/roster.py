"""List the invented department: units, officers, cameras and who wore which on the night of 14 March."""

from __future__ import annotations

import dataclasses
from typing import Final

DEPARTMENT: Final = "Alder City Police Department"


@dataclasses.dataclass(frozen=True)
class Unit:
    """A part of the department. kind: "patrol", "traffic", "desk", "command" or "reserve"."""

    key: str
    name: str
    kind: str


@dataclasses.dataclass(frozen=True)
class Officer:
    """Somebody who is sworn in.

    Attributes:
        badge: number. name: in full. rank: in words. unit: key.
        key: short name used in the story, or empty.
    """

    badge: str
    name: str
    rank: str
    unit: str
    key: str = ""


@dataclasses.dataclass(frozen=True)
class Device:
    """A camera the department owns.

    Attributes:
        serial: what it calls itself. kind: "body" or "car". worn: "chest", "belt" or "car".
        issued_to: a badge, or the car for a car's.
        in_service_on: date, ISO. note: what is odd about it, or empty.
    """

    serial: str
    kind: str
    worn: str
    issued_to: str
    in_service_on: str
    note: str = ""


UNITS: Final = (
    Unit("p12", "Patrol, District 12", "patrol"),
    Unit("p14", "Patrol, District 14", "patrol"),
    Unit("traffic", "Traffic", "traffic"),
    Unit("desk", "Front desk, Station 12", "desk"),
    Unit("command", "Command, Station 12", "command"),
    Unit("reserve", "Reserve", "reserve"),
)

OFFICERS: Final = (
    Officer("4417", "Marco Reyes", "officer", "p12", "reyes"),
    Officer("5120", "Ada Okafor", "officer", "p12", "okafor"),
    Officer("3306", "Per Lindqvist", "officer", "p12", "lindqvist"),
    Officer("5188", "Dana Marsh", "officer", "p12", "marsh"),
    Officer("2914", "Joan Whitcomb", "sergeant", "p12"),
    Officer("4802", "Tomas Beltran", "officer", "p12"),
    Officer("4950", "Ruth Adeyemi", "officer", "p12"),
    Officer("5011", "Colin Park", "officer", "p12"),
    Officer("5243", "Irena Novak", "officer", "p12"),
    Officer("3077", "Hal Brandt", "officer", "p14"),
    Officer("4120", "Simone Achterberg", "officer", "p14"),
    Officer("4433", "Devon Clarke", "officer", "p14"),
    Officer("4671", "Yusuf Demir", "officer", "p14"),
    Officer("4989", "Grace Liang", "officer", "p14"),
    Officer("2650", "Walter Nkemelu", "sergeant", "p14"),
    Officer("3518", "Petra Solano", "officer", "traffic"),
    Officer("3922", "Ben Okonkwo", "officer", "traffic"),
    Officer("2208", "Lena Fischer", "sergeant", "traffic"),
    Officer("3801", "Amos Reed", "officer", "desk"),
    Officer("4015", "Nadia Haddad", "officer", "desk"),
    Officer("1744", "Frances Doyle", "lieutenant", "command"),
    Officer("1502", "Martin Iwu", "captain", "command"),
    Officer("9004", "Sam Tolliver", "reserve deputy", "reserve"),
    Officer("9011", "Olive Brennan", "reserve deputy", "reserve"),
)

_BODY: Final = (
    ("BWC-0417", "belt", "4417"), ("BWC-0533", "chest", "5120"), ("BWC-0298", "chest", "3306"),
    ("BWC-0119", "chest", "2914"), ("BWC-0480", "chest", "4802"), ("BWC-0495", "chest", "4950"),
    ("BWC-0501", "belt", "5011"), ("BWC-0524", "chest", "5243"), ("BWC-0307", "chest", "3077"),
    ("BWC-0412", "chest", "4120"), ("BWC-0443", "belt", "4433"), ("BWC-0467", "chest", "4671"),
    ("BWC-0498", "chest", "4989"), ("BWC-0352", "chest", "3518"), ("BWC-0392", "chest", "3922"),
    ("BWC-0380", "chest", "3801"), ("BWC-0401", "chest", "4015"), ("BWC-0904", "chest", "9004"),
)  # fmt: skip
_CARS: Final = ("12A", "12B", "12C", "14A", "14B", "T3")

DEVICES: Final = (
    *(
        Device(
            serial,
            "body",
            worn,
            badge,
            f"2025-{2 + i % 10:02d}-{1 + 3 * (i % 9):02d}",
            "switched on, never started that night" if serial == "BWC-0298" else "",
        )
        for i, (serial, worn, badge) in enumerate(_BODY)
    ),
    *(
        Device(f"ICV-{car}-{93 + 7 * i:04d}", "car", "car", car, f"2024-{3 + i:02d}-11")
        for i, car in enumerate(_CARS)
    ),
)

# Two officers a car that night, by badge.
CREWS: Final = {
    "12A": ("4417", "5120"),
    "12B": ("3306", "5188"),
    "12C": ("4802", "4950"),
    "14A": ("3077", "4120"),
    "14B": ("4433", "4671"),
    "T3": ("3518", "3922"),
}


def officer(badge: str) -> Officer:
    """Find an officer by badge.

    Raises:
        KeyError: nobody has it.
    """
    return {each.badge: each for each in OFFICERS}[badge]


def device(serial: str) -> Device:
    """Find a camera by serial number.

    Raises:
        KeyError: there is none.
    """
    return {each.serial: each for each in DEVICES}[serial]

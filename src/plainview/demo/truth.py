"""Write down what the sample department's recordings truly show, for whoever wants to check an analysis.

Everything is worked out from the story, nothing from the pictures.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from typing import TYPE_CHECKING, Any, Final

from plainview.demo import ordinary, story
from plainview.demo.cameras import length_s, painter
from plainview.demo.frame import FRAME_RATE, HEIGHT_PX, WIDTH_PX
from plainview.demo.roster import CREWS, DEPARTMENT, DEVICES, OFFICERS, UNITS
from plainview.demo.speech import has_voice, say
from plainview.demo.story import CAMERAS, LINES, PEOPLE, UNRECORDED

if TYPE_CHECKING:
    import pathlib

    from plainview.demo.picture import Seen
    from plainview.demo.speech import Word
    from plainview.demo.story import Camera, Line

SEED: Final = 14


def write_ground_truth(path: pathlib.Path, *, seed: int = SEED) -> None:
    """Write ground_truth() as JSON, keys sorted."""
    path.write_text(json.dumps(ground_truth(seed=seed), indent=1, sort_keys=True) + "\n", encoding="utf-8")


def ground_truth(*, seed: int = SEED) -> dict[str, Any]:
    """Say what the recordings show.

    Args:
        seed: the one they are rendered with; it moves boxes by a few pixels.

    Returns:
        JSON values. Times named story_s are seconds from story.began_at, those named media_s are seconds of a
        recording; of an ordinary one, counted from the button. Boxes are left, top, right, bottom in pixels of a WIDTH_PX by HEIGHT_PX picture.
    """
    return {
        "seed": seed,
        "voice": "espeak-ng" if has_voice() else "tones",
        "picture": {"width_px": WIDTH_PX, "height_px": HEIGHT_PX, "frame_rate": FRAME_RATE},
        "story": _story(),
        "script": [_line(line) for line in LINES],
        "cameras": [_camera(camera, seed) for camera in CAMERAS.values()],
        "unrecorded": [{"officer": who, "camera": serial, "why": why} for who, serial, why in UNRECORDED],
        "ordinary": [_ordinary(each, seed) for each in ordinary.RECORDINGS],
        "department": {
            "name": DEPARTMENT,
            "units": [dataclasses.asdict(unit) for unit in UNITS],
            "officers": [dataclasses.asdict(officer) for officer in OFFICERS],
            "devices": [dataclasses.asdict(device) for device in DEVICES],
            "crews": {car: list(badges) for car, badges in CREWS.items()},
        },
    }


def _story() -> dict[str, Any]:
    blind = story.spans_without_a_view()
    return {
        "began_at": _utc(story.MINUTE_ZERO),
        "zone": story.ZONE_NAME,
        "length_s": story.INCIDENT_S,
        "first_contact_s": story.FIRST_CONTACT_S,
        "released_s": story.RELEASED_S,
        "buffer_s": story.BUFFER_S,
        "people": [
            {"key": each.key, "name": each.name, "role": each.role, "badge": each.badge}
            for each in PEOPLE.values()
        ],
        "nothing_usable_s": [list(span) for span in blind],
        "nothing_usable_total_s": sum(b - a for a, b in blind),
    }


def _line(line: Line) -> dict[str, Any]:
    person = PEOPLE[line.by]
    shouted = 12 if "!" in line.words else 0
    said = say(line.words, person.voice, person.pitch + shouted, person.speed)
    return {
        "story_s": line.at_s,
        "by": line.by,
        "words": line.words,
        "radio": line.radio,
        "word_times": _words(said.words, line.at_s),
        "on": [key for key, camera in CAMERAS.items() if _hears(camera, line.at_s)],
    }


def _words(words: tuple[Word, ...], at_s: float) -> list[dict[str, Any]]:
    return [
        {"word": word.text, "from_s": round(at_s + word.from_s, 3), "to_s": round(at_s + word.to_s, 3)}
        for word in words
    ]


def _hears(camera: Camera, at_s: float) -> bool:
    return camera.sound_from_s <= at_s < camera.ends_s


def _camera(camera: Camera, seed: int) -> dict[str, Any]:
    painted = painter(camera, seed=seed)
    contact = story.FIRST_CONTACT_S
    return {
        "key": camera.key,
        "serial": camera.serial,
        "worn": camera.worn,
        "wearer": camera.wearer,
        "clock": {
            "offset_s": camera.clock_off_s,
            "drift_ppm": camera.drift_ppm,
            "meaning": "its clock minus the truth at its first picture; positive is fast",
        },
        "started_at": _utc(camera.started_at),
        "says_started_at": _utc(camera.says_started_at),
        "length_media_s": round(length_s(camera), 3),
        "starts_story_s": camera.starts_s,
        "ends_story_s": camera.ends_s,
        "sound_from_media_s": round(camera.media_s(camera.sound_from_s), 4),
        "activation": {
            "pressed_story_s": camera.pressed_s,
            "trigger": camera.trigger,
            "pressed_after_first_contact_s": round(camera.pressed_s - contact, 3),
            "nothing_of_contact_s": max(0.0, round(camera.starts_s - contact, 3)),
            "buffer_s": camera.pressed_s - camera.starts_s,
            "ends_after_release_s": round(camera.ends_s - story.RELEASED_S, 3),
        },
        "sees": [
            {
                "from_media_s": round(camera.media_s(span.from_s), 3),
                "to_media_s": round(camera.media_s(span.to_s), 3),
                "sees": span.sees,
                "what": span.what,
            }
            for span in camera.spans
        ],
        "on_screen": _boxes(painted.seen, camera),
    }


def _boxes(seen: Any, camera: Camera) -> list[dict[str, Any]]:
    """Give who is where on screen, once a second of the file."""
    told = []
    for second in range(int(length_s(camera))):
        people = [_person(each) for each in seen(camera.story_s(second))]
        if people:
            told.append({"media_s": second, "people": people})
    return told


def _person(seen: Seen) -> dict[str, Any]:
    return {
        "key": seen.key,
        "body_px": list(seen.body_px),
        "face_px": list(seen.face_px) if seen.face_px else None,
        "is_face_whole": seen.is_whole,
    }


def _ordinary(each: ordinary.Ordinary, seed: int) -> dict[str, Any]:
    people, painted = ordinary.cast(each), ordinary.painter(each, seed=seed)
    on_screen = [
        {"media_s": second, "people": [_person(one) for one in seen]}
        for second in range(int(each.seconds))
        if (seen := painted.seen(float(second)))
    ]
    return {
        "key": each.key,
        "scene": each.scene,
        "serial": each.serial,
        "started_at": _utc(each.started_at),
        "length_s": each.seconds,
        "before_the_button_ms": ordinary.lead_ms_of(each.key),
        "script": [_said(each, people, at_s, by, words) for at_s, by, words in each.said],
        "on_screen": on_screen,
    }


def _said(
    each: ordinary.Ordinary, people: dict[str, story.Person], at_s: float, by: str, words: str
) -> dict[str, Any]:
    person = people[by]
    said = say(words, person.voice, person.pitch + (12 if "!" in words else 0), person.speed)
    name = person.name if by == "self" else f"met in {each.key}"
    return {"media_s": at_s, "by": name, "words": words, "word_times": _words(said.words, at_s)}


def _utc(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

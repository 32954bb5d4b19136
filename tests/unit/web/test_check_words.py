"""What a check at the start of a shift found, said in words, whatever a camera writes."""

from datetime import UTC, datetime

import pytest

from plainview.evidence.capture_queries import KnownEvent
from plainview.media.derived import LENS_VERDICTS
from plainview.web.check_words import check_words

AT = datetime(2026, 3, 14, 22, 0, tzinfo=UTC)


def event(name="checked", **facts):
    return KnownEvent(AT, 1000, 10_000, name, facts)


def lens(verdict="clear", blocked_permille=31):
    return {"verdict": verdict, "blocked_permille": blocked_permille}


def test_what_the_camera_says_and_what_the_picture_shows_is_said():
    said = check_words(
        [event(charge_percent=88, sound_dbfs=-32, worn="chest"), event("light", shows="ready")], lens()
    )
    assert (said.at, said.charge, said.sound) == (AT, "88%", "sound heard at -32 dBFS")
    assert (said.worn, said.lens) == ("on the chest", "Lens clear: 3% of the picture blocked")
    assert not said.is_lens_doubted


def test_no_sound_is_not_a_level():
    assert check_words([event(sound_dbfs="no_sound")], None).sound.startswith("no sound was heard")


@pytest.mark.parametrize(
    "events",
    [[], [event()], [event(charge_percent="unknown", sound_dbfs=True, worn="<b>")]],
    ids=["no_event", "no_facts", "nonsense"],
)
def test_what_is_not_known_is_said_to_be_so(events):
    said = check_words(events, None)
    assert (said.charge, said.sound, said.worn) == ("not known", "sound level not known", "not known")
    assert (said.lens, said.is_lens_doubted) == ("Lens: not known", False)


@pytest.mark.parametrize("verdict", LENS_VERDICTS)
def test_all_that_is_not_clear_asks_to_be_looked_at(verdict):
    said = check_words([], lens(verdict, 500))
    assert said.is_lens_doubted == (verdict != "clear")
    assert ("50%" in said.lens) == (verdict in {"clear", "partly_blocked", "blocked"})

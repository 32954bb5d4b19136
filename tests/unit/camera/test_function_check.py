"""What a camera can tell of itself at the start of a shift."""

import datetime as dt

import numpy as np

from plainview.camera.function_check import SILENCE_DBFS, SoundLevel, check_facts
from simulators.recorders import tone

AT = dt.datetime(2026, 3, 15, 6, 50, tzinfo=dt.UTC)


def heard(*parts):
    level = SoundLevel()
    for part in parts:
        level.hear(part)
    return level


def test_a_full_sine_is_nought_decibels_and_a_tenth_of_it_minus_twenty():
    assert heard(tone(1, level=1.0)).take_dbfs() == 0
    assert heard(tone(1, level=0.1)).take_dbfs() == -20


def test_silence_is_not_no_sound():
    assert heard(np.zeros(480, np.float32)).take_dbfs() == SILENCE_DBFS
    assert heard().take_dbfs() is None


def test_each_answer_begins_anew():
    level = heard(tone(1))
    level.take_dbfs()
    assert level.take_dbfs() is None


def test_what_is_not_known_says_so():
    facts = check_facts(at=AT, charge_percent=None, sound_dbfs=None, worn="chest")
    assert facts == {
        "date": "2026-03-15T06:50:00.000Z",
        "charge_percent": "unknown",
        "sound_dbfs": "no_sound",
        "worn": "chest",
    }

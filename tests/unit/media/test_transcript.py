"""A transcript's JSON form, which comes back from another process, and how words become cues."""

import copy
import json

import numpy as np
import pytest

from plainview.media.errors import MalformedTranscriptError
from plainview.media.listening import HeardWord
from plainview.media.sample_transcripts import find_sample, format_sample, parse_sample
from plainview.media.speech import Speech
from plainview.media.transcribe import cues_of
from plainview.media.transcript import (
    Cue,
    TranscriptFound,
    Word,
    plain_text,
    transcript_from_json,
    transcript_to_json,
)

CUES = (
    Cue(100, 900, "Stop there.", (Word(100, 400, "Stop", 0.91), Word(440, 900, "there.", None))),
    Cue(2000, 2500, "Yes.", (Word(2000, 2500, "Yes.", 0.2),)),
)
FOUND = TranscriptFound(
    engine="faster-whisper",
    model="small",
    version="1.2.1",
    settings={"beam_size": 1, "temperature": 0.0, "is_so": True, "compute_type": "int8"},
    language="en",
    notice="machine",
    reason=None,
    warnings=("other_sound", "ends_early"),
    left_out=(2, 3),
    speech_ms=1500,
    cues=CUES,
)


def changed(path, value):
    copied = copy.deepcopy(transcript_to_json(FOUND))
    *above, last = path
    inner = copied
    for step in above:
        inner = inner[step]
    inner[last] = value
    return copied


def test_what_is_written_reads_back_the_same():
    assert transcript_from_json(json.loads(json.dumps(transcript_to_json(FOUND)))) == FOUND


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("v",), 2),
        (("engine",), "a\nb"),
        (("engine",), "x" * 33),
        (("language",), "english please"),
        (("notice",), "certain"),
        (("notice",), ["machine"]),
        (("reason",), "no_speech"),
        (("cues",), []),
        (("cues",), {}),
        (("warnings",), ["ends_early", "other_sound"]),
        (("warnings",), "ends_early"),
        (("left_out",), [-1]),
        (("left_out",), None),
        (("speech_ms",), -1),
        (("settings",), []),
        (("settings",), {"a": [1]}),
        (("settings",), {"a": float("nan")}),
        (("settings",), {"a": "b\x1b[2J"}),
        (("settings",), {"a\n": 1}),
        (("cues", 0, "start_ms"), -1),
        (("cues", 0, "start_ms"), 101),
        (("cues", 0, "start_ms"), True),
        (("cues", 0, "end_ms"), 50),
        (("cues", 0, "end_ms"), 2**53),
        (("cues", 0, "text"), ""),
        (("cues", 0, "text"), "a  b"),
        (("cues", 0, "text"), "a\u202eb"),
        (("cues", 0, "words"), None),
        (("cues", 0, "words", 0), [100, 400, "Stop"]),
        (("cues", 0, "words", 1, 0), 399),
        (("cues", 0, "words", 1, 1), 901),
        (("cues", 0, "words", 1, 2), 7),
        (("cues", 0, "words", 1, 3), 1.01),
        (("cues", 0, "words", 1, 3), float("nan")),
        (("cues", 0, "words", 1, 3), "0.5"),
        (("cues", 1, "start_ms"), 50),
    ],
)
def test_what_would_not_have_been_written_is_refused(path, value):
    with pytest.raises(MalformedTranscriptError):
        transcript_from_json(changed(path, value))


@pytest.mark.parametrize("value", [None, [], {}, {"v": 1}, "text"])
def test_what_is_no_transcript_at_all_is_refused(value):
    with pytest.raises(MalformedTranscriptError):
        transcript_from_json(value)


def test_text_that_could_steer_a_terminal_or_turn_the_line_becomes_plain():
    assert plain_text(" a\tb\r\n c\x1b[2J\u202ed\x00 ") == "a b c[2Jd"


# --- words into cues


def speech(start_ms, length_ms):
    return Speech(start=start_ms * 16, samples=np.zeros(length_ms * 16, np.int16))


def heard(*words):
    return [HeardWord(start_s, end_s, text, 0.5) for start_s, end_s, text in words]


def test_each_word_is_where_its_stretch_was_in_the_recording():
    pieces = [speech(10_000, 2000), speech(60_000, 3000)]
    (first, second) = cues_of(
        [heard((0.5, 1.0, " Stop"), (1.0, 1.5, " there."), (2.5, 3.0, " Yes."))], pieces, not_before_ms=0
    )
    assert first == Cue(
        10_500,
        11_500,
        "Stop there.",
        (Word(10_500, 11_000, "Stop", 0.5), Word(11_000, 11_500, "there.", 0.5)),
    )
    assert second == Cue(60_500, 61_000, "Yes.", (Word(60_500, 61_000, "Yes.", 0.5),))


def test_a_word_that_reaches_out_of_its_stretch_is_kept_inside():
    pieces = [speech(10_000, 2000), speech(60_000, 3000)]
    (cue,) = cues_of([heard((1.2, 2.7, " long"))], pieces, not_before_ms=0)
    assert (cue.start_ms, cue.end_ms) == (11_200, 12_000)
    (cue,) = cues_of([heard((4.9, 7.0, " late"))], pieces, not_before_ms=0)
    assert (cue.start_ms, cue.end_ms) == (62_900, 63_000)


def test_words_never_overlap_even_where_the_engine_says_so():
    (cue,) = cues_of(
        [heard((0, 1, " a"), (0.5, 0.9, " b"), (0.2, 1.6, " c"))], [speech(0, 2000)], not_before_ms=300
    )
    assert [(word.start_ms, word.end_ms) for word in cue.words] == [(300, 1000), (1000, 1000), (1000, 1600)]


def test_a_pause_begins_a_new_cue():
    cues = cues_of([heard((0, 1, " a"), (1.69, 2, " b"), (2.7, 3, " c"))], [speech(0, 5000)], not_before_ms=0)
    assert [cue.text for cue in cues] == ["a b", "c"]


def test_no_cue_is_longer_than_ten_seconds_unless_one_word_is():
    words = heard(*((i / 2, i / 2 + 0.5, f" {i}") for i in range(50)))
    cues = cues_of([words], [speech(0, 25_000)], not_before_ms=0)
    assert [cue.end_ms - cue.start_ms for cue in cues] == [10_000, 10_000, 5000]


def test_a_language_without_spaces_gets_none():
    (cue,) = cues_of([heard((0, 0.5, "止"), (0.5, 1, "まれ"))], [speech(0, 2000)], not_before_ms=0)
    assert cue.text == "止まれ"


def test_a_word_of_nothing_is_no_word():
    assert cues_of([heard((0, 1, " \x00 "))], [speech(0, 2000)], not_before_ms=0) == []


# --- sample transcripts

SHA256 = "5f" * 32


def test_a_sample_reads_back_under_its_own_notice():
    data = format_sample(original_sha256=SHA256, language="en", cues=CUES)
    found = parse_sample(data, original_sha256=SHA256)
    assert found.cues == CUES
    assert (found.notice, found.engine, found.language, found.reason) == ("sample", "typed", "en", None)
    assert transcript_from_json(transcript_to_json(found)) == found


def test_a_sample_without_words_says_that_nothing_is_spoken():
    data = format_sample(original_sha256=SHA256, language="en", cues=())
    assert parse_sample(data, original_sha256=SHA256).reason == "no_speech"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[" * 100_000,
        b"[]",
        b'{"v": 1}',
        format_sample(original_sha256="5F" * 32, language="en", cues=CUES),
        format_sample(original_sha256=SHA256, language="en", cues=CUES[::-1]),
    ],
)
def test_what_is_no_sample_is_refused(data):
    with pytest.raises(MalformedTranscriptError):
        parse_sample(data, original_sha256=SHA256)


def test_a_sample_of_another_recording_is_refused():
    data = format_sample(original_sha256="60" * 32, language="en", cues=CUES)
    with pytest.raises(MalformedTranscriptError, match=f"is of {'60' * 32}"):
        parse_sample(data, original_sha256=SHA256)


def test_a_sample_is_found_by_the_recordings_bytes(tmp_path):
    assert find_sample(None, SHA256) is None
    assert find_sample(tmp_path / "nowhere", SHA256) is None
    (tmp_path / f"{SHA256}.json").write_bytes(format_sample(original_sha256=SHA256, language="en", cues=CUES))
    found = find_sample(tmp_path, SHA256)
    assert found is not None
    assert found.cues == CUES
    assert find_sample(tmp_path, "60" * 32) is None

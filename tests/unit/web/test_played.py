"""What is played, and what is said of it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from plainview.evidence.watch_queries import KnownDerivative, KnownTranscript, StepState
from plainview.media.facts import Probe, ProbeWarning, Stream, probe_to_json
from plainview.web.played import find_played, probe_of
from plainview.web.recording_state import clock_offsets
from plainview.web.recording_words import (
    signature_words,
    step_words,
    stream_words,
    told,
    transcript_words,
    warning_words,
)

AT = datetime(2026, 3, 15, 6, 52, tzinfo=UTC)


def stream(kind="video", **more):
    given = {
        "index": 0,
        "kind": kind,
        "codec": "h264" if kind == "video" else "aac",
        "is_decoded": True,
        "start_ms": 0,
        "duration_ms": 10_000,
        "packet_count": 300,
        "backward_count": 0,
        "gap_count": 0,
        "gaps": (),
    }
    if kind == "video":
        given |= {
            "width": 640,
            "height": 360,
            "rotation_deg": 0,
            "frame_rate": Fraction(30),
            "is_variable_rate": False,
            "pixel_format": "yuv420p",
            "is_interlaced": False,
        }
    else:
        given |= {"index": 1, "sample_rate_hz": 48_000, "channels": 1}
    return Stream(**(given | more))


def found(*streams, container="mov", warnings=()):
    probe = Probe(
        container=container,
        size_bytes=3_000_000,
        origin_us=0,
        duration_ms=10_000,
        declared_duration_ms=None,
        started_at=None,
        streams=streams or (stream(), stream("audio")),
        chunk_bytes=1 << 20,
        chunk_spans=(None,) * 3,
        tags=(),
        warnings=warnings,
    )
    kept = probe_to_json(probe)
    del kept["chunk_spans"]
    return kept


@dataclass
class Part:
    found: dict
    derivatives: dict = field(default_factory=dict)
    object_id: str = "0" * 32
    sha256: str = "a" * 64
    size_bytes: int = 3_000_000


def copy(**facts):
    given = {"width_px": 640, "has_sound": True, "paced_count": 0} | facts
    return {
        "viewing_copy": KnownDerivative("viewing_copy", "1" * 32, "0" * 32, "b" * 64, 900, given, AT, "tool")
    }


def test_an_original_that_browsers_play_is_played():
    played = find_played(Part(found()))
    assert (played.kind, played.content_type, played.frame_rate) == ("original", "video/mp4", 30.0)
    assert (played.is_even, played.has_picture, played.has_sound) == (True, True, True)


@pytest.mark.parametrize(
    ("container", "codec", "content_type"),
    [
        ("mov", "aac", "audio/mp4"),
        ("mp3", "mp3", "audio/mpeg"),
        ("wav", "pcm_s16le", "audio/wav"),
        ("flac", "flac", "audio/flac"),
    ],
)
def test_sound_alone_is_served_as_what_it_is(container, codec, content_type):
    played = find_played(Part(found(stream("audio", index=0, codec=codec), container=container)))
    assert (played.content_type, played.has_picture, played.frame_rate) == (content_type, False, None)


def test_a_viewing_copy_goes_before_the_original():
    played = find_played(Part(found(), copy()))
    assert (played.kind, played.object_id, played.size_bytes) == ("viewing_copy", "1" * 32, 900)


def test_a_copy_without_picture_is_sound():
    played = find_played(Part(found(), copy(width_px=None)))
    assert (played.content_type, played.has_picture, played.frame_rate) == ("audio/mp4", False, None)


def test_pictures_have_numbers_only_where_they_are_evenly_spaced():
    assert not find_played(Part(found(), copy(paced_count=7))).is_even
    assert not find_played(Part(found(stream(is_variable_rate=True)))).is_even
    assert not find_played(Part(found(stream(is_variable_rate=None)))).is_even
    assert find_played(Part(found(stream(start_ms=40)))).first_ms == 40


def test_nothing_is_played_while_the_copy_is_still_to_be_made():
    assert find_played(Part(found(container="matroska"))) is None
    assert find_played(Part(found(warnings=(ProbeWarning("damaged_part"),)))) is None


@pytest.mark.parametrize(
    "kept",
    [
        {},
        {"size_bytes": 1},
        {"size_bytes": "x", "chunk_bytes": 1},
        {"size_bytes": 1, "chunk_bytes": 0},
        {"size_bytes": None, "chunk_bytes": 4},
    ],
)
def test_what_is_not_an_examination_as_we_write_it_is_none(kept):
    assert probe_of(kept) is None
    assert find_played(Part(kept)) is None


def test_a_copy_without_an_examination_still_plays():
    played = find_played(Part({}, copy()))
    assert (played.kind, played.frame_rate, played.first_ms) == ("viewing_copy", None, 0)


# --- clocks


def test_a_recording_has_one_offset_on_an_ordinary_night():
    assert clock_offsets(AT, 60_000, "America/Los_Angeles") == [
        (round(AT.timestamp() * 1000), -7 * 3600, "PDT (UTC-7)")
    ]


@pytest.mark.parametrize(
    ("zone", "changes_at", "before", "after"),
    [
        ("America/Los_Angeles", datetime(2026, 3, 8, 10, tzinfo=UTC), "PST (UTC-8)", "PDT (UTC-7)"),
        ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC), "CEST (UTC+2)", "CET (UTC+1)"),
    ],
)
def test_a_night_in_which_clocks_change_has_two_and_the_second_from_the_very_second(
    zone, changes_at, before, after
):
    first, second = clock_offsets(changes_at - timedelta(minutes=17, milliseconds=300), 3_600_000, zone)
    assert (first[2], second[2]) == (before, after)
    assert second[0] == round(changes_at.timestamp() * 1000)


# --- words


@pytest.mark.parametrize(
    ("state", "is_played", "reason", "said"),
    [
        ("waiting", False, "", "The viewing copy is waiting to be made."),
        ("waiting", False, "No disk.", "The viewing copy is waiting to be made. No disk."),
        ("doing", False, "", "The viewing copy is being made: 43%."),
        ("doing", True, "", "Storyboard and waveform are being made: 43%."),
        ("parked", False, "Too long.", "The viewing copy could not be made. Too long."),
        ("done", False, "", ""),
    ],
)
def test_a_step_is_said_in_a_sentence_with_its_reason(state, is_played, reason, said):
    assert step_words(StepState("derive", state, 0.439, reason), is_played=is_played) == said


def test_a_stream_is_said_in_one_line():
    assert stream_words(stream()) == "h264, 640 by 360, 30 pictures a second"
    assert stream_words(stream("audio")) == "aac, 48,000 Hz, 1 channel"
    turned = stream(codec=None, rotation_deg=90, is_variable_rate=True, frame_rate=Fraction(30_000, 1001))
    assert stream_words(turned) == (
        "of an unknown coding, 640 by 360, turned by 90 degrees, 29.97 pictures a second, unevenly spaced"
    )


def test_warnings_name_their_stream():
    probed = probe_of(found(warnings=(ProbeWarning("ends_early"), ProbeWarning("gaps", 1))))
    assert warning_words(probed) == [
        "The file is cut off; what is before the cut plays.",
        "Stream 1: This stream stops and goes on again.",
    ]


def test_of_an_act_people_are_told_what_they_can_read_and_its_words_first():
    facts = {"sha256": "ab", "object": "cd", "model": "none"}
    assert told(facts, {"offered_name": "\u202ea.mp4", "from": "x"}) == [
        ("file", "<U+202E>a.mp4"),
        ("SHA-256", "ab"),
    ]
    assert told({}, None) == []


def test_a_transcript_says_which_machine_or_that_it_is_typed():
    made = {
        "key": 1,
        "engine": "pocketsphinx",
        "model": "en-us",
        "version": "5.1",
        "settings": {},
        "made_at": AT,
    }
    assert transcript_words(KnownTranscript(**made, language="en", notice="hint")) == (
        "pocketsphinx en-us 5.1, language en"
    )
    assert transcript_words(KnownTranscript(**made, language="", notice="hint")) == "pocketsphinx en-us 5.1"
    assert transcript_words(KnownTranscript(**made, language="", notice="sample")) == "sample, typed by hand"


def test_signatures_are_told_as_present_and_not_as_checked():
    probed = probe_of(found() | {"signatures": ["axis_signed_video", "plainview_journal"]})
    assert signature_words(probed) == [
        "Signed by what made it (Axis signed video): present, not checked here.",
        "Signed as it was recorded (a Plainview camera's journal); whether it fits is said under What the camera signed.",
    ]

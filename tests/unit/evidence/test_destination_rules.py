"""What connected systems say, read as their specification has it."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.evidence import destination_rules as rules
from plainview.evidence.camera_rules import DESTINATION_OBJECT_KINDS
from simulators.axis_system import BUFFER, SERIAL, TRIGGERED_AT, USER, press, track

AT = datetime(2026, 3, 14, 23, 12, 34, tzinfo=UTC)


def lowered(metadata):
    return {key.lower(): value for key, value in metadata.items()}


def read(**more):
    pressed = press(b"x", **more)
    return rules.press_of(pressed.name, lowered(pressed.metadata), zone="UTC")


@pytest.mark.parametrize(
    ("container", "name", "kind"),
    [
        ("System", "Capabilities.json", "system"),
        ("Users", USER, "user"),
        ("Devices", SERIAL, "device"),
        ("c", "20260314_231204_3E8.mp4", "clip"),
        ("c", "20260314_231204_3E8.MKV", "clip"),
        ("c", "20260314_231204_3E8.key", "key"),
        ("c", "20260314_231204_3E8.mkv.key", "key"),
        ("c", "bookmark_20260314T231239Z_2", "bookmark"),
        ("c", "20260314_231204_3E8_ACCC_gpstrail.json", "track"),
        ("c", "notes.docx", "other"),
        ("RejectedContent_UnknownTime_x", "clip.mkv", "clip"),
    ],
)
def test_an_object_is_what_its_place_and_name_say(container, name, kind):
    assert rules.object_kind(container, name) == kind
    assert kind in DESTINATION_OBJECT_KINDS


def test_an_update_replaces_what_it_names_and_removes_what_it_empties():
    before = {"a": "1", "b": "2", "c": "3"}
    assert rules.merge_metadata(before, {"b": "", "c": "4", "d": "5"}) == {"a": "1", "c": "4", "d": "5"}


@pytest.mark.parametrize(("said", "is_it"), [("Complete", True), ("complete", True), ("Transferring", False)])
def test_complete_is_complete(said, is_it):
    assert rules.is_complete({"status": said}) is is_it
    assert rules.is_complete({}) is False


def test_a_press_is_read_from_its_metadata():
    found = read()
    assert (found.serial, found.model, found.user) == (SERIAL, "W110", USER)
    assert found.times.started_at == TRIGGERED_AT - BUFFER
    assert (found.times.zone, found.times.clock_source) == ("America/New_York", "camera")
    assert found.trigger.on_at == TRIGGERED_AT


def test_what_the_metadata_leaves_out_the_name_says():
    found = rules.press_of(f"{USER}_{SERIAL}_20260314T231234Z", {}, zone="Europe/Lisbon")
    assert (found.serial, found.user, found.times) == (SERIAL, USER, None)


@pytest.mark.parametrize("name", ["plain", "a_b", "RejectedContent_20260314T231234Z_uuid", "__", "_"])
def test_a_name_of_another_kind_says_nothing(name):
    found = rules.press_of(name, {}, zone="UTC")
    assert (found.serial, found.user) == ("", "")


@pytest.mark.parametrize("said", ["", "Mars/Olympus", "../../etc/passwd", "\0"])
def test_a_zone_nobody_knows_is_the_places_own(said):
    assert read(TimeZone=said).times.zone == "UTC"


def test_a_stop_before_the_start_is_no_end():
    found = read(StopTime="1", StopTimeISO="1970-01-01T00:00:01Z")
    assert found.times.ended_at is None


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("2026-03-14T23:12:34Z", AT),
        ("2026-03-14T19:12:34-04:00", AT),
        ("2026-03-14T23:12:34", AT),
        (str(int(AT.timestamp())), AT),
        (str(int(AT.timestamp() * 1000)), AT),
        (f"{AT.timestamp():.3f}", AT),
        ("0", datetime(1970, 1, 1, tzinfo=UTC)),
        ("", None),
        ("soon", None),
        ("9999999999999999", None),
        ("0001-01-01T00:00:00+23:00", None),
    ],
)
def test_times_are_read_as_these_systems_write_them(said, at):
    assert rules.parse_moment(said) == at


def test_clips_are_in_the_order_they_were_made_and_those_that_do_not_say_come_first():
    late, early = {"starttimeiso": "2026-03-14T23:12:34Z"}, {"starttime": "1"}
    order = sorted([(late, "a"), (early, "c"), ({}, "b")], key=lambda each: rules.clip_start(*each))
    assert [name for _, name in order] == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("name", "there", "found"),
    [
        ("a.mkv", ["a.key", "b.key"], ["a.key"]),
        ("a.mkv", ["a.key", "a.mkv.key"], ["a.mkv.key", "a.key"]),
        ("x_1_2_gpstrail.json", ["x_1.key", "x.key", "y.key"], ["x_1.key", "x.key"]),
        ("x_1_2_gpstrail.json", ["x_1_2_gpstrail.key", "x_1.key"], ["x_1_2_gpstrail.key", "x_1.key"]),
        ("a.mkv", ["a.mkv"], []),
        ("noname", ["noname.key"], ["noname.key"]),
    ],
)
def test_the_likeliest_key_file_comes_first(name, there, found):
    assert rules.key_names(name, there) == found


@pytest.mark.parametrize(
    "name", ["", "a" * 257, "a\0b", "a\nb", "..", "../a", "a/../b", "./a", "a/.", "\ud800", "é" * 129]
)
def test_a_name_that_nothing_can_have_is_refused(name):
    assert rules.name_problem(name, limit_bytes=256)


@pytest.mark.parametrize("name", ["a", "é" * 128, "a b", "...", "a..b", "/a", "ACCC_2026"])
def test_other_names_are_taken(name):
    assert rules.name_problem(name, limit_bytes=256) is None


@pytest.mark.parametrize(
    "metadata",
    [
        {str(number): "x" for number in range(91)},
        {"a" * 129: "x"},
        {"": "x"},
        {"a": "x" * 2049},
        {"a": "x\0"},
        {"a": "x\r\ny"},
        {str(number): "x" * 2000 for number in range(9)},
    ],
)
def test_metadata_that_cannot_be_kept_is_refused(metadata):
    assert rules.metadata_problem(metadata)


def test_all_that_the_specification_names_can_be_kept():
    assert rules.metadata_problem(lowered(press(b"x").metadata)) is None


def test_a_bookmark_keeps_what_else_it_says():
    found = rules.bookmark_of({"starttime": "2026-03-14T23:12:34Z", "categoryname": "Arrest", "tags": "a:b"})
    assert (found.start_at, found.end_at, found.category) == (AT, None, "Arrest")
    assert found.particulars == {"tags": "a:b"}


@pytest.mark.parametrize(
    ("at", "position"),
    [(AT + timedelta(seconds=1.5), 1500), (AT, 0), (AT - timedelta(1), None), (None, None)],
)
def test_a_moment_has_a_position_only_inside(at, position):
    assert rules.position_ms(at, AT) == position
    assert rules.position_ms(at, None) is None


def test_a_track_is_latitude_then_longitude():
    assert rules.parse_track(track((1.25, 13.5, 55.5)).data) == [[1250, 55.5, 13.5, None]]


@pytest.mark.parametrize(
    "entry",
    [
        {"LocationWKT": "POINT(181 1)", "SecondsFromStart": 1},
        {"LocationWKT": "POINT(1 91)", "SecondsFromStart": 1},
        {"LocationWKT": "LINE(1 1)", "SecondsFromStart": 1},
    ],
)
def test_a_point_that_is_nowhere_is_left_out(entry):
    assert rules.parse_track(json.dumps({"CoordinateEntries": [entry]}).encode()) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"{}",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"CoordinateEntries": 7}',
        b'{"CoordinateEntries": [7]}',
        b'{"CoordinateEntries": [{"LocationWKT": "POINT(1 1)"}]}',
        b'{"CoordinateEntries": [{"LocationWKT": "POINT(1 1)", "SecondsFromStart": NaN}]}',
        b'{"CoordinateEntries": [{"LocationWKT": "POINT(1 1)", "SecondsFromStart": 1e999}]}',
        b'{"CoordinateEntries": [{"LocationWKT": "POINT(1.1.1 1)", "SecondsFromStart": 1}]}',
    ],
)
def test_what_is_no_track_is_none(data):
    assert rules.parse_track(data) is None


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=30), max_size=6), st.text(max_size=40))
def test_whatever_a_system_says_is_read_without_a_fault(metadata, name):
    named = {"starttime", "stoptime", "triggerontime", "timezone", "bwcserialnumber"}
    said = metadata | dict(zip(named, metadata.values(), strict=False))
    rules.press_of(name, said, zone="UTC")
    rules.bookmark_of(said)
    rules.name_problem(name, limit_bytes=64)
    rules.metadata_problem(said)

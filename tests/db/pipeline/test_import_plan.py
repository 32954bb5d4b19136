"""A folder of another maker's is looked at before anything is taken in, and everything that is odd is said."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from plainview.formats.folder_pattern import parse_folder_pattern
from plainview.pipeline import import_plan
from plainview.pipeline.errors import ImportRefusedError
from plainview.pipeline.import_plan import make_plan

PATTERNS = Path(__file__).parents[3] / "docs" / "patterns"
LIST = "File name,Device serial,Officer ID,Start time,End time,Activation,Category\n"
ONE = "BC-1_20260314_235207_01.mp4,BC-1,4417,2026-03-14 23:52:07,,light_bar,Traffic\n"
GPX = (
    '<gpx><trk><trkseg><trkpt lat="1" lon="2"><time>2026-03-15T06:52:09Z</time></trkpt></trkseg></trk></gpx>'
)


@pytest.fixture
def card(tmp_path):
    folder = tmp_path / "card"
    folder.mkdir()
    return folder


def plan(folder, pattern="csv-beside-footage"):
    data = (PATTERNS / f"{pattern}.json").read_bytes()
    return make_plan(parse_folder_pattern(data), folder, data=folder / "nowhere", place="America/Los_Angeles")


def put(folder, **files):
    for name, text in files.items():
        path = folder / name.replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


def footage(folder, *names):
    for name in names:
        (folder / name).write_bytes(b"footage " + name.encode())


def test_names_and_lists_say_who_when_and_why_and_where_that_stands(card):
    footage(card, "BC-1_20260314_235207_01.mp4", "BC-1_20260314_235207_02.mp4")
    put(card, index__csv=LIST + ONE)
    (card / "BC-1_20260314_235207_01.gpx").write_text(GPX)
    (recording,) = plan(card).recordings
    assert [file.path for file in recording.files] == [
        "BC-1_20260314_235207_01.mp4",
        "BC-1_20260314_235207_02.mp4",
    ]
    assert (recording.said.badge, recording.said.trigger) == ("4417", "light_bar")
    assert recording.said.started_at == datetime(2026, 3, 15, 6, 52, 7, tzinfo=UTC)
    assert recording.said_by["badge"] == "index.csv, line 2"
    assert [(each.path, each.kind, each.is_track) for each in recording.sidecars] == [
        ("BC-1_20260314_235207_01.gpx", "track", True),
        ("index.csv", "sidecar", False),
    ]
    assert (recording.problem, recording.notes) == ("", ())


def test_what_contradicts_itself_is_told_and_the_list_counts(card):
    footage(card, "BC-2_20260314_235207_01.mp4")
    put(card, index__csv=LIST + ONE.replace("BC-1_", "BC-2_").replace("23:52:07", "23:53:00"))
    (recording,) = plan(card).recordings
    assert recording.said.serial == "BC-1"
    assert recording.notes == (
        "serial: index.csv, line 2 says BC-1, its name says BC-2.",
        "started_at: index.csv, line 2 says 2026-03-15 06:53:00 UTC, its name says 2026-03-15 06:52:07 UTC.",
    )
    assert recording.unclear == recording.notes


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (ONE.replace("2026-03-14", "2026-03-99"), "index.csv, line 2: started_at: expected a time"),
        (ONE.replace(",,light", ",2026-03-14 23:00:00,light"), "It is said to end before it begins."),
        ("x\n", "index.csv, line 2: row: expected 7 cells, got 1"),
    ],
)
def test_footage_of_which_something_impossible_is_said_is_held_back(card, line, problem):
    footage(card, "BC-1_20260314_235207_01.mp4")
    put(card, index__csv=LIST + line)
    found = plan(card)
    if line == "x\n":
        assert found.rejected == (("index.csv, line 2", "row: expected 7 cells, got 1"),)
        return
    assert problem in found.recordings[0].problem


def test_a_list_that_nobody_can_read_holds_its_footage_back(card):
    footage(card, "BC-1_20260314_235207_01.mp4")
    put(card, index__csv="nothing,of,this\n")
    found = plan(card)
    assert found.recordings[0].problem.startswith("index.csv: expected one column 'Device serial'")
    assert found.rejected[0][0] == "index.csv"


def test_a_name_with_no_such_time_holds_its_footage_back(card):
    footage(card, "BC-1_20260308_023000_01.mp4")
    assert "never was in place" in plan(card).recordings[0].problem


def test_rows_and_files_that_have_no_other_half_are_told(card):
    footage(card, "BC-1_20260314_235207_01.mp4", "notes.txt", "BC-9_20260314_235207_01.mp4")
    put(card, index__csv=LIST + ONE + ONE.replace("BC-1_", "BC-3_"))
    (card / "lone.gpx").write_text(GPX)
    found = plan(card)
    assert found.without_footage == (("index.csv, line 3", "bc-3_20260314_235207_01.mp4"),)
    assert [each.path for each in found.lone] == ["lone.gpx"]
    assert [each.path for each in found.others] == ["notes.txt"]
    nine = next(each for each in found.recordings if each.files[0].path.startswith("BC-9"))
    assert nine.notes == ("index.csv says nothing of it.",)


def test_what_came_along_and_cannot_be_read_is_kept_as_it_came(card):
    footage(card, "a.mp4")
    put(card, a__gpx="<html/>", a__srt="1\n00:00:01,000 --> 00:00:02,000\nHello\n", a__vtt="no")
    found = plan(card, "generic-folder").recordings[0]
    words = {each.path: (each.kind, each.words) for each in found.sidecars}
    assert words["a.srt"] == ("subtitles", "subtitles: 1")
    assert words["a.gpx"][0] == words["a.vtt"][0] == "sidecar"
    assert "expected the element gpx" in words["a.gpx"][1]


def test_a_list_beside_its_one_file_is_read_or_holds_it_back(card):
    footage(card, "a.mp4", "b.mp4", "c.mp4")
    said = {"started": "2026-03-15T06:52:07Z", "officer": {"badge": 4417}, "ended": None}
    put(card, a__json=json.dumps(said), b__json="{", c__json=json.dumps({"ended": said["started"]}))
    a, b, c = plan(card, "json-beside-each-file").recordings
    assert a.said.badge == "4417"
    assert b.problem.startswith("b.json: not JSON")
    assert (c.said.ended_at, c.notes) == (None, ("An end is said and no start: the end is left out.",))


def test_audit_trails_of_another_system_stay_beside_their_footage(card):
    footage(card, "Stop at 5th.mp4")
    put(card)
    (card / "Stop at 5th_audit_trail.pdf").write_bytes(b"%PDF-1.4")
    (card / "audit.csv").write_text("who,when\n")
    (card / "list.csv").write_text(
        "ID,Title,Owner Badge ID,Device Serial Number,Categories,Recorded On,Location,File Name\n"
        "7,Stop,4417,X1,Traffic,2026-03-15 06:52:07,5th St,stop at 5th.mp4\n"
    )
    (recording,) = plan(card, "evidence-com-export").recordings
    assert {(each.path, each.kind) for each in recording.sidecars} == {
        ("Stop at 5th_audit_trail.pdf", "audit_trail"),
        ("audit.csv", "audit_trail"),
        ("list.csv", "sidecar"),
    }
    assert (recording.said.reference, recording.said.location) == ("7", "5th St")


def test_links_pipes_and_what_is_no_folder_are_never_followed(card):
    footage(card, "a.mp4")
    (card / "b.mp4").symlink_to("/etc/hostname")
    os.mkfifo(card / "c.mp4")
    (card / "d").symlink_to("/etc")
    found = plan(card, "generic-folder")
    assert [each.files[0].path for each in found.recordings] == ["a.mp4"]
    assert dict(found.left_out) == {
        "b.mp4": import_plan.LINK,
        "c.mp4": import_plan.NO_FILE,
        "d": import_plan.LINK,
    }
    with pytest.raises(ImportRefusedError, match="is no folder"):
        plan(card / "a.mp4")


def test_an_empty_folder_holds_nothing(card):
    found = plan(card, "generic-folder")
    assert (found.recordings, found.others, found.left_out) == ((), (), ())


def test_more_files_than_one_import_takes_are_refused(card, monkeypatch):
    monkeypatch.setattr(import_plan, "MOST_FILES", 1)
    footage(card, "a.mp4", "b.mp4")
    with pytest.raises(ImportRefusedError, match="more than 1 files"):
        plan(card)

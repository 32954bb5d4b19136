"""A folder of another maker's is read by a pattern that people can write, and its mistakes are named."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from plainview.formats.errors import FormatError
from plainview.formats.folder_match import (
    folder_of,
    is_about,
    match_folder,
    path_particulars,
    row_name,
    stem_of,
)
from plainview.formats.folder_pattern import FOLDER_PATTERN_LIMIT_BYTES, parse_folder_pattern
from plainview.formats.particulars import Particulars

EXAMPLES = sorted((Path(__file__).parents[3] / "docs" / "patterns").glob("*.json"))
BASE: dict[str, Any] = {
    "kind": "plainview-folder-pattern",
    "v": 1,
    "name": "A card",
    "footage": ["DCIM/*/{serial}_{started}_{part:2}.mp4", "loose/**/?{group}.mkv"],
    "started": {"format": "%Y%m%d_%H%M%S", "zone": "place"},
    "same": ["folder", "serial", "started", "group"],
    "sidecars": [
        {"path": ["**/*.gpx"], "read": "gpx"},
        {"path": ["**/{serial} audit.pdf"], "kind": "audit_trail", "belongs": "group"},
        {
            "path": ["**/list.csv"],
            "read": "csv",
            "belongs": "folder",
            "row": {"at": "File", "is": "name"},
            "fields": {"badge": "Officer", "started_at": {"at": "Start", "format": "iso", "zone": "UTC"}},
        },
        {"path": ["all.csv"], "read": "nothing", "belongs": "all"},
    ],
}
LIST = BASE["sidecars"][2]


def parse(**changes: Any) -> Any:
    return parse_folder_pattern(json.dumps(BASE | changes).encode())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_pattern_in_the_documentation_is_one(path: Path) -> None:
    assert parse_folder_pattern(path.read_bytes()).about


def test_there_are_patterns_in_the_documentation() -> None:
    assert len(EXAMPLES) >= 5


def test_parts_of_one_press_make_one_recording_in_their_order() -> None:
    found = match_folder(
        parse(),
        [
            "DCIM/100/BC-1_20260314_235207_02.MP4",
            "dcim/100/bc-1_20260314_235207_01.mp4",
            "DCIM/101/BC-1_20260314_235207_01.mp4",
            "DCIM/100/BC-1_20260315_000000_01.mp4",
        ],
    )
    assert sorted(len(each.files) for each in found.recordings) == [1, 1, 2]
    two = next(each for each in found.recordings if len(each.files) == 2)
    assert [file.path for file in two.files] == [
        "dcim/100/bc-1_20260314_235207_01.mp4",
        "DCIM/100/BC-1_20260314_235207_02.MP4",
    ]


def test_what_stands_in_a_name_is_said_of_the_recording() -> None:
    pattern = parse()
    found = match_folder(pattern, ["DCIM/1/BC-1_20260314_235207_01.mp4", "loose/a/b/xnight.mkv"])
    said = [path_particulars(pattern, each, place="America/Los_Angeles") for each in found.recordings]
    assert said == [
        Particulars(serial="BC-1", started_at=datetime(2026, 3, 15, 6, 52, 7, tzinfo=UTC)),
        Particulars(),
    ]


def test_a_name_with_no_such_time_is_said_with_the_name() -> None:
    pattern = parse()
    found = match_folder(pattern, ["DCIM/1/BC-1_20260230_235207_01.mp4"])
    with pytest.raises(FormatError, match=r"name of DCIM/1/BC-1_20260230_235207_01\.mp4"):
        path_particulars(pattern, found.recordings[0], place="UTC")


def test_every_path_that_is_offered_is_somewhere() -> None:
    paths = [
        "DCIM/1/BC-1_20260314_235207_01.mp4",
        "DCIM/1/BC-1_20260314_235207_01.gpx",
        "DCIM/1/BC-1_20260314_235207_01.mp4.gpx",
        "DCIM/1/gone.gpx",
        "DCIM/1/BC-1 audit.pdf",
        "DCIM/1/BC-9 audit.pdf",
        "DCIM/1/list.csv",
        "all.csv",
        "README.txt",
        "x" * 600,
    ]
    found = match_folder(parse(), paths)
    assert [each.path for each in found.recordings[0].sidecars] == [paths[4], paths[1], paths[2]]
    assert [each.path for each in found.lists] == ["DCIM/1/list.csv", "all.csv"]
    assert [each.path for each in found.lone] == ["DCIM/1/BC-9 audit.pdf", "DCIM/1/gone.gpx"]
    assert found.others == ("README.txt", "x" * 600)


def test_a_list_is_about_what_lies_beside_it_and_below() -> None:
    found = match_folder(
        parse(), ["DCIM/1/list.csv", "list.csv", "all.csv", "DCIM/2/BC-1_20260314_235207_01.mp4"]
    )
    recording = found.recordings[0]
    assert {each.path: is_about(each, recording) for each in found.lists} == {
        "DCIM/1/list.csv": False,
        "list.csv": True,
        "all.csv": True,
    }


def test_a_sidecar_that_shares_nothing_with_any_recording_is_alone() -> None:
    pattern = parse(
        same=["group"],
        sidecars=[{"path": ["**/{serial} audit.pdf"], "belongs": "group"}],
    )
    found = match_folder(pattern, ["loose/xnight.mkv", "loose/BC-1 audit.pdf"])
    assert [each.path for each in found.lone] == ["loose/BC-1 audit.pdf"]


def test_without_anything_in_common_each_file_is_a_recording_of_its_own() -> None:
    pattern = parse(
        footage=["{group}_{part}.mp4"],
        started=None,
        same=[],
        sidecars=[{"path": ["{group}.pdf"], "belongs": "group"}],
    )
    found = match_folder(pattern, ["a_1.mp4", "a_2.mp4", "a.pdf"])
    assert [len(each.files) for each in found.recordings] == [1, 1]
    assert [each.path for each in found.recordings[0].sidecars] == ["a.pdf"]


def test_a_part_that_is_missing_or_there_twice_is_noted() -> None:
    pattern = parse(
        footage=["*/{group:2}-{part}.mp4", "*/{group:2}.{part}.mp4"],
        started=None,
        same=["group"],
        sidecars=[],
    )
    found = match_folder(pattern, ["a/xx-1.mp4", "a/xx.1.mp4", "a/xx-3.mp4", "a/xx-7.mp4"])
    assert found.recordings[0].notes == (
        "xx-1.mp4 and xx.1.mp4 both say they are part 1.",
        "Part 2 is not there.",
        "Part 4 to 6 is not there.",
    )


def test_a_row_names_a_file_in_one_of_several_ways() -> None:
    file = match_folder(parse(), ["loose/a/xNight.mkv"]).recordings[0].files[0]
    assert [row_name(kind, file) for kind in ("name", "stem", "path", "group")] == [
        "xnight.mkv",
        "xnight",
        "loose/a/xnight.mkv",
        "night",
    ]
    assert (stem_of(".hidden"), stem_of("a/plain"), folder_of("a")) == (".hidden", "plain", "")


def test_a_byte_order_mark_before_the_pattern_is_no_matter() -> None:
    assert parse_folder_pattern(b"\xef\xbb\xbf" + json.dumps(BASE).encode()).name == "A card"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"colour": 1}, r"unknown keys \['colour'\]"),
        ({"v": 2}, "v: expected 1, got 2"),
        ({"v": True}, "v: expected 1, got True"),
        ({"kind": "x"}, "kind: expected 'plainview-folder-pattern'"),
        ({"name": ""}, "name: is missing"),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"camera": "drone"}, "camera: expected one of body, car, fixed, other"),
        ({"make": 3}, "make: expected text"),
        ({"may_erase": "yes"}, "may_erase: expected true or false"),
        ({"zone": "Mars/Olympus", "started": "%Y%m%d_%H%M%S"}, "zone: expected a zone such as"),
        ({"footage": []}, "footage: expected at least one path"),
        ({"footage": "*.mp4"}, "footage: expected a list"),
        ({"footage": ["/etc/*"]}, r"footage\[0\]: expected a path below the folder"),
        ({"footage": ["a\\b"]}, "expected a path below the folder"),
        ({"footage": ["{sirial}.mp4"]}, "expected one of serial, badge, started, part, group in braces"),
        ({"footage": ["{serial}{serial}.mp4"]}, "each once"),
        ({"footage": ["{serial"]}, "expected one of serial"),
        ({"footage": ["{part:10}{started}.mp4"]}, "at most 9 digits"),
        ({"footage": ["{started:4}.mp4"]}, '{started} needs "started"'),
        ({"footage": ["*a*b*c*d*e*f*g{started}"]}, "at most 3 of"),
        ({"footage": ["**/**/**/{started}.mp4"]}, "and 2 of"),
        ({"footage": ["{serial}.mp4"]}, "started: expected where, and only where"),
        ({"started": None}, '{started} needs "started"'),
        ({"started": {"format": "iso", "zone": "UTC"}}, "for it stands in a name"),
        ({"same": ["part"]}, "same: no path of footage has {part}, or it is what tells"),
        ({"same": ["badge"]}, "same: no path of footage has {badge}"),
        ({"same": ["mood"]}, r"same\[0\]: expected one of"),
        ({"sidecars": [3]}, r"sidecars\[0\]: expected an object"),
        ({"sidecars": [{"path": ["x"], "reed": "csv"}]}, "unknown keys"),
        ({"sidecars": [{"path": ["x"], "read": "zip"}]}, "read: expected one of csv, json"),
        ({"sidecars": [{"path": ["x"], "read": "csv"}]}, "fields: expected for csv, json and xml"),
        (
            {"sidecars": [{"path": ["x"], "read": "gpx", "fields": {"badge": "B"}}]},
            "fields: expected for csv",
        ),
        ({"sidecars": [{"path": ["x"], "read": "gpx", "rows": "a"}]}, "only csv, json and xml have rows"),
        ({"sidecars": [{"path": ["x"], "belongs": "group"}]}, "to belong to a group it must have one of"),
        ({"sidecars": [LIST | {"rows": "a"}]}, "every line of a csv is one"),
        ({"sidecars": [LIST | {"row": None}]}, 'needs "row"'),
        ({"sidecars": [LIST | {"row": "File"}]}, "row: expected"),
        ({"sidecars": [LIST | {"row": {"at": "", "is": "name"}}]}, "row: at: is missing"),
        ({"sidecars": [LIST | {"delimiter": "ab"}]}, "delimiter: expected one of"),
        ({"sidecars": [LIST | {"encoding": "ebcdic"}]}, "encoding: expected one of"),
        ({"sidecars": [LIST | {"fields": []}]}, "fields: expected an object"),
        ({"sidecars": [LIST | {"fields": {"mood": "M"}}]}, "fields: expected one of serial"),
        ({"sidecars": [LIST | {"fields": {"started_at": 3}}]}, "fields: started_at: expected"),
        ({"sidecars": [LIST | {"fields": {"started_at": "Start"}}]}, None),
        ({"sidecars": [LIST | {"read": "json", "fields": {"badge": "Officer"}}]}, "expected a JSON pointer"),
        (
            {
                "sidecars": [
                    {"path": ["x"], "read": "json", "belongs": "stem", "rows": "r", "fields": {"badge": "/b"}}
                ]
            },
            "rows: expected a JSON pointer",
        ),
    ],
)
def test_a_mistake_in_a_pattern_is_named_with_its_place(changes: dict[str, Any], problem: str | None) -> None:
    if problem is None:
        # A time whose every value must carry its zone.
        assert parse(**changes).sidecars[0].fields["started_at"].writing.format == "iso"
        return
    with pytest.raises(FormatError, match=problem):
        parse(**changes)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"[]", "expected an object, got list"),
        (b"{", "not JSON in UTF-8"),
        (b"\xff\xfe{", "not JSON in UTF-8"),
        (b'{"v":1,"v":1}', r"a key appears twice: \['v'\]"),
        (b"[" * 60_000, "nested too deep"),
        (b" " * (FOLDER_PATTERN_LIMIT_BYTES + 1), "expected at most 65536 bytes"),
    ],
)
def test_what_is_no_record_of_json_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(FormatError, match=problem):
        parse_folder_pattern(data)


def test_names_made_to_keep_a_comparison_busy_do_not() -> None:
    pattern = parse(footage=["**/**/*a*{group}.mp4"], started=None, same=[], sidecars=[])
    assert match_folder(pattern, ["a/" * 40 + "a" * 120 + ".mp5"]).others

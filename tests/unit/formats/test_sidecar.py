"""Lists beside footage are read as their pattern says, row by row; what is hostile or broken is refused with its place."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from plainview.formats import sidecar as module
from plainview.formats.errors import FormatError
from plainview.formats.folder_match import match_folder
from plainview.formats.folder_pattern import parse_folder_pattern
from plainview.formats.particulars import Particulars
from plainview.formats.plain_xml import ATTRIBUTES_LIMIT, DEEPEST, read_xml
from plainview.formats.sidecar import SIDECAR_LIMIT_BYTES, read_sidecar, rows_about

START = datetime(2026, 3, 15, 6, 52, 7, tzinfo=UTC)
HEADER = "File,Officer,Start,Note\r\n"
ROW = "A.mp4,4417,2026-03-14 23:52:07,x\r\n"


def pattern(**more: Any) -> Any:
    listed = {
        "path": ["list.*"],
        "read": "csv",
        "belongs": "all",
        "row": {"at": "File", "is": "name"},
        "fields": {
            "badge": "Officer",
            "started_at": {"at": "Start", "format": "%Y-%m-%d %H:%M:%S", "zone": "place"},
        },
    } | more
    record = {
        "kind": "plainview-folder-pattern",
        "v": 1,
        "name": "x",
        "footage": ["**/{group}.mp4"],
        "sidecars": [listed],
    }
    return parse_folder_pattern(json.dumps(record).encode())


def read(data: bytes | str, **more: Any) -> Any:
    raw = data if isinstance(data, bytes) else data.encode()
    return read_sidecar(pattern(**more).sidecars[0], raw, place="America/Los_Angeles", what="list.csv")


def read_json(value: Any, **more: Any) -> Any:
    given = {
        "read": "json",
        "rows": "/all",
        "row": {"at": "/file", "is": "name"},
        "fields": {"badge": "/who/0", "started_at": {"at": "/a~1b", "format": "unix_s"}},
    }
    return read(json.dumps(value), **given | more)


def read_as_xml(text: str, **more: Any) -> Any:
    given = {
        "read": "xml",
        "rows": "List/Clip",
        "row": {"at": "@file", "is": "stem"},
        "fields": {"badge": "Officer/@badge", "category": "Why"},
    }
    return read(text, **given | more)


# --- CSV


@pytest.mark.parametrize(
    "data",
    [
        (HEADER + ROW).encode(),
        b"\xef\xbb\xbf" + (HEADER + "\r\n" + ROW + ",,,\r\n").encode(),
        (HEADER + ROW).encode("utf-16"),
        b"\xfe\xff" + (HEADER + ROW).encode("utf-16-be"),
        (HEADER + ROW.replace("x", "x,,")).encode(),
        (HEADER + ROW.replace("x", '"two\r\nlines"')).encode(),
    ],
)
def test_a_row_says_which_file_it_is_about_and_what_it_says_of_it(data: bytes) -> None:
    rows = read(data)
    assert [(row.names, row.particulars, row.problem) for row in rows] == [
        ("a.mp4", Particulars(badge="4417", started_at=START), "")
    ]


def test_a_list_beside_one_file_needs_no_name_in_it() -> None:
    assert read(HEADER + ROW, row=None, belongs="stem")[0].names == ""


def test_other_delimiters_and_encodings_are_read_where_the_pattern_says_so() -> None:
    rows = read(
        "File;Officer;Start\r\nA.mp4;Müller;\r\n".encode("latin-1"), delimiter=";", encoding="latin-1"
    )
    assert rows[0].particulars == Particulars(badge="Müller")
    with pytest.raises(FormatError, match=r"not utf-8 text \(at byte 27\); say its \"encoding\""):
        read("File;Officer;Start\r\nA.mp4;Müller;\r\n".encode("latin-1"), delimiter=";")


def test_a_formula_is_text() -> None:
    assert read(HEADER + "A.mp4,=1+1,,\r\n")[0].particulars.badge == "=1+1"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("A.mp4,4417", "row: expected 4 cells, got 2"),
        ("A.mp4,4417,,,more", "row: expected 4 cells, got 5"),
        (",4417,,", "'File' is empty: it names no footage"),
        ("A.mp4,4417,yesterday,", "started_at: expected a time written '%Y-%m-%d %H:%M:%S'"),
        ("A.mp4,4417,2026-03-08 02:30:00,", "started_at: 2026-03-08 02:30:00 never was in place"),
        (f"A.mp4,{'4' * 65},,", "badge: expected at most 64 characters, got 65"),
        ("A.mp4,a\u202eb,,", "badge: expected one line"),
    ],
)
def test_a_row_that_cannot_be_used_says_why_and_the_others_are_used(row: str, problem: str) -> None:
    bad, good = read(HEADER + row + "\r\n" + ROW)
    assert problem in bad.problem
    assert (bad.number, bad.particulars, good.number, good.problem) == (2, Particulars(), 3, "")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "list.csv: it is empty: expected a line of column names"),
        (b"Fil\0e,Officer\r\n", "it holds NUL characters"),
        ((HEADER + ROW).encode("utf-16-le"), "it holds NUL characters"),
        (b"\xff\xfeA", "not utf-16 text"),
        (b"File,Officer\r\n", "expected one column 'Start', got 0; its columns are 'File, Officer'"),
        (b"File,File,Officer,Start\r\n", "expected one column 'File', got 2"),
        (b"a," * 1001, "expected at most 1000 columns, got 1002"),
        (b"a," * 1_000_000, "a row has more than 1048576 characters"),
        (HEADER.encode() + b'"\n",' * 300_000, "a row has more than 1048576 characters"),
        (HEADER.encode() + b"a" * 200_000, "not CSV at line 2: field larger"),
        (HEADER.encode() + b'"a"b,\r\n', "not CSV at line 2"),
        (b"x" * (SIDECAR_LIMIT_BYTES + 1), "expected at most 16777216 bytes"),
    ],
    ids=lambda value: None if isinstance(value, str) else str(len(value)),
)
def test_a_list_that_is_none_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(FormatError, match=problem):
        read(data)


def test_more_rows_than_any_list_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 2)
    assert len(read(HEADER + ROW * 2)) == 2
    with pytest.raises(FormatError, match="at most 2 rows"):
        read(HEADER + ROW * 3)
    with pytest.raises(FormatError, match="a list of at most 2 rows"):
        read_json({"all": [{}] * 3})
    with pytest.raises(FormatError, match="at most 2 rows"):
        read_as_xml(f"<a><List>{'<Clip/>' * 3}</List></a>")


# --- JSON


def test_a_row_of_json_is_read_through_pointers() -> None:
    rows = read_json({"all": [{"file": "A.MP4", "who": [4417], "a/b": 1773557527.0}, {"file": "b.mp4"}]})
    assert [(row.names, row.particulars) for row in rows] == [
        ("a.mp4", Particulars(badge="4417", started_at=START)),
        ("b.mp4", Particulars()),
    ]


def test_a_record_alone_is_the_row_of_the_file_beside_it() -> None:
    more = {"rows": "", "row": None, "belongs": "stem"}
    rows = read_json({"who": ["4417"], "a/b": None}, **more)
    assert [(row.names, row.particulars.badge) for row in rows] == [("", "4417")]


def test_what_is_neither_text_nor_a_number_is_no_field() -> None:
    rows = read_json(
        {"all": [{"file": "a", "who": [{}]}, {"file": "b", "who": [True]}, "x", {"file": "c", "who": {}}]}
    )
    assert "expected text or a number, got dict" in rows[0].problem
    assert "expected text or a number, got bool" in rows[1].problem
    assert "is empty" in rows[2].problem
    assert rows[3].particulars == Particulars()


def test_the_longest_number_stays_as_it_was_written() -> None:
    row = read(
        '{"all": [{"file": "a", "who": [' + "9" * 60 + "]}]}",
        read="json",
        rows="/all",
        row={"at": "/file", "is": "stem"},
        fields={"badge": "/who/0"},
    )[0]
    assert row.particulars.badge == "9" * 60


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "nested too deep"),
        ('{"all": {}}', "expected a list of at most 100000 rows at '/all'"),
        ('{"all": [1], "all": 3}', "expected a list"),
    ],
)
def test_json_that_is_no_list_is_refused(text: str, problem: str) -> None:
    with pytest.raises(FormatError, match=problem):
        read(text, read="json", rows="/all", row={"at": "/file", "is": "stem"}, fields={"badge": "/b"})


def test_several_rows_where_one_belongs_are_refused() -> None:
    with pytest.raises(FormatError, match="expected one row, got 2"):
        read_json({"all": [{}, {}]}, row=None, belongs="stem")


# --- XML


def test_a_row_of_xml_is_read_through_paths_and_attributes() -> None:
    rows = read_as_xml(
        '<?xml version="1.0" encoding="iso-8859-1"?><x:a xmlns:x="urn:x"><List><Clip file="A"><Officer badge="4417"/>'
        "<Why> Traffic <![CDATA[& stop]]> </Why></Clip><x:Clip x:file='b'/><Other/></List></x:a>"
    )
    assert [(row.names, row.particulars) for row in rows] == [
        ("a", Particulars(badge="4417", category="Traffic & stop")),
        ("b", Particulars()),
    ]


def test_a_field_that_is_there_twice_is_no_field() -> None:
    rows = read_as_xml("<a><List><Clip file='a'><Why>x</Why><Why>y</Why></Clip></List></a>")
    assert "'Why' is there 2 times" in rows[0].problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not XML"),
        ("<a>", "not XML"),
        ('<?xml version="1.0" encoding="ebcdic-x"?><a/>', "not XML"),
        ('<!DOCTYPE a SYSTEM "http://127.0.0.1/x"><a/>', "declares a document type"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "declares a document type"),
        ('<!DOCTYPE a [<!ENTITY b "bbb"><!ENTITY c "&b;&b;">]><a>&c;</a>', "declares a document type"),
        ("<a>" * (DEEPEST + 1), "nested deeper than 32"),
        (
            "<a " + " ".join(f"b{n}='1'" for n in range(ATTRIBUTES_LIMIT + 1)) + "/>",
            "more than 64 attributes",
        ),
        ("<a>&unknown;</a>", "not XML"),
    ],
    ids=range(9),
)
def test_xml_that_is_broken_or_reaches_out_is_refused(text: str, problem: str) -> None:
    with pytest.raises(FormatError, match=problem):
        read_as_xml(text)


def test_more_elements_than_are_wanted_are_refused() -> None:
    assert len(read_xml(b"<a><b/><b/></a>", what="x", most_elements=3).children) == 2
    with pytest.raises(FormatError, match="at most 2 elements"):
        read_xml(b"<a><b/><b/></a>", what="x", most_elements=2)


# --- rows and recordings


def test_rows_are_told_to_a_recording_by_the_names_of_its_files() -> None:
    recording = match_folder(pattern(), ["d/A.mp4"]).recordings[0]
    by_name = {row.names: (row,) for row in read(HEADER + ROW + "b.mp4,1,,\r\n")}
    assert rows_about(by_name, recording, kind="name") == by_name["a.mp4"]
    assert rows_about(by_name, recording, kind="stem") == ()

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from plainview.formats.canonical import canonical_json
from plainview.formats.capture import (
    CAPTURE_LINE_LIMIT_BYTES,
    EVENTS,
    JOURNAL_BOX,
    STOPS,
    TRIGGERS,
    CaptureEvent,
    CaptureFragment,
    CaptureStart,
    CaptureStop,
    JournalLine,
    check_camera_name,
    format_capture_leaf,
    format_journal_box,
    format_journal_line,
    journal_key,
    journal_origin,
    make_journal_line,
    parse_capture_leaf,
    parse_journal_line,
)
from plainview.formats.errors import FormatError
from plainview.formats.proof import parse_proof
from simulators.journals import CAMERA, SigningCamera

MADE = SigningCamera().record(fragments=2, events=((1, "marker"),))
START, FIRST, MARKER, SECOND, STOP = MADE.leaves
SHIFT = SigningCamera().record(purpose="shift", events=((0, "state"),))


def record_of(leaf: Any) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(format_capture_leaf(leaf))
    return record


def refused(record: dict[str, Any]) -> FormatError:
    with pytest.raises(FormatError) as caught:
        parse_capture_leaf(canonical_json(record))
    return caught.value


@pytest.mark.parametrize("leaf", [*MADE.leaves, *SHIFT.leaves], ids=lambda leaf: type(leaf).__name__)
def test_a_leaf_reads_back_as_it_was_written(leaf: Any) -> None:
    assert parse_capture_leaf(format_capture_leaf(leaf)) == leaf


def test_the_next_recording_s_first_leaf_names_the_one_before() -> None:
    camera = SigningCamera()
    first, second = camera.record(), camera.record()
    leaf = parse_capture_leaf(format_capture_leaf(second.start))
    assert isinstance(leaf, CaptureStart)
    assert leaf.previous == first.as_previous
    assert leaf.counter == 2


@pytest.mark.parametrize(
    "leaf",
    [
        replace(START, at=START.at + timedelta(microseconds=1)),
        replace(START, purpose="holiday"),
        replace(START, boot=0),
        replace(START, counter=0),
        replace(START, clock="sundial"),
        replace(START, worn="cat"),
        replace(START, trigger="whim"),
        replace(START, trigger=""),
        replace(START, init=None),
        replace(START, trigger_at=None),
        replace(START, purpose="shift"),
        replace(START, make="two\nlines"),
        replace(START, has_buffer_sound=1),
        replace(SHIFT.start, trigger="button"),
        replace(FIRST, seq=0),
        replace(FIRST, offset=0),
        replace(FIRST, size_bytes=0),
        replace(FIRST, phase="before"),
        replace(FIRST, sound="loud"),
        replace(FIRST, sha256="F" * 64),
        replace(MARKER, event="party"),
        replace(MARKER, facts={"Name": 1}),
        replace(MARKER, facts={"name": True}),
        replace(MARKER, facts={"name": "two\nlines"}),
        replace(STOP, reason="boredom"),
        replace(STOP, fragments=-1),
    ],
)
def test_a_leaf_with_a_field_that_cannot_be_is_not_written(leaf: Any) -> None:
    with pytest.raises(FormatError):
        format_capture_leaf(leaf)


def test_only_a_start_is_number_0_and_a_start_is_nothing_else() -> None:
    assert "only a start" in str(refused({**record_of(STOP), "seq": 0}))
    assert "number 0" in str(refused({**record_of(START), "seq": 1}))


@pytest.mark.parametrize("kind", [None, 1, "", "end", ["start"]])
def test_a_leaf_of_an_unknown_kind_is_refused(kind: Any) -> None:
    assert "expected one of start, fragment, event, stop" in str(refused({**record_of(STOP), "t": kind}))
    assert "got None" in str(refused([kind]))


@pytest.mark.parametrize(
    "previous",
    [{"stream": "000001-0000000", "size": 1, "root": "0" * 64}, {"stream": MADE.stream, "size": 0}, []],
)
def test_a_malformed_previous_journal_is_refused(previous: Any) -> None:
    refused({**record_of(START), "previous": previous})


def test_facts_of_an_event_are_counts_and_lines() -> None:
    assert "expected an object" in str(refused({**record_of(MARKER), "facts": []}))
    assert isinstance(MARKER, CaptureEvent)
    leaf = replace(MARKER, facts={"percent": 12, "to": "recording"})
    assert parse_capture_leaf(format_capture_leaf(leaf)) == leaf


def test_a_line_reads_back_as_it_was_written() -> None:
    for data, leaf in zip(MADE.lines, MADE.leaves, strict=True):
        line = parse_journal_line(data)
        assert line.leaf == leaf
        assert line.entry == format_capture_leaf(leaf)
        assert format_journal_line(line) == data


def test_a_leaf_and_the_proof_of_another_place_make_no_line() -> None:
    second = parse_journal_line(MADE.lines[1])
    with pytest.raises(FormatError, match="leaf 2 should be the last"):
        make_journal_line(MADE.leaves[2], second.proof)
    mixed = canonical_json({**json.loads(MADE.lines[1]), "proof": json.loads(MADE.lines[2])["proof"]})
    with pytest.raises(FormatError, match="leaf 1 should be the last"):
        parse_journal_line(mixed)


def test_a_proof_in_a_tree_that_had_grown_makes_no_line() -> None:
    # Such a proof is as true; a camera writes none, and the rule that a line's path is what stood before it needs that.
    text = json.loads(MADE.lines[0])["proof"].replace("\n1\n", "\n2\n")
    proof = parse_proof(text)
    with pytest.raises(FormatError, match="in one of 2"):
        make_journal_line(START, proof)


def test_a_line_longer_than_a_reader_takes_is_not_written() -> None:
    assert isinstance(MARKER, CaptureEvent)
    short = replace(MARKER, facts={f"f{number}": "x" * 490 for number in range(31)})
    rest = CAPTURE_LINE_LIMIT_BYTES - 100 - len(format_capture_leaf(short))
    long = replace(short, facts={**short.facts, "g1": "x" * (rest // 2), "g2": "x" * (rest // 2)})
    entry = format_capture_leaf(long)
    with pytest.raises(FormatError, match="at most 16384 bytes"):
        format_journal_line(JournalLine(entry, long, parse_journal_line(MADE.lines[2]).proof))


def test_a_box_holds_a_line_and_says_how_long_it_is() -> None:
    box = format_journal_box(b"line")
    assert box == (28).to_bytes(4, "big") + b"uuid" + JOURNAL_BOX + b"line"


def test_a_journal_bears_the_name_of_its_camera_and_its_own() -> None:
    origin = journal_origin(CAMERA, MADE.stream)
    assert origin == f"cam.example.org/SN42/{MADE.stream}"
    key = journal_key(origin, MADE.public_key)
    signature = parse_journal_line(MADE.lines[0]).proof.note.rsplit("\n", 2)[1].split(" ")
    assert (signature[1], key.name) == (origin, origin)


@pytest.mark.parametrize(
    "name", ["", "SN42", "cam.example.org", "cam.example.org/", "cam.Example.org/1", "cam.a/b/c", "cam.a/-b"]
)
def test_a_name_no_camera_can_have_is_refused(name: str) -> None:
    with pytest.raises(FormatError):
        check_camera_name(name)
    with pytest.raises(FormatError):
        journal_origin(name, MADE.stream)


@pytest.mark.parametrize("stream", ["", "1-9f2c41aa", "000042-9F2C41AA", "000042-9f2c41aa\n"])
def test_an_id_no_journal_can_have_is_refused(stream: str) -> None:
    with pytest.raises(FormatError):
        journal_origin(CAMERA, stream)


def test_each_code_has_a_sentence_for_people() -> None:
    for sentences in (EVENTS, STOPS, TRIGGERS):
        assert all(text.endswith(".") and code.islower() for code, text in sentences.items())


def test_places_in_a_journal_are_its_leaves_own() -> None:
    assert [leaf.seq for leaf in MADE.leaves] == list(range(5))
    assert isinstance(FIRST, CaptureFragment)
    assert isinstance(STOP, CaptureStop)
    assert STOP.size_bytes == MADE.spans[-1][1]

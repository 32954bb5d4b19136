import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.service.jail import Limits, judge, printable, read_outcome, split_said
from plainview.service.jail_server import find_task

LIMITS = Limits(cpu_s=5, output_bytes=100)
REPORT = {"killed": None, "status": 0, "cpu_s": 0.5, "peak_memory_bytes": 4096, "wall_s": 1.0}
CONFINED = {"enforced": ["resource limits"], "not_enforced": [["empty root", "no\x1b"]]}


def frame(body):
    return struct.pack(">I", len(body)) + body


def said(outcome):
    return frame(json.dumps(CONFINED).encode()) + frame(json.dumps(outcome).encode())


def test_a_value_comes_with_what_was_enforced():
    result = judge(REPORT, said({"value": [1, "x"]}), LIMITS)
    assert (result.value, result.failure) == ([1, "x"], None)
    assert result.enforced == ("resource limits",)
    assert result.not_enforced == (("empty root", r"no\x1b"),)
    assert (result.cpu_s, result.peak_memory_bytes, result.wall_s) == (0.5, 4096, 1.0)


@pytest.mark.parametrize(
    ("report", "failure"),
    [
        ({"killed": "wall time", "status": -9}, "wall time"),
        ({"killed": "too much output", "status": -9}, "too much output"),
        ({"status": 77}, "memory"),
        ({"status": -24}, "cpu time"),
        ({"status": -9, "cpu_s": 5.9}, "cpu time"),
        ({"status": -9, "cpu_s": 0.1}, "crashed (signal 9)"),
        ({"status": -11}, "crashed (signal 11)"),
        ({"status": -31}, "forbidden system call"),
        ({"status": 3}, "ended without a result"),
    ],
)
def test_how_the_child_ended_outweighs_what_it_said(report, failure):
    result = judge({**REPORT, **report}, said({"value": 1}), LIMITS)
    assert (result.value, result.failure) == (None, failure)


@pytest.mark.parametrize(
    ("outcome", "failure"),
    [
        ({"memory": True}, "memory"),
        ({"refused": "ValueError: x\n"}, r"refused: ValueError: x\n"),
        ({"missing": "ModuleNotFoundError: x"}, "missing import: ModuleNotFoundError: x"),
        ({"not_started": "OSError: x"}, "not started: OSError: x"),
        ({"value": "x" * 100}, "too much output"),
        ({"value": 1, "failure": None}, "unreadable result"),
        ({"raised": 1, "message": "x"}, "unreadable result"),
        ({"raised": "x"}, "unreadable result"),
        ({"refused": 1}, "unreadable result"),
        ({"memory": False}, "unreadable result"),
        ({"memory": True, "value": 1}, "unreadable result"),
        ({"other": 1}, "unreadable result"),
        ({}, "unreadable result"),
        ([], "unreadable result"),
        (None, "unreadable result"),
    ],
)
def test_an_outcome_is_named(outcome, failure):
    result = judge(REPORT, said(outcome), LIMITS)
    assert (result.value, result.failure) == (None, failure)


def test_a_known_exception_keeps_its_reason_and_message_apart():
    result = judge(REPORT, said({"raised": "no video", "message": "a\x00b"}), LIMITS)
    assert (result.failure, result.reason, result.message) == ("raised", "no video", r"a\x00b")


@pytest.mark.parametrize(
    "outcome",
    [
        b"",
        b"\xff",
        b'{"value": NaN}',
        b'{"value": -Infinity}',
        b"[" * 100_000,
        b'{"value": ' + b"9" * 5000 + b"}",
    ],
)
def test_hostile_json_is_unreadable_and_harmless(outcome):
    assert read_outcome(outcome) == ("unreadable result", None, None, None)


@pytest.mark.parametrize(
    "text",
    [b"", b"\0", frame(b"{}"), frame(b"{}") + b"\0\0\0\x09{}", frame(b"{}") * 3, b"\xff\xff\xff\xff{}"],
)
def test_frames_cut_or_too_many_give_no_outcome(text):
    assert split_said(text)[1] is None
    assert judge(REPORT, text, LIMITS).failure == "ended without a result"


def test_a_child_that_was_never_made_is_not_the_files_fault():
    result = judge({**REPORT, "status": None}, b"", LIMITS)
    assert result.failure == "not started: its process could not be made"


@given(st.binary(max_size=200))
def test_no_bytes_whatever_pass_for_a_success_without_a_value_frame(text):
    result = judge(REPORT, text, LIMITS)
    assert result.failure is not None or b'"value"' in text


@given(st.text(max_size=600))
def test_a_shown_text_is_bounded_and_printable(text):
    shown = printable(text)
    assert len(shown) <= 500
    assert shown.isprintable()


def test_letters_of_every_language_are_shown_as_they_are():
    assert printable("Ünïcode 漢字 né") == "Ünïcode 漢字 né"


@pytest.mark.parametrize("name", ["", "json", ":dumps", "json:", "json:no_such"])
def test_a_task_that_does_not_exist_is_refused(name):
    with pytest.raises((ValueError, AttributeError)):
        find_task(name)


def test_a_task_is_found_by_its_name():
    assert find_task("json:dumps") is json.dumps

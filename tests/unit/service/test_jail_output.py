import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.service.errors import JailOutputError
from plainview.service.jail import JailResult, judge_output
from plainview.service.jail_output import DATA_BYTES, HEADER, MILLION, Output, OutputReader

FINE = JailResult(1, None, None, None, (), (), 0.1, 1, 0.1)
FAILED = JailResult(None, "wall time", None, None, (), (), 0.1, 1, 0.1)


class Heard:
    """An output that keeps everything it is told."""

    def __init__(self, *limits_bytes):
        self.said = []
        self.output = Output(
            limits_bytes=limits_bytes,
            on_room=lambda number, length: self.said.append(("room", number, length)),
            on_bytes=lambda number, offset, data: self.said.append((number, offset, bytes(data))),
            on_progress=self.said.append,
        )


def frame(kind, number, offset, data=b"", *, length=None):
    return HEADER.pack(kind, bytes([number]), offset, len(data) if length is None else length) + data


def take(heard, text, *, size=1 << 20):
    reader = OutputReader(heard.output)
    for start in range(0, len(text), size):
        reader.take(memoryview(text)[start : start + size])
    reader.end()


GOOD = (
    frame(b"r", 0, 4)
    + frame(b"p", 0, 250_000)
    + frame(b"d", 0, 4, b"body")
    + frame(b"d", 1, 0, b"small")
    + frame(b"d", 0, 0, b"head")
    + frame(b"p", 0, MILLION)
)
HEARD = [("room", 0, 4), 0.25, (0, 4, b"body"), (1, 0, b"small"), (0, 0, b"head"), 1.0]


@pytest.mark.parametrize("size", [1, 3, 14, 1000])
def test_frames_are_understood_in_whatever_pieces_they_come(size):
    heard = Heard(100, 100)
    take(heard, GOOD, size=size)
    assert heard.said == HEARD


@pytest.mark.parametrize(
    "text",
    [
        frame(b"x", 0, 0),
        frame(b"d", 2, 0, b"x"),
        frame(b"d", 0, 0),
        frame(b"d", 0, 0, length=DATA_BYTES + 1),
        frame(b"d", 0, 0, length=2**32 - 1),
        frame(b"p", 0, MILLION + 1),
        frame(b"p", 1, 0),
        frame(b"p", 0, 0, b"x"),
        frame(b"r", 2, 0),
        frame(b"r", 0, 0, b"x"),
        frame(b"r", 0, 4) * 2,
        frame(b"d", 0, 0, b"x") + frame(b"r", 0, 4),
        GOOD[:-1],
        GOOD + b"\0",
        frame(b"d", 0, 0, b"xyz")[:-1],
    ],
)
def test_what_the_writer_would_not_write_is_refused(text):
    with pytest.raises(JailOutputError) as caught:
        take(Heard(100, 100), text)
    assert not caught.value.is_too_much


@pytest.mark.parametrize(
    "text",
    [
        frame(b"d", 0, 98, b"xyz"),
        frame(b"d", 0, 2**64 - 1, b"xyz"),
        frame(b"r", 0, 101),
        frame(b"d", 0, 0, b"x" * 60) * 2,
    ],
)
def test_more_than_an_output_may_hold_is_too_much(text):
    with pytest.raises(JailOutputError) as caught:
        take(Heard(100, 100), text)
    assert caught.value.is_too_much


def test_the_room_alone_may_be_written_again():
    head = frame(b"r", 0, 50) + frame(b"d", 0, 0, b"x" * 50) * 5
    take(Heard(100), head)
    with pytest.raises(JailOutputError):
        take(Heard(100), head + frame(b"d", 0, 0, b"x"))


@given(st.binary(max_size=400))
def test_no_bytes_whatever_give_anything_but_frames_or_a_refusal(text):
    heard = Heard(64)
    try:
        take(heard, text)
    except JailOutputError:
        return
    assert len(text) % HEADER.size == 0 or b"d" in text


def test_a_good_output_leaves_the_result_as_it_is():
    assert judge_output(FINE, OutputReader(Heard().output), None) is FINE


def test_a_cut_frame_spoils_a_success_and_explains_no_failure():
    reader = OutputReader(Heard(10).output)
    reader.take(memoryview(struct.pack(">c", b"d")))
    spoilt = judge_output(FINE, reader, None)
    assert (spoilt.failure, spoilt.value) == ("unreadable output: its last frame is cut off", None)
    assert judge_output(FAILED, reader, None) is FAILED


def test_what_was_wrong_with_the_output_outweighs_how_the_task_ended():
    reader = OutputReader(Heard().output)
    problem = JailOutputError("it wrote more than 3 bytes", is_too_much=True)
    assert judge_output(FAILED, reader, problem).failure == "too much output"
    assert judge_output(FINE, reader, JailOutputError("no\x1b")).failure == r"unreadable output: no\x1b"

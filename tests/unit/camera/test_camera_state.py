"""What a camera remembers, and the head files that say how far open journals have come."""

import pytest

from plainview.camera.state import (
    CameraState,
    JournalHead,
    format_head,
    format_state,
    parse_heads,
    parse_state,
    stream_counter,
)
from plainview.formats.capture import PreviousJournal
from plainview.formats.errors import FormatError

JOURNAL = PreviousJournal("000002-9f2c41aa", 7, "ab" * 32)
HEADS = [JournalHead(1, "01" * 32, "a1" * 32, False), JournalHead(2, "02" * 32, "a2" * 32, True)]


@pytest.mark.parametrize("state", [CameraState(), CameraState(3, 2, JOURNAL, (JOURNAL, JOURNAL))])
def test_a_state_is_read_as_it_was_written(state):
    assert parse_state(format_state(state)) == state


@pytest.mark.parametrize(
    "change", [(b'"boot":0', b'"boot":-1'), (b'"unreported":[]', b'"unreported":{}'), (b'"v":1', b'"v":2')]
)
def test_a_damaged_state_is_refused(change):
    with pytest.raises(FormatError, match="camera state"):
        parse_state(format_state(CameraState()).replace(*change))


def test_heads_are_read_as_they_were_written():
    assert parse_heads(b"".join(format_head(head) for head in HEADS)) == HEADS


@pytest.mark.parametrize("tail", [b"3 0303", bytes(512), format_head(HEADS[0]), format_head(HEADS[1])[:-1]])
def test_heads_end_before_a_line_that_is_torn_or_out_of_order(tail):
    assert parse_heads(b"".join(format_head(head) for head in HEADS) + tail) == HEADS


def test_a_counter_is_read_from_the_name_of_a_stream():
    assert stream_counter("000042-9f2c41aa") == 42
    with pytest.raises(FormatError, match="expected a name"):
        stream_counter("../000042-9f2c41aa")

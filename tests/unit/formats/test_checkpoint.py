from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.formats.checkpoint import Checkpoint, format_checkpoint, parse_checkpoint, parse_decimal
from plainview.formats.errors import FormatError
from plainview.formats.merkle import EMPTY_ROOT
from plainview.formats.note import parse_note

# The example of c2sp.org/tlog-checkpoint.
SOFA_NOTE = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9"
    "nTo+zyWE+xeMcTOAYQ8=\n"
)
ROOT = base64.b64encode(bytes(32)).decode()


def test_the_published_example_is_read_and_written_byte_for_byte() -> None:
    text = parse_note(SOFA_NOTE).text
    checkpoint = parse_checkpoint(text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert format_checkpoint(checkpoint) == text


@settings(max_examples=30)
@given(size=st.integers(1, 10**16 - 1), root=st.binary(min_size=32, max_size=32))
def test_a_checkpoint_reads_back_as_it_was_written(size: int, root: bytes) -> None:
    checkpoint = Checkpoint("example.org/custody/1", size, root)
    assert parse_checkpoint(format_checkpoint(checkpoint)) == checkpoint


def test_an_empty_log_has_the_empty_root() -> None:
    empty = Checkpoint("example.org/custody/1", 0, EMPTY_ROOT)
    assert parse_checkpoint(format_checkpoint(empty)) == empty
    with pytest.raises(FormatError, match="must have the empty root"):
        parse_checkpoint(f"example.org/custody/1\n0\n{ROOT}\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"a.example\n1\n{ROOT}",
        f"a.example\n1\n{ROOT}\n\n",
        f"a.example\n1\n{ROOT}\nextension\n",
        f"\n1\n{ROOT}\n",
        f"a b\n1\n{ROOT}\n",
        f"a.example\n01\n{ROOT}\n",
        f"a.example\n-1\n{ROOT}\n",
        f"a.example\n+1\n{ROOT}\n",
        f"a.example\n1 \n{ROOT}\n",
        f"a.example\n\u0661\n{ROOT}\n",
        f"a.example\n{'9' * 17}\n{ROOT}\n",
        f"a.example\n1\n{ROOT[:-1]}\n",
        f"a.example\n1\n{base64.b64encode(bytes(31)).decode()}\n",
        f"a.example\n1\n{base64.b64encode(bytes(33)).decode()}\n",
        f"a.example\n1\n{bytes(32).hex()}\n",
        f"a.example\r\n1\r\n{ROOT}\r\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    "checkpoint",
    [
        Checkpoint("two\nlines", 1, bytes(32)),
        Checkpoint("a.example", -1, bytes(32)),
        Checkpoint("a.example", 10**16, bytes(32)),
        Checkpoint("a.example", 1, bytes(31)),
        Checkpoint("a.example", 0, bytes(32)),
    ],
)
def test_a_checkpoint_that_would_not_be_read_is_not_written(checkpoint: Checkpoint) -> None:
    with pytest.raises(FormatError):
        format_checkpoint(checkpoint)


def test_a_number_of_more_than_16_digits_is_refused() -> None:
    assert parse_decimal("9" * 16, what="test") == 10**16 - 1
    with pytest.raises(FormatError, match="test: expected a whole number"):
        parse_decimal("9" * 17, what="test")

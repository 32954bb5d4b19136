"""Whatever bytes a folder of another maker's holds, reading them ends in what they say or in a FormatError."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.formats.errors import FormatError
from plainview.formats.folder_pattern import parse_folder_pattern
from plainview.formats.sidecar import read_sidecar
from plainview.media.gpx import read_gpx
from plainview.media.subtitles import read_subtitles

EXAMPLES = Path(__file__).parents[3] / "docs" / "patterns"
PATTERN = (EXAMPLES / "csv-beside-footage.json").read_bytes()
LISTS = {
    "csv": (
        parse_folder_pattern(PATTERN).sidecars[0],
        (
            b"File name,Device serial,Officer ID,Start time,End time,Activation,Category\n"
            b"a.mp4,BC-1,4417,2026-03-14 23:52:07,,light_bar,x\n"
        ),
    ),
    "json": (
        parse_folder_pattern((EXAMPLES / "json-beside-each-file.json").read_bytes()).sidecars[0],
        b'{"device":{"serial":"x"},"started":"2026-03-15T06:52:07Z","officer":{"badge":4}}',
    ),
}
GPX = (
    b'<gpx><trk><trkseg><trkpt lat="1" lon="2"><time>2026-03-15T06:52:09Z</time></trkpt></trkseg></trk></gpx>'
)
SRT = b"1\n00:00:01,000 --> 00:00:02,000\n<i>Hello</i>\n"
ODD = st.sampled_from(
    [b"\0", b'"', b",", b"\n", b"{", b"}", b"9" * 400, b"-", b"\xff\xfe", b"%z", b"**/", b"<", b"&"]
)


@st.composite
def spoilt(draw: st.DrawFn, data: bytes) -> bytes:
    """Return data with a few pieces of it removed, doubled, or replaced by something odd."""
    for _ in range(draw(st.integers(1, 4))):
        at, length = draw(st.integers(0, len(data))), draw(st.integers(0, 12))
        data = data[:at] + draw(ODD | st.binary(max_size=4)) + data[at + length :]
    return data


@settings(max_examples=25)
@given(st.data())
def test_spoilt_bytes_end_in_what_they_say_or_in_a_reason(data: st.DataObject) -> None:
    with contextlib.suppress(FormatError):
        parse_folder_pattern(data.draw(spoilt(PATTERN)))
    for sidecar, text in LISTS.values():
        with contextlib.suppress(FormatError):
            read_sidecar(sidecar, data.draw(spoilt(text)), place="America/Los_Angeles", what="list")
    with contextlib.suppress(FormatError):
        read_gpx(data.draw(spoilt(GPX)))
    with contextlib.suppress(FormatError):
        read_subtitles(data.draw(spoilt(SRT)), kind="srt")


def test_what_is_not_spoilt_is_read() -> None:
    assert parse_folder_pattern(PATTERN).name == json.loads(PATTERN)["name"]
    for sidecar, text in LISTS.values():
        assert read_sidecar(sidecar, text, place="America/Los_Angeles", what="list")[0].problem == ""
    assert len(read_gpx(GPX).points) == len(read_subtitles(SRT, kind="srt")) == 1

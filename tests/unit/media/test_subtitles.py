"""Subtitles beside footage are read as text, or refused with a reason."""

from __future__ import annotations

import pytest

from plainview.formats.errors import FormatError
from plainview.media import subtitles
from plainview.media.subtitles import SUBTITLES_LIMIT_BYTES, Subtitle, read_subtitles

SRT = "1\r\n00:00:01,000 --> 00:00:02,500\r\n<i>Hello</i>\r\nthere &amp; here\r\n\r\n2\r\n01:00:00,000 --> 01:00:01,000 X1:0\r\n{\\an8}Two\r\n"
VTT = "WEBVTT - a title\n\nNOTE nothing\nat all\n\nSTYLE\n::cue {}\n\nname\n00:01.000 --> 00:02.500 align:left\n<v Anna>Hello\n"


@pytest.mark.parametrize("data", [SRT.encode(), b"\xef\xbb\xbf" + SRT.encode(), SRT.encode("utf-16")])
def test_subrip_is_read_without_its_markup(data: bytes) -> None:
    assert read_subtitles(data, kind="srt") == (
        Subtitle(1000, 2500, "Hello\nthere & here"),
        Subtitle(3_600_000, 3_601_000, "Two"),
    )


def test_webvtt_is_read_without_notes_and_styles() -> None:
    assert read_subtitles(VTT.encode(), kind="vtt") == (Subtitle(1000, 2500, "Hello"),)


def test_what_looks_like_a_script_is_text() -> None:
    data = b"1\n00:00:01,000 --> 00:00:02,000\n&lt;script&gt;x&lt;/script&gt;\n"
    assert read_subtitles(data, kind="srt")[0].text == "<script>x</script>"


@pytest.mark.parametrize(
    ("data", "kind", "problem"),
    [
        (b"", "srt", "it holds no subtitles"),
        (b"hello\n\nworld", "srt", "it holds no subtitles"),
        (b"x" * 300 + b" --> ", "srt", "it holds no subtitles"),
        (SRT.encode(), "vtt", "expected it to begin with WEBVTT"),
        (b"\xff\xff", "srt", "expected text in UTF-8"),
        (b"\xff\xfeA", "srt", "expected text in UTF-8"),
        (b"1\0", "srt", "NUL"),
        (b"00:00:02,000 --> 00:00:01,000\nx", "srt", "ends before it begins"),
        (b" " * (SUBTITLES_LIMIT_BYTES + 1), "srt", "expected at most 8388608 bytes"),
    ],
    ids=range(9),
)
def test_what_are_no_subtitles_is_refused(data: bytes, kind: str, problem: str) -> None:
    with pytest.raises(FormatError, match=problem):
        read_subtitles(data, kind=kind)


def test_more_subtitles_than_any_recording_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subtitles, "MOST_SUBTITLES", 1)
    with pytest.raises(FormatError, match="at most 1 subtitles, got 2"):
        read_subtitles(SRT.encode(), kind="srt")

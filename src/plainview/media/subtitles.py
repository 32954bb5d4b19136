"""Read subtitles that come along with footage: SubRip (.srt) and WebVTT (.vtt). They are text, and never markup."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Final

from plainview.formats.errors import FormatError

SUBTITLES_LIMIT_BYTES: Final = 8 << 20
MOST_SUBTITLES: Final = 50_000
MOST_CHARS: Final = 2000
_TIME: Final = r"(?:([0-9]{1,3}):)?([0-9]{1,2}):([0-9]{2})[.,]([0-9]{3})"
_TIMES: Final = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:[ \t].*)?\Z", re.ASCII)
# Of either: <i>, </i>, <c.yellow>, <00:01.000>, {\an8}.
_MARKUP: Final = re.compile(r"<[^<>\n]{0,200}>|\{\\[^{}\n]{0,200}\}")


@dataclass(frozen=True)
class Subtitle:
    """Words that are shown for a while.

    Attributes:
        start_ms: from the recording's beginning. end_ms: the same.
        text: one or more lines, without markup.
    """

    start_ms: int
    end_ms: int
    text: str


def read_subtitles(data: bytes, *, kind: str) -> tuple[Subtitle, ...]:
    """Read subtitles.

    Args:
        data: the file.
        kind: srt or vtt.

    Raises:
        FormatError: too large, not text, no subtitles, or one that ends before it begins.

    Source: W3C WebVTT section 4; SubRip has no standard, and is read as its writers write it.
    """
    if len(data) > SUBTITLES_LIMIT_BYTES:
        raise FormatError(kind, f"expected at most {SUBTITLES_LIMIT_BYTES} bytes, got {len(data)}")
    text = _decode(data, kind)
    if kind == "vtt" and not re.match(r"WEBVTT(?:[ \t\n]|\Z)", text):
        raise FormatError(kind, "expected it to begin with WEBVTT")
    blocks = (block.split("\n") for block in re.split(r"\n{2,}", text.strip("\n")))
    found = tuple(each for block in blocks for each in _subtitle(block, kind))
    if not found:
        raise FormatError(kind, "it holds no subtitles")
    if len(found) > MOST_SUBTITLES:
        raise FormatError(kind, f"expected at most {MOST_SUBTITLES} subtitles, got {len(found)}")
    return found


def _decode(data: bytes, kind: str) -> str:
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeError as error:
        raise FormatError(kind, "expected text in UTF-8 or marked UTF-16") from error
    if "\0" in text:
        raise FormatError(kind, "it holds NUL characters: no text")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _subtitle(lines: list[str], kind: str) -> list[Subtitle]:
    """Read a block of lines; one without times, such as a note or a style, is none."""
    for place, line in enumerate(lines[:2]):
        match = _TIMES.match(line) if len(line) < 200 else None
        if match is not None:
            start_ms, end_ms = _milliseconds(match.groups()[:4]), _milliseconds(match.groups()[4:])
            if end_ms < start_ms:
                raise FormatError(kind, f"a subtitle ends before it begins: {line.strip()!a}")
            words = "\n".join(lines[place + 1 :])[: 2 * MOST_CHARS]
            return [Subtitle(start_ms, end_ms, html.unescape(_MARKUP.sub("", words)).strip()[:MOST_CHARS])]
    return []


def _milliseconds(groups: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, milliseconds = (int(group or "0") for group in groups)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds

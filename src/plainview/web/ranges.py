"""Which bytes of something a request is answered with; pure arithmetic on what it says.

Every answer is one run of bytes of at most MOST_BYTES, whatever was asked: a player that stops reading must not hold
what others wait for. RFC 9110 allows a server to send less than was asked (section 15.3.7); the answer says what it is,
and players ask on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MOST_BYTES: Final = 4 << 20
# What a header may be long; a player's is 30 characters.
_MOST_CHARACTERS: Final = 4096
# RFC 9110 section 14.1.2, with the empty list elements that section 5.6.1 has us accept.
_SPEC: Final = r"(?:[0-9]+-[0-9]*|-[0-9]+)"
_RANGES: Final = re.compile(
    rf"bytes=[ \t,]*({_SPEC}(?:[ \t]*(?:,[ \t]*)+{_SPEC})*)[ \t,]*\Z", re.ASCII | re.IGNORECASE
)
_SEPARATOR: Final = re.compile(r"[ \t,]+")


@dataclass(frozen=True)
class Piece:
    """A run of bytes.

    Attributes:
        first: the place of its first byte, counted from 0.
        last: the place of its last; not before the first.
        size_bytes: of the whole.
    """

    first: int
    last: int
    size_bytes: int

    @property
    def length(self) -> int:
        """Return how many bytes it is."""
        return self.last - self.first + 1

    @property
    def is_whole(self) -> bool:
        """Say whether nothing is left out."""
        return self.length == self.size_bytes

    @property
    def content_range(self) -> str:
        """Return the Content-Range header that says what it is."""
        return f"bytes {self.first}-{self.last}/{self.size_bytes}"


def find_piece(header: str | None, *, size_bytes: int, most_bytes: int = MOST_BYTES) -> Piece | None:
    """Return what a Range header is answered with.

    A header that is absent, of another unit, or malformed is passed over, and the beginning is sent. Of several ranges
    the first that can be satisfied is sent.

    Args:
        header: the Range header's value, or None.
        size_bytes: of what is asked for; at least 1.
        most_bytes: of the answer.

    Returns:
        The bytes to send, or None where no range asked for can be satisfied (416).

    Source: RFC 9110 sections 14.1.2, 14.2 and 15.3.7.
    """
    asked = _asked(header)
    if asked is None:
        return _cut(0, size_bytes - 1, size_bytes, most_bytes)
    for spec in asked:
        piece = _satisfied(spec, size_bytes, most_bytes)
        if piece is not None:
            return piece
    return None


def range_applies(if_range: str | None, *, etag: str) -> bool:
    """Say whether a Range header counts, given If-Range: only where it names exactly what is there now.

    Args:
        if_range: the header's value, or None. A date never applies: what is here carries no date of its own.
        etag: of what is there, quotation marks included; a strong one.

    Source: RFC 9110 section 13.1.5.
    """
    return if_range is None or if_range.strip() == etag


def _asked(header: str | None) -> list[str] | None:
    if header is None or len(header) > _MOST_CHARACTERS:
        return None
    match = _RANGES.match(header.strip())
    specs = None if match is None else _SEPARATOR.split(match[1])
    # One range that ends before it begins spoils the header (section 14.1.1).
    return specs if specs is not None and all(map(_is_in_order, specs)) else None


def _is_in_order(spec: str) -> bool:
    first, _, last = spec.partition("-")
    return not first or not last or _number(first) <= _number(last)


def _satisfied(spec: str, size_bytes: int, most_bytes: int) -> Piece | None:
    first, _, last = spec.partition("-")
    if not first:
        suffix = _number(last)
        return _cut(max(0, size_bytes - suffix), size_bytes - 1, size_bytes, most_bytes) if suffix else None
    start = _number(first)
    if start >= size_bytes:
        return None
    return _cut(start, min(_number(last) if last else size_bytes, size_bytes - 1), size_bytes, most_bytes)


def _number(digits: str) -> int:
    # Reading a number of thousands of digits takes long, or is refused; anything of 19 is past every end.
    plain = digits.lstrip("0")
    return int(plain or "0") if len(plain) < 20 else 10**19


def _cut(first: int, last: int, size_bytes: int, most_bytes: int) -> Piece:
    return Piece(first, min(last, first + most_bytes - 1), size_bytes)

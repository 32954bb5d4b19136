"""Identifiers people read aloud: R-26-00004217-I, with a check character.

A recording's identifier is its URL, its search answer, its print header and its file name.
"""

from __future__ import annotations

import re

from plainview.formats.errors import FormatError

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
IDENTIFIER = re.compile(r"([A-Z])-(\d\d)-(?!00000000)(\d{8})-([0-9A-Z])\Z", re.ASCII)


def check_character(text: str) -> str:
    """Return the check character for a string of digits and capital letters.

    It catches every single wrong character and nearly every swap of neighbours: of the swaps in identifiers, fewer
    than one in a hundred gets through.

    Args:
        text: digits and capital letters only.

    Source: ISO 7064, MOD 37,36.
    """
    product = 36
    for character in text:
        total = (product + ALPHABET.index(character)) % 36 or 36
        product = total * 2 % 37
    return ALPHABET[(37 - product) % 36]


def format_identifier(*, kind: str, year: int, number: int) -> str:
    """Write an identifier such as R-26-00004217-I.

    Args:
        kind: one capital letter; R is a recording.
        year: the year of capture at the place, all four digits.
        number: from 1 to 99,999,999; numbers may skip.

    Raises:
        FormatError: a kind, year or number that does not fit.
    """
    if (
        len(kind) != 1
        or kind not in ALPHABET[10:]
        or not 1 <= number <= 99_999_999
        or not 1900 <= year <= 9999
    ):
        raise FormatError("identifier", f"cannot write kind {kind!r}, year {year}, number {number}")
    digits = f"{year % 100:02d}", f"{number:08d}"
    return f"{kind}-{digits[0]}-{digits[1]}-{check_character(kind + digits[0] + digits[1])}"


def check_identifier(text: str) -> str:
    """Return the identifier in its one spelling, from what a person typed.

    Small letters and missing or spare hyphens and spaces are forgiven; a wrong character is not.

    Raises:
        FormatError: not an identifier, or its check character does not fit.
    """
    plain = re.sub(r"[\s-]+", "", text)
    # Only ASCII: upper() makes ordinary letters of a dotless i and a long s.
    plain = plain.upper() if plain.isascii() else ""
    spelled = f"{plain[:1]}-{plain[1:3]}-{plain[3:11]}-{plain[11:]}"
    if IDENTIFIER.match(spelled) is None:
        raise FormatError("identifier", f"expected one such as R-26-00004217-I, got {text[:40]!a}")
    if check_character(plain[:11]) != plain[11]:
        raise FormatError(
            "identifier", f"{text[:40]!a} is mistyped: its last character does not fit the rest"
        )
    return spelled

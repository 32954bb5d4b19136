from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.formats.errors import FormatError
from plainview.formats.ids import ALPHABET, check_character, check_identifier, format_identifier

IDENTIFIERS = st.builds(
    format_identifier,
    kind=st.sampled_from("RCP"),
    year=st.integers(1900, 9999),
    number=st.integers(1, 99_999_999),
)


def test_the_check_character_is_that_of_a_published_number() -> None:
    # A Global Release Identifier, whose standard also uses ISO 7064 MOD 37,36: A1-2425G-ABC1234002-M.
    assert check_character("A12425GABC1234002") == "M"


def test_an_identifier_is_written_as_people_read_it() -> None:
    assert format_identifier(kind="R", year=2026, number=4217) == "R-26-00004217-I"


@settings(max_examples=50)
@given(IDENTIFIERS)
def test_an_identifier_reads_back_however_it_was_typed(identifier: str) -> None:
    for typed in (
        identifier,
        identifier.lower(),
        identifier.replace("-", ""),
        identifier.replace("-", " "),
        f"  {identifier[:7]} - {identifier[7:]}\n",
        identifier.replace("-", "\u00a0"),
    ):
        assert check_identifier(typed) == identifier


@settings(max_examples=20)
@given(IDENTIFIERS)
def test_every_single_wrong_character_is_caught(identifier: str) -> None:
    plain = identifier.replace("-", "")
    for at, right in enumerate(plain):
        for wrong in set(ALPHABET) - {right}:
            with pytest.raises(FormatError):
                check_identifier(plain[:at] + wrong + plain[at + 1 :])


def after(product: int, characters: str) -> int:
    for character in characters:
        product = ((product + ALPHABET.index(character)) % 36 or 36) * 2 % 37
    return product


def test_of_all_swaps_of_neighbouring_digits_18_in_3240_escape() -> None:
    # ISO 7064 MOD 37,36 has 36 states; in each, 90 ordered pairs of different digits. Those of letters: 72 in 45,360.
    def escapes(alphabet: str) -> int:
        return sum(
            after(product, first + second) == after(product, second + first)
            for product in range(1, 37)
            for first, second in permutations(alphabet, 2)
        )

    assert escapes(ALPHABET[:10]) == 18
    assert escapes(ALPHABET) == 72


@settings(max_examples=50)
@given(IDENTIFIERS)
def test_a_swap_of_neighbours_is_caught_unless_it_is_one_of_those(identifier: str) -> None:
    plain = identifier.replace("-", "")
    for at in range(1, 10):
        swapped = plain[:at] + plain[at + 1] + plain[at] + plain[at + 2 :]
        product = after(36, plain[:at])
        if swapped == plain or after(product, plain[at : at + 2]) == after(product, swapped[at : at + 2]):
            continue
        with pytest.raises(FormatError):
            check_identifier(swapped)


@pytest.mark.parametrize(
    ("kind", "year", "number"),
    [
        ("", 2026, 1),
        ("RR", 2026, 1),
        ("r", 2026, 1),
        ("1", 2026, 1),
        ("\u00c9", 2026, 1),
        ("R", 1899, 1),
        ("R", 10_000, 1),
        ("R", 2026, 0),
        ("R", 2026, 100_000_000),
    ],
)
def test_what_does_not_fit_an_identifier_is_not_written(kind: str, year: int, number: int) -> None:
    with pytest.raises(FormatError, match="cannot write"):
        format_identifier(kind=kind, year=year, number=number)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "R-26-0000421-I",
        "R-26-000042170-I",
        "26-00004217-I",
        "R-26-00004217",
        "R-26-0000421\u0667-I",
        "R-26-00004217-\u0131",
        "\u017f-26-00004217-I",
        "R_26_00004217_I",
        "../R2600004217I",
    ],
)
def test_what_is_no_identifier_is_refused(typed: str) -> None:
    with pytest.raises(FormatError, match="expected one such as"):
        check_identifier(typed)


def test_a_dotless_i_is_not_taken_for_an_i() -> None:
    assert "\u0131".upper() == "I"
    with pytest.raises(FormatError):
        check_identifier("R-26-00004217-\u0131")


def test_number_zero_is_refused_though_its_check_character_fits() -> None:
    with pytest.raises(FormatError, match="expected one such as"):
        check_identifier("R-26-00000000-" + check_character("R2600000000"))


def test_a_wrong_check_character_is_said_to_be_a_typing_error() -> None:
    with pytest.raises(FormatError, match="is mistyped"):
        check_identifier("R-26-00004217-J")

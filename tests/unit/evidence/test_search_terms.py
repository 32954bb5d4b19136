"""How what a person typed is taken apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.evidence.search_terms import Term, Wish, any_word, take_apart


def apart(asked):
    return [(each.wanted, each.unwanted) for each in take_apart(asked)]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("", []),
        ("gun", [(("gun",), ())]),
        ("gun gun knife", [(("gun", "knife"), ())]),
        ("gun and knife", [(("gun", "knife"), ())]),
        ("and", []),
        ('"and"', [(("and",), ())]),
        ('drop "the gun" -knife -"a bag"', [(("drop", "the gun"), ("knife", "a bag"))]),
        ("gun or knife -bag OR x", [(("gun",), ()), (("knife",), ("bag",)), (("x",), ())]),
        ("or gun or or", [(("gun",), ())]),
        ("-gun", [((), ("gun",))]),
        ('- -- & "" \'', []),
        ('"the gun', [(("the gun",), ())]),
        ("\u00abthe gun\u00bb", [(("the gun",), ())]),
        ("R-26-00004217-I r26-00004217i", [(("r2600004217i",), ())]),
        ("R-26-4217", [(("R-26-4217",), ())]),
        ("a\0b \ud800", [(("a", "b"), ())]),
    ],
)
def test_words_phrases_minus_and_or_are_told_apart(asked, expected):
    assert apart(asked) == expected


def test_what_is_past_the_limit_is_not_looked_at():
    assert apart("x" * 300 + " gun") == [(("x" * 300,), ())]


@given(st.text())
def test_every_item_of_whatever_is_typed_has_a_letter_or_a_digit(asked):
    for each in take_apart(asked):
        assert each.wanted or each.unwanted
        assert all(any(map(str.isalnum, item)) for item in each.wanted + each.unwanted)


def test_a_wish_is_written_once_for_an_index_and_once_for_a_text_in_order():
    phrase, word = Term(("gun", "the"), "'the' <-> 'gun'"), Term(("stop",), "'stop'")
    assert (phrase.is_phrase, word.is_phrase) == (True, False)
    assert (phrase.first, phrase.last, word.first, word.last) == ("'the'", "'gun'", "'stop'", "'stop'")
    wish = Wish(wanted=(word, phrase), unwanted=(word, phrase))
    assert wish.loose == "(('stop') & ('gun' & 'the') & !('stop'))"
    assert wish.exact == "(('stop') & ('the' <-> 'gun') & !('stop') & !('the' <-> 'gun'))"
    assert wish.has_phrase
    assert not Wish((word,), ()).has_phrase
    assert Wish((word,), (phrase,)).has_phrase


def test_any_word_names_each_once_and_quotes_what_would_end_it():
    assert any_word((Term(("b", "a"), ""), Term(("a", "o'x\\"), ""))) == "'a' | 'b' | 'o''x\\\\'"

"""What a person asks for in the search box, taken apart: words, "phrases", -unwanted, this or that."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Longer than anybody types; what is past it is not looked at.
ASKED_LIMIT = 300
_TOKEN = re.compile(r'-?"[^"]*"?|\S+')
_QUOTES = str.maketrans({"\u201c": '"', "\u201d": '"', "\u201e": '"', "\u00ab": '"', "\u00bb": '"'})
_IDENTIFIER = re.compile(r"[a-z]-?\d\d-?\d{8}-?[0-9a-z]", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Alternative:
    """What must all be there, and what must not; each a word or a phrase as it was typed."""

    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]


def take_apart(asked: str) -> tuple[Alternative, ...]:
    """Return what was asked for: one alternative is enough, and each needs all that it wants.

    Words stand for themselves, quotes hold a phrase together, a hyphen in front means "not this", and "or" parts
    alternatives. "and" between words adds nothing and is left out; in quotes it is a word like any other.
    """
    found: list[Alternative] = []
    wanted: list[str] = []
    unwanted: list[str] = []
    # What no database text can hold is not looked for.
    text = asked[:ASKED_LIMIT].translate(_QUOTES).replace("\0", " ").encode("utf-8", "ignore").decode("utf-8")
    for token in [*_TOKEN.findall(text), "or"]:
        item = _item(token)
        if token.lower() == "or":
            found.append(Alternative(tuple(dict.fromkeys(wanted)), tuple(dict.fromkeys(unwanted))))
            wanted, unwanted = [], []
        elif item and token.lower() != "and":
            (unwanted if token.startswith("-") else wanted).append(item)
    return tuple(each for each in found if each.wanted or each.unwanted)


def _item(token: str) -> str:
    """Return a token's words, without its marks; empty where it holds no letter and no digit."""
    text = token.removeprefix("-").strip('"')
    if _IDENTIFIER.fullmatch(text):
        return text.replace("-", "").lower()
    return text if any(character.isalnum() for character in text) else ""


@dataclass(frozen=True)
class Term:
    """A word or phrase as the database understands it.

    Attributes:
        lexemes: what its words are reduced to ("hands" to "hand"); empty where nothing is left.
        exact: as a tsquery: the words of a phrase one after the other.
    """

    lexemes: tuple[str, ...]
    exact: str

    @property
    def is_phrase(self) -> bool:
        """Say whether the order of its words matters."""
        return "<" in self.exact

    @property
    def first(self) -> str:
        """Return its first word as a tsquery."""
        return self.exact.split(" <-> ")[0]

    @property
    def last(self) -> str:
        """Return its last word as a tsquery."""
        return self.exact.split(" <-> ")[-1]

    @property
    def loose(self) -> str:
        """Return it as a tsquery that forgets the order: what an index can answer."""
        return "(" + " & ".join(map(_quoted, self.lexemes)) + ")"


@dataclass(frozen=True)
class Wish:
    """An alternative, understood."""

    wanted: tuple[Term, ...]
    unwanted: tuple[Term, ...]

    @property
    def loose(self) -> str:
        """Return a tsquery that everything sought fits, and perhaps more: phrases are not looked at."""
        unwanted = [f"!({term.exact})" for term in self.unwanted if not term.is_phrase]
        return "(" + " & ".join([term.loose for term in self.wanted] + unwanted) + ")"

    @property
    def exact(self) -> str:
        """Return a tsquery that only what is sought fits, in a text that keeps its order."""
        items = [f"({term.exact})" for term in self.wanted]
        return "(" + " & ".join(items + [f"!({term.exact})" for term in self.unwanted]) + ")"

    @property
    def has_phrase(self) -> bool:
        """Say whether the order of words matters anywhere."""
        return any(term.is_phrase for term in self.wanted + self.unwanted)


def either(queries: list[str]) -> str:
    """Return a tsquery that whatever fits one of these fits."""
    return " | ".join(queries)


def any_word(terms: tuple[Term, ...]) -> str:
    """Return a tsquery that a text with any of their words fits."""
    return either(sorted({_quoted(lexeme) for term in terms for lexeme in term.lexemes}))


def _quoted(lexeme: str) -> str:
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"

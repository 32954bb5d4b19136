"""Find recordings by what was said in them, by their names, and by who wore the camera.

One index holds the words of each recording, not of each cue: rare words, common words and several words together then
cost alike. It knows no order, so phrases are looked up in the cues of the newest recordings that hold all their words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet
from django.db import OperationalError, connection, transaction
from django.db.models import BooleanField, Case, F, Func, Q, Value, When
from psycopg.errors import QueryCanceled

from plainview.evidence.listing import (
    NO_FILTERS,
    NO_ROWS,
    Cursor,
    Moment,
    Page,
    comes_after,
    narrowed_to,
    page_of,
    shown,
)
from plainview.evidence.models import SearchRow
from plainview.evidence.queries import may_know, may_see
from plainview.evidence.search_terms import Term, Wish, any_word, either, take_apart

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import QuerySet

    from plainview.accounts.rules import Viewer
    from plainview.evidence.listing import Filters
    from plainview.evidence.search_terms import Alternative

# What takes longer is answered "too broad", so that one search cannot hold up the others.
TIME_LIMIT_MS = 2000
# Phrases are looked up in so many recordings at a time; the next page goes on after them.
PHRASE_WINDOW = 500
MOMENTS = 3
_TOKEN = re.compile(r"[^ \t\n\r]+")

# Words as the database reduces them, and the phrase they make.
_UNDERSTAND = """
SELECT tsvector_to_array(public.plainview_words(item)),
       phraseto_tsquery('public.plainview', public.plainview_plain(item))::text
FROM unnest(%s::text[]) WITH ORDINALITY given (item, place) ORDER BY place
"""


@dataclass(frozen=True)
class _Sql:
    """A piece of a statement with its values."""

    text: str
    values: tuple[Any, ...] = ()


def search(
    viewer: Viewer,
    words: str,
    filters: Filters = NO_FILTERS,
    *,
    after: Cursor | None = None,
    limit: int = 25,
) -> Page:
    """Return a page of the recordings that fit what a person typed, newest first, with the moments where it was said.

    Of a recording that this viewer may know of and not see, only its identifier, wearer and camera are searched: neither
    the page nor a count says whether a word was spoken in it.

    Args:
        viewer: who asks.
        words: as typed: words, "phrases", -unwanted, or.
        filters: what to leave out.
        after: the next of the page before; None is the first page.
        limit: the most rows. A page can hold fewer, or none, and still have a next one: a phrase was then looked up in
            the newest recordings that hold all its words, and older ones are left.
    """
    asked = take_apart(words)
    if any(not each.wanted for each in asked):
        return replace(NO_ROWS, problem="unwanted")
    try:
        with transaction.atomic():
            _prepare()
            page = _found(viewer, _understood(asked), filters, after, limit)
            # Takes back what _prepare() set, also inside a caller's transaction.
            transaction.set_rollback(True)
            return page
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            return Page((), None, None, None, problem="too_broad")
        raise


def _prepare() -> None:
    # Reading the table from end to end unpacks every recording's words, which the planner does not count.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('statement_timeout', %s, true), set_config('enable_seqscan', 'off', true),"
            " set_config('jit', 'off', true)",
            [f"{TIME_LIMIT_MS}ms"],
        )


def _understood(asked: Iterable[Alternative]) -> tuple[Wish, ...]:
    """Return what was asked for in the database's terms; what holds nothing it takes for a word is left out."""
    asked = tuple(asked)
    items = sorted({item for each in asked for item in each.wanted + each.unwanted})
    with connection.cursor() as cursor:
        cursor.execute(_UNDERSTAND, [items])
        terms = {
            item: Term(tuple(row[0]), row[1]) for item, row in zip(items, cursor.fetchall(), strict=True)
        }
    wishes = (
        Wish(
            wanted=tuple(terms[item] for item in each.wanted if terms[item].lexemes),
            unwanted=tuple(terms[item] for item in each.unwanted if terms[item].lexemes),
        )
        for each in asked
    )
    return tuple(wish for wish in wishes if wish.wanted)


def _found(
    viewer: Viewer, wishes: tuple[Wish, ...], filters: Filters, after: Cursor | None, limit: int
) -> Page:
    if not wishes:
        return replace(NO_ROWS, problem="nothing")
    try:
        fitting = _fitting(viewer, wishes, filters, after)
    except EmptyResultSet:
        return NO_ROWS
    if any(wish.has_phrase for wish in wishes):
        page = _page_of_phrases(viewer, wishes, fitting, limit)
    else:
        page = _page_of_words(viewer, fitting, limit)
    moments = _moments([row.key for row in page.rows if row.is_visible], wishes)
    return replace(page, rows=tuple(replace(row, moments=moments.get(row.key, ())) for row in page.rows))


def _fitting(viewer: Viewer, wishes: Sequence[Wish], filters: Filters, after: Cursor | None) -> _Sql:
    """Return a query for every search row that holds the words and may be known of, before any filter.

    Its columns: recording_id, shown_at, sees (this viewer may), fits (the filters), is_left (comes after the page).
    """
    sees = may_see(viewer)
    known = SearchRow.objects.filter(may_know(viewer)).annotate(
        fits=_holds(narrowed_to(viewer, filters)),
        is_left=_holds(Q() if after is None else comes_after(after)),
    )
    by_words = _Matches(F("words"), _tsquery(either([wish.loose for wish in wishes])))
    by_names = _Matches(F("names"), _tsquery(either([wish.exact for wish in wishes])))
    # Two queries: with "or" between them PostgreSQL would look at each recording's words again after the index has.
    found = [
        _compiled(known.filter(sees, Q(by_words)), sees=True),
        _compiled(known.filter(~sees, Q(by_names)), sees=False),
    ]
    found = [each for each in found if each.text]
    if not found:
        raise EmptyResultSet
    return _Sql(
        "WITH fitting (recording_id, shown_at, fits, is_left, sees) AS MATERIALIZED ("
        + " UNION ALL ".join(each.text for each in found)
        + ")",
        tuple(value for each in found for value in each.values),
    )


def _compiled(rows: QuerySet[Any], *, sees: bool) -> _Sql:
    """Return a part of what fits, as a statement; an empty one where nothing can."""
    seen = rows.order_by().annotate(sees=Value(sees, output_field=BooleanField()))
    try:
        text, values = seen.values_list("pk", "shown_at", "fits", "is_left", "sees").query.sql_with_params()
    except EmptyResultSet:
        return _Sql("")
    return _Sql(f"({text})", tuple(values))


class _Matches(Func):
    template = "(%(expressions)s)"
    arg_joiner = " @@ "
    output_field = BooleanField()


def _tsquery(text: str) -> Func:
    return Func(Value(text), template="%(expressions)s::tsquery")


def _holds(condition: Q) -> Any:
    always = Value(True, output_field=BooleanField())
    return Case(When(condition, then=always), default=Value(False)) if condition else always


_NEWEST = "ORDER BY shown_at DESC, recording_id DESC"


def _page_of_words(viewer: Viewer, fitting: _Sql, limit: int) -> Page:
    statement = f"""{fitting.text}
        SELECT ARRAY(SELECT recording_id FROM fitting WHERE fits AND is_left {_NEWEST} LIMIT %s),
               (SELECT count(*) FROM fitting WHERE fits), (SELECT count(*) FROM fitting)"""  # noqa: S608 - of our own pieces
    keys, fits, known = _row(statement, [*fitting.values, limit + 1])
    return page_of(shown(viewer, keys[:limit]), has_more=len(keys) > limit, fitting=fits, known=known)


def _page_of_phrases(viewer: Viewer, wishes: Sequence[Wish], fitting: _Sql, limit: int) -> Page:
    """Look phrases up in the newest recordings that hold all their words, and stop at the end of the page."""
    checked = _checked(wishes)
    # Sorted below the check, so that it ends when the page is full.
    statement = f"""{fitting.text}, newest AS MATERIALIZED (
            SELECT recording_id, shown_at, sees FROM fitting WHERE fits AND is_left {_NEWEST} LIMIT %s
        )
        SELECT ARRAY(
                   SELECT w.recording_id FROM (SELECT * FROM newest {_NEWEST} OFFSET 0) w
                   WHERE NOT w.sees OR EXISTS (
                       SELECT FROM evidence_search_row s WHERE s.recording_id = w.recording_id AND ({checked.text})
                   )
                   {_NEWEST} LIMIT %s
               ),
               last.shown_at, last.recording_id
        FROM (SELECT) nothing
        LEFT JOIN (SELECT shown_at, recording_id FROM newest {_NEWEST} OFFSET %s LIMIT 1) last ON true"""  # noqa: S608 - of our own pieces
    values = [*fitting.values, PHRASE_WINDOW, *checked.values, limit + 1, PHRASE_WINDOW - 1]
    keys, last_at, last_key = _row(statement, values)
    rows = shown(viewer, keys[:limit])
    following = None if last_key is None else Cursor(last_at, last_key)
    if len(keys) > limit:
        following = Cursor(rows[-1].shown_at, rows[-1].key)
    return Page(rows, following, total=None, hidden=None)


def _checked(wishes: Sequence[Wish]) -> _Sql:
    """Return the condition that a search row `s` fits a wish with its phrases."""
    texts: list[str] = []
    values: list[Any] = []
    for wish in wishes:
        phrases = [(_PHRASE, term) for term in wish.wanted if term.is_phrase]
        phrases += [(f"NOT {_PHRASE}", term) for term in wish.unwanted if term.is_phrase]
        pieces = [text for text, _ in phrases]
        # Which of several wishes a row fits is not known yet.
        if len(wishes) > 1:
            pieces.insert(0, "s.words @@ %s::tsquery")
            values.append(wish.loose)
        texts.append(" AND ".join(pieces))
        for _, term in phrases:
            values += [term.exact, *_in_cue(term)]
    return _Sql("(" + ") OR (".join(texts) + ")", tuple(values))


# A phrase may begin in one cue and end in the next: where a machine pauses says nothing about a sentence.
_IN_CUE = """c.stems @@ %s::tsquery AND (c.stems @@ %s::tsquery OR EXISTS (
    SELECT FROM evidence_cue n WHERE n.transcript_id = c.transcript_id AND n.number = c.number + 1
    AND n.stems @@ %s::tsquery AND (c.stems || n.stems) @@ %s::tsquery))"""


def _in_cue(term: Term) -> list[str]:
    """Return the values of _IN_CUE; its first word alone settles most cues."""
    return [term.first, term.exact, term.last, term.exact]


_PHRASE = f"""(s.names @@ %s::tsquery OR EXISTS (
    SELECT FROM evidence_cue c
    WHERE c.transcript_id = ANY(s.transcripts) AND {_IN_CUE}))"""


def _moments(keys: list[int], wishes: Iterable[Wish]) -> dict[int, tuple[Moment, ...]]:
    """Return by recording the cues where most of what was wanted was said, at most MOMENTS, in their order."""
    if not keys:
        return {}
    terms = tuple(dict.fromkeys(term for wish in wishes for term in wish.wanted))
    heard = _heard(terms)
    statement = f"""
        SELECT s.recording_id, c.number, p.number, c.start_ms, c.end_ms, c.text, t.notice, ARRAY(
            SELECT place::int FROM regexp_split_to_table(btrim(c.text, E' \\t\\n\\r'), E'[ \\t\\n\\r]+')
            WITH ORDINALITY spoken (word, place) WHERE public.plainview_words(word) @@ %s::tsquery
        )
        FROM evidence_search_row s
        CROSS JOIN LATERAL (
            SELECT c.*, {heard.text} AS heard
            FROM evidence_cue c WHERE c.transcript_id = ANY(s.transcripts) AND c.stems @@ %s::tsquery
            ORDER BY heard DESC, array_position(s.transcripts, c.transcript_id), c.number LIMIT %s
        ) c
        JOIN evidence_transcript t ON t.id = c.transcript_id
        JOIN evidence_part p ON p.recording_id = s.recording_id AND p.original_id = t.original_id
        WHERE s.recording_id = ANY(%s) AND c.heard > 0
        ORDER BY s.recording_id, p.number, c.number"""  # noqa: S608 - of our own pieces
    words = any_word(terms)
    found: dict[int, tuple[Moment, ...]] = {}
    with connection.cursor() as cursor:
        cursor.execute(statement, [words, *heard.values, words, MOMENTS, keys])
        for key, _, part, start_ms, end_ms, text, notice, places in cursor.fetchall():
            moment = Moment(part, start_ms, end_ms, text, _marks(text, places), notice)
            found[key] = (*found.get(key, ()), moment)
    return found


def _heard(terms: Iterable[Term]) -> _Sql:
    """Return how many of these terms a cue `c` holds, or begins."""
    texts: list[str] = []
    values: list[str] = []
    for term in terms:
        if term.is_phrase:
            texts.append(f"({_IN_CUE})::int")
            values += _in_cue(term)
        else:
            texts.append("(c.stems @@ %s::tsquery)::int")
            values.append(term.exact)
    return _Sql(" + ".join(texts), tuple(values))


def _marks(text: str, places: Iterable[int]) -> tuple[tuple[int, int], ...]:
    spans = [match.span() for match in _TOKEN.finditer(text)]
    return tuple(spans[place - 1] for place in places)


def _row(statement: str, values: Sequence[Any]) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row: tuple[Any, ...] = cursor.fetchone()
    return row

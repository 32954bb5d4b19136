"""The list of recordings, search, and what is kept in quarantine."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from plainview.accounts.rules import decide_place
from plainview.evidence.listing import Cursor, Listed, Page, choices, list_recordings, listed, parse_cursor
from plainview.evidence.quarantine_queries import kept_files
from plainview.evidence.search import search
from plainview.formats.errors import FormatError
from plainview.formats.ids import check_identifier
from plainview.web import words
from plainview.web.guard import guarded
from plainview.web.narrowing import STATE_WORDS, Narrowing, read_narrowing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from plainview.evidence.listing import Choice, Count, Moment
    from plainview.web.viewer import Request

ROWS = 50
FOUND_ROWS = 25
KEPT_FILES = 50
LARGEST_KEY = 2**63 - 1
# More than this many wearers or devices are typed, not chosen.
CHOICES = 200
NOTICES = {
    "machine": "Written by a machine, not checked",
    "hint": "Search hint, mostly wrong",
    "sample": "Sample transcript",
}
PROBLEMS = {
    "nothing": "There is no word in it that can be looked for. Type a word, a name, or an identifier.",
    "unwanted": "It says only what not to find. Add a word that you do look for.",
    "too_broad": "That took too long and was stopped. Add a word, or narrow the days.",
}


@dataclass(frozen=True)
class Heard:
    """A moment as a result shows it.

    Attributes:
        address: of that moment.
        start_ms: in its part.
        pieces: its text, and whether each piece was looked for.
        notice: how far it can be trusted.
    """

    address: str
    start_ms: int
    pieces: tuple[tuple[str, bool], ...]
    notice: str


@dataclass(frozen=True)
class Row:
    """A recording as its row shows it."""

    recording: Listed
    address: str
    state: str
    moments: tuple[Heard, ...]


@guarded("recordings.list")
@require_safe
def recordings(request: Request) -> HttpResponse:
    """Show recordings, newest first: all one may know of, or those that fit filters and words."""
    if "progress" in request.GET:
        return _progress(request)
    asked = request.GET.get("q", "").replace("\0", "").strip()
    spelled = _identifier_in(asked)
    if spelled:
        return redirect("recording", spelled)
    narrowing = read_narrowing(request.GET.dict(), zone=settings.PLAINVIEW_ZONE)
    after = _cursor_of(request)
    if asked:
        page = search(request.viewer, asked, narrowing.filters, after=after, limit=FOUND_ROWS)
    else:
        page = list_recordings(request.viewer, narrowing.filters, after=after, limit=ROWS)
    facts = _facts(request, asked, narrowing, page, after)
    response = render(request, "web/recordings.html", facts)
    if "HX-Request" in request.headers:
        # Filters change the list in place; the address follows, and files being sent above it are left alone.
        response["HX-Replace-Url"] = facts["here"]
    return response


def _facts(
    request: Request, asked: str, narrowing: Narrowing, page: Page, after: Cursor | None
) -> dict[str, Any]:
    fields = dict(narrowing.asked)
    kept = {"q": asked, **fields} if asked else fields
    rows = [_row(each) for each in page.rows]
    found = choices(request.viewer)
    return {
        "days": _by_day(rows),
        "rows": rows,
        "busy": _busy(rows),
        "page": page,
        "count": _count_words(page, is_narrowed=bool(fields), is_search=bool(asked)),
        "search_words": asked,
        "problem": PROBLEMS.get(page.problem, ""),
        "fields": fields,
        "refused": narrowing.refused,
        "choices": found,
        "unit_elsewhere": _elsewhere(fields.get("unit", ""), found.units),
        "wearer_elsewhere": _elsewhere(fields.get("wearer", ""), found.wearers),
        "device_elsewhere": _elsewhere(fields.get("device", ""), found.devices),
        "only_day": narrowing.only_day,
        "types_wearer": len(found.wearers) > CHOICES,
        "types_device": len(found.devices) > CHOICES,
        "states": STATE_WORDS.items(),
        "zone": settings.PLAINVIEW_ZONE,
        "is_first": after is None,
        "here": _address(kept | ({"after": str(after)} if after else {})),
        "newest": _address(kept),
        "cleared": _address({"q": asked} if asked else {}),
        "older": _address({**kept, "after": str(page.next)}) if page.next else "",
        "may_hand_in": decide_place(request.viewer, "uploads.make"),
        "may_import": decide_place(request.viewer, "imports.make"),
        "may_read_quarantine": decide_place(request.viewer, "quarantine.read"),
    }


def _progress(request: Request) -> HttpResponse:
    """Answer how far the rows are that were being processed when the page was made."""
    spelled = [_identifier_in(given) for given in request.GET.getlist("progress")[:ROWS]]
    found = listed(request.viewer, [each for each in spelled if each])
    rows = [_row(each) for each in found]
    return render(request, "web/_progress.html", {"rows": rows, "busy": _busy(rows), "is_again": True})


@guarded("quarantine.read")
@require_safe
def quarantine(request: Request) -> HttpResponse:
    """Show which files are kept that cannot be used as recordings, and why."""
    given = request.GET.get("before", "")
    before = min(int(given[:20]), LARGEST_KEY) if given.isascii() and given.isdigit() else None
    files = kept_files(viewer=request.viewer, before=before, limit=KEPT_FILES + 1)
    shown = files[:KEPT_FILES]
    return render(
        request,
        "web/quarantine.html",
        {
            "files": shown,
            "older": shown[-1].key if len(files) > KEPT_FILES else None,
            "is_first": before is None,
        },
    )


@guarded("recordings.list")
@require_safe
def go_to(request: Request, identifier: str) -> HttpResponse:  # noqa: ARG001 - a guard's first argument
    """Lead to a recording, from its identifier alone."""
    spelled = _identifier_in(identifier)
    if not spelled:
        raise Http404
    return redirect("recording", spelled)


def marked(text: str, marks: Iterable[tuple[int, int]]) -> tuple[tuple[str, bool], ...]:
    """Return a text in pieces, each with whether it is marked; marks do not overlap and come in order."""
    pieces: list[tuple[str, bool]] = []
    done = 0
    for first, end in marks:
        pieces += [(text[done:first], False), (text[first:end], True)]
        done = end
    return tuple((piece, is_marked) for piece, is_marked in [*pieces, (text[done:], False)] if piece)


def _elsewhere(asked: str, found: Iterable[Choice]) -> str:
    """Return what was asked for if it is none of the choices: a filter in force is shown, whatever it is."""
    return "" if asked in {choice.value for choice in found} else asked


def _identifier_in(text: str) -> str:
    """Return the identifier that a text is, in its one spelling; empty where it is none."""
    try:
        return check_identifier(text)
    except FormatError:
        return ""


def _cursor_of(request: Request) -> Cursor | None:
    given = request.GET.get("after", "")
    try:
        return parse_cursor(given) if given else None
    except ValueError:
        return None


def _address(fields: Mapping[str, str]) -> str:
    address = reverse("recordings")
    return f"{address}?{urlencode(fields)}" if fields else address


def _row(recording: Listed) -> Row:
    address = reverse("recording", args=[recording.identifier])
    state = STATE_WORDS[recording.state]
    if recording.state == "processing":
        # It can be watched already once only its words are missing.
        is_watchable = set(recording.unfinished) == {"transcript"}
        state = (
            "Ready; transcript to come"
            if is_watchable
            else f"{state} {words.format_percent(recording.fraction)}"
        )
    return Row(recording, address, state, tuple(_heard(address, moment) for moment in recording.moments))


def _heard(address: str, moment: Moment) -> Heard:
    fields = {"t": f"{moment.start_ms / 1000:g}"}
    if moment.part > 1:
        fields["part"] = str(moment.part)
    return Heard(
        address=f"{address}?{urlencode(fields)}",
        start_ms=moment.start_ms,
        pieces=marked(moment.text, moment.marks),
        notice=NOTICES[moment.notice],
    )


def _busy(rows: Iterable[Row]) -> str:
    """Return the address that answers how far the unfinished rows are; empty where all are finished."""
    busy = [("progress", row.recording.identifier) for row in rows if row.recording.state == "processing"]
    return f"{reverse('recordings')}?{urlencode(busy)}" if busy else ""


def _by_day(rows: Iterable[Row]) -> list[tuple[date, list[Row]]]:
    def day(row: Row) -> date:
        return words.day_at(row.recording.shown_at, row.recording.zone)

    return [(each, list(group)) for each, group in groupby(rows, key=day)]


def _count_words(page: Page, *, is_narrowed: bool, is_search: bool) -> str:
    """Return how many there are and how many filters hide; empty where that was not counted."""
    if page.total is None:
        return ""
    shown = f"{_counted(page.total)} {'recording' if page.total.value == 1 else 'recordings'}"
    if len(page.rows) < page.total.value:
        shown = f"{len(page.rows)} of {shown} shown"
    if is_search:
        shown += " that fit the words"
    if not is_narrowed:
        return shown
    if page.hidden is None:
        return f"{shown}; filters hide others"
    return f"{shown}; {_counted(page.hidden)} hidden by filters"


def _counted(count: Count) -> str:
    return words.format_count(count.value) + ("+" if count.is_at_least else "")

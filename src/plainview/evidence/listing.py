"""List recordings: the page, what stands in each row, and how many there are.

A page is found in two statements: which rows, with how many there are in all; then what is shown of those.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Exists, OuterRef, Q, Subquery
from django.db.models.functions import JSONObject

from plainview.accounts.rules import DEEDS, decide
from plainview.evidence.models import Derivative, SearchRow, Step
from plainview.evidence.queries import footage_of, may_know, may_see

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import QuerySet

    from plainview.accounts.rules import Viewer

# Beyond this a count says "10,000+": nobody reads on, and counting costs.
COUNT_LIMIT = 10_000
STATES = ("ready", "processing", "attention", "restricted")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; nothing set is everything.

    Attributes:
        from_at: shown at or after this moment.
        to_at: shown before it.
        unit: code of the wearer's unit at the time.
        wearer: badge number.
        device: serial number.
        state: one of STATES.
    """

    from_at: datetime | None = None
    to_at: datetime | None = None
    unit: str = ""
    wearer: str = ""
    device: str = ""
    state: str = ""


NO_FILTERS = Filters()


@dataclass(frozen=True)
class Cursor:
    """The place of a row in a list that runs from the newest: the next page begins after it."""

    shown_at: datetime
    key: int

    def __str__(self) -> str:
        """Return it for an address: microseconds since 1970, then the key."""
        return f"{(self.shown_at - _EPOCH) // _MICROSECOND}.{self.key}"


def parse_cursor(text: str) -> Cursor:
    """Return the cursor that str() wrote.

    Raises:
        ValueError: it wrote something else.
    """
    at, _, key = text.partition(".")
    if not (at.isascii() and at.isdigit() and key.isascii() and key.isdigit() and len(at + key) < 40):
        raise ValueError(f"Expected a place in a list such as 1773557527300000.4217, got {text[:40]!a}.")
    try:
        cursor = Cursor(_EPOCH + int(at) * _MICROSECOND, int(key))
    except OverflowError as error:
        raise ValueError(f"{text[:40]!a} lies after every recording.") from error
    if cursor.key >= 1 << 63:
        raise ValueError(f"{text[:40]!a} names no row.")
    return cursor


@dataclass(frozen=True)
class Count:
    """How many there are, or at least how many."""

    value: int
    is_at_least: bool = False


@dataclass(frozen=True)
class Moment:
    """A place in a recording where a searched word was heard.

    Attributes:
        part: of the recording, counted from 1; times are of its original.
        start_ms: when the cue starts.
        end_ms: when it ends.
        text: the cue.
        marks: (first, last + 1) of the characters of each word that was searched.
        notice: how far its transcript can be trusted; one of rules.NOTICES.
    """

    part: int
    start_ms: int
    end_ms: int
    text: str
    marks: tuple[tuple[int, int], ...]
    notice: str


@dataclass(frozen=True)
class Listed:
    """A recording in a list.

    Attributes:
        shown_at: when it was made or, where started_at is None, received; aware UTC.
        started_at: when it was made; None is unknown.
        zone: IANA zone of the place.
        wearer: name; empty where nobody is known.
        badge: their number.
        device: make, model and serial number.
        unit: code of the wearer's unit at the time.
        is_restricted: its content is shown to nobody but its custodians.
        is_visible: this viewer may see it.
        state: one of STATES. "attention": a step was given up; "processing": one is not finished; "restricted" wins
            over both, and so does everything that may be known and not seen.
        fraction: of all its steps together, 0 to 1.
        unfinished: the names of the steps that wait or are under way; one of which only "transcript" is left can be
            watched already.
        has_poster: there is a picture to show, and this viewer may see it.
        moments: where the searched words were heard, at most three; empty outside a search.
    """

    key: int
    identifier: str
    shown_at: datetime
    started_at: datetime | None
    zone: str
    duration_ms: int | None
    wearer: str
    badge: str
    device: str
    unit: str
    is_restricted: bool
    is_visible: bool
    state: str
    fraction: float
    unfinished: tuple[str, ...]
    has_poster: bool
    moments: tuple[Moment, ...] = ()


@dataclass(frozen=True)
class Page:
    """Some rows of a list, newest first.

    Attributes:
        next: where the next page begins; None is the end.
        total: how many fit, this page or not; None where that was not counted.
        hidden: how many more there would be without the filters; None where that was not counted.
        problem: why a search was not answered: "nothing" (no word in it), "unwanted" (says only what not to find),
            "too_broad" (took too long; add a word). Empty otherwise.
    """

    rows: tuple[Listed, ...]
    next: Cursor | None
    total: Count | None
    hidden: Count | None
    problem: str = ""


NO_ROWS = Page((), None, Count(0), Count(0))


@dataclass(frozen=True)
class Choice:
    """Something a list can be narrowed to: what Filters takes, and the words for it."""

    value: str
    words: str


@dataclass(frozen=True)
class Choices:
    """What a viewer's list can be narrowed to: only what is in it."""

    units: tuple[Choice, ...] = field(default=())
    wearers: tuple[Choice, ...] = field(default=())
    devices: tuple[Choice, ...] = field(default=())


def list_recordings(
    viewer: Viewer, filters: Filters = NO_FILTERS, *, after: Cursor | None = None, limit: int = 50
) -> Page:
    """Return a page of the recordings that a viewer may know of, newest first.

    Args:
        viewer: who asks.
        filters: what to leave out.
        after: the next of the page before; None is the first page.
        limit: the most rows.
    """
    known = SearchRow.objects.filter(may_know(viewer))
    fitting = known.filter(narrowed_to(viewer, filters))
    rows = fitting if after is None else fitting.filter(comes_after(after))
    rows = rows.order_by("-shown_at", "-pk")[: limit + 1]
    fitting_count = fitting.order_by()[: COUNT_LIMIT + 1]
    known_count = known.order_by()[: COUNT_LIMIT + 1]
    try:
        parts = [query.values("pk").query.sql_with_params() for query in (rows, fitting_count, known_count)]
    except EmptyResultSet:
        return NO_ROWS
    (page, of_page), (fits, of_fits), (knows, of_knows) = parts
    statement = f"SELECT ARRAY({page}), (SELECT count(*) FROM ({fits}) f), (SELECT count(*) FROM ({knows}) k)"  # noqa: S608 - Django wrote all three
    with connection.cursor() as cursor:
        cursor.execute(statement, [*of_page, *of_fits, *of_knows])
        keys, fit, known_of = cursor.fetchone()
    return page_of(shown(viewer, keys[:limit]), has_more=len(keys) > limit, fitting=fit, known=known_of)


def listed(viewer: Viewer, identifiers: Iterable[str]) -> tuple[Listed, ...]:
    """Return what a list shows of these recordings, of those that a viewer may know of, newest first."""
    rows = SearchRow.objects.filter(may_know(viewer), recording__identifier__in=list(identifiers))
    return shown(viewer, list(rows.order_by("-shown_at", "-pk").values_list("pk", flat=True)))


def page_of(rows: tuple[Listed, ...], *, has_more: bool, fitting: int, known: int) -> Page:
    """Return a page with its counts.

    Args:
        rows: in it.
        has_more: there is another page.
        fitting: how many fit the filters; more than COUNT_LIMIT is cut off.
        known: how many there are without them.
    """
    total = counted(fitting)
    # Beyond the limit of both counts nothing is known of their difference.
    hidden = None if total.is_at_least else Count(min(known, COUNT_LIMIT) - fitting, known > COUNT_LIMIT)
    following = Cursor(rows[-1].shown_at, rows[-1].key) if has_more and rows else None
    return Page(rows, following, total, hidden)


def counted(count: int) -> Count:
    """Return a count, cut off at COUNT_LIMIT."""
    return Count(min(count, COUNT_LIMIT), is_at_least=count > COUNT_LIMIT)


def choices(viewer: Viewer) -> Choices:
    """Return what a viewer's list can be narrowed to."""
    units = _named(viewer, "unit").order_by("code").values_list("code", "name")
    wearers = _named(viewer, "wearer").order_by("name", "badge").values_list("badge", "name")
    devices = _named(viewer, "device").order_by("make", "model", "serial")
    return Choices(
        units=tuple(Choice(code, name) for code, name in units),
        wearers=tuple(Choice(badge, f"{name}, {badge}") for badge, name in wearers),
        devices=tuple(
            Choice(serial, device_words(make, model, serial))
            for make, model, serial in devices.values_list("make", "model", "serial")
        ),
    )


def _named(viewer: Viewer, column: str) -> QuerySet[Any]:
    """Return the units, wearers or devices that some recording a viewer may know of names."""
    rows = SearchRow.objects.filter(may_know(viewer), **{column: OuterRef("pk")})
    if viewer.is_operator or viewer.roles & DEEDS["recording.know"]:
        # One look at an index for each; as EXISTS, the planner would read every recording.
        named: QuerySet[Any] = (
            _target(column).alias(one=Subquery(rows.values("pk")[:1])).filter(one__isnull=False)
        )
    else:
        named = _target(column).filter(Exists(rows))
    return named


def _target(column: str) -> QuerySet[Any]:
    """Return the table that a column of the search rows points to."""
    model: Any = SearchRow._meta.get_field(column).related_model  # noqa: SLF001 - the documented way to a field
    return model.objects.all()  # type: ignore[no-any-return]


def narrowed_to(viewer: Viewer, filters: Filters) -> Q:
    """Return which search rows filters leave; of a restricted recording nothing but that is told.

    Raises:
        KeyError: there is no such state.
    """
    rows = Q()
    if filters.from_at is not None:
        rows &= Q(shown_at__gte=filters.from_at)
    if filters.to_at is not None:
        rows &= Q(shown_at__lt=filters.to_at)
    # Looked up by themselves: joined, the planner reads the list from its start until it has a page.
    if filters.unit:
        rows &= Q(unit_id=Subquery(_target("unit").filter(code=filters.unit).values("pk")))
    if filters.wearer:
        rows &= Q(wearer_id=Subquery(_target("wearer").filter(badge=filters.wearer).values("pk")))
    if filters.device:
        rows &= Q(device_id__in=_target("device").filter(serial=filters.device).values("pk"))
    return rows & _in_state(viewer, filters.state) if filters.state else rows


def _in_state(viewer: Viewer, state: str) -> Q:
    is_open = Q(is_restricted=False) & may_see(viewer)
    of_row = Step.objects.filter(original__parts__recording=OuterRef("pk"))
    is_parked = Q(Exists(of_row.filter(state="parked")))
    is_unfinished = Q(Exists(of_row.exclude(state__in=("done", "parked"))))
    return {
        "restricted": ~is_open,
        "attention": is_open & is_parked,
        "processing": is_open & is_unfinished & ~is_parked,
        "ready": is_open & ~is_unfinished & ~is_parked,
    }[state]


def comes_after(cursor: Cursor) -> Q:
    """Return which search rows come after a place in the list, in a form that the index on both columns serves."""
    return Q(shown_at__lte=cursor.shown_at) & ~Q(shown_at=cursor.shown_at, pk__gte=cursor.key)


def shown(viewer: Viewer, keys: Sequence[int]) -> tuple[Listed, ...]:
    """Return what a list shows of these search rows, in the order of the keys; the caller has found that it may."""
    if not keys:
        return ()
    of_row = Step.objects.filter(original__parts__recording=OuterRef("pk")).order_by("name")
    pictures = Derivative.objects.filter(original__parts__recording=OuterRef("pk"), kind="storyboard")
    rows = (
        SearchRow.objects.filter(pk__in=keys)
        .select_related("recording", "wearer", "unit", "device")
        .defer("words", "names", "transcripts")
        .annotate(
            steps=ArraySubquery(of_row.values(step=JSONObject(name="name", state="state", part="fraction"))),
            has_poster=Exists(pictures),
        )
    )
    found = {row.pk: _listed(viewer, row) for row in rows}
    return tuple(found[key] for key in keys if key in found)


def _listed(viewer: Viewer, row: Any) -> Listed:
    is_visible = decide(viewer, "recording.see", footage_of(row))
    steps = row.steps if is_visible else []
    unfinished = tuple(step["name"] for step in steps if step["state"] in ("waiting", "doing"))
    is_parked = any(step["state"] == "parked" for step in steps)
    progress = [1.0 if step["state"] == "done" else step["part"] for step in steps]
    device = row.device
    return Listed(
        key=row.pk,
        identifier=row.recording.identifier,
        shown_at=row.shown_at,
        started_at=row.recording.started_at,
        zone=row.recording.zone,
        duration_ms=row.duration_ms,
        wearer="" if row.wearer is None else row.wearer.name,
        badge="" if row.wearer is None else row.wearer.badge,
        device="" if device is None else device_words(device.make, device.model, device.serial),
        unit="" if row.unit is None else row.unit.code,
        is_restricted=row.is_restricted,
        is_visible=is_visible,
        state=_state(
            is_open=is_visible and not row.is_restricted, is_parked=is_parked, unfinished=unfinished
        ),
        fraction=sum(progress) / len(progress) if progress else 1.0,
        unfinished=unfinished,
        has_poster=is_visible and row.has_poster,
    )


def _state(*, is_open: bool, is_parked: bool, unfinished: Sequence[str]) -> str:
    if not is_open:
        return "restricted"
    if is_parked:
        return "attention"
    return "processing" if unfinished else "ready"


def device_words(make: str, model: str, serial: str) -> str:
    """Return a device as people call it."""
    return " ".join(filter(None, (make, model, serial)))

"""Lists and searches answer what a plain loop over the recordings would, for any viewer, filters and words."""

import itertools
import re
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plainview.accounts.rules import Footage, Viewer, decide
from plainview.evidence import search as module
from plainview.evidence.listing import Count, Filters, list_recordings
from plainview.evidence.search import search
from simulators.custody_rows import START
from simulators.library import add_recording, add_storyboard, add_transcript, officer_row, unit_row

UNITS = ("north", "south")
# Names and badges that are also said, so that a search must keep the two apart.
OFFICERS = (("Ada Stop", "17"), ("Bo Gun", "99"))
# Each with what the database reduces it to, written down by hand.
STEMS = {
    "stop": "stop",
    "stopping": "stop",
    "no": "no",
    "the": "the",
    "gun": "gun",
    "guns": "gun",
    "don't": "dont",
    "hands": "hand",
    "down": "down",
    "17": "17",
}
NAMES = {"Ada": "ada", "Stop": "stop", "Bo": "bo", "Gun": "gun", "17": "17", "99": "99"}
MIXED = st.lists(st.sampled_from([*STEMS, "ada"]), min_size=1, max_size=3).map(tuple)
WORD = st.sampled_from([*STEMS, "ada"]).map(lambda word: (word,))
ITEM = WORD | WORD | MIXED


@dataclass(frozen=True)
class Kept:
    """A recording as the loop knows it; units and officers by their place in the lists above."""

    number: int
    minutes: int
    unit: int | None
    officer: int | None
    is_restricted: bool
    steps: tuple[str, str]
    has_poster: bool
    cues: tuple[tuple[str, ...], ...] = field(default=())

    @property
    def names(self):
        if self.officer is None:
            return []
        name, badge = OFFICERS[self.officer]
        return [NAMES[word] for word in [*name.split(), badge]]

    def state(self, *, is_visible):
        if self.is_restricted or not is_visible:
            return "restricted"
        if "parked" in self.steps:
            return "attention"
        return "processing" if set(self.steps) & {"waiting", "doing"} else "ready"


PLACE = st.sampled_from([None, 0, 1])
CUES = st.lists(st.lists(st.sampled_from(list(STEMS)), max_size=4).map(tuple), max_size=4).map(tuple)
KEPT = st.builds(
    Kept,
    number=st.just(0),
    minutes=st.integers(0, 3),
    unit=PLACE,
    officer=PLACE,
    is_restricted=st.booleans(),
    steps=st.tuples(*[st.sampled_from(["done", "waiting", "doing", "parked"])] * 2),
    has_poster=st.booleans(),
    cues=CUES,
)
LIBRARIES = st.lists(KEPT, max_size=7).map(
    lambda rows: [Kept(**vars(row) | {"number": number}) for number, row in enumerate(rows, start=1)]
)
FILTERS = st.fixed_dictionaries(
    {
        "from_minute": st.none() | st.integers(0, 4),
        "to_minute": st.none() | st.integers(0, 4),
        "unit": st.sampled_from(["", "", *UNITS, "west"]),
        "wearer": st.sampled_from(["", "", "17", "99", "1"]),
        "state": st.sampled_from(["", "", "", "ready", "processing", "attention", "restricted"]),
    }
)
# (roles held everywhere, roles held for a unit, place on the roster)
ROLES = st.sampled_from(["officer", "supervisor", "investigator", "custodian", "administrator", "defence"])
VIEWERS = st.tuples(
    st.frozensets(ROLES, max_size=1), st.frozensets(st.tuples(ROLES, st.integers(0, 1)), max_size=2), PLACE
)
ALTERNATIVE = st.tuples(
    st.lists(ITEM, min_size=1, max_size=2).map(tuple), st.lists(ITEM, max_size=1).map(tuple)
)
ASKED = st.lists(ALTERNATIVE, min_size=1, max_size=2)


class Library:
    """The same recordings twice: in the database, and in a list."""

    def __init__(self, kept):
        self.kept = kept
        self.units = [unit_row(code).pk for code in UNITS]
        self.officers = [officer_row(name, badge).pk for name, badge in OFFICERS]
        for each in kept:
            recording = add_recording(
                each.number,
                minutes=each.minutes,
                unit_id=None if each.unit is None else self.units[each.unit],
                wearer_id=None if each.officer is None else self.officers[each.officer],
                is_restricted=each.is_restricted,
                steps=tuple(zip(("derive", "transcript"), each.steps, strict=True)),
            )
            if each.has_poster:
                add_storyboard(recording)
            add_transcript(recording, *(" ".join(words) for words in each.cues))

    def viewer(self, roles, unit_roles, officer):
        return Viewer(
            user=1,
            officer=None if officer is None else self.officers[officer],
            roles=roles,
            unit_roles=frozenset((role, self.units[unit]) for role, unit in unit_roles),
        )

    def may(self, viewer, deed, each):
        wearer = None if each.officer is None else self.officers[each.officer]
        unit = None if each.unit is None else self.units[each.unit]
        return decide(viewer, deed, Footage(wearer=wearer, unit=unit, is_restricted=each.is_restricted))

    def known(self, viewer):
        return [each for each in self.kept if self.may(viewer, "recording.know", each)]

    def sees(self, viewer, each):
        return self.may(viewer, "recording.see", each)

    def passes(self, viewer, each, chosen):
        return (
            (chosen["from_minute"] is None or each.minutes >= chosen["from_minute"])
            and (chosen["to_minute"] is None or each.minutes < chosen["to_minute"])
            and chosen["unit"] in ("", None if each.unit is None else UNITS[each.unit])
            and chosen["wearer"] in ("", None if each.officer is None else OFFICERS[each.officer][1])
            and chosen["state"] in ("", each.state(is_visible=self.sees(viewer, each)))
        )

    def fits(self, viewer, each, asked):
        return any(
            all(self.holds(viewer, each, item) for item in wanted)
            and not any(self.holds(viewer, each, item) for item in unwanted)
            for wanted, unwanted in asked
        )

    def holds(self, viewer, each, item):
        texts = [each.names]
        if self.sees(viewer, each):
            cues = [[STEMS[word] for word in words] for words in each.cues]
            texts += cues
            # A phrase may run on into the next cue; where that is empty it may not.
            texts += [one + other for one, other in itertools.pairwise(cues) if one and other]
        sought = [STEMS.get(word, word) for word in item]
        return any(
            text[at : at + len(sought)] == sought
            for text in texts
            for at in range(len(text) - len(sought) + 1)
        )


def spelled(asked):
    """Return what a person types for this."""

    def item(words, sign=""):
        return f'{sign}"{" ".join(words)}"' if len(words) > 1 else sign + words[0]

    return " or ".join(
        " ".join([*map(item, wanted), *(item(words, "-") for words in unwanted)])
        for wanted, unwanted in asked
    )


def chosen_filters(chosen):
    def at(minute):
        return None if minute is None else START + timedelta(minutes=minute)

    return Filters(
        from_at=at(chosen["from_minute"]),
        to_at=at(chosen["to_minute"]),
        unit=chosen["unit"],
        wearer=chosen["wearer"],
        state=chosen["state"],
    )


def every_page(ask):
    """Return the pages from the first to the last."""
    pages = [ask(None)]
    while pages[-1].next is not None:
        pages.append(ask(pages[-1].next))
    return pages


def newest_first(rows):
    return [each.number for each in sorted(rows, key=lambda each: (each.minutes, each.number), reverse=True)]


def numbers(pages):
    return [int(row.identifier[5:13]) for page in pages for row in page.rows]


def check_rows(library, viewer, pages):
    by_number = {each.number: each for each in library.kept}
    for row in (row for page in pages for row in page.rows):
        each = by_number[int(row.identifier[5:13])]
        is_visible = library.sees(viewer, each)
        assert row.is_visible == is_visible
        assert row.state == each.state(is_visible=is_visible)
        assert row.has_poster == (is_visible and each.has_poster)
        assert row.badge == ("" if each.officer is None else OFFICERS[each.officer][1])
        assert is_visible or not row.moments
        for moment in row.moments:
            assert tuple(moment.text.split()) in each.cues
            assert moment.marks


@pytest.mark.slow
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kept=LIBRARIES, who=VIEWERS, chosen=FILTERS, asked=ASKED, window=st.integers(1, 4))
def test_a_search_finds_what_a_loop_finds(undone, kept, who, chosen, asked, window):
    with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PHRASE_WINDOW", window)
        library = Library(kept)
        viewer = library.viewer(*who)
        pages = every_page(
            lambda after: search(viewer, spelled(asked), chosen_filters(chosen), after=after, limit=2)
        )
        known = [each for each in library.known(viewer) if library.fits(viewer, each, asked)]
        expected = [each for each in known if library.passes(viewer, each, chosen)]
        assert numbers(pages) == newest_first(expected)
        check_rows(library, viewer, pages)
        for page in pages:
            assert page.total in (None, Count(len(expected)))
            assert page.hidden in (None, Count(len(known) - len(expected)))
            if not re.search(r'["\-]', spelled(asked)):
                assert page.total is not None
        transaction.set_rollback(True)


@pytest.mark.slow
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kept=LIBRARIES, who=VIEWERS, chosen=FILTERS)
def test_a_list_holds_what_a_loop_finds(undone, kept, who, chosen):
    with transaction.atomic():
        library = Library(kept)
        viewer = library.viewer(*who)
        pages = every_page(
            lambda after: list_recordings(viewer, chosen_filters(chosen), after=after, limit=2)
        )
        known = library.known(viewer)
        expected = [each for each in known if library.passes(viewer, each, chosen)]
        assert numbers(pages) == newest_first(expected)
        check_rows(library, viewer, pages)
        for page in pages:
            assert (page.total, page.hidden) == (Count(len(expected)), Count(len(known) - len(expected)))
        transaction.set_rollback(True)

"""What a search finds, what it shows of it, and what it never tells."""

from datetime import timedelta

import pytest
from django.db import OperationalError, transaction

from plainview.accounts.queries import officer_key
from plainview.accounts.rules import Viewer
from plainview.evidence import search as module
from plainview.evidence.actions import set_wearer
from plainview.evidence.listing import NO_ROWS, Count, Filters
from plainview.evidence.search import search
from plainview.service.dump import dump_database, restore_database
from simulators.custody_rows import CLERK, START, ask
from simulators.databases import copied_database, writers
from simulators.library import add_recording, add_transcript, device_row, officer_row, unit_row
from simulators.roster import receive

OPERATOR = Viewer(is_operator=True)
INVESTIGATOR = Viewer(user=1, roles=frozenset({"investigator"}))
CUSTODIAN = Viewer(user=2, roles=frozenset({"custodian"}))


def found(words, viewer=OPERATOR, **more):
    """Return the numbers of the recordings found, newest first."""
    return [int(row.identifier[5:13]) for row in search(viewer, words, **more).rows]


def told(words, viewer=OPERATOR):
    """Return everything a search says."""
    return repr(search(viewer, words))


# --- words


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("Stop!", "stop"),
        ("No. No!", "no"),
        ("Get down on the ground", "down"),
        ("Show me your hands", "hand"),
        ("he put his hand there", "hands"),
        ("He's reaching", "reach"),
        ("I can't breathe", "can't breathe"),
        ("I can\u2019t breathe", "can't"),
        ("I can't breathe", "cant"),
        ("I can't breathe", "breathing"),
        ("the officer's car", "officer"),
        ("plate AB-1234, moving", "AB-1234"),
        ("plate AB-1234, moving", "1234"),
        ("Señor Muñoz", "munoz"),
        ("senor munoz", "Muñoz"),
        ("\u201cDrop it\u201d \u2014 he said\u2026", '"drop it"'),
        ("write to a@example.org", "example"),
        ("it is off and on", "off"),
        ("a knife and a bag", "knife and bag"),
        ("bread and butter", '"bread and butter"'),
        ("стой", "Стой"),
    ],
)
def test_what_was_said_is_found_by_what_a_person_would_type(undone, said, asked):
    recording = add_recording(1)
    assert found(asked) == []
    add_transcript(recording, said)
    assert found(asked) == [1]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("gun", [3, 1]),
        ("gun knife", [3]),
        ("gun or knife", [3, 2, 1]),
        ("gun OR knife -bag", [3, 1]),
        ("knife -gun", [2]),
        ("gun -gun", []),
        ('"the gun"', [1]),
        ('-"the gun" gun', [3]),
        ('"the gun', [1]),
        ("\u201cthe gun\u201d", [1]),
        ("'the gun'", [3, 1]),
        ("gun or", [3, 1]),
        ("or gun - & !", [3, 1]),
        ("g:* | gun", []),
        ('"gun the" or bag', [2]),
    ],
)
def test_words_phrases_minus_and_or_mean_what_they_say(undone, asked, expected):
    for number, said in enumerate(("drop the gun", "the knife in the bag", "the knife, not a gun"), start=1):
        add_transcript(add_recording(number, minutes=number), said)
    assert found(asked) == expected


def test_a_phrase_may_run_from_one_cue_into_the_next_and_no_further(undone):
    recording = add_recording(1)
    add_transcript(recording, "he said drop", "the gun", "now or else")
    assert found('"drop the gun"') == [1]
    assert found('"gun now"') == [1]
    assert found('"drop the gun now"') == []
    assert found('"drop now"') == []


def test_words_far_into_a_long_recording_are_found_and_so_are_phrases(undone):
    cues = [" ".join(f"w{n}x{i}" for i in range(40)) for n in range(500)]
    add_transcript(add_recording(1), *cues, "hands up now")
    (row,) = search(OPERATOR, '"hands up"').rows
    assert [moment.start_ms for moment in row.moments] == [2000 * 501]
    assert found("hands") == [1]
    assert found('"up hands"') == []


def test_the_newest_transcript_counts_and_an_older_one_no_more(undone):
    recording = add_recording(1)
    add_transcript(recording, "stop the car", minutes=5)
    add_transcript(recording, "stop the bar", minutes=6)
    add_transcript(recording, "stop the tar", minutes=4)
    assert (found("bar"), found("car"), found("tar")) == ([1], [], [])
    (row,) = search(OPERATOR, "stop").rows
    assert [moment.text for moment in row.moments] == ["stop the bar"]


def test_a_recording_is_found_by_its_names_and_they_mix_with_what_was_said(undone):
    add_transcript(
        add_recording(
            4217, wearer=officer_row("María Díaz-Stone", "4711"), device=device_row("X-100", make="Axis")
        ),
        "show me your hands",
    )
    add_recording(26)
    (identifier,) = (row.identifier for row in search(OPERATOR, "4217").rows)
    for asked in (
        "diaz",
        "Maria Diaz",
        '"maria diaz"',
        "diaz-stone",
        "4711",
        "X-100",
        "axis hands",
        '"diaz stone" "your hands"',
        "00004217",
        identifier,
        identifier.lower().replace("-", ""),
        f"{identifier} hands",
    ):
        assert found(asked) == [4217], asked
    for asked in ('"diaz maria"', "diaz knife", '"stone your"', "R", f"{identifier} knife"):
        assert found(asked) == [], asked
    assert found("26") == [26]


def test_a_recording_is_found_by_its_camera_once_received_and_by_its_wearer_once_that_is_known(undone):
    ada = officer_row("Ada Lee", "17")
    recording = receive("a", device=device_row("X-100"))
    assert [row.identifier for row in search(OPERATOR, "X-100").rows] == [recording.identifier]
    assert search(OPERATOR, "lee").rows == ()
    set_wearer(recording=recording, officer=officer_key(ada), reason="seen", actor=CLERK, now=START)
    assert [row.wearer for row in search(OPERATOR, "lee X-100").rows] == ["Ada Lee"]
    set_wearer(recording=recording, officer=None, reason="a mistake", actor=CLERK, now=START)
    assert search(OPERATOR, "lee").rows == ()


# --- moments


def test_a_moment_is_the_cue_with_its_words_marked(undone):
    add_transcript(
        add_recording(1), "Sir -- show me your HANDS, now", "other words", "hands... Hand!", notice="hint"
    )
    (row,) = search(OPERATOR, "hand sir").rows
    first, second = row.moments
    assert (first.part, first.start_ms, first.end_ms, first.notice) == (1, 2000, 3900, "hint")
    assert [first.text[slice(*mark)] for mark in first.marks] == ["Sir", "HANDS,"]
    assert [second.text[slice(*mark)] for mark in second.marks] == ["hands...", "Hand!"]


def test_the_cues_that_hold_most_of_what_was_asked_are_shown_in_the_order_they_were_said(undone):
    add_transcript(add_recording(1), "gun", "a gun and a knife", "knife", "knife", "the gun the knife", "gun")
    (row,) = search(OPERATOR, "gun knife").rows
    assert [moment.start_ms // 2000 for moment in row.moments] == [1, 2, 5]


def test_a_phrase_that_runs_on_is_shown_where_it_begins(undone):
    add_transcript(add_recording(1), "the", "the gun", "a gun", "drop", "the gun now", "drop it")
    (row,) = search(OPERATOR, '"drop the gun"').rows
    assert [moment.text for moment in row.moments] == ["drop"]


def test_a_moment_says_in_which_part_it_is(undone):
    recording = add_recording(1, parts=2)
    add_transcript(recording, "x", "gun", part=2)
    add_transcript(recording, "gun", part=1, notice="sample")
    (row,) = search(OPERATOR, "gun").rows
    assert [(m.part, m.start_ms, m.notice) for m in row.moments] == [
        (1, 2000, "sample"),
        (2, 4000, "machine"),
    ]


def test_of_many_moments_the_first_parts_come_first(undone):
    recording = add_recording(1, parts=2)
    add_transcript(recording, "gun", "gun", part=2)
    add_transcript(recording, "gun", "gun", part=1)
    (row,) = search(OPERATOR, "gun").rows
    assert [(m.part, m.start_ms) for m in row.moments] == [(1, 2000), (1, 4000), (2, 2000)]


def test_what_is_found_by_a_name_alone_has_no_moments(undone):
    add_transcript(add_recording(1, wearer=officer_row("Ada Lee", "1")), "good evening")
    (row,) = search(OPERATOR, "lee").rows
    assert row.moments == ()


# --- who is told what


def test_a_search_never_says_what_was_spoken_in_a_restricted_recording(undone):
    wearer = officer_row("Ada Lee", "1")
    recording = add_recording(1, wearer=wearer, is_restricted=True)
    asked = ("gun", "lee", "lee gun", "-gun lee", '"drop the gun"', '-"the gun" lee', "gun or lee", "knife")
    before = {words: told(words, INVESTIGATOR) for words in asked}
    add_transcript(recording, "drop the gun")
    assert {words: told(words, INVESTIGATOR) for words in asked} == before
    assert found("lee", INVESTIGATOR) == found("lee -gun", INVESTIGATOR) == [1]
    assert found('"ada lee"', INVESTIGATOR) == found('lee -"lee ada"', INVESTIGATOR) == [1]
    assert found('"lee ada"', INVESTIGATOR) == found('lee -"ada lee"', INVESTIGATOR) == []
    assert found("gun", CUSTODIAN) == found('"drop the gun"', CUSTODIAN) == [1]
    assert found("lee -gun", CUSTODIAN) == []
    (row,) = search(INVESTIGATOR, "lee").rows
    assert (row.state, row.is_visible, row.moments, row.has_poster) == ("restricted", False, (), False)
    (row,) = search(CUSTODIAN, "lee gun").rows
    assert (row.state, row.is_visible, len(row.moments)) == ("restricted", True, 1)


def test_whoever_may_not_know_of_a_recording_is_told_nothing_of_it(undone):
    mine, other = unit_row("A"), unit_row("B")
    wearer = officer_row("Ada Lee", "1")
    asked = ("gun", "lee", '"the gun"', "gun -lee")
    for viewer in (
        Viewer(user=1, unit_roles=frozenset({("supervisor", mine.pk)})),
        Viewer(user=1, officer=wearer.pk, roles=frozenset({"administrator"})),
        Viewer(),
    ):
        before = {words: told(words, viewer) for words in asked}
        with transaction.atomic():
            add_transcript(add_recording(1, unit=other, wearer=wearer), "drop the gun")
            assert {words: told(words, viewer) for words in asked} == before
            transaction.set_rollback(True)


def test_an_officer_finds_their_own_recordings(undone):
    mine, other = officer_row("Ada Lee", "1"), officer_row("Bo Hall", "2")
    add_transcript(add_recording(1, wearer=mine), "drop the gun")
    add_transcript(add_recording(2, wearer=other), "drop the gun")
    viewer = Viewer(user=1, officer=mine.pk, roles=frozenset({"officer"}))
    assert found("gun", viewer) == found('"the gun"', viewer) == [1]
    assert search(viewer, "gun").total == Count(1)


# --- pages and counts


def test_pages_follow_each_other_and_counts_say_what_filters_hide(undone):
    unit = unit_row("A")
    for number in range(1, 6):
        add_transcript(
            add_recording(number, minutes=number // 2, unit=unit if number > 1 else None), "stop there"
        )
    page = search(OPERATOR, "stop", Filters(unit="A"), limit=3)
    assert [row.identifier[12] for row in page.rows] == ["5", "4", "3"]
    assert (page.total, page.hidden) == (Count(4), Count(1))
    rest = search(OPERATOR, "stop", Filters(unit="A"), after=page.next, limit=3)
    assert [row.identifier[12] for row in rest.rows] == ["2"]
    assert (rest.total, rest.hidden, rest.next) == (Count(4), Count(1), None)


def test_phrases_are_looked_up_a_window_at_a_time_until_none_is_left(undone, monkeypatch):
    monkeypatch.setattr(module, "PHRASE_WINDOW", 3)
    for number in range(1, 11):
        said = "drop the gun" if number in (1, 2, 9) else "the gun they drop"
        add_transcript(add_recording(number, minutes=number), said)
    seen, after = [], None
    while not seen or after is not None:
        page = search(OPERATOR, '"drop the gun"', after=after, limit=1)
        seen.append([int(row.identifier[5:13]) for row in page.rows])
        assert page.total is page.hidden is None
        after = page.next
    assert seen == [[9], [], [2], [1]]


def test_counts_stop_at_their_limit(undone, monkeypatch):
    monkeypatch.setattr("plainview.evidence.listing.COUNT_LIMIT", 2)
    for number in range(1, 4):
        add_transcript(add_recording(number, minutes=number), "stop")
    assert search(OPERATOR, "stop").total == Count(2, is_at_least=True)
    assert search(OPERATOR, "stop").hidden is None
    narrow = Filters(from_at=START + timedelta(minutes=3))
    assert search(OPERATOR, "stop", narrow).total == Count(1)
    assert search(OPERATOR, "stop", narrow).hidden == Count(1, is_at_least=True)


def test_a_phrase_beside_another_wish_is_still_looked_up(undone):
    for number, said in enumerate(("the gun", "gun the", "a bag", "a bag, the gun"), start=1):
        add_transcript(add_recording(number, minutes=number), said)
    assert found('"the gun" or bag') == [4, 3, 1]
    assert found('bag -"the gun" or "gun the"') == [3, 2]


def test_a_dump_that_is_restored_is_searched_as_before(postgres, database, tmp_path):
    add_transcript(
        add_recording(1, wearer=officer_row("Ada D\u00edaz", "17")), "Don\u2019t shoot", "hands up"
    )
    dump_database(postgres.dsn("owner", database), tmp_path / "dump")
    with copied_database(postgres, "template1") as empty:
        restore_database(postgres.dsn("owner", empty), tmp_path / "dump")
        assert found("diaz") == found("dont hand") == found('"shoot hands"') == [1]
        add_transcript(add_recording(2), "stop")
        assert found("stop") == [2]


# --- what cannot be answered


@pytest.mark.parametrize(
    ("asked", "problem"),
    [("", "nothing"), ("  - ! or ", "nothing"), ("-gun", "unwanted"), ("gun or -knife", "unwanted")],
)
def test_a_search_for_nothing_says_so(undone, asked, problem):
    add_transcript(add_recording(1), "stop")
    page = search(OPERATOR, asked)
    assert (page.rows, page.problem, page.next) == ((), problem, None)


def test_whatever_is_typed_is_answered(undone):
    add_transcript(add_recording(1), "stop")
    for asked in (
        "'",
        "\\",
        "a' & !b",
        "<->",
        "stop:*A",
        "\x01",
        "\x00",
        "\ud800",
        "'" * 400,
        "stop " * 200,
        '"' * 9,
        "%s %(a)s",
    ):
        assert search(OPERATOR, asked).rows in ((), search(OPERATOR, "stop").rows)


def test_a_search_that_takes_too_long_is_answered_too_broad_and_leaves_the_connection_usable(
    database, monkeypatch
):
    monkeypatch.setattr(module, "TIME_LIMIT_MS", 50)
    with writers(1) as (other,):
        other.begin()
        with other.connection.cursor() as cursor:
            cursor.execute("LOCK TABLE evidence_search_row IN ACCESS EXCLUSIVE MODE")
        page = search(OPERATOR, "stop")
        assert (page.rows, page.next, page.total, page.problem) == ((), None, None, "too_broad")
        other.roll_back()
    assert search(OPERATOR, "stop") == NO_ROWS


def test_another_failure_of_the_database_is_not_taken_for_a_broad_search(database, monkeypatch):
    def fail(*_):
        raise OperationalError("the connection is gone")

    monkeypatch.setattr(module, "_found", fail)
    with pytest.raises(OperationalError, match="gone"):
        search(OPERATOR, "stop")


def test_a_search_leaves_the_settings_of_a_callers_transaction_as_they_were(undone):
    names = ("statement_timeout", "enable_seqscan", "jit")
    before = [ask(f"SHOW {name}") for name in names]
    search(OPERATOR, "stop")
    assert [ask(f"SHOW {name}") for name in names] == before

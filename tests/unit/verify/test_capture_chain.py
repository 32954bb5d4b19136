import io
from dataclasses import replace

from plainview.verify.capture import check_capture
from plainview.verify.capture_chain import JournalLink, check_journal_chain, journal_link
from simulators.capture_attacks import blanked
from simulators.journals import SigningCamera


def links(*recordings):
    reports = [
        check_capture(io.BytesIO(made.footage), public_key=made.public_key, journal=made.lines)
        for made in recordings
    ]
    return [link for link in map(journal_link, reports) if link is not None]


def recorded(count):
    camera = SigningCamera()
    return [camera.record(fragments=1) for _ in range(count)]


def test_recordings_that_follow_each_other_are_whole_in_any_order():
    first, second, third = recorded(3)
    chain = check_journal_chain(links(third, first, second))
    assert (chain.missing, chain.problems) == ((), ())


def test_a_recording_that_is_not_here_shows_by_its_number():
    made = recorded(6)
    chain = check_journal_chain(links(made[0], made[2], made[5]))
    assert chain.missing == ((2, 2), (4, 5))


def test_what_came_before_the_first_is_not_asked_for():
    assert check_journal_chain(links(*recorded(4)[2:])).missing == ()


def test_a_journal_without_its_first_line_has_no_place():
    made = recorded(1)[0]
    assert journal_link(check_capture(io.BytesIO(blanked(made, [0])), public_key=made.public_key)) is None


def problems(first, second):
    return check_journal_chain([first, second]).problems


def test_one_number_given_twice_is_said():
    first, second = links(*recorded(2))
    assert "given twice" in problems(first, replace(second, counter=1))[0]


def test_a_recording_that_says_another_came_before_is_said():
    first, second = links(*recorded(2))
    other = replace(second, previous=replace(second.previous, stream="000001-00000000"))
    assert "says that 000001-00000000 came before it" in problems(first, other)[0]


def test_a_recording_that_says_nothing_came_before_is_said():
    first, second = links(*recorded(2))
    assert "nothing came before" in problems(first, replace(second, previous=None))[0]


def test_another_recording_in_the_place_of_the_one_before_is_said():
    first, second = links(*recorded(2))
    made_up = JournalLink(first.counter, first.stream, None, dict.fromkeys(first.roots, bytes(32)))
    assert "is another than the one" in problems(made_up, second)[0]


def test_a_recording_whose_end_is_gone_is_said():
    first, second = links(*recorded(2))
    cut = replace(first, roots={size: root for size, root in first.roots.items() if size < 3})
    assert "had 3 entries; here no line shows it" in problems(cut, second)[0]

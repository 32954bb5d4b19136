import pytest

from plainview.custody.queries import waits_since
from plainview.custody.sequence import assign_indices, running_epoch
from plainview.pipeline.sequencer import AFTER_TROUBLE_S, EVERY_S, keep_publishing, publish_what_waits
from plainview.vault.log_errors import LogError
from simulators.custody_rows import act


class Rounds:
    """An end that comes after some rounds; before each, something may happen."""

    def __init__(self, *happenings):
        self.happenings = list(happenings)
        self.waited_s = []

    def __call__(self, wait_s):
        self.waited_s.append(wait_s)
        self.happenings.pop(0)()
        return not self.happenings


def nothing():
    """Do nothing."""


def published_in(log, *happenings):
    rounds, sizes, troubles = Rounds(*happenings), [], []
    keep_publishing(log.signer, is_over=rounds, on_published=sizes.append, on_trouble=troubles.append)
    return rounds, sizes, troubles


def test_where_nothing_waits_nothing_is_published(log):
    assert publish_what_waits(log.signer) is None
    act("a")
    assert publish_what_waits(log.signer) == 1
    before = log.files()
    assert publish_what_waits(log.signer) is None
    assert log.files() == before


def test_leaves_that_another_process_did_not_live_to_publish_are_published(log):
    act("a")
    assign_indices(running_epoch())
    assert publish_what_waits(log.signer) == 1


def test_acts_are_published_about_once_a_second_and_once_more_at_the_end(log):
    rounds, sizes, troubles = published_in(log, lambda: act("a"), nothing, lambda: act("b"))
    assert rounds.waited_s == [0.0, EVERY_S, EVERY_S]
    assert sizes == [1, 2]
    assert troubles == []
    assert waits_since(size=2) is None


def test_a_log_that_cannot_be_published_is_said_and_tried_again_later(log):
    def lose_the_tiles():
        act("a")
        for path in sorted(log.folder.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()

    act("before")
    publish_what_waits(log.signer)
    rounds, sizes, troubles = published_in(log, lose_the_tiles, nothing)
    assert rounds.waited_s == [0.0, AFTER_TROUBLE_S]
    assert sizes == []
    assert [isinstance(trouble, LogError) for trouble in troubles] == [True, True]


@pytest.mark.parametrize("count", [0, 3])
def test_the_last_round_publishes_what_was_done_until_then(log, count):
    _, sizes, _ = published_in(log, lambda: [act(str(number)) for number in range(count)])
    assert sizes == ([count] if count else [])

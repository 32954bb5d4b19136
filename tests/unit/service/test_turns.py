import threading

import pytest

from plainview.service import turns as module
from plainview.service.turns import SLOW_AFTER_S, SLOW_BYTES_S, NoTurnError, Turns


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self):
        self.now_s = 100.0

    def monotonic(self):
        return self.now_s


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def none_left(turns):
    with pytest.raises(NoTurnError):
        turns.turn()


def test_so_many_may_send_at_once_and_each_turn_comes_back(clock):
    turns = Turns(fast=2, slow=0, waiting=0, wait_s=0)
    for _ in range(3):
        with turns.turn(), turns.turn():
            none_left(turns)


def test_a_turn_comes_back_when_its_sender_fails(clock):
    turns = Turns(fast=1, slow=0, waiting=0, wait_s=0)
    with pytest.raises(ConnectionError), turns.turn():
        raise ConnectionError
    with turns.turn():
        none_left(turns)


def test_who_sends_slowly_leaves_the_turn_and_goes_on(clock):
    turns = Turns(fast=1, slow=1, waiting=0, wait_s=0)
    with turns.turn() as slow:
        slow.note(1000)
        none_left(turns)
        clock.now_s += SLOW_AFTER_S + 1
        with turns.turn() as second:
            second.note(1000)
            clock.now_s += SLOW_AFTER_S + 1
            none_left(turns)
        with turns.turn():
            none_left(turns)
    # Both kinds came back.
    with turns.turn():
        clock.now_s += SLOW_AFTER_S + 1
        with turns.turn():
            none_left(turns)


def test_who_sends_fast_keeps_the_turn(clock):
    turns = Turns(fast=1, slow=5, waiting=0, wait_s=0)
    with turns.turn() as fast:
        for _ in range(10):
            clock.now_s += 1
            fast.note(SLOW_BYTES_S + 1)
            none_left(turns)


def test_who_waits_gets_the_next_turn():
    turns = Turns(fast=1, slow=0, waiting=1, wait_s=30)
    first = turns.turn()
    first.__enter__()
    releasing = threading.Timer(0.05, first.__exit__, (None, None, None))
    releasing.start()
    with turns.turn():
        releasing.join()


def test_who_waits_sees_that_somebody_stands_still(monkeypatch):
    monkeypatch.setattr(module, "SLOW_AFTER_S", 0.02)
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    turns = Turns(fast=1, slow=1, waiting=1, wait_s=30)
    with turns.turn(), turns.turn():
        assert len(turns.held) == 2


def test_nobody_waits_for_ever_and_only_so_many_wait():
    turns = Turns(fast=1, slow=0, waiting=1, wait_s=0.02)
    with turns.turn():
        none_left(turns)
        turns.waiting.acquire()
        turns.wait_s = 3600
        none_left(turns)

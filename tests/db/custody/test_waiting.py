"""What waits for the sequencer, and how it is kept waiting."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection

from plainview.custody.queries import waits_since
from plainview.custody.sequence import (
    assign_indices,
    publish_assigned,
    publish_pending,
    running_epoch,
    sequencing_paused,
)
from simulators.custody_rows import START, act, ask
from simulators.databases import Writer


def test_nothing_waits_in_a_log_without_acts(log):
    assert waits_since(size=0) is None


def test_an_act_waits_until_the_published_log_covers_it(log):
    act("a", seconds=1)
    act("b", seconds=2)
    assert waits_since(size=0) == START + timedelta(seconds=1)
    size = publish_pending(log.signer).size
    assert waits_since(size=size) is None
    act("c", seconds=9)
    assert waits_since(size=size) == START + timedelta(seconds=9)


def test_an_act_with_an_index_waits_too_while_no_checkpoint_covers_it(log):
    act("a", seconds=5)
    assign_indices(running_epoch())
    assert waits_since(size=0) == START + timedelta(seconds=5)
    assert waits_since(size=publish_assigned(running_epoch(), log.signer).size) is None


def is_free():
    """Whether another process could sequence now."""
    other = Writer()
    try:
        other.run(ask, "SET lock_timeout = '200ms'")
        other.run(assign_indices, running_epoch())
    except DatabaseError:
        return False
    else:
        return True
    finally:
        other.close()


def test_while_sequencing_is_paused_only_whoever_paused_it_publishes(log):
    assert is_free()
    with sequencing_paused():
        assert not is_free()
        act("a")
        assert publish_pending(log.signer).size == 1
        assert not is_free()
    assert is_free()


def test_a_pause_ends_with_its_connection(log):
    with sequencing_paused():
        (row,) = ask("SELECT pg_backend_pid()")
        connection.close()
    assert row[0] > 0
    assert is_free()


def test_a_pause_ends_where_what_it_was_for_fails(log):
    with pytest.raises(ValueError, match="in here"), sequencing_paused():
        raise ValueError("in here")
    assert is_free()

"""Whatever the order in which transactions begin, write, commit and are undone, the log holds each kept act once."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plainview.custody.sequence import assign_indices, publish_assigned, publish_pending, running_epoch
from plainview.formats.leaf import parse_leaf
from simulators.bad_sequencer import IdCursorSequencer
from simulators.custody_rows import add, ask
from simulators.databases import writers

WRITERS = 3
STEPS = st.one_of(
    st.tuples(st.sampled_from(["write", "write_inside", "commit", "undo"]), st.integers(0, WRITERS - 1)),
    st.tuples(st.sampled_from(["assign", "publish", "crash", "read"]), st.just(0)),
)


class Run:
    """One interleaving: what was written by whom, what must therefore be in the log, and what is."""

    def __init__(self, log, made):
        self.log, self.writers = log, made
        self.open = [[] for _ in made]
        self.committed = []
        self.undone = []
        self.seen = []
        self.number = ask("SELECT count(*) FROM custody_act")[0][0]
        self.first = log.signer.log.size()
        self.bad = IdCursorSequencer()
        self.bad.last_id = ask("SELECT coalesce(max(id), 0) FROM custody_act")[0][0]

    def write(self, n):
        writer = self.writers[n]
        if not writer.is_open:
            writer.begin()
        self.number += 1
        word = f"w{n}-{self.number}"
        writer.run(add, word)
        self.open[n].append(word)

    def write_inside(self, n):
        """Write one act in a savepoint that is released and one in a savepoint that is not."""
        from django.db import transaction

        self.write(n)
        with self.writers[n].using():
            savepoint = transaction.savepoint()
            add(f"undone-{self.number}")
            transaction.savepoint_rollback(savepoint)

    def commit(self, n):
        if self.writers[n].is_open:
            self.writers[n].commit()
            self.committed.append(self.open[n])
            self.open[n] = []

    def undo(self, n):
        if self.writers[n].is_open:
            self.writers[n].roll_back()
            self.undone += self.open[n]
            self.open[n] = []

    def assign(self, _=0):
        assign_indices(running_epoch())

    def publish(self, _=0):
        publish_pending(self.log.signer)
        self.bad.assign()
        published = self.published()
        # What was once published stays as it was.
        assert published[: len(self.seen)] == self.seen
        self.seen = published

    def crash(self, _=0):
        """Die between giving indices and writing files; whoever comes next finishes."""
        assign_indices(running_epoch())
        publish_assigned(running_epoch(), self.log.signer)

    def read(self, _=0):
        ask("SELECT count(*) FROM custody_act")

    def published(self):
        log = self.log.signer.log
        leaves = [parse_leaf(entry) for entry in log.entries(self.first, log.size())]
        assert [leaf.seq for leaf in leaves] == list(range(self.first, log.size()))
        return [leaf.object for leaf in leaves]


@pytest.fixture
def three_writers(log):
    with writers(WRITERS) as made:
        yield log, made


@given(steps=st.lists(STEPS, min_size=1, max_size=25))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_committed_is_lost_doubled_or_reordered_within_its_transaction(three_writers, steps):
    log, made = three_writers
    run = Run(log, made)
    try:
        for name, n in steps:
            getattr(run, name)(n)
    finally:
        for n in range(WRITERS):
            run.commit(n)
    run.publish()
    published = run.published()
    assert sorted(published) == sorted(word for words in run.committed for word in words)
    assert not set(published) & set(run.undone)
    for words in run.committed:
        first = published.index(words[0])
        # The acts of one transaction stand together, in the order they were written.
        assert published[first : first + len(words)] == words


def test_the_same_interleavings_make_the_known_bad_sequencer_lose_acts(three_writers):
    log, made = three_writers
    run = Run(log, made)
    for step in (run.write(0), run.write(1), run.commit(1), run.publish(), run.commit(0), run.publish()):
        assert step is None
    assert sorted(run.published()) == sorted(word for words in run.committed for word in words)
    assert sorted(run.bad.objects) != sorted(run.published())

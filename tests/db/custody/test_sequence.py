import pytest
from django.db import connection, transaction

from plainview.custody import sequence
from plainview.custody.errors import LeafMissingError, LogNotStartedError
from plainview.custody.models import Leaf
from plainview.custody.queries import count_unsequenced, logged_act, logged_acts
from plainview.custody.sequence import (
    all_epochs,
    assign_indices,
    assign_restored,
    entries_from,
    mark_restored,
    publish_assigned,
    publish_pending,
    running_epoch,
)
from plainview.formats.leaf import commitment, parse_leaf
from plainview.formats.merkle import leaf_hash, tree_root
from plainview.vault.audit import audit_log
from plainview.vault.log_errors import EntriesDifferError, LogBusyError, RollbackRefusedError
from simulators.bad_sequencer import IdCursorSequencer
from simulators.custody_rows import CLERK, START, LogOfRows, act, add, ask, objects_in_log
from simulators.databases import Writer, at_once, connected_to, copied_database, writers


class PowerCutError(Exception):
    """What a signer raises when the machine loses its power at that moment."""


def published_objects(log):
    return [parse_leaf(entry).object for entry in log.signer.log.entries(0, log.signer.log.size())]


def assert_sound(log):
    """The published log is whole, signed, gapless, and says what the database says."""
    size = log.signer.log.size()
    entries = list(log.signer.log.entries(0, size))
    assert entries == entries_from(running_epoch(), 0)[:size]
    assert [parse_leaf(entry).seq for entry in entries] == list(range(size))
    assert log.signer.log.root_at(size) == tree_root([leaf_hash(entry) for entry in entries])
    assert [bytes(h) for h in Leaf.objects.order_by("index").values_list("hash", flat=True)[:size]] == [
        leaf_hash(entry) for entry in entries
    ]


# --- one after the other


def test_acts_get_their_indices_in_order_and_a_signed_checkpoint_covers_them(log):
    ids = [act(word) for word in "abc"]
    checkpoint = publish_pending(log.signer)
    assert checkpoint.size == 3
    assert published_objects(log) == ["a", "b", "c"]
    assert [logged_act(act_id).index for act_id in ids] == [0, 1, 2]
    assert_sound(log)


def test_a_leaf_says_what_the_act_said(log):
    with transaction.atomic():
        add("a", outcome="denied", why="not_permitted", detail={"name": "A. Clerk"})
    publish_pending(log.signer)
    leaf = parse_leaf(log.signer.log.entry(0))
    kept = logged_acts(["a"])[0]
    assert (leaf.at, leaf.act, leaf.outcome, leaf.why) == (
        START,
        "recording.received",
        "denied",
        "not_permitted",
    )
    assert leaf.facts == {"size_bytes": 2_411_585}
    assert leaf.detail == commitment(salt=kept.salt, words=kept.detail)
    assert leaf.session is None


def test_publishing_twice_adds_nothing(log):
    act("a")
    first = publish_pending(log.signer)
    files = log.files()
    assert publish_pending(log.signer) == first
    assert log.files() == files


def test_publishing_with_no_act_at_all_is_a_log_of_no_entries(log):
    assert publish_pending(log.signer).size == 0
    assert log.files() == {}


def test_without_a_log_nothing_can_be_published(database, tmp_path):
    with pytest.raises(LogNotStartedError, match="plainview init"):
        running_epoch()
    with pytest.raises(LogNotStartedError):
        publish_pending(LogOfRows(tmp_path / "log", tmp_path / "store.sqlite").signer)


@pytest.mark.parametrize("count", [5, 6, 7])
def test_more_acts_than_fit_in_a_batch_are_all_published_at_once(log, monkeypatch, count):
    monkeypatch.setattr(sequence, "BATCH_ROWS", 3)
    with transaction.atomic():
        for number in range(count):
            add(f"n{number}")
    assert publish_pending(log.signer).size == count
    assert published_objects(log) == [f"n{number}" for number in range(count)]
    assert_sound(log)


def test_assigned_leaves_beyond_one_batch_are_published_in_batches(log, monkeypatch):
    with transaction.atomic():
        for number in range(8):
            add(f"n{number}")
    assert assign_indices(running_epoch()) == 8
    monkeypatch.setattr(sequence, "BATCH_ROWS", 3)
    assert publish_assigned(running_epoch(), log.signer).size == 8
    assert_sound(log)


def test_the_acts_on_an_object_are_found_in_log_order_with_their_words(log):
    act("a", detail={"name": "first"})
    act("b")
    act("a")
    publish_pending(log.signer)
    act("a")  # not published: not found
    found = logged_acts(["a"])
    assert [(one.index, one.detail, one.salt is None) for one in found] == [
        (0, {"name": "first"}, False),
        (2, None, True),
    ]
    assert {one.object for one in logged_acts(["a", "b"])} == {"a", "b"}


def test_an_act_whose_words_hold_only_a_session_shows_no_detail(log):
    from plainview.custody.record import record

    with transaction.atomic():
        act_id = record("recording.received", object="a", actor=CLERK, now=START)
    publish_pending(log.signer)
    assert (logged_act(act_id).salt, logged_act(act_id).detail) == (None, None)


def test_an_act_that_is_not_published_has_no_place(log):
    act_id = act("a")
    with pytest.raises(Leaf.DoesNotExist):
        logged_act(act_id)


# --- transactions that end out of order


def test_an_act_that_commits_last_is_not_lost_though_its_id_came_first(log):
    known_bad = IdCursorSequencer()
    with writers(2) as (early, late):
        early.begin()
        early.run(add, "early")
        late.begin()
        late.run(add, "late")
        late.commit()
        publish_pending(log.signer)
        known_bad.assign()
        assert published_objects(log) == []
        early.commit()
        publish_pending(log.signer)
        known_bad.assign()
    assert published_objects(log) == ["early", "late"]
    assert_sound(log)
    # The control: the sequencer that goes by ids never sees the early act.
    assert known_bad.objects == ["late"]


def test_of_the_acts_of_a_transaction_that_is_undone_none_is_published(log):
    with writers(2) as (one, other):
        one.begin()
        one.run(add, "undone")
        other.begin()
        other.run(add, "kept")
        other.commit()
        one.roll_back()
        publish_pending(log.signer)
    assert published_objects(log) == ["kept"]


def test_a_long_transaction_that_has_nothing_to_do_with_the_log_only_delays(log):
    with writers(1) as (stranger,):
        stranger.begin()
        stranger.run(ask, "SELECT pg_current_xact_id()")
        act("a")
        act("b")
        assert publish_pending(log.signer).size == 0
        assert count_unsequenced() == 2
        stranger.commit()
        assert publish_pending(log.signer).size == 2
    assert published_objects(log) == ["a", "b"]


def test_a_transaction_that_only_reads_delays_nothing(log):
    with writers(1) as (reader,):
        reader.begin()
        reader.run(ask, "SELECT count(*) FROM custody_act")
        act("a")
        assert publish_pending(log.signer).size == 1


def test_the_publishing_transaction_itself_delays_nothing(log):
    act("a")
    with transaction.atomic():
        # An xid of the sequencer's own would hold the snapshot's xmin down.
        assert assign_indices(running_epoch()) == 1
        assert ask("SELECT count(*) FROM custody_leaf") == [(1,)]


# --- two at once


def test_two_sequencers_at_once_give_each_act_one_index_and_leave_no_gap(log):
    for number in range(200):
        act(f"n{number}")
    outcomes = at_once(*(lambda: publish_pending(log.signer) for _ in range(4)))
    sizes = [outcome.size for outcome in outcomes]
    assert sizes == [200] * 4, outcomes
    assert published_objects(log) == [f"n{number}" for number in range(200)]
    assert_sound(log)


def test_acts_recorded_while_sequencers_run_are_each_published_once(log):
    def write(name):
        for number in range(60):
            act(f"{name}{number}")

    def publish():
        for _ in range(15):
            publish_pending(log.signer)

    outcomes = at_once(lambda: write("a"), lambda: write("b"), lambda: write("c"), publish, publish)
    assert outcomes == [None] * 5
    publish_pending(log.signer)
    published = published_objects(log)
    assert len(published) == 180
    for name in "abc":
        assert [word for word in published if word[0] == name] == [f"{name}{n}" for n in range(60)]
    assert_sound(log)


# --- interruptions


@pytest.mark.parametrize("acts_after", [0, 2])
def test_a_crash_between_index_and_files_converges_to_the_same_bytes(log, tmp_path, acts_after):
    for word in "abc":
        act(word)
    assign_indices(running_epoch())
    connection.close()  # the process died here
    for number in range(acts_after):
        act(f"later{number}")
    publish_pending(log.signer)
    uninterrupted = LogOfRows(tmp_path / "other", tmp_path / "other.sqlite")
    signer = uninterrupted.signer
    signer.log.begin(sign=signer.sign, key=signer.key, checkpoints=signer.checkpoints)
    publish_pending(signer)
    assert log.files() == uninterrupted.files()
    assert_sound(log)


def test_a_crash_while_indices_are_given_leaves_none_of_them(log):
    for word in "abc":
        act(word)
    with transaction.atomic():
        assert assign_indices(running_epoch()) == 3
        transaction.set_rollback(True)
    assert Leaf.objects.count() == 0
    assert publish_pending(log.signer).size == 3
    assert_sound(log)


@pytest.mark.parametrize("signatures", [0, 1])
def test_a_crash_while_signing_converges(log, signatures):
    from dataclasses import replace

    act("a")
    publish_pending(log.signer)
    act("b")
    signer, left = log.signer, [signatures]

    def cut_off(text):
        if not left[0]:
            raise PowerCutError
        left[0] -= 1
        return signer.sign(text)

    if signatures:
        # It signed; the power went before the checkpoint was published.
        publish_pending(signer)
        checkpoint_file = log.folder / "checkpoint"
        checkpoint_file.chmod(0o600)
        checkpoint_file.unlink()
    else:
        with pytest.raises(PowerCutError):
            publish_pending(replace(signer, sign=cut_off))
    assert Leaf.objects.count() == 2
    act("c")
    assert publish_pending(log.signer).size == 3
    assert published_objects(log) == ["a", "b", "c"]
    assert_sound(log)


def test_a_log_whose_files_another_process_writes_is_left_alone(log):
    act("a")
    with log.signer.log._folder.locked(), pytest.raises(LogBusyError):
        publish_pending(log.signer)
    assert publish_pending(log.signer).size == 1


# --- yesterday's database


def test_a_database_from_before_what_was_signed_is_refused(postgres, log, database):
    act("a")
    publish_pending(log.signer)
    connection.close()
    with copied_database(postgres, database) as yesterday:
        with connected_to(postgres, database):
            act("b")
            publish_pending(log.signer)
        before = log.files()
        with connected_to(postgres, yesterday):
            with pytest.raises(RollbackRefusedError):
                publish_pending(log.signer)
            act("another")
            # Again: it now holds as many acts as were signed, the last of them another one.
            with pytest.raises(EntriesDifferError):
                publish_pending(log.signer)
        assert log.files() == before
    with connected_to(postgres, database):
        act("c")
        assert publish_pending(log.signer).size == 3


def test_an_empty_database_under_a_log_that_signed_is_refused(postgres, log, database, tmp_path):
    act("a")
    publish_pending(log.signer)
    with copied_database(postgres):
        with transaction.atomic():
            sequence.start_epoch(epoch=1, origin=log.origin, vkey=log.vkey, now=START)
        with pytest.raises(RollbackRefusedError):
            publish_pending(log.signer)


def test_a_leaf_that_somebody_removed_from_the_database_stops_the_signing(postgres, log, database):
    for word in "abcd":
        act(word)
    assign_indices(running_epoch())
    postgres.execute(
        "superuser",
        database,
        "DO $$ BEGIN ALTER TABLE custody_leaf DISABLE TRIGGER USER; DELETE FROM custody_leaf WHERE index = 1; END $$",
    )
    with pytest.raises(LeafMissingError, match="no act at index 1 of custody log 1") as refused:
        publish_pending(log.signer)
    assert (refused.value.epoch, refused.value.index) == (1, 1)
    assert log.files() == {}


def test_leaves_that_somebody_else_assigned_are_published_with_ones_own(log):
    act("a")
    assign_indices(running_epoch())
    act("b")
    assert publish_pending(log.signer).size == 2
    assert published_objects(log) == ["a", "b"]
    assert_sound(log)


def test_what_the_app_reads_of_a_time_is_what_the_leaf_says(log):
    from datetime import timedelta

    for seconds in (0.0009999, -0.0000001, 0.9999999, -(10**9) - 0.5):
        act("a", seconds=seconds)
    publish_pending(log.signer)
    leaves = [parse_leaf(entry) for entry in log.signer.log.entries(0, 4)]
    kept = [at for (at,) in ask("SELECT at FROM custody_act ORDER BY id")]
    assert [leaf.at for leaf in leaves] == [at - timedelta(microseconds=at.microsecond % 1000) for at in kept]


def test_a_log_of_database_rows_passes_the_audit(log):
    for number in range(300):
        act(f"n{number}")
    publish_pending(log.signer)
    signer = log.signer
    last, _ = signer.checkpoints.last(log.origin)
    report = audit_log(signer.log.root, keys=[signer.key], known=last)
    assert report.is_sound
    assert report.entries == 300


# --- a restored database


def restored_rows(postgres, database, rows):
    """Put acts in place with the transaction ids of another cluster, as a restore does."""
    for xid, word in rows:
        postgres.execute(
            "owner",
            database,
            "INSERT INTO custody_act (xid, at, act, object, actor, outcome, facts) "
            "VALUES (%s::text::xid8, now(), 'recording.received', %s, 'system:tests', 'ok', '{}')",
            str(xid),
            word,
        )


FAR = 2**40  # a transaction id that a new cluster reaches in years


def test_acts_that_came_with_a_backup_are_published_and_new_ones_follow(postgres, log, database):
    restored_rows(postgres, database, [(FAR + 2, "third"), (FAR, "first"), (FAR, "second"), (5, "zeroth")])
    with transaction.atomic():
        mark_restored(now=START)
    epoch = running_epoch()
    assert assign_indices(epoch) == 0
    assert assign_restored(epoch) == 4
    assert assign_restored(epoch) == 0
    act("new")
    assert publish_pending(log.signer).size == 5
    assert published_objects(log) == ["zeroth", "first", "second", "third", "new"]
    assert_sound(log)


def test_without_the_mark_acts_of_a_backup_would_wait_for_years(postgres, log, database):
    # The control: their transaction ids lie ahead of this cluster's.
    restored_rows(postgres, database, [(FAR, "first")])
    assert assign_indices(running_epoch()) == 0
    assert assign_restored(running_epoch()) == 0


def test_acts_that_had_an_index_before_the_backup_keep_it(postgres, log, database):
    act("a")
    publish_pending(log.signer)
    restored_rows(postgres, database, [(FAR, "b")])
    with transaction.atomic():
        mark_restored(now=START)
    assert assign_restored(running_epoch()) == 1
    act("c")
    assert publish_pending(log.signer).size == 3
    assert published_objects(log) == ["a", "b", "c"]


def test_restored_acts_beyond_one_batch_are_assigned_in_batches(postgres, log, database, monkeypatch):
    monkeypatch.setattr(sequence, "BATCH_ROWS", 2)
    restored_rows(postgres, database, [(FAR, "a"), (FAR, "b"), (FAR, "c")])
    with transaction.atomic():
        mark_restored(now=START)
    assert [assign_restored(running_epoch()) for _ in range(3)] == [2, 1, 0]


def test_a_new_epoch_begins_with_index_0_and_holds_only_what_came_after(log, tmp_path):
    act("a")
    act("b")
    publish_pending(log.signer)
    following = log.next_epoch(tmp_path / "log2")
    following.start()
    act("c")
    assert publish_pending(following.signer).size == 1
    assert published_objects(following) == ["c"]
    assert published_objects(log) == ["a", "b"]
    assert [epoch.epoch for epoch in all_epochs()] == [1, 2]
    assert running_epoch().epoch == 2
    assert [epoch.after_act_id for epoch in all_epochs()] == [0, 2]


def test_acts_of_the_older_epoch_without_an_index_are_assigned_to_the_new_one(log, tmp_path):
    act("a")
    publish_pending(log.signer)
    act("left")
    following = log.next_epoch(tmp_path / "log2")
    following.start()
    act("b")
    assert assign_restored(running_epoch()) == 1
    assert publish_pending(following.signer).size == 2
    assert published_objects(following) == ["left", "b"]


def test_a_writer_that_is_forgotten_is_rolled_back(database):
    writer = Writer()
    writer.begin()
    writer.run(add, "a")
    writer.close()
    assert objects_in_log.__doc__
    assert ask("SELECT count(*) FROM custody_act") == [(0,)]

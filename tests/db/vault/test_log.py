import os
import shutil
import stat

import pytest

from plainview.formats.errors import FormatError
from plainview.formats.merkle import leaf_hash
from plainview.formats.proof import LogProof
from plainview.vault.checkpoint_store import CheckpointStore
from plainview.vault.log import TiledLog
from plainview.vault.log_errors import (
    CheckpointAheadError,
    CheckpointMovedError,
    CheckpointSignatureError,
    ContradictionError,
    EntriesDifferError,
    LogBusyError,
    LogReadError,
    LogWriteError,
    LostCheckpointStoreError,
    RollbackRefusedError,
    SplitViewError,
)
from plainview.vault.log_keys import open_checkpoint, sign_checkpoint
from plainview.verify.inclusion import verify_consistency, verify_inclusion
from simulators.custody_logs import KEY, ORIGIN, SIGN, LogUnderTest, key_of, leaf, leaves, replace_file
from simulators.rfc6962 import tree_hash


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    """What is durable when is another file's question: test_log_interrupted.py."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture
def under_test(tmp_path):
    return LogUnderTest(tmp_path)


@pytest.fixture
def of_300(under_test):
    under_test.append(leaves(0, 300))
    return under_test


# What an append promises.


def test_an_append_publishes_what_it_returns(under_test):
    checkpoint = under_test.append(leaves(0, 300))
    published, note = under_test.log.published()
    assert published == checkpoint == open_checkpoint(note, keys=[KEY], origin=ORIGIN)
    assert (checkpoint.size, checkpoint.root) == (300, tree_hash(leaves(0, 300)))
    assert under_test.checkpoints.last(ORIGIN) == (checkpoint, note)
    assert list(under_test.log.entries(0, 300)) == leaves(0, 300)


def test_the_spec_s_own_example_gives_the_spec_s_own_paths(under_test):
    under_test.append([b"%d" % n for n in range(70_000)])
    names = set(under_test.files())
    assert {"tile/0/000", "tile/0/272", "tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17"} <= names
    assert {"tile/2/000.p/1", "tile/entries/000", "tile/entries/273.p/112", "checkpoint"} <= names
    assert len(names) == 1 + 274 + 274 + 2 + 1


def test_many_small_appends_leave_the_same_log_as_one(under_test, tmp_path):
    for start in range(0, 300, 60):
        under_test.append(leaves(start, start + 60))
    at_once = LogUnderTest(tmp_path / "at-once")
    (tmp_path / "at-once").mkdir()
    at_once.append(leaves(0, 300))
    assert at_once.files().items() <= under_test.files().items()


def test_unfinished_tiles_are_removed_once_full(of_300):
    assert "tile/0/001.p/44" in of_300.files()
    of_300.append(leaves(300, 512))
    assert not [name for name in of_300.files() if name.startswith(("tile/0/001.p", "tile/entries/001.p"))]


def test_unfinished_tiles_are_kept_until_full(of_300):
    of_300.append(leaves(300, 310))
    assert {"tile/0/001.p/44", "tile/0/001.p/54", "tile/entries/001.p/44"} <= set(of_300.files())


def test_every_file_is_read_only(of_300):
    modes = {stat.S_IMODE(path.stat().st_mode) for path in of_300.root.rglob("*") if path.is_file()}
    assert modes == {0o440}


def test_nothing_to_append_signs_nothing(of_300):
    signed = []
    of_300.sign = signed.append
    assert of_300.append([]).size == 300
    assert signed == []


def test_a_log_of_no_entries_publishes_no_checkpoint(under_test):
    assert under_test.append([]).size == 0
    assert under_test.log.published() is None
    assert under_test.log.size() == 0


def test_an_entry_too_long_is_refused_and_nothing_changes(of_300):
    before = of_300.files()
    with pytest.raises(FormatError):
        of_300.append([leaf(300), b"x" * 65_536])
    assert of_300.files() == before


def test_the_same_entries_again_are_compared_not_added(of_300):
    assert of_300.append(leaves(100, 300), start=100).size == 300
    assert of_300.append(leaves(100, 310), start=100).root == tree_hash(leaves(0, 310))


def test_other_entries_at_an_index_the_log_holds_are_refused(of_300):
    entries = leaves(100, 310)
    entries[50] = leaf(150, object_id="R-26-99999999-K")
    with pytest.raises(EntriesDifferError, match="entry 150: the log holds another entry") as caught:
        of_300.append(entries, start=100)
    assert caught.value.index == 150
    assert of_300.log.size() == 300


def test_entries_past_the_end_are_refused(of_300):
    with pytest.raises(EntriesDifferError, match="entry 300: the log ends here"):
        of_300.append([leaf(301)], start=301)


def test_a_start_below_zero_is_refused(of_300):
    with pytest.raises(ValueError, match="expected 0 <="):
        of_300.append([leaf(0)], start=-1)


def test_a_log_begins_once(under_test):
    for _ in range(2):
        under_test.log.begin(sign=SIGN, key=KEY, checkpoints=under_test.checkpoints)
    assert under_test.checkpoints.last(ORIGIN)[0].size == 0
    assert under_test.append(leaves(0, 3)).size == 3


# Proofs.


def test_every_entry_is_proven_under_every_checkpoint_published(under_test):
    checkpoints = [under_test.append(leaves(start, start + 180)) for start in range(0, 540, 180)]
    log = under_test.log
    for checkpoint in checkpoints:
        for index in range(0, checkpoint.size, 37):
            path = log.prove_inclusion(index, checkpoint.size)
            verify_inclusion(
                leaf=leaf_hash(leaf(index)),
                index=index,
                size=checkpoint.size,
                path=path,
                root=checkpoint.root,
            )


def test_every_published_checkpoint_continues_every_earlier_one(under_test):
    checkpoints = [under_test.append(leaves(start, start + 90)) for start in range(0, 540, 90)]
    for nth, new in enumerate(checkpoints):
        for old in checkpoints[: nth + 1]:
            verify_consistency(
                old_size=old.size,
                old_root=old.root,
                new_size=new.size,
                new_root=new.root,
                path=under_test.log.prove_consistency(old.size, new.size),
            )


def test_a_proof_carries_the_published_note(of_300):
    _, note = of_300.log.published()
    assert of_300.log.prove(7) == LogProof(index=7, path=of_300.log.prove_inclusion(7, 300), note=note)


def test_the_root_of_any_earlier_size_is_told(of_300):
    assert of_300.log.root_at(123) == tree_hash(leaves(0, 123))
    assert of_300.log.root_at(0) == tree_hash([])


def test_entries_are_read_across_bundles(of_300):
    assert list(of_300.log.entries(250, 260)) == leaves(250, 260)
    assert list(of_300.log.entries(5, 5)) == []
    assert of_300.log.entry(299) == leaf(299)


@pytest.mark.parametrize(
    "ask",
    [
        lambda log: log.entry(300),
        lambda log: log.entry(-1),
        lambda log: list(log.entries(10, 5)),
        lambda log: log.root_at(301),
        lambda log: log.root_at(-1),
        lambda log: log.prove_inclusion(300, 300),
        lambda log: log.prove_inclusion(0, 301),
        lambda log: log.prove(300),
        lambda log: log.prove(-1),
        lambda log: log.prove_consistency(0, 300),
        lambda log: log.prove_consistency(5, 4),
        lambda log: log.prove_consistency(5, 301),
    ],
)
def test_what_is_not_published_is_not_told(of_300, ask):
    with pytest.raises(ValueError, match=r"expected|not published"):
        ask(of_300.log)


def test_an_empty_log_proves_nothing(under_test):
    with pytest.raises(ValueError, match="0 entries are"):
        under_test.log.prove(0)


# Two writers.


def test_a_second_writer_is_told_that_the_log_is_busy(under_test):
    told = []

    def sign(text):
        with pytest.raises(LogBusyError, match="another process") as caught:
            TiledLog(under_test.root, origin=ORIGIN).append(
                leaves(0, 2), sign=SIGN, key=KEY, checkpoints=under_test.checkpoints
            )
        told.append(caught.value.root)
        return SIGN(text)

    under_test.sign = sign
    assert under_test.append(leaves(0, 3)).size == 3
    assert under_test.log.size() == 3
    assert set(told) == {under_test.root}


def test_of_two_writers_on_two_copies_of_the_folder_exactly_one_wins(of_300, tmp_path):
    copy = TiledLog(tmp_path / "copy", origin=ORIGIN)

    def sign_while_another_is_first(text):
        shutil.copytree(of_300.root, tmp_path / "copy", dirs_exist_ok=True)
        copy.append([leaf(300)], sign=SIGN, key=KEY, checkpoints=of_300.checkpoints)
        return SIGN(text)

    loser = LogUnderTest(of_300.folder, sign=sign_while_another_is_first)
    with pytest.raises(CheckpointMovedError, match="another writer was first"):
        loser.append([leaf(300, object_id="R-26-99999999-K")])
    assert of_300.log.size() == 300
    assert of_300.checkpoints.last(ORIGIN)[0].root == tree_hash(leaves(0, 301))
    with pytest.raises(RollbackRefusedError):
        of_300.append([leaf(300)])


# What must never be signed.


def restored(of_300, name):
    """Go on after a copy was taken, then put that copy of the tiles or of the checkpoint store back."""
    backup = of_300.folder / "backup"
    source = of_300.folder / name
    (shutil.copytree if source.is_dir() else shutil.copyfile)(source, backup)
    of_300.append(leaves(300, 310))
    if source.is_dir():
        shutil.rmtree(source)
        shutil.copytree(backup, source)
    else:
        shutil.copyfile(backup, source)
    return of_300


def test_tiles_from_a_backup_are_refused_and_the_message_says_what_to_do(of_300):
    old = restored(of_300, "log")
    with pytest.raises(RollbackRefusedError, match="--new-epoch REASON") as caught:
        old.append(leaves(300, 301))
    error = caught.value
    assert (error.known_size, error.known_root) == (310, tree_hash(leaves(0, 310)))
    assert (error.found_size, error.found_root) == (300, tree_hash(leaves(0, 300)))
    assert (error.where, "last signed 310 entries" in str(error)) == ("tiles", True)


def test_tiles_from_a_backup_may_go_on_once_newer_ones_are_there(of_300):
    old = restored(of_300, "log")
    newer = LogUnderTest(of_300.folder / "newer")
    newer.folder.mkdir()
    newer.append(leaves(0, 310))
    shutil.copytree(newer.root, old.root, dirs_exist_ok=True)
    assert old.append([leaf(310)]).size == 311


def test_a_checkpoint_store_from_a_backup_is_refused(of_300):
    old = restored(of_300, "checkpoint-store.sqlite")
    with pytest.raises(CheckpointAheadError, match="replaced by an older copy") as caught:
        old.append([leaf(310)])
    assert (caught.value.known.size, caught.value.published.size) == (300, 310)


def test_a_database_from_a_backup_is_refused(of_300):
    with pytest.raises(RollbackRefusedError, match="the database here hold 299 entries") as caught:
        of_300.log.check_continues(of_300.checkpoints, key=KEY, database_size=299)
    assert (caught.value.found_root, caught.value.where) == (tree_hash(leaves(0, 299)), "database")


def test_a_database_that_has_come_as_far_or_farther_is_accepted(of_300):
    for size in (300, 301, None):
        checked = of_300.log.check_continues(of_300.checkpoints, key=KEY, database_size=size)
        assert checked == of_300.log.published()[0]


def test_a_lost_checkpoint_store_is_told_apart_from_a_new_log(of_300):
    (of_300.folder / "checkpoint-store.sqlite").unlink()
    for act in (
        lambda: of_300.append([leaf(300)]),
        lambda: of_300.log.check_continues(of_300.checkpoints, key=KEY),
        lambda: of_300.log.recover(of_300.checkpoints, key=KEY),
        lambda: of_300.log.begin(sign=SIGN, key=KEY, checkpoints=of_300.checkpoints),
    ):
        with pytest.raises(LostCheckpointStoreError, match="has signed 300 entries or more") as caught:
            act()
        assert caught.value.found_size == 300


def test_a_checkpoint_store_and_checkpoint_lost_together_are_noticed_by_the_tiles(of_300):
    (of_300.folder / "checkpoint-store.sqlite").unlink()
    (of_300.root / "checkpoint").unlink()
    with pytest.raises(LostCheckpointStoreError):
        of_300.append([leaf(300)])


def test_a_vanished_log_is_refused(of_300):
    shutil.rmtree(of_300.root)
    with pytest.raises(RollbackRefusedError, match="the tiles here hold 0 entries") as caught:
        of_300.append(leaves(0, 301), start=0)
    assert caught.value.found_size == 0


@pytest.mark.parametrize("path", ["tile/0/001.p/44", "tile/1/000.p/1"])
def test_an_altered_right_edge_is_refused(of_300, path):
    data = (of_300.root / path).read_bytes()
    replace_file(of_300.root / path, bytes([data[0] ^ 1]) + data[1:])
    with pytest.raises(RollbackRefusedError, match="or were altered since") as caught:
        of_300.append([leaf(300)])
    assert caught.value.found_size == 300


def test_a_published_checkpoint_that_contradicts_the_last_signature_is_a_split_view(of_300, tmp_path):
    fork = LogUnderTest(tmp_path / "fork")
    fork.folder.mkdir()
    fork.append([leaf(n, object_id="R-26-99999999-K") for n in range(300)])
    replace_file(of_300.root / "checkpoint", (fork.root / "checkpoint").read_bytes())
    with pytest.raises(SplitViewError, match="together they prove that the log was forked"):
        of_300.append([leaf(300)])


def test_another_key_than_the_log_s_is_refused(of_300):
    of_300.sign, of_300.key = key_of(b"another")
    with pytest.raises(CheckpointSignatureError):
        of_300.append([leaf(300)])


def test_a_published_checkpoint_signed_by_another_key_is_refused(of_300):
    sign, key = key_of(b"another")
    forged = sign_checkpoint(of_300.log.published()[0], sign=sign, key=key)
    replace_file(of_300.root / "checkpoint", forged.encode())
    with pytest.raises(CheckpointSignatureError):
        of_300.append([leaf(300)])


@pytest.mark.parametrize("data", [b"not a checkpoint", b"\xff"])
def test_a_checkpoint_file_that_is_none_is_named(of_300, data):
    replace_file(of_300.root / "checkpoint", data)
    with pytest.raises(LogReadError, match="log file checkpoint") as caught:
        of_300.append([leaf(300)])
    assert caught.value.path == "checkpoint"


def test_another_log_s_folder_is_refused(of_300):
    other = TiledLog(of_300.root, origin="other.example/custody/1")
    with pytest.raises(LogReadError, match=r"expected other\.example"):
        other.size()


def test_a_contradiction_is_one_kind_of_error():
    kinds = (RollbackRefusedError, LostCheckpointStoreError, CheckpointAheadError, SplitViewError)
    assert all(issubclass(kind, ContradictionError) for kind in kinds)


# After an interruption.


def test_a_signed_but_unpublished_checkpoint_is_published_at_the_next_start(of_300):
    older = (of_300.root / "checkpoint").read_bytes()
    of_300.append(leaves(300, 310))
    newer = (of_300.root / "checkpoint").read_bytes()
    for left in (older, None):
        (of_300.root / "checkpoint").unlink()
        if left:
            (of_300.root / "checkpoint").write_bytes(left)
        assert of_300.log.recover(of_300.checkpoints, key=KEY, database_size=310).size == 310
        assert (of_300.root / "checkpoint").read_bytes() == newer


def test_recovering_a_sound_log_writes_nothing(of_300):
    before = (of_300.root / "checkpoint").stat().st_ino
    of_300.log.recover(of_300.checkpoints, key=KEY)
    assert (of_300.root / "checkpoint").stat().st_ino == before


def test_what_an_interrupted_writer_left_aside_is_removed(of_300):
    (of_300.root / ".incoming" / "0").write_bytes(b"torn")
    of_300.append([leaf(300)])
    assert not list((of_300.root / ".incoming").iterdir())


def test_a_folder_that_cannot_be_written_says_that_nothing_is_lost(under_test, tmp_path):
    (tmp_path / "log").write_bytes(b"a file is in the way")
    with pytest.raises(LogWriteError, match="no entry is lost") as caught:
        under_test.append(leaves(0, 1))
    assert caught.value.path == "."


def test_a_tile_that_cannot_be_read_is_named(of_300):
    (of_300.root / "tile/0/000").unlink()
    (of_300.root / "tile/0/000").mkdir()
    with pytest.raises(LogReadError, match="tile/0/000"):
        of_300.log.root_at(200)


def test_the_checkpoint_store_opens_beside_a_running_one(of_300):
    assert CheckpointStore(of_300.folder / "checkpoint-store.sqlite").last(ORIGIN)[0].size == 300

import os
import shutil
from datetime import timedelta

import pytest

from plainview.formats.checkpoint import Checkpoint
from plainview.formats.merkle import leaf_hash
from plainview.formats.tiles import pack_entries, unpack_entries
from plainview.vault.audit import audit_log, verify_continuation
from plainview.vault.log_errors import CheckpointSignatureError, SplitViewError
from plainview.vault.log_keys import sign_checkpoint
from simulators.custody_logs import (
    KEY,
    ORIGIN,
    SIGN,
    START,
    LogUnderTest,
    flip,
    key_of,
    leaf,
    leaves,
    replace_file,
)

SIZE = 700


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture(scope="module")
def golden(tmp_path_factory):
    """Return a log of 700 entries that was published at 690 too: some of its tiles have an older form."""
    golden = LogUnderTest(tmp_path_factory.mktemp("golden"))
    golden.append(leaves(0, 690))
    golden.append(leaves(690, SIZE))
    return golden


@pytest.fixture
def log(golden, tmp_path):
    shutil.copytree(golden.folder, tmp_path, dirs_exist_ok=True)
    return LogUnderTest(tmp_path)


def audited(log, **options):
    return audit_log(log.root, keys=[KEY], **options)


def named(report):
    return sorted({finding.path for finding in report.findings})


def rewrite_entry(log, index, entry, *, tile=False):
    """Replace an entry in its bundle and, if asked, its hash in the tile above."""
    number, place = divmod(index, 256)
    bundle = next(log.root.glob(f"tile/entries/{number:03d}*"))
    bundle = max(bundle.iterdir(), key=lambda path: int(path.name)) if bundle.is_dir() else bundle
    entries = unpack_entries(
        bundle.read_bytes(), width=int(bundle.name) if bundle.parent.suffix == ".p" else 256
    )
    entries[place] = entry
    replace_file(bundle, pack_entries(entries))
    if tile:
        path = log.root / bundle.relative_to(log.root / "tile/entries").as_posix()
        path = log.root / "tile/0" / bundle.relative_to(log.root / "tile/entries")
        data = path.read_bytes()
        replace_file(path, data[: 32 * place] + leaf_hash(entry) + data[32 * place + 32 :])


def test_a_sound_log_has_no_findings(log):
    report = audited(log)
    assert report.is_sound
    assert (report.findings, report.notices, report.entries) == ((), (), SIZE)
    assert report.checkpoint == log.log.published()[0]


@pytest.mark.parametrize("size", [1, 255, 256, 257, 512])
def test_a_sound_log_of_any_size_has_no_findings(tmp_path, size):
    log = LogUnderTest(tmp_path)
    log.append(leaves(0, size))
    assert audited(log).findings == ()
    assert audited(log).entries == size


def test_a_log_that_never_published_is_sound(tmp_path):
    report = audit_log(tmp_path / "none", keys=[KEY])
    assert (report.is_sound, report.checkpoint, report.notices) == (True, None, ())


def test_progress_is_told_to_the_end(log):
    told = []
    audited(log, on_progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (SIZE, SIZE)


def files_of_golden():
    tiles = ["tile/0/000", "tile/0/001", "tile/0/002.p/188", "tile/0/002.p/178", "tile/1/000.p/2"]
    return [*tiles, *(tile.replace("tile/0", "tile/entries") for tile in tiles[:4])]


def test_the_golden_log_holds_exactly_the_files_that_are_tampered_with_here(golden):
    assert sorted(golden.files()) == sorted(["checkpoint", *files_of_golden()])


@pytest.mark.parametrize("path", [*files_of_golden(), "checkpoint"])
def test_a_flipped_bit_is_found_and_only_its_file_is_named(log, path):
    flip(log.root / path)
    assert named(audited(log)) == [path]


@pytest.mark.parametrize("path", files_of_golden())
def test_a_file_cut_short_is_named(log, path):
    data = (log.root / path).read_bytes()
    replace_file(log.root / path, data[:-5])
    if path.endswith("/178"):
        assert audited(log).is_sound, "an older form that is a prefix of the newer says nothing false"
    else:
        assert named(audited(log)) == [path]


@pytest.mark.parametrize("path", [*files_of_golden(), "checkpoint"])
def test_a_file_with_more_behind_it_is_named(log, path):
    replace_file(log.root / path, (log.root / path).read_bytes() + b"more\n")
    assert named(audited(log)) == [path]


@pytest.mark.parametrize("path", [path for path in files_of_golden() if not path.endswith("/178")])
def test_a_missing_file_is_named(log, path):
    (log.root / path).unlink()
    assert named(audited(log)) == [path]


def test_an_unreadable_file_is_named(log):
    (log.root / "tile/0/001").unlink()
    (log.root / "tile/0/001").mkdir()
    assert named(audited(log)) == ["tile/0/001"]


@pytest.mark.parametrize("index", [0, 300, 699])
def test_an_altered_entry_is_named_with_its_index(log, index):
    rewrite_entry(log, index, leaf(index, object_id="R-26-99999999-K"))
    (finding,) = audited(log).findings
    assert finding.path.startswith("tile/entries/")
    assert finding.problem == f"altered: entry {index}"


def test_many_altered_entries_in_one_bundle_are_told_shortly(log):
    for index in range(10):
        rewrite_entry(log, index, leaf(index, object_id="R-26-99999999-K"))
    (finding,) = audited(log).findings
    assert finding.problem == "altered: entry 0, 1, 2, 3, 4 and 5 more"


@pytest.mark.parametrize("index", [300, 699])
def test_an_entry_altered_together_with_its_tile_is_found_by_the_signed_root(log, index):
    rewrite_entry(log, index, leaf(index, object_id="R-26-99999999-K"), tile=True)
    assert "checkpoint" in named(audited(log))


def test_an_entry_and_the_tile_above_its_tile_altered_are_both_named(log):
    rewrite_entry(log, 300, leaf(300, object_id="R-26-99999999-K"))
    flip(log.root / "tile/1/000.p/2", at=40)
    assert {"tile/1/000.p/2", "checkpoint"} <= set(named(audited(log)))


def test_an_entry_altered_where_the_tile_above_is_gone_leaves_nothing_unsaid(log):
    rewrite_entry(log, 300, leaf(300, object_id="R-26-99999999-K"))
    (log.root / "tile/1/000.p/2").unlink()
    assert {"tile/1/000.p/2", "tile/entries/001"} <= set(named(audited(log)))


def test_a_bundle_and_its_tile_both_gone_are_both_named(log):
    for path in ("tile/entries/001", "tile/0/001"):
        (log.root / path).unlink()
    assert {"tile/entries/001", "tile/0/001", "checkpoint"} == set(named(audited(log)))


def test_two_altered_bundles_are_told_apart_from_two_altered_tiles(log):
    rewrite_entry(log, 5, leaf(5, object_id="R-26-99999999-K"))
    flip(log.root / "tile/0/001")
    rewrite_entry(log, 690, leaf(690, object_id="R-26-99999999-K"))
    assert named(audited(log)) == ["tile/0/001", "tile/entries/000", "tile/entries/002.p/188"]


def test_a_log_signed_by_somebody_else_is_refused(log):
    report = audit_log(log.root, keys=[key_of(b"somebody else")[1]])
    assert (named(report), report.checkpoint) == (["checkpoint"], None)


def test_a_checkpoint_whose_size_was_altered_is_refused(log):
    path = log.root / "checkpoint"
    replace_file(path, path.read_bytes().replace(b"\n700\n", b"\n690\n"))
    assert named(audited(log)) == ["checkpoint"]


def test_entries_out_of_order_are_found_even_when_signed(tmp_path):
    log = LogUnderTest(tmp_path)
    log.append([leaf(0), leaf(2), leaf(1)])
    problems = [finding.problem for finding in audited(log).findings]
    assert problems == ["entry 1 says it is entry 2", "entry 2 says it is entry 1"]


def test_an_entry_that_is_no_leaf_is_found_even_when_signed(tmp_path):
    log = LogUnderTest(tmp_path)
    log.append([leaf(0), b"{}", leaf(2)])
    (finding,) = audited(log).findings
    assert finding.path == "tile/entries/000.p/3"
    assert finding.problem.startswith("entry 1: custody leaf")


def test_a_time_that_steps_back_is_told_and_is_no_fault(tmp_path):
    log = LogUnderTest(tmp_path)
    log.append([leaf(0), leaf(1, at=START - timedelta(hours=1)), leaf(2)])
    report = audited(log)
    assert report.is_sound
    (notice,) = report.notices
    assert notice.problem == (
        "entry 1 is of 2026-03-15T05:52:07.300Z, the one before it of 2026-03-15T06:52:07.300Z"
    )


def test_a_time_that_steps_back_between_two_tasks_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("plainview.vault.audit.BUNDLES_A_TASK", 1)
    log = LogUnderTest(tmp_path)
    log.append([*leaves(0, 256), leaf(256, at=START), leaf(257)])
    (notice,) = audited(log).notices
    assert notice.problem.startswith("entry 256 is of 2026-03-15T06:52:07.300Z, the one before")


def test_a_clock_that_runs_backwards_fills_no_page(tmp_path):
    log = LogUnderTest(tmp_path)
    log.append([leaf(n, at=START - timedelta(seconds=n)) for n in range(100)])
    assert len(audited(log).notices) == 20


# Against what is known to have been signed.


def test_an_older_state_of_the_log_is_found_by_what_was_signed_since(log, golden, tmp_path):
    newer = LogUnderTest(tmp_path / "newer")
    shutil.copytree(golden.folder, newer.folder)
    known = newer.append(leaves(SIZE, SIZE + 5))
    assert audited(log).is_sound
    assert "tile/0/002.p/193" in named(audited(log, known=known))


def test_a_checkpoint_left_behind_by_an_interruption_is_no_fault(log):
    older = (log.root / "checkpoint").read_bytes()
    known = log.append(leaves(SIZE, SIZE + 5))
    replace_file(log.root / "checkpoint", older)
    report = audited(log, known=known)
    assert (report.is_sound, report.checkpoint) == (True, known)
    assert "the next start mends it" in report.notices[0].problem


def test_a_checkpoint_store_that_is_old_is_found(log):
    known = Checkpoint(ORIGIN, 690, log.log.root_at(690))
    (finding,) = audited(log, known=known).findings
    assert "the checkpoint store only 690" in finding.problem


def test_a_fork_is_a_split_view(log):
    known = Checkpoint(ORIGIN, SIZE, b"r" * 32)
    (finding,) = audited(log, known=known).findings
    assert finding.problem.startswith("a split view: 700 entries were signed with root 7272")


def test_a_missing_checkpoint_is_named_where_one_was_signed(log):
    known = log.log.published()[0]
    (log.root / "checkpoint").unlink()
    assert named(audited(log, known=known)) == ["checkpoint"]


def test_a_missing_checkpoint_is_told_where_there_are_tiles(log):
    (log.root / "checkpoint").unlink()
    (notice,) = audited(log).notices
    assert notice.path == "checkpoint"


def test_another_log_s_checkpoint_is_found(log):
    sign, key = key_of(b"other", "other.example/custody/1")
    other = sign_checkpoint(Checkpoint(key.name, SIZE, log.log.root_at(SIZE)), sign=sign, key=key)
    known = log.log.published()[0]
    replace_file(log.root / "checkpoint", other.encode())
    (finding,) = audit_log(log.root, keys=[KEY, key], known=known).findings
    assert finding.problem == f"expected the log {ORIGIN}, got other.example/custody/1"


# Files that the checkpoint does not need.


@pytest.mark.parametrize(
    "path", ["notes.txt", "tile/0/3", "tile/0/x000/001", "tile/5", "tile/entries/000.p/300"]
)
def test_a_file_that_is_not_part_of_the_log_is_told(log, path):
    (log.root / path).parent.mkdir(parents=True, exist_ok=True)
    (log.root / path).write_bytes(b"?")
    report = audited(log)
    assert report.is_sound
    assert [(notice.path, notice.problem) for notice in report.notices] == [(path, "not part of the log")]


def test_what_an_interruption_left_is_told(log):
    (log.root / ".incoming/0").write_bytes(b"torn")
    (log.root / "tile/0/003").write_bytes(b"?" * 8192)
    (log.root / "tile/entries/002.p/200").write_bytes(b"?")
    report = audited(log)
    assert report.is_sound
    assert [notice.path for notice in report.notices] == [
        ".incoming/0",
        "tile/0/003",
        "tile/entries/002.p/200",
    ]


def test_an_older_form_is_not_blamed_for_the_newer_one(log):
    rewrite_entry(log, 520, leaf(520, object_id="R-26-99999999-K"))
    assert named(audited(log)) == ["tile/entries/002.p/188"]


def test_an_older_form_that_cannot_be_read_is_told(log):
    (log.root / "tile/0/002.p/178").unlink()
    (log.root / "tile/0/002.p/178").symlink_to("nowhere")
    (notice,) = audited(log).notices
    assert notice.path == "tile/0/002.p/178"


# From one checkpoint to the next.


@pytest.fixture
def continued(log):
    old = log.log.published()[1]
    log.append(leaves(SIZE, SIZE + 50))
    return old, log.log.published()[1], log.log.prove_consistency(SIZE, SIZE + 50)


def test_a_continuation_is_accepted(continued):
    old, new, path = continued
    verify_continuation(old_note=old, new_note=new, path=path, keys=[KEY])


def test_a_fork_does_not_continue(continued):
    _, new, path = continued
    fork = sign_checkpoint(Checkpoint(ORIGIN, SIZE, b"f" * 32), sign=SIGN, key=KEY)
    with pytest.raises(SplitViewError) as caught:
        verify_continuation(old_note=fork, new_note=new, path=path, keys=[KEY])
    assert (caught.value.known.root, caught.value.offered.size) == (b"f" * 32, SIZE + 50)


def test_an_older_checkpoint_does_not_continue_a_newer_one(continued):
    old, new, path = continued
    with pytest.raises(SplitViewError):
        verify_continuation(old_note=new, new_note=old, path=path, keys=[KEY])


def test_two_logs_do_not_continue_each_other(continued):
    old, _, path = continued
    sign, key = key_of(b"other", "other.example/custody/1")
    other = sign_checkpoint(Checkpoint(key.name, SIZE, b"r" * 32), sign=sign, key=key)
    with pytest.raises(CheckpointSignatureError, match="expected this log"):
        verify_continuation(old_note=old, new_note=other, path=path, keys=[KEY, key])

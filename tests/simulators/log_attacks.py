"""Attacks on a log: its tiles, its checkpoint, the record of the last signature, and the database behind it."""

import shutil
from collections.abc import Callable
from pathlib import Path

from plainview.formats.checkpoint import Checkpoint
from plainview.formats.merkle import leaf_hash, tree_root
from plainview.formats.tiles import pack_entries, unpack_entries
from plainview.vault.audit import audit_log, verify_continuation
from plainview.vault.log_errors import LogError
from plainview.vault.log_keys import sign_checkpoint
from simulators.attacks import Row
from simulators.custody_logs import KEY, ORIGIN, SIGN, LogUnderTest, flip, key_of, leaf, leaves, replace_file

SIZE = 600
ROWS: list[Row] = []
FILES = "A log's files, as `plainview fsck` reads them"
SIGNING = "A log that is asked to contradict itself"


def published(folder: Path, size: int = SIZE) -> LogUnderTest:
    """Publish a log of two full tiles and an unfinished one."""
    log = LogUnderTest(folder)
    folder.mkdir(parents=True, exist_ok=True)
    log.append(leaves(0, size))
    return log


def on_files(number: str):
    """Register a function that alters a log's files; the audit must find it and name a file."""

    def register(do: Callable[[LogUnderTest], Checkpoint | None]):
        def run(scratch: Path) -> tuple[str, str]:
            log = published(scratch / "log")
            known, _ = log.checkpoints.last(ORIGIN)
            known = do(log) or known
            report = audit_log(log.root, keys=[KEY], known=known, workers=1)
            named = ", ".join(sorted({finding.path for finding in report.findings}))
            return ("OK", "") if report.is_sound else ("found", f"names {named}")

        ROWS.append(Row(number, do.__doc__.strip().rstrip("."), "found", run, FILES))
        return do

    return register


def on_signing(number: str):
    """Register a function that would have the log sign or accept a contradiction; it must raise LogError."""

    def register(do: Callable[[LogUnderTest], None]):
        def run(scratch: Path) -> tuple[str, str]:
            try:
                do(published(scratch / "log"))
            except LogError as error:
                return "refused", type(error).__name__
            return "OK", "nothing was refused"

        ROWS.append(Row(number, do.__doc__.strip().rstrip("."), "refused", run, SIGNING))
        return do

    return register


def resign(log: LogUnderTest, entries: list[bytes], *, sign=SIGN, key=KEY) -> str:
    """Sign a checkpoint over these entries."""
    root = tree_root(leaf_hash(entry) for entry in entries)
    return sign_checkpoint(Checkpoint(log.origin, len(entries), root), sign=sign, key=key)


@on_files("L01")
def entry_flipped(log):
    """One bit of one entry is flipped."""
    flip(log.root / "tile/entries/000")


@on_files("L02")
def tile_flipped(log):
    """One bit of a full tile of leaf hashes is flipped."""
    flip(log.root / "tile/0/000")


@on_files("L03")
def second_tile_flipped(log):
    """One bit of another full tile of leaf hashes is flipped."""
    flip(log.root / "tile/0/001")


@on_files("L04")
def unfinished_tile_flipped(log):
    """One bit of the unfinished tile is flipped."""
    flip(log.root / "tile/0/002.p/88")


@on_files("L05")
def upper_tile_flipped(log):
    """One bit of a tile above the leaf hashes is flipped."""
    flip(log.root / "tile/1/000.p/2")


@on_files("L06")
def entry_and_tile(log):
    """An entry is replaced, and its hash in the tile as well."""
    path = log.root / "tile/entries/000"
    entries = unpack_entries(path.read_bytes(), width=256)
    entries[7] = leaf(7, object_id="R-26-99999999-K")
    replace_file(path, pack_entries(entries))
    tile = log.root / "tile/0/000"
    data = tile.read_bytes()
    replace_file(tile, data[: 7 * 32] + leaf_hash(entries[7]) + data[8 * 32 :])


@on_files("L07")
def entries_swapped(log):
    """Two entries change places."""
    path = log.root / "tile/entries/000"
    entries = unpack_entries(path.read_bytes(), width=256)
    entries[3], entries[4] = entries[4], entries[3]
    replace_file(path, pack_entries(entries))


@on_files("L08")
def bundle_cut(log):
    """A bundle of entries is cut short."""
    path = log.root / "tile/entries/001"
    replace_file(path, path.read_bytes()[:-1])


@on_files("L09")
def bundle_deleted(log):
    """A bundle of entries is deleted."""
    (log.root / "tile/entries/000").unlink()


@on_files("L10")
def tile_deleted(log):
    """A tile is deleted."""
    (log.root / "tile/0/001").unlink()


def alter_checkpoint(log: LogUnderTest, old: bytes, new: bytes) -> None:
    path = log.root / "checkpoint"
    data = path.read_bytes()
    assert old in data
    replace_file(path, data.replace(old, new, 1))


@on_files("L11")
def size_altered(log):
    """The size in the checkpoint is another."""
    alter_checkpoint(log, b"\n600\n", b"\n599\n")


@on_files("L12")
def root_altered(log):
    """The root in the checkpoint is another."""
    root = (log.root / "checkpoint").read_bytes().split(b"\n")[2]
    alter_checkpoint(log, root, (b"B" if root[:1] == b"A" else b"A") + root[1:])


@on_files("L13")
def signature_altered(log):
    """The signature under the checkpoint is another."""
    line = (log.root / "checkpoint").read_bytes().split(b"\n")[4]
    alter_checkpoint(log, line[-40:-30], line[-30:-20])


@on_files("L14")
def another_key(log):
    """The checkpoint is signed under the log's name with another key."""
    sign, key = key_of(b"somebody else")
    replace_file(log.root / "checkpoint", resign(log, leaves(0, SIZE), sign=sign, key=key).encode())


@on_files("L15")
def leaf_out_of_place(log):
    """The holder of the key signs a log in which an entry bears another's number."""
    shutil.rmtree(log.root)
    (log.folder / "checkpoint-store.sqlite").unlink()
    return log.append([*leaves(0, 9), leaf(3)])


@on_files("L16")
def rolled_back(log):
    """The log's folder is put back to an older state that was once signed, and then written on."""
    other = LogUnderTest(log.folder / "older")
    other.folder.mkdir()
    other.append(leaves(0, 500))
    other.append([leaf(index, object_id="R-26-99999999-K") for index in range(500, SIZE)])
    shutil.rmtree(log.root)
    shutil.copytree(other.root, log.root)


@on_signing("L30")
def older_tiles(log):
    """The log's folder is put back to an older state, and the log is asked to go on."""
    other = LogUnderTest(log.folder / "older")
    other.folder.mkdir()
    other.append(leaves(0, 500))
    shutil.rmtree(log.root)
    shutil.copytree(other.root, log.root)
    log.append([leaf(SIZE)], start=SIZE)


@on_signing("L31")
def older_database(log):
    """The database is put back to an older state, and other entries get indices that are taken."""
    log.append([leaf(590, object_id="R-26-99999999-K")], start=590)


@on_signing("L32")
def older_checkpoint_store(log):
    """The record of the last signature is put back to an older state."""
    store = log.folder / "checkpoint-store.sqlite"
    older = store.read_bytes()
    log.append([leaf(SIZE)])
    store.write_bytes(older)
    log.append([leaf(SIZE, object_id="R-26-99999999-K")], start=SIZE)


@on_signing("L33")
def no_checkpoint_store(log):
    """The record of the last signature is deleted."""
    (log.folder / "checkpoint-store.sqlite").unlink()
    log.append([leaf(SIZE)])


@on_signing("L34")
def equivocation(log):
    """A second checkpoint of the same size, with another root, is to be recorded as signed."""
    entries = [*leaves(0, SIZE - 1), leaf(SIZE - 1, object_id="R-26-99999999-K")]
    note = resign(log, entries)
    known, _ = log.checkpoints.last(ORIGIN)
    new = Checkpoint(ORIGIN, SIZE, tree_root(leaf_hash(entry) for entry in entries))
    log.checkpoints.replace(ORIGIN, expected=known, new=new, note=note)


@on_signing("L35")
def shrinking(log):
    """A smaller checkpoint is to be recorded as signed."""
    known, _ = log.checkpoints.last(ORIGIN)
    new = Checkpoint(ORIGIN, 10, tree_root(leaf_hash(entry) for entry in leaves(0, 10)))
    log.checkpoints.replace(ORIGIN, expected=known, new=new, note=resign(log, leaves(0, 10)))


@on_signing("L36")
def split_view(log):
    """Two people are shown two logs that are the same up to a point, and compare their checkpoints."""
    shown = log.log.published()[1]
    other = [*leaves(0, 10), leaf(10, object_id="R-26-99999999-K")]
    path = log.log.prove_consistency(11, SIZE)
    verify_continuation(old_note=resign(log, other), new_note=shown, path=path, keys=[KEY])

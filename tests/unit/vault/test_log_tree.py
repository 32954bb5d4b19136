import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.formats.errors import FormatError
from plainview.formats.tiles import bundles_of, entries_path, tile_path, tiles_of
from plainview.vault.log_errors import LogReadError
from plainview.vault.log_tree import Edge, TreeReader, grow
from simulators.rfc6962 import audit_path, consistency_proof, tree_hash

ENTRIES = [b"entry %d" % n for n in range(1101)]

sizes = st.one_of(
    st.integers(0, 1100), st.sampled_from([1, 255, 256, 257, 511, 512, 513, 767, 768, 769, 1024])
)
some = settings(max_examples=40, deadline=None)


def built(*sizes_published):
    """Return the files of a log that was published at these sizes, and its edge."""
    files, edge = {}, Edge(0)
    for size in sizes_published:
        written, edge = grow(edge, ENTRIES[edge.size : size])
        files.update(written)
    return files, edge


def paths_of(size):
    tiles = [tile_path(level=level, number=number, width=width) for level, number, width in tiles_of(size)]
    return {*tiles, *(entries_path(number=number, width=width) for number, width in bundles_of(size))}


@some
@given(sizes)
def test_a_log_of_any_size_has_the_root_that_rfc_6962_defines(size):
    files, edge = built(size)
    assert edge.root() == tree_hash(ENTRIES[:size])
    assert TreeReader(files.get, size).root(0, size) == tree_hash(ENTRIES[:size])


@some
@given(sizes)
def test_a_log_written_at_once_has_exactly_the_files_of_its_size(size):
    files, _ = built(size)
    assert set(files) == paths_of(size)


@some
@given(st.lists(sizes, min_size=1, max_size=6))
def test_any_batching_gives_identical_bytes(cuts):
    cuts = sorted(cuts)
    batched, edge = built(*cuts)
    at_once, _ = built(cuts[-1])
    assert {path: batched[path] for path in at_once} == at_once
    assert edge == TreeReader(batched.get, cuts[-1]).edge()


@some
@given(st.integers(1, 1100), st.data())
def test_an_inclusion_proof_is_the_one_rfc_6962_defines(size, data):
    published = data.draw(st.integers(size, 1100))
    index = data.draw(st.integers(0, size - 1))
    files, _ = built(published)
    got = TreeReader(files.get, published).inclusion(index, size)
    assert list(got) == audit_path(index, ENTRIES[:size])


@some
@given(st.integers(1, 1100), st.data())
def test_a_consistency_proof_is_the_one_rfc_6962_defines(new, data):
    old = data.draw(st.integers(1, new))
    files, _ = built(1100)
    got = TreeReader(files.get, 1100).consistency(old, new)
    assert list(got) == consistency_proof(old, ENTRIES[:new])


def test_a_proof_in_a_large_log_reads_few_tiles():
    asked = []
    files, _ = built(1100)

    def find(path):
        asked.append(path)
        return files.get(path)

    TreeReader(find, 1100).inclusion(517, 1100)
    assert len(asked) <= 3


def test_a_reader_takes_the_full_tile_once_the_unfinished_one_is_gone():
    files, _ = built(300, 600)
    for path in [path for path in files if path.startswith(("tile/0/001.p", "tile/entries/001.p"))]:
        del files[path]
    old = TreeReader(files.get, 300)
    assert old.root(0, 300) == tree_hash(ENTRIES[:300])
    assert old.bundle(1) == ENTRIES[256:300]


def test_a_missing_tile_is_named():
    files, _ = built(600)
    del files["tile/0/001"]
    with pytest.raises(LogReadError, match="tile/0/001: the file is missing") as caught:
        TreeReader(files.get, 600).inclusion(0, 300)
    assert caught.value.path == "tile/0/001"


def test_a_tile_cut_short_is_named():
    files, _ = built(600)
    files["tile/0/001"] = files["tile/0/001"][:-1]
    with pytest.raises(LogReadError, match="tile/0/001: tile: expected 256 hashes"):
        TreeReader(files.get, 600).tile(0, 1)


def test_an_empty_entry_is_refused():
    with pytest.raises(FormatError):
        grow(Edge(0), [b"one", b""])

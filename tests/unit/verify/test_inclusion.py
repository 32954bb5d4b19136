import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.formats.merkle import EMPTY_ROOT, consistency_path, inclusion_path, leaf_hash, tree_root
from plainview.verify.errors import VerificationError
from plainview.verify.inclusion import verify_consistency, verify_inclusion

LEAVES = [leaf_hash(bytes([i])) for i in range(70)]
ROOTS = [tree_root(LEAVES[:size]) for size in range(71)]


def check_inclusion(at, size, **changes):
    proof = {
        "leaf": LEAVES[at],
        "index": at,
        "size": size,
        "path": inclusion_path(LEAVES[:size], at),
        "root": ROOTS[size],
    }
    verify_inclusion(**{**proof, **changes})


def check_consistency(old, new, **changes):
    path = consistency_path(LEAVES[:new], old) if old else []
    proof = {"old_size": old, "old_root": ROOTS[old], "new_size": new, "new_root": ROOTS[new], "path": path}
    verify_consistency(**{**proof, **changes})


def test_every_entry_of_every_small_log_is_proved():
    for size in range(1, 40):
        for index in range(size):
            check_inclusion(index, size)


def test_every_small_log_continues_every_smaller_one():
    for new in range(40):
        for old in range(new + 1):
            check_consistency(old, new)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_an_inclusion_proof_with_one_change_is_refused(data):
    size = data.draw(st.integers(1, 70))
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(LEAVES[:size], index)
    other = leaf_hash(b"another")
    changes = [{"leaf": other}, {"root": other}, {"path": [*path, other]}]
    changes += [{"index": i} for i in (index - 1, index + 1, size, -1) if i != index]
    changes += [{"path": [*path[:at], other, *path[at + 1 :]]} for at in range(len(path))]
    changes += [{"path": path[:at] + path[at + 1 :]} for at in range(len(path))]
    for change in changes:
        with pytest.raises(VerificationError):
            check_inclusion(index, size, **change)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_consistency_proof_with_one_change_is_refused(data):
    new = data.draw(st.integers(2, 70))
    old = data.draw(st.integers(1, new - 1))
    path = consistency_path(LEAVES[:new], old)
    other = leaf_hash(b"another")
    changes = [{"old_root": other}, {"new_root": other}, {"path": [*path, other]}, {"path": []}]
    changes += [{"path": [*path[:at], other, *path[at + 1 :]]} for at in range(len(path))]
    changes += [{"path": path[:at] + path[at + 1 :]} for at in range(len(path))]
    for change in changes:
        with pytest.raises(VerificationError):
            check_consistency(old, new, **change)


def test_an_empty_log_holds_nothing():
    with pytest.raises(VerificationError, match="not in a log of 0 entries"):
        verify_inclusion(leaf=LEAVES[0], index=0, size=0, path=[], root=EMPTY_ROOT)


def test_a_log_that_shrank_is_refused():
    with pytest.raises(VerificationError, match="cannot continue"):
        check_consistency(7, 7, new_size=6, new_root=ROOTS[6])


@pytest.mark.parametrize("size", [0, 1, 7])
def test_two_roots_for_one_size_are_refused(size):
    with pytest.raises(VerificationError, match="another"):
        check_consistency(size, size, old_root=leaf_hash(b"split view"))


def test_hashes_between_equal_sizes_are_refused():
    with pytest.raises(VerificationError):
        check_consistency(7, 7, path=[LEAVES[0]])


def test_an_empty_log_with_a_root_of_its_own_is_refused():
    with pytest.raises(VerificationError):
        check_consistency(0, 7, old_root=LEAVES[0])

from __future__ import annotations

import random
from functools import cache
from hashlib import sha256

import pytest

from plainview.formats.merkle import (
    EMPTY_ROOT,
    TreeHasher,
    consistency_path,
    inclusion_path,
    largest_power_below,
    leaf_hash,
    node_hash,
    tree_root,
)

# The eight entries, roots and paths that Certificate Transparency's implementations share as their test.
ENTRIES = [
    bytes.fromhex(text)
    for text in (
        *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
MANY = [leaf_hash(number.to_bytes(2, "big")) for number in range(600)]


def recursive_root(leaves: list[bytes]) -> bytes:
    """The definition of RFC 6962 section 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = max(power for power in (2**i for i in range(20)) if power < len(leaves))
    return sha256(b"\x01" + recursive_root(leaves[:k]) + recursive_root(leaves[k:])).digest()


def test_roots_are_those_of_certificate_transparency() -> None:
    assert [tree_root(LEAVES[:size]).hex() for size in range(1, 9)] == ROOTS


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert tree_root([]) == EMPTY_ROOT == sha256(b"").digest()


def test_a_leaf_can_never_be_taken_for_a_node() -> None:
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)


def test_paths_are_those_of_certificate_transparency() -> None:
    assert [sibling.hex() for sibling in inclusion_path(LEAVES, 5)] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        ROOTS[3],
    ]
    assert [sibling.hex() for sibling in consistency_path(LEAVES, 6)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        ROOTS[3],
    ]
    assert [sibling.hex() for sibling in consistency_path(LEAVES[:5], 2)] == [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ]


def test_a_growing_tree_has_the_root_of_the_definition_at_every_size() -> None:
    @cache
    def root(start: int, stop: int) -> bytes:
        if stop - start <= 1:
            return recursive_root(MANY[start:stop])
        k = max(power for power in (2**i for i in range(20)) if power < stop - start)
        return node_hash(root(start, start + k), root(start + k, stop))

    tree = TreeHasher()
    for size in range(601):
        assert tree.size == size
        assert tree.root() == root(0, size), size
        tree.append(leaf_hash(size.to_bytes(2, "big")))
    assert root(0, 600) == recursive_root(MANY)


def test_a_growing_tree_keeps_no_more_hashes_than_its_size_has_ones() -> None:
    tree = TreeHasher()
    for size in range(1, 130):
        tree.append(MANY[size])
        assert len(tree.peaks) == size.bit_count()


@pytest.mark.parametrize("size", [0, 1, 2, 3, 255, 256, 257])
def test_a_tree_goes_on_from_where_another_stopped(size: int) -> None:
    first = TreeHasher()
    first.extend(MANY[:size])
    peaks = list(first.peaks)
    second = TreeHasher(first.size, peaks)
    second.extend(MANY[size:300])
    assert second.root() == recursive_root(MANY[:300])
    assert first.peaks == peaks


def root_from_path(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Climb as RFC 6962 section 2.1.1 describes the path, from the definition."""
    if size == 1:
        assert path == []
        return leaf
    k = max(power for power in (2**i for i in range(20)) if power < size)
    if index < k:
        return node_hash(root_from_path(leaf, index, k, path[:-1]), path[-1])
    return node_hash(path[-1], root_from_path(leaf, index - k, size - k, path[:-1]))


def test_every_leaf_of_every_small_tree_has_a_path_to_its_root() -> None:
    for size in range(1, 24):
        leaves, root = MANY[:size], tree_root(MANY[:size])
        for index in range(size):
            assert root_from_path(leaves[index], index, size, inclusion_path(leaves, index)) == root


def roots_from_consistency(
    old: int, size: int, path: list[bytes], old_root: bytes, *, whole: bool = True
) -> tuple[bytes, bytes]:
    """Return the old and new roots that the path gives, from the definition in RFC 6962 section 2.1.2."""
    if old == size:
        assert len(path) == (0 if whole else 1)
        return (old_root, old_root) if whole else (path[0], path[0])
    k = max(power for power in (2**i for i in range(20)) if power < size)
    if old <= k:
        before, after = roots_from_consistency(old, k, path[:-1], old_root, whole=whole)
        return before, node_hash(after, path[-1])
    before, after = roots_from_consistency(old - k, size - k, path[:-1], old_root, whole=False)
    return node_hash(path[-1], before), node_hash(path[-1], after)


def test_every_small_tree_is_shown_to_continue_each_before_it() -> None:
    for size in range(1, 24):
        for old in range(1, size + 1):
            old_root = tree_root(MANY[:old])
            path = consistency_path(MANY[:size], old)
            assert roots_from_consistency(old, size, path, old_root) == (old_root, tree_root(MANY[:size]))


def test_paths_in_a_large_tree_hold() -> None:
    chance = random.Random(6962)
    root = tree_root(MANY)
    for index in chance.sample(range(600), 5):
        assert root_from_path(MANY[index], index, 600, inclusion_path(MANY, index)) == root


def test_the_largest_power_below_a_size_is_smaller_than_the_size() -> None:
    assert [largest_power_below(size) for size in range(2, 10)] == [1, 2, 2, 4, 4, 4, 4, 8]

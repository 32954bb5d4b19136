"""Hash trees: the custody log, a camera's journal and an original's chunks all use this one.

Source: RFC 6962 section 2.1 (the same hashing as RFC 9162 section 2.1).
"""

from __future__ import annotations

from hashlib import sha256
from typing import Iterable, Sequence

EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Hash one entry of a tree.

    Source: RFC 6962 section 2.1.
    """
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two children, 32 bytes each, into their parent.

    Source: RFC 6962 section 2.1.
    """
    return sha256(b"\x01" + left + right).digest()


class TreeHasher:
    """The root of a growing tree, in memory that grows with its logarithm.

    `size` counts the leaves; `peaks` are the roots of the perfect subtrees that make up the tree, largest first.
    """

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        self.size = size
        self.peaks: list[bytes] = list(peaks)

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash, 32 bytes, at the end."""
        carry, size = leaf, self.size
        while size & 1:
            carry = sha256(b"\x01" + self.peaks.pop() + carry).digest()
            size >>= 1
        self.peaks.append(carry)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaf hashes in order."""
        for leaf in leaves:
            self.append(leaf)

    def root(self) -> bytes:
        """Return the root of what was appended so far; of nothing, the hash of the empty string."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def tree_root(leaves: Iterable[bytes]) -> bytes:
    """Return the root over these leaf hashes, 32 bytes each.

    Source: RFC 6962 section 2.1.
    """
    tree = TreeHasher()
    tree.extend(leaves)
    return tree.root()


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the sibling hashes from leaf `index` up to the root of these leaf hashes.

    Args:
        leaves: leaf hashes, 32 bytes each.
        index: counted from 0, less than len(leaves).

    Source: RFC 6962 section 2.1.1.
    """
    if len(leaves) == 1:
        return []
    split = largest_power_below(len(leaves))
    if index < split:
        return [*inclusion_path(leaves[:split], index), tree_root(leaves[split:])]
    return [*inclusion_path(leaves[split:], index - split), tree_root(leaves[:split])]


def consistency_path(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """Return the hashes that show the tree of these leaves continues its first `old_size` leaves.

    Args:
        leaves: leaf hashes, 32 bytes each.
        old_size: from 1 to len(leaves).

    Source: RFC 6962 section 2.1.2.
    """
    return _consistency_subpath(leaves, old_size, whole=True)


def _consistency_subpath(leaves: Sequence[bytes], old_size: int, *, whole: bool) -> list[bytes]:
    if old_size == len(leaves):
        return [] if whole else [tree_root(leaves)]
    split = largest_power_below(len(leaves))
    if old_size <= split:
        return [*_consistency_subpath(leaves[:split], old_size, whole=whole), tree_root(leaves[split:])]
    return [*_consistency_subpath(leaves[split:], old_size - split, whole=False), tree_root(leaves[:split])]


def largest_power_below(size: int) -> int:
    """Return the largest power of two smaller than size, which is at least 2."""
    return 1 << ((size - 1).bit_length() - 1)

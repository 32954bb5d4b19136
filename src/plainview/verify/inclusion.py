"""Check that an entry is in a log, and that a log only grew."""

from __future__ import annotations

from typing import Sequence

from plainview.formats.merkle import EMPTY_ROOT, node_hash
from plainview.verify.errors import VerificationError


def verify_inclusion(*, leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Check that leaf is entry index in the tree of size entries with this root.

    Args:
        leaf: SHA-256 of 0x00 || entry, 32 bytes.
        index: counted from 0; must be less than size.
        size: how many entries the tree has.
        path: sibling hashes from the leaf upwards, 32 bytes each.
        root: the tree's root, 32 bytes.

    Raises:
        VerificationError: path too long or short, index not in the tree, or roots differ.

    Source: RFC 9162 section 2.1.3.2.
    """
    what = "inclusion proof"
    if not 0 <= index < size:
        raise VerificationError(what, f"entry {index} is not in a log of {size} entries")
    node, last, computed = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise VerificationError(what, f"{len(path)} hashes are too many for {size} entries")
        if node & 1 or node == last:
            computed = node_hash(sibling, computed)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise VerificationError(what, f"{len(path)} hashes are too few for {size} entries")
    if computed != root:
        raise VerificationError(
            what, f"entry {index} leads to root {computed.hex()}, the log's is {root.hex()}"
        )


def verify_consistency(
    *, old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: Sequence[bytes]
) -> None:
    """Check that the tree of new_size entries begins with the tree of old_size entries.

    Args:
        old_size: entries of the older tree; 0 is the empty tree, which every tree continues.
        old_root: its root, 32 bytes.
        new_size: entries of the newer tree.
        new_root: its root, 32 bytes.
        path: hashes of RFC 9162 section 2.1.4.1, 32 bytes each; empty where old_size is 0 or new_size.

    Raises:
        VerificationError: the newer tree is smaller, the path is too long or short, or a root differs.

    Source: RFC 9162 section 2.1.4.2.
    """
    what = "consistency proof"
    if not 0 <= old_size <= new_size:
        raise VerificationError(what, f"a log of {new_size} entries cannot continue one of {old_size}")
    if old_size in (0, new_size):
        known = EMPTY_ROOT if old_size == 0 else new_root
        if path or old_root != known:
            raise VerificationError(what, f"for sizes {old_size} and {new_size} the old root is another")
        return
    if not path:
        raise VerificationError(what, f"no hashes between sizes {old_size} and {new_size}")
    computed = _rise_both(old_size, new_size, old_root, path)
    if computed != (old_root, new_root):
        raise VerificationError(what, f"the log of {new_size} entries does not begin with the {old_size}")


def _rise_both(old_size: int, new_size: int, old_root: bytes, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    # The variables of RFC 9162: fn and sn are node and last, fr and sr are the two roots being computed.
    hashes = list(path)
    if old_size & (old_size - 1) == 0:
        hashes.insert(0, old_root)
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise VerificationError("consistency proof", f"{len(path)} hashes are too many")
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise VerificationError("consistency proof", f"{len(path)} hashes are too few")
    return old, new

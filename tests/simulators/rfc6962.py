"""RFC 6962 section 2.1, word for word and slow: what the log's own, tiled arithmetic is held against."""

from hashlib import sha256


def tree_hash(entries):
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = split(len(entries))
    return sha256(b"\x01" + tree_hash(entries[:k]) + tree_hash(entries[k:])).digest()


def split(n):
    """Return the largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def audit_path(m, entries):
    if len(entries) == 1:
        return []
    k = split(len(entries))
    if m < k:
        return [*audit_path(m, entries[:k]), tree_hash(entries[k:])]
    return [*audit_path(m - k, entries[k:]), tree_hash(entries[:k])]


def consistency_proof(m, entries):
    return _subproof(m, entries, known=True)


def _subproof(m, entries, *, known):
    if m == len(entries):
        return [] if known else [tree_hash(entries)]
    k = split(len(entries))
    if m <= k:
        return [*_subproof(m, entries[:k], known=known), tree_hash(entries[k:])]
    return [*_subproof(m - k, entries[k:], known=False), tree_hash(entries[:k])]

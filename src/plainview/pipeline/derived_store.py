"""Keep the store of derivatives in order: what no row names goes, what rows name and it does not have is made anew."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from plainview.evidence import step_queries
from plainview.evidence.step_actions import remake_derivatives
from plainview.vault.errors import ObjectMissingError, VaultError

if TYPE_CHECKING:
    from datetime import datetime

    from plainview.vault.local import LocalStore


def discard(store: LocalStore, object_ids: list[str]) -> None:
    """Throw away objects that no row names; what cannot be removed now, a sweep removes."""
    for object_id in object_ids:
        with contextlib.suppress(VaultError):
            store.delete(object_id)


def settle_derived(derived: LocalStore) -> int:
    """Bring the store to rest after an interruption; only under the data directory's lock, before workers start.

    Returns:
        How many objects and halves of objects were removed.
    """
    return derived.sweep() + _drop(derived, set(derived.names()))


def sweep_derived(derived: LocalStore, *, now: datetime) -> tuple[int, int]:
    """Remove objects that no row names, and have made anew what rows name and the store does not have.

    Beside working workers: an object appears before its row, so nothing is removed while anybody is at making some.

    Args:
        derived: the store.
        now: when.

    Returns:
        How many were removed, and of how many originals something is made anew.
    """
    # The rows first: what they name was there before.
    newest = step_queries.newest_objects()
    there = set(derived.names())
    gone = [original for original, kinds in newest.items() if not there.issuperset(kinds.values())]
    remade = sum(remake_derivatives(original=original, now=now) for original in gone)
    there = set(derived.names())
    is_safe = not step_queries.is_any_step_doing("derive")
    return _drop(derived, there) if is_safe else 0, remade


def _drop(derived: LocalStore, there: set[str]) -> int:
    """Remove those of the objects that no row names."""
    dropped = 0
    for object_id in sorted(there - step_queries.derivative_object_ids()):
        with contextlib.suppress(ObjectMissingError):
            derived.delete(object_id)
            dropped += 1
    return dropped

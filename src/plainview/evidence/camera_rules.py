"""Pure rules about cameras, docks and what they hand in."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

ADMISSIONS = ("waiting", "admitted", "refused", "revoked")
# What a dock hands in: footage and journals as our cameras seal them, and files of other makers.
OFFLOAD_KINDS = ("footage", "journal", "file")
OFFLOAD_STATES = ("receiving", "stored", "received", "duplicate", "quarantined", "refused", "dropped")
# The verdict on a recording's own journal; the checker's words, in the database's spelling.
CAPTURE_VERDICTS = ("ok", "altered", "missing", "unproven", "not_closed", "signer_unknown")
ATTACHMENT_KINDS = ("journal", "key", "track", "bookmark", "audit_trail", "sidecar", "subtitles", "settings")
DESTINATION_OBJECT_KINDS = ("clip", "key", "bookmark", "track", "user", "device", "system", "other")
DESTINATION_STATES = ("receiving", "complete", "received", "rejected")

_GRAVEST_LAST = ("ok", "not_closed", "signer_unknown", "unproven", "missing", "altered")

# A camera's clock that is further off than this at docking is asked about: a person lines up what several cameras
# saw by the second, and five of them are where two accounts of one moment begin to contradict each other.
CLOCK_LIMIT_MS = 5000
# How long an assigned camera may stay away from every dock: a shift, and a night.
OVERDUE_AFTER = timedelta(hours=24)
# A dock hands in what matters first, so what a camera counted before may still be on its way.
MISSING_AFTER = timedelta(minutes=30)
# So many of one camera are asked about one by one; a camera that counts wildly must not fill the list.
MISSING_LIMIT = 50


def is_graver(verdict: str, other: str) -> bool:
    """Say whether one verdict on a journal is graver than another."""
    return _GRAVEST_LAST.index(verdict) > _GRAVEST_LAST.index(other)


def may_replace(verdict: str, before: str) -> bool:
    """Say whether what a later check found takes the place of what was found before.

    Anybody who reaches a dock can seal garbage to the vault and call it a camera's journal: that must not spoil what
    the camera's own key proved. What is signed and contradicts it must.

    Args:
        verdict: of the later check.
        before: of the one before.
    """
    return verdict in {"altered", "missing"} or not is_graver(verdict, before)


def is_doubtful(verdict: str, *, is_closed: bool) -> bool:
    """Say whether a person should look at footage with this verdict.

    A loss of power leaves a journal that is not closed, and perhaps the beginning of a fragment for which it had not
    signed yet: that is what such a journal is for, and nothing to ask about.

    Args:
        verdict: one of CAPTURE_VERDICTS.
        is_closed: whether the camera said that this is all.
    """
    return verdict in {"altered", "missing", "signer_unknown"} or (verdict == "unproven" and is_closed)


def is_clock_off(error_ms: int | None, doubt_ms: int | None) -> bool:
    """Say whether a camera's clock was certainly further off than CLOCK_LIMIT_MS.

    Args:
        error_ms: the camera's clock minus ours; None where it has none to ask.
        doubt_ms: how far that can be off.
    """
    return error_ms is not None and abs(error_ms) - (doubt_ms or 0) > CLOCK_LIMIT_MS


def is_overdue(
    *,
    assigned_at: datetime | None,
    seen_at: datetime | None,
    is_docked: bool,
    now: datetime,
    after: timedelta,
) -> bool:
    """Say whether a camera should have been docked by now.

    Args:
        assigned_at: since when it is somebody's; None is nobody's, and nobody's camera is never overdue.
        seen_at: when it was last taken from a dock; None is never.
        is_docked: whether it is in one.
        now: when this is asked.
        after: how long it may stay away.
    """
    if assigned_at is None or is_docked:
        return False
    since = assigned_at if seen_at is None else max(assigned_at, seen_at)
    return now - since > after


def missing_counters(counters: Iterable[int]) -> list[int]:
    """Return which numbers a camera's journals leave out, from 1 on, the first MISSING_LIMIT of them.

    Args:
        counters: those of its journals that are here, in any order.
    """
    missing: list[int] = []
    expected = 1
    for counter in sorted(set(counters)):
        end = min(counter, expected + MISSING_LIMIT - len(missing))
        missing.extend(range(expected, end))
        expected = counter + 1
    return missing

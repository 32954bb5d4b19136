"""Look after cameras from time to time: which should have been docked, and which counted more than they handed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview.custody.record import Actor
from plainview.evidence.camera_actions import ask_where_cameras_are
from plainview.evidence.camera_queries import cameras_with_gaps
from plainview.evidence.camera_rules import MISSING_AFTER
from plainview.evidence.capture_actions import note_missing

if TYPE_CHECKING:
    from datetime import datetime, timedelta

WATCH = Actor("system:cameras")


@dataclass(frozen=True)
class Watched:
    """What looking found: how many cameras were newly overdue, and how many numbers newly missing."""

    overdue: int
    missing: int


def watch_cameras(*, now: datetime, overdue_after: timedelta) -> Watched:
    """Ask about cameras that stay away, and about journals that a camera counted and did not hand in.

    Args:
        now: when this is done.
        overdue_after: how long an assigned camera may stay away from every dock.
    """
    overdue = ask_where_cameras_are(now=now, overdue_after=overdue_after, actor=WATCH)
    missing = 0
    for device, counters in cameras_with_gaps(checked_before=now - MISSING_AFTER).items():
        missing += note_missing(device=device, counters=counters, actor=WATCH, now=now)
    return Watched(overdue, missing)

"""Read which files are kept that cannot be used as recordings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview.accounts.rules import decide_place
from plainview.evidence.models import Original

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from plainview.accounts.rules import Viewer

QUARANTINED = "quarantined"
READ = "quarantine.read"


@dataclass(frozen=True)
class KeptFile:
    """A file in quarantine.

    Attributes:
        key: of its row.
        object_id: its object in the vault, 32 hex digits.
        offered_name: the name it came with, made printable.
        received_at: when; aware UTC.
        size_bytes: as received.
        sha256: of its bytes, 64 hex digits.
        reason: why, as a code.
        reason_text: the same for people.
    """

    key: int
    object_id: str
    offered_name: str
    received_at: datetime
    size_bytes: int
    sha256: str
    reason: str
    reason_text: str

    @property
    def about(self) -> str:
        """Return what the custody log and tasks call it."""
        return f"original:{self.object_id}"


def kept_files(*, viewer: Viewer, before: int | None = None, limit: int = 100) -> list[KeptFile]:
    """Return files in quarantine, newest received first; nothing to who may not read them.

    Args:
        viewer: who asks.
        before: the key of the last file of the page before.
        limit: how many.
    """
    if not decide_place(viewer, READ):
        return []
    rows = Original.objects.filter(state=QUARANTINED)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return [_kept(row) for row in rows.order_by("-pk")[:limit]]


def kept_files_about(*, viewer: Viewer, abouts: Iterable[str]) -> dict[str, KeptFile]:
    """Return the files that tasks are about, by what the tasks call them; nothing to who may not read them."""
    if not decide_place(viewer, READ):
        return {}
    object_ids = [about.removeprefix("original:") for about in abouts if about.startswith("original:")]
    rows = Original.objects.filter(state=QUARANTINED, object_id__in=object_ids)
    return {kept.about: kept for kept in map(_kept, rows)}


def _kept(row: Original) -> KeptFile:
    return KeptFile(
        key=row.pk,
        object_id=row.object_id,
        offered_name=row.offered_name,
        received_at=row.received_at,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        reason=row.reason or "",
        reason_text=row.reason_text,
    )

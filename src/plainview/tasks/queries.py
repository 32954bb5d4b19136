"""Read tasks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import F

from plainview.tasks.errors import NoSuchTaskError
from plainview.tasks.models import Task
from plainview.tasks.rules import KnownTask, is_for

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from plainview.accounts.rules import Viewer

DONE_FOR = timedelta(days=7)


def open_tasks(*, viewer: Viewer) -> list[KnownTask]:
    """Return what a viewer is asked, what is due first on top."""
    rows = _for(viewer).filter(closed_at__isnull=True)
    return [_known(row) for row in rows.order_by(F("due_at").asc(nulls_last=True), "opened_at", "pk")]


def done_tasks(*, viewer: Viewer, now: datetime) -> list[KnownTask]:
    """Return what was asked of a viewer and answered within a week, the newest answer on top."""
    return [
        _known(row) for row in _for(viewer).filter(closed_at__gt=now - DONE_FOR).order_by("-closed_at", "-pk")
    ]


def access_task(*, viewer: Viewer, key: int) -> KnownTask:
    """Return one task.

    Raises:
        NoSuchTaskError: it is absent, or not this viewer's to know.
    """
    row = _for(viewer).filter(pk=key).first()
    if row is None:
        raise NoSuchTaskError(key)
    return _known(row)


def was_asked(*, kind: str, about: str, since: datetime | None = None) -> bool:
    """Say whether a question was asked about something, open or answered; since a moment, or ever."""
    rows = Task.objects.filter(kind=kind, about=about)
    return (rows if since is None else rows.filter(opened_at__gte=since)).exists()


def _for(viewer: Viewer) -> QuerySet[Task]:
    if viewer.is_operator:
        return Task.objects.all()
    return Task.objects.filter(role__in=[role for role in viewer.all_roles if is_for(viewer, role)])


def _known(row: Task) -> KnownTask:
    return KnownTask(
        key=row.pk,
        kind=row.kind,
        about=row.about,
        why=row.why,
        role=row.role,
        opened_at=row.opened_at,
        due_at=row.due_at,
        moment_ms=row.moment_ms,
        closed_at=row.closed_at,
        answer=row.answer,
        closed_by=row.closed_by,
    )

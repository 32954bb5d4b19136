"""Open tasks and answer them; each change is one transaction with its act in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from plainview.accounts.spans import broken_constraint
from plainview.custody.record import Actor, record
from plainview.tasks import rules
from plainview.tasks.errors import NoSuchTaskError, TaskClosedError
from plainview.tasks.models import Task

if TYPE_CHECKING:
    from datetime import datetime

    from plainview.accounts.rules import Viewer

# The name PostgreSQL knows this promise by: one open question of a kind about one thing.
ASKED_ONCE = "tasks_one_open_question"
# How a question is closed that nobody has to answer any more.
WITHDRAWN = "withdrawn"


@transaction.atomic
def open_task(
    *,
    kind: str,
    about: str,
    why: str,
    moment_ms: int | None = None,
    due_at: datetime | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """Ask something; while the same question about the same thing is open, it is not asked twice.

    Args:
        kind: a key of rules.KINDS; it says whom to ask.
        about: an identifier, or kind:id, as the custody log names it.
        why: one sentence: what happened.
        moment_ms: the moment of the recording it is about.
        due_at: until when; None is no date.
        actor: who asks.
        now: when.

    Raises:
        UnknownKindError: there is no such kind.
    """
    role = rules.kind_named(kind).role
    try:
        with transaction.atomic():
            Task.objects.create(
                kind=kind, about=about, why=why, moment_ms=moment_ms, due_at=due_at, role=role, opened_at=now
            )
    except IntegrityError as error:
        if broken_constraint(error) != ASKED_ONCE:
            raise
        return
    record("task.opened", object=about, actor=actor, now=now, facts={"kind": kind}, detail={"why": why})


@transaction.atomic
def close_task(*, key: int, answer: str, viewer: Viewer, actor: Actor, now: datetime) -> None:
    """Answer a task. What the answer brings about is the caller's, in the same transaction.

    Raises:
        NoSuchTaskError: it is absent, or not this viewer's to answer.
        TaskClosedError: somebody answered it already.
        UnknownAnswerError: it cannot be answered so.
    """
    task = Task.objects.select_for_update().filter(pk=key).first()
    if task is None or not rules.is_for(viewer, task.role):
        raise NoSuchTaskError(key)
    if task.closed_at is not None:
        raise TaskClosedError(key, task.answer)
    rules.check_answer(task.kind, answer)
    task.closed_at, task.answer, task.closed_by = now, answer, actor.pseudonym
    task.save(update_fields=["closed_at", "answer", "closed_by"])
    record(
        "task.closed",
        object=task.about,
        actor=actor,
        now=now,
        facts={"kind": task.kind, "answer": answer},
    )


@transaction.atomic
def settle_task(*, kind: str, about: str, answer: str = WITHDRAWN, actor: Actor, now: datetime) -> bool:
    """Close a question that was answered elsewhere, or that answered itself; one that is not open stays so.

    Args:
        kind: a key of rules.KINDS.
        about: what it is about, as it was opened.
        answer: one of the kind's answers, as what was done elsewhere answers it; or WITHDRAWN.
        actor: who did that.
        now: when.

    Returns:
        Whether it was open.

    Raises:
        UnknownAnswerError: it cannot be answered so.
    """
    if answer != WITHDRAWN:
        rules.check_answer(kind, answer)
    task = Task.objects.select_for_update().filter(kind=kind, about=about, closed_at__isnull=True).first()
    if task is None:
        return False
    task.closed_at, task.answer, task.closed_by = now, answer, actor.pseudonym
    task.save(update_fields=["closed_at", "answer", "closed_by"])
    record("task.closed", object=about, actor=actor, now=now, facts={"kind": kind, "answer": answer})
    return True

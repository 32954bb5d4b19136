"""Tasks: what the system asks of a person, and what they answered."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from plainview.accounts.rules import ROLES
from plainview.tasks.rules import KINDS


class Task(models.Model):
    """One question, about one thing, for the holders of one role."""

    kind = models.CharField(max_length=32)
    # As the custody log names it: an identifier, or kind:id. What it points at lies in layers above.
    about = models.CharField(max_length=128)
    moment_ms = models.BigIntegerField(null=True)
    why = models.TextField()
    role = models.CharField(max_length=32)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=40, blank=True)
    answer = models.CharField(max_length=32, blank=True)

    class Meta:
        db_table = "tasks_task"
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "about"], condition=Q(closed_at__isnull=True), name="tasks_one_open_question"
            ),
            models.CheckConstraint(condition=Q(kind__in=list(KINDS)), name="tasks_kind_known"),
            models.CheckConstraint(condition=Q(role__in=list(ROLES)), name="tasks_role_known"),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, answer="", closed_by="")
                | (Q(closed_at__isnull=False) & ~Q(answer="") & ~Q(closed_by="")),
                name="tasks_closed_with_an_answer",
            ),
        ]
        indexes = [
            models.Index(
                fields=["role", "due_at", "opened_at"], condition=Q(closed_at__isnull=True), name="tasks_open"
            )
        ]

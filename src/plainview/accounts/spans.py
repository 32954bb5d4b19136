"""Constraints of rows with two times, shared by every table whose facts hold for a span and are later corrected.

Valid time (valid_from, valid_to) is when something held; recorded time (recorded_at, superseded_at) is when we
believed it. See docs/adr/0006-two-times.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.contrib.postgres.fields.ranges import BigIntegerRangeField
from django.db import models
from django.db.models import F, Func, Q

if TYPE_CHECKING:
    from datetime import datetime

    from django.db import IntegrityError


class TimeRange(Func):
    """The half-open range between two moments; an empty end is open."""

    function = "tstzrange"
    output_field: ClassVar[Any] = DateTimeRangeField()


class OneValue(Func):
    """A number as a range: plain PostgreSQL can then exclude on it without an extension."""

    function = "int8range"
    template = "%(function)s(%(expressions)s, '[]')"
    output_field: ClassVar[Any] = BigIntegerRangeField()


def held_once(name: str, *subjects: str) -> ExclusionConstraint:
    """Return the constraint that at most one believed row speaks for a subject at any moment."""
    columns: list[tuple[Any, str]] = [
        (OneValue(F(subject), F(subject)), RangeOperators.OVERLAPS) for subject in subjects
    ]
    span = (TimeRange(F("valid_from"), F("valid_to")), RangeOperators.OVERLAPS)
    return ExclusionConstraint(
        name=name, expressions=[*columns, span], condition=Q(superseded_at__isnull=True)
    )


def span_checks(prefix: str) -> list[models.CheckConstraint]:
    """Return the constraints every row with two times keeps."""
    return [
        models.CheckConstraint(
            condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
            name=f"{prefix}_ends_after_start",
        ),
        models.CheckConstraint(
            condition=Q(superseded_at__isnull=True) | Q(superseded_at__gte=F("recorded_at")),
            name=f"{prefix}_superseded_after_recorded",
        ),
    ]


def pseudonym_check(name: str) -> models.CheckConstraint:
    """Return the constraint that a pseudonym is 16 hexadecimal digits."""
    return models.CheckConstraint(condition=Q(pseudonym__regex=r"^[0-9a-f]{16}$"), name=name)


def believed_at(known_at: datetime | None) -> Q:
    """Return which rows were believed at a moment; by default, now."""
    if known_at is None:
        return Q(superseded_at__isnull=True)
    return Q(recorded_at__lte=known_at) & (Q(superseded_at__isnull=True) | Q(superseded_at__gt=known_at))


def valid_at(at: datetime) -> Q:
    """Return which rows speak for a moment."""
    return Q(valid_from__lte=at) & (Q(valid_to__isnull=True) | Q(valid_to__gt=at))


def broken_constraint(error: IntegrityError) -> str | None:
    """Return the name of the constraint that the database found broken, or None where it does not say."""
    name: str | None = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    return name

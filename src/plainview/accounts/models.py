"""Users, roles, units and the roster.

What changes over time is a row with two times: from when until when it held (valid), and when we came to know it
(recorded, superseded). A correction supersedes and inserts, so "what did we believe on 3 March" stays answerable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q

from plainview.accounts.rules import ROLES, USERNAME
from plainview.accounts.spans import held_once, pseudonym_check, span_checks

if TYPE_CHECKING:
    _Manager = BaseUserManager["User"]
else:
    _Manager = BaseUserManager


class UserManager(_Manager):
    """Find a user by user name, as Django's sign-in asks."""


class User(AbstractBaseUser):
    """Somebody who logs in."""

    username = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    email = models.EmailField(blank=True)
    # How the custody log names this person; the name itself stays here, where it can be destroyed.
    pseudonym = models.CharField(max_length=16, unique=True)
    is_active = models.BooleanField(default=True)
    added_at = models.DateTimeField()
    # When the custody log last said that they were locked out: it does so once a lock, however often somebody tries.
    lock_noted_at = models.DateTimeField(null=True)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        db_table = "accounts_user"
        constraints = [
            pseudonym_check("accounts_user_pseudonym_hex"),
            models.CheckConstraint(
                condition=Q(username__regex=USERNAME), name="accounts_user_username_plain"
            ),
        ]


class Unit(models.Model):
    """A part of the department: a car, a squad, a division."""

    code = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=200)
    added_at = models.DateTimeField()

    class Meta:
        db_table = "accounts_unit"


class Officer(models.Model):
    """Somebody on the roster who may wear a camera, whether or not they log in."""

    badge = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=32, default="sworn")
    pseudonym = models.CharField(max_length=16, unique=True)
    user = models.OneToOneField(User, on_delete=models.PROTECT, null=True, related_name="officer")
    added_at = models.DateTimeField()

    class Meta:
        db_table = "accounts_officer"
        constraints = [
            pseudonym_check("accounts_officer_pseudonym_hex"),
            models.CheckConstraint(
                condition=Q(kind__in=["sworn", "reserve", "other"]), name="accounts_officer_kind_known"
            ),
        ]


class UnitAssignment(models.Model):
    """An officer's unit for a span of time."""

    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="unit_assignments")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, null=True)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "accounts_unit_assignment"
        constraints = [*span_checks("accounts_unit"), held_once("accounts_one_unit_at_a_time", "officer_id")]


class RoleGrant(models.Model):
    """A role somebody holds for a span of time, everywhere or for one unit."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="role_grants")
    role = models.CharField(max_length=32)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, null=True)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "accounts_role_grant"
        constraints = [
            *span_checks("accounts_role"),
            models.CheckConstraint(condition=Q(role__in=list(ROLES)), name="accounts_role_known"),
            models.UniqueConstraint(
                fields=["user", "role", "unit"],
                name="accounts_one_open_grant",
                condition=Q(superseded_at__isnull=True, valid_to__isnull=True),
                nulls_distinct=False,
            ),
        ]

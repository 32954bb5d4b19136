"""The rows of the custody log. The database refuses to change or remove them (see the first migration)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.db.models.expressions import Func
from django.db.models.lookups import Exact

if TYPE_CHECKING:
    _IntegerColumn = models.Field[int, int]
else:
    _IntegerColumn = models.Field


class TransactionIdField(_IntegerColumn):
    """PostgreSQL's xid8: which transaction wrote the row. The sequencer orders by it."""

    def db_type(self, connection: Any) -> str:  # noqa: ARG002 - Django's signature
        """Return the column's type."""
        return "xid8"


class CurrentTransactionId(Func):
    """The id of the running transaction."""

    function = "pg_current_xact_id"
    template = "%(function)s()"
    output_field: ClassVar[Any] = TransactionIdField()


class OctetLength(Func):
    """How many bytes a binary column holds."""

    function = "octet_length"
    output_field: ClassVar[Any] = models.IntegerField()


class Epoch(models.Model):
    """One log with one key. A second one begins only where the first could not go on."""

    epoch = models.PositiveIntegerField(primary_key=True)
    origin = models.CharField(max_length=255, unique=True)
    vkey = models.CharField(max_length=400)
    started_at = models.DateTimeField()
    # The last act before it; the ones after belong to this epoch.
    after_act_id = models.BigIntegerField()

    class Meta:
        db_table = "custody_epoch"


class Restore(models.Model):
    """That the rows up to an act came from a backup: their transaction ids are another cluster's, and order nothing."""

    at = models.DateTimeField()
    after_act_id = models.BigIntegerField()

    class Meta:
        db_table = "custody_restore"


class Act(models.Model):
    """What somebody did, as it will stand in the log but for its index."""

    id = models.BigAutoField(primary_key=True)
    xid = TransactionIdField(db_default=CurrentTransactionId())
    at = models.DateTimeField()
    act = models.CharField(max_length=64)
    object = models.CharField(max_length=128)
    actor = models.CharField(max_length=64)
    outcome = models.CharField(max_length=8)
    why = models.CharField(max_length=64, null=True)  # noqa: DJ001 - null is "no reason given" in the leaf too
    facts = models.JSONField()
    session = models.CharField(max_length=64, null=True)  # noqa: DJ001 - a commitment or none
    detail = models.CharField(max_length=64, null=True)  # noqa: DJ001 - a commitment or none

    class Meta:
        db_table = "custody_act"
        indexes = [
            models.Index(fields=["xid", "id"], name="custody_act_order"),
            models.Index(fields=["object", "id"], name="custody_act_object"),
            # Few among many: the one act that concerns recordings and is done to something else.
            models.Index(
                fields=["id"], name="custody_act_packages", condition=models.Q(act="package.exported")
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(outcome__in=["ok", "denied", "error"]), name="custody_act_outcome_known"
            ),
        ]


class Words(models.Model):
    """What could name a person, behind an act's commitments. The row may be destroyed; the log still checks."""

    act = models.OneToOneField(Act, on_delete=models.PROTECT, primary_key=True, db_constraint=True)
    # Two salts: who is shown the detail must not be able to guess the address from the other commitment.
    session_salt = models.BinaryField(null=True)
    session = models.JSONField(null=True)
    detail_salt = models.BinaryField(null=True)
    detail = models.JSONField(null=True)

    class Meta:
        db_table = "custody_words"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(session__isnull=True, session_salt__isnull=True)
                | models.Q(
                    # "Is 32 bytes long" is unknown of no salt, and a check lets the unknown pass.
                    Exact(OctetLength("session_salt"), 32),
                    session__isnull=False,
                    session_salt__isnull=False,
                ),
                name="custody_words_session_has_salt",
            ),
            models.CheckConstraint(
                condition=models.Q(detail__isnull=True, detail_salt__isnull=True)
                | models.Q(
                    Exact(OctetLength("detail_salt"), 32), detail__isnull=False, detail_salt__isnull=False
                ),
                name="custody_words_detail_has_salt",
            ),
        ]


class Leaf(models.Model):
    """The place of an act in the log."""

    act = models.OneToOneField(Act, on_delete=models.PROTECT, primary_key=True)
    # The constraint below is the index.
    epoch = models.ForeignKey(Epoch, on_delete=models.PROTECT, db_index=False)
    index = models.BigIntegerField()
    hash = models.BinaryField()

    class Meta:
        db_table = "custody_leaf"
        constraints = [
            models.UniqueConstraint(fields=["epoch", "index"], name="custody_leaf_one_act_an_index"),
            models.CheckConstraint(condition=models.Q(index__gte=0), name="custody_leaf_index_from_0"),
        ]

"""Recordings, originals, parts, devices and wearers.

A recording is what one press of the button made. Its parts are the files the camera split off; each part is an
original, bytes as received, and two recordings can share one.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Func, Q

from plainview.accounts.spans import held_once, pseudonym_check, span_checks
from plainview.evidence.rules import (
    CLOCK_SOURCES,
    DERIVATIVE_KINDS,
    NOTICES,
    ORIGINAL_STATES,
    RECORDING_SOURCES,
    STEP_STATES,
    STEPS,
    UPLOAD_STATES,
)

HEX_32_BYTES = r"^[0-9a-f]{64}$"
HEX_16_BYTES = r"^[0-9a-f]{32}$"
IDENTIFIER = r"^R-[0-9]{2}-[0-9]{8}-[0-9A-Z]$"


class Device(models.Model):
    """A camera, or another thing that records."""

    make = models.CharField(max_length=64)
    model = models.CharField(max_length=64, blank=True)
    serial = models.CharField(max_length=64)
    kind = models.CharField(max_length=16)
    pseudonym = models.CharField(max_length=16, unique=True)
    added_at = models.DateTimeField()

    class Meta:
        db_table = "evidence_device"
        constraints = [
            models.UniqueConstraint(fields=["make", "serial"], name="evidence_device_serial_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["body", "car", "fixed", "other"]), name="evidence_device_kind_known"
            ),
            pseudonym_check("evidence_device_pseudonym_hex"),
        ]


class DeviceAssignment(models.Model):
    """Who wears a device for a span of time; no officer means nobody does."""

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="assignments")
    officer = models.ForeignKey("accounts.Officer", on_delete=models.PROTECT, null=True)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "evidence_device_assignment"
        constraints = [
            *span_checks("evidence_device"),
            held_once("evidence_one_wearer_at_a_time", "device_id"),
        ]


class Original(models.Model):
    """Bytes as received: an object in the vault, its digests, and whether it can be used."""

    object_id = models.CharField(max_length=32, unique=True)
    object_bytes = models.BigIntegerField()
    object_sha256 = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64, unique=True)
    chunk_root = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    received_at = models.DateTimeField()
    state = models.CharField(max_length=16)
    # Why it is quarantined, as a code for people's lists and a sentence for the person who looks.
    reason = models.CharField(max_length=64, null=True)  # noqa: DJ001 - no reason is not an empty one
    reason_text = models.TextField(blank=True)
    offered_name = models.TextField()

    class Meta:
        db_table = "evidence_original"
        constraints = [
            models.CheckConstraint(
                condition=Q(object_id__regex=HEX_16_BYTES), name="evidence_original_object_id_hex"
            ),
            models.CheckConstraint(
                condition=Q(
                    sha256__regex=HEX_32_BYTES,
                    chunk_root__regex=HEX_32_BYTES,
                    object_sha256__regex=HEX_32_BYTES,
                ),
                name="evidence_original_digests_hex",
            ),
            models.CheckConstraint(
                condition=Q(size_bytes__gt=0, object_bytes__gt=F("size_bytes")),
                name="evidence_original_not_empty",
            ),
            models.CheckConstraint(
                condition=Q(state__in=ORIGINAL_STATES), name="evidence_original_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="quarantined", reason__isnull=False)
                | (~Q(state="quarantined") & Q(reason__isnull=True)),
                name="evidence_original_quarantine_has_reason",
            ),
        ]


class Probe(models.Model):
    """What examining an original found: machine-made, never overwritten, a newer one is a new row."""

    original = models.ForeignKey(Original, on_delete=models.PROTECT, related_name="probes")
    made_at = models.DateTimeField()
    tool = models.CharField(max_length=64)
    found = models.JSONField()
    # The table from chunk to seconds, byte for byte as its digest stands in the log.
    chunk_times = models.BinaryField()
    confinement = models.JSONField()
    act_id = models.BigIntegerField()

    class Meta:
        db_table = "evidence_probe"


class Recording(models.Model):
    """What one press of the button made."""

    identifier = models.CharField(max_length=16, unique=True)
    source = models.CharField(max_length=16)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, null=True, related_name="recordings")
    received_at = models.DateTimeField()
    # First frame, pre-event buffer included. Unknown is null, and stays so until somebody who knows says otherwise.
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    zone = models.CharField(max_length=64)
    clock_source = models.CharField(max_length=16)
    trigger_on_at = models.DateTimeField(null=True)
    trigger_on_reason = models.CharField(max_length=64, blank=True)
    trigger_off_at = models.DateTimeField(null=True)
    trigger_off_reason = models.CharField(max_length=64, blank=True)

    class Meta:
        db_table = "evidence_recording"
        indexes = [models.Index(fields=["started_at"], name="evidence_recording_started")]
        constraints = [
            models.CheckConstraint(
                condition=Q(identifier__regex=IDENTIFIER), name="evidence_recording_identifier"
            ),
            models.CheckConstraint(
                condition=Q(source__in=RECORDING_SOURCES), name="evidence_recording_source_known"
            ),
            models.CheckConstraint(
                condition=Q(clock_source__in=CLOCK_SOURCES), name="evidence_recording_clock_known"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True)
                | Q(started_at__isnull=False, ended_at__gte=F("started_at")),
                name="evidence_recording_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(started_at__isnull=True, clock_source="unknown")
                | (Q(started_at__isnull=False) & ~Q(clock_source="unknown")),
                name="evidence_recording_start_has_clock",
            ),
        ]


class Part(models.Model):
    """A file of a recording, in the camera's order."""

    recording = models.ForeignKey(Recording, on_delete=models.PROTECT, related_name="parts")
    number = models.PositiveIntegerField()
    original = models.ForeignKey(Original, on_delete=models.PROTECT, related_name="parts")
    # The name as offered, made printable; never used as a path.
    offered_name = models.CharField(max_length=255)

    class Meta:
        db_table = "evidence_part"
        constraints = [
            models.UniqueConstraint(fields=["recording", "number"], name="evidence_part_number_once"),
            models.UniqueConstraint(fields=["recording", "original"], name="evidence_part_original_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="evidence_part_number_from_1"),
        ]


class Wearer(models.Model):
    """Who wore the camera during a recording, as believed from one moment on; no officer means unknown."""

    recording = models.ForeignKey(Recording, on_delete=models.PROTECT, related_name="wearers")
    officer = models.ForeignKey("accounts.Officer", on_delete=models.PROTECT, null=True)
    basis = models.CharField(max_length=16)
    recorded_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "evidence_wearer"
        constraints = [
            models.UniqueConstraint(
                fields=["recording"],
                condition=Q(superseded_at__isnull=True),
                name="evidence_one_believed_wearer",
            ),
            models.CheckConstraint(
                condition=Q(basis__in=["assignment", "camera", "person"]), name="evidence_wearer_basis_known"
            ),
            models.CheckConstraint(
                condition=Q(superseded_at__isnull=True) | Q(superseded_at__gte=F("recorded_at")),
                name="evidence_wearer_superseded_after_recorded",
            ),
        ]


class Step(models.Model):
    """A step of processing an original: what is waiting, under way, done, or given up with its reason."""

    original = models.ForeignKey(Original, on_delete=models.PROTECT, related_name="steps")
    name = models.CharField(max_length=16)
    state = models.CharField(max_length=8, default="waiting")
    attempts = models.PositiveSmallIntegerField(default=0)
    # How much of it is done, 0 to 1; what a page shows while it waits.
    fraction = models.FloatField(default=0)
    queued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # Why it was parked, or what went wrong last, as a code and a sentence.
    reason = models.CharField(max_length=64, blank=True)
    reason_text = models.TextField(blank=True)

    class Meta:
        db_table = "evidence_step"
        constraints = [
            models.UniqueConstraint(fields=["original", "name"], name="evidence_step_once"),
            models.CheckConstraint(condition=Q(name__in=STEPS), name="evidence_step_known"),
            models.CheckConstraint(condition=Q(state__in=STEP_STATES), name="evidence_step_state_known"),
            models.CheckConstraint(
                condition=Q(fraction__gte=0, fraction__lte=1), name="evidence_step_fraction"
            ),
            models.CheckConstraint(
                condition=~Q(state="parked") | ~Q(reason=""), name="evidence_step_parked_has_reason"
            ),
        ]
        indexes = [
            models.Index(fields=["state"], condition=~Q(state="done"), name="evidence_step_unfinished")
        ]


class Derivative(models.Model):
    """Something made of an original by a machine: never overwritten, a newer one is a new row.

    Its object lies in the store of derivatives, under a key that follows from the original's and dies with it.
    """

    original = models.ForeignKey(Original, on_delete=models.PROTECT, related_name="derivatives")
    kind = models.CharField(max_length=16)
    object_id = models.CharField(max_length=32, unique=True)
    object_bytes = models.BigIntegerField()
    object_sha256 = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    made_at = models.DateTimeField()
    tool = models.CharField(max_length=64)
    settings = models.JSONField()
    facts = models.JSONField()

    class Meta:
        db_table = "evidence_derivative"
        indexes = [models.Index(fields=["original", "kind", "-made_at"], name="evidence_derivative_newest")]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=DERIVATIVE_KINDS), name="evidence_derivative_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(object_id__regex=HEX_16_BYTES), name="evidence_derivative_object_id_hex"
            ),
            models.CheckConstraint(
                condition=Q(sha256__regex=HEX_32_BYTES, object_sha256__regex=HEX_32_BYTES),
                name="evidence_derivative_digests_hex",
            ),
        ]


class Transcript(models.Model):
    """What a machine took the speech of an original to be; never overwritten, a newer one is a new row."""

    original = models.ForeignKey(Original, on_delete=models.PROTECT, related_name="transcripts")
    engine = models.CharField(max_length=32)
    model = models.CharField(max_length=128)
    version = models.CharField(max_length=64)
    settings = models.JSONField()
    input_sha256 = models.CharField(max_length=64)
    language = models.CharField(max_length=16, blank=True)
    # How far to trust it: what a page says above it.
    notice = models.CharField(max_length=16)
    made_at = models.DateTimeField()

    class Meta:
        db_table = "evidence_transcript"
        constraints = [
            models.CheckConstraint(condition=Q(notice__in=NOTICES), name="evidence_transcript_notice_known"),
            models.CheckConstraint(
                condition=Q(input_sha256__regex=HEX_32_BYTES), name="evidence_transcript_input_hex"
            ),
        ]


class Cue(models.Model):
    """A piece of transcript with its start and end, in milliseconds of its original."""

    transcript = models.ForeignKey(Transcript, on_delete=models.CASCADE, related_name="cues")
    number = models.PositiveIntegerField()
    start_ms = models.BigIntegerField()
    end_ms = models.BigIntegerField()
    text = models.TextField()
    # [[start_ms, end_ms, word, confidence 0 to 1 or null], ...]
    words = models.JSONField()
    # The text as searches see it; the database makes it.
    stems = models.GeneratedField(
        expression=Func(F("text"), function="public.plainview_words"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        db_table = "evidence_cue"
        constraints = [
            models.UniqueConstraint(fields=["transcript", "number"], name="evidence_cue_number_once"),
            models.CheckConstraint(
                condition=Q(start_ms__gte=0, end_ms__gte=F("start_ms")), name="evidence_cue_span"
            ),
        ]


class SearchRow(models.Model):
    """One row a recording: what lists and searches need of it, kept in the transactions that change it."""

    recording = models.OneToOneField(
        Recording, on_delete=models.PROTECT, primary_key=True, related_name="search_row"
    )
    # When it was made or, where that is unknown, received.
    shown_at = models.DateTimeField()
    wearer = models.ForeignKey("accounts.Officer", on_delete=models.PROTECT, null=True)
    unit = models.ForeignKey("accounts.Unit", on_delete=models.PROTECT, null=True)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, null=True)
    duration_ms = models.BigIntegerField(null=True)
    is_restricted = models.BooleanField(default=False)
    # What it is called, who wore the camera and which; and those with every word of the transcripts named beside them.
    names = SearchVectorField(default="")
    words = SearchVectorField(default="")
    transcripts = ArrayField(models.BigIntegerField(), default=list)

    class Meta:
        db_table = "evidence_search_row"
        indexes = [
            models.Index(fields=["-shown_at", "-recording"], name="evidence_search_newest"),
            models.Index(fields=["wearer", "-shown_at"], name="evidence_search_wearer"),
            models.Index(fields=["unit", "-shown_at"], name="evidence_search_unit"),
            GinIndex(fields=["words"], name="evidence_search_words", fastupdate=False),
            GinIndex(fields=["names"], name="evidence_search_names", fastupdate=False),
        ]


class Upload(models.Model):
    """A file that somebody hands in through a browser, from its first byte to what became of it."""

    name = models.CharField(max_length=32, primary_key=True)
    user = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="uploads")
    offered_name = models.CharField(max_length=255)
    size_bytes = models.BigIntegerField()
    state = models.CharField(max_length=16, default="receiving")
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    recording = models.ForeignKey(Recording, on_delete=models.PROTECT, null=True, related_name="uploads")
    reason = models.CharField(max_length=64, blank=True)
    reason_text = models.TextField(blank=True)

    class Meta:
        db_table = "evidence_upload"
        constraints = [
            models.CheckConstraint(condition=Q(name__regex=HEX_16_BYTES), name="evidence_upload_name_hex"),
            models.CheckConstraint(condition=Q(size_bytes__gt=0), name="evidence_upload_not_empty"),
            models.CheckConstraint(condition=Q(state__in=UPLOAD_STATES), name="evidence_upload_state_known"),
        ]
        indexes = [
            models.Index(fields=["user", "-begun_at"], name="evidence_upload_of_user"),
        ]


class Restriction(models.Model):
    """A time in which a recording's existence is shown and its content is not."""

    recording = models.ForeignKey(Recording, on_delete=models.PROTECT, related_name="restrictions")
    placed_at = models.DateTimeField()
    reason = models.TextField()
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "evidence_restriction"
        constraints = [
            models.UniqueConstraint(
                fields=["recording"],
                condition=Q(lifted_at__isnull=True),
                name="evidence_one_running_restriction",
            ),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True) | Q(lifted_at__gte=F("placed_at")),
                name="evidence_restriction_lifted_after_placed",
            ),
        ]


# Django finds an app's tables by importing this module.
from plainview.evidence import camera_models  # noqa: E402, F401

"""Cameras' keys, docks, what docks hand in, what cameras' journals say, and what comes along with a recording."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from plainview.accounts.spans import pseudonym_check, span_checks
from plainview.evidence.camera_rules import (
    ADMISSIONS,
    ATTACHMENT_KINDS,
    CAPTURE_VERDICTS,
    DESTINATION_OBJECT_KINDS,
    DESTINATION_STATES,
    OFFLOAD_KINDS,
    OFFLOAD_STATES,
)

HEX_32_BYTES = r"^[0-9a-f]{64}$"
HEX_16_BYTES = r"^[0-9a-f]{32}$"


class CameraKey(models.Model):
    """A camera's own key: what it signs counts as that camera's while the key is admitted."""

    device = models.ForeignKey("evidence.Device", on_delete=models.PROTECT, related_name="keys")
    # cam.<department's host name>/<serial number>
    name = models.CharField(max_length=170)
    public_key = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=16, default="waiting")
    asked_at = models.DateTimeField()
    admitted_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "evidence_camera_key"
        constraints = [
            models.CheckConstraint(
                condition=Q(public_key__regex=HEX_32_BYTES), name="evidence_camera_key_hex"
            ),
            models.CheckConstraint(condition=Q(state__in=ADMISSIONS), name="evidence_camera_key_state_known"),
            models.UniqueConstraint(
                fields=["device"], condition=Q(state="admitted"), name="evidence_one_admitted_key"
            ),
        ]


class CameraPolicy(models.Model):
    """How cameras record from a moment on: what was in force on a day can be asked later."""

    settings = models.JSONField()
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "evidence_camera_policy"
        constraints = [
            *span_checks("evidence_camera_policy"),
            models.UniqueConstraint(
                fields=["valid_from"],
                condition=Q(superseded_at__isnull=True),
                name="evidence_one_policy_from_a_moment",
            ),
        ]


class CovertLeave(models.Model):
    """A span of time for which somebody allowed a camera to record without lights and sounds."""

    device = models.ForeignKey("evidence.Device", on_delete=models.PROTECT, related_name="covert_leaves")
    allowed_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField()

    class Meta:
        db_table = "evidence_covert_leave"
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to__gt=F("valid_from")), name="evidence_covert_leave_ends_after_start"
            )
        ]


class Dock(models.Model):
    """A place where cameras are docked; what it hands in it hands in under its own name."""

    name = models.CharField(max_length=64, unique=True)
    pseudonym = models.CharField(max_length=16, unique=True)
    # SHA-256 of the token it shows; the token itself is kept nowhere but on the dock.
    token_sha256 = models.CharField(max_length=64, unique=True)
    added_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "evidence_dock"
        constraints = [
            pseudonym_check("evidence_dock_pseudonym_hex"),
            models.CheckConstraint(
                condition=Q(token_sha256__regex=HEX_32_BYTES), name="evidence_dock_token_hex"
            ),
        ]


class Docking(models.Model):
    """A camera in a dock, from when it was put in to when it was taken."""

    dock = models.ForeignKey(Dock, on_delete=models.PROTECT, related_name="dockings")
    device = models.ForeignKey("evidence.Device", on_delete=models.PROTECT, related_name="dockings")
    docked_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)
    # The camera's clock minus ours, in milliseconds, and how far that can be off; none where it has none to ask.
    clock_error_ms = models.BigIntegerField(null=True)
    clock_doubt_ms = models.BigIntegerField(null=True)
    battery_percent = models.PositiveSmallIntegerField(null=True)
    files = models.PositiveIntegerField(default=0)
    checked_files = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "evidence_docking"
        indexes = [models.Index(fields=["device", "-docked_at"], name="evidence_docking_of_device")]
        constraints = [
            models.CheckConstraint(
                condition=Q(taken_at__isnull=True) | Q(taken_at__gte=F("docked_at")),
                name="evidence_docking_taken_after_docked",
            ),
            models.UniqueConstraint(
                fields=["device"], condition=Q(taken_at__isnull=True), name="evidence_in_one_dock"
            ),
        ]


class Offload(models.Model):
    """A file that a dock hands in, from its first byte to what became of it."""

    name = models.CharField(max_length=32, primary_key=True)
    dock = models.ForeignKey(Dock, on_delete=models.PROTECT, related_name="offloads")
    device = models.ForeignKey(
        "evidence.Device", on_delete=models.PROTECT, null=True, related_name="offloads"
    )
    kind = models.CharField(max_length=16)
    # Id of the journal it belongs to; empty for files of other makers.
    stream = models.CharField(max_length=24, blank=True)
    offered_name = models.CharField(max_length=255)
    size_bytes = models.BigIntegerField()
    # What the dock says of the bytes it sends; what came is compared with it.
    sent_sha256 = models.CharField(max_length=64)
    # What else the dock knows, such as particulars from a sidecar.
    particulars = models.JSONField(default=dict)
    state = models.CharField(max_length=16, default="receiving")
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    recording = models.ForeignKey(
        "evidence.Recording", on_delete=models.PROTECT, null=True, related_name="offloads"
    )
    # The act whose leaf is the dock's receipt.
    act_id = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=64, blank=True)
    reason_text = models.TextField(blank=True)

    class Meta:
        db_table = "evidence_offload"
        constraints = [
            models.CheckConstraint(condition=Q(name__regex=HEX_16_BYTES), name="evidence_offload_name_hex"),
            models.CheckConstraint(condition=Q(size_bytes__gt=0), name="evidence_offload_not_empty"),
            models.CheckConstraint(condition=Q(kind__in=OFFLOAD_KINDS), name="evidence_offload_kind_known"),
            models.CheckConstraint(
                condition=Q(state__in=OFFLOAD_STATES), name="evidence_offload_state_known"
            ),
            models.CheckConstraint(
                condition=Q(sent_sha256__regex=HEX_32_BYTES), name="evidence_offload_digest_hex"
            ),
        ]
        indexes = [
            models.Index(fields=["sent_sha256"], name="evidence_offload_digest"),
            models.Index(fields=["state"], name="evidence_offload_state"),
        ]


class CameraJournal(models.Model):
    """What a camera's own journal says, and what comparing it with the footage found."""

    device = models.ForeignKey("evidence.Device", on_delete=models.PROTECT, related_name="journals")
    camera_key = models.ForeignKey(CameraKey, on_delete=models.PROTECT, null=True, related_name="journals")
    recording = models.OneToOneField(
        "evidence.Recording", on_delete=models.PROTECT, null=True, related_name="journal"
    )
    stream = models.CharField(max_length=24)
    purpose = models.CharField(max_length=16)
    boot = models.PositiveIntegerField()
    counter = models.PositiveIntegerField()
    previous_stream = models.CharField(max_length=24, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    verdict = models.CharField(max_length=16)
    is_closed = models.BooleanField()
    fragments = models.PositiveIntegerField()
    proven_fragments = models.PositiveIntegerField()
    # The first leaf's words, and each fragment's verdict where it is not OK.
    start = models.JSONField()
    findings = models.JSONField()
    checked_at = models.DateTimeField()

    class Meta:
        db_table = "evidence_camera_journal"
        constraints = [
            models.UniqueConstraint(fields=["device", "stream"], name="evidence_journal_once"),
            models.CheckConstraint(
                condition=Q(verdict__in=CAPTURE_VERDICTS), name="evidence_journal_verdict_known"
            ),
            models.CheckConstraint(
                condition=Q(proven_fragments__lte=F("fragments")), name="evidence_journal_proven_of_all"
            ),
        ]
        indexes = [models.Index(fields=["device", "counter"], name="evidence_journal_counter")]


class CameraEvent(models.Model):
    """One thing that a camera's journal says happened: a marker, a mute, what the light showed, a state."""

    journal = models.ForeignKey(CameraJournal, on_delete=models.PROTECT, related_name="events")
    seq = models.PositiveIntegerField()
    at = models.DateTimeField()
    mono_ms = models.BigIntegerField()
    position_ms = models.BigIntegerField(null=True)
    event = models.CharField(max_length=32)
    facts = models.JSONField()

    class Meta:
        db_table = "evidence_camera_event"
        constraints = [models.UniqueConstraint(fields=["journal", "seq"], name="evidence_event_once")]
        indexes = [models.Index(fields=["journal", "event"], name="evidence_event_of_kind")]


class Attachment(models.Model):
    """A file that came along with a recording, or with a camera: kept as received."""

    original = models.ForeignKey("evidence.Original", on_delete=models.PROTECT, related_name="attachments")
    recording = models.ForeignKey(
        "evidence.Recording", on_delete=models.PROTECT, null=True, related_name="attachments"
    )
    device = models.ForeignKey(
        "evidence.Device", on_delete=models.PROTECT, null=True, related_name="attachments"
    )
    kind = models.CharField(max_length=16)
    offered_name = models.CharField(max_length=255)
    received_at = models.DateTimeField()

    class Meta:
        db_table = "evidence_attachment"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=ATTACHMENT_KINDS), name="evidence_attachment_kind_known"
            ),
            models.UniqueConstraint(
                fields=["original", "recording"], name="evidence_attachment_once", nulls_distinct=False
            ),
        ]


class Track(models.Model):
    """Where a camera was while it recorded, as something that came along says."""

    recording = models.ForeignKey("evidence.Recording", on_delete=models.PROTECT, related_name="tracks")
    attachment = models.ForeignKey(Attachment, on_delete=models.PROTECT, null=True, related_name="tracks")
    source = models.CharField(max_length=16)
    # [[position_ms, latitude, longitude, metres of doubt or null], ...] in degrees, WGS 84.
    points = models.JSONField()
    made_at = models.DateTimeField()

    class Meta:
        db_table = "evidence_track"


class Marker(models.Model):
    """A moment or span of a recording that came marked: a bookmark, a category, a note."""

    recording = models.ForeignKey("evidence.Recording", on_delete=models.PROTECT, related_name="markers")
    source = models.CharField(max_length=16)
    start_ms = models.BigIntegerField(null=True)
    end_ms = models.BigIntegerField(null=True)
    category = models.CharField(max_length=255, blank=True)
    text = models.TextField(blank=True)
    particulars = models.JSONField(default=dict)
    recorded_at = models.DateTimeField()

    class Meta:
        db_table = "evidence_marker"


class Destination(models.Model):
    """A connection by which a system of another maker hands in what its cameras recorded."""

    name = models.CharField(max_length=64, unique=True)
    # Its part of the address, and what it signs in with; the password's hash, by Django's hasher.
    account = models.CharField(max_length=64, unique=True)
    password = models.CharField(max_length=255)
    pseudonym = models.CharField(max_length=16, unique=True)
    # Name of the secret that opens what it encrypts; empty where it sends footage in the clear.
    key_name = models.CharField(max_length=128, blank=True)
    settings = models.JSONField(default=dict)
    made_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "evidence_destination"
        constraints = [pseudonym_check("evidence_destination_pseudonym_hex")]


class DestinationContainer(models.Model):
    """A container of a connected system: one press of one camera's button, or the system's own lists."""

    destination = models.ForeignKey(Destination, on_delete=models.PROTECT, related_name="containers")
    name = models.CharField(max_length=256)
    state = models.CharField(max_length=16, default="receiving")
    metadata = models.JSONField(default=dict)
    recording = models.ForeignKey(
        "evidence.Recording", on_delete=models.PROTECT, null=True, related_name="containers"
    )
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=64, blank=True)
    reason_text = models.TextField(blank=True)

    class Meta:
        db_table = "evidence_destination_container"
        constraints = [
            models.UniqueConstraint(fields=["destination", "name"], name="evidence_container_once"),
            models.CheckConstraint(
                condition=Q(state__in=DESTINATION_STATES), name="evidence_container_state_known"
            ),
        ]
        indexes = [models.Index(fields=["state"], name="evidence_container_state")]


class DestinationObject(models.Model):
    """An object in such a container, as it came: its bytes lie in the vault, or it has none."""

    container = models.ForeignKey(DestinationContainer, on_delete=models.PROTECT, related_name="contents")
    name = models.CharField(max_length=1024)
    kind = models.CharField(max_length=16)
    metadata = models.JSONField(default=dict)
    size_bytes = models.BigIntegerField()
    md5 = models.CharField(max_length=32)
    sha256 = models.CharField(max_length=64)
    # The object in the vault that holds the bytes as they came, until they became an original; empty without bytes.
    object_id = models.CharField(max_length=32, blank=True)
    original = models.ForeignKey(
        "evidence.Original", on_delete=models.PROTECT, null=True, related_name="destination_objects"
    )
    received_at = models.DateTimeField()

    class Meta:
        db_table = "evidence_destination_object"
        constraints = [
            models.UniqueConstraint(fields=["container", "name"], name="evidence_container_object_once"),
            models.CheckConstraint(
                condition=Q(kind__in=DESTINATION_OBJECT_KINDS), name="evidence_container_object_kind_known"
            ),
        ]

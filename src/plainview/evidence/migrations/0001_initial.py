import django.contrib.postgres.constraints
import django.db.models.deletion
from django.db import migrations, models

import plainview.accounts.spans


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Device",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("make", models.CharField(max_length=64)),
                ("model", models.CharField(blank=True, max_length=64)),
                ("serial", models.CharField(max_length=64)),
                ("kind", models.CharField(max_length=16)),
                ("pseudonym", models.CharField(max_length=16, unique=True)),
                ("added_at", models.DateTimeField()),
            ],
            options={
                "db_table": "evidence_device",
                "constraints": [
                    models.UniqueConstraint(fields=("make", "serial"), name="evidence_device_serial_once"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["body", "car", "fixed", "other"])),
                        name="evidence_device_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("pseudonym__regex", "^[0-9a-f]{16}$")),
                        name="evidence_device_pseudonym_hex",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Original",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("object_id", models.CharField(max_length=32, unique=True)),
                ("object_bytes", models.BigIntegerField()),
                ("object_sha256", models.CharField(max_length=64)),
                ("sha256", models.CharField(max_length=64, unique=True)),
                ("chunk_root", models.CharField(max_length=64)),
                ("size_bytes", models.BigIntegerField()),
                ("received_at", models.DateTimeField()),
                ("state", models.CharField(max_length=16)),
                ("reason", models.CharField(max_length=64, null=True)),
                ("reason_text", models.TextField(blank=True)),
                ("offered_name", models.TextField()),
            ],
            options={
                "db_table": "evidence_original",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("object_id__regex", "^[0-9a-f]{32}$")),
                        name="evidence_original_object_id_hex",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("chunk_root__regex", "^[0-9a-f]{64}$"),
                            ("object_sha256__regex", "^[0-9a-f]{64}$"),
                            ("sha256__regex", "^[0-9a-f]{64}$"),
                        ),
                        name="evidence_original_digests_hex",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("object_bytes__gt", models.F("size_bytes")), ("size_bytes__gt", 0)
                        ),
                        name="evidence_original_not_empty",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ("usable", "quarantined", "adopted"))),
                        name="evidence_original_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reason__isnull", False), ("state", "quarantined")),
                            models.Q(
                                models.Q(("state", "quarantined"), _negated=True), ("reason__isnull", True)
                            ),
                            _connector="OR",
                        ),
                        name="evidence_original_quarantine_has_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Probe",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("made_at", models.DateTimeField()),
                ("tool", models.CharField(max_length=64)),
                ("found", models.JSONField()),
                ("chunk_times", models.BinaryField()),
                ("confinement", models.JSONField()),
                ("act_id", models.BigIntegerField()),
                (
                    "original",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="probes",
                        to="evidence.original",
                    ),
                ),
            ],
            options={
                "db_table": "evidence_probe",
            },
        ),
        migrations.CreateModel(
            name="Recording",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("identifier", models.CharField(max_length=16, unique=True)),
                ("source", models.CharField(max_length=16)),
                ("received_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("zone", models.CharField(max_length=64)),
                ("clock_source", models.CharField(max_length=16)),
                ("trigger_on_at", models.DateTimeField(null=True)),
                ("trigger_on_reason", models.CharField(blank=True, max_length=64)),
                ("trigger_off_at", models.DateTimeField(null=True)),
                ("trigger_off_reason", models.CharField(blank=True, max_length=64)),
                (
                    "device",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recordings",
                        to="evidence.device",
                    ),
                ),
            ],
            options={
                "db_table": "evidence_recording",
            },
        ),
        migrations.CreateModel(
            name="Part",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("offered_name", models.CharField(max_length=255)),
                (
                    "original",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="evidence.original",
                    ),
                ),
                (
                    "recording",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="evidence.recording",
                    ),
                ),
            ],
            options={
                "db_table": "evidence_part",
            },
        ),
        migrations.CreateModel(
            name="Wearer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("basis", models.CharField(max_length=16)),
                ("recorded_at", models.DateTimeField()),
                ("superseded_at", models.DateTimeField(null=True)),
                (
                    "officer",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, to="accounts.officer"
                    ),
                ),
                (
                    "recording",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="wearers",
                        to="evidence.recording",
                    ),
                ),
            ],
            options={
                "db_table": "evidence_wearer",
            },
        ),
        migrations.CreateModel(
            name="DeviceAssignment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("valid_from", models.DateTimeField()),
                ("valid_to", models.DateTimeField(null=True)),
                ("recorded_at", models.DateTimeField()),
                ("superseded_at", models.DateTimeField(null=True)),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assignments",
                        to="evidence.device",
                    ),
                ),
                (
                    "officer",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, to="accounts.officer"
                    ),
                ),
            ],
            options={
                "db_table": "evidence_device_assignment",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_to__isnull", True),
                            ("valid_to__gt", models.F("valid_from")),
                            _connector="OR",
                        ),
                        name="evidence_device_ends_after_start",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("superseded_at__isnull", True),
                            ("superseded_at__gte", models.F("recorded_at")),
                            _connector="OR",
                        ),
                        name="evidence_device_superseded_after_recorded",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        condition=models.Q(("superseded_at__isnull", True)),
                        expressions=[
                            (
                                plainview.accounts.spans.OneValue(
                                    models.F("device_id"), models.F("device_id")
                                ),
                                "&&",
                            ),
                            (
                                plainview.accounts.spans.TimeRange(
                                    models.F("valid_from"), models.F("valid_to")
                                ),
                                "&&",
                            ),
                        ],
                        name="evidence_one_wearer_at_a_time",
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="recording",
            index=models.Index(fields=["started_at"], name="evidence_recording_started"),
        ),
        migrations.AddConstraint(
            model_name="recording",
            constraint=models.CheckConstraint(
                condition=models.Q(("identifier__regex", "^R-[0-9]{2}-[0-9]{8}-[0-9A-Z]$")),
                name="evidence_recording_identifier",
            ),
        ),
        migrations.AddConstraint(
            model_name="recording",
            constraint=models.CheckConstraint(
                condition=models.Q(("source__in", ("import", "camera", "outside"))),
                name="evidence_recording_source_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="recording",
            constraint=models.CheckConstraint(
                condition=models.Q(("clock_source__in", ("file", "camera", "person", "unknown"))),
                name="evidence_recording_clock_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="recording",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ended_at__isnull", True),
                    models.Q(("ended_at__gte", models.F("started_at")), ("started_at__isnull", False)),
                    _connector="OR",
                ),
                name="evidence_recording_ends_after_start",
            ),
        ),
        migrations.AddConstraint(
            model_name="recording",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("clock_source", "unknown"), ("started_at__isnull", True)),
                    models.Q(
                        ("started_at__isnull", False), models.Q(("clock_source", "unknown"), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="evidence_recording_start_has_clock",
            ),
        ),
        migrations.AddConstraint(
            model_name="part",
            constraint=models.UniqueConstraint(
                fields=("recording", "number"), name="evidence_part_number_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="part",
            constraint=models.UniqueConstraint(
                fields=("recording", "original"), name="evidence_part_original_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="part",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__gte", 1)), name="evidence_part_number_from_1"
            ),
        ),
        migrations.AddConstraint(
            model_name="wearer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("superseded_at__isnull", True)),
                fields=("recording",),
                name="evidence_one_believed_wearer",
            ),
        ),
        migrations.AddConstraint(
            model_name="wearer",
            constraint=models.CheckConstraint(
                condition=models.Q(("basis__in", ["assignment", "camera", "person"])),
                name="evidence_wearer_basis_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="wearer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("superseded_at__isnull", True),
                    ("superseded_at__gte", models.F("recorded_at")),
                    _connector="OR",
                ),
                name="evidence_wearer_superseded_after_recorded",
            ),
        ),
    ]

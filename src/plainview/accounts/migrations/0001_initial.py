import django.contrib.postgres.constraints
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import plainview.accounts.spans


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Unit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=32, unique=True)),
                ("name", models.CharField(max_length=200)),
                ("added_at", models.DateTimeField()),
            ],
            options={
                "db_table": "accounts_unit",
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("username", models.CharField(max_length=64, unique=True)),
                ("name", models.CharField(max_length=200)),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("pseudonym", models.CharField(max_length=16, unique=True)),
                ("is_active", models.BooleanField(default=True)),
                ("added_at", models.DateTimeField()),
            ],
            options={
                "db_table": "accounts_user",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("pseudonym__regex", "^[0-9a-f]{16}$")),
                        name="accounts_user_pseudonym_hex",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Officer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("badge", models.CharField(max_length=32, unique=True)),
                ("name", models.CharField(max_length=200)),
                ("kind", models.CharField(default="sworn", max_length=32)),
                ("pseudonym", models.CharField(max_length=16, unique=True)),
                ("added_at", models.DateTimeField()),
                (
                    "user",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="officer",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "accounts_officer",
            },
        ),
        migrations.CreateModel(
            name="RoleGrant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("role", models.CharField(max_length=32)),
                ("valid_from", models.DateTimeField()),
                ("valid_to", models.DateTimeField(null=True)),
                ("recorded_at", models.DateTimeField()),
                ("superseded_at", models.DateTimeField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="role_grants",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, to="accounts.unit"
                    ),
                ),
            ],
            options={
                "db_table": "accounts_role_grant",
            },
        ),
        migrations.CreateModel(
            name="UnitAssignment",
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
                    "officer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="unit_assignments",
                        to="accounts.officer",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, to="accounts.unit"
                    ),
                ),
            ],
            options={
                "db_table": "accounts_unit_assignment",
            },
        ),
        migrations.AddConstraint(
            model_name="officer",
            constraint=models.CheckConstraint(
                condition=models.Q(("pseudonym__regex", "^[0-9a-f]{16}$")),
                name="accounts_officer_pseudonym_hex",
            ),
        ),
        migrations.AddConstraint(
            model_name="officer",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["sworn", "reserve", "other"])),
                name="accounts_officer_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="rolegrant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_to__isnull", True), ("valid_to__gt", models.F("valid_from")), _connector="OR"
                ),
                name="accounts_role_ends_after_start",
            ),
        ),
        migrations.AddConstraint(
            model_name="rolegrant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("superseded_at__isnull", True),
                    ("superseded_at__gte", models.F("recorded_at")),
                    _connector="OR",
                ),
                name="accounts_role_superseded_after_recorded",
            ),
        ),
        migrations.AddConstraint(
            model_name="rolegrant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "role__in",
                        [
                            "officer",
                            "supervisor",
                            "investigator",
                            "custodian",
                            "records",
                            "approver",
                            "prosecutor",
                            "defence",
                            "oversight",
                            "administrator",
                        ],
                    )
                ),
                name="accounts_role_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="rolegrant",
            constraint=models.UniqueConstraint(
                condition=models.Q(("superseded_at__isnull", True), ("valid_to__isnull", True)),
                fields=("user", "role", "unit"),
                name="accounts_one_open_grant",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="unitassignment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_to__isnull", True), ("valid_to__gt", models.F("valid_from")), _connector="OR"
                ),
                name="accounts_unit_ends_after_start",
            ),
        ),
        migrations.AddConstraint(
            model_name="unitassignment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("superseded_at__isnull", True),
                    ("superseded_at__gte", models.F("recorded_at")),
                    _connector="OR",
                ),
                name="accounts_unit_superseded_after_recorded",
            ),
        ),
        migrations.AddConstraint(
            model_name="unitassignment",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("superseded_at__isnull", True)),
                expressions=[
                    (plainview.accounts.spans.OneValue(models.F("officer_id"), models.F("officer_id")), "&&"),
                    (plainview.accounts.spans.TimeRange(models.F("valid_from"), models.F("valid_to")), "&&"),
                ],
                name="accounts_one_unit_at_a_time",
            ),
        ),
    ]

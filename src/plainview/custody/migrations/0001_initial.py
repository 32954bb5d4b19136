import django.db.models.deletion
import django.db.models.lookups
from django.db import migrations, models

import plainview.custody.models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Act",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "xid",
                    plainview.custody.models.TransactionIdField(
                        db_default=plainview.custody.models.CurrentTransactionId()
                    ),
                ),
                ("at", models.DateTimeField()),
                ("act", models.CharField(max_length=64)),
                ("object", models.CharField(max_length=128)),
                ("actor", models.CharField(max_length=64)),
                ("outcome", models.CharField(max_length=8)),
                ("why", models.CharField(max_length=64, null=True)),
                ("facts", models.JSONField()),
                ("session", models.CharField(max_length=64, null=True)),
                ("detail", models.CharField(max_length=64, null=True)),
            ],
            options={
                "db_table": "custody_act",
            },
        ),
        migrations.CreateModel(
            name="Epoch",
            fields=[
                ("epoch", models.PositiveIntegerField(primary_key=True, serialize=False)),
                ("origin", models.CharField(max_length=255, unique=True)),
                ("vkey", models.CharField(max_length=400)),
                ("started_at", models.DateTimeField()),
                ("after_act_id", models.BigIntegerField()),
            ],
            options={
                "db_table": "custody_epoch",
            },
        ),
        migrations.CreateModel(
            name="Restore",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("after_act_id", models.BigIntegerField()),
            ],
            options={
                "db_table": "custody_restore",
            },
        ),
        migrations.CreateModel(
            name="Leaf",
            fields=[
                (
                    "act",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        serialize=False,
                        to="custody.act",
                    ),
                ),
                ("index", models.BigIntegerField()),
                ("hash", models.BinaryField()),
            ],
            options={
                "db_table": "custody_leaf",
            },
        ),
        migrations.CreateModel(
            name="Words",
            fields=[
                (
                    "act",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        serialize=False,
                        to="custody.act",
                    ),
                ),
                ("session_salt", models.BinaryField(null=True)),
                ("session", models.JSONField(null=True)),
                ("detail_salt", models.BinaryField(null=True)),
                ("detail", models.JSONField(null=True)),
            ],
            options={
                "db_table": "custody_words",
            },
        ),
        migrations.AddIndex(
            model_name="act",
            index=models.Index(fields=["xid", "id"], name="custody_act_order"),
        ),
        migrations.AddIndex(
            model_name="act",
            index=models.Index(fields=["object", "id"], name="custody_act_object"),
        ),
        migrations.AddConstraint(
            model_name="act",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome__in", ["ok", "denied", "error"])),
                name="custody_act_outcome_known",
            ),
        ),
        migrations.AddField(
            model_name="leaf",
            name="epoch",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, to="custody.epoch"
            ),
        ),
        migrations.AddConstraint(
            model_name="words",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("session__isnull", True), ("session_salt__isnull", True)),
                    models.Q(
                        django.db.models.lookups.Exact(
                            plainview.custody.models.OctetLength("session_salt"), 32
                        ),
                        ("session__isnull", False),
                        ("session_salt__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="custody_words_session_has_salt",
            ),
        ),
        migrations.AddConstraint(
            model_name="words",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("detail__isnull", True), ("detail_salt__isnull", True)),
                    models.Q(
                        django.db.models.lookups.Exact(
                            plainview.custody.models.OctetLength("detail_salt"), 32
                        ),
                        ("detail__isnull", False),
                        ("detail_salt__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="custody_words_detail_has_salt",
            ),
        ),
        migrations.AddConstraint(
            model_name="leaf",
            constraint=models.UniqueConstraint(
                fields=("epoch", "index"), name="custody_leaf_one_act_an_index"
            ),
        ),
        migrations.AddConstraint(
            model_name="leaf",
            constraint=models.CheckConstraint(
                condition=models.Q(("index__gte", 0)), name="custody_leaf_index_from_0"
            ),
        ),
    ]

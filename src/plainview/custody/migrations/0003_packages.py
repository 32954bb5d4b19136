"""Find the packages that recordings went into without reading every act."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the index."""

    dependencies = [("custody", "0002_append_only")]
    operations = [
        migrations.AddIndex(
            model_name="act",
            index=models.Index(
                fields=["id"], name="custody_act_packages", condition=models.Q(act="package.exported")
            ),
        )
    ]

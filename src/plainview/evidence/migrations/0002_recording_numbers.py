"""Identifiers take their numbers from a sequence; a number may be skipped, never given twice."""

from django.db import migrations


class Migration(migrations.Migration):
    """Add the sequence."""

    dependencies = [("evidence", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE evidence_recording_number MAXVALUE 99999999",
            "DROP SEQUENCE evidence_recording_number",
        )
    ]

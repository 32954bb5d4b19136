"""User names have one spelling, a lock is noted once, and what must be remembered for a minute has a table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add a column, a constraint, and the table of Django's cache (the codes used a moment ago)."""

    dependencies = [("accounts", "0001_initial")]
    operations = [
        migrations.AddField("user", "lock_noted_at", models.DateTimeField(null=True)),
        migrations.AddConstraint(
            "user",
            models.CheckConstraint(
                condition=models.Q(username__regex=r"^[a-z0-9][a-z0-9._-]{0,63}$"),
                name="accounts_user_username_plain",
            ),
        ),
        migrations.RunSQL(
            "CREATE TABLE accounts_cache (cache_key varchar(255) PRIMARY KEY, value text NOT NULL, "
            "expires timestamptz NOT NULL)",
            "DROP TABLE accounts_cache",
        ),
        migrations.RunSQL(
            "CREATE INDEX accounts_cache_expires ON accounts_cache (expires)",
            "DROP INDEX accounts_cache_expires",
        ),
    ]

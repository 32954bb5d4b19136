"""Rows of the custody log are added, never changed or removed.

Grants bind the application's role (project/migrate applies them); these triggers also stop a slip of the owner.
Neither binds a superuser: that is what the signed log outside the database is for.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION custody_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER custody_act_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON custody_act
    FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();
CREATE TRIGGER custody_leaf_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON custody_leaf
    FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();
CREATE TRIGGER custody_epoch_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON custody_epoch
    FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();
CREATE TRIGGER custody_restore_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON custody_restore
    FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();
CREATE TRIGGER custody_words_no_update BEFORE UPDATE OR TRUNCATE ON custody_words
    FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change();
"""
BACKWARD = """
DROP TRIGGER custody_act_append_only ON custody_act;
DROP TRIGGER custody_leaf_append_only ON custody_leaf;
DROP TRIGGER custody_epoch_append_only ON custody_epoch;
DROP TRIGGER custody_restore_append_only ON custody_restore;
DROP TRIGGER custody_words_no_update ON custody_words;
DROP FUNCTION custody_refuse_change();
"""


class Migration(migrations.Migration):
    """Add the triggers."""

    dependencies = [("custody", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

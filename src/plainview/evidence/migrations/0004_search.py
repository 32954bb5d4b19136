"""How words are reduced for searching, a reduced form beside each cue, and what a recording is called."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models

# PostgreSQL's English without its stop words: "no", "down", "off" and "not" are what a person listens for. Marks on
# letters go, "n't" becomes one word and "'s" none, and every other sign parts words, so that addresses, tags and
# numbers with hyphens are words like any other. Names are spelled out with their schema: a restore has no search path.
CONFIGURATION = r"""
CREATE TEXT SEARCH DICTIONARY public.plainview_stem (TEMPLATE = pg_catalog.snowball, LANGUAGE = english);
CREATE TEXT SEARCH CONFIGURATION public.plainview (COPY = pg_catalog.english);
ALTER TEXT SEARCH CONFIGURATION public.plainview
    ALTER MAPPING REPLACE pg_catalog.english_stem WITH public.plainview_stem;
CREATE FUNCTION public.plainview_plain(said text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $body$
SELECT pg_catalog.translate(
    regexp_replace(regexp_replace(regexp_replace(
        lower(normalize(said, NFKD)),
        '[\u0300-\u036f]', '', 'g'), 'n[''\u2019]t\M', 'nt', 'g'), '[''\u2019]s\M', '', 'g'),
    E'!"#$%&''()*+,-./:;<=>?@[\\]^_`{|}~\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb\u2013\u2014\u2026\u00bf\u00a1\u00a0', repeat(' ', 60))
$body$;
CREATE FUNCTION public.plainview_words(said text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $body$
SELECT pg_catalog.to_tsvector('public.plainview'::regconfig, public.plainview_plain(said))
$body$;
"""
# There are no transcripts yet.
NAMES_OF_WHAT_IS_THERE = """
UPDATE evidence_search_row s SET names = n.names, words = strip(n.names)
FROM (
    SELECT row.recording_id,
           public.plainview_words(concat_ws(' ', o.name, o.badge, d.make, d.model, d.serial))
           || array_to_tsvector(ARRAY[
               lower(replace(r.identifier, '-', '')),
               split_part(r.identifier, '-', 3),
               ltrim(split_part(r.identifier, '-', 3), '0')
           ]) AS names
    FROM evidence_search_row row
    JOIN evidence_recording r ON r.id = row.recording_id
    LEFT JOIN accounts_officer o ON o.id = row.wearer_id
    LEFT JOIN evidence_device d ON d.id = row.device_id
) n
WHERE s.recording_id = n.recording_id
"""
UNDO = """
DROP FUNCTION public.plainview_words(text);
DROP FUNCTION public.plainview_plain(text);
DROP TEXT SEARCH CONFIGURATION public.plainview;
DROP TEXT SEARCH DICTIONARY public.plainview_stem;
"""


class Migration(migrations.Migration):
    """Add them, and fill in what is there already."""

    dependencies = [("evidence", "0003_the_library")]
    operations = [
        migrations.RunSQL(CONFIGURATION, UNDO),
        migrations.AddField(
            model_name="cue",
            name="stems",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Func(models.F("text"), function="public.plainview_words"),
                output_field=django.contrib.postgres.search.SearchVectorField(),
            ),
        ),
        migrations.AddField(
            model_name="searchrow",
            name="names",
            field=django.contrib.postgres.search.SearchVectorField(default=""),
        ),
        migrations.AddField(
            model_name="searchrow",
            name="transcripts",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), default=list, size=None
            ),
        ),
        migrations.AddIndex(
            model_name="searchrow",
            index=django.contrib.postgres.indexes.GinIndex(
                fastupdate=False, fields=["names"], name="evidence_search_names"
            ),
        ),
        migrations.RunSQL(NAMES_OF_WHAT_IS_THERE, migrations.RunSQL.noop),
    ]

"""Keep what lists and searches read: one row a recording, brought up to date in the transaction that changes it."""

from __future__ import annotations

from django.db import connection

# Two sets of words. `names` is what is known of a recording by whoever may know of it: what it is called, who wore the
# camera, which camera. `words` adds what was said, and only who may see the recording is answered from it.
# The identifier is one word, and its number another with and without zeros in front; parted at its hyphens it would
# answer whoever looks for "I" or "26".
# `words` keeps no positions: PostgreSQL's end at 16,383, two hours of speech; phrases are looked up in the cues.
REFRESH_EVERY_ROW = """
UPDATE evidence_search_row s
SET names = called.names,
    transcripts = said.transcripts,
    words = array_to_tsvector(said.lexemes || tsvector_to_array(called.names))
FROM evidence_search_row row
JOIN evidence_recording r ON r.id = row.recording_id
LEFT JOIN accounts_officer o ON o.id = row.wearer_id
LEFT JOIN evidence_device d ON d.id = row.device_id
CROSS JOIN LATERAL (
    SELECT public.plainview_words(concat_ws(' ', o.name, o.badge, d.make, d.model, d.serial))
        || array_to_tsvector(ARRAY[
            lower(replace(r.identifier, '-', '')),
            split_part(r.identifier, '-', 3),
            ltrim(split_part(r.identifier, '-', 3), '0')
        ]) AS names
) called
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(t.id ORDER BY p.number), '{}') AS transcripts,
           ARRAY(
               SELECT DISTINCT w.lexeme FROM unnest(array_agg(t.id)) newest (id)
               JOIN evidence_cue c ON c.transcript_id = newest.id CROSS JOIN unnest(c.stems) w
           ) AS lexemes
    FROM evidence_part p
    CROSS JOIN LATERAL (
        SELECT id FROM evidence_transcript WHERE original_id = p.original_id
        ORDER BY made_at DESC, id DESC LIMIT 1
    ) t
    WHERE p.recording_id = row.recording_id
) said
WHERE s.recording_id = row.recording_id"""
_REFRESH_ROW = REFRESH_EVERY_ROW + " AND row.recording_id = %s"


def refresh_search_row(recording: int) -> None:
    """Bring a recording's row up to date with its wearer, its camera and its newest transcripts.

    Call it in the transaction that changes one of them. It leaves who wore the camera, the unit, the times and the
    restriction to the actions that set them.

    Args:
        recording: the key of the recording's row.
    """
    with connection.cursor() as cursor:
        cursor.execute(_REFRESH_ROW, [recording])

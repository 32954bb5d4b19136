"""Pure rules about cameras, docks and what they hand in."""

from __future__ import annotations

ADMISSIONS = ("waiting", "admitted", "refused", "revoked")
# What a dock hands in: footage and journals as our cameras seal them, and files of other makers.
OFFLOAD_KINDS = ("footage", "journal", "file")
OFFLOAD_STATES = ("receiving", "stored", "received", "duplicate", "quarantined", "refused", "dropped")
# The verdict on a recording's own journal; the checker's words, in the database's spelling.
CAPTURE_VERDICTS = ("ok", "altered", "missing", "unproven", "not_closed", "signer_unknown")
ATTACHMENT_KINDS = ("journal", "key", "track", "bookmark", "audit_trail", "sidecar", "subtitles", "settings")
DESTINATION_OBJECT_KINDS = ("clip", "key", "bookmark", "track", "user", "device", "system", "other")
DESTINATION_STATES = ("receiving", "complete", "received", "rejected")

"""What the application's role may not do to the custody log; plainview takes the rights away after migrating."""

# Insert and read, nothing else.
APPEND_ONLY_TABLES = ("custody_act", "custody_leaf", "custody_epoch", "custody_restore")
# What could name a person may be destroyed, never rewritten.
NO_UPDATE_TABLES = ("custody_words",)
# Neither its id nor its transaction's: a row with an invented one would never be given an index.
ACTS_TABLE = "custody_act"
ACT_COLUMNS = ("at", "act", "object", "actor", "outcome", "why", "facts", "session", "detail")

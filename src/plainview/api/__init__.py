"""What programs ask the server: docks, and systems of other makers. It translates; it has no tables."""

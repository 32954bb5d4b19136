"""Pages for people who sign in. No tables: everything is asked of the apps below."""

"""The one table of everything the system asks of a person."""

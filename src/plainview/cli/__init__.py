"""Commands. `main` is the program; each command's module does its work."""

from plainview.cli.commands import main

__all__ = ["main"]
